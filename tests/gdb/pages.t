#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The commands about pages and what gives them out: `buddy`, `slabs` and `trace` say what /proc says, `page`
# knows what each kind of page is, and `rmap` finds the entries that share one.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, 'tests/qemu';
use Gdb;
use Test::More;

Gdb::test(cmdline => 'quiet tour=no trace=syscall,fault', smp => 2, limit => 150);
done_testing;
