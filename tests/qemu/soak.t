#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The soak: for some minutes processes and threads do all kinds of things to memory on several
# processors, at random, in the debug kernel with all its checks. Nothing may complain, they or the
# kernel. SOAK_MINUTES, SOAK_SMP and SOAK_SEED choose another length, machine and beginning.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my $minutes = $ENV{SOAK_MINUTES} || 3;
my $seconds = int(60 * $minutes);
my $smp = $ENV{SOAK_SMP} || 4;
my $seed = $ENV{SOAK_SEED} || 1;
my $workers = $smp < 3 ? 3 : $smp;

my $run = Guest::boot(limit => 300 + 600 * $minutes, smp => $smp,
	cmdline => 'quiet leakcheck init=/bin/runner uid=65534 tests=/bin/soak' .
		"+seconds=$seconds+seed=$seed+processes=$workers");
my ($section) = Guest::sections($run);
Guest::succeeded($section // { name => 'soak', lines => [] }, 'no worker has a complaint');
my ($count, $complaints) = $run->{console} =~ /^soak: (\d+) operations by .* (\d+) complaints$/m;
cmp_ok($count // 0, '>', $seconds, 'many operations were done');
is($complaints // 'none known', 0, 'without a complaint');
Guest::no_reports($run, 'the soak');
like($run->{console}, qr/^leakcheck: init ended with status 0; everything came back$/m,
	'free memory is what it was before');
Guest::ends_well($run, 'the soak');
note $_ for grep { /^soak: / } @{ $section ? $section->{lines} : [] };

done_testing;
