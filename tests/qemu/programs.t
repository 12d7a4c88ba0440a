#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Programs that were built for Linux by compilers and people who never heard of this kernel: hello
# from two C libraries, statically linked and position-independent, and the distribution's busybox.
use strict;
use warnings;
use Digest::SHA;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my $root = "$Guest::build/root";
my $numbers = Guest::slurp("$root/etc/numbers");
my $motd = Guest::slurp("$root/etc/motd");
chomp $motd;
opendir my $dir, $root or die "$root: $!\n";
my @entries = sort grep { !/^\./ } readdir $dir;

# What one of the programs prints on this machine, which runs Linux: the guest's must be the same.
sub on_linux {
	my ($name) = @_;
	my $pid = open(my $output, '-|') // die "fork: $!\n";
	if (!$pid) {
		exec { "$Guest::build/user/bin/$name" } "/bin/$name" or exit 127;
	}
	local $/;
	my $text = <$output>;
	close $output or die "$name fails on this machine\n";
	return sub { "$_[0]\n" eq $text };
}

# Each command line, its words joined by '+' as the runner takes them, and what it must print.
my @programs = (
	[ '/bin/hello-musl', on_linux('hello-musl') ],
	[ '/bin/hello-glibc', on_linux('hello-glibc') ],
	[ '/bin/hello-pie', on_linux('hello-pie') ],
	[ '/bin/busybox+echo+one+two', qr/^one two$/ ],
	[ '/bin/echo+by+a+link', qr/^by a link$/ ],
	[ '/bin/cat+/etc/motd', qr/^\Q$motd\E$/ ],
	[ '/bin/cat+/etc/motd+/etc/motd', qr/^\Q$motd\E\n\Q$motd\E$/ ],
	[ '/bin/ls+/', sub { join(' ', sort split ' ', $_[0]) eq "@entries" } ],
	[ '/bin/sha256sum+/etc/numbers', sub { $_[0] eq Digest::SHA::sha256_hex($numbers) . '  /etc/numbers' } ],
	[ '/bin/sha256sum+/bin/busybox', sub {
		$_[0] eq Digest::SHA::sha256_hex(Guest::slurp("$root/bin/busybox")) . '  /bin/busybox' } ],
);

my $run = Guest::boot(cmdline => 'quiet init=/bin/runner tests=' . join(',', map { $_->[0] } @programs),
	limit => 60);
my @sections = Guest::sections($run);
is(scalar @sections, scalar @programs, 'all of them were started');

for my $i (0 .. $#programs) {
	my ($command, $want) = @{ $programs[$i] };
	my $section = $sections[$i] or last;
	my $output = join "\n", @{ $section->{lines} };
	Guest::succeeded($section, "$command ends");
	if (ref $want eq 'CODE') {
		ok($want->($output), "$command prints the right thing") or diag $output;
	} else {
		like($output, $want, "$command prints the right thing");
	}
}
Guest::ends_well($run, 'programs');

done_testing;
