#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What C leaves undefined ends the debug kernel, with a report that says what, where and with which
# values. selftest_ubsan.c does all of it; the lines that reports must name are marked there.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my $file = 'kernel/init/selftest_ubsan.c';
my (%line, $nr);
for (split /\n/, Guest::slurp($file)) {
	$nr++;
	$line{$1} = $nr if m{/\* HERE (\S+) \*/};
}

my @expected = (
	[ 'add', 'signed-integer-overflow', qr/2147483647 \+ 3 does not fit in 'int'/ ],
	[ 'add-wide', 'signed-integer-overflow',
		qr/0x(?:7f{31} \+ 0x0{31}3|0{31}3 \+ 0x7f{31}) does not fit in '__int128'/ ],
	[ 'sub', 'signed-integer-overflow', qr/-2147483648 - 3 does not fit in 'int'/ ],
	[ 'mul', 'signed-integer-overflow', qr/-2147483647 \* 3 does not fit in 'int'/ ],
	[ 'negate', 'signed-integer-overflow', qr/the negative of -2147483648 does not fit in 'int'/ ],
	[ 'divide', 'integer-divide-by-zero', qr{3 / 0 in 'int'} ],
	[ 'divide-minus-one', 'integer-divide-by-zero', qr{-2147483648 / -1 in 'int'} ],
	[ 'shift-far', 'shift-out-of-bounds', qr/1 of 'unsigned int' shifted by 40/ ],
	[ 'shift-negative', 'shift-out-of-bounds', qr/3 of 'int' shifted by -5/ ],
	[ 'shift-base', 'shift-out-of-bounds', qr/2147483647 of 'int' shifted by 3/ ],
	[ 'bounds', 'array-index-out-of-bounds', qr/index 3 of 'int ?\[3\]'/ ],
	[ 'bool', 'invalid-load', qr/3 is no value of '(?:volatile )?(?:_Bool|bool)'/ ],
	[ 'null-argument', 'null-argument', qr/argument 1 may not be null/ ],
	[ 'null-return', 'null-return', qr/the function may not return null/ ],
	[ 'builtin', 'invalid-builtin', qr/zero given to __builtin_ctz\(\)/ ],
	[ 'vla', 'vla-bound', qr/an array of -1 elements/ ],
	[ 'unreachable', 'unreachable', qr/a place that is never reached/ ],
	[ 'null-load', 'null-ptr-deref', qr/load of a null pointer of type '(?:volatile )?int'/ ],
	[ 'misaligned', 'misaligned-access', qr/store to 0x\w+ of type '(?:volatile )?long(?: int)?', .* 8 bytes' alignment/ ],
	[ 'pointer', 'pointer-overflow', qr/0x\w+ became 0x\w+/ ],
	[ 'object-size', 'object-size-mismatch', qr/store to 0x\w+, where no object of type .* has room/ ],
);

my $run = Guest::boot(cmdline => 'selftest=ubsan', limit => 60);
Guest::ends_well($run, 'all of it');
unlike($run->{console}, qr/nobody noticed/, 'each was noticed') or Guest::show_tail($run);
my @reports = $run->{console} =~ /^UBSan: (.*)/mg;
is(scalar @reports, scalar @expected, 'as many reports as mistakes') or diag explain \@reports;
for my $i (0 .. $#expected) {
	my ($name, $kind, $text) = @{ $expected[$i] };
	like($reports[$i] // '', qr/^$kind at \Q$file\E:$line{$name}: $text/, $name);
}

# Elsewhere than in a test, it is a panic.
$run = Guest::boot(cmdline => 'selftest=ubsan-panic', limit => 60);
Guest::ends_well($run, 'one of them', Guest::PANIC_STATUS);
like($run->{console}, qr/^Kernel panic: UBSan: shift-out-of-bounds at \Q$file\E:$line{'shift-far'}:\d+: /m,
	'a panic with the place') or Guest::show_tail($run);
like($run->{console}, qr/^\s+\w+ (?:shift_far|selftest_ubsan)(?:\.cold)?\+/m, 'and the function in the backtrace');

done_testing;
