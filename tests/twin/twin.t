#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The twin run: random sequences of the memory calls whose text is the same as in the reference. What
# that printed is stored as a hash for each seed; `make twin` shows where a seed parts from it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../qemu";
use Guest;
use Test::More;
use Twin;

# Each error that the calls have for anonymous memory and for files must have come up.
my %errors = (
	mmap => [qw(EPERM EBADF EAGAIN ENOMEM EEXIST EINVAL EACCES EOVERFLOW EOPNOTSUPP)],
	munmap => [qw(EINVAL)],
	mprotect => [qw(ENOMEM EINVAL EACCES)],
	mremap => [qw(EPERM EAGAIN ENOMEM EFAULT EINVAL)],
	mlock => [qw(EPERM ENOMEM EINVAL)],
	mlock2 => [qw(EPERM ENOMEM EINVAL)],
	munlock => [qw(ENOMEM EINVAL)],
	mlockall => [qw(EPERM ENOMEM EINVAL)],
	madvise => [qw(ENOMEM EINVAL EACCES EFAULT)],
	mincore => [qw(ENOMEM EFAULT EINVAL)],
	msync => [qw(ENOMEM EBUSY EINVAL)],
	brk => [qw(kept)],
	write => [qw(fault bus)],
	read => [qw(fault bus)],
	kwrite => [qw(EFAULT)],
	kread => [qw(EFAULT)],
	ftruncate => [qw(EINVAL)],
	fallocate => [qw(EBADF EINVAL EFBIG EOPNOTSUPP)],
	pread => [qw(EBADF EFAULT EINVAL)],
	pwrite => [qw(EBADF EFAULT EINVAL)],
	memread => [qw(EIO)],
	memwrite => [qw(EIO)],
	remap => [qw(EINVAL)],
	seal => [qw(EPERM EBUSY EINVAL)],
	copy => [qw(EPERM EXDEV EINVAL)],
	shmget => [qw(EINVAL)],
	shmat => [qw(EINVAL EACCES ENOMEM)],
	shmdt => [qw(EINVAL)],
	shmctl => [qw(EINVAL)],
	vmread => [qw(EFAULT EINVAL)],
	vmwrite => [qw(EFAULT EINVAL)],
);

my $expected = Twin::expected();
my @seeds = sort { $a <=> $b } keys %{ $expected->{seeds} };
cmp_ok(scalar @seeds, '>=', 200, 'the reference has run 200 seeds');
is($expected->{sources}, Twin::sources_digest(), 'with the program as it is now')
	or diag 'make twin-reference writes what the reference prints now';

my $known = Twin::known();
my $ops = $expected->{ops} // 0;
cmp_ok($ops, '>=', 500, 'of 500 operations each');
my @runs = Twin::run_halves('tessera', 2400, $seeds[0], scalar @seeds, $ops);
my $got = Twin::results(@runs);
my @parted = grep { ($got->{seeds}{$_} // '') ne $expected->{seeds}{$_} && !$known->{$_} } @seeds;
is("@parted", '', 'every seed gives the same text in Tessera')
	or diag "make twin START=$parted[0] SEEDS=1 OPS=$ops shows where it parts";

my ($calls, $good) = (0, 0);
for my $results (values %{ $got->{counts} }) {
	$calls += $_ for values %$results;
	$good += $results->{ok} // 0;
}
# Each child makes so many as user/twin_fork.h says.
my ($child_ops) = Guest::slurp('user/twin_fork.h') =~ /^#define CHILD_OPS (\d+)/m;
my $children = $got->{counts}{fork}{ok} // 0;
cmp_ok($children, '>=', 5 * @seeds, 'programs have forked');
is($calls, $ops * @seeds + $child_ops * $children, 'all operations have been made');
cmp_ok($good, '>=', 0.6 * $calls, 'most of them succeed');
is(join(' ', grep { $got->{counts}{$_}{ENOSYS} } sort keys %{ $got->{counts} }), '', 'no call is missing');
for my $call (sort keys %errors) {
	is(join(' ', grep { !$got->{counts}{$call}{$_} } @{ $errors{$call} }), '',
		"$call has failed in every way it can: @{ $errors{$call} }");
}
Guest::ends_well($_, 'the twin run') for @runs;
note sprintf '%d seeds of %d operations in %.1f s', scalar @seeds, $ops,
	$runs[0]{seconds} > $runs[1]{seconds} ? $runs[0]{seconds} : $runs[1]{seconds};

done_testing;
