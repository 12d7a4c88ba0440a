#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What can only be checked from inside: the kernel runs its own tests and prints TAP.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

for my $cpu (qw(max qemu64)) {
	my $run = Guest::boot(cmdline => 'selftest=all', cpu => $cpu, limit => 60);
	my @sections = Guest::sections($run);
	is(scalar @sections, 1, "-cpu $cpu: the self-tests ran");
	Guest::replay($_, "-cpu $cpu: $_->{name}") for @sections;
	Guest::ends_well($run, "-cpu $cpu: self-tests");
}

done_testing;
