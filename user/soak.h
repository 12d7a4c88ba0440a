/* SPDX-License-Identifier: MIT */
/*
 * soak.h: what all processes of a soak share. Its memory lies at the same place in each of them,
 * so that an address alone tells what may be found there.
 */
#ifndef USER_SOAK_H
#define USER_SOAK_H

#include "tests/smp.h"

#define SLOTS_MAX   8	 /* worker processes at a time */
#define THREADS_MAX 8	 /* of each */
#define REGION	    64UL /* pages that one thread works on */
#define WORDS	    (PAGE / 8)
/* A region lies over the end of a page table, so that tables come and go with it. */
#define STRIDE	   (2 * MIB)
#define ARENA	   (0x100000000000UL + STRIDE - REGION / 2 * PAGE)
#define SHARED_AT  0x200000000000UL
#define SHARED_FD  90
#define FILES	   3
#define FILE_FD	   91 /* and the next ones */
#define FILE_PAGES 32UL

/* Counters and state that all see; a file, so that a program that is executed finds it again. */
struct shared {
	long complaints;
	long memory_out; /* calls that failed for want of memory, which isn't wrong */
	long counts[64];
	volatile int over;
	volatile int word; /* to wait on and be woken */
	unsigned long seed, deadline_ns, ops_left;
	int slots, threads, cpus;
	volatile int pids[SLOTS_MAX];
	unsigned long starts; /* processes so far */
};

static struct shared *const shared = (struct shared *)SHARED_AT;

/* A worker: a thread with a region of its own. */
struct worker {
	struct thread thread;
	int slot, number, index;
	unsigned long random, round;
	bool alone;		     /* in a child, which has no other threads */
	signed char prot[REGION];    /* -1: not mapped */
	unsigned long value[REGION]; /* what all words of a page are, but for its last */
	unsigned long scratch[2 * WORDS] __attribute__((aligned(PAGE)));
};

static int my_slot;
static struct worker *workers; /* of this process */

__attribute__((format(printf, 2, 3))) static void tell(const char *prefix, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tap_vline(prefix, fmt, args);
	va_end(args);
}

static long own_complaints; /* of this process */

/* Says what is wrong, counts it, and goes on. */
#define wrong(...)                                                                     \
	do {                                                                           \
		own_complaints++;                                                      \
		if (__atomic_add_fetch(&shared->complaints, 1, __ATOMIC_SEQ_CST) < 50) \
			tell("soak: complaint: ", __VA_ARGS__);                        \
	} while (0)

/* A call's result, which must be this; or ENOMEM, if memory may be short. */
static bool got(long value, long want, const char *what)
{
	if (value == want)
		return true;
	if (value == -ENOMEM)
		__atomic_add_fetch(&shared->memory_out, 1, __ATOMIC_SEQ_CST);
	else
		wrong("%s: %ld, wanted %ld", what, value, want);
	return false;
}

static unsigned long now_ns(void)
{
	struct timespec ts = { 0, 0 };

	raw(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000UL + ts.tv_nsec;
}

static unsigned long below(struct worker *w, unsigned long n)
{
	return random_below(&w->random, n);
}

/* --- tags ------------------------------------------------------------------------------------- */

static unsigned long tag_of(int index)
{
	return (0x50a40000UL + index) << 32;
}

static bool has_tag(unsigned long value, int index)
{
	return value == 0 || (value & 0xffffffff00000000UL) == tag_of(index);
}

static char *region(int index)
{
	return (char *)ARENA + index * 2 * STRIDE;
}

static char *page_of(struct worker *w, unsigned long page)
{
	return region(w->index) + page * PAGE;
}

static unsigned long file_tag(int file, unsigned long page)
{
	return (0xf11e0000UL + file * 0x1000 + page) << 32;
}

static bool of_file(unsigned long value, int file, unsigned long page)
{
	return value == 0 || (value & 0xffffffff00000000UL) == file_tag(file, page);
}

#endif
