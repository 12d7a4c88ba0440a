/* SPDX-License-Identifier: MIT */
/* Which processors a thread may run on, who says so, who hears of it, and that it is so. */
#include "smp.h"
#include <signal.h>

#define STAT_CPU 39 /* of proc(5)'s fields of stat */

static unsigned long all_cpus; /* those that the test started with */
static volatile int *words;

static unsigned long mask_of(pid_t tid)
{
	unsigned long mask[16] = { 0 };

	return raw(SYS_sched_getaffinity, tid, sizeof(mask), mask) > 0 ? mask[0] : 0;
}

static long set_mask(pid_t tid, unsigned long mask)
{
	return raw(SYS_sched_setaffinity, tid, sizeof(mask), &mask);
}

static int this_cpu(void)
{
	unsigned int cpu = 99;

	raw(SYS_getcpu, &cpu, NULL, NULL);
	return (int)cpu;
}

static unsigned long nth(int n)
{
	return 1UL << cpu_numbers[n % cpu_count];
}

/* The rest of a line "Name:\tTEXT\n" of /proc/self/status. */
static const char *status_text(const char *name)
{
	static char text[4096], key[32];
	char *at, *end;

	if (read_small("/proc/self/status", text, sizeof(text)) <= 0)
		return "";
	snprintf(key, sizeof(key), "\n%s:\t", name);
	at = strstr(text, key);
	end = at ? strchr(at + 1, '\n') : NULL;
	if (!end)
		return "";
	*end = '\0';
	return at + strlen(key);
}

/* As proc(5) says it: "0-2,5". */
static const char *as_list(unsigned long mask)
{
	static char list[256];
	int used = 0;

	list[0] = '\0';
	for (int i = 0; i < MAX_CPUS; i++) {
		int first = i;

		if (!(mask & 1UL << i))
			continue;
		while (i + 1 < MAX_CPUS && (mask & 1UL << (i + 1)))
			i++;
		used += snprintf(list + used, sizeof(list) - used, first == i ? "%s%d" : "%s%d-%d",
				 used ? "," : "", first, i);
	}
	return list;
}

/* --- masks ------------------------------------------------------------------------------------ */

static void say_where(const char *what)
{
	unsigned long mask = mask_of(0);

	is(strtoul(status_text("Cpus_allowed"), NULL, 16), mask, "%s: Cpus_allowed", what);
	is_str(status_text("Cpus_allowed_list"), as_list(mask), "%s: Cpus_allowed_list", what);
}

static void masks(void)
{
	unsigned long mask[16];
	int wrong = 0;

	say_where("at the start");
	for (int i = 0; i < cpu_count; i++) {
		wrong += set_mask(0, nth(i)) != 0 || mask_of(0) != nth(i);
		wrong += this_cpu() != cpu_numbers[i];
		wrong += stat_number(my_pid(), STAT_CPU) != cpu_numbers[i];
	}
	is(wrong, 0, "on each processor alone: it is there when the call returns");
	say_where("the last one");
	is(set_mask(0, 0), -EINVAL, "on none: EINVAL");
	is(set_mask(0, 1UL << 63), -EINVAL, "on one that isn't there: EINVAL");
	is(mask_of(0), nth(cpu_count - 1), "neither changes anything");
	is(set_mask(0, all_cpus | 1UL << 63), 0, "on all, and one that isn't there");
	is(mask_of(0), all_cpus, "leaves those that are");
	memset(mask, 0, sizeof(mask));
	mask[15] = 1;
	is(raw(SYS_sched_setaffinity, 0, sizeof(mask), mask), -EINVAL,
	   "a long mask with none of them: EINVAL");
	memset(mask, 0xff, sizeof(mask));
	is(raw(SYS_sched_setaffinity, 0, sizeof(mask), mask), 0, "one with all");
	is(mask_of(0), all_cpus, "is the same");
	is(raw(SYS_sched_setaffinity, 0, 1, mask), 0, "a mask of one byte");
	is(mask_of(0), all_cpus & 0xff, "is the first eight");
	is(raw(SYS_sched_getaffinity, 0, 8, mask), 8, "8 bytes are enough to be told");
	is(raw(SYS_sched_getaffinity, 0, 12, mask), -EINVAL, "12 are no words: EINVAL");
	/* The size in bits is an int. */
	is(raw(SYS_sched_getaffinity, 0, 0x20000000, mask), -EINVAL, "nor are 2^32 bits any");
	set_mask(0, all_cpus);
}

