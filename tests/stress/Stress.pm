# SPDX-License-Identifier: MIT
#
# The distribution's stress-ng in both kernels: boots with some of its stressors, and what came of each.
package Stress;
use strict;
use warnings;
use File::Basename;
use Guest;

our $reference = "$Guest::build/dist/linux/vmlinuz";
my $folder = dirname(__FILE__);
our $expected_file = "$folder/expected.tsv";

# The same machine for both: four levels of page tables, two processors.
my %machine = (cpu => 'max,la57=off', mem => '1G', smp => 2, images => [qw(base stress)]);

# Stressors in one boot at most, and the seconds that a boot gets, and each of them: an emulated machine is slow.
use constant { BATCH => 10, BOOT_LIMIT => 60, LIMIT => 100 };

# What expected.tsv has, in its order: { name, options => [...], group, there, here, reason }.
sub stressors {
	my @stressors;
	open my $fh, '<', $expected_file or die "$expected_file: $!\n";
	while (<$fh>) {
		chomp;
		next if /^#/ || !/\t/;
		my ($name, $options, $group, $there, $here, $reason) = split /\t/, $_, 6;
		push @stressors, { name => $name, options => $options eq '-' ? [] : [ split / /, $options ],
			group => $group, there => $there // '', here => $here // '', reason => $reason // '' };
	}
	return @stressors;
}

sub item {
	my ($stressor) = @_;
	return join '+', '/stress/run.sh', $stressor->{name}, @{ $stressor->{options} };
}

# A little program after each stressor: the kernel must still be able to do that.
use constant AFTER => '/bin/hello-musl';

sub boot {
	my ($kernel, @stressors) = @_;
	my %options = (%machine, limit => BOOT_LIMIT + LIMIT * @stressors);
	my $words = ($stressors[0]{group} eq 'root' ? '' : 'uid=65534 ') . 'tests='
		. join ',', map { (item($_), AFTER) } @stressors;
	return Guest::boot(%options, kernel => $reference, cmdline => 'rdinit=/bin/runner transparent_hugepage=never '
		. "console=ttyS0 quiet panic=-1 no_timer_check $words") if $kernel eq 'linux';
	return Guest::boot(%options, config => $ENV{CONFIG} || 'debug',
		cmdline => "quiet leakcheck init=/bin/runner $words");
}

# What a section says: pass; skip, if there was nothing to do; fail; lost, if it had to be ended.
sub verdict {
	my ($section) = @_;
	my $end = $section->{end} // return 'lost';
	my $text = join "\n", @{ $section->{lines} };
	return 'skip' if $text =~ /skipp(?:ed|ing).*stressor|stressor will be skipped|No stress workers invoked/;
	# Its exit status doesn't always tell.
	return 'fail' if $text =~ /^stress-ng: fail:/m;
	return 'lost' if $end =~ /^(?:exit=137|signal=9)$/;
	return $end eq 'exit=0' ? 'pass' : $end eq 'exit=4' ? 'skip' : 'fail';
}

# A stressor's section: { result, ops, lines }.
sub outcome {
	my ($stressor, $section) = @_;
	my ($ops) = map { /metrc: \[\d+\] \Q$stressor->{name}\E +(\d+) / ? $1 : () } @{ $section->{lines} };
	return { result => verdict($section), ops => $ops // '-', lines => $section->{lines} };
}

# What is wrong with a boot as a whole, in words.
sub complaints {
	my ($kernel, $run) = @_;
	# What stress-ng warns of is its own.
	my @wrong = $run->{console} =~ /^(?!stress-ng:).*\b(?:WARNING|PANIC|BUG|deadlock|lockdep|leakcheck: .*missing)\b.*$/mg;
	push @wrong, 'it did not come to its end' if $run->{console} !~ /^##done/m;
	return @wrong if $kernel eq 'linux';
	push @wrong, 'the leak check is not clean'
		if $run->{console} !~ /^leakcheck: init ended with status 0; everything came back$/m;
	push @wrong, 'QEMU ended with ' . ($run->{status} // 'a signal') if $run->{late} || ($run->{status} // 1);
	return @wrong;
}

# Runs one boot's worth. Returns how many of the stressors have had their turn; fills $outcomes by name.
sub run_batch {
	my ($kernel, $outcomes, $report, @stressors) = @_;
	my $run = boot($kernel, @stressors);
	my @sections = Guest::sections($run);
	my $done = 0;
	$report->($run);
	# On a busy machine Linux sometimes doesn't start in the emulator: that says nothing of a stressor.
	if ($kernel eq 'linux' && !@sections) {
		warn "the reference did not start; once more\n";
		$run = boot($kernel, @stressors);
		@sections = Guest::sections($run);
		$report->($run);
	}
	for my $stressor (@stressors) {
		my ($section) = grep { $_->{name} eq item($stressor) } @sections or last;
		$outcomes->{ $stressor->{name} } = outcome($stressor, $section);
		$done++;
	}
	my @after = grep { $_->{name} eq AFTER && ($_->{end} // '') eq 'exit=0' } @sections;
	my @wrong = complaints($kernel, $run);
	push @wrong, 'a little program did not run any more' if @after < $done;
	# With several in one boot the last that ran is the one that is to be looked at.
	if (@wrong && $done) {
		my $last = $outcomes->{ $stressors[$done - 1]{name} };
		$last->{result} = 'fail' if $last->{result} ne 'lost';
		$last->{wrong} = \@wrong;
	}
	return $done || @stressors;
}

# Runs stressors of one group in 'linux' or 'tessera': { name => outcome }. In Tessera those of the first group
# have a boot each, so that all that one leaves behind is its own. Those that the file says are left out here
# aren't run.
sub run_group {
	my ($kernel, $report, @stressors) = @_;
	@stressors = grep { $kernel eq 'linux' || $_->{here} ne 'left' } @stressors;
	my $batch = $kernel eq 'tessera' && @stressors && $stressors[0]{group} eq 'memory' ? 1 : BATCH;
	my %outcomes;
	while (@stressors) {
		my $n = @stressors < $batch ? @stressors : $batch;
		splice @stressors, 0, run_batch($kernel, \%outcomes, $report, @stressors[0 .. $n - 1]);
	}
	return \%outcomes;
}

1;
