# SPDX-License-Identifier: MIT
#
# Linux's own self-tests in both kernels: boots with them, and what came of each of their subtests.
package Conformance;
use strict;
use warnings;
use File::Basename;
use Guest;

our $reference = "$Guest::build/dist/linux/vmlinuz";
our $image = "$Guest::build/conformance.cpio";
my $folder = dirname(__FILE__);
our $expected_file = "$folder/expected.tsv";

# The same machine for both: four levels of page tables, two processors.
my %machine = (cpu => 'max,la57=off', mem => '2560M', smp => 2, images => [qw(base conformance)]);

# More boots than this one kernel doesn't get: each one that ends early costs a program.
use constant BOOTS => 20;

# Programs with status 0 that say so when they have tested nothing. Some that print TAP's frame don't count.
my $nothing_tested = qr/^(?:Please\ boot\ with\ hugepagesz=|Not\ enough\ huge\ pages|skipping\ )
	| ^running\ PKEY\ tests\ for\ unsupported\ CPU|\A(?!.*\[OK\]).*^Totals:\ pass:0\ fail:0\ /smx;

# The programs in the list, in order: { item, seconds }, or { item, left } with a reason.
sub programs {
	my @programs;
	open my $fh, '<', "$folder/list" or die "$folder/list: $!\n";
	while (<$fh>) {
		push @programs, { item => $2, seconds => $1 } if /^run (\d+) \d+ (\S+)/;
		push @programs, { item => $1, left => $2 } if /^leave (\S+) (.*)/;
	}
	return @programs;
}

sub boot {
	my ($kernel, $from, $limit, $words) = @_;
	my @options = (%machine, limit => $limit);
	return Guest::boot(@options, kernel => $reference,
		cmdline => "rdinit=/conformance/run console=ttyS0 quiet panic=-1 from=$from $words")
		if $kernel eq 'linux';
	return Guest::boot(@options, config => $ENV{CONFIG} || 'debug',
		cmdline => "quiet init=/conformance/run from=$from $words");
}

# By how much the programs' limits are too short now, because this machine has other things to do.
sub slowness {
	my ($load) = Guest::slurp('/proc/loadavg') =~ /^(\d+)/;
	return $load > 16 ? 4 : $load > 4 ? 2 : 1;
}

# What the debug kernel said of itself, and how the machine ended after all programs had run.
sub complaints {
	my ($run) = @_;
	my @said = $run->{console} =~ /^(?:WARNING at |lockdep: ).*$/mg;
	push @said, 'QEMU ended with ' . ($run->{status} // 'a signal')
		if $run->{console} =~ /^##done/m && ($run->{late} || ($run->{status} // 1));
	return @said;
}

# Runs all programs in 'linux' or 'tessera'. Returns a list of the sections, one for each program, and what
# was odd. A program that the kernel doesn't survive has no end; the next boot goes on behind it.
sub run_all {
	my ($kernel, $report) = @_;
	my @items = map { $_->{item} } grep { !$_->{left} } programs();
	my $slow = slowness();
	my $limit = 60;
	$limit += ($_->{seconds} // 0) * $slow for programs();
	my (@sections, @odd);
	for (1 .. BOOTS) {
		my $run = boot($kernel, scalar @sections, $limit, "slow=$slow");
		my @got = Guest::sections($run);
		$report->($kernel, $run);
		push @sections, @got;
		push @odd, map { "$kernel: $_\n" } complaints($run) if $kernel eq 'tessera';
		last if $run->{console} =~ /^##done/m;
		push @odd, "$kernel ended in " . (@got ? $got[-1]{name} : 'its boot') . ":\n"
			. join '', map { "  | $_\n" } last_lines($run);
		last if !@got || @sections >= @items;
	}
	return (\@sections, \@odd);
}

sub last_lines {
	my ($run) = @_;
	my @lines = split /\n/, $run->{console};
	splice @lines, 0, @lines - 20 if @lines > 20;
	return @lines;
}

# A point's name, without what differs from run to run.
sub stable {
	my ($text) = @_;
	$text =~ s/0x[0-9a-f]+/N/gi;
	$text =~ s/\[\d+\]|\b\d{5,}\b/N/g;
	$text =~ s/\s+/ /g;
	return $text =~ s/^[- ]+| +$//gr;
}

# A section's subtests: a list of [ key, result, name ], where result is pass, fail or skip. Points of TAP have
# their number as the key, for some are called differently when they fail. A program that prints no TAP is one
# subtest, "exit"; and so is how one that prints TAP ends. A point whose reason to be skipped stands on a line
# before it, as in kselftest_harness.h, is skipped.
sub subtests {
	my ($section) = @_;
	my (%result, @keys, $skipping, %name);
	for (@{ $section->{lines} }) {
		$skipping = 1 if /^# +SKIP\b/;
		next if !/^(not )?ok\b\s*(\d*)\s*(.*)/;
		my ($bad, $number, $text) = ($1, $2, $3);
		my $skip = $skipping || $text =~ s/#\s*SKIP\b.*//i;
		$skipping = 0;
		my $key = $number ne '' ? $number : @keys + 1;
		# What a child prints once more is the same point; it must be good both times.
		push @keys, $key if !defined $result{$key};
		$name{$key} = stable($text =~ s/^# //r);
		my $got = $bad ? 'fail' : $skip ? 'skip' : 'pass';
		$result{$key} = $got if !defined $result{$key} || $result{$key} eq 'pass';
	}
	my $text = join '', map { "$_\n" } map { s/^# //r } @{ $section->{lines} };
	my $end = $section->{end} // 'lost';
	my $exit = $end eq 'exit=0' ? 'pass' : $end eq 'exit=4' ? 'skip' : 'fail';
	$exit = 'skip' if $exit eq 'pass' && !@keys && $text =~ $nothing_tested;
	return ((map { [ $_, $result{$_}, $name{$_} ] } @keys), [ 'exit', $exit, '' ]);
}

# What is stored: { "program\tkey" => { there, here, reason } }.
sub read_expected {
	my %rows;
	open my $fh, '<', $expected_file or return {};
	while (<$fh>) {
		chomp;
		next if /^#/ || !/\t/;
		my ($program, $subtest, $there, $here, $reason) = split /\t/, $_, 5;
		my ($key) = $subtest =~ /^(\S+)/;
		$rows{"$program\t$key"} = { there => $there, here => $here, reason => $reason // '' };
	}
	return \%rows;
}

1;
