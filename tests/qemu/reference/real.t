#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The real programs in the reference: what is stored of them is still what they print there.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/..", "$FindBin::Bin/../../programs";
use Guest;
use Programs;
use Test::More;

-e $Programs::reference or plan skip_all => 'no reference kernel: tools/bootstrap reference fetches it';
my @items = Programs::runnable((map { $_->[0] } @Programs::printing), @Programs::testing);
my $run = Programs::run_in_reference(300, @items);
Programs::check_sections('Linux', $run, @items);
Guest::ends_well($run, 'Linux');

done_testing;
