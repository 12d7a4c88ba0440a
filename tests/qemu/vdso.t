#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# C libraries find the vdso and use it: programs that ask for the time again and again, with musl and
# with glibc, make no system call for it. And programs get by with less: with a vdso that has to ask the
# kernel, and with none.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my @programs = map { "/programs/clocks-$_" } qw(musl glibc);
my @calls = qw(clock_gettime gettimeofday time getcpu);

# Runs the programs; returns how often each made which of the calls.
sub calls_of {
	my ($name, $words, @more) = @_;
	my $run = Guest::boot(limit => 60, images => [qw(base programs tests)],
		cmdline => "quiet strace $words init=/bin/runner uid=65534 tests=" . join(',', @programs, @more));
	my (%count, @lines);
	for my $section (Guest::sections($run)) {
		Guest::succeeded($section, "$name: $section->{name}");
		push @lines, @{ $section->{lines} } if $section->{name} =~ /maps/;
		for (@{ $section->{lines} }) {
			$count{ $section->{name} }{$1}++ if /^\[\d+\] (\w+)\(/;
			$count{ $section->{name} }{rounds} = $1 if /(\d+) rounds, 0 wrong/;
		}
	}
	Guest::ends_well($run, $name);
	is($count{$_}{rounds}, 100, "$name: $_ did its rounds") for @programs;
	return (\%count, join "\n", @lines);
}

my ($with, $maps) = calls_of('with the vdso', '', '/bin/cat+/proc/self/maps');
for my $program (@programs) {
	ok($with->{$program}{execve} || $with->{$program}{write}, "$program is traced");
	is($with->{$program}{$_} // 0, 0, "$program: no $_") for @calls;
}
like($maps, qr/ r--p 00000000 00:00 0 +\[vvar\]\n.* r-xp 00000000 00:00 0 +\[vdso\]$/m, 'maps shows it');

my ($asking) = calls_of('vdso=syscall', 'vdso=syscall');
cmp_ok($asking->{$_}{clock_gettime} // 0, '>=', 600, "vdso=syscall: $_ asks the kernel") for @programs;

my ($without, $none) = calls_of('vdso=0', 'vdso=0', '/bin/cat+/proc/self/maps');
cmp_ok($without->{$_}{clock_gettime} // 0, '>=', 600, "vdso=0: $_ asks the kernel") for @programs;
like($none, qr/\[stack\]/, 'vdso=0: maps');
unlike($none, qr/\[v/, 'vdso=0: neither vvar nor vdso is there');

done_testing;
