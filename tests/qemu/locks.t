#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The debug kernel says what is wrong with locks when it is done, not when somebody waits for ever.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

sub report {
	my ($which, $panic, @also) = @_;
	my $run = Guest::boot(cmdline => "selftest=$which", limit => 60);
	Guest::ends_well($run, $which, Guest::PANIC_STATUS);
	like($run->{console}, qr/^Kernel panic: $panic/m, "$which: what it is") or Guest::show_tail($run);
	like($run->{console}, $_->[0], "$which: $_->[1]") for @also;
	return;
}

report('lock-order', qr/wrong order of locks: lock_c, then lock_a/,
	[ qr/lock_c \(spinlock\), taken at take_c_then_a\+/, 'what is held' ],
	[ qr/and now lock_a .*\n\s+take_c_then_a\+/, 'what is taken, and where' ],
	[ qr/with lock_b held, lock_c was taken at\r?\n\s+take_b_then_c\+/, 'where it was the other way round' ],
	[ qr/with lock_a held, lock_b was taken at\r?\n\s+take_a_then_b\+/, 'on each step' ]);
report('lock-recursive', qr/recursive lock: lock_a/,
	[ qr/lock_a \(spinlock\), taken at recursive\+/, 'where the first time was' ],
	[ qr/and now lock_a .*\n\s+recursive\+/, 'and the second' ]);
report('lock-not-held', qr/.* is released by who does not hold it/,
	[ qr/^released at not_held\+/m, 'where' ]);
report('lock-sleep', qr/\S+mutex\.c:\d+ may sleep, with a spinlock held/, [ qr/sleep_atomic\+/, 'where' ]);
report('lock-reader', qr/\S+sched\.c:\d+ may sleep, between rcu_read_lock\(\) and rcu_read_unlock\(\)/,
	[ qr/sleep_reader\+/, 'where' ]);
report('lock-interrupt', qr/interrupts and locks: lock_a is taken in an interrupt, lock_a with interrupts on/,
	[ qr/taken with interrupts on at\r?\n\s+in_interrupt\+/, 'where it can be interrupted' ]);

done_testing;
