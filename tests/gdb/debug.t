#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# `make debug` in all its forms: where it stops, by each way in; from the kernel's first 32-bit
# instruction into long mode; Ctrl-C and the console; the server for editors, with the commands of
# .vscode/launch.json. And that gdb loads the commands by itself with the kernel's ELF file.
use strict;
use warnings;
use Cwd qw(abs_path);
use FindBin;
use lib $FindBin::Bin, 'tests/qemu';
use Gdb;
use Guest;
use JSON::PP;
use Test::More;

my $root = abs_path('.');
my $elf = abs_path("$Guest::build/debug/tessera.elf");

# Runs tools/debug with these variables and arguments of gdb; returns what it printed.
sub debug {
	my ($name, $env, @gdb) = @_;
	local @ENV{qw(O TMPDIR LC_ALL)} = ($Guest::build, $Guest::scratch, 'C.UTF-8');
	local @ENV{keys %$env} = values %$env;
	my $run = Guest::run_limited(100, 'sh', '-c', 'exec "$@" 2>&1 </dev/null', 'sh', 'tools/debug', '-nx', '-batch',
		'-iex', 'set width 0', @gdb);
	ok(!$run->{late} && defined $run->{status} && $run->{status} == 0, "$name: gdb comes to its end");
	unlike($run->{console}, qr/packet reply is too long|not recognized|Error/, "$name: without complaint");
	diag $run->{console} if !Test::More->builder->is_passing;
	return $run->{console};
}

sub left {
	return join '', grep { index($_, $Guest::scratch) >= 0 && !/\bps -eo/ } `ps -eo args`;
}

