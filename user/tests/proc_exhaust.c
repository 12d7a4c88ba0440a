/* SPDX-License-Identifier: MIT */
/*
 * Until there is no more: processes, threads, areas, memory, descriptors, timers. Each time the
 * error is the one that belongs to it, and afterwards all is as it was.
 */
#include "procs.h"
#include <dirent.h>

static volatile int *words;

/* What is counted before and after. */
struct counts {
	long processes, threads, descriptors, areas;
};

static long entries(const char *path, bool numbers)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	long count = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)) != NULL)
		count += numbers ? entry->d_name[0] >= '0' && entry->d_name[0] <= '9' : 1;
	closedir(dir);
	return count;
}

static struct counts count_all(void)
{
	struct counts c;
	char *line;

	/* The directory's buffer is malloc'ed: the areas are counted last. */
	c.processes = entries("/proc", true);
	c.threads = entries("/proc/self/task", true);
	c.descriptors = entries("/proc/self/fd", true);
	c.areas = 0;
	maps_read();
	for (line = maps_text; (line = strchr(line, '\n')) != NULL; line++)
		c.areas++;
	return c;
}

static void same(struct counts before, const char *name)
{
	struct counts now = count_all();

	/* Kernel threads come and go as they like: a few processes more or less are theirs. */
	ok(UNTIL((now = count_all()).processes <= before.processes + 2),
	   "%s: the processes are gone", name);
	is(now.threads, before.threads, "%s: as many threads as before", name);
	is(now.descriptors, before.descriptors, "%s: as many descriptors", name);
	is(now.areas, before.areas, "%s: as many areas", name);
}

/* --- processes ------------------------------------------------------------------------------------ */

#define MOST 150 /* fewer than a small machine's hard limit, which is by its memory */

static int live(void *arg)
{
	while (*(volatile int *)arg == 0)
		raw(SYS_futex, arg, 0, 0, NULL);
	return 0;
}

static void wake_all(volatile int *word)
{
	*word = 1;
	raw(SYS_futex, word, 1, 100000);
}

static void processes(void)
{
	static pid_t pids[MOST + 1];
	struct counts before = count_all();
	unsigned long old = soft_limit(RLIMIT_NPROC);
	int count = 0, bad = 0;
	long err = 0;

	limit(RLIMIT_NPROC, MOST);
	words[0] = 0;
	while (count <= MOST) {
		err = pids[count] = fork_child(live, (void *)&words[0]);
		if (err < 0)
			break;
		count++;
	}
	is(err, -EAGAIN, "fork until it can't: EAGAIN");
	is(count, MOST - 1, "after as many as RLIMIT_NPROC says");
	is(count_all().processes - before.processes >= count, true, "/proc shows them");
	wake_all(&words[0]);
	for (int i = 0; i < count; i++)
		bad += status_of(pids[i]) != 0;
	is(bad, 0, "each of them ends");
	limit(RLIMIT_NPROC, old);
	same(before, "fork");
}

/* Children that fork until they can't: nobody counts, all end by errors, and by the one that began. */
static int bomb(void *arg)
{
	int depth = (int)(long)arg;

	__atomic_add_fetch(&words[1], 1, __ATOMIC_SEQ_CST);
	while (words[2] == 0) {
		pid_t pid = fork_child(bomb, (void *)(long)(depth + 1));

		if (pid == -EAGAIN) {
			__atomic_add_fetch(&words[3], 1, __ATOMIC_SEQ_CST);
			nap();
		}
		if (pid < 0 && pid != -EAGAIN)
			words[4] = pid;
	}
	while (raw(SYS_wait4, -1, NULL, 0, NULL) > 0)
		;
	return 0;
}

static void bombs(void)
{
	struct counts before = count_all();
	unsigned long old = soft_limit(RLIMIT_NPROC);
	pid_t pid;

	limit(RLIMIT_NPROC, 100);
	words[1] = words[2] = words[3] = words[4] = 0;
	pid = fork_child(bomb, NULL);
	ok(UNTIL(words[3] >= 20), "a fork bomb comes to its limit");
	is(fork_child(live, (void *)&words[0]), -EAGAIN, "which is everybody's");
	ok(UNTIL(words[1] >= 99), "all that there can be have started");
	is(words[1], 99, "and no more");
	words[2] = 1;
	is(status_of(pid), 0, "it ends");
	is(words[4], 0, "the error was EAGAIN");
	limit(RLIMIT_NPROC, old);
	same(before, "bomb");
}

/* --- threads ------------------------------------------------------------------------------------------ */

