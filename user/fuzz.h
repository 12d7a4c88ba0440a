/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h: what the parts of fuzz share: where its memory lies, random numbers, and the record of
 * what each worker did last, which outlives it.
 */
#ifndef USER_FUZZ_H
#define USER_FUZZ_H

#include "tests/smp.h"

#define SLOTS	  3   /* worker processes of a round */
#define THREADS	  2   /* of each */
#define ROUND_OPS 400 /* of each thread in a round */
#define CHILD_OPS 12  /* of what fork or clone made */
#define MAX_DEPTH 2   /* grandchildren make no children */

/* The areas lie over the end of a page table and of the directory above it. */
#define WINDOW_PAGES 64UL
#define WINDOW	     (0x40040000000UL - WINDOW_PAGES / 2 * PAGE)
/* What good pointers point to; no page follows the last. */
#define SCRATCH	      0x50000000000UL
#define SCRATCH_PAGES 8UL
#define STACKS	      0x51000000000UL /* of clone's children */
#define STACK_SIZE    (4 * PAGE)
#define NR_STACKS     8
#define SHARED_AT     0x52000000000UL
#define SHARED_FD     200

#define FIRST_FD 3
#define LAST_FD	 20

struct record {
	long nr, args[6], result;
};
#define RECORDS	   16
#define NR_COUNTED 512

struct shared {
	unsigned long seed, round;
	bool root;
	int protected[6]; /* processes that no call may name: the supervisor and its ancestors */
	long counts[NR_COUNTED][2]; /* of each call: how often it succeeded, and failed */
	int shm_ids[8];
	unsigned int next_shm;
	struct log {
		volatile unsigned long ops;
		struct record records[RECORDS];
	} logs[SLOTS * THREADS];
};

static struct shared *const shared = (struct shared *)SHARED_AT;

/* Who draws random numbers and makes calls: a thread of a worker, or a child of one. */
struct fuzzer {
	unsigned long random;
	struct log *log;
	int depth;    /* 0: a worker's thread */
	bool careful; /* with the arguments of this call */
};

static unsigned long below(struct fuzzer *f, unsigned long n)
{
	return random_below(&f->random, n);
}

static bool chance(struct fuzzer *f, unsigned int percent)
{
	return below(f, 100) < percent;
}

static unsigned long random64(struct fuzzer *f)
{
	unsigned long high = below(f, 1UL << 32);

	return high << 32 | below(f, 1UL << 32);
}

__attribute__((format(printf, 1, 2))) static void tell(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tap_vline("fuzz: ", fmt, args);
	va_end(args);
}

static unsigned long now_ms(void)
{
	struct timespec ts = { 0, 0 };

	raw(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000UL + ts.tv_nsec / 1000000;
}

#endif
