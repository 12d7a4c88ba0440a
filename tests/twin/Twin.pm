# SPDX-License-Identifier: MIT
#
# Runs /bin/twin in Tessera and in the reference, and finds where their texts part.
package Twin;
use strict;
use warnings;
use Digest::SHA;
use Guest;
use POSIX ();
use Storable ();

our $reference = "$Guest::build/dist/linux/vmlinuz";

# What both need: no protection keys, with which Linux makes memory that can only be executed.
my @machine = (cpu => 'max,la57=off,pku=off');

# Each kernel's options for Guest::boot, and what its command line has before the runner's words.
my %kernels = (
	tessera => [ [ config => $ENV{CONFIG} || 'debug' ], 'quiet norandmaps init=/bin/runner' ],
	linux => [
		[ kernel => $reference ],
		'rdinit=/bin/runner transparent_hugepage=never norandmaps no_timer_check console=ttyS0 quiet panic=-1',
	],
);

# run(KERNEL, LIMIT, ITEM...): boots with these of the runner's items; returns what boot() does.
sub run {
	my ($kernel, $limit, @items) = @_;
	my ($options, $words) = @{ $kernels{$kernel} };
	return Guest::boot(@machine, @$options, limit => $limit,
		cmdline => "$words uid=65534 tests=" . join(',', @items));
}

# item(OPTION..., FIRST, COUNT, OPS) for run().
sub item {
	return join '+', '/bin/twin', @_;
}

# run_halves(KERNEL, LIMIT, FIRST, COUNT, OPS): these seeds in two guests at the same time, half of them in
# each. Both runs.
sub run_halves {
	my ($kernel, $limit, $first, $count, $ops) = @_;
	my $half = int $count / 2;
	my $pid = open(my $from, '-|') // die "fork: $!\n";
	if (!$pid) {
		Storable::store_fd(run($kernel, $limit, item($first, $half, $ops)), \*STDOUT);
		close STDOUT;
		POSIX::_exit(0);
	}
	my $second = run($kernel, $limit, item($first + $half, $count - $half, $ops));
	my $run = Storable::fd_retrieve($from);
	close $from;
	return ($run, $second);
}

# The seconds that a run may take: forty times what it usually does, for a busy machine, and a boot.
sub limit_for {
	my ($seeds, $ops) = @_;
	return 120 + $seeds * $ops / 30;
}

# What runs printed: { seeds => { N => hash }, counts => { call => { result => number } } }.
sub results {
	my %got = (seeds => {}, counts => {});
	for (map { split /\n/, $_->{console} } @_) {
		$got{seeds}{$1} = $2 if /^seed (\d+) ([0-9a-f]{16})$/;
		if (/^count (\S+)(.*)/) {
			my ($call, $rest) = ($1, $2);
			$got{counts}{$call}{$1} += $2 while $rest =~ /(\w+):(\d+)/g;
		}
	}
	return \%got;
}

