/* SPDX-License-Identifier: MIT */
/*
 * Waiting for what another processor does: poll and select on pipes, locks of files, tasks that vanish from
 * /proc while it is read, and forks beside threads that change what is copied.
 */
#include "smp.h"
#include <dirent.h>
#include <poll.h>
#include <sys/select.h>

static volatile int stop_now;

/* --- poll ------------------------------------------------------------------------------------------ */

static int there[2], back[2];

/* Waits by poll or select for a byte, and sends one. */
static void wait_and_send(int from, int to, int i)
{
	char byte = 0;
	long n;

	if (i & 1) {
		struct pollfd fds[2] = { { from, POLLIN, 0 },
					 { there[0] == from ? back[0] : there[0], 0, 0 } };

		n = raw(SYS_poll, fds, 2, -1);
		if (n != 1 || fds[0].revents != POLLIN)
			complain("poll: %ld, 0x%x", n, fds[0].revents);
	} else {
		unsigned long set = 1UL << from;

		n = raw(SYS_select, from + 1, &set, NULL, NULL, NULL);
		if (n != 1 || set != 1UL << from)
			complain("select: %ld", n);
	}
	if (raw(SYS_read, from, &byte, 1) != 1 || raw(SYS_write, to, &byte, 1) != 1)
		complain("no byte");
}

static int answer(struct member *m)
{
	for (int i = 0; i < 200 * (int)times; i++)
		wait_and_send(there[0], back[1], i);
	return 0;
}

static int ask(struct member *m)
{
	raw(SYS_write, there[1], "x", 1);
	for (int i = 0; i < 200 * (int)times; i++)
		wait_and_send(back[0], there[1], i);
	return 0;
}

static void polls(void)
{
	int size = 0;

	raw(SYS_pipe2, there, 0);
	raw(SYS_pipe2, back, 0);
	team_add(&size, 1, answer);
	team_add(&size, 1, ask);
	team_begin(size);
	team_join(0, size);
	for (int i = 0; i < 2; i++) {
		raw(SYS_close, there[i]);
		raw(SYS_close, back[i]);
	}
	nobody_complained("poll and select see what comes");
}

/* --- locks of files ----------------------------------------------------------------------------------- */

static volatile int *shared;
static char lock_path[64];

static int count_locked(void *arg)
{
	int fd = raw(SYS_open, lock_path, O_RDWR);

	for (int i = 0; i < 100 * (int)times; i++) {
		struct flock whole = { .l_type = F_WRLCK };

		if (arg ? raw(SYS_flock, fd, 2 /* LOCK_EX */) :
			  raw(SYS_fcntl, fd, F_SETLKW, &whole))
			return 1;
		if (shared[1]++)
			return 2;
		shared[0]++;
		breathe(i * 4);
		shared[1]--;
		whole.l_type = F_UNLCK;
		if (arg ? raw(SYS_flock, fd, 8 /* LOCK_UN */) : raw(SYS_fcntl, fd, F_SETLK, &whole))
			return 3;
	}
	return 0;
}

static void locks(void)
{
	int wrong = 0;

	snprintf(lock_path, sizeof(lock_path), "/tmp/smp_waits.%d", my_pid());
	raw(SYS_close, raw(SYS_open, lock_path, O_RDWR | O_CREAT, 0644));
	for (long kind = 0; kind < 2; kind++) {
		pid_t pids[4];

		shared[0] = shared[1] = 0;
		for (int i = 0; i < 4; i++)
			pids[i] = fork_child(count_locked, (void *)kind);
		for (int i = 0; i < 4; i++)
			wrong += status_of(pids[i]) != 0;
		is(shared[0], 400 * (int)times, "four processes count under %s",
		   kind ? "flock" : "a lock of fcntl");
	}
	is(wrong, 0, "one at a time");
	raw(SYS_unlink, lock_path);
}

/* --- /proc --------------------------------------------------------------------------------------------- */

static int nothing(void *arg)
{
	return 0;
}

static int vanish(struct member *m)
{
	while (!stop_now) {
		struct thread thread;
		pid_t pid = fork_child(nothing, NULL);

		thread_start(&thread, nothing, NULL);
		m->count = pid;
		thread_join(&thread);
		if (status_of(pid) != 0)
			complain("the child's status");
	}
	return 0;
}

