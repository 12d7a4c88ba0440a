#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The user test suite, all of it in one boot on two processors: in the debug kernel, then in the
# release kernel. Each program's points are passed on as a subtest. When all of them have ended, the
# kernel compares what is free with what was free before the first.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my @expected = sort map { m{([^/]+)\.c$} } glob 'user/tests/*.c';
ok(scalar @expected, 'there are user tests');
Guest::run_tests("$_, 2 processors", \@expected, 'uid=65534 tests=all', config => $_, smp => 2, limit => 1200)
	for qw(debug release);

# What root alone is shown, and what it alone may do.
my @as_root = sort qw(efault exec_wait pagemap_frames), Guest::root_tests();
Guest::run_tests('as root', \@as_root, 'tests=' . join(',', @as_root), smp => 2, limit => 300);

done_testing;
