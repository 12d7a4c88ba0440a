#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# A program that takes all memory is ended; the next one finds everything as before.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

for my $mem (qw(64M 200M)) {
	my $run = Guest::boot(mem => $mem, limit => 60,
		cmdline => 'leakcheck init=/bin/runner tests=/bin/eat,/bin/eat,/bin/hello-musl');
	my @sections = Guest::sections($run);
	is(join(' ', map { $_->{end} // '?' } @sections), 'signal=9 signal=9 exit=0',
		"-m $mem: who takes everything is killed, and others live on");
	like($run->{console}, qr/^Out of memory: killing eat\[\d+\], which holds \d+ kB/m,
		"-m $mem: the kernel says whom and why");
	like($run->{console}, qr/leakcheck:.*everything came back/, "-m $mem: nothing is lost");
	Guest::ends_well($run, "-m $mem");
}

# The same by several processes at once, in ways that differ in who has the memory. The process that
# made them may be the largest, and go too; what runs next finds room in any case.
for my $how (qw(private shared cow tables threads sharers forks)) {
	my $run = Guest::boot(mem => '64M', limit => 60,
		cmdline => "quiet leakcheck init=/bin/runner tests=/bin/eat+$how,/bin/hello-musl");
	my @sections = Guest::sections($run);
	like($sections[0]{end} // '?', qr/^(?:exit=0|signal=9)$/, "$how: ends");
	is($sections[1]{end}, 'exit=0', "$how: others live on");
	like($run->{console}, qr/^Out of memory: killing eat\[/m, "$how: somebody had to go");
	like($run->{console}, qr/leakcheck:.*everything came back/, "$how: nothing is lost");
	Guest::ends_well($run, $how);
}

# Not who holds most, but who offered itself.
{
	my $run = Guest::boot(mem => '64M', limit => 60,
		cmdline => 'quiet leakcheck init=/bin/runner tests=/bin/eat+chosen,/bin/hello-musl');
	my @sections = Guest::sections($run);
	is($sections[0]{end} // '?', 'exit=0', 'oom_score_adj: the child goes, and its parent lives');
	my @killed = $run->{console} =~ /^Out of memory: killing (\w+)\[/mg;
	is("@killed", 'eat', '... and nobody else');
	like($run->{console}, qr/leakcheck:.*everything came back/, '... nothing is lost');
	Guest::ends_well($run, 'oom_score_adj');
}

# Memory of one that was killed takes its time to come back, and nobody else has to go meanwhile.
{
	my $run = Guest::boot(mem => '128M', smp => 2, limit => 90,
		cmdline => 'quiet leakcheck init=/bin/runner tests=/bin/eat+beside,/bin/hello-musl');
	my @sections = Guest::sections($run);
	is($sections[0]{end} // '?', 'exit=0', 'beside: only those go who take everything')
		or diag join "\n", @{ $sections[0]{lines} // [] };
	my @killed = $run->{console} =~ /^Out of memory: killing (\w+)\[/mg;
	is("@killed", 'eat eat eat eat', '... each once');
	like($run->{console}, qr/leakcheck:.*everything came back/, '... nothing is lost');
	Guest::ends_well($run, 'beside');
}

# Who asks for it, or the machine, instead of who holds most.
{
	my $run = Guest::boot(mem => '64M', limit => 60,
		cmdline => 'quiet leakcheck init=/bin/runner tests=/bin/eat+asker,/bin/hello-musl');
	my @sections = Guest::sections($run);
	is($sections[0]{end} // '?', 'exit=0', 'vm.oom_kill_allocating_task: who asks goes');
	Guest::ends_well($run, 'vm.oom_kill_allocating_task');
	$run = Guest::boot(mem => '64M', limit => 60, cmdline => 'quiet init=/bin/runner tests=/bin/eat+panic');
	like($run->{console}, qr/^Kernel panic: out of memory, and vm\.panic_on_oom is set/m, 'vm.panic_on_oom');
	Guest::ends_well($run, 'vm.panic_on_oom', Guest::PANIC_STATUS);
}

# A victim's memory that pid 1 uses as well doesn't come back. Nobody waits for it.
{
	my $run = Guest::boot(mem => '64M', limit => 60, cmdline => 'quiet init=/bin/eat');
	like($run->{console}, qr/^pid 1: the first ended by signal 9, the next by 9\r?$/m,
		"one on pid 1's memory is killed, and so is the next") or Guest::show_tail($run);
	Guest::ends_well($run, "pid 1's memory");
}

done_testing;
