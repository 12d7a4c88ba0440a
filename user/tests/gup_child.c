/* SPDX-License-Identifier: MIT */
/* /proc/PID/mem of another process, over its life; and against a thread that throws copies away. */
#include "procs.h"

static int mem; /* /proc/self/mem */

static volatile int *words;
static volatile int value = 1;

static int subject(void *arg)
{
	(void)arg;
	value = 10;
	words[0] = 1;
	NEED(await(&words[1], 1));
	NEED_IS(value, 11);
	words[0] = 2;
	NEED(await(&words[1], 2));
	return 0;
}

static int open_mem(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	return result(open(path, O_RDWR));
}

static void child(void)
{
	pid_t pid;
	static char page[2 * PAGE];
	char *shared = page + PAGE;
	int fd, v = 0;

	*shared = 5;
	words[0] = words[1] = 0;
	pid = fork_child(subject, NULL);
	await(&words[0], 1);
	fd = open_mem(pid);
	ok(fd >= 0, "a child's mem");
	is(pread(fd, &v, 4, (off_t)&value), 4, "... read");
	is(v, 10, "... is its own");
	v = 11;
	is(pwrite(fd, &v, 4, (off_t)&value), 4, "... written");
	is(value, 1, "... and not the parent's");
	words[1] = 1;
	await(&words[0], 2);
	/* What both still share is copied first, whoever writes. */
	is(pwrite(fd, "6", 1, (off_t)shared), 1, "a page shared since the fork");
	is(*shared, 5, "... is the parent's as before");
	words[1] = 2;
	ok(UNTIL(state_of(pid) == 'Z'), "it ends");
	is(pread(fd, &v, 4, (off_t)&value), 0, "of a zombie there is nothing to read");
	is(pwrite(fd, &v, 4, (off_t)&value), 0, "... nor to write");
	is(open_mem(pid), -EACCES, "... which has become root's: EACCES");
	is(status_of(pid), 0, "the child saw what was written to it");
	is(pread(fd, &v, 4, (off_t)&value), 0, "gone: nothing");
	is(open_mem(pid), -ENOENT, "... and no such file");
	close(fd);
}

static int idle(int argc, char **argv)
{
	char c;

	(void)argc, (void)argv;
	return read(0, &c, 1) == 0 ? 42 : 1;
}

static int exec_later(void *arg)
{
	char *argv[] = { (char *)tap.path, "idle", NULL }, *envp[] = { NULL };

	(void)arg;
	words[0] = 1;
	NEED(await(&words[1], 1));
	raw(SYS_execve, "/proc/self/exe", argv, envp);
	return 1;
}

/* Whether the process sleeps in another address space than before. */
static bool has_execed(pid_t pid, int fd)
{
	char c;

	return pread(fd, &c, 1, (off_t)words) == 0 && state_of(pid) == 'S';
}

static void exec(void)
{
	int pipes[2], saved = dup(0), fd, v;
	pid_t pid;

	words[0] = words[1] = 0;
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return;
	dup2(pipes[0], 0);
	pid = fork_child(exec_later, NULL);
	await(&words[0], 1);
	fd = open_mem(pid);
	is(pread(fd, &v, 4, (off_t)&value), 4, "before exec");
	words[1] = 1;
	ok(UNTIL(has_execed(pid, fd)), "after exec there is nothing of the old memory");
	is(pwrite(fd, &v, 4, (off_t)&value), 0, "... nor can it be written");
	close(fd);
	fd = open_mem(pid);
	is(pread(fd, &v, 4, (off_t)&value), 4, "opened again, it is the new");
	is(v, 1, "... program's");
	close(fd);
	close(pipes[1]);
	is(status_of(pid), 42 << 8, "... which ends well");
	dup2(saved, 0);
}

/* The file is about the address space it was opened with, whoever reads it. */
static int reads_parent(void *arg)
{
	int v = 0;

	(void)arg;
	value = 20;
	NEED_IS(pread(mem, &v, 4, (off_t)&value), 4);
	NEED_IS(v, 1);
	v = 30;
	NEED_IS(pwrite(mem, &v, 4, (off_t)&value), 4);
	NEED_IS(value, 20);
	return 0;
}

/* --- nobody is faster -------------------------------------------------------------------------- */

#define ROUNDS 300

static char *raced;

static int throw_away(void *arg)
{
	(void)arg;
	while (!words[0]) {
		raw(SYS_madvise, raced, PAGE, MADV_DONTNEED);
		(void)peek(raced);
	}
	return 0;
}

/* A copy that is thrown away while it is about to be written must not let the file be written. */
static void dirty_cow(void)
{
	static struct thread thread;
	char name[64], c = 0;
	int fd;
	bool all = true;

	snprintf(name, sizeof(name), "/tmp/gup_child.%d", my_pid());
	fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	unlink(name);
	is(write(fd, "a", 1), 1, "a file");
	words[0] = 0;
	raced = (char *)raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	thread_start(&thread, throw_away, NULL);
	for (int i = 0; i < ROUNDS; i++)
		all &= pwrite(mem, "X", 1, (off_t)raced) == 1;
	words[0] = 1;
	thread_join(&thread);
	ok(all, "all writes against MADV_DONTNEED went somewhere");
	is(pread(fd, &c, 1, 0), 1, "... the file");
	is(c, 'a', "... was never written");
	close(fd);
}

static const struct mode modes[] = { { "idle", idle }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	words = shared_words();
	mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	child();
	exec();
	child_ok(reads_parent, "a child has its parent's memory in an inherited file");
	is(value, 30, "... and has written it");
	dirty_cow();
	return done_testing();
}
