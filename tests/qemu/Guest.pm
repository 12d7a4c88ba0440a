# SPDX-License-Identifier: MIT
#
# Boots a kernel in QEMU for a test, with a time limit, and takes apart what it printed.
#
#	my $run = Guest::boot(via => 'pvh', cmdline => 'init=/bin/runner tests=all');
#	Guest::ends_well($run, 'the suite');
#	Guest::replay($_) for Guest::sections($run);
#
# The protocol on the guest's serial line: for each program /bin/runner prints "##begin NAME", the
# program prints its own output, TAP if it is a test, then comes "##end NAME exit=N" or "##end NAME
# signal=N"; "##done" closes the list and the machine powers off. A panic makes QEMU exit with
# PANIC_STATUS; a guest that does neither in time is killed, and the test fails.
package Guest;
use strict;
use warnings;
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

# isa-debug-exit makes of the value v that a panic writes (0x55) the status 2v + 1.
use constant PANIC_STATUS => 171;

# How much of the console to show when something goes wrong.
use constant TAIL_LINES => 40;

our $TODO;
our $build = $ENV{O} || 'build';

# One folder per test file for what its guests need; gone when the test ends.
my $scratch = tempdir('tessera-test.XXXXXX', TMPDIR => 1, CLEANUP => 1);

# boot(OPTION => VALUE, ...):
#	via	'pvh' (default: QEMU starts the ELF file itself), 'bios' or 'uefi' (from an ISO)
#	config	'debug' (default) or 'release'
#	kernel	a file other than that configuration's
#	initrd	a file other than the base image
#	iso	an ISO other than one made for this boot from kernel, initrd and cmdline
#	cmdline	the kernel's command line
#	cpu, mem, smp	QEMU's -cpu (max), -m (512M), -smp (1)
#	limit	seconds after which the guest is killed (60)
#	qemu	reference to a list of further arguments
#
# Returns a reference to a hash:
#	console	all that the guest printed, without carriage returns and terminal codes
#	status	QEMU's exit status; undef if it was killed
#	late	true if the limit was reached
#	seconds	how long it ran
#	errors	what QEMU itself said
sub boot {
	my %o = (via => 'pvh', config => 'debug', cmdline => '', cpu => 'max', mem => '512M', smp => 1,
		limit => 60, qemu => [], @_);
	$o{kernel} //= "$build/$o{config}/tessera.elf";
	$o{initrd} //= "$build/initramfs.cpio";

	my @command = ('qemu-system-x86_64', '-accel', 'tcg', '-cpu', $o{cpu}, '-m', $o{mem},
		'-smp', $o{smp}, '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-no-reboot',
		'-nic', 'none', '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04');
	if ($o{via} eq 'pvh') {
		push @command, '-kernel', $o{kernel}, '-initrd', $o{initrd}, '-append', $o{cmdline};
	} else {
		push @command, '-cdrom', $o{iso} // make_iso(\%o);
		push @command, uefi_firmware() if $o{via} eq 'uefi';
	}
	return run_limited($o{limit}, @command, @{ $o{qemu} });
}

# The ISO carries the kernel without debug information, as the Makefile's does.
sub make_iso {
	my ($o) = @_;
	my ($elf, $iso) = ("$scratch/tessera.elf", "$scratch/tessera.iso");
	system('strip', '-g', '-o', $elf, $o->{kernel}) == 0 or die "strip $o->{kernel} failed\n";
	system('iso/mkiso', $iso, $elf, $o->{initrd}, $o->{cmdline}) == 0 or die "iso/mkiso failed\n";
	return $iso;
}

# OVMF writes its variables, so each boot gets a copy.
sub uefi_firmware {
	for my $size ('_4M', '') {
		my ($code, $vars) = map { "/usr/share/OVMF/OVMF_$_$size.fd" } qw(CODE VARS);
		next unless -e $code;
		copy($vars, "$scratch/vars.fd") or die "$vars: $!\n";
		return ('-drive', "if=pflash,format=raw,readonly=on,file=$code",
			'-drive', "if=pflash,format=raw,file=$scratch/vars.fd");
	}
	die "no OVMF firmware: tools/bootstrap test installs it\n";
}

# run_limited(SECONDS, COMMAND...): what boot() returns, of any command with the console as its output.
sub run_limited {
	my ($limit, @command) = @_;
	my $errors = "$scratch/stderr";
	pipe(my $read, my $write) or die "pipe: $!\n";
	my $start = time;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		# A process group of its own can be killed with all that the command started.
		POSIX::setpgid(0, 0);
		open STDIN, '<', '/dev/null';
		open STDOUT, '>&', $write;
		open STDERR, '>', $errors;
		exec { $command[0] } @command or POSIX::_exit(127);
	}
	close $write;
	# Whoever stops the test stops its guest.
	local @SIG{qw(INT TERM HUP)} = (sub { kill 'KILL', -$pid; exit 1 }) x 3;

	my ($console, $late) = ('', 0);
	while (1) {
		my $left = $start + $limit - time;
		if ($left <= 0) {
			$late = 1;
			last;
		}
		my $ready = '';
		vec($ready, fileno $read, 1) = 1;
		select($ready, undef, undef, $left) > 0 or next;
		sysread($read, $console, 65536, length $console) or last;
	}
	kill 'KILL', -$pid if $late;
	waitpid $pid, 0;
	my $status = $? & 127 ? undef : $? >> 8;

	$console =~ s/\e\[[0-9;?=]*[A-Za-z]//g;
	$console =~ tr/\r\0//d;
	return {
		console => $console, status => $status, late => $late, seconds => time - $start,
		errors => slurp($errors),
	};
}

