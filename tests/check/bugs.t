#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The bank of other kernels' bugs: docs/trust.md lists the tests that there are, and each says in its head what
# went wrong.
use strict;
use warnings;
use Test::More;

sub slurp {
	my ($path) = @_;
	open my $fh, '<', $path or die "$path: $!\n";
	local $/;
	return <$fh>;
}

# The tests in the third column of the section's table.
sub documented {
	my ($text) = @_;
	my ($section) = $text =~ /^## The bank of other kernels' bugs\n(.*?)(?=^## |\z)/ms;
	return () unless defined $section;
	return $section =~ /^\| [^|]+ \| [^|]+ \| ((?:test_)?bug_\w+) \| [^|]+ \|$/mg;
}

# What is in only one of two lists, or twice.
sub differences {
	my ($listed, $there) = @_;
	my (%listed, %there, @said);
	$listed{$_}++ for @$listed;
	$there{$_}++ for @$there;
	push @said, map { "$_ is listed and isn't there" } grep { !$there{$_} } sort keys %listed;
	push @said, map { "$_ is there and isn't listed" } grep { !$listed{$_} } sort keys %there;
	push @said, map { "$_ is listed twice" } grep { $listed{$_} > 1 } sort keys %listed;
	return @said;
}

# First the test itself.
my $sample = "## Else\n| a | b | bug_no | c |\n## The bank of other kernels' bugs\n| bug | where | test | x |\n"
	. "| --- | --- | --- | --- |\n| a | b | bug_one | c |\n\n## Next\n| a | b | test_bug_two | c |\n";
is_deeply([ documented($sample) ], ['bug_one'], 'the table of one section is read');
is_deeply([ differences([qw(a b b)], [qw(b c)]) ],
	[ "a is listed and isn't there", "c is there and isn't listed", 'b is listed twice' ],
	'each disagreement is seen');

my @files = (glob('user/tests/bug_*.c'), glob('tests/host/test_bug_*.c'));
my @tests = map { m{([^/]+)\.c$} } @files;
cmp_ok(scalar @tests, '>=', 19, 'there are tests');
my @said = differences([ documented(slurp('docs/trust.md')) ], \@tests);
ok(!@said, 'docs/trust.md and the files agree');
diag $_ for @said;

for my $file (@files) {
	my ($head) = slurp($file) =~ m{\A/\* SPDX[^\n]*\n/\*\n(.*?)\*/}s;
	like($head // '', qr/\A \* Bug: /, "$file: its head tells the bug");
}

done_testing;
