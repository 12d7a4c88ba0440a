#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# A kernel that fails says where it was and ends the machine: no hang, no silence.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my %symbols = map { $_ => 1 } map { /^\S+ [tTwW] (\S+)/ } split /\n/, Guest::slurp("$Guest::build/debug/tessera.nm");
ok($symbols{panic}, 'the list of the kernel\'s functions is at hand');

my $run = Guest::boot(cmdline => 'selftest=panic', limit => 30);
Guest::ends_well($run, 'a panic', Guest::PANIC_STATUS);
like($run->{console}, qr/panic/i, 'the console says panic');
like($run->{console}, qr/\brip\b\W*(?:\w+:)?(?:0x)?ffffffff8[0-9a-f]{7}/i, 'and shows registers');

# A traced function is printed as name+offset.
my @traced = $run->{console} =~ /\b([A-Za-z_]\w*)\+0x[0-9a-f]+/g;
cmp_ok(scalar @traced, '>=', 3, 'the backtrace names functions') or Guest::show_tail($run);
my @unknown = grep { !$symbols{$_} } @traced;
is("@unknown", '', 'each of them is one of the kernel\'s');

done_testing;