/* --- who gets it ------------------------------------------------------------------------------ */

static int has_mask(void *arg)
{
	NEED_IS(mask_of(0), (unsigned long)arg);
	return 0;
}

static int mode_mask(int argc, char **argv)
{
	return argc > 2 && mask_of(0) == strtoul(argv[2], NULL, 16) ? 7 : 1;
}

static int live_on(void *arg)
{
	volatile int *end = arg;

	*end = 1;
	return await(end, 2) ? 0 : 1;
}

static void heirs(void)
{
	unsigned long last = nth(cpu_count - 1);
	struct thread thread;
	char text[32];
	pid_t tid;

	set_mask(0, last);
	is(status_of(fork_child(has_mask, (void *)last)), 0, "a child has its parent's mask");
	snprintf(text, sizeof(text), "%lx", last);
	is(run_mode("mask", text, NULL), 7 << 8, "and so does the program it executes");
	words[0] = 0;
	tid = thread_start(&thread, live_on, (void *)words);
	ok(await(&words[0], 1), "a thread");
	is(mask_of(tid), last, "has its maker's mask");
	is(set_mask(tid, nth(0)), 0, "and may get another");
	is(mask_of(tid), nth(0), "which is its own");
	is(mask_of(0), last, "and changes nobody else's");
	words[0] = 2;
	thread_join(&thread);
	is(set_mask(tid, nth(0)), -ESRCH, "that of a thread that has ended: ESRCH");
	set_mask(0, all_cpus);
}

/* --- moving others ---------------------------------------------------------------------------- */

/* Never enters the kernel by itself. */
static int spin(void *arg)
{
	(void)arg;
	words[0] = 1;
	while (words[1] == 0)
		__builtin_ia32_pause();
	return 0;
}

static int sleeper(void *arg)
{
	(void)arg;
	NEED_IS(await(&words[0], 1), 1);
	words[0] = 2;
	raw(SYS_futex, &words[1], 0 /* FUTEX_WAIT */, 0, NULL);
	words[2] = this_cpu() + 1;
	return 0;
}

static void moving_one_that_runs(void)
{
	int wrong = 0;
	pid_t pid;

	if (cpu_count < 2)
		return skip("moving one that runs", "there is one processor");
	set_mask(0, nth(0));
	words[0] = words[1] = 0;
	pid = fork_child(spin, NULL);
	set_mask(pid, nth(1));
	ok(await(&words[0], 1), "a child that never enters the kernel");
	for (int i = 0; i < 50 * cpu_count; i++) {
		wrong += set_mask(pid, nth(i)) != 0;
		wrong += stat_number(pid, STAT_CPU) != cpu_numbers[i % cpu_count];
	}
	is(wrong, 0, "has moved each time when the call returns");
	is(this_cpu(), cpu_numbers[0], "we have not");
	words[1] = 1;
	is(status_of(pid), 0, "it runs on");
	set_mask(0, all_cpus);
}

static void moving_one_that_sleeps(void)
{
	pid_t pid;

	words[0] = words[1] = words[2] = 0;
	pid = fork_child(sleeper, NULL);
	set_mask(pid, nth(0));
	words[0] = 1;
	/* There, and not where it waits for the word. */
	ok(await(&words[0], 2) && SLEEPS(pid), "a child that sleeps");
	is(set_mask(pid, nth(cpu_count - 1)), 0, "gets another mask");
	words[1] = 1;
	UNTIL(raw(SYS_futex, &words[1], 1 /* FUTEX_WAKE */, 1) == 1);
	is(status_of(pid), 0, "is woken");
	is(words[2], cpu_numbers[cpu_count - 1] + 1, "where it may be");
}

/* Two that push each other to and fro. */
static int pusher(struct member *m)
{
	for (int i = 0; i < 200; i++)
		if (set_mask(team[!m->number].thread.tid, nth(i + m->number)) != 0)
			complain("thread %d cannot move the other", m->number);
	words[m->number] = 1;
	while (!words[!m->number])
		raw(SYS_sched_yield);
	return 0;
}

static void pushing(void)
{
	int size = 0;

	words[0] = words[1] = 0;
	team_add(&size, 2, pusher);
	team_begin(size);
	team_join(0, size);
	nobody_complained("two threads move each other at the same time");
}

/* --- reaching others -------------------------------------------------------------------------- */

