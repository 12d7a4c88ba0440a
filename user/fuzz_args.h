/* SPDX-License-Identifier: MIT */
/*
 * fuzz_args.h: arguments, each of a kind that a letter names. Most are what a program would pass; some
 * are at the limits of what may be passed, and some are nonsense.
 */
#ifndef USER_FUZZ_ARGS_H
#define USER_FUZZ_ARGS_H

#include "fuzz.h"

static unsigned long bad_address(struct fuzzer *f)
{
	static const unsigned long bad[] = {
		0,
		1,
		PAGE,
		TASK_SIZE,
		TASK_SIZE - 1,
		TASK_SIZE - PAGE,
		TASK_SIZE + PAGE,
		0x800000000000,
		0x7fffffffffffffff,
		0x8000000000000000,
		0xffff7fffffffffff,
		0xffff800000000000,
		0xffff888000000000,
		0xffffea0000000000,
		0xffffffff80200000,
		-PAGE,
		-1UL,
		-8UL,
	};

	if (chance(f, 10))
		return random64(f);
	return bad[below(f, COUNT(bad))];
}

/* Mostly where a page of the window begins. */
static unsigned long window_address(struct fuzzer *f)
{
	unsigned long addr = WINDOW + below(f, WINDOW_PAGES) * PAGE;

	if (chance(f, 25))
		addr = WINDOW + WINDOW_PAGES / 2 * PAGE + below(f, 5) * PAGE - 2 * PAGE;
	return chance(f, 5) ? addr + below(f, PAGE) : addr;
}

static unsigned long any_address(struct fuzzer *f)
{
	unsigned long n = below(f, 100);

	if (n < 90 || f->careful)
		return window_address(f);
	if (n < 98)
		return bad_address(f);
	return (unsigned long)f & (chance(f, 50) ? -PAGE : -1UL);
}

static unsigned long any_length(struct fuzzer *f)
{
	static const unsigned long odd[] = {
		0,	    -1UL,      -PAGE,	  1UL << 63,	    1UL << 47,
		TASK_SIZE,  1UL << 31, 1UL << 32, TASK_SIZE - PAGE, 0x7fffffff,
		0xfffff000, -WINDOW,
	};
	unsigned long n = below(f, 100);

	if (n < 70 || f->careful)
		return (1 + below(f, 8)) * PAGE;
	if (n < 80)
		return (1 + below(f, WINDOW_PAGES)) * PAGE;
	if (n < 94)
		return below(f, 3 * PAGE);
	return odd[below(f, COUNT(odd))];
}

/* A few words that may be addresses, lengths, flags or numbers. */
static unsigned long scratch(struct fuzzer *f)
{
	unsigned long at = SCRATCH + below(f, 500) * 8, *words = (unsigned long *)at;

	for (int i = 0; i < 8; i++) {
		switch (below(f, 5)) {
		case 0:
			words[i] = any_address(f);
			break;
		case 1:
			words[i] = any_length(f);
			break;
		case 2:
			words[i] = random64(f);
			break;
		case 3:
			words[i] = 1UL << below(f, 64);
			break;
		default:
			words[i] = below(f, 32);
		}
	}
	return chance(f, 5) ? at + below(f, 8) : at;
}

static unsigned long any_pointer(struct fuzzer *f)
{
	unsigned long n = below(f, 100);

	if (n < 65 || f->careful)
		return scratch(f);
	if (n < 85)
		return window_address(f) + (chance(f, 30) ? PAGE - below(f, 64) : 0);
	/* The last bytes before a page that isn't there. */
	if (n < 90)
		return SCRATCH + SCRATCH_PAGES * PAGE - below(f, 64);
	return n < 93 ? 0 : bad_address(f);
}

/* struct iovec: addresses with lengths behind them. */
static unsigned long io_vector(struct fuzzer *f)
{
	unsigned long at = SCRATCH + below(f, 400) * 8, *words = (unsigned long *)at;

	if (!f->careful && chance(f, 10))
		return any_pointer(f);
	for (int i = 0; i < 4; i++) {
		words[2 * i] = chance(f, 80) ? any_address(f) : any_pointer(f);
		words[2 * i + 1] = any_length(f);
	}
	return at;
}

