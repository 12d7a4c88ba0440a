/* SPDX-License-Identifier: MIT */
/*
 * bench: what operations on memory cost, in guest instructions. Process 1 of a boot under QEMU's
 * -icount shift=0, where the time stamp counter moves by one with each instruction; the same file
 * runs in Tessera and in Linux. docs/bench.md says how, and what each row does.
 *
 * Prints lines for the one who reads the serial line, fields separated by tabs:
 *
 *	##check NAME GOT EXPECTED	the instrument itself
 *	##row NAME VALUE		the median; - if Linux's call isn't there, E<errno> if one failed
 *	##done
 *
 * Every system call is made here and not by the C library, so that what stands between two readings
 * of the counter is this file's alone.
 */
#include "common.h"

#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE	4096UL
#define MIB	(1UL << 20)
#define RW	(PROT_READ | PROT_WRITE)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define MAXSAMP 256
#define WARMUP	8

/* What two readings with nothing between them are apart: rdtsc, shl, lea. */
#define EMPTY_PAIR 3

/* Linux's MREMAP_ flags, which musl shows under its own conditions. */
#define MAYMOVE 1
#define FIXED	2

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

/* ---- the instrument ---- */

ALWAYS_INLINE uint64_t ticks(void)
{
	uint64_t now;

	__asm__ volatile("rdtsc\n\tshl $32, %%rdx\n\tlea (%%rax,%%rdx), %0"
			 : "=r"(now)
			 :
			 : "rax", "rdx", "cc", "memory");
	return now;
}

