/* SPDX-License-Identifier: MIT */
/*
 * soak: processes with threads that do all kinds of things to memory for a long time, at random,
 * and watch each other at it. Every word that they write tells whose it is; whoever reads another
 * than there may be complains.
 *
 *	soak minutes=3 [seed=1] [processes=3] [threads=3]	(or seconds=N)
 *	soak ops=100000
 *
 * At its end it says how often it did what, and how many complaints there were. The time only says
 * when it ends: what is found doesn't depend on it, and there is nothing that must happen in time.
 */
#include "soak_others.h"

static const struct kind {
	const char *name;
	void (*run)(struct worker *w);
	int share; /* of all operations, of the sum of these */
} kinds[] = {
	{ "map", op_map, 60 },
	{ "unmap", op_unmap, 40 },
	{ "protect", op_protect, 50 },
	{ "move", op_move, 50 },
	{ "advise", op_advise, 40 },
	{ "lock", op_lock, 10 },
	{ "look", op_look, 60 },
	{ "write", op_write, 60 },
	{ "visit", op_visit, 60 },
	{ "grow", op_grow, 10 },
	{ "big", op_big, 2 },
#define MEMORY_KINDS 11 /* those up to here */
	{ "fork", op_fork, 5 },
	{ "exec", op_exec, 2 },
	{ "vfork", op_vfork, 2 },
	{ "thread", op_thread, 8 },
	{ "affinity", op_affinity, 10 },
	{ "futex", op_futex, 40 },
	{ "signal", op_signal, 20 },
	{ "file", op_file, 40 },
	{ "mapped", op_mapped, 20 },
	{ "shm", op_shm, 8 },
	{ "pipe", op_pipe, 10 },
	{ "proc", op_proc, 8 },
	{ "reach", op_reach, 15 },
	{ "rest", op_rest, 10 },
	{ "exit", op_exit, 1 },
	{ "exec_self", op_exec_self, 1 },
};

static void do_one(struct worker *w, int kinds_count)
{
	int all = 0, at, i;

	for (i = 0; i < kinds_count; i++)
		all += kinds[i].share;
	at = below(w, all);
	for (i = 0; at >= kinds[i].share; i++)
		at -= kinds[i].share;
	__atomic_add_fetch(&shared->counts[i], 1, __ATOMIC_SEQ_CST);
	kinds[i].run(w);
}

static void do_memory(struct worker *w, int n)
{
	while (n-- > 0)
		do_one(w, MEMORY_KINDS);
}

/* Whether it is time to end, by the clock or by the count. */
static bool over(void)
{
	if (shared->deadline_ns ?
		    now_ns() >= shared->deadline_ns :
		    (long)__atomic_fetch_sub(&shared->ops_left, 1, __ATOMIC_SEQ_CST) <= 0)
		shared->over = 1;
	return shared->over;
}

static int work(void *arg)
{
	struct worker *w = arg;

	while (!over())
		do_one(w, COUNT(kinds));
	return 0;
}

/* --- a worker process ------------------------------------------------------------------------- */

/* Maps what all share; the file is there already, or made now. */
static void find_shared(void)
{
	long p =
		raw(SYS_mmap, SHARED_AT, sizeof(*shared), RW, MAP_SHARED | MAP_FIXED, SHARED_FD, 0);

	if (is_error(p)) {
		tell("soak: ", "no shared memory: error %ld", -p);
		_exit(1);
	}
}

static int worker_process(int slot)
{
	static struct worker all[THREADS_MAX];
	unsigned long mask = 0, start = __atomic_add_fetch(&shared->starts, 1, __ATOMIC_SEQ_CST);

	find_cpus();
	seed = shared->seed;
	my_slot = slot;
	workers = all;
	shared->pids[slot] = my_pid();
	catch_probes();
	set_plain(SIGUSR1, count_signal);
	set_plain(SIGALRM, count_signal);
	raw(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
	for (int i = 0; i < shared->threads; i++) {
		struct worker *w = &all[i];

		*w = (struct worker){ .slot = slot, .number = i, .index = slot * THREADS_MAX + i };
		w->random = random_start(start * THREADS_MAX + i);
		set_pages(w, 0, REGION, -1, true);
	}
	for (int i = 1; i < shared->threads; i++)
		thread_start(&all[i].thread, work, &all[i]);
	all[0].thread.tid = my_tid();
	work(&all[0]);
	for (int i = 1; i < shared->threads; i++)
		thread_join(&all[i].thread);
	return 0;
}

static int start_worker(void *arg)
{
	char number[16], *argv[] = { (char *)tap.path, "worker", number, NULL }, *none[] = { NULL };

	snprintf(number, sizeof(number), "%d", (int)(long)arg);
	raw(SYS_execve, tap.path, argv, none);
	return 98;
}

/* As a program of its own, so that every worker's addresses are as the first one's. */
static int worker_mode(int argc, char **argv)
{
	find_shared();
	return worker_process(atoi(argv[2]));
}

/* --- the one that watches over them ------------------------------------------------------------- */

static bool was_killed[SLOTS_MAX];

static int slot_of(int pid)
{
	for (int i = 0; i < shared->slots; i++)
		if (shared->pids[i] == pid)
			return i;
	return -1;
}

/* Takes leave of one that ended; its slot is empty then. */
static void ended(int pid, int status)
{
	int slot = slot_of(pid);

	if (slot < 0)
		return; /* a child of one that was killed */
	if (status != 0 && !(was_killed[slot] && status == SIGKILL))
		wrong("worker process %d (pid %d) ended with status 0x%x", slot, pid, status);
	shared->pids[slot] = 0;
}

static unsigned long total(void)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < COUNT(kinds); i++)
		sum += shared->counts[i];
	return sum;
}

