#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Faults of the kernel's own, in both kernels: `why` foretells what the record then says. And what the
# commands tell of a kernel that has panicked.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, 'tests/qemu';
use Gdb;
use Test::More;

Gdb::test(config => $_, cmdline => 'quiet init=/bin/playground', smp => 2, limit => 100) for qw(debug release);
done_testing;
