#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The user test suite, all of it in one boot: in the debug kernel, then in the release kernel.
# Each program's points are passed on as a subtest.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my @expected = sort map { m{([^/]+)\.c$} } glob 'user/tests/*.c';
ok(scalar @expected, 'there are user tests');

for my $config (qw(debug release)) {
	my $run = Guest::boot(config => $config, limit => 240,
		cmdline => 'quiet init=/bin/runner uid=65534 tests=all');
	my @sections = Guest::sections($run);
	is(join(' ', sort map { $_->{name} =~ s{.*/}{}r } @sections), "@expected",
		"$config: every program of user/tests ran");
	Guest::replay($_, "$config: $_->{name}") for @sections;
	like($run->{console}, qr/^##done/m, "$config: the suite came to its end");
	Guest::ends_well($run, "$config: the suite");
	note sprintf '%s: %.1f s', $config, $run->{seconds};
}

done_testing;