static void threads(void)
{
	static struct thread all[MOST + 1];
	struct counts before = count_all();
	unsigned long old = soft_limit(RLIMIT_NPROC);
	char *stacks = fresh((MOST + 1) * STACK_PAGES, RW);
	int count = 0;
	long err = 0;

	limit(RLIMIT_NPROC, MOST);
	words[0] = 0;
	while (count <= MOST) {
		all[count].tid = -1;
		err = clone_fn(THREAD_FLAGS, stacks + count * STACK_PAGES * PAGE, live,
			       (void *)&words[0], &all[count].tid, &all[count].tid, 0);
		if (err < 0)
			break;
		count++;
	}
	is(err, -EAGAIN, "threads until it can't: EAGAIN");
	is(count, MOST - 1, "after as many as RLIMIT_NPROC says");
	is(thread_count(), MOST, "/proc counts them");
	is(entries("/proc/self/task", true), MOST, "and shows them");
	wake_all(&words[0]);
	for (int i = 0; i < count; i++)
		thread_join(&all[i]);
	raw_munmap((unsigned long)stacks, (MOST + 1) * STACK_PAGES * PAGE);
	limit(RLIMIT_NPROC, old);
	ok(UNTIL(thread_count() == 1), "they end");
	same(before, "threads");
}

/* --- descriptors ---------------------------------------------------------------------------------------- */

static void descriptors(void)
{
	struct counts before = count_all();
	unsigned long old = soft_limit(RLIMIT_NOFILE);
	int first = -1, last = -1, fd, fds[2] = { -7, -7 };

	limit(RLIMIT_NOFILE, 100);
	while ((fd = raw(SYS_open, "/proc/self/stat", O_RDONLY)) >= 0) {
		if (first < 0)
			first = fd;
		last = fd;
	}
	is(fd, -EMFILE, "open until it can't: EMFILE");
	is(last, 99, "the last is one below the limit");
	is(raw(SYS_dup, 1), -EMFILE, "dup: EMFILE");
	is(raw(SYS_pipe2, fds, 0), -EMFILE, "pipe: EMFILE");
	is(fds[0], -7, "which writes nothing");
	raw(SYS_close, 99);
	is(raw(SYS_pipe2, fds, 0), -EMFILE, "room for one is too little for a pipe");
	is(raw(SYS_dup, 1), 99, "but enough for dup");
	is(raw(SYS_dup2, 1, 100), -EBADF, "dup2 beyond the limit: EBADF");
	is(raw(SYS_fcntl, 1, F_DUPFD, 100), -EINVAL, "F_DUPFD beyond it: EINVAL");
	is(raw(SYS_fcntl, 1, F_DUPFD, 0), -EMFILE, "F_DUPFD: EMFILE");
	for (fd = first; fd < 100; fd++)
		raw(SYS_close, fd);
	limit(RLIMIT_NOFILE, old);
	same(before, "open");
}

/* --- memory ------------------------------------------------------------------------------------------------ */

static int map_all(void *arg)
{
	long count = 0, err;

	(void)arg;
	limit(RLIMIT_AS, 64 * MIB);
	while ((err = raw_mmap(0, MIB, RW, ANON, -1, 0)) > 0) {
		touch((void *)err, 1);
		count++;
	}
	NEED_IS(err, -ENOMEM);
	NEED(count > 50 && count < 64);
	return 0;
}

/* Areas until there are no more: by changing every other page. */
static int split_all(void *arg)
{
	long most = number_in("/proc/sys/vm/max_map_count"), count = 0, err = 0;
	char *p;

	(void)arg;
	if (most <= 0)
		return 1;
	p = fresh(2 * most + 10, PROT_NONE);
	for (long i = 0; i < most + 5 && err == 0; i++) {
		err = raw_mprotect((unsigned long)p + 2 * i * PAGE, PAGE, PROT_READ);
		count += err == 0;
	}
	NEED_IS(err, -ENOMEM);
	NEED(count > most / 2 - 200 && count < most);
	return 0;
}

static int fork_with_many(void *arg)
{
	char *p = fresh(20000, PROT_NONE);
	pid_t pid;

	(void)arg;
	for (long i = 0; i < 10000; i++)
		NEED_IS(raw_mprotect((unsigned long)p + 2 * i * PAGE, PAGE, PROT_READ), 0);
	pid = raw(SYS_fork);
	if (pid == 0)
		raw(SYS_exit_group, raw_munmap((unsigned long)p, 20000 * PAGE) == 0 ? 42 : 1);
	NEED_IS(status_of(pid), 42 << 8);
	return 0;
}

static void memory(void)
{
	struct counts before = count_all();

	child_ok(map_all, "map until RLIMIT_AS: ENOMEM");
	child_ok(split_all, "areas until max_map_count: ENOMEM");
	child_ok(fork_with_many, "fork with ten thousand areas");
	same(before, "map");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	count_all();
	processes();
	bombs();
	threads();
	descriptors();
	memory();
	return done_testing();
}
