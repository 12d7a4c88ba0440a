/* SPDX-License-Identifier: MIT */
/*
 * Processes that end, by a signal or by themselves, while all their threads are in the middle of
 * something: page faults, changes of areas, forks, calls that copy. Each end is reported once, and
 * the memory comes back: together the children use more than there is.
 */
#include "smp.h"

#define THREADS	    4
#define ROUNDS	    5 /* of each kind of end */
#define CHILD_PAGES 2048

static volatile long *progress; /* of the present child's threads, one each; shared with it */
static volatile int *words;
static char *memory;
static int fd;
static volatile char *volatile nowhere;

/* --- what the threads are busy with ------------------------------------------------------------- */

/* Each touches its own part, again and again. */
static void fault(int me, unsigned long n)
{
	unsigned long part = CHILD_PAGES / THREADS, page = me * part + n % part;

	if (n && n % part == 0)
		raw(SYS_madvise, memory + me * part * PAGE, part * PAGE, MADV_DONTNEED);
	((volatile char *)memory)[page * PAGE + n % PAGE] = 1;
}

/* All of them touch the same pages, which one of them takes away. */
static void fault_together(int me, unsigned long n)
{
	unsigned long value;

	if (me == 0 && n % 64 == 0)
		raw(SYS_mmap, memory, 64 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	probe_load((void *)(memory + n % 64 * PAGE), &value);
	probe_store((void *)(memory + n % 64 * PAGE), n);
}

static void change_areas(int me, unsigned long n)
{
	char *p = (char *)raw(SYS_mmap, 0, (1 + n % 8) * PAGE, RW, ANON, -1, 0);

	*(volatile char *)p = 1;
	raw(SYS_mprotect, p, PAGE, PROT_READ);
	if (n % 3)
		raw(SYS_munmap, p, (1 + n % 8) * PAGE);
	else if (n % 100 == 99)
		raw(SYS_mremap, p, PAGE, 16 * PAGE, MREMAP_MAYMOVE);
}

/* The first maps a file, the second cuts it, the others read and write it. */
static void use_file(int me, unsigned long n)
{
	static char buffer[4][2 * PAGE];
	char *p;

	switch (me) {
	case 0:
		p = (char *)raw(SYS_mmap, 0, 8 * PAGE, RW, MAP_SHARED, fd, 0);
		probe_store((void *)(p + n % 8 * PAGE), n);
		raw(SYS_munmap, p, 8 * PAGE);
		break;
	case 1:
		raw(SYS_ftruncate, fd, n % 9 * PAGE);
		break;
	default:
		raw(me % 2 ? SYS_pread64 : SYS_pwrite64, fd, buffer[me], sizeof(buffer[me]),
		    n % 7 * PAGE);
	}
}

static int nothing(void *arg)
{
	return (int)(long)arg;
}

/* The first one forks, the others write to what is shared then. */
static void fork_and_write(int me, unsigned long n)
{
	if (me == 0)
		status_of(fork_child(nothing, NULL));
	else
		((volatile char *)memory)[n % 256 * PAGE] = me;
}

static void (*const busy[])(int, unsigned long) = { fault, fault_together, change_areas, use_file,
						    fork_and_write };

static void (*work)(int, unsigned long);

static int be_busy(struct member *m)
{
	for (unsigned long n = 0;; n++) {
		work(m->number, n);
		progress[m->number] = n + 1;
		breathe(n);
	}
	return 0;
}

/* --- ends --------------------------------------------------------------------------------------- */

enum end { KILLED, EXITS, FAULTS, EXECUTES, THREAD_EXITS, THREAD_EXECUTES, ENDS };

static const char *const end_names[] = { "SIGKILL",
					 "exit_group",
					 "a fault",
					 "execve",
					 "exit_group by another thread",
					 "execve by another thread" };

static const int end_status[] = { SIGKILL, 5 << 8, SIGSEGV, 6 << 8, 5 << 8, 6 << 8 };

static void finish(enum end end)
{
	char *argv[] = { (char *)tap.path, "six", NULL }, *none[] = { NULL };
	struct raw_sigaction plain = { 0 };

	switch (end) {
	case KILLED:
		raw(SYS_kill, my_pid(), SIGKILL);
		break;
	case EXITS:
	case THREAD_EXITS:
		raw(SYS_exit_group, 5);
		break;
	case FAULTS:
		raw(SYS_rt_sigaction, SIGSEGV, &plain, NULL, 8);
		*nowhere = 1;
		break;
	default:
		raw(SYS_execve, tap.path, argv, none);
	}
}

static bool all_busy(long least)
{
	for (int i = 0; i < THREADS; i++)
		if (progress[i] < least)
			return false;
	return true;
}

static int finish_later(struct member *m)
{
	while (!all_busy(3))
		nap();
	finish(words[1]);
	return 0;
}

static int child(void *arg)
{
	int size = 0;

	memory = fresh(CHILD_PAGES, RW);
	words[1] = (int)(long)arg;
	team_add(&size, THREADS, be_busy);
	if (words[1] >= THREAD_EXITS)
		team_add(&size, 1, finish_later);
	team_begin(size);
	while (words[1] >= THREAD_EXITS)
		raw(SYS_pause);
	/* The parent kills when all are busy; else the first thread sees to it. */
	while (!all_busy(3) || words[1] == KILLED)
		nap();
	finish(words[1]);
	return 99;
}

static long free_memory(void)
{
	proc_read("/proc/meminfo");
	return field_from(proc_text, "MemFree");
}

/* A child that ends in this way while it does that; where on its way is by chance. */
static void end_one(enum end end, int kind, unsigned long *random)
{
	int status, kills = 0;
	pid_t pid;

	work = busy[kind];
	for (int i = 0; i < THREADS; i++)
		progress[i] = 0;
	pid = fork_child(child, (void *)(long)end);
	if (end == KILLED) {
		long least = 1 + random_below(random, 20);

		while (!all_busy(least))
			nap();
		kills = raw(SYS_kill, pid, SIGKILL);
	}
	status = status_of(pid);
	if (status != end_status[end] || kills)
		complain("kind %d: the status is 0x%x, wanted 0x%x", kind, status, end_status[end]);
}

static void ends(void)
{
	unsigned long random = random_start(0);
	long before = free_memory(), after;
	char text[128];

	for (enum end end = KILLED; end < ENDS; end++) {
		for (unsigned long n = 0; n < ROUNDS * times; n++)
			end_one(end, (n + seed) % COUNT(busy), &random);
		snprintf(text, sizeof(text), "%s ends a process with busy threads", end_names[end]);
		nobody_complained(text);
	}
	ok(UNTIL((after = free_memory()) > before - (long)(4 * MIB / 1024)),
	   "their memory came back");
	diag("%ld KiB are free before, %ld KiB after", before, after);
	is(raw(SYS_wait4, -1, NULL, WNOHANG, NULL), -ECHILD, "no child is left");
}

/* Runs after execve: alone, with the process's number. */
static int six(int argc, char **argv)
{
	NEED_IS(thread_count(), 1);
	NEED_IS(my_tid(), my_pid());
	return 6;
}

/* --- one by one ----------------------------------------------------------------------------------- */

static volatile int handled;

static void count_signal(int sig)
{
	__atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

/* Signals to threads that run on other processors, in system calls, faults and in neither. */
static int until_told(struct member *m)
{
	unsigned long n = 0;

	for (; !words[2]; n++) {
		if (m->number % 2)
			fault(m->number, n);
		breathe(n);
	}
	return 0;
}

static void signals(void)
{
	int size = 0;

	words[2] = 0;
	memory = fresh(CHILD_PAGES, RW);
	set_plain(SIGUSR1, count_signal);
	team_add(&size, THREADS, until_told);
	team_begin(size);
	for (int i = 0; i < 40; i++) {
		int before = handled, to = i % THREADS;

		raw(SYS_tgkill, my_pid(), team[to].thread.tid, SIGUSR1);
		while (handled == before)
			raw(SYS_sched_yield);
	}
	words[2] = 1;
	team_join(0, THREADS);
	is(handled, 40, "a thread that runs elsewhere handles each signal");
	raw_munmap((unsigned long)memory, CHILD_PAGES * PAGE);
}

static const struct mode modes[] = { { "six", six }, { NULL, NULL } };

int main(int argc, char **argv)
{
	smp_start(argc, argv, modes);
	catch_probes();
	words = shared_words();
	progress = (volatile long *)(words + 16);
	fd = raw(SYS_memfd_create, "file", 0);
	signals();
	ends();
	return done_testing();
}
