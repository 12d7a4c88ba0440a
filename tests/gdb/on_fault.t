#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# on-fault, next-fault and on-map stop where and when they should, and nowhere else; what they and
# step-fault tell of a fault is what the kernel's record of it says afterwards. On two processors.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, 'tests/qemu';
use Gdb;
use Test::More;

Gdb::test(cmdline => 'quiet nokaslr init=/bin/playground', smp => 2, limit => 100);
done_testing;
