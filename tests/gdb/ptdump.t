#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# `ptdump` against QEMU's info mem, which tells the rights that all levels leave together but not NX,
# and info tlb, which tells of each page where it is, and NX: in five processes.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, 'tests/qemu';
use Gdb;
use Test::More;

Gdb::test(cmdline => 'quiet init=/bin/playground', smp => 2, limit => 150);
done_testing;
