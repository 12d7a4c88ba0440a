#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The reasons of faults: mm/fault_steps.h, its own grammar of paths, and the table of docs/page-fault.md
# have the same steps, and no sentence of theirs stands anywhere else in the kernel.
use strict;
use warnings;
use Test::More;

sub slurp {
	my ($path) = @_;
	open my $fh, '<', $path or die "$path: $!\n";
	local $/;
	return <$fh>;
}

my $header = slurp('mm/fault_steps.h');
my @steps = $header =~ /FAULT_STEP\((\w+, "[^"]*")\)/g;
my %sentence = map { /^(\w+), "(.*)"$/ } @steps;
cmp_ok(scalar @steps, '>', 50, 'the table of steps was found');
is(scalar keys %sentence, scalar @steps, 'no name is there twice');
my %names;
push @{ $names{ $sentence{$_} } }, $_ for keys %sentence;
is(join(' ', map { "@$_" } grep { @$_ > 1 } values %names), '', 'no sentence is there twice');
is(join(' ', grep { $sentence{$_} !~ /^[a-z].*[^.]$/i } sort keys %sentence), '', 'each is without a full stop');

# The grammar is the comment before the table; terminals are in capitals.
my ($grammar) = $header =~ m{^(.*?)^#define FAULT_STEPS}ms;
my %used = map { $_ => 1 } $grammar =~ /\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)\b/g;
is(join(' ', grep { !$used{$_} } sort keys %sentence), '', 'the grammar says where each step may be');

my @documented = slurp('docs/page-fault.md') =~ /^\| `([A-Z]\w+)` \| (.+) \|$/mg;
my %documented;
while (my ($name, $text) = splice @documented, 0, 2) {
	$documented{$name} = $text if $name !~ /^FAULT_/;
}
is_deeply(\%documented, \%sentence, 'docs/page-fault.md has the same table');

my %copies;
for my $source (grep { $_ ne 'mm/fault_steps.h' } split /\n/, `find arch kernel mm -name '*.[ch]'`) {
	my $text = slurp($source);
	for my $name (keys %sentence) {
		$copies{"$source: $name"} = 1 if index($text, qq("$sentence{$name}")) >= 0;
	}
}
is(join(', ', sort keys %copies), '', 'no other copy of a sentence in the kernel');

done_testing;
