#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# `why` says what an access would do, then the guest does it: the prediction was right, and its steps are
# those of the kernel's own record of the fault, for areas and accesses of all kinds.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, 'tests/qemu';
use Gdb;
use Test::More;

Gdb::test(cmdline => 'quiet nokaslr init=/bin/playground', smp => 1, limit => 100);
done_testing;
