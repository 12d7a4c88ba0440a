#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The release kernel, whose functions are inlined and whose structures have no more than they need: the
# commands find there what they find in the debug kernel.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, 'tests/qemu';
use Gdb;
use Test::More;

Gdb::test(config => 'release', cmdline => 'quiet init=/bin/playground', smp => 2, limit => 100);
done_testing;