/* struct timespec, timeval or two of them: so short that nobody sleeps for long. */
static unsigned long short_time(struct fuzzer *f)
{
	unsigned long at = SCRATCH + below(f, 500) * 8, *words = (unsigned long *)at;

	if (chance(f, 10))
		return any_pointer(f);
	if (chance(f, 15))
		return 0;
	for (int i = 0; i < 4; i++)
		words[i] = i % 2 ? below(f, chance(f, 95) ? 2000 : 2000000000) : 0;
	return at;
}

static const char *const names[] = { "a",    "b",    "c",      "d",   "d/a", "d/b", "d/d",  "link",
				     "fifo", "d/..", "link/a", "a/b", "./a", "",    "d/d/c" };
static const char *const readable[] = {
	"/proc/self/maps",   "/proc/self/smaps",      "/proc/self/mem", "/proc/self/pagemap",
	"/proc/self/status", "/proc/self/stat",	      "/proc/self/fd",	"/proc/self/map_files",
	"/proc/self/task",   "/proc/self/environ",    "/proc/self/exe", "/proc/self/cwd",
	"/proc/meminfo",     "/proc/self/clear_refs", "/proc/vmstat",	"/proc/self/oom_score_adj",
	"/proc/sysvipc/shm", "/proc/self/fail-nth",   "/dev/zero",	"/dev/null",
	"/dev/full",	     "/dev/memdemo",	      "/dev/shm/a",	"/proc/self/mountinfo",
	"/proc/mounts",	     "/dev/urandom"
};

static unsigned long path(struct fuzzer *f, bool to_open)
{
	char *at = (char *)SCRATCH + 5000 + below(f, 2000);
	unsigned long n = below(f, 100);

	if (n < 5 && !f->careful)
		return any_pointer(f);
	if (n < 6 && !f->careful) {
		memset(at, 'x', 4100);
		at[chance(f, 50) ? 256 : 4099] = '\0';
	} else if (n < 9) {
		snprintf(at, 64, "/proc/self/fd/%d", (int)below(f, 24));
	} else if (to_open && n < 40) {
		strcpy(at, readable[below(f, COUNT(readable))]);
	} else {
		strcpy(at, names[below(f, COUNT(names))]);
	}
	return (unsigned long)at;
}

static unsigned long any_fd(struct fuzzer *f)
{
	unsigned long n = below(f, 100);

	if (n < 85 || f->careful)
		return FIRST_FD + below(f, LAST_FD - FIRST_FD + 1);
	if (n < 95)
		return below(f, 40);
	return n < 98 ? -1UL : random64(f);
}

static unsigned long any_pid(struct fuzzer *f)
{
	unsigned long n = below(f, 100);

	if (n < 40)
		return 0;
	if (n < 70)
		return my_pid();
	if (n < 80)
		return my_tid();
	if (n < 95)
		return my_pid() + below(f, 12) - 4;
	return n < 98 ? 999999 : random64(f);
}

/* Any of these bits, all others or none now and then. */
static unsigned long some_bits(struct fuzzer *f, const unsigned long *bits, int count)
{
	unsigned long value = 0, n = below(f, 3);

	while (n-- > 0)
		value |= bits[below(f, count)];
	return chance(f, 2) ? value | 1UL << below(f, 64) : value;
}

#define BITS(f, ...)                                         \
	some_bits(f, (const unsigned long[]){ __VA_ARGS__ }, \
		  sizeof((const unsigned long[]){ __VA_ARGS__ }) / sizeof(unsigned long))
#define ONE_OF(f, ...)    \
	(((const long[]){ \
		__VA_ARGS__ })[below(f, sizeof((const long[]){ __VA_ARGS__ }) / sizeof(long))])

static unsigned long map_flags(struct fuzzer *f)
{
	unsigned long flags =
		chance(f, 95) ? (chance(f, 65) ? MAP_PRIVATE : MAP_SHARED) : below(f, 16);

	if (chance(f, 60))
		flags |= MAP_ANONYMOUS;
	if (chance(f, 90))
		flags |= MAP_FIXED;
	return flags | BITS(f, MAP_GROWSDOWN, MAP_LOCKED, MAP_NORESERVE, MAP_POPULATE, MAP_POPULATE,
			    MAP_NONBLOCK, MAP_STACK, MAP_FIXED_NOREPLACE, 0x40, 0);
}

