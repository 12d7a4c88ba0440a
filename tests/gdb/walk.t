#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# `walk` against QEMU's own gva2gpa and info tlb, which know nothing of permissions: 1,000 random
# addresses of all kinds in five processes, stopped in each of them; then from outside, by `proc`.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, 'tests/qemu';
use Gdb;
use Test::More;

Gdb::test(cmdline => 'quiet init=/bin/playground', smp => 2, limit => 150);
done_testing;
