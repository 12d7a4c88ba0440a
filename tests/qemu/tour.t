#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The first thing a newcomer types: `make run` without a terminal boots the ISO, plays the tour and
# powers off.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

# This test is often run by make, whose jobserver and options are not meant for the make inside.
delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS)};

my $run = Guest::run_limited(100, 'make', 'run', "O=$Guest::build");
Guest::ends_well($run, 'the tour');

# Sentences that the tour prints only when what they say was so.
like($run->{console}, qr/Pages of it that are present: 0 of \d+/, 'mmap alone brings no page');
like($run->{console}, qr/both are the same frame: the zero page/, 'what is only read is the zero page');
like($run->{console}, qr/got its own when it was written/, 'a write gets a frame');
like($run->{console}, qr/The areas are again what they were/, 'munmap leaves no trace');
like($run->{console}, qr/ended by signal 11/, 'an access to what is gone ends the program');
like($run->{console}, qr/The code is in memory once/, 'two runs share their text');
like($run->{console}, qr/^End of the tour\.$/m, 'it comes to its end');

done_testing;
