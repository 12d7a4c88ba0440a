#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The kernel's trace on its ways out: /proc/trace in the guest and the debugcon, decoded on the host, say the
# same; to the end, also when that is a power-off or a panic. What it says is user/tests/trace_root.c's.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my $dir = tempdir('tessera-trace.XXXXXX', TMPDIR => 1, CLEANUP => 1);

# The lines that the decoder makes of a dump, and whether it was content.
sub decode {
	my ($dump) = @_;
	my $text = qx(python3 tools/trace/decode $dump 2>&1);
	is($?, 0, 'the decoder leaves nothing out') or diag $text =~ /^(decode: .*)/mg;
	return grep { !/^#/ } split /\n/, $text;
}

sub boot {
	my ($name, %o) = @_;
	my $run = Guest::boot(limit => 60, %o, qemu => [ '-debugcon', "file:$dir/$name" ]);
	return ($run, decode("$dir/$name"));
}

sub times_rise {
	my @times = map { /^ *(\d+\.\d+) / ? $1 : 'none' } @_;
	return !grep { $times[$_] < $times[ $_ - 1 ] } 1 .. $#times;
}

# Tables with damage: what makes no sense is told, and the rest is decoded.
{
	open my $fh, '>:raw', "$dir/damaged" or die "$dir/damaged: $!\n";
	print $fh "\nTESSERA TRACE 1\nkhz fast\nkhz 1000\ntype\ntype hex hex\nkind\nkind 1 bad a\n",
		"kind x bad\nkind 2 good a:hex\nend\n", pack('CCCCLQQ', 0xe7, 2, 0, 1, 5, 16, 0x1234);
	close $fh;
	my @lines = split /\n/, qx(python3 tools/trace/decode $dir/damaged 2>&1 >$dir/decoded);
	is($? >> 8, 1, 'the decoder is not content with damaged tables');
	is_deeply(\@lines, [ map { "decode: in the tables at 0: '$_' makes no sense" } 'khz fast', 'type', 'kind',
		'kind 1 bad a', 'kind x bad' ], 'it names each line');
	is((split /\n/, Guest::slurp("$dir/decoded"))[1], '    0.000016000 cpu0     5 good a=0x1234',
		'and decodes what it can');
}

# All events of a small program on two processors, by both ways.
my $script = <<'END';
cd /proc/trace
echo 8192 > size
echo debugcon > export
echo all > events
/bin/hello-musl >/dev/null & /bin/hello-musl >/dev/null
wait
echo none > events
echo none > export
cat /proc/trace
echo 0 > size
poweroff -f
END
{
	my $guest = Guest->start(cmdline => 'quiet init=/bin/sh', smp => 2, limit => 90,
		qemu => [ '-debugcon', "file:$dir/both" ]);
	$guest->wait_for(qr{[#\$] \x05?\z});
	$guest->send(join('; ', split /\n/, $script) . "\n");
	my $run = $guest->finish;
	my @shown = grep { /^ *\d+\.\d{9} cpu/ } split /\n/, $run->{console};
	my @sent = decode("$dir/both");
	cmp_ok(scalar @sent, '>', 500, 'many events were sent');
	is(scalar @shown, scalar @sent, 'as many are shown') or Guest::show_tail($run);
	is_deeply(\@shown, \@sent, 'and they are the same');
	is(scalar(grep { / lost / } @sent), 0, 'none is lost');
	ok(times_rise(@sent), 'in the order of time');
	for my $kind (qw(syscall-in syscall-out fault area-insert area-remove area-change pte-set pte-clear
			pte-table pte-untable tlb-flush page-alloc page-free switch)) {
		ok(scalar(grep { / cpu\d +\d+ $kind / } @sent), "$kind is among them");
	}
	ok(scalar(grep { / cpu1 / } @sent), 'both processors are');
}

# From the command line on: a small ring, of which everything is sent, to the power-off.
{
	my ($run, @sent) = boot('all',
		cmdline => 'quiet init=/bin/runner tests=/bin/true trace=all trace_size=256 trace_export=debugcon');
	Guest::ends_well($run, 'traced from the beginning');
	is(scalar(grep { / lost / } @sent), 0, 'nothing is lost by a small ring');
	ok(times_rise(@sent), 'in the order of time');
	like($sent[0], qr/ cpu0 +0 /, 'it begins before there are tasks');
	ok(scalar(grep { / syscall-in nr=execve / } @sent), 'there are programs');
	like($sent[-1], qr/ 1 \S/, 'and the last is by the first process');
	like(join("\n", @sent[-200 .. -1]), qr/ syscall-in nr=reboot /, 'who ended it all');
}

# A panic takes with it what it finds.
{
	my ($run, @sent) = boot('panic', smp => 2, cmdline => 'quiet selftest=panic trace=all trace_export=debugcon');
	is($run->{status}, Guest::PANIC_STATUS, 'a panic');
	cmp_ok(scalar @sent, '>', 100, 'what was recorded before it is there');
}

# Who says nothing gets nothing; a word that isn't known is told.
{
	my $run = Guest::boot(limit => 60, cmdline => 'init=/bin/runner tests=/bin/true trace=nonsense trace_export=debugcon',
		qemu => []);
	like($run->{console}, qr/warning: trace: "nonsense": /, 'no such kind');
	like($run->{console}, qr/warning: trace: "debugcon": /, 'no debugcon');
	Guest::ends_well($run, 'it boots all the same');
}

done_testing;