sub slurp {
	my ($path) = @_;
	open my $fh, '<:raw', $path or return '';
	local $/;
	return <$fh> // '';
}

# Shows the end of the console, as diagnostics of a test that failed.
sub show_tail {
	my ($run) = @_;
	my @lines = split /\n/, $run->{console};
	splice @lines, 0, @lines - TAIL_LINES if @lines > TAIL_LINES;
	diag "the guest's last lines:" if @lines;
	diag "  | $_" for @lines;
	diag "QEMU: $run->{errors}" if $run->{errors};
}

# One test: the guest ended in time, with this status (default 0: it powered off by itself).
sub ends_well {
	my ($run, $name, $want) = @_;
	$want //= 0;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $good = !$run->{late} && defined $run->{status} && $run->{status} == $want;
	ok($good, $want ? "$name: QEMU exits with $want" : "$name: the guest powers off");
	return 1 if $good;
	diag $run->{late} ? sprintf('no end within the limit of %.0f s', $run->{seconds})
		: 'QEMU ended with ' . ($run->{status} // 'a signal')
		. (($run->{status} // 0) == PANIC_STATUS ? ', which means a panic' : '');
	show_tail($run);
	return 0;
}

# What each program printed, in order: a list of { name, lines => [...], end => 'exit=0' }, where end
# is undef for a program that never ended.
sub sections {
	my ($run) = @_;
	my (@sections, $open);
	for (split /\n/, $run->{console}) {
		if (/^##begin (\S+)/) {
			push @sections, $open = { name => $1, lines => [] };
		} elsif ($open && /^##end \Q$open->{name}\E ((?:exit|signal)=\d+)/) {
			$open->{end} = $1;
			$open = undef;
		} elsif ($open) {
			push @{ $open->{lines} }, $_;
		}
	}
	return @sections;
}

# One test: the section's program ended with exit status 0. Its output is shown if not.
sub succeeded {
	my ($section, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $good = is($section->{end} // 'never ended', 'exit=0', $name // "$section->{name} ends");
	diag "  | $_" for $good ? () : @{ $section->{lines} };
	return $good;
}

# Passes a section's TAP on as a subtest: each of its points becomes a point here.
sub replay {
	my ($section, $name) = @_;
	subtest $name // $section->{name} => sub {
		my ($points, $plan, $skip) = (0);
		for (@{ $section->{lines} }) {
			if (/^1\.\.(\d+)(?:\s*#\s*SKIP\b\s*(.*))?/i) {
				fail('the plan comes once') if defined $plan;
				($plan, $skip) = ($1, $2);
			} elsif (/^(not )?ok\b\s*(\d*)\s*-?\s*([^#]*?)\s*(?:#\s*(SKIP|TODO)\b\s*(.*))?$/i) {
				$points++;
				replay_point(!$1, $2, $points, $3, uc($4 // ''), $5);
			} elsif (/^Bail out!/) {
				fail($_);
			} elsif (/\S/) {
				note $_;
			}
		}
		if (!defined $plan) {
			fail('a plan was printed');
		} elsif ($plan == 0 && !$points) {
			pass('skipped: ' . ($skip // 'no reason given'));
		} else {
			is($points, $plan, 'as many points as planned');
		}
		is($section->{end} // 'never ended', 'exit=0', 'exit status');
		if (!Test::More->builder->is_passing) {
			diag "  | $_" for @{ $section->{lines} };
		}
	};
}

sub replay_point {
	my ($good, $number, $count, $name, $directive, $reason) = @_;
	if ($number ne '' && $number != $count) {
		fail("point $number comes as the ${count}th");
	}
	if ($directive eq 'SKIP') {
		SKIP: { skip $reason, 1; }
	} elsif ($directive eq 'TODO') {
		local $TODO = $reason;
		ok($good, $name);
	} else {
		ok($good, $name);
	}
}

# The user tests about what root may do: their sources say "runs as root" among their first lines.
sub root_tests {
	return sort map { m{([^/]+)\.c$} } grep { head($_, 5) =~ m{^/\* runs as root \*/$}m } glob 'user/tests/*.c';
}

sub head {
	my ($path, $lines) = @_;
	return join "\n", (split /\n/, slurp($path))[0 .. $lines - 1];
}

1;
