/* SPDX-License-Identifier: MIT */
/*
 * A fork that takes longer than the time between two signals of a timer comes to its end all the same.
 */
#include "procs.h"
#include <sys/time.h>

#define MANY_PAGES 90000UL

static volatile int ticks;

static void tick(int sig)
{
	ticks++;
}

static int child(void *arg)
{
	return ticks >= 0 ? 6 : 1;
}

int main(int argc, char **argv)
{
	/* As often as it can be. */
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = { { 0, 0 }, { 0, 0 } };
	char *memory;
	pid_t pid;

	tap_start(argc, argv, NULL);
	memory = fresh(MANY_PAGES, RW);
	/* All but one are the page of zeros: there is much to copy that takes no memory. */
	memory[0] = 1;
	for (unsigned long i = 1; i < MANY_PAGES; i++)
		(void)*(volatile char *)&memory[i * PAGE];
	set_plain(SIGALRM, tick);
	if (!is(raw(SYS_setitimer, ITIMER_REAL, &often, NULL), 0, "a timer"))
		return done_testing();
	ok(UNTIL(ticks > 0), "its signals come");
	pid = fork_child(child, NULL);
	ok(pid > 0, "a large program forks");
	is(raw(SYS_setitimer, ITIMER_REAL, &never, NULL), 0, "no timer any more");
	is(status_of(pid), 6 << 8, "the child runs");
	return done_testing();
}
