# SPDX-License-Identifier: MIT
#
# Runs /bin/bench as process 1 in QEMU, where one tick of the time stamp counter is one guest
# instruction, and reads what it printed. docs/bench.md says how it measures.
#
#	my $run = Bench::run('tessera');		or 'linux'
#	$run->{value}{'getppid'}			guest instructions; '-' or 'E<errno>'
package Bench;
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../qemu";
use Guest;

my $build = $Guest::build;

# What both kernels run in. Time stands still but for the guest's own instructions, so nothing that
# happens on the host shows in the figures.
my @MACHINE = split ' ', '-accel tcg -cpu qemu64 -smp 1 -m 512M -icount shift=0,sleep=off '
	. '-rtc base=2026-01-01,clock=vm -seed 1 -nic none -display none -monitor none -serial stdio '
	. '-no-reboot -device isa-debug-exit,iobase=0xf4,iosize=0x04';

# Addresses are the same in every boot: where an area lies decides which tables and slots it takes.
my %KERNEL = (
	tessera => [ "$build/release/tessera.elf", 'quiet norandmaps init=/bin/bench' ],
	# Without what Linux does for security's sake or for the sake of other programs.
	linux => [ "$build/dist/linux/vmlinuz", 'rdinit=/bin/bench console=ttyS0 quiet panic=-1 '
		. 'nokaslr norandmaps mitigations=off init_on_alloc=0 cgroup_disable=memory audit=0 '
		. 'apparmor=0 randomize_kstack_offset=off transparent_hugepage=never' ],
);

# run(KERNEL[, LIMIT]): boots it, at most LIMIT (300) seconds. Returns a reference to what
# Guest::run_limited returns, with besides
#	rows	the names of the rows, in order
#	value	name => what was printed for it
#	checks	the instrument: a list of [name, got, expected]
#	problem	why the figures can't be trusted; undef if they can
sub run {
	my ($kernel, $limit) = @_;
	my ($file, $cmdline) = @{ $KERNEL{$kernel} };
	my $run = Guest::run_limited($limit // 300, 'qemu-system-x86_64', @MACHINE, '-kernel', $file,
		'-initrd', "$build/bench.cpio", '-append', $cmdline);
	my $done;
	@$run{qw(rows value checks)} = ([], {}, []);
	for (split /\n/, $run->{console}) {
		if (/^##row\t([^\t]+)\t(\S+)$/) {
			push @{ $run->{rows} }, $1;
			$run->{value}{$1} = $2;
		} elsif (/^##check\t([^\t]+)\t(\d+)\t(\d+)$/) {
			push @{ $run->{checks} }, [ $1, $2, $3 ];
		} elsif (/^##done/) {
			$done = 1;
		}
	}
	$run->{problem} = problem($run, $done);
	return $run;
}

sub problem {
	my ($run, $done) = @_;
	return sprintf 'not done after %.0f s', $run->{seconds} if $run->{late};
	return 'it ended before its last row' if !$done;
	return 'it printed no check of its instrument' if !@{ $run->{checks} };
	for (@{ $run->{checks} }) {
		my ($name, $got, $expected) = @$_;
		return "its instrument is off: $name reads $got, not $expected" if $got != $expected;
	}
	for (@{ $run->{rows} }) {
		return "'$_' failed with $run->{value}{$_}" if $run->{value}{$_} !~ /^(?:\d+|-)$/;
	}
	return undef;
}

# What made the code that was measured: counts of another compiler's code can't be compared.
sub compilers {
	my @names;
	for ([ 'kernel', $ENV{CC} || 'gcc' ], [ 'programs', $ENV{MUSL_CC} || 'musl-gcc' ]) {
		my ($what, $command) = @$_;
		my ($line) = split /\n/, `$command --version 2>/dev/null` // '';
		$line //= "unknown, $command";
		# GCC begins with the name that it was called by, which isn't what it is.
		$line =~ s/^\S*gcc /GCC /;
		push @names, "$what: $line";
	}
	return join '; ', @names;
}

# write_tsv(FILE, COMMENT, [FIELD, ...]...): the file appears when it is complete.
sub write_tsv {
	my ($path, $comment, @lines) = @_;
	open my $fh, '>', "$path.tmp" or die "$path.tmp: $!\n";
	print $fh "# $_\n" for split /\n/, $comment;
	print $fh join("\t", @$_), "\n" for @lines;
	close $fh or die "$path.tmp: $!\n";
	rename "$path.tmp", $path or die "$path: $!\n";
}

1;