static void count_signal(int sig)
{
	(void)sig;
	words[2]++;
}

static int spin_with_handler(void *arg)
{
	catch_with(SIGUSR1, (void (*)(int, siginfo_t *, void *))count_signal, 0, 0);
	return spin(arg);
}

static int spin_thread(void *arg)
{
	return spin(arg);
}

/* A process of two threads that run in it all the time, one of which ends it. */
static int two_spin(void *arg)
{
	static struct thread thread;

	pin(1);
	words[0] = 0;
	thread_start(&thread, spin_thread, arg);
	await(&words[0], 1);
	words[3] = 1;
	pin(0);
	while (words[1] == 0)
		__builtin_ia32_pause();
	return 5;
}

static void reaching(void)
{
	pid_t pid;

	words[0] = words[1] = words[2] = words[3] = 0;
	set_mask(0, nth(0));
	pid = fork_child(spin_with_handler, NULL);
	set_mask(pid, nth(1));
	ok(await(&words[0], 1), "a child on another processor that never enters the kernel");
	raw(SYS_kill, pid, SIGUSR1);
	ok(await(&words[2], 1), "calls its handler");
	raw(SYS_kill, pid, SIGSTOP);
	ok(UNTIL(state_of(pid) == 'T'), "stops");
	raw(SYS_kill, pid, SIGCONT);
	ok(UNTIL(state_of(pid) == 'R'), "goes on");
	raw(SYS_kill, pid, SIGKILL);
	is(status_of(pid), SIGKILL, "and is killed");
	words[0] = 0;
	pid = fork_child(two_spin, NULL);
	ok(await(&words[3], 1), "a process of two threads that run");
	words[1] = 1;
	is(status_of(pid), 5 << 8, "ends, with both");
	set_mask(0, all_cpus);
}

/* --- sharing the work ------------------------------------------------------------------------- */

static int show_cpu(struct member *m)
{
	while (!words[8])
		words[m->number] = this_cpu() + 1;
	return 0;
}

static bool two_places(int n)
{
	for (int i = 1; i < n; i++)
		if (words[i] && words[0] && words[i] != words[0])
			return true;
	return false;
}

static void sharing(void)
{
	int size = 0;

	if (cpu_count < 2)
		return skip("work is shared", "there is one processor");
	for (int i = 0; i < 9; i++)
		words[i] = 0;
	set_mask(0, nth(0));
	team_add(&size, 4, show_cpu);
	team_begin(size);
	/* The team sits each on its own; all on the first, and then free again. */
	for (int i = 0; i < size; i++)
		set_mask(team[i].thread.tid, nth(0));
	ok(UNTIL(words[0] && words[1] && words[2] && words[3] && !two_places(size)),
	   "four threads on one processor");
	for (int i = 0; i < size; i++)
		set_mask(team[i].thread.tid, all_cpus);
	set_mask(0, all_cpus);
	ok(UNTIL(two_places(size)), "spread when they may");
	words[8] = 1;
	team_join(0, size);
}

/* --- what /proc tells of each ----------------------------------------------------------------- */

/* How many lines "cpuN ..." with ten numbers there are; *idle is the idle time of "cpu". */
static int cpu_lines(unsigned long *idle)
{
	static char text[16384];
	unsigned long n[10];
	char *line, *next;
	int lines = 0, cpu;

	*idle = 0;
	if (read_small("/proc/stat", text, sizeof(text)) <= 0)
		return -1;
	for (line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (strncmp(line, "cpu ", 4) == 0)
			sscanf(line, "cpu %*u %*u %*u %lu", idle);
		else if (sscanf(line, "cpu%d %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu", &cpu, &n[0],
				&n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7], &n[8],
				&n[9]) == 11)
			lines++;
	}
	return lines;
}

static void proc_stat(void)
{
	unsigned long before, after;

	is(cpu_lines(&before), cpu_count, "/proc/stat has a line for each processor");
	for (int i = 0; i < 50; i++)
		nap();
	cpu_lines(&after);
	ok(after >= before, "idle time doesn't go back");
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "mask", mode_mask }, { NULL, NULL } };

	smp_start(argc, argv, modes);
	words = shared_words();
	all_cpus = mask_of(0);
	masks();
	heirs();
	moving_one_that_runs();
	moving_one_that_sleeps();
	pushing();
	reaching();
	sharing();
	proc_stat();
	return done_testing();
}
