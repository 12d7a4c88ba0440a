/* SPDX-License-Identifier: MIT */
/* Clocks go forward and sleeping lasts as long as asked. Nothing here has an upper limit. */
#include "tap.h"
#include <sys/time.h>
#include <time.h>

static long long ns(struct timespec t)
{
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* By system call, so that a vdso can't stand in. */
static long long clock_ns(int clock)
{
	struct timespec t = { -1, -1 };

	if (syscall(SYS_clock_gettime, clock, &t) != 0 || t.tv_nsec < 0 || t.tv_nsec >= 1000000000)
		return -1;
	return ns(t);
}

static void goes_forward(int clock, const char *name)
{
	long long first = clock_ns(clock), last = first, moves = 0;
	bool good = first > 0;

	for (int i = 0; i < 10000; i++) {
		long long now = clock_ns(clock);

		good &= now >= last;
		moves += now > last;
		last = now;
	}
	if (clock == CLOCK_REALTIME)
		ok(first > 0, "%s: 10,000 readings", name);
	else
		ok(good, "%s: 10,000 readings never go back", name);
	ok(moves > 0 && last > first, "%s: it moves", name);
}

/* The C library's way, which may be another than the system call, agrees with it. */
static void agrees(void)
{
	struct timespec t;
	bool good = true;

	for (int i = 0; i < 1000; i++) {
		long long before = clock_ns(CLOCK_MONOTONIC);

		clock_gettime(CLOCK_MONOTONIC, &t);
		good &= ns(t) >= before && clock_ns(CLOCK_MONOTONIC) >= ns(t);
	}
	ok(good, "clock_gettime lies between the system call's readings");
}

static void seconds(void)
{
	struct timeval tv = { 0, 0 };
	long long real = clock_ns(CLOCK_REALTIME) / 1000000000;
	long t = 0, returned;

	is(syscall(SYS_gettimeofday, &tv, NULL), 0, "gettimeofday");
	ok(tv.tv_sec >= real && tv.tv_sec <= real + 60 && tv.tv_usec >= 0 && tv.tv_usec < 1000000,
	   "is the real-time clock");
	returned = syscall(SYS_time, &t);
	ok(returned == t && t >= real && t <= real + 60, "so is time, returned and stored");
	is(syscall(SYS_time, NULL) >= t, 1, "time without a place");
}

static void sleeping(void)
{
	static const long lengths[] = { 0, 1, 1000, 1000000, 20000000, 110000000 };

	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct timespec want = { 0, lengths[i] };
		long long start = clock_ns(CLOCK_MONOTONIC), slept;
		long r = result(syscall(SYS_nanosleep, &want, NULL));

		slept = clock_ns(CLOCK_MONOTONIC) - start;
		ok(r == 0 && slept >= lengths[i], "nanosleep(%ld ns) lasts at least that",
		   lengths[i]);
		if (r != 0 || slept < lengths[i])
			diag("result %ld, slept %lld ns", r, slept);
	}
}

static int sleeper(int argc, char **argv)
{
	struct timespec want = { 0, 30000000 };
	long long start = clock_ns(CLOCK_MONOTONIC);

	(void)argc, (void)argv;
	nanosleep(&want, NULL);
	return clock_ns(CLOCK_MONOTONIC) - start >= 30000000 ? 42 : 1;
}

/* Sleeping at the same time as another and waking in the other order. */
static void together(void)
{
	struct timespec want = { 0, 5000000 };
	pid_t a = start_mode("sleeper", NULL, NULL), b = start_mode("sleeper", NULL, NULL);
	long long start = clock_ns(CLOCK_MONOTONIC);

	is(nanosleep(&want, NULL), 0, "sleep while two others sleep");
	ok(clock_ns(CLOCK_MONOTONIC) - start >= 5000000, "as long as asked");
	is(wait_status(b), 42 << 8, "the second has slept");
	is(wait_status(a), 42 << 8, "the first has slept");
}

static void errors(void)
{
	struct timespec t = { 0, 1000000000 };

	fails(syscall(SYS_nanosleep, &t, NULL), EINVAL, "10^9 nanoseconds: EINVAL");
	t.tv_nsec = -1;
	fails(syscall(SYS_nanosleep, &t, NULL), EINVAL, "-1 nanoseconds: EINVAL");
	t = (struct timespec){ -1, 0 };
	fails(syscall(SYS_nanosleep, &t, NULL), EINVAL, "-1 seconds: EINVAL");
	fails(syscall(SYS_clock_gettime, 99, &t), EINVAL, "clock 99: EINVAL");
}

static const struct mode modes[] = { { "sleeper", sleeper }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	goes_forward(CLOCK_MONOTONIC, "CLOCK_MONOTONIC");
	goes_forward(CLOCK_REALTIME, "CLOCK_REALTIME");
	agrees();
	seconds();
	sleeping();
	together();
	errors();
	return done_testing();
}
