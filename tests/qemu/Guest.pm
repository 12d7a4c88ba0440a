# SPDX-License-Identifier: MIT
#
# Boots a kernel in QEMU for a test, with a time limit, and takes apart what it printed.
#
#	my $run = Guest::boot(via => 'pvh', cmdline => 'init=/bin/runner tests=all');
#	Guest::ends_well($run, 'the suite');
#	Guest::replay($_) for Guest::sections($run);
#
# Or talks to it while it runs:
#
#	my $guest = Guest->start(cmdline => 'init=/init');
#	$guest->wait_for(qr/> \z/);
#	$guest->send("maps\n");
#	my $run = $guest->finish;
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
use IO::Socket::UNIX;
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

# isa-debug-exit makes of the value v that a panic writes (0x55) the status 2v + 1.
use constant PANIC_STATUS => 171;
# And of 0x56, which boot.S writes when the processor is not one the kernel can run on.
use constant REFUSED_STATUS => 173;

# How much of the console to show when something goes wrong.
use constant TAIL_LINES => 40;

our $TODO;
our $build = $ENV{O} || 'build';

# Who asks for the debug kernel gets that of `make KASAN=1`, under which all takes longer.
our $debug = $ENV{KASAN} ? 'kasan' : 'debug';
our $patience = $ENV{KASAN} ? 4 : 1;

