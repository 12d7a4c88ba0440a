#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# docs/locking.md lists every lock: each line of the kernel that initialises one must be in its table.
use strict;
use warnings;
use Test::More;

sub slurp {
	my ($path) = @_;
	open my $fh, '<', $path or die "$path: $!\n";
	local $/;
	return <$fh>;
}

# By file: what stands in the first column of the rows that name it.
my %rows;
for my $line (split /\n/, slurp('docs/locking.md')) {
	my ($names, $files) = $line =~ /^\| ([^|]+) \| [^|]+ \| ([^|]+) \|/ or next;
	push @{ $rows{$_} }, split /, /, $names for split /, /, $files;
}
cmp_ok(scalar(keys %rows), '>=', 20, 'there is a table');

# What the locks are called that a line initialises, as far as it says. Only a field's name: ".lock".
sub names_in {
	my ($line) = @_;
	my @names;
	push @names, $1 =~ s/^&//r while $line =~ /\b(?:spin_lock_init|mutex_init|init_rwsem)\((.+?)\);/g;
	push @names, $1 while $line =~ /\b(?:MUTEX|RWSEM)_INIT\((.+?)\)/g;
	push @names, $1 ? ".$1" : $2 while $line =~ /(?:\.(\w+)|\bspinlock_t (\w+)) = SPINLOCK_INIT/g;
	return @names;
}

# A pointer to a page's table has a name only here.
my %same = ('virt_to_page(table)->ptl' => 'table->ptl');

my $sites = 0;
for my $file (sort grep { !m{^kernel/sync/(?:spinlock|mutex|rwsem|lockdep)\.|/selftest_locks\.c$} }
	split /\n/, `find kernel mm -name '*.[ch]'`) {
	my $nr = 0;
	for my $line (split /\n/, slurp($file)) {
		$nr++;
		for my $name (map { $same{$_} // $_ } names_in($line)) {
			$sites++;
			my @known = @{ $rows{$file} // [] };
			# The last part of a designated name is all that its line tells.
			ok(scalar(grep { $_ eq $name || ($name =~ /^\./ && /\Q$name\E$|->\Q@{[substr $name, 1]}\E$/) } @known),
				"$file:$nr: $name is in the table of docs/locking.md");
		}
	}
}
cmp_ok($sites, '>=', 30, 'locks were found');

done_testing;