static unsigned long clone_flags(struct fuzzer *f)
{
	static const unsigned long bits[] = {
		0x200,	 0x400,	   0x1000,   0x2000,   0x8000,	  0x40000,
		0x80000, 0x100000, 0x200000, 0x800000, 0x1000000,
	};
	unsigned long n = below(f, 100);

	if (n < 30)
		return SIGCHLD | some_bits(f, bits, COUNT(bits));
	if (n < 50)
		return 0x100 | 0x4000 | SIGCHLD;
	if (n < 85) /* a thread */
		return 0x50f00 | some_bits(f, bits, COUNT(bits));
	if (n < 95)
		return 0x100 | SIGCHLD | some_bits(f, bits, COUNT(bits));
	return random64(f);
}

static unsigned long any_bits(struct fuzzer *f)
{
	unsigned long n = below(f, 100);

	if (n < 40)
		return 0;
	if (n < 70)
		return 1UL << below(f, 32);
	return n < 90 ? below(f, 64) : random64(f);
}

static unsigned long number(struct fuzzer *f)
{
	unsigned long n = below(f, 100);

	if (n < 80)
		return below(f, 9);
	return n < 95 ? below(f, 5000) : n < 98 ? -1UL : random64(f);
}

static unsigned long argument(struct fuzzer *f, char kind)
{
	switch (kind) {
	case 'a':
		return any_address(f);
	case 'l':
		return any_length(f);
	case 'p':
		return any_pointer(f);
	case 'v':
		return io_vector(f);
	case 't':
		return short_time(f);
	case 'f':
		return any_fd(f);
	case 'D':
		return chance(f, 75) ? (unsigned long)AT_FDCWD : any_fd(f);
	case 'd': /* whichever kind of number the table of calls means */
		return chance(f, 45) ? any_fd(f) : chance(f, 40) ? any_pid(f) : number(f);
	case 's':
		return path(f, false);
	case 'E':
		return path(f, true);
	case 'n':
	case 'u':
		return number(f);
	case 'P':
		return chance(f, 50) ? 3 : chance(f, 95) ? below(f, 8) : any_bits(f);
	case 'M':
		return map_flags(f);
	case 'R':
		return chance(f, 95) ? below(f, 8) : any_bits(f);
	case 'A':
		return chance(f, 60) ? ONE_OF(f, 4, 4, 8, 9, 22, 23, 24, 20, 21) :
		       chance(f, 95) ? below(f, 26) :
				       random64(f);
	case 'O':
		return BITS(f, O_CREAT, O_CREAT, O_TRUNC, O_EXCL, O_APPEND, O_DIRECTORY, O_NOFOLLOW,
			    O_CLOEXEC, O_PATH, O_NONBLOCK, O_NONBLOCK, 0x410000) |
		       below(f, 4) | (chance(f, 70) ? O_NONBLOCK : 0);
	case 'W':
		return chance(f, 90) ? ONE_OF(f, 0, 1, 3, 3) : any_bits(f);
	case 'o':
		return chance(f, 85) ? below(f, 16) * PAGE + (chance(f, 30) ? below(f, PAGE) : 0) :
				       any_length(f);
	case 'i':
		return any_pid(f);
	case 'g':
		return chance(f, 70) ?
			       ONE_OF(f, 0, SIGUSR1, SIGALRM, SIGCHLD, SIGCONT, SIGSTOP, 40) :
			       below(f, 70);
	case 'U':
		return ONE_OF(f, 0, -1, 65534, 1000, 1, 0x7fffffff);
	case 'F':
		return below(f, 14) | (chance(f, 50) ? 128 : 0) | (chance(f, 2) ? 256 : 0);
	case 'w':
		return chance(f, 85) ? window_address(f) & -8UL : any_pointer(f);
	case 'c':
		return clone_flags(f);
	case 'k':
		return chance(f, 90) ? STACKS + (1 + below(f, NR_STACKS)) * STACK_SIZE : 0;
	case 'h':
		return chance(f, 90) ? (unsigned long)shared->shm_ids[below(f, 8)] : number(f);
	case 'C':
		return chance(f, 70) ? below(f, 17) : 1024 + below(f, 12);
	case 'm':
		return ONE_OF(f, 0, 0700, 0644, 0600, 01777, 04755, 0100644, 0010644, 0x7fffffff);
	case 'x':
	default:
		return any_bits(f);
	}
}

#endif
