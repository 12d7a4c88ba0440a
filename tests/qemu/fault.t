#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What is said of a fault is the same everywhere: the line on the console, /proc/PID/fault, the panic; and
# all of it is in the table of mm/fault_steps.h.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my %sentence = Guest::slurp('mm/fault_steps.h') =~ /FAULT_STEP\((\w+), "([^"]*)"\)/g;
cmp_ok(scalar keys %sentence, '>', 50, 'the table of steps');

# What of steps with their sentences, one on each line, isn't in the table.
sub strangers {
	my ($text) = @_;
	my @odd;
	my $steps = 0;
	while ($text =~ /^  ([A-Z]\w+) +(.*?)\r?$/mg) {
		$steps++;
		push @odd, "$1: $2" if ($sentence{$1} // '') ne $2;
	}
	return $steps ? join "\n", @odd : 'no steps';
}

my $run = Guest::boot(cmdline => 'quiet init=/bin/runner uid=65534 tests=/tests/fault_record+die',
	images => [ 'base', 'tests' ], limit => 60);
Guest::ends_well($run, 'programs that faults end');
my %line;
while ($run->{console} =~ /^exe\[(\d+)\]: cannot (\w+) (0x\w+): (.*) \(ip (0x\w+) sp 0x\w+ error (0x\w+)\)/mg) {
	$line{$1} = { access => $2, address => $3, why => $4, ip => $5, error => $6 };
}
is(scalar keys %line, 8, 'eight of them have a line') or Guest::show_tail($run);
is(strangers($run->{console}), '', 'all steps are in the table, word by word');
my $compared = 0;
my ($intro, %file) = split /^# process (\d+)\r?\n/m, $run->{console};
for my $pid (sort { $a <=> $b } keys %line) {
	my $said = $line{$pid};
	# The newest comes first.
	my ($record) = ($file{$pid} // '') =~ /\A(fault .*\n(?:  .*\n)+)/ or next;
	$compared++;
	my @steps = $record =~ /^  ([A-Z]\w+) /mg;
	like($record, qr/ error $said->{error} user $said->{access} $said->{address} ip $said->{ip}\r?\n/,
		"process $pid: line and record tell of the same access");
	is($said->{why}, $sentence{ $steps[-2] }, "... for the same reason: $steps[-2]");
}
is($compared, 8, 'each has a record');

$run = Guest::boot(cmdline => 'selftest=panic', limit => 30);
my ($path) = $run->{console} =~ /^The fault:\r?\n((?:  .*\n)+)/m;
is(strangers($path // 'nothing'), '', 'a panic has its path');
is(join(' ', ($path // '') =~ /^  ([A-Z]\w+) /mg), 'NOT_MAPPED PANIC', 'nothing is mapped there');
like($run->{console}, qr/^Kernel panic: the kernel cannot write 0x\w+: \Q$sentence{NOT_MAPPED}\E \(/m,
	'and its line says so');

done_testing;
