#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Programs that want more than they may have, on a processor without SMEP, SMAP, UMIP and FSGSBASE. The
# suite has them on one with all of that.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my @tests = sort qw(abi_regs efault entry_guard segv sigfpu sigreturn tls),
	map { m{([^/]+)\.c$} } glob 'user/tests/attack_*.c';
cmp_ok(scalar @tests, '>=', 10, 'there are attacks');
Guest::run_tests('-cpu qemu64', \@tests, 'uid=65534 tests=' . join(',', @tests), cpu => 'qemu64', limit => 300);

done_testing;
