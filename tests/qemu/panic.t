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

my %symbols = map { $_ => 1 } map { /^\S+ [tTwW] (\S+)/ } split /\n/, Guest::slurp("$Guest::build/$Guest::debug/tessera.nm");
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

# With others running, each is stopped and says where it was.
$run = Guest::boot(cmdline => 'selftest=panic', smp => 4, limit => 60);
Guest::ends_well($run, 'a panic with four processors', Guest::PANIC_STATUS);
my @reports = split /^CPU \d:\r?\n/m, $run->{console};
shift @reports;
is(scalar @reports, 4, 'each of four processors has its place in the report') or Guest::show_tail($run);
is(scalar(grep { /^RIP/m && /^Backtrace:/m && /\b[A-Za-z_]\w*\+0x[0-9a-f]+/ } @reports), 4,
	'with registers and a backtrace');

# The others at the same moment: one tells, the rest are shown at it, with what they had to say if they
# came so far.
$run = Guest::boot(cmdline => 'selftest=panics', smp => 4, limit => 60);
Guest::ends_well($run, 'three panics at once', Guest::PANIC_STATUS);
my @panics = $run->{console} =~ /^Kernel panic: everybody at once, here CPU (\d)/mg;
is(scalar @panics, 1, 'one of them tells') or Guest::show_tail($run);
@reports = $run->{console} =~ /^(CPU \d:\r?\n(?:(?!CPU \d:).*\n)*)/mg;
is(scalar @reports, 4, 'it is one report of all four');
is(scalar(grep { /smp_call_irq\+/ } @reports), 3, 'the other two are shown at it');
my @late = map { /^CPU (\d):\r?\nIt panicked too: everybody at once, here CPU (\d)/ } @reports;
is("@late[grep { $_ % 2 == 0 } 0 .. $#late]", "@late[grep { $_ % 2 } 0 .. $#late]",
	'what they say is told at their own places');
is(scalar(() = $run->{console} =~ /^End of the panic report\./mg), 1, 'with one end');

# A function that writes beyond its array is noticed before it returns.
for my $config (qw(debug release)) {
	$run = Guest::boot(cmdline => 'selftest=stack', config => $config, limit => 60);
	Guest::ends_well($run, "$config: a write beyond an array", Guest::PANIC_STATUS);
	like($run->{console}, qr/^an array was filled\r?$/m, "$config: not before");
	like($run->{console}, qr/^Kernel panic: stack protector: the stack of write_beyond_array was /m,
		"$config: its function is named") or Guest::show_tail($run);
}

done_testing;
