#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What README.md and docs/*.md name must exist. Of what stands in backquotes in their prose and tables:
#
#	path/file.c, folder/	a file or folder of the tree
#	<arch/name.h>		a header of arch/x86_64/include
#	name()			a function, macro or entry point defined in the tree
#	some_name		an identifier: a word of the sources
#	make TARGET		a target that `make help` lists
#
# Links lead to files, headings of chapters are listed in docs/README.md, and lines have 100 columns.
use strict;
use warnings;
use Test::More;

my @documents = ('README.md', sort glob 'docs/*.md');
# What is built, and what a reader makes, need not be there.
my $elsewhere = qr{^(?:/|build/|\w+/\*)};

sub slurp {
	my ($path) = @_;
	open my $fh, '<:encoding(UTF-8)', $path or die "$path: $!\n";
	local $/;
	return <$fh>;
}

my @sources = split /\n/, `find arch boot iso kernel mm tests tools user Makefile linker.ld -type f`;
my (%defined, %word);
for my $source (grep { !m{^tests/check/(?:docs|abi)\.t$} } @sources) {
	my $text = slurp($source);
	$text =~ s{__attribute__\(\(.*?\)\)\)? ?}{}g;
	$word{$_} = 1 for $text =~ /\b([A-Za-z_]\w*)\b/g;
	# A definition begins its line; a declaration, which ends it with a semicolon, isn't one.
	$defined{$_} = 1 for $text =~ /^\#\s*define\s+(\w+)/mg;
	if ($source =~ /\.[ch]$/) {
		$defined{$_} = 1 for $text =~ /^\w[^\n;={}()]*?\b(\w+)\([^;{}]*\)\s*\{/mg;
		# Names that a macro puts together: pte##_name of lvl##_name.
		my @parts = $text =~ /\blvl##(_\w+)\(/g;
		for my $level (qw(pmd pud pgd)) {
			$defined{"$level$_"} = 1 for @parts;
		}
	} elsif ($source =~ /\.S$/) {
		$defined{$_} = 1 for $text =~ /^(\w+):/mg;
	} elsif ($source =~ /\.(?:pm|t)$/) {
		$defined{$_} = 1 for $text =~ /^sub (\w+)/mg;
	}
}
my %target = map { $_ => 1 } slurp('Makefile') =~ /^([a-z-]+):.*## /mg;

# What is wrong with one thing in backquotes, or undef.
sub objection {
	my ($thing) = @_;
	return undef if $thing =~ $elsewhere;
	if ($thing =~ /^make (.+)/) {
		my ($name) = grep { !/=/ } split ' ', $1;
		return !defined $name || $target{$name} ? undef : 'no such target';
	}
	if ($thing =~ m{^<(arch/[\w/.]+)>$}) {
		return -e "arch/x86_64/include/$1" ? undef : 'no such header';
	}
	if ($thing =~ m{^[\w./-]+/[\w./*-]*$} || $thing =~ /^[\w-]+\.(?:[chSt]|pm|md|ld)$/) {
		return (grep { -e } glob $thing) ? undef : 'no such file';
	}
	if ($thing =~ /^(\w+)\([^()]*\)$/) {
		return $defined{$1} ? undef : 'no such function';
	}
	if ($thing =~ /^[A-Za-z]\w*$/ && $thing =~ /_/) {
		return $word{$thing} ? undef : 'no such name';
	}
	return undef;
}

# Everything that is wrong in a document's text: a list of complaints.
sub complaints {
	my ($text) = @_;
	my ($line, $fenced, @said) = (0, 0);
	for (split /\n/, $text) {
		$line++;
		push @said, "line $line: " . length($_) . ' columns' if length($_) > 100;
		$fenced = !$fenced if /^```/;
		next if $fenced || /^```/ || /^    /;
		for my $thing (/`([^`]+)`/g) {
			my $why = objection($thing) // next;
			push @said, "line $line: $thing: $why";
		}
		for my $path (/\]\(([^)#:]+)\)/g) {
			push @said, "line $line: link to $path: no such file" unless -e $path || -e "docs/$path";
		}
	}
	return @said;
}

# First the test itself.
is_deeply([ complaints("See `mm/fault.c`, `mm/`, `<arch/mmu.h>`, `find_vma()`, `vm_next`, `make test`,"
		. "\n[this](design.md) and `*p = 1`.\n") ], [], 'what exists is fine');
for my $case ([ '`mm/nothing.c`', 'file' ], [ '`nothing.t`', 'file' ], [ '`<arch/nothing.h>`', 'header' ],
	[ '`find_nothing()`', 'function' ], [ '`vm_nothing`', 'name' ], [ '`make nothing`', 'target' ],
	[ '[x](nothing.md)', 'file' ], [ 'x' x 101, 'columns' ]) {
	my ($text, $word) = @$case;
	like(join('', complaints($text)), qr/\b\Q$word\E$/, substr($text, 0, 20) . ' is seen');
}

for my $document (@documents) {
	my @said = complaints(slurp($document));
	ok(!@said, "$document names what exists");
	diag "$document: $_" for @said;
}

my $index = slurp('docs/README.md');
for my $chapter (grep { $_ ne 'docs/README.md' } glob 'docs/*.md') {
	my ($name) = $chapter =~ m{([^/]+)$};
	like($index, qr/\]\(\Q$name\E\)/, "$chapter is in the list of chapters");
}

# The glossary: English, Chinese, the file, a sentence; and no file of mm/ without a term.
my $glossary = slurp('docs/glossary.md');
my @entries = $glossary =~ /^(\*\*.*?)(?=\n\n|\z)/msg;
my @malformed = grep { !/^\*\*[\w ,()+-]+\*\* [^(]*\p{Han}[^(]*\(`[\w.\/-]+`\):\s.*\w.*\p{Han}/s } @entries;
ok(@entries > 50 && !@malformed, 'each entry of the glossary has its parts') or diag $_ for @malformed;
my %no_idea = map { $_ => 1 } qw(init.c show.c vmstat.c smaps.c msync.c);
my @untold = grep { !$no_idea{ s{.*/}{}r } && index($glossary, "(`$_`)") < 0 } glob 'mm/*.c';
is("@untold", '', 'the glossary has a term of each file of mm/');

done_testing;
