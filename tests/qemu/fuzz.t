#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Random system calls from several processes and threads, by nobody and by root, on two processors, in
# the debug kernel with all its checks. The kernel must live through it, find nothing odd about itself
# and have all its memory back. FUZZ_SECONDS and FUZZ_SEED choose another length and beginning;
# FUZZ_ROUND makes one round alone once more and shows its calls.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my $seconds = $ENV{FUZZ_SECONDS} || 10;
my $seed = $ENV{FUZZ_SEED} || 1;
my $round = $ENV{FUZZ_ROUND};
my $item = "/bin/fuzz+seed=$seed+" . ($round ? "round=$round+rounds=1+seconds=600" : "seconds=$seconds");

for my $who (qw(nobody root)) {
	my $run = Guest::boot(limit => 300 + 10 * $seconds, smp => 2,
		cmdline => "quiet leakcheck init=/bin/runner tests=$item"
			. ($who eq 'nobody' ? ' uid=65534' : '') . ($round ? ' strace' : ''));
	my ($section) = Guest::sections($run);
	is($section->{end} // 'never ended', 'exit=0', "$who: all rounds end, and the kernel lives")
		or diag map { "  | $_\n" } grep { /complaint|thread \d/ } @{ $section->{lines} };
	my ($rounds, $calls) = $run->{console} =~ /^fuzz: (\d+) rounds, (\d+) calls/m;
	cmp_ok($rounds // 0, '>', 0, "$who: there were rounds");
	my ($good, $both) = $run->{console} =~ /^fuzz: (\d+) of .*, (\d+) both$/m;
	cmp_ok($good // 0, '>', ($calls // 0) / 5, "$who: many calls succeed");
	Guest::no_reports($run, $who);
	like($run->{console}, qr/^leakcheck: init ended with status 0; everything came back$/m,
		"$who: free memory is what it was before");
	if (!Guest::ends_well($run, $who)) {
		my ($last) = $run->{console} =~ /.*^fuzz: round (\d+)$/ms;
		diag "seed $seed; once more: make fuzz-replay SEED=$seed ROUND=" . ($last // 1);
	}
	note $_ for grep { /^fuzz: \d/ } split /\n/, $run->{console};
	note $run->{console} if $round;
}

done_testing;
