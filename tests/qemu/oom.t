#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# A program that takes all memory is ended; the next one finds everything as before.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

for my $mem (qw(64M 200M)) {
	my $run = Guest::boot(mem => $mem, limit => 60,
		cmdline => 'leakcheck init=/bin/runner tests=/bin/eat,/bin/eat,/bin/hello-musl');
	my @sections = Guest::sections($run);
	is(join(' ', map { $_->{end} // '?' } @sections), 'signal=9 signal=9 exit=0',
		"-m $mem: who takes everything is killed, and others live on");
	like($run->{console}, qr/^Out of memory: killing eat\[\d+\], which holds \d+ kB/m,
		"-m $mem: the kernel says whom and why");
	like($run->{console}, qr/leakcheck:.*everything came back/, "-m $mem: nothing is lost");
	Guest::ends_well($run, "-m $mem");
}

done_testing;
