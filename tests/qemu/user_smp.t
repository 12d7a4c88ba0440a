#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The user tests about threads and processes on four processors, in the debug kernel; and a few of
# all kinds on one, which nothing else here boots with.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my @threads = sort map { m{([^/]+)\.c$} } map { glob "user/tests/$_.c" }
	qw(bug_dirty_cow bug_munmap_stack bug_populate_munmap membarrier mrelease smp_* thread* futex* fork* sig_threads process_races affinity);
cmp_ok(scalar @threads, '>', 15, 'there are tests about threads');
Guest::run_tests('4 processors', \@threads, 'uid=65534 tests=' . join(',', @threads), smp => 4, limit => 1200);

my @few = sort qw(file_map_basic fork_cow futex_basic mmap_basic mremap_move sched_calls segv smp_cow smp_kill
	smp_map smp_threads smp_wake thread_faults threads_basic timers_posix);
Guest::run_tests('1 processor', \@few, 'uid=65534 tests=' . join(',', @few), smp => 1, limit => 600);

done_testing;