my $out = debug('make debug', { SMP => 2 }, '-ex', 'bt', '-ex', 'info threads', '-ex', 'help walk');
like($out, qr/Temporary breakpoint 1, boot_main \(.*\) at boot\/main\.c:\d+\n\d+\t\tconst u32 \*mbi/, 'it stops at the first line of C');
like($out, qr/^#1 .* upper_half/m, 'called from boot.S');
like($out, qr/^\* 1 +Thread .*CPU#0.*\n +2 +Thread .*CPU#1/m, 'each processor is a thread');
like($out, qr/Walk the page tables/, 'the commands are loaded');
unlike($out, qr/auto-load safe-path/, 'nothing was refused');

$out = debug('FROM=reset', { FROM => 'reset' }, '-ex', 'p/x $pc');
like($out, qr/= 0xfff0$/m, 'the processor has not run an instruction');

# From the first 32-bit instruction to the first 64-bit one and on, each a step of its own but for the
# loop that fills a table; all that gdb shows on the way must be right.
my @walk = ('-ex', 'x/4i $pc', '-ex', "source $FindBin::Bin/debug_steps.gdb");
for (
	[ 'by QEMU', { FROM => 'entry' }, 'pvh_start' ],
	[ 'by GRUB under BIOS', { FROM => 'entry', VIA => 'iso' }, '_start' ],
	[ 'by GRUB under UEFI', { FROM => 'entry', VIA => 'iso', UEFI => 1 }, '_start' ],
) {
	my ($name, $env, $entry) = @$_;
	$out = debug($name, $env, @walk);
	like($out, qr/Temporary breakpoint 1, $entry \(\) at boot\/boot\.S:\d+\n\d+\t\tcli\n/, "$name: it stops at the entry");
	like($out, qr/<$entry(?:\+\d+)?>:\s+cli.*mov +\$0x[0-9a-f]+,%esp/s, "$name: instructions are shown");
	like($out, qr/^before: paging off, long mode off$/m, "$name: paging is off");
	like($out, qr/^mov +%eax,%cr0; lgdtl? +0x[0-9a-f]+; ljmp +\$0x10,\$0x[0-9a-f]+; mov +\$0x18,%eax; mov +%eax,%ds/m,
		"$name: every step into long mode");
	like($out, qr/^after: paging on, long mode on, in boot_main$/m, "$name: and on to C, in long mode");
}

is(left(), '', 'no process is left');

# --- the server ---------------------------------------------------------------------------------

sub slurp_json {
	return JSON::PP->new->decode(Guest::slurp($_[0]));
}

my ($launch) = @{ slurp_json('.vscode/launch.json')->{configurations} };
my ($task) = grep { $_->{label} eq $launch->{preLaunchTask} } @{ slurp_json('.vscode/tasks.json')->{tasks} };
my ($port) = $launch->{miDebuggerServerAddress} =~ /^127\.0\.0\.1:(\d+)$/;
like($task->{command}, qr/^make debug-server PORT=$port$/, "the editor's task starts what its configuration attaches to");
# Without these the editor takes no matcher, and no task. What it is to match is a message of tools/debug's.
my $pattern = $task->{problemMatcher}{pattern};
is_deeply([ @{$pattern}{qw(kind file message)} ], [ 'file', 1, 2 ], "the task's matcher has what the editor asks for");
like(`FROM=nowhere tools/debug 2>&1`, qr/$pattern->{regexp}/, 'and matches what goes wrong');
my $program = $launch->{program} =~ s/\$\{workspaceFolder\}/$root/r;
is($program, "$root/build/debug/tessera.elf", 'and takes the kernel that is built');

{
	local @ENV{qw(O TMPDIR SERVER PORT CMDLINE)} = ($Guest::build, $Guest::scratch, 1, '', 'init=/bin/playground');
	my $server = Guest->launch(100, 'tools/debug');
	my ($where) = ($server->wait_for(qr/^QEMU waits for gdb at .*\n/m) // '') =~ /at (127\.0\.0\.1:\d+)/;
	ok($where, 'a free port is found and printed');
	like($where ? "QEMU waits for gdb at $where" : '',
		qr/$task->{problemMatcher}{background}{endsPattern}/, 'in the words that the editor waits for');
	# What the extension sends, in its order.
	my ($before, $after) = map { [ map { $_->{text} =~ s/\$\{workspaceFolder\}/$root/r } @{ $launch->{$_} } ] }
		qw(setupCommands postRemoteConnectCommands);
	my $gdb = Guest->launch(100, 'gdb', '-nx', '-q', '--interpreter=mi');
	$gdb->send("$_\n") for @$before, "-file-exec-and-symbols $elf", '-target-select remote ' . ($where // ''),
		@$after, '-exec-continue';
	my $said = $gdb->wait_for(qr/\*stopped,reason=.*\n/) // '';
	like($said, qr/\*stopped,reason="breakpoint-hit".*func="boot_main"/, 'the breakpoint is met');
	$gdb->send("-interpreter-exec console \"help walk\"\n");
	like($gdb->wait_for(qr/Usage: walk.*\n/) // '', qr/Walk the page tables/, 'and the commands are there');
	$gdb->send("-exec-continue\n");
	ok(defined $server->wait_for(qr/^ready$/m), 'the console is that of the server');
	kill 'INT', $gdb->{pid};
	like($gdb->wait_for(qr/\*stopped,.*\n/) // '', qr/signal-name="SIGINT"/, 'gdb can interrupt the guest');
	$gdb->send("kill\n-gdb-exit\n");
	my $run = $server->finish;
	ok(!$run->{late}, 'the server ends when gdb kills the guest');
	ok(!$gdb->finish->{late}, 'and so does gdb');
}

# --- by hand --------------------------------------------------------------------------------------

SKIP: {
	skip 'script(1) makes the terminal, and it is not here', 5 if !grep { -x "$_/script" } split /:/, $ENV{PATH};
	local @ENV{qw(O TMPDIR CMDLINE TERM)} = ($Guest::build, $Guest::scratch, 'init=/bin/playground', 'dumb');
	my $hand = Guest->launch(100, 'script', '-qec', "tools/debug -nx -ex 'set confirm off'", '/dev/null');
	ok(defined $hand->wait_for(qr/boot_main.*\n.*\n\(gdb\) /), 'on a terminal there is a prompt at the first line of C');
	$hand->send("continue\n");
	$hand->wait_for(qr/Continuing/);
	my $console = Guest->launch(100, 'tools/console');
	ok(defined $console->wait_for(qr/^ready$/m), 'the console can be seen');
	$console->send("r 10000000\n");
	ok(defined $console->wait_for(qr/^ok 0x41$/m), 'and typed at');
	$hand->send("\003");
	ok(defined $hand->wait_for(qr/received signal SIGINT.*\(gdb\) /s), 'Ctrl-C stops the guest');
	$hand->send("quit\n");
	my ($h, $c) = ($hand->finish, $console->finish);
	ok(!$h->{late} && !$c->{late}, 'and QEMU and the console end with gdb');
}
is(left(), '', 'no process is left');

# --- with the ELF file ------------------------------------------------------------------------------

# What gdb prints that is started in another folder with that file.
sub load {
	my ($file, @safe) = @_;
	my $quoted = join ' ', map { "-iex 'add-auto-load-safe-path $_'" } @safe;
	return `cd / && HOME=$Guest::scratch gdb -nx -batch $quoted -ex 'help walk' '$file' 2>&1`;
}

for my $config (qw(debug release)) {
	my $file = abs_path("$Guest::build/$config/tessera.elf");
	like(load($file, $file), qr/^Walk the page tables/m, "$config: gdb loads the commands with the file");
	like(`readelf -SW $file`, qr/ \.debug_gdb_scripts +PROGBITS +0{16} \S+ \S+ \S+ +0 /,
		"$config: from a section that isn't loaded");
}
system('cp', $elf, "$Guest::scratch/elsewhere.elf");
like(load("$Guest::scratch/elsewhere.elf", $Guest::scratch), qr/^Walk the page tables/m, 'from any build folder');
$out = load($elf);
like($out, qr/add-auto-load-safe-path \Q$elf\E/, 'where gdb refuses, it says what to add to its configuration');
like($out, qr/Undefined command: "walk"/, 'and loads nothing');
unlike(`readelf -SW $Guest::build/tessera.elf`, qr/debug_gdb_scripts/, "the ISO's kernel is without");

done_testing;
