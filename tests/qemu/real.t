#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Real programs at work: busybox's shell and tools, the distribution's bash, programs of threads, and
# files that only look like programs. Their output is the reference's, and nothing of what they used
# stays away.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../programs";
use Guest;
use Programs;
use Test::More;

for my $config (qw(debug release)) {
	my @items = Programs::runnable((map { $_->[0] } @Programs::printing), @Programs::testing);
	my $run = Programs::run_in_tessera($config, 240, @items);
	Programs::check_sections($config, $run, @items);
	like($run->{console}, qr/^leakcheck: init ended with status 0; everything came back$/m,
		"$config: free memory is what it was before");
	Guest::ends_well($run, $config);
	note sprintf '%s: %.1f s', $config, $run->{seconds};
}

done_testing;
