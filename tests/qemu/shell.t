#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# A few minutes at the serial line: what one does in a shell. The line is edited, jobs are
# interrupted, stopped, and moved between foreground and background; what ps, top and the like read
# is there; and the machine is switched off.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my $guest;

sub ask {
	return $guest->ask(@_);
}

# The same without the shell's words about its jobs, which come when it finds out.
sub ask_quietly {
	return ask(@_) =~ s/^(?:\[\d\].*|Terminated|Killed)\n//mgr;
}

# Starts a job that says when it runs, and waits for that.
sub start_job {
	my ($command) = @_;
	$guest->send("sh -c 'echo be''gun; exec $command'\n");
	$guest->wait_for(qr/^begun$/m) // die "$command didn't begin\n";
}

# Types a key and returns what comes up to the next prompt, the key's echo included.
sub key {
	my ($key) = @_;
	$guest->send($key);
	return $guest->wait_for($Guest::prompt) // die "no prompt\n";
}

# --- the parts ----------------------------------------------------------------------------------

sub try_commands {
	unlike($guest->clean(0), qr/can't access tty|job control turned off/, 'the shell has its terminal');
	is(ask('tty'), "/dev/ttyS0\n", 'tty');
	is(ask('echo $0'), "-sh\n", 'a login shell');
	is(ask('pwd'), "/root\n", 'at home');
	is(ask('echo $((6 * 7))'), "42\n", 'arithmetic');
	is(ask('echo one two | tr a-z A-Z | rev'), "OWT ENO\n", 'a pipeline');
	is(ask('sort <<E | head -n 1'."\nc\na\nb\nE"), "> c\n> a\n> b\n> E\na\n", 'a here-document');
	is(ask('echo text >/tmp/f; cat </tmp/f; rm /tmp/f'), "text\n", 'redirections');
	is(ask('false || echo failed'), "failed\n", 'exit statuses');
	is(ask('(exit 3); echo $?'), "3\n", 'a subshell');
	is(ask('nothere; echo $?'), "-sh: nothere: not found\n127\n", 'what isn\'t there');
	is(ask('for i in 1 2 3; do echo $i; done | tac | tr "\n" " "; echo'), "3 2 1 \n", 'a loop in a pipeline');
	like(ask('hello-pie'), qr{\AHello from hello-pie\n}, 'a program');
	is(ask('ulimit -n 17; ulimit -n'), "17\n", 'ulimit');
	like(ask('tour'), qr/^A tour of virtual memory\n.*^End of the tour\.\n/ms, 'the tour, once more');
}

sub try_editing {
	is(ask("echx one\e[D\e[D\e[D\e[D\x7fo\e[C\e[C"), "one\n", 'arrows');
	is(ask("cho home\e[1~e"), "home\n", 'Home');
	is(ask("echo en\e[1~\e[4~d"), "end\n", 'Home and End');
	is(ask("cho ctrl\x01e\x05 a"), "ctrl a\n", 'Ctrl-A and Ctrl-E');
	is(ask("echo one two\x17three"), "one three\n", 'Ctrl-W takes a word back');
	is(ask("garbage\x15echo clean"), "clean\n", 'Ctrl-U takes the line back');
	is(ask("echo Xdel\e[D\e[D\e[D\e[D\e[3~"), "del\n", 'Del');
	is(ask("\e[A"), "del\n", 'up: the line before');
	is(ask("\e[A\e[A\e[B"), "del\n", 'and down');
	is(ask("cat /etc/mot\t"), "This is Tessera, a small kernel about virtual memory.\n", 'Tab completes a name');
	is(key("never run\x03") =~ s/.*never run//sr, "^C\ntessera:~# ", 'Ctrl-C drops the line');

	# A program that reads lines gets them from the terminal's own editing.
	start_job('cat');
	$guest->send("wrogn\x7f\x7fng\n");
	ok(defined $guest->wait_for(qr/^wrong\n\z/m), 'backspace');
	$guest->send("one two\x17three\n");
	ok(defined $guest->wait_for(qr/^one three\n\z/m), 'Ctrl-W');
	$guest->send("nonsense\x15sense\n");
	ok(defined $guest->wait_for(qr/^sense\n\z/m), 'Ctrl-U');
	$guest->send("\x16\x03\n");
	ok(defined $guest->wait_for(qr/^\x03\n\z/m), 'Ctrl-V takes Ctrl-C as text');
	like(key("\x04"), $Guest::prompt_text, 'Ctrl-D is the end of the input');
	is(ask('echo $?'), "0\n", 'which is no error');
}

sub try_interrupts {
	start_job('sleep 1000');
	like(key("\x03"), qr/\^C/, 'Ctrl-C ends a program');
	is(ask('echo $?'), "130\n", 'by SIGINT');
	# A shell takes no SIGQUIT before it execs, so this has to be the program itself.
	$guest->send("rev\nbegun\n");
	$guest->wait_for(qr/^nugeb$/m) // die "rev didn't begin\n";
	like(key("\x1c"), qr/\^\\.*Quit/s, 'Ctrl-\\ too');
	is(ask('echo $?'), "131\n", 'by SIGQUIT');
	start_job('cat | cat | cat');
	like(key("\x03"), qr/\^C/, 'Ctrl-C ends a whole pipeline');
	is(ask('trap "echo caught" INT; kill -INT $$; trap - INT'), "caught\n", 'a trap');
	# Each round says that it has begun: a Ctrl-C before it would find only the script.
	ask('echo "echo begun; exec sleep 1000" >/tmp/round');
	$guest->send("sh -c 'trap \"echo caught; exit 4\" INT; while :; do sh /tmp/round; done'\n");
	$guest->wait_for(qr/^begun$/m) // die "it didn't begin\n";
	like(key("\x03"), qr/^\^Ccaught$/m, 'a script\'s trap');
	is(ask('echo $?'), "4\n", 'decides how it ends');
	like(ask('yes | head -n 2'), qr/\Ay\ny\n\z/, 'who writes to nobody ends');
}

sub try_jobs {
	is(ask('jobs'), '', 'no jobs');
	start_job('sleep 1000');
	like(key("\x1a"), qr/\^Z\[1\]\+  Stopped +sh -c/, 'Ctrl-Z stops a job');
	is(ask('echo $?'), "148\n", 'by SIGTSTP');
	like(ask('jobs'), qr/\A\[1\]\+  Stopped +sh -c .*sleep 1000.\n\z/, 'jobs');
	is(ask('cut -d" " -f3 /proc/$(jobs -p)/stat'), "T\n", 'it is stopped');
	like(ask('bg'), qr/\A\[1\] sh -c/, 'bg');
	like(ask('jobs'), qr/\A\[1\]\+  Running /, 'it runs again');
	is(ask_quietly('kill %1; wait %1; echo $?'), "143\n", 'kill %1');
	is(ask('jobs'), '', 'and it is gone');

	is(ask_quietly('echo done >/tmp/f & wait; cat /tmp/f'), "done\n", 'a job in the background, waited for');
	is(ask('sleep 1000 & sleep 1000 & jobs | wc -l'), "2\n", 'two of them');
	is(ask_quietly('kill %1 %2; wait; jobs | grep -c Running'), "0\n", 'both killed');

	start_job('cat');
	key("\x1a");
	$guest->send("fg\n");
	$guest->wait_for(qr/^sh -c.*\n/m) // die "no fg\n";
	$guest->send("line\n");
	ok(defined $guest->wait_for(qr/^line\nline\n\z/m), 'fg');
	like(key("\x03"), qr/\^C/, 'and ended');

	ask('cat &');
	like(ask(''), qr/^\[1\]\+  Stopped \(tty input\) +cat$/m, 'who reads in the background stops');
	$guest->send("fg\n");
	$guest->wait_for(qr/^cat\n/m) // die "no fg\n";
	$guest->send("now\n");
	ok(defined $guest->wait_for(qr/^now\nnow\n\z/m), 'and reads in the foreground');
	key("\x04");
	ask('stty tostop; echo out &');
	like(ask('jobs'), qr/Stopped \(tty output\) +echo out/, 'who writes stops when tostop says so');
	ask('stty -tostop');
	like(ask('fg'), qr/^out$/m, 'and writes in the foreground');
	is(ask('jobs'), '', 'no jobs are left');
}

sub try_terminal {
	is(ask('stty size'), "24 80\n", 'the size of who doesn\'t say');
	is(ask('stty rows 40 cols 132; stty size'), "40 132\n", 'it can be said');
	is(ask('stty rows 24 cols 80; stty -a | grep -c "rows 24; columns 80"'), "1\n", 'and is shown');
	# Raw output: a new line is only that.
	my $from = length $guest->{raw};
	ask('stty -opost; printf "a\nb\r\n"; stty opost; printf "c\nd\n"');
	like(substr($guest->{raw}, $from), qr/[^\r]\na\nb\r\nc\r\nd\r\n|a\nb\r\nc\r\nd\r\n/, 'opost off and on');
	is(ask('stty -echo; echo quiet; stty echo'), "quiet\n", 'stty echo');
}

# The lines of ps for a command.
sub ps {
	my ($what) = @_;
	return grep { /\Q$what\E/ } split /\n/, ask('ps');
}

sub try_tools {
	like((ps('init'))[0], qr/^ +1 root +.*init/, 'ps shows init');
	like((ps('-sh'))[0], qr/^ +\d+ root +-sh$/, 'and the shell');
	is(ask('ps -o pid,ppid,tty,stat,comm,args >/tmp/f; grep " sh .*-sh" /tmp/f') =~ s/ +/ /gr,
		ask('echo " $$ $PPID 4,64 S sh -sh"'), 'ps -o: the fields agree with the shell\'s own');
	is(ask('pidof init'), "1\n", 'pidof');
	is(ask('ps -o comm | grep -c "^ps$"'), "1\n", 'ps sees itself');
	ask('sleep 1000 &');
	is(ask_quietly('killall sleep; wait; pidof sleep; echo $?'), "1\n", 'killall');
	my $top = ask('top -b -n1');
	like($top, qr/^Mem: \d+K used, \d+K free/m, 'top: memory');
	like($top, qr/^CPU: .*% idle/m, 'top: time');
	like($top, qr/^Load average: \d+\.\d\d \d+\.\d\d \d+\.\d\d \d+\/\d+ \d+$/m, 'top: load');
	like($top, qr/^ +\d+ +\d+ root +R .* top -b -n1$/m, 'top: itself');
	like(ask('free'), qr/^Mem: +(\d+) +\d+ +\d+/m, 'free');
	like(ask('uptime'), qr/ up \d+ min,  0 users,  load average: \d/, 'uptime');
	is(ask('cat /proc/self/comm; cat /proc/$$/comm'), "cat\nsh\n", 'comm');
	is(ask('cd /dev; readlink /proc/$$/cwd; cd'), "/dev\n", 'cwd');
	is(ask('readlink /proc/self/exe; readlink /proc/$$/fd/0'), "/bin/busybox\n/dev/ttyS0\n", 'exe and fd');
	is(ask('ls /proc/$$/task | wc -l'), "1\n", 'task');
	is(ask('cat /proc/sys/kernel/hostname; hostname'), "tessera\ntessera\n", 'hostname');
}

sub try_walk {
	my ($start) = ask('cat /proc/$$/maps') =~ /^([0-9a-f]+)-\S+ r-xp/m;
	my $walk = ask("walk \$\$ $start");
	is(join(' ', $walk =~ /^(P[GUM]D|PTE)\[/mg), 'PGD PUD PMD PTE', 'walk: four levels');
	like($walk, qr/^PTE.* P - U /m, 'walk: the text is present, for users, not to be written');
	like($walk, qr/^=> physical 0x[0-9a-f]+, in a page of 4 KiB/m, 'walk: where it is');
	like(ask('walk $$ 1000'), qr/^=> nothing /m, 'walk: where nothing is');
	is(ask("walk \$\$ $_"), "walk: $_: no address in hexadecimal\n", "walk: $_") for qw(zzz 12x 0x);
	like(ask("walk \$\$ $_"), qr/^walk: $_: no address of a program's half/, "walk: $_")
		for qw(ffffffff80000000 8000000000000000);
	is(ask("walk \$\$ $_"), "walk: $_: Invalid argument\n", 'walk: behind users\' half')
		for qw(7ffffffff000 800000000000);
	like(ask('walk 99999 1000'), qr{^walk: /proc/99999/walk: No such file}, 'walk: nobody');
	like(ask('walk'), qr/^usage: walk PID ADDRESS/, 'walk: nothing');
}

sub try_logout {
	ask('sleep 1000 &');
	my $pid = ask('echo $$');
	$guest->send("exit\n");
	ok(defined $guest->wait_for(qr/^The shell has ended.*$Guest::prompt/ms), 'after a shell comes another');
	isnt(ask('echo $$'), $pid, 'a new one');
	is(ask('cut -d" " -f4,7 /proc/$(pidof sleep)/stat'), "1 0\n",
		'a job that went on has init as parent, and no terminal');
	is(ask('killall sleep; tty'), "/dev/ttyS0\n", 'the terminal is the new shell\'s');
	start_job('sleep 1000');
	like(key("\x03"), qr/\^C/, 'and so is Ctrl-C');
	$guest->send("\x04");
	ok(defined $guest->wait_for(qr/^The shell has ended.*$Guest::prompt/ms), 'Ctrl-D ends it too');
	$guest->send("stty raw -echo; exit\n");
	ok(defined $guest->wait_for(qr/^The shell has ended.*$Guest::prompt/ms), 'whatever it did to the terminal');
	is(ask('echo sane'), "sane\n", 'it is as before');
}

# --- the sessions -------------------------------------------------------------------------------

sub session {
	my ($name, $code, @options) = @_;
	subtest $name => sub {
		$guest = Guest->start(limit => 60, @options);
		my $done = eval {
			$guest->wait_for($Guest::prompt) // die "no prompt\n";
			$code->();
			1;
		};
		return if $done;
		fail("the guest answers: $@");
		$guest->stop;
	};
}

session('in the shell', sub {
	try_commands();
	try_editing();
	try_interrupts();
	try_jobs();
	try_terminal();
	try_tools();
	try_walk();
	try_logout();
	$guest->send("poweroff\n");
	Guest::ends_well($guest->finish, 'poweroff');
}, cmdline => 'tour=no');

# Nothing of all that may stay when it is over: the kernel compares.
session('without a trace', sub {
	try_interrupts();
	try_jobs();
	try_logout();
	ask('rm -r /tmp/* /root/.ash_history');
	$guest->send('kill -USR2 $PPID'."\n");
	my $run = $guest->finish;
	like($run->{console}, qr/^leakcheck: init ended with status 0; everything came back$/m, 'all memory came back');
	Guest::ends_well($run, 'the end of init');
}, cmdline => 'quiet leakcheck tour=no');

for my $how (['halt', qr/^Power off\.$/m], ['reboot', qr/^Restarting\.$/m], ['poweroff', qr/^Power off\.$/m]) {
	session($how->[0], sub {
		ask('trap "" TERM HUP; sleep 1000 &'); # who doesn't want to go goes too
		$guest->send("$how->[0]\n");
		my $run = $guest->finish;
		like($run->{console}, $how->[1], "$how->[0] does what it says");
		Guest::ends_well($run, $how->[0]);
	}, cmdline => 'tour=no');
}

done_testing;
