#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Holds the tables of docs/abi.md against the source: nothing is missing in either. The
# entries are in backquotes in a table's first column; which tables belong together says the heading (##).
use strict;
use warnings;
use Test::More;

sub slurp {
	my ($path) = @_;
	open my $fh, '<', $path or die "$path: $!\n";
	local $/;
	return <$fh>;
}

# The entries of the tables under the level-2 headings: heading => [names in order].
sub tables {
	my ($text) = @_;
	my (%tables, $heading);
	for (split /\n/, $text) {
		$heading = $1 if /^## (.*)/;
		next unless defined $heading && /^\| (`[^|]+`) \|/;
		push @{ $tables{$heading} }, $1 =~ /`([^`]+)`/g;
	}
	return %tables;
}

# What of two lists is in only one of them, or twice: a list of complaints.
sub differences {
	my ($documented, $real) = @_;
	my (%documented, %real, @said);
	$documented{$_}++ for @$documented;
	$real{$_}++ for @$real;
	push @said, map { "$_ is documented and doesn't exist" } grep { !$real{$_} } sort keys %documented;
	push @said, map { "$_ exists and isn't documented" } grep { !$documented{$_} } sort keys %real;
	push @said, map { "$_ is documented twice" } grep { $documented{$_} > 1 && $real{$_} } sort keys %documented;
	return @said;
}

sub agree {
	my ($name, $documented, $real) = @_;
	cmp_ok(scalar @$real, '>', 3, "$name: the source was understood");
	my @said = differences($documented // [], $real);
	ok(!@said, "$name: table and source agree");
	diag "$name: $_" for @said;
}

# First the test itself: each kind of disagreement is seen.
is_deeply([ differences([qw(a b)], [qw(b a)]) ], [], 'the same entries in another order are fine');
is_deeply([ differences(['a'], [qw(a b)]) ], [ 'b exists and isn\'t documented' ], 'a missing line is seen');
is_deeply([ differences([qw(a b)], ['a']) ], [ 'b is documented and doesn\'t exist' ], 'a line too many is seen');
is_deeply([ differences([qw(a a)], ['a']) ], [ 'a is documented twice' ], 'a line twice is seen');

my %tables = tables(slurp('docs/abi.md'));

agree('System calls', $tables{'System calls'},
	[ slurp('kernel/syscall/table.h') =~ /^SYSCALL\(\d+, (\w+),/mg ]);

agree('Flags of mmap', $tables{'Flags of mmap'},
	[ grep { $_ ne 'MAP_TYPE' } slurp('kernel/abi/mman.h') =~ /^#define ((?:PROT|MAP)_\w+)/mg ]);

agree('Advice of madvise', $tables{'Advice of madvise'},
	[ slurp('kernel/abi/mman.h') =~ /^#define (MADV_\w+)/mg ]);

# What the kernel asks its command line for; words for programs have a table of their own form.
my %asked;
for my $source (glob('boot/*.c kernel/*/*.c arch/x86_64/*/*.c mm/*.c')) {
	$asked{$_} = 1 for slurp($source) =~ /\bcmdline_(?:get|has)\("([^"]+)"/g;
}
agree('Kernel command line', [ grep { !/=/ } @{ $tables{'Kernel command line'} } ], [ sort keys %asked ]);

# A name may be in both directories of /proc: each counts as often as it is there.
my (%proc, %documented);
my $sources = join '', map { slurp($_) } glob 'kernel/fs/proc*.c';
for my $entries ($sources =~ /^const struct proc_entry proc_\w+_entries\[\] = \{(.*?)^\};/msg) {
	$proc{$_}++ for $entries =~ /\.name = "([^"]+)"/g;
}
$documented{$_}++ for @{ $tables{'Files of /proc'} };
agree('Files of /proc', [ map { "$_ x$documented{$_}" } sort keys %documented ],
	[ map { "$_ x$proc{$_}" } sort keys %proc ]);

done_testing;
