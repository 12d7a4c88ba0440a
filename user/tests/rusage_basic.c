/* SPDX-License-Identifier: MIT */
/* getrusage(2), of a process, a thread and children waited for; and deep families. */
#include "procs.h"

static volatile int *words;

static struct rusage usage_of(int who)
{
	struct rusage usage;

	memset(&usage, 0xee, sizeof(usage));
	if (raw(SYS_getrusage, who, &usage) != 0)
		memset(&usage, 0xff, sizeof(usage));
	return usage;
}

static long cpu_us(const struct rusage *usage)
{
	return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
	       usage->ru_utime.tv_usec + usage->ru_stime.tv_usec;
}

static void calls(void)
{
	struct rusage usage;

	is(raw(SYS_getrusage, RUSAGE_SELF, &usage), 0, "RUSAGE_SELF");
	is(raw(SYS_getrusage, RUSAGE_CHILDREN, &usage), 0, "RUSAGE_CHILDREN");
	is(raw(SYS_getrusage, 1, &usage), 0, "RUSAGE_THREAD");
	is(raw(SYS_getrusage, 2, &usage), -EINVAL, "2: EINVAL");
	is(raw(SYS_getrusage, -2, &usage), -EINVAL, "-2: EINVAL");
	is(raw(SYS_getrusage, RUSAGE_SELF, 8), -EFAULT, "to nowhere: EFAULT");
	usage = usage_of(RUSAGE_SELF);
	is(usage.ru_ixrss | usage.ru_idrss | usage.ru_isrss | usage.ru_nswap | usage.ru_msgsnd |
		   usage.ru_msgrcv | usage.ru_nsignals,
	   0, "what Linux doesn't count is 0");
}

/* --- faults, memory ------------------------------------------------------------------------------- */

static int touch_pages(void *arg)
{
	long pages = (long)arg, before = usage_of(1).ru_minflt;
	char *p = (char *)raw(SYS_mmap, 0, pages * PAGE, RW, ANON, -1, 0);

	touch(p, pages);
	words[0] = usage_of(1).ru_minflt - before;
	raw(SYS_munmap, p, pages * PAGE);
	return 0;
}

static void faults(void)
{
	struct rusage before = usage_of(RUSAGE_SELF), after;
	long mine = usage_of(1).ru_minflt;
	struct thread thread;

	thread_start(&thread, touch_pages, (void *)200L);
	thread_join(&thread);
	after = usage_of(RUSAGE_SELF);
	ok(words[0] >= 200 && words[0] < 210, "a thread's faults are counted as its own");
	ok(after.ru_minflt - before.ru_minflt >= 200, "and the process's, also when it has ended");
	ok(usage_of(1).ru_minflt - mine < 100, "not as another thread's");
	touch_pages((void *)2000L);
	ok(usage_of(RUSAGE_SELF).ru_maxrss >= 7000, "ru_maxrss: the most there was");
	before = usage_of(RUSAGE_SELF);
	touch_pages((void *)10L);
	is(usage_of(RUSAGE_SELF).ru_maxrss, before.ru_maxrss, "stays when it is less");
	before = usage_of(RUSAGE_CHILDREN);
	is(status_of(fork_child(touch_pages, (void *)4000L)), 0, "a child that has more");
	after = usage_of(RUSAGE_CHILDREN);
	ok(after.ru_maxrss >= 15000 && after.ru_maxrss > before.ru_maxrss,
	   "the children's is that of the largest");
	ok(usage_of(RUSAGE_SELF).ru_maxrss < 15000, "not this process's");
}

/* --- switches ---------------------------------------------------------------------------------------- */

static int spin(void *arg)
{
	(void)arg;
	while (!words[1])
		;
	return 0;
}

static void switches(void)
{
	long before = usage_of(RUSAGE_SELF).ru_nvcsw, forced;
	const unsigned long all = ~0UL, first = 1;
	struct thread thread;

	for (int i = 0; i < 5; i++)
		nap();
	ok(usage_of(RUSAGE_SELF).ru_nvcsw >= before + 5,
	   "each sleep is a switch of one's own will");
	words[1] = 0;
	/* With another processor there would be room for both. */
	raw(SYS_sched_setaffinity, 0, sizeof(first), &first);
	forced = usage_of(1).ru_nivcsw;
	thread_start(&thread, spin, NULL);
	for (long i = 0; i < 300000 && usage_of(1).ru_nivcsw < forced + 3; i++)
		;
	ok(usage_of(1).ru_nivcsw >= forced + 3, "beside one that spins others are forced");
	raw(SYS_sched_setaffinity, 0, sizeof(all), &all);
	words[1] = 1;
	thread_join(&thread);
	ok(usage_of(RUSAGE_SELF).ru_nivcsw >= usage_of(1).ru_nivcsw,
	   "the process's are those of all threads");
}

/* --- time ----------------------------------------------------------------------------------------------- */

static int use_time(void *arg)
{
	struct rusage usage;
	long i = 0;

	do {
		usage = usage_of(1);
	} while (cpu_us(&usage) < (long)arg && i++ < 100000000);
	return cpu_us(&usage) >= (long)arg ? 0 : 1;
}

static int child_uses(void *arg)
{
	return status_of(fork_child(use_time, arg));
}

static void times(void)
{
	struct rusage before = usage_of(RUSAGE_CHILDREN), after, self = usage_of(RUSAGE_SELF);
	struct thread thread;

	is(status_of(fork_child(use_time, (void *)20000L)), 0, "a child uses 20 ms");
	after = usage_of(RUSAGE_CHILDREN);
	ok(cpu_us(&after) >= cpu_us(&before) + 19000, "the children's time has them");
	before = after;
	is(status_of(fork_child(child_uses, (void *)20000L)), 0, "a child's child uses 20 ms");
	after = usage_of(RUSAGE_CHILDREN);
	ok(cpu_us(&after) >= cpu_us(&before) + 19000, "the children's time has them too");
	thread_start(&thread, use_time, (void *)20000L);
	thread_join(&thread);
	after = usage_of(RUSAGE_SELF);
	ok(cpu_us(&after) >= cpu_us(&self) + 19000, "a thread's are in the process's");
}

/* --- deep and broad -------------------------------------------------------------------------------------- */

static int descend(void *arg)
{
	long depth = (long)arg;

	words[2]++;
	if (depth == 0)
		return 1;
	return (WEXITSTATUS(status_of(fork_child(descend, (void *)(depth - 1)))) + 1) & 127;
}

static int branch(void *arg)
{
	long depth = (long)arg;
	pid_t a, b;

	__atomic_add_fetch(&words[3], 1, __ATOMIC_SEQ_CST);
	if (depth == 0)
		return 0;
	a = fork_child(branch, (void *)(depth - 1));
	b = fork_child(branch, (void *)(depth - 1));
	return status_of(a) | status_of(b);
}

static void families(void)
{
	words[2] = words[3] = 0;
	is(status_of(fork_child(descend, (void *)100L)), 101 << 8, "a hundred generations");
	is(words[2], 101, "have lived");
	is(status_of(fork_child(branch, (void *)6L)), 0, "two children each for six generations");
	is(words[3], 127, "all of them");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	calls();
	faults();
	switches();
	times();
	families();
	return done_testing();
}
