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
for my $name (sort keys %Programs::groups) {
	my $group = $Programs::groups{$name};
	my @items = Programs::runnable($group) or next;
	my $run = Programs::run_in_reference($group, @items);
	Programs::check_sections($group, "$name in Linux", $run, @items);
	Guest::ends_well($run, "$name in Linux");
}

done_testing;
