/* SPDX-License-Identifier: MIT */
/*
 * One time on all processors. clock_ns() and the programs' clock read the time-stamp counter of whatever
 * processor they are on, so a counter that is behind another's would let time go back. One side asks,
 * the other answers with what its counter says; the answer has to lie between what the asking side's
 * said before and after. If it doesn't, the answering side's counter is moved by what is missing
 * (IA32_TIME_STAMP_COUNTER may be written: SDM volume 3B, 17.17.3) and everything is done again.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/smp_boot.h>

#include "kernel/base/printk.h"

#define MSR_TSC	    0x10
#define ROUNDS	    16
#define CORRECTIONS 3
#define ANSWER_NS   5000000000UL
#define S64_MAX	    ((s64)(~0UL >> 1))

enum {
	ASK_READ,
	ASK_MOVE,
	ASK_END,
};

static struct {
	unsigned int asked, answered; /* equal: nothing is asked */
	int what;
	s64 value; /* to move by; the counter */
} sync;

static bool ask(int what, s64 value)
{
	u64 start = clock_ns();

	sync.what = what;
	sync.value = value;
	__atomic_store_n(&sync.asked, sync.asked + 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&sync.answered, __ATOMIC_ACQUIRE) != sync.asked) {
		if (clock_ns() - start > ANSWER_NS) {
			sync.answered = sync.asked; /* for the next one */
			return false;
		}
		cpu_relax();
	}
	return true;
}

/* By how much the other counter is ahead (below 0: behind), as far as that can be seen. */
static bool measure(s64 *ahead)
{
	s64 least = -S64_MAX, most = S64_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		s64 before = (s64)tsc_read(), after;

		if (!ask(ASK_READ, 0))
			return false;
		after = (s64)tsc_read();
		least = max(least, sync.value - after);
		most = min(most, sync.value - before);
	}
	*ahead = least > 0 ? least : most < 0 ? most : 0;
	return true;
}

bool tsc_sync_others(void)
{
	s64 ahead;

	for (int i = 0; i <= CORRECTIONS; i++) {
		if (!measure(&ahead))
			return false;
		if (!ahead)
			return ask(ASK_END, 0);
		pr_info("tsc: a processor's counter is moved by %ld\n", (long)-ahead);
		if (!ask(ASK_MOVE, -ahead))
			return false;
	}
	return false;
}

void tsc_sync_self(void)
{
	unsigned int answered = __atomic_load_n(&sync.answered, __ATOMIC_ACQUIRE);

	for (;;) {
		int what;

		while (__atomic_load_n(&sync.asked, __ATOMIC_ACQUIRE) == answered)
			cpu_relax();
		what = sync.what;
		if (what == ASK_READ)
			sync.value = (s64)tsc_read();
		else if (what == ASK_MOVE)
			wrmsr(MSR_TSC, tsc_read() + (u64)sync.value);
		__atomic_store_n(&sync.answered, ++answered, __ATOMIC_RELEASE);
		if (what == ASK_END)
			return;
	}
}