ALWAYS_INLINE long call6(long nr, unsigned long a, unsigned long b, unsigned long c,
			 unsigned long d, unsigned long e, unsigned long f)
{
	register unsigned long r10 __asm__("r10") = d;
	register unsigned long r8 __asm__("r8") = e;
	register unsigned long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

ALWAYS_INLINE long call3(long nr, unsigned long a, unsigned long b, unsigned long c)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

static uint64_t samples[MAXSAMP];
static int nr_samples, to_skip;
static long error;

/* Starts a row: its first `warmup` samples won't count. */
static void begin(int warmup)
{
	nr_samples = 0;
	to_skip = warmup;
	error = 0;
}

static void sample(uint64_t from, uint64_t to)
{
	if (to_skip > 0)
		to_skip--;
	else if (nr_samples < MAXSAMP)
		samples[nr_samples++] = to - from - EMPTY_PAIR;
}

/* Notes the row's first failure. Returns its argument. */
static long checked(long ret)
{
	if (ret < 0 && ret >= -4095 && !error)
		error = -ret;
	return ret;
}

#define TIMED(operation)                       \
	do {                                   \
		uint64_t from_ = ticks(), to_; \
		operation;                     \
		to_ = ticks();                 \
		sample(from_, to_);            \
	} while (0)

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median(void)
{
	qsort(samples, nr_samples, sizeof(samples[0]), by_size);
	return nr_samples ? samples[nr_samples / 2] : 0;
}

/* The counter doesn't wait for the console's interrupts; the next row's samples shall not either. */
static void rest(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	call3(SYS_nanosleep, (unsigned long)&ts, 0, 0);
}

static void report(const char *name)
{
	if (error == ENOSYS)
		say("##row\t%s\t-\n", name);
	else if (error || !nr_samples)
		say("##row\t%s\tE%ld\n", name, error);
	else
		say("##row\t%s\t%lu\n", name, (unsigned long)median());
	rest(20);
}

static void check_instrument(void)
{
	begin(WARMUP);
	for (int i = 0; i < 50; i++)
		TIMED(;);
	say("##check\tan empty pair\t%lu\t%d\n", (unsigned long)median() + EMPTY_PAIR, EMPTY_PAIR);
	begin(WARMUP);
	for (int i = 0; i < 50; i++)
		TIMED(__asm__ volatile("mov $1000, %%ecx\n1:\tdec %%ecx\n\tjnz 1b" ::
					       : "ecx", "cc"));
	say("##check\ta loop of 2001\t%lu\t%d\n", (unsigned long)median(), 2001);
}

/* ---- pieces of rows ---- */

ALWAYS_INLINE char *map_at(unsigned long addr, unsigned long len, int prot, int flags)
{
	return (char *)call6(SYS_mmap, addr, len, prot, ANON | flags, -1, 0);
}

ALWAYS_INLINE long unmap(const void *p, unsigned long len)
{
	return call3(SYS_munmap, (unsigned long)p, len, 0);
}

/* One byte of each page written; a loop of four instructions a page in every compilation. */
ALWAYS_INLINE void touch(char *p, unsigned long len)
{
	char *end = p + len;

	__asm__ volatile("1:\tmovb $1, (%0)\n\tadd $4096, %0\n\tcmp %1, %0\n\tjb 1b"
			 : "+r"(p)
			 : "r"(end)
			 : "cc", "memory");
}

ALWAYS_INLINE void read_byte(const char *p)
{
	__asm__ volatile("movb (%0), %%al" : : "r"(p) : "rax", "memory");
}

ALWAYS_INLINE void write_byte(char *p)
{
	__asm__ volatile("movb $1, (%0)" : : "r"(p) : "memory");
}

static int failed(const void *p)
{
	return checked((long)p) < 0;
}

/* ---- rows ---- */

static void row_getppid(void)
{
	begin(WARMUP);
	for (int i = 0; i < 200; i++)
		TIMED(checked(call3(SYS_getppid, 0, 0, 0)));
	report("getppid");
}

/* By the C library, which goes through the vdso if there is one. */
static void row_clock_gettime(void)
{
	struct timespec ts;

	begin(WARMUP);
	for (int i = 0; i < 200; i++)
		TIMED(checked(clock_gettime(CLOCK_MONOTONIC, &ts)));
	report("clock_gettime");
}

static void rows_mmap(void)
{
	begin(WARMUP);
	for (int i = 0; i < 200; i++) {
		char *p;

		TIMED({
			p = map_at(0, PAGE, RW, 0);
			unmap(p, PAGE);
		});
		checked((long)p);
	}
	report("mmap + munmap, 1 page");

	begin(WARMUP);
	for (int i = 0; i < 50; i++) {
		char *p;

		TIMED({
			p = map_at(0, 256 * PAGE, RW, 0);
			touch(p, 256 * PAGE);
			unmap(p, 256 * PAGE);
		});
		checked((long)p);
	}
	report("mmap, touch 256, munmap");
}

static void rows_fault(void)
{
	enum { PAGES = 240 };
	char *p;

	begin(WARMUP);
	p = map_at(0, PAGES * PAGE, RW, 0);
	for (int i = 0; i < PAGES; i++)
		TIMED(read_byte(p + i * PAGE));
	report("read fault");
	begin(WARMUP);
	for (int i = 0; i < PAGES; i++)
		TIMED(write_byte(p + i * PAGE));
	report("write after zero page");
	checked(unmap(p, PAGES * PAGE));

	begin(WARMUP);
	p = map_at(0, PAGES * PAGE, RW, 0);
	for (int i = 0; i < PAGES; i++)
		TIMED(write_byte(p + i * PAGE));
	checked(unmap(p, PAGES * PAGE));
	report("write fault");
}

#define MPROTECT(p, len, prot) checked(call3(SYS_mprotect, (unsigned long)(p), len, prot))

/* `lead` pages of the same area stand on each side of the 16. */
static void mprotect_pair(unsigned long lead, const char *there, const char *back)
{
	unsigned long len = (16 + 2 * lead) * PAGE;
	char *p = map_at(0, len, RW, 0);

	touch(p, len);
	for (int pass = 0; pass < 2; pass++) {
		begin(WARMUP);
		for (int i = 0; i < 100; i++) {
			if (pass == 0)
				TIMED(MPROTECT(p + lead * PAGE, 16 * PAGE, PROT_READ));
			else
				MPROTECT(p + lead * PAGE, 16 * PAGE, PROT_READ);
			if (pass == 1)
				TIMED(MPROTECT(p + lead * PAGE, 16 * PAGE, RW));
			else
				MPROTECT(p + lead * PAGE, 16 * PAGE, RW);
			/* A write fault may have to come before the pages are writable again. */
			touch(p, len);
		}
		report(pass ? back : there);
	}
	unmap(p, len);
}

static void rows_mprotect(void)
{
	mprotect_pair(0, "mprotect 16 pages, to read-only", "mprotect 16 pages, to writable");
	mprotect_pair(16, "mprotect 16 pages, splitting", "mprotect 16 pages, merging back");
}

#define MREMAP(p, old, len, flags, to) \
	checked(call6(SYS_mremap, (unsigned long)(p), old, len, flags, (unsigned long)(to), 0))

/*
 * Moves `len` touched bytes that begin `skew` after a multiple of 2 MiB: by growing against an
 * obstacle, to where the kernel likes, or to a multiple of 2 MiB (`fixed`). And back, untimed.
 */
static void move(unsigned long len, unsigned long skew, int fixed, const char *name)
{
	unsigned long room = 2 * len + 6 * MIB;
	unsigned long base, src, dst;
	char *all;

	begin(2);
	all = map_at(0, room, PROT_NONE, MAP_NORESERVE);
	base = ((unsigned long)all + 2 * MIB - 1) & -(2 * MIB);
	src = base + skew;
	dst = base + ((len + 4 * MIB) & -(2 * MIB));
	map_at(src, len, RW, MAP_FIXED);
	touch((char *)src, len);
	for (int i = 0; i < 12 && !error; i++) {
		long to;

		if (fixed) {
			TIMED(to = MREMAP(src, len, len, MAYMOVE | FIXED, dst));
		} else {
			TIMED(to = MREMAP(src, len, len + PAGE, MAYMOVE, 0));
			if (!error)
				MREMAP(to, len + PAGE, len, 0, 0);
		}
		if (!error)
			MREMAP(to, len, len, MAYMOVE | FIXED, src);
	}
	report(name);
	unmap(all, room);
}

static void rows_mremap(void)
{
	move(MIB, 0, 0, "mremap 1 MiB, growing");
	move(MIB, 5 * PAGE, 0, "mremap 1 MiB, growing, not aligned");
	move(MIB, 0, 1, "mremap 1 MiB, aligned to aligned");
	move(MIB, 5 * PAGE, 1, "mremap 1 MiB, not aligned to aligned");
	move(64 * MIB, 0, 0, "mremap 64 MiB, growing");
	move(64 * MIB, 5 * PAGE, 0, "mremap 64 MiB, growing, not aligned");
	move(64 * MIB, 0, 1, "mremap 64 MiB, aligned to aligned");
	move(64 * MIB, 5 * PAGE, 1, "mremap 64 MiB, not aligned to aligned");
}

#define BRK(to) call3(SYS_brk, to, 0, 0)

static void rows_brk(void)
{
	unsigned long start = (BRK(0) + PAGE - 1) & -PAGE;

	BRK(start);
	begin(WARMUP);
	for (int i = 0; i < 100; i++) {
		unsigned long top;

		TIMED({
			top = BRK(start + PAGE);
			BRK(start);
		});
		if (top != start + PAGE)
			error = ENOMEM;
	}
	report("brk + 1 page, - 1 page");

	begin(WARMUP);
	for (int i = 0; i < 50; i++) {
		unsigned long top;

		TIMED({
			top = BRK(start + MIB);
			if (top == start + MIB)
				touch((char *)start, MIB);
		});
		if (top != start + MIB)
			error = ENOMEM;
		BRK(start);
	}
	report("brk + 1 MiB, touched");
}

static void row_dontneed(void)
{
	char *p = map_at(0, 256 * PAGE, RW, 0);

	begin(WARMUP);
	for (int i = 0; i < 50; i++) {
		touch(p, 256 * PAGE);
		TIMED(checked(call3(SYS_madvise, (unsigned long)p, 256 * PAGE, MADV_DONTNEED)));
	}
	report("madvise DONTNEED, 256 pages");
	unmap(p, 256 * PAGE);
}

static void rows_mlock(void)
{
	char *p = map_at(0, MIB, RW, 0);

	touch(p, MIB);
	for (int pass = 0; pass < 2; pass++) {
		begin(WARMUP);
		for (int i = 0; i < 50; i++) {
			if (pass == 0)
				TIMED(checked(call3(SYS_mlock, (unsigned long)p, MIB, 0)));
			else
				checked(call3(SYS_mlock, (unsigned long)p, MIB, 0));
			if (pass == 1)
				TIMED(checked(call3(SYS_munlock, (unsigned long)p, MIB, 0)));
			else
				checked(call3(SYS_munlock, (unsigned long)p, MIB, 0));
		}
		report(pass ? "munlock 1 MiB" : "mlock 1 MiB, present");
	}
	unmap(p, MIB);

	begin(WARMUP);
	for (int i = 0; i < 50; i++) {
		p = map_at(0, MIB, RW, 0);
		TIMED(checked(call3(SYS_mlock, (unsigned long)p, MIB, 0)));
		unmap(p, MIB);
	}
	report("mlock 1 MiB, absent");
}

/* ---- processes ---- */

enum then { EXITS, STAYS };

/* A child that ends at once, or waits for its end. Returns its number. */
ALWAYS_INLINE long fork_child(enum then then)
{
	long pid = call3(SYS_fork, 0, 0, 0);

	while (pid == 0)
		call3(then == EXITS ? SYS_exit_group : SYS_pause, 0, 0, 0);
	return checked(pid);
}

ALWAYS_INLINE void reap(long pid)
{
	if (pid > 0)
		checked(call6(SYS_wait4, pid, 0, 0, 0, 0, 0));
}

static void row_fork(unsigned long len, int rounds, const char *name)
{
	char *p = map_at(0, len + PAGE, RW, 0);

	touch(p, len + PAGE);
	begin(2);
	for (int i = 0; i < rounds; i++) {
		TIMED(reap(fork_child(EXITS)));
		rest(1);
	}
	report(name);
	unmap(p, len + PAGE);
}

/* First writes after a fork, while the child has the pages, too, or when it is gone. */
static void row_cow(enum then then, const char *name)
{
	const int pages = 64;
	char *p = map_at(0, pages * PAGE, RW, 0);

	begin(WARMUP);
	for (int round = 0; round < 4; round++) {
		long pid;

		touch(p, pages * PAGE);
		pid = fork_child(then);
		if (then == EXITS)
			reap(pid);
		rest(1);
		for (int i = 0; i < pages; i++)
			TIMED(write_byte(p + i * PAGE));
		if (then == EXITS || pid <= 0)
			continue;
		checked(call3(SYS_kill, pid, SIGKILL, 0));
		reap(pid);
	}
	report(name);
	unmap(p, pages * PAGE);
}

static void rows_fork(void)
{
	row_fork(0, 20, "fork, exit, wait");
	row_fork(64 * MIB, 6, "fork, exit, wait, 64 MiB written");
	row_cow(STAYS, "write fault after fork, copy");
	row_cow(EXITS, "write fault after fork, kept");
}

/* ---- many areas ---- */

/*
 * `count` areas of two pages, a page apart so that they stay single, and in the middle two pages
 * apart: the one gap that two pages fit in. The first page of each is written.
 */
#define STRIDE (3 * PAGE)

struct crowd {
	unsigned long start, len, gap;
	int count;
};

static char *area_of(const struct crowd *c, int i)
{
	return (char *)(c->start + i * STRIDE + (i >= c->count / 2 ? PAGE : 0));
}

static int crowd_make(struct crowd *c, int count)
{
	char *p;

	c->count = count;
	c->len = count * STRIDE;
	p = map_at(0, c->len, PROT_NONE, MAP_NORESERVE);
	c->start = (unsigned long)p;
	if (failed(p) || checked(unmap(p, c->len)))
		return -1;
	for (int i = 0; i < count; i++) {
		p = map_at((unsigned long)area_of(c, i), 2 * PAGE, RW, MAP_FIXED);
		if (failed(p))
			return -1;
		write_byte(p);
	}
	c->gap = (unsigned long)area_of(c, count / 2) - 2 * PAGE;
	return 0;
}

/* Second pages, here and there: the area's own preparations are made, it is in no cache. */
static void crowd_faults(const struct crowd *c)
{
	int faults = c->count < 200 ? c->count : 200;

	for (int i = 0; i < faults; i++) {
		char *p = area_of(c, (long)i * 7919 % c->count) + PAGE;

		TIMED(write_byte(p));
	}
}

static void crowd_gap(const struct crowd *c)
{
	for (int i = 0; i < 60; i++) {
		char *p;

		TIMED({
			p = map_at(0, 2 * PAGE, PROT_READ, 0);
			unmap(p, 2 * PAGE);
		});
		/* Found elsewhere, it would be another search than the one meant. */
		if (!failed(p) && (unsigned long)p != c->gap)
			error = EINVAL;
	}
}

enum crowd_row { FAULT, GAP, UNMAP };

static void crowd_row(enum crowd_row row, int count, int rounds, const char *what)
{
	struct crowd c;
	char name[64];

	begin(row == UNMAP ? 1 : WARMUP);
	for (int i = 0; i < rounds; i++) {
		if (crowd_make(&c, count) != 0)
			break;
		if (row == FAULT)
			crowd_faults(&c);
		if (row == GAP)
			crowd_gap(&c);
		if (row == UNMAP)
			TIMED(checked(unmap((char *)c.start, c.len)));
		else
			checked(unmap((char *)c.start, c.len));
	}
	snprintf(name, sizeof(name), "%s, %d areas", what, count);
	report(name);
}

static void rows_crowd(int count, int rounds)
{
	crowd_row(FAULT, count, rounds < 10 ? 1 : rounds, "write fault");
	crowd_row(GAP, count, 1, "mmap + munmap");
	crowd_row(UNMAP, count, rounds, "munmap of all");
}

int main(void)
{
	prepare_linux();
	/* What goes on after a boot shall be over. */
	rest(5000);
	check_instrument();
	row_getppid();
	row_clock_gettime();
	rows_mmap();
	rows_fault();
	rows_mprotect();
	rows_mremap();
	rows_brk();
	row_dontneed();
	rows_mlock();
	rows_fork();
	rows_crowd(10, 20);
	rows_crowd(1000, 9);
	rows_crowd(60000, 3);
	say("##done\n");
	power_off();
	return 1;
}
