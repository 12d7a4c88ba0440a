#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Machines other than the usual one: more processors, another chipset, no ACPI.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my @boot = (cmdline => 'init=/bin/runner tests=/bin/hello-musl,time,exec_wait', images => [qw(base tests)],
	limit => 30);

sub runs_tests {
	my ($name, $run) = @_;
	my ($hello, @tests) = Guest::sections($run);
	Guest::succeeded($hello // { name => 'hello-musl', lines => [] }, "$name: a program runs");
	is(scalar @tests, 2, "$name: the tests were started");
	Guest::replay($_, "$name: $_->{name}") for @tests;
}

for ([ '-smp 4', smp => 4 ], [ '-machine q35', qemu => [ '-machine', 'q35' ] ],
	[ '-machine q35, -smp 4, -m 5G', qemu => [ '-machine', 'q35' ], smp => 4, mem => '5G' ],
	[ '-machine q35,acpi=off', qemu => [ '-machine', 'q35,acpi=off' ] ]) {
	my ($name, @options) = @$_;
	my $run = Guest::boot(@boot, @options);
	runs_tests($name, $run);
	Guest::ends_well($run, $name);
}

# Here QEMU leaves out the power switch together with ACPI.
my $guest = Guest->start(@boot, qemu => [ '-machine', 'pc,acpi=off' ]);
ok(defined $guest->wait_for(qr/^Power off\.$/m), '-machine pc,acpi=off: it comes to the end');
my $run = $guest->stop;
like($run->{console}, qr/^no ACPI tables/m, 'and says that there are no tables');
runs_tests('-machine pc,acpi=off', $run);

done_testing;