# The lines of a text that was printed with -t, of the item that is the run's nth.
sub text {
	my ($run, $n) = @_;
	my @sections = Guest::sections($run);
	return @{ $sections[$n]{lines} // [] } if $sections[$n];
	return ();
}

# parting(SEED, OPS, FLAGS): runs one seed in both kernels with its text. Returns nothing when the
# texts are equal, else (number of the first operation that differs, explanation).
sub parting {
	my ($seed, $ops, @flags) = @_;
	my %lines = map { $_ => [ text(run($_, limit_for(1, $ops), item('-t', @flags, $seed, 1, $ops)), 0) ] }
		qw(linux tessera);
	my ($linux, $tessera) = @lines{qw(linux tessera)};
	my $at = 0;
	$at++ while $at < @$linux && $at < @$tessera && $linux->[$at] eq $tessera->[$at];
	return if $at == @$linux && $at == @$tessera && @$linux;
	# A child's operation ("12.3 ...") stands for its parent's last one: with it the child can be seen
	# to its end. Or all operations agree, and what is compared once at the end doesn't.
	my $bad = $ops;
	$bad = grep { defined && /^\d+ / } @$linux[0 .. $at] if ($linux->[$at] // '') =~ /^[\d.]+ /;
	return explain($seed, $bad, $ops, \@flags, $at, $linux, $tessera);
}

# The text of the shortest prefix that fails: the last operations, both results, and what the areas
# and pages were before and are after.
sub explain {
	my ($seed, $bad, $ops, $flags, $at, $linux, $tessera) = @_;
	my @why = ("seed $seed: the kernels part at operation $bad; the operations before it:");
	my $from = $at > 12 ? $at - 12 : 0;
	push @why, map { "    $_" } @$linux[$from .. $at - 1];
	push @why, '  linux:   ' . ($linux->[$at] // 'nothing'), '  tessera: ' . ($tessera->[$at] // 'nothing');
	my %dump;
	for my $kernel (qw(linux tessera)) {
		my $run = run($kernel, limit_for(1, $ops), item('-t', '-d', @$flags, $seed, 1, $bad - 1),
			item('-t', '-d', @$flags, $seed, 1, $bad));
		$dump{$kernel} = [ map { [ grep { /^  / } text($run, $_) ] } 0, 1 ];
		push @why, "  $kernel ended badly:", map { "    $_" } last_lines($run)
			if $run->{console} !~ /^##done/m;
	}
	push @why, '  before it:', around_changes(marked_diff($dump{linux}[0], $dump{tessera}[0]));
	push @why, '  after it (- linux, + tessera):',
		around_changes(marked_diff($dump{linux}[1], $dump{tessera}[1]));
	push @why, "  again: make twin START=$seed SEEDS=1 OPS=$bad";
	return ($bad, @why);
}

sub last_lines {
	my ($run) = @_;
	my @lines = split /\n/, $run->{console};
	splice @lines, 0, @lines - 25 if @lines > 25;
	return @lines;
}

# Two lists of lines as one: common lines plain, "-" Linux's alone, "+" Tessera's alone. Lines that
# both have are matched in order, greedily: the dumps are sorted by address.
sub marked_diff {
	my ($a, $b) = @_;
	my @out;
	my ($i, $k) = (0, 0);
	while ($i < @$a || $k < @$b) {
		if ($i < @$a && $k < @$b && $a->[$i] eq $b->[$k]) {
			push @out, "      $a->[$i]";
			($i, $k) = ($i + 1, $k + 1);
			next;
		}
		my ($in_a) = $k < @$b ? grep { $a->[$_] eq $b->[$k] } $i .. $#$a : ();
		my ($in_b) = $i < @$a ? grep { $b->[$_] eq $a->[$i] } $k .. $#$b : ();
		if ($i < @$a && (!defined $in_b || $k >= @$b)) {
			push @out, "    - $a->[$i++]";
		} elsif ($k < @$b && (!defined $in_a || $i >= @$a)) {
			push @out, "    + $b->[$k++]";
		} else {
			push @out, "    - $a->[$i++]";
		}
	}
	return @out;
}

# Of such a list the lines that differ and two around each.
sub around_changes {
	my (@lines) = @_;
	my %keep;
	for my $i (grep { $lines[$_] =~ /^    [-+]/ } 0 .. $#lines) {
		$keep{$_} = 1 for $i - 2 .. $i + 2;
	}
	my @out;
	for my $i (0 .. $#lines) {
		push @out, $lines[$i] if $keep{$i};
		push @out, '      ...' if $keep{$i} && !$keep{ $i + 1 } && $i < $#lines;
	}
	return @out ? @out : '      no difference in ' . @lines . ' lines';
}

# --- what the reference said ---------------------------------------------------------------------

our $expected_file = 'tests/twin/expected.tsv';

# The program's text decides the hashes: they hold for one state of its sources.
sub sources_digest {
	my $sha = Digest::SHA->new(1);
	$sha->addfile($_) for sort(glob 'user/twin*.[ch]'), 'user/common.h';
	return $sha->hexdigest;
}

# { sources => digest, ops => N, seeds => { N => hash } }
sub expected {
	my %expected = (seeds => {});
	for (split /\n/, Guest::slurp($expected_file)) {
		$expected{$1} = $2 if /^# (sources|ops) (\S+)/;
		$expected{seeds}{$1} = $2 if /^(\d+)\t([0-9a-f]{16})$/;
	}
	return \%expected;
}

# Seeds that are known to part, with the operation at which they do and the reason.
sub known {
	my %known;
	for (split /\n/, Guest::slurp('tests/twin/known.txt')) {
		$known{$1} = { op => $2, reason => $3 } if /^(\d+)\s+(\d+)\s+(\S.*)/;
	}
	return \%known;
}

1;
