#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Every place in the kernel that allocates, made to fail by some system call: user/tests/fail_*.c and what
# else makes allocations fail, in one boot of the debug kernel, as root. Then /proc/fail-sites says which
# places there are, and which of them never failed: none but those of the table below.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

# Where no program gets to: by file and function, or all of a file, with the reason.
my $boot = 'before the first program; without it there is no system';
my %never = (
	'mm/page_alloc.c page_alloc_init' => $boot,
	'kernel/process/vdso.c vdso_init' => $boot,
	'kernel/init/smp.c' => 'the other processors are started before the first program',
	'kernel/init/selftest.c' => 'the self-tests, which are no program',
	'kernel/process/task.c kernel_thread' => 'threads of the kernel, which no program starts',
	'kernel/fs/initramfs.c' => 'the file system is unpacked before the first program',
);

my @tests = map { m{([^/]+)\.c$} } glob 'user/tests/fail_*.c user/tests/*_nomem.c';
my $run = Guest::boot(images => [qw(base tests)], smp => 2, limit => 300,
	cmdline => 'quiet leakcheck init=/bin/runner tests=' . join ',', @tests, '/bin/cat+/proc/fail-sites',
	'/bin/cat+/proc/fail-paths');
my @sections = Guest::sections($run);
my %section = map { $_->{name} => $_ } @sections;
is(join(' ', sort grep { $_ !~ m{^/bin} } keys %section), join(' ', sort @tests), 'all programs ran');
for (@tests) {
	Guest::replay($section{$_}) if $section{$_};
}

my ($nr, $injected, @missed, %used) = (0, 0);
for (@{ ($section{'/bin/cat+/proc/fail-sites'} // {})->{lines} // [] }) {
	my ($reached, $failed, $what, $file, $line, $function) = /^(\d+) (\d+) (\S+) (\S+):(\d+) (\S+)$/ or next;
	$nr++;
	$injected += $failed;
	next if $failed;
	my ($why) = grep { exists $never{$_} } "$file $function", $file;
	if (defined $why) {
		$used{$why} = 1;
		is($reached, 0, "$file:$line is not reached: $never{$why}");
	} else {
		push @missed, "$file:$line $function: $what (reached $reached times)";
	}
}
cmp_ok($nr, '>', 80, "places that allocate: $nr, made to fail $injected times");
SKIP: {
	# Whether an object needs a page then changes from call to call, so "the 10th" isn't the same place twice.
	skip 'with freed objects in quarantine some places get away; the debug kernel has the list', 2
		if $Guest::debug eq 'kasan';
	is(join("\n", @missed), '', 'no other never failed');
	is(join("\n", grep { !$used{$_} } sort keys %never), '', 'nothing is in the table in vain');
}

# Which ways lead there: how many were gone at all, how many ended in a failure.
my ($ways, $failed_ways) = (0, 0);
for (@{ ($section{'/bin/cat+/proc/fail-paths'} // {})->{lines} // [] }) {
	next if !/^\d+ (\d+) \S+ \S+:\d+ \S+ /;
	$ways++;
	$failed_ways++ if $1;
}
cmp_ok($failed_ways, '>', 400, "ways to them: $ways, of which $failed_ways ended in a failure");

like($run->{console}, qr/^leakcheck: init ended with status 0; everything came back$/m,
	'free memory is what it was before');
Guest::no_reports($run, 'the suite');
Guest::ends_well($run, 'the suite');
note sprintf '%.1f s', $run->{seconds};
done_testing;
