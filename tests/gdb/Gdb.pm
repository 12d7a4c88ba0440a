# SPDX-License-Identifier: MIT
#
# Runs a test inside gdb, on a guest that QEMU's own stub shows to it.
#
#	use FindBin;
#	use lib $FindBin::Bin, 'tests/qemu';
#	use Gdb;
#	Gdb::test(cmdline => 'init=/bin/playground', smp => 2);
#
# starts QEMU, stopped at the processor's first instruction, and gdb with the kernel's ELF file and
# the commands of tools/gdb loaded; gdb then runs tests/gdb/NAME.py, where NAME.t is the file that
# calls this. What the script has at hand is in tests/gdb/tap.py. Its points become points here.
#
# A script that dies, a gdb that crashes or hangs, and a guest that hangs are failures, and neither
# process is left behind.
package Gdb;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use Guest;
use Test::More;
use Time::HiRes qw(sleep time);

my $here = dirname(abs_path(__FILE__));

# How long QEMU may take to have its sockets.
use constant SOCKET_LIMIT => 30;
# How much of gdb's own words to show when something goes wrong.
use constant TAIL_LINES => 60;

# test(OPTION => VALUE, ...), with Guest::boot's options, and:
#	script	the Python file to run, if not the one named as the test is
#	gdb	reference to a list of further arguments of gdb, before the script
#	setup	reference to a list of gdb commands that replace the loading and the connecting
#
# There "limit" (60) is for gdb and guest together.
sub test {
	my (%o) = (limit => 60, config => 'debug', gdb => [], @_);
	my $script = $o{script} // "$here/" . basename($0, '.t') . '.py';
	my $name = basename($script, '.py');
	my $dir = "$Guest::scratch/gdb";
	mkdir $dir;
	unlink glob "$dir/*";
	$o{kernel} //= "$Guest::build/$o{config}/tessera.elf";

	my $qemu = start_qemu($dir, %o);
	if ($qemu) {
		my $gdb = start_gdb($dir, $script, $qemu, %o);
		my $good = pass_on($gdb, $name);
		my $run = $gdb->finish;
		$good = ok(!$run->{late} && defined $run->{status} && $run->{status} == 0, "$name: gdb comes to its end")
			&& $good;
		diag sprintf 'no end within the limit of %d s', $o{limit} if $run->{late};
		show($dir) if !$good;
		note sprintf '%s: %.1f s', $name, $run->{seconds};
		$qemu->stop;
	}
}

# The guest, not yet running; undef after a failed test.
sub start_qemu {
	my ($dir, %o) = @_;
	my ($limit, @command) = Guest::command(%o, serial => 'chardev:console', qemu => [
		@{ $o{qemu} // [] },
		'-chardev', "socket,id=console,path=$dir/console,server=on,wait=off,logfile=$dir/console.log",
		'-monitor', "unix:$dir/monitor,server=on,wait=off",
		'-gdb', "unix:$dir/stub,server=on,wait=off", '-S',
	]);
	my $qemu = Guest->launch($limit, @command);
	my $until = time + SOCKET_LIMIT;
	sleep 0.02 while time < $until && grep { !-S "$dir/$_" } qw(console monitor stub);
	return $qemu if -S "$dir/stub";
	fail('QEMU starts');
	diag $qemu->stop->{errors};
	return undef;
}

# gdb, whose descriptor 3 is what we read: its own standard output is full of chatter.
sub start_gdb {
	my ($dir, $script, $qemu, %o) = @_;
	local @ENV{qw(TESSERA_TEST_DIR TESSERA_TEST_SCRIPT TESSERA_TEST_LIMIT)} = ($dir, $script, $o{limit});
	# Nothing may depend on the user's terminal, or on where a cache is.
	local @ENV{qw(TERM HOME PYTHONDONTWRITEBYTECODE LC_ALL)} = ('dumb', $dir, 1, 'C.UTF-8');
	my @setup = $o{setup} ? @{ $o{setup} } : ('source tools/gdb/tessera.py', "target remote $dir/stub");
	return Guest->launch($o{limit}, 'sh', '-c', 'exec "$@" 3>&1 >"$0" 2>&1 </dev/null', "$dir/gdb.out",
		$ENV{GDB} || 'gdb', '-nx', '-batch', '-iex', 'set auto-load no', '-ex', 'set width 0',
		'-ex', 'set height 0', '-ex', 'set confirm off', '-ex', 'set remotetimeout 60', @{ $o{gdb} },
		(map { ('-ex', $_) } @setup), '-ex', "python import sys; sys.path.insert(0, '$here'); import tap; tap.main()",
		$o{kernel});
}

# Makes points of what the script prints, as it comes. True if all is well.
sub pass_on {
	my ($gdb, $name) = @_;
	my ($count, $plan, $good, $done) = (0, undef, 1, 0);
	do {
		while ((my $end = index $gdb->{raw}, "\n", $done) >= 0) {
			my $line = substr $gdb->{raw}, $done, $end - $done;
			$done = $end + 1;
			if ($line =~ /^1\.\.(\d+)(?:\s*#\s*SKIP\s*(.*))?$/) {
				$plan = $1;
				no_points($name, $2) if $plan == 0;
			} elsif ($line =~ /^(not )?ok (\d+) - (.*?)(?: # (SKIP|TODO) (.*))?$/) {
				$good = 0 if $1 && ($4 // '') ne 'TODO';
				Guest::replay_point(!$1, $2, ++$count, "$name: $3", $4 // '', $5);
			} elsif ($line =~ /^## (.*)/) {
				note $1;
			} elsif ($line =~ /^# ?(.*)/) {
				diag $1;
			}
		}
	} while ($gdb->receive($gdb->{start} + $gdb->{limit}));
	return is($count, $plan // 'a number', "$name: as many points as planned") && $good;
}

# Without a reason it may be that the script has forgotten to test anything.
sub no_points {
	my ($name, $reason) = @_;
	return fail("$name: has points") if ($reason // '') eq '';
	SKIP: { skip "$name: $reason", 1; }
}

# What gdb said and what the guest printed last.
sub show {
	my ($dir) = @_;
	for (['gdb.out', 'gdb'], ['console.log', 'the guest']) {
		my ($file, $who) = @$_;
		my @lines = split /\r?\n/, Guest::slurp("$dir/$file");
		splice @lines, 0, @lines - TAIL_LINES if @lines > TAIL_LINES;
		diag "the last lines of $who:" if @lines;
		diag "  | $_" for @lines;
	}
}

1;