static int look_at_proc(struct member *m)
{
	static const char *const files[] = { "stat", "status", "maps",	"cmdline", "comm",
					     "auxv", "limits", "smaps", "fd",	   "task" };

	for (int i = 0; i < 80 * (int)times; i++) {
		int pid = team[m->number % 2].count;
		char path[64], text[4096];
		long ret;

		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i % COUNT(files)]);
		ret = raw(SYS_open, path, O_RDONLY);
		if (ret >= 0) {
			long fd = ret;

			ret = i % COUNT(files) < 8 ? raw(SYS_read, fd, text, sizeof(text)) :
						     raw(SYS_getdents64, fd, text, sizeof(text));
			raw(SYS_close, fd);
		}
		if (ret < 0 && ret != -ENOENT && ret != -ESRCH && ret != -EACCES)
			complain("%s: %ld", path, ret);
		ret = read_small("/proc/self/stat", text, sizeof(text));
		if (ret <= 0 || atoi(text) != my_pid())
			complain("we are not in /proc: %ld", ret);
	}
	return 0;
}

static void vanishing(void)
{
	int size = 0;

	team_add(&size, 2, vanish);
	team_add(&size, 2, look_at_proc);
	team_begin(size);
	team_join(2, 2);
	stop_now = 1;
	team_join(0, 2);
	stop_now = 0;
	nobody_complained("/proc can be read while children and threads end");
}

/* --- forks beside busy threads --------------------------------------------------------------------------- */

static unsigned long *field; /* each word is 0, or its index and more */

static int fill_field(struct member *m)
{
	while (!stop_now) {
		unsigned long at = random_below(&m->random, 64 * 512);

		__atomic_store_n(&field[at], at + 1, __ATOMIC_SEQ_CST);
		if (at % 64 == 0)
			raw(SYS_madvise, (unsigned long)field + (at / 512 * PAGE), PAGE,
			    4 /* MADV_DONTNEED */);
		breathe(m->count++);
	}
	return 0;
}

static int change_state(struct member *m)
{
	while (!stop_now) {
		struct raw_sigaction action = { 0 };
		int fd = raw(SYS_dup, 0);

		action.handler = m->count & 1 ? SIG_IGN : SIG_DFL;
		raw(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8);
		raw(SYS_chdir, m->count & 1 ? "/" : "/tmp");
		raw(SYS_umask, m->count & 1 ? 022 : 077);
		raw(SYS_close, fd);
		breathe(m->count++);
	}
	return 0;
}

/* What was copied is whole. */
static int check_copy(void *arg)
{
	struct raw_sigaction action;
	char cwd[64];
	long mask;

	for (unsigned long i = 0; i < 64 * 512; i++)
		if (field[i] && field[i] != i + 1)
			return 1;
	raw(SYS_rt_sigaction, SIGUSR1, NULL, &action, 8);
	if (action.handler != SIG_IGN && action.handler != SIG_DFL)
		return 2;
	raw(SYS_getcwd, cwd, sizeof(cwd));
	if (strcmp(cwd, "/") && strcmp(cwd, "/tmp"))
		return 3;
	mask = raw(SYS_umask, 0);
	if (mask != 022 && mask != 077)
		return 4;
	return thread_count() == 1 ? 0 : 5;
}

static int fork_beside(struct member *m)
{
	for (int i = 0; i < 20 * (int)times; i++) {
		pid_t pid = fork_child(check_copy, NULL);
		int status = status_of(pid);

		if (status)
			complain("child %d: status 0x%x", pid, status);
	}
	return 0;
}

static int run_program(struct member *m)
{
	for (int i = 0; i < 15 * (int)times; i++) {
		char *argv[] = { (char *)tap.path, "nothing", NULL }, *envp[] = { NULL };
		int status = status_of(spawn(tap.path, argv, envp));

		if (status != 17 << 8)
			complain("program: status 0x%x", status);
	}
	return 0;
}

static void forks(void)
{
	int size = 0;

	field = (unsigned long *)fresh(64, RW);
	raw(SYS_chdir, "/");
	raw(SYS_umask, 022);
	team_add(&size, 2, fork_beside);
	team_add(&size, 1, fill_field);
	team_add(&size, 1, change_state);
	team_begin(size);
	team_join(0, 2);
	stop_now = 1;
	team_join(2, 2);
	stop_now = 0;
	nobody_complained("fork beside threads that change memory, files, handlers and directory");
	size = 0;
	team_add(&size, 1, run_program);
	team_add(&size, 1, fill_field);
	team_begin(size);
	team_join(0, 1);
	stop_now = 1;
	team_join(1, 1);
	nobody_complained("vfork and execve beside a busy thread");
}

static int mode_nothing(int argc, char **argv)
{
	return 17;
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "nothing", mode_nothing }, { NULL, NULL } };

	smp_start(argc, argv, modes);
	shared = shared_words();
	polls();
	locks();
	vanishing();
	forks();
	return done_testing();
}
