#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What the commands read of the guest when there is much to tell: memory is read in blocks, not word by
# word. What counts is how often and how much is read, which doesn't depend on this machine; how long it
# took is only noted.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, 'tests/qemu';
use Gdb;
use Test::More;

Gdb::test(cmdline => 'quiet init=/bin/playground', limit => 150);
done_testing;
