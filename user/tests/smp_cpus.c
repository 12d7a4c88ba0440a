/* SPDX-License-Identifier: MIT */
/*
 * One processor as good as the other: each knows its number by all the ways there are, and the clock
 * read on one is not behind what was read on another before.
 */
#include "smp.h"
#include "vdso.h"

#define PASSES 20

static void numbers(void)
{
	for (int n = 0; n < cpu_count; n++) {
		unsigned int by_vdso = ~0u, by_call = ~0u, node = ~0u;

		if (pin(n) != 0)
			complain("no processor %d", cpu_numbers[n]);
		vdso_getcpu(&by_vdso, &node, NULL);
		raw(SYS_getcpu, &by_call, NULL, NULL);
		if (by_vdso != (unsigned)cpu_numbers[n] || by_call != by_vdso || node != 0)
			complain("processor %d: %u by vdso, %u by call, node %u", cpu_numbers[n],
				 by_vdso, by_call, node);
	}
	nobody_complained("each processor has its number, by system call and without");
}

static int count_lines(const char *path, const char *begin)
{
	FILE *f = fopen(path, "r");
	char line[4096];
	int n = 0;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		n += strncmp(line, begin, strlen(begin)) == 0 &&
		     (line[strlen(begin)] >= '0' && line[strlen(begin)] <= '9');
	fclose(f);
	return n;
}

static void tables(void)
{
	is(count_lines("/proc/cpuinfo", "processor\t: "), cpu_count, "/proc/cpuinfo has each");
	is(count_lines("/proc/stat", "cpu"), cpu_count, "/proc/stat has each");
}

/* --- time --------------------------------------------------------------------------------------- */

static int width;
static volatile int turn;
static volatile long last_ns;

static void read_clock(struct member *m, const char *how, long now)
{
	if (now < last_ns)
		complain("thread %d: %ld ns by %s, behind %ld", m->number, now, how, last_ns);
	last_ns = now;
}

/* Each in turn reads the clock, and tells the next one. The others sleep meanwhile. */
static int pass_on(struct member *m)
{
	for (unsigned long n = 0; n < PASSES * times; n++) {
		int now;

		while ((now = turn) % width != m->number)
			raw(SYS_futex, &turn, FUTEX_WAIT_PRIVATE_, now, NULL);
		read_clock(m, "vdso", vdso_ns(CLOCK_MONOTONIC));
		read_clock(m, "system call", sys_ns(CLOCK_MONOTONIC));
		turn++;
		raw(SYS_futex, &turn, FUTEX_WAKE_PRIVATE_, TEAM_MAX);
	}
	return 0;
}

static void time_goes_on(void)
{
	int size = 0;

	width = cpu_count < TEAM_MAX ? cpu_count : TEAM_MAX;
	team_add(&size, width, pass_on);
	team_begin(size);
	team_join(0, size);
	nobody_complained("no clock is behind another");
	is(turn, width * PASSES * times, "each had its turns");
}

int main(int argc, char **argv)
{
	smp_start(argc, argv, NULL);
	if (!vdso_bind(getauxval(AT_SYSINFO_EHDR))) {
		diag("no vdso");
		return 1;
	}
	numbers();
	tables();
	time_goes_on();
	return done_testing();
}