# One folder per test file for what its guests need; gone when the test ends.
our $scratch = tempdir('tessera-test.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $launched = 0;

# The guests that run now: whoever stops the test stops them, and a test that dies as well.
my %running;
$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
END {
	my $status = $?;
	kill 'KILL', map { -$_ } keys %running;
	$? = $status;
}

# boot(OPTION => VALUE, ...):
#	via	'pvh' (default: QEMU starts the ELF file itself), 'bios' or 'uefi' (from an ISO)
#	config	'debug' (default) or 'release'
#	kernel	a file other than that configuration's
#	images	what the initial file system is made of: [ 'base' ] (default), or with 'tests' or
#		'programs' behind it
#	initrd	a file to take instead; '' for none (by PVH)
#	iso	an ISO other than one made for this boot from kernel, images or initrd, and cmdline
#	cmdline	the kernel's command line
#	cpu, mem, smp	QEMU's -cpu (max), -m (512M), -smp (1)
#	limit	seconds after which the guest is killed (60)
#	serial	where its console goes: QEMU's -serial ('stdio')
#	qemu	reference to a list of further arguments
#
# Returns a reference to a hash:
#	console	all that the guest printed, without carriage returns and terminal codes
#	status	QEMU's exit status; undef if it was killed
#	late	true if the limit was reached
#	seconds	how long it ran
#	errors	what QEMU itself said
sub boot {
	my ($limit, @command) = command(@_);
	return run_limited($limit, @command, '-monitor', 'none');
}

# Guest->start(OPTION => VALUE, ...), with boot's options: a guest that is talked to.
sub start {
	my ($class, %o) = @_;
	my $monitor = "$scratch/monitor";
	unlink $monitor;
	my ($limit, @command) = command(%o);
	return $class->launch($limit, @command, '-monitor', "unix:$monitor,server=on,wait=off");
}

# The time limit and the command that boot's options stand for.
sub command {
	my %o = (via => 'pvh', config => 'debug', cmdline => '', cpu => 'max', mem => '512M', smp => 1,
		limit => 60, serial => 'stdio', qemu => [], @_);
	$o{kernel} //= "$build/" . ($o{config} eq 'debug' ? $debug : $o{config}) . '/tessera.elf';
	my @images = defined $o{initrd} ? $o{initrd} : map { "$build/$_.cpio" } @{ $o{images} // [ 'base' ] };

	my @command = ('qemu-system-x86_64', '-accel', 'tcg', '-cpu', $o{cpu}, '-m', $o{mem},
		'-smp', $o{smp}, '-display', 'none', '-serial', $o{serial}, '-no-reboot', '-nic', 'none',
		'-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04');
	if ($o{via} eq 'pvh') {
		push @command, '-kernel', $o{kernel}, '-append', $o{cmdline};
		push @command, '-initrd', @images == 1 ? @images : joined(@images) if "@images" ne '';
	} else {
		push @command, '-cdrom', $o{iso} // make_iso(\%o, @images);
		push @command, uefi_firmware() if $o{via} eq 'uefi';
	}
	return ($o{limit}, @command, @{ $o{qemu} });
}

# QEMU hands over one file; archives that follow each other in it are one file system.
sub joined {
	my (@images) = @_;
	my $all = "$scratch/initramfs.cpio";
	open my $fh, '>:raw', $all or die "$all: $!\n";
	print $fh slurp($_) for @images;
	close $fh or die "$all: $!\n";
	return $all;
}

# The ISO carries the kernel without debug information, as the Makefile's does.
sub make_iso {
	my ($o, @images) = @_;
	my ($elf, $iso) = ("$scratch/tessera.elf", "$scratch/tessera.iso");
	system('strip', '-g', '-o', $elf, $o->{kernel}) == 0 or die "strip $o->{kernel} failed\n";
	system('iso/mkiso', $iso, $elf, "@images", $o->{cmdline}) == 0 or die "iso/mkiso failed\n";
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
	return __PACKAGE__->launch(@_)->finish;
}

# Starts a command whose input and output are the console.
sub launch {
	my ($class, $limit, @command) = @_;
	$limit *= $patience;
	my $errors = "$scratch/stderr" . ++$launched;
	pipe(my $output, my $guest_output) or die "pipe: $!\n";
	pipe(my $guest_input, my $input) or die "pipe: $!\n";
	my $start = time;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		# A process group of its own can be killed with all that the command started.
		POSIX::setpgid(0, 0);
		open STDIN, '<&', $guest_input;
		open STDOUT, '>&', $guest_output;
		open STDERR, '>', $errors;
		close $_ for $input, $output;
		exec { $command[0] } @command or POSIX::_exit(127);
	}
	$running{$pid} = 1;
	close $_ for $guest_input, $guest_output;
	return bless {
		pid => $pid, start => $start, limit => $limit, late => 0, errors => $errors,
		input => $input, output => $output, raw => '', seen => 0,
	}, $class;
}

# Waits until the given time for output. False at its end or when the time has come.
sub receive {
	my ($self, $until) = @_;
	my $left = $until - time;
	return 0 if $left <= 0;
	my $ready = '';
	vec($ready, fileno $self->{output}, 1) = 1;
	return 1 if select($ready, undef, undef, $left) <= 0;
	return sysread $self->{output}, $self->{raw}, 65536, length $self->{raw};
}

# What was printed from that place on, without what only moves a terminal's cursor. A question where
# the cursor is stays as the character ENQ.
sub enquired {
	my ($self, $from) = @_;
	my $text = substr $self->{raw}, $from;
	$text =~ s/\e\[6n/\x05/g;
	$text =~ s/\e\[[0-9;?=]*[A-Za-z]//g;
	$text =~ tr/\r\0//d;
	return $text;
}

sub clean {
	return enquired(@_) =~ tr/\x05//dr;
}

# Waits for text that wasn't waited for before. Returns all that came up to now, or undef when the
# guest ended or its time is over without it.
sub wait_for {
	my ($self, $pattern) = @_;
	while (1) {
		my $text = $self->enquired($self->{seen});
		if ($text =~ $pattern) {
			$self->{seen} = length $self->{raw};
			return $text =~ tr/\x05//dr;
		}
		last if !$self->receive($self->{start} + $self->{limit});
	}
	diag "the guest didn't print what matches $pattern";
	show_tail({ console => $self->clean(0), errors => slurp($self->{errors}) });
	return undef;
}

# What init's shell prints when it waits for a line. Then it asks the terminal where the cursor is,
# which it doesn't when it only shows a line once more that is being edited.
our $prompt_text = qr/tessera:\S+# \z/;
our $prompt = qr/tessera:\S+# \x05\z/;

# Waits for the shell's prompt. What was printed meanwhile, without that and without the line just typed.
sub answer {
	my ($self) = @_;
	my $text = $self->wait_for($prompt) // die "no prompt\n";
	return $text =~ s/\A[^\n]*\n//r =~ s/$prompt_text//r;
}

# What a line typed at the shell makes it print.
sub ask {
	my ($self, $line) = @_;
	$self->send("$line\n");
	return $self->answer;
}

# Types on the serial line.
sub send {
	my ($self, $text) = @_;
	local $SIG{PIPE} = 'IGNORE';
	my $done = 0;
	while ($done < length $text) {
		my $n = syswrite $self->{input}, $text, length($text) - $done, $done;
		return if !defined $n;
		$done += $n;
	}
}

# Gives a command to QEMU's monitor; returns what it answers.
sub monitor {
	my ($self, $command) = @_;
	if (!$self->{monitor}) {
		$self->{monitor} = IO::Socket::UNIX->new("$scratch/monitor") or die "QEMU's monitor: $!\n";
		$self->monitor_answer;
	}
	$self->{monitor}->syswrite("$command\n");
	# It shows the command as it is typed, key by key.
	return $self->monitor_answer =~ s/\A.*?\n//sr;
}

sub monitor_answer {
	my ($self) = @_;
	my $answer = '';
	while ($answer !~ /^\(qemu\) \z/m) {
		my $ready = '';
		vec($ready, fileno $self->{monitor}, 1) = 1;
		my $left = $self->{start} + $self->{limit} - time;
		select($ready, undef, undef, $left > 0 ? $left : 0) > 0 or die "QEMU's monitor is silent\n";
		$self->{monitor}->sysread($answer, 65536, length $answer) or die "QEMU's monitor is gone\n";
		$answer =~ s/\e\[[0-9;?=]*[A-Za-z]//g;
		$answer =~ tr/\r//d;
	}
	return $answer =~ s/\(qemu\) \z//r;
}

# A picture of the screen: width, height, and a list of its lines of 3 bytes a pixel.
sub screenshot {
	my ($self) = @_;
	my $file = File::Temp->new(SUFFIX => '.ppm');
	$self->monitor("screendump $file");
	my ($w, $h, $pixels) = slurp("$file") =~ /\AP6\n(\d+) (\d+)\n255\n(.*)\z/s;
	return ($w // 0, $h // 0, [ unpack '(a' . 3 * ($w // 0) . ')*', $pixels // '' ]);
}

# Names that QEMU has for the keys of a US keyboard.
my %keys = (
	"\n" => 'ret', ' ' => 'spc', "\t" => 'tab', "\x7f" => 'backspace', '/' => 'slash', '-' => 'minus',
	'.' => 'dot', ',' => 'comma', '=' => 'equal', ';' => 'semicolon', "'" => 'apostrophe',
	'`' => 'grave_accent', '[' => 'bracket_left', ']' => 'bracket_right', '\\' => 'backslash',
	'_' => 'shift-minus', '+' => 'shift-equal', '?' => 'shift-slash', ':' => 'shift-semicolon',
	'>' => 'shift-dot', '<' => 'shift-comma', '"' => 'shift-apostrophe', '~' => 'shift-grave_accent',
	'{' => 'shift-bracket_left', '}' => 'shift-bracket_right', '|' => 'shift-backslash',
	(map { substr(')!@#$%^&*(', $_, 1) => "shift-$_" } 0 .. 9),
	(map { $_ => $_ } 'a' .. 'z', 0 .. 9),
	(map { uc $_ => "shift-$_" } 'a' .. 'z'),
	(map { chr($_) => 'ctrl-' . chr($_ + 96) } 1 .. 8, 11 .. 26),
);

# Types on the keyboard: text, or by { } the name of a key, as in "{caps_lock}a" or "{alt-x}". A keyboard stores
# few keys that nobody fetches: so the echo of each character is waited for.
sub type {
	my ($self, $text) = @_;
	for ($text =~ /\{\w[\w-]*\}|./sg) {
		my $named = /\A\{(\w[\w-]*)\}\z/;
		my $key = $named ? $1 : $keys{$_} // die "no key for $_\n";
		my $before = length $self->{raw};
		$self->monitor("sendkey $key 5");
		next if $named;
		1 while length $self->{raw} == $before && $self->receive($self->{start} + $self->{limit});
	}
}

# Waits until the guest ends, kills it when its time is over, and returns what boot() does.
sub finish {
	my ($self) = @_;
	close $self->{input};
	while ($self->receive($self->{start} + $self->{limit})) { }
	$self->{late} = time >= $self->{start} + $self->{limit};
	return $self->reap;
}

# Ends a guest that won't end by itself; returns what boot() does.
sub stop {
	my ($self) = @_;
	kill 'KILL', -$self->{pid};
	return $self->finish;
}

sub reap {
	my ($self) = @_;
	kill 'KILL', -$self->{pid} if $self->{late};
	waitpid $self->{pid}, 0;
	my $status = $? & 127 ? undef : $? >> 8;
	delete $running{ $self->{pid} };
	return {
		console => $self->clean(0), status => $status, late => $self->{late},
		seconds => time - $self->{start}, errors => slurp($self->{errors}),
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

# Passes a section's TAP on as a subtest: each of its points becomes a point here. Points whose name
# matches $excuse->{points} may fail; they are then skipped for $excuse->{reason}.
sub replay {
	my ($section, $name, $excuse) = @_;
	subtest $name // $section->{name} => sub {
		my ($points, $plan, $skip, $excused) = (0);
		for (@{ $section->{lines} }) {
			if (/^1\.\.(\d+)(?:\s*#\s*SKIP\b\s*(.*))?/i) {
				fail('the plan comes once') if defined $plan;
				($plan, $skip) = ($1, $2);
			} elsif (/^(not )?ok\b\s*(\d*)\s*-?\s*([^#]*?)\s*(?:#\s*(SKIP|TODO)\b\s*(.*))?$/i) {
				my ($bad, $number, $what, $directive, $reason) = ($1, $2, $3, uc($4 // ''), $5);
				if ($bad && $excuse && $what =~ $excuse->{points}) {
					($directive, $reason, $excused) = ('SKIP', $excuse->{reason}, 1);
				}
				replay_point(!$bad, $number, ++$points, $what, $directive, $reason);
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
		is($section->{end} // 'never ended', $excused ? 'exit=1' : 'exit=0', 'exit status');
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

# run_tests(NAME, [ TEST, ... ], WORDS, OPTION => VALUE, ...): boots with these user tests, as WORDS on
# the command line ask for them, and passes their points on. Nothing that they used may stay away, and
# the kernel may not report anything.
sub run_tests {
	my ($name, $expected, $words, %boot) = @_;
	my $run = boot(images => [qw(base tests)], cmdline => "quiet leakcheck init=/bin/runner $words", %boot);
	my @sections = sections($run);
	is(join(' ', sort map { $_->{name} =~ s{.*/}{}r } @sections), join(' ', sort @$expected),
		"$name: all programs ran");
	replay($_, "$name: $_->{name}") for @sections;
	like($run->{console}, qr/^##done/m, "$name: the suite came to its end");
	like($run->{console}, qr/^leakcheck: init ended with status 0; everything came back$/m,
		"$name: free memory is what it was before");
	no_reports($run, $name);
	ends_well($run, "$name: the suite");
	note sprintf '%s: %.1f s', $name, $run->{seconds};
}

# One test: the kernel has found nothing odd about itself.
sub no_reports {
	my ($run, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @reports = $run->{console} =~ /^.*\b(?:WARNING|PANIC|panic|KASAN|deadlock|lockdep)\b.*$/mg;
	is(join("\n", @reports), '', "$name: the kernel reports nothing");
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
