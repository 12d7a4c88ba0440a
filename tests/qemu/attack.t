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

# The release kernel has no checks of its own that would stop an attack first.
@tests = sort qw(attack_entry attack_leak attack_limits attack_pointers);
my $run = Guest::boot(config => 'release', cpu => 'qemu64', limit => 120, images => [qw(base tests)],
	cmdline => 'quiet init=/bin/runner uid=65534 tests=' . join(',', @tests));
my @sections = Guest::sections($run);
is(scalar @sections, @tests, 'release: all programs ran');
Guest::replay($_, "release: $_->{name}") for @sections;
Guest::no_reports($run, 'release');
Guest::ends_well($run, 'release: the suite');
note sprintf 'release: %.1f s', $run->{seconds};

done_testing;
