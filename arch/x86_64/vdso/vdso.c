/* SPDX-License-Identifier: MIT */
/*
 * The functions of the vdso: code of the kernel's that programs run. It is mapped at another address in
 * each, directly behind the page of data ([vvar]), and has no data of its own. What it can't tell
 * from that page it asks the kernel for, as the program would have done.
 */
#include <arch/clock.h>
#include <arch/vdso.h>

#define SYS_gettimeofday  96
#define SYS_time	  201
#define SYS_clock_gettime 228
#define SYS_clock_getres  229

#define NS_PER_SEC 1000000000UL

/* The page lies so far below where the linker says that this file begins. */
static const struct vdso_data *vdso_data(void)
{
	const struct vdso_data *d;

	__asm__(".hidden __ehdr_start\n\tlea __ehdr_start - %c1(%%rip), %0"
		: "=r"(d)
		: "i"(VVAR_SIZE));
	return d;
}

static long syscall2(long nr, long a, long b)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return ret;
}

/* --- reading the page -------------------------------------------------------------------------- */

static u32 read_begin(const struct vdso_data *d)
{
	u32 seq;

	while (unlikely((seq = READ_ONCE(d->seq)) & 1))
		__asm__ volatile("pause");
	barrier(); /* loads are seen in their order: SDM volume 3A, 8.2.2 */
	return seq;
}

static bool read_retry(const struct vdso_data *d, u32 seq)
{
	barrier();
	return unlikely(READ_ONCE(d->seq) != seq);
}

/* The clock may have been set to before the boot would have been: it shows no time before 1970. */
static s64 since_1970(const struct vdso_data *d, s64 ns)
{
	ns += d->realtime_ns;
	return unlikely(ns < 0) ? 0 : ns;
}

/* Nanoseconds since boot, or since 1970. False: only the kernel knows. */
static __always_inline bool fine_ns(bool realtime, s64 *ns)
{
	const struct vdso_data *d = vdso_data();
	u32 seq;

	do {
		seq = read_begin(d);
		if (unlikely(d->clock != VDSO_CLOCK_TSC))
			return false;
		*ns = (s64)tsc_to_ns(tsc_read(), d->tsc_base, d->tsc_mult);
		if (realtime)
			*ns = since_1970(d, *ns);
	} while (read_retry(d, seq));
	return true;
}

static bool coarse_ns(bool realtime, s64 *ns)
{
	const struct vdso_data *d = vdso_data();
	u32 seq;

	do {
		seq = read_begin(d);
		if (unlikely(d->clock == VDSO_CLOCK_NONE))
			return false;
		*ns = (s64)d->coarse_ns;
		if (realtime)
			*ns = since_1970(d, *ns);
	} while (read_retry(d, seq));
	return true;
}

#define FINE                                                                                      \
	(BIT(CLOCK_REALTIME) | BIT(CLOCK_TAI) | BIT(CLOCK_MONOTONIC) | BIT(CLOCK_MONOTONIC_RAW) | \
	 BIT(CLOCK_BOOTTIME))
#define COARSE	 (BIT(CLOCK_REALTIME_COARSE) | BIT(CLOCK_MONOTONIC_COARSE))
#define REALTIME (BIT(CLOCK_REALTIME) | BIT(CLOCK_TAI) | BIT(CLOCK_REALTIME_COARSE))

static __always_inline bool read_clock(int clock, s64 *ns)
{
	u32 bit;

	if (unlikely((u32)clock >= 32))
		return false;
	bit = 1U << clock;
	if (likely(bit & FINE))
		return fine_ns(bit & REALTIME, ns);
	return (bit & COARSE) && coarse_ns(bit & REALTIME, ns);
}

/* --- what programs call -------------------------------------------------------------------------- */

#define WEAK_ALIAS(of) __attribute__((weak, alias(of)))

int __vdso_clock_gettime(int clock, struct kernel_timespec *ts);
int __vdso_clock_getres(int clock, struct kernel_timespec *ts);
int __vdso_gettimeofday(struct kernel_timeval *tv, struct kernel_timezone *tz);
s64 __vdso_time(s64 *t);
int __vdso_getcpu(u32 *cpu, u32 *node, void *unused);

int __vdso_clock_gettime(int clock, struct kernel_timespec *ts)
{
	s64 ns;

	if (unlikely(!read_clock(clock, &ns)))
		return (int)syscall2(SYS_clock_gettime, clock, (long)ts);
	ts->tv_sec = (s64)((u64)ns / NS_PER_SEC);
	ts->tv_nsec = (s64)((u64)ns % NS_PER_SEC);
	return 0;
}

int __vdso_clock_getres(int clock, struct kernel_timespec *ts)
{
	const struct vdso_data *d = vdso_data();
	s64 ns;

	if (unlikely(!read_clock(clock, &ns)))
		return (int)syscall2(SYS_clock_getres, clock, (long)ts);
	if (ts) {
		bool coarse = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;

		ts->tv_sec = 0;
		ts->tv_nsec = coarse ? (s64)d->tick_ns : 1;
	}
	return 0;
}

int __vdso_gettimeofday(struct kernel_timeval *tv, struct kernel_timezone *tz)
{
	s64 ns;

	if (unlikely(!fine_ns(true, &ns)))
		return (int)syscall2(SYS_gettimeofday, (long)tv, (long)tz);
	if (tv) {
		tv->tv_sec = (s64)((u64)ns / NS_PER_SEC);
		tv->tv_usec = (s64)((u64)ns % NS_PER_SEC / 1000);
	}
	if (unlikely(tz))
		*tz = vdso_data()->timezone;
	return 0;
}

s64 __vdso_time(s64 *t)
{
	s64 ns, sec;

	if (unlikely(!fine_ns(true, &ns)))
		return syscall2(SYS_time, (long)t, 0);
	sec = (s64)((u64)ns / NS_PER_SEC);
	if (t)
		*t = sec;
	return sec;
}

int __vdso_getcpu(u32 *cpu, u32 *node, void *unused)
{
	u32 where, lo, hi;

	if (vdso_data()->has_rdtscp)
		__asm__ volatile("rdtscp" : "=c"(where), "=a"(lo), "=d"(hi));
	else
		__asm__ volatile("lsl %1, %0" : "=r"(where) : "r"(VDSO_CPU_SELECTOR));
	if (cpu)
		*cpu = where & ((1U << VDSO_CPU_BITS) - 1);
	if (node)
		*node = where >> VDSO_CPU_BITS;
	return 0;
}

/* As C libraries name them, for who links with the vdso itself. */
int clock_gettime(int clock, struct kernel_timespec *ts) WEAK_ALIAS("__vdso_clock_gettime");
int clock_getres(int clock, struct kernel_timespec *ts) WEAK_ALIAS("__vdso_clock_getres");
int gettimeofday(struct kernel_timeval *tv, struct kernel_timezone *tz)
	WEAK_ALIAS("__vdso_gettimeofday");
s64 time(s64 *t) WEAK_ALIAS("__vdso_time");
int getcpu(u32 *cpu, u32 *node, void *unused) WEAK_ALIAS("__vdso_getcpu");