/* Kills one in the middle of whatever it does, now and then, counted in operations. */
static void kill_one(unsigned long *random, unsigned long *next)
{
	int slot = random_below(random, shared->slots);

	if (total() < *next || shared->pids[slot] <= 0)
		return;
	*next = total() + 500 + random_below(random, 3000);
	was_killed[slot] = true;
	raw(SYS_kill, shared->pids[slot], SIGKILL);
}

static void watch(void)
{
	unsigned long random = random_start(1000000), next = 2000, minute = now_ns();
	struct timespec pause = { 0, 20000000 };
	int status;
	long pid;

	while (!shared->over) {
		for (int i = 0; i < shared->slots; i++) {
			if (shared->pids[i] > 0)
				continue;
			was_killed[i] = false;
			shared->pids[i] = fork_child(start_worker, (void *)(long)i);
		}
		raw(SYS_nanosleep, &pause, NULL);
		while ((pid = raw(SYS_wait4, -1, &status, WNOHANG, NULL)) > 0)
			ended(pid, status);
		kill_one(&random, &next);
		over();
		if (now_ns() - minute >= 60000000000UL) {
			minute += 60000000000UL;
			tell("soak: ", "%lu operations so far", total());
		}
	}
	while ((pid = raw(SYS_wait4, -1, &status, 0, NULL)) > 0 || pid == -EINTR)
		if (pid > 0)
			ended(pid, status);
}

/* Shared memory of those who were killed before they could give it back: it stays until told to go. */
static void remove_shm(void)
{
	struct shm_info info;
	struct shmid_ds ds;
	long last = raw(SYS_shmctl, 0, SHM_INFO, &info);

	for (long i = 0; i <= last; i++) {
		long id = raw(SYS_shmctl, i, SHM_STAT, &ds);

		if (id >= 0)
			raw(SYS_shmctl, id, IPC_RMID, NULL);
	}
}

static unsigned long option(int argc, char **argv, const char *name, unsigned long otherwise)
{
	size_t len = strlen(name);

	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=')
			return strtoul(argv[i] + len + 1, NULL, 10);
	return otherwise;
}

static void make_file(int fd, const char *name)
{
	long file;

	if (name)
		file = raw(SYS_open, name, O_RDWR | O_CREAT | O_EXCL, 0600);
	else
		file = raw(SYS_memfd_create, "soak", 0);
	if (name)
		raw(SYS_unlink, name);
	if (file < 0 || raw(SYS_dup2, file, fd) < 0) {
		tell("soak: ", "no file: error %ld", -file);
		_exit(1);
	}
	raw(SYS_close, file);
}

static void prepare(int argc, char **argv)
{
	unsigned long seconds =
		option(argc, argv, "seconds", option(argc, argv, "minutes", 1) * 60);

	make_file(SHARED_FD, NULL);
	raw(SYS_ftruncate, SHARED_FD, (sizeof(*shared) + PAGE - 1) & -PAGE);
	find_shared();
	make_file(FILE_FD, NULL);
	make_file(FILE_FD + 1, "/tmp/soak.1");
	make_file(FILE_FD + 2, "/tmp/soak.2");
	find_cpus();
	shared->ops_left = option(argc, argv, "ops", 0);
	shared->seed = seed = option(argc, argv, "seed", 1);
	shared->slots = option(argc, argv, "processes", 3);
	shared->threads = option(argc, argv, "threads", 3);
	if (shared->slots > SLOTS_MAX)
		shared->slots = SLOTS_MAX;
	if (shared->threads > THREADS_MAX)
		shared->threads = THREADS_MAX;
	if (!shared->ops_left)
		shared->deadline_ns = now_ns() + seconds * 1000000000UL;
	/* Orphans of those that are killed come here, and none is left at the end. */
	raw(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
	tell("soak: ", "%d processors, %d processes of %d threads, seed %lu", cpu_count,
	     shared->slots, shared->threads, seed);
}

static void say_counts(void)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		tell("soak: ", "%-10s %ld", kinds[i].name, shared->counts[i]);
	tell("soak: ", "%lu operations by %lu processes, %ld times no memory, %ld complaints",
	     total(), shared->starts, shared->memory_out, shared->complaints);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "worker", worker_mode },
					     { "leaf", leaf },
					     { NULL, NULL } };

	/* Options are told from modes by their "=". */
	tap_start(argc > 1 && strchr(argv[1], '=') ? 1 : argc, argv, modes);
	prepare(argc, argv);
	watch();
	remove_shm();
	say_counts();
	return shared->complaints != 0;
}
