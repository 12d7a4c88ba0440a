#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The user test suite, all of it in one boot: in the debug kernel, then in the release kernel.
# Each program's points are passed on as a subtest. When all of them have ended, the kernel compares
# what is free with what was free before the first.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my @expected = sort map { m{([^/]+)\.c$} } glob 'user/tests/*.c';
ok(scalar @expected, 'there are user tests');

# Boots with these tests and passes them on; nothing that they used may stay away.
sub run_tests {
	my ($name, $limit, $options, $expected, %boot) = @_;
	my $run = Guest::boot(limit => $limit, images => [qw(base tests)],
		cmdline => "quiet leakcheck init=/bin/runner $options", %boot);
	my @sections = Guest::sections($run);
	is(join(' ', sort map { $_->{name} =~ s{.*/}{}r } @sections), "@$expected", "$name: all programs ran");
	Guest::replay($_, "$name: $_->{name}") for @sections;
	like($run->{console}, qr/^##done/m, "$name: the suite came to its end");
	like($run->{console}, qr/^leakcheck: init ended with status 0; everything came back$/m,
		"$name: free memory is what it was before");
	Guest::ends_well($run, "$name: the suite");
	note sprintf '%s: %.1f s', $name, $run->{seconds};
}

run_tests($_, 240, 'uid=65534 tests=all', \@expected, config => $_) for qw(debug release);

# What root alone is shown, and what it alone may do.
my @as_root = sort qw(efault exec_wait pagemap_frames), Guest::root_tests();
run_tests('as root', 60, 'tests=' . join(',', @as_root), \@as_root);

done_testing;
