#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# "strace" on the kernel's command line: each system call with its arguments in words.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my $cmdline = 'quiet init=/bin/runner tests=/bin/hello-musl,/bin/cat+/etc/motd,/bin/cat+/nothere';
my $run = Guest::boot(cmdline => "strace $cmdline", limit => 30);
Guest::ends_well($run, 'traced programs');
my $trace = $run->{console};
# Of one program alone: another's line may come between a call and its result.
my $hello = join '', map { "$_\n" } grep { /^\[2\] / } split /\n/, $trace;

sub traced {
	my ($pattern, $name, $where) = @_;
	like($where // $trace, $pattern, $name) or Guest::show_tail($run);
}

traced(qr/^\[2\] execve\("\/bin\/hello-musl", 0x[0-9a-f]+, 0x[0-9a-f]+\)$/m, 'a path as a string');
traced(qr/^\[2\] execve = 0$/m, 'a result');
traced(qr/^\[2\] mmap\(NULL, 4096, PROT_READ\|PROT_WRITE, MAP_PRIVATE\|MAP_ANONYMOUS, -1, 0\)\n\[2\] mmap = 0x7[0-9a-f]{6,}$/m,
	'mmap with its flags by name', $hello);
traced(qr/^\[2\] mmap\(0x[0-9a-f]+, 4096, PROT_NONE, MAP_PRIVATE\|MAP_FIXED\|MAP_ANONYMOUS, -1, 0\)$/m,
	'PROT_NONE, and a fixed place');
traced(qr/^\[2\] munmap\(0x7[0-9a-f]+, 4096\)\n\[2\] munmap = 0$/m, 'sizes as decimal numbers', $hello);
traced(qr/^\[2\] brk\(NULL\)$/m, 'a null pointer');
traced(qr/^\[1\] write\(1, 0x[0-9a-f]+, 24\)\n##begin \/bin\/hello-musl\n\[1\] write = (?:24|0x18)$/m, 'write');
traced(qr/^\[\d+\] open(?:at)?\((?:AT_FDCWD, |-100, )?"\/etc\/motd", /m, 'a file that is opened');
traced(qr/^\[\d+\] open(?:at)?\([^\n]*"\/nothere", [^\n]*\)\n\[\d+\] open(?:at)? = -(?:2|ENOENT)\b/m, 'an error');
traced(qr/^\[2\] exit_group\(0\)$/m, 'the end');

# An exit belongs to the entry before it of the same process; a parent in vfork waits meanwhile.
my (%inside, @odd);
for (split /\n/, $trace) {
	if (/^\[(\d+)\] (syscall|\w+?)(?:_\d+)?\(/) {
		push @odd, $_ if $inside{$1};
		$inside{$1} = $2;
	} elsif (/^\[(\d+)\] (\w+) = /) {
		push @odd, $_ if ($inside{$1} // '') ne $2;
		delete $inside{$1};
	}
}
is(join("\n", @odd), '', 'each call ends before the next begins');
delete $inside{1};
is(join(' ', map { "$_:$inside{$_}" } grep { $inside{$_} ne 'exit_group' } sort keys %inside), '',
	'and only the last of a program doesn\'t return');

my $quiet = Guest::boot(cmdline => $cmdline, limit => 30);
Guest::ends_well($quiet, 'programs that aren\'t traced');
unlike($quiet->{console}, qr/^\[\d+\] /m, 'say nothing of their calls');

done_testing;
