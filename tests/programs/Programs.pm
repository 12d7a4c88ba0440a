# SPDX-License-Identifier: MIT
#
# Real programs and what they are given to do, in Tessera and in the reference: the reference's output
# is stored in *.expected beside this file, and is what Tessera's must be, byte for byte.
package Programs;
use strict;
use warnings;
use File::Basename;
use File::Temp;
use Guest;
use Test::More;

our $reference = "$Guest::build/dist/linux/vmlinuz";
my $folder = dirname(__FILE__);

# What each prints: the runner's item, the file that has it, and how the program ends.
our @printing = (
	[ '/programs/exec_damaged', 'damaged', 'exit=0' ],
	[ '/bin/sh+/programs/shell.sh', 'shell', 'exit=17' ],
	[ '/programs/bash+/programs/shell.sh', 'shell', 'exit=17' ],
	[ '/bin/sh+/programs/tree.sh', 'tree', 'exit=0' ],
	[ '/programs/bash+/programs/tree.sh', 'tree', 'exit=0' ],
);
# These print TAP.
our @testing = map { "/programs/threads-$_" } qw(musl glibc);

# The programs that the image has.
sub there {
	my ($item) = @_;
	my ($program) = $item =~ m{^/programs/(\w+)};
	return !defined $program || $program ne 'bash' || -e "$Guest::build/programs.root/programs/bash";
}

# Boots with these of the runner's items; returns what Guest::boot() does.
sub run_in_tessera {
	my ($config, $limit, @items) = @_;
	return Guest::boot(config => $config, limit => $limit, images => [qw(base programs)],
		cmdline => 'quiet leakcheck init=/bin/runner uid=65534 tests=' . join(',', @items));
}

sub run_in_reference {
	my ($limit, @items) = @_;
	return Guest::boot(kernel => $reference, limit => $limit, images => [qw(base programs)],
		cpu => 'max,la57=off', cmdline => 'rdinit=/bin/runner transparent_hugepage=never norandmaps '
			. 'console=ttyS0 quiet panic=-1 uid=65534 tests=' . join(',', @items));
}

# A program's output. What Tessera says of programs that a fault ends isn't theirs.
sub output {
	my ($section) = @_;
	return join '', map { "$_\n" } grep { !/^[^\s\[]+\[\d+\]: (?:cannot (?:read|write|execute) |general protection)/ }
		@{ $section->{lines} };
}

sub expected_file {
	my ($name) = @_;
	return "$folder/$name.expected";
}

# What differs, in diff's words.
sub difference {
	my ($want, $got) = @_;
	my @files = map { my $file = File::Temp->new; print $file $_; close $file; $file } $want, $got;
	return join '', `diff -u --label expected --label printed @files`;
}

# Tests a section's output and its end against what is stored.
sub compare {
	my ($section, $name, $file, $end) = @_;
	my $want = Guest::slurp(expected_file($file));
	my $got = output($section);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($got eq $want && $want ne '', "$name prints what it does in Linux")
		or diag difference($want, $got);
	is($section->{end} // 'never ended', $end, "$name ends as it should");
}

# Tests the sections of a run with the items of @printing and @testing that are given.
sub check_sections {
	my ($name, $run, @items) = @_;
	my %section = map { $_->{name} => $_ } Guest::sections($run);
	for my $item (@items) {
		my $section = $section{$item} // { name => $item, lines => [] };
		my ($printing) = grep { $_->[0] eq $item } @printing;
		my $what = "$name: " . ($item =~ s{\+.*/}{ }r);
		if ($printing) {
			compare($section, $what, @$printing[1, 2]);
		} else {
			Guest::replay($section, $what);
		}
	}
	like($run->{console}, qr/^##done/m, "$name: the runner came to its end");
}

# Skips, with the reason, those that can't be run; returns the others.
sub runnable {
	my @items = @_;
	for (grep { !there($_) } @items) {
		SKIP: { skip "$_: there is no bash-static here (tools/bootstrap test fetches it)", 1; }
	}
	return grep { there($_) } @items;
}

1;
