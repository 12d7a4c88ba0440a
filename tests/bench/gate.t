#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What operations on memory cost in the release build must not grow unnoticed. The figures count
# guest instructions and come out equal in every run, so a difference is the code's.
#
# After a change that is worth its cost, or that saves something: make bench-baseline.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Bench;
use Test::More;

# Percent: what moves when unrelated code is compiled a little differently. And below this many
# instructions a change of a few is no news either.
use constant TOLERANCE => 3;
use constant SLACK => 8;

my $file = "$FindBin::Bin/baseline.tsv";
my ($compilers, %want);
for (split /\n/, Guest::slurp($file)) {
	if (/^# (.*)/) {
		$compilers = $1;
	} elsif (/^([^\t]+)\t(\d+)$/) {
		$want{$1} = $2;
	}
}
if (!ok(scalar %want, 'there is a baseline')) {
	diag "make bench-baseline writes $file";
	done_testing;
	exit;
}

my $run = Bench::run('tessera', 120);
is($run->{problem}, undef, 'the bench ran to its end, its instrument checked')
	or Guest::show_tail($run);
note sprintf '%.1f s', $run->{seconds};

SKIP: {
	my $here = Bench::compilers();
	skip "the baseline is of another compiler ($compilers; here $here)", 1
		if $compilers ne $here;
	for my $row (sort keys %want) {
		my ($is, $was) = ($run->{value}{$row} // 'no such row', $want{$row});
		my $good = $is =~ /^\d+$/ && $is <= $was + SLACK + $was * TOLERANCE / 100;
		ok($good, "$row: no dearer than it was")
			or diag "$row: $is instructions, $was in the baseline";
		diag "$row: $is instructions instead of $was; make bench-baseline keeps what was gained"
			if $good && $is < $was - SLACK - $was * TOLERANCE / 100;
	}
	for (grep { !exists $want{$_} && $run->{value}{$_} ne '-' } @{ $run->{rows} }) {
		diag "$_: not in the baseline; make bench-baseline adds it";
	}
}

done_testing;
