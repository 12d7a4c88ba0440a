#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# gdb's commands about areas tell what the guest itself says in /proc/PID/maps; the tree is drawn as it
# is; damage is named; ten thousand areas are read in few, large blocks.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, 'tests/qemu';
use Gdb;
use Test::More;

Gdb::test(cmdline => 'quiet nokaslr init=/bin/playground', smp => 2, limit => 100);
done_testing;
