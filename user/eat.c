/* SPDX-License-Identifier: MIT */
/*
 * Takes memory until there is none: what the kernel does then is what this is for.
 *
 *	eat [HOW]
 *
 * Without HOW this very process does, and is killed. Otherwise its children do, and it waits for
 * them and exits with 0 when all have ended, whether by themselves or killed:
 *
 *	private	several at once, each with memory of its own
 *	shared	memory that all of them have
 *	cow	copies of what their parent wrote
 *	tables	page tables, one page in each
 *	threads	several in one address space
 *	sharers	several processes in one address space, by CLONE_VM
 *	forks	each child makes children until that fails
 *	chosen	a small one is to go instead, since its oom_score_adj says so
 *	beside	one after the other, beside a small one that always wants a little, and lives
 *	asker	beside one that holds more, who asks for more is to go (vm.oom_kill_allocating_task)
 *	panic	it is to be the end of the machine (vm.panic_on_oom)
 *
 * As pid 1, a child on its own memory does, which stays when that is killed; then a child by itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB	 (1UL << 20)
#define GIB	 (1UL << 30)
#define PAGE	 4096UL
#define CHILDREN 4

static char *map(unsigned long size, int type)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, type | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		       0);

	if (p == MAP_FAILED) {
		printf("mmap failed: %s\n", strerror(errno));
		exit(1);
	}
	return p;
}

static void eat(void)
{
	for (;;)
		memset(map(MIB, MAP_PRIVATE), 1, MIB);
}

/* What children share, or have from their parent. */
static char *common;
static unsigned long common_size;

/* How many children there are, or will never be; and have ended. In memory that all of them have. */
static int *ready, *ended;

/*
 * Each waits for the others, holding more than any program that has no part in this: it would be
 * the largest while one of them has memory to give back that it didn't touch yet.
 */
static void wait_for_others(void)
{
	memset(map(MIB, MAP_PRIVATE), 1, MIB);
	__atomic_fetch_add(ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(ready, __ATOMIC_SEQ_CST) < CHILDREN)
		sched_yield();
}

/* Nobody gives anything back before somebody has had to go. */
static void write_common(void)
{
	char round = 2;

	do {
		for (unsigned long at = 0; at < common_size; at += PAGE)
			common[at] = round;
		round++;
	} while (!__atomic_load_n(ended, __ATOMIC_SEQ_CST));
}

static void eat_tables(void)
{
	for (;;) {
		volatile char *p = map(GIB, MAP_PRIVATE);

		for (unsigned long at = 0; at < GIB; at += 2 * MIB)
			(void)p[at];
	}
}

static int sharer(void *arg)
{
	(void)arg;
	eat();
	return 0;
}

static void clone_and_eat(unsigned long flags)
{
	for (int i = 0; i < CHILDREN; i++) {
		char *stack = map(16 * PAGE, MAP_PRIVATE);

		if (clone(sharer, stack + 16 * PAGE, flags, NULL) < 0)
			_exit(1);
	}
	eat();
}

static void eat_in_threads(void)
{
	clone_and_eat(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD);
}

static void eat_in_sharers(void)
{
	clone_and_eat(CLONE_VM | SIGCHLD);
}

/* Every process of the tree writes a little and forks for as long as it can. */
static void fork_on(void)
{
	for (int i = 0; i < 20; i++) {
		memset(map(MIB / 4, MAP_PRIVATE), 1, MIB / 4);
		if (fork() < 0)
			break;
	}
	pause();
}

static const struct {
	const char *name;
	void (*child)(void);
	int common_type; /* MAP_SHARED or MAP_PRIVATE, or 0: there is none */
	unsigned long common_mib;
	bool whole_group; /* descendants are ended by us */
} hows[] = {
	{ "private", eat, 0, 0, false },
	{ "shared", write_common, MAP_SHARED, 1024, false },
	{ "cow", write_common, MAP_PRIVATE, 18, false },
	{ "tables", eat_tables, 0, 0, false },
	{ "threads", eat_in_threads, 0, 0, false },
	{ "sharers", eat_in_sharers, 0, 0, false },
	{ "forks", fork_on, 0, 0, true },
};

static int run(size_t how)
{
	int status, killed = 0, failed = 0;
	pid_t child, first = 0;

	if (hows[how].common_type) {
		common_size = hows[how].common_mib * MIB;
		common = map(common_size, hows[how].common_type);
		if (hows[how].common_type == MAP_PRIVATE)
			memset(common, 1, common_size);
	}
	ready = (int *)map(PAGE, MAP_SHARED);
	ended = ready + 1;
	for (int i = 0; i < CHILDREN; i++) {
		child = fork();
		if (child == 0) {
			setpgid(0, first);
			wait_for_others();
			hows[how].child();
			_exit(0);
		}
		if (child < 0) {
			failed++;
			__atomic_fetch_add(ready, 1, __ATOMIC_SEQ_CST);
		} else if (!first) {
			first = child;
		}
	}
	/* Else what is shared would outlive its writers, and somebody else would have to go for it. */
	if (hows[how].common_type == MAP_SHARED)
		munmap(common, common_size);
	if (hows[how].whole_group) {
		sleep(8);
		kill(-first, SIGKILL);
	}
	while ((child = wait(&status)) > 0) {
		__atomic_fetch_add(ended, 1, __ATOMIC_SEQ_CST);
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	printf("%s: %d killed, %d not made\n", hows[how].name, killed, failed);
	return 0;
}

/* We hold most, and the child, which offered itself, goes. Then there is enough: we stop. */
static int chosen(void)
{
	int fd, status;
	pid_t child = fork();

	if (child == 0) {
		fd = open("/proc/self/oom_score_adj", O_WRONLY);
		if (write(fd, "1000", 4) != 4)
			_exit(1);
		memset(map(MIB, MAP_PRIVATE), 1, MIB);
		pause();
	}
	while (waitpid(child, &status, WNOHANG) == 0)
		memset(map(MIB / 4, MAP_PRIVATE), 1, MIB / 4);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : 1;
}

/* Gives back what it takes, so it is never the one to go: not while the last one's memory comes back either. */
static void want_a_little(void)
{
	memset(map(MIB, MAP_PRIVATE), 1, MIB);
	for (;;) {
		char *p = map(MIB / 2, MAP_PRIVATE);

		memset(p, 1, MIB / 2);
		munmap(p, MIB / 2);
	}
}

static int beside(void)
{
	pid_t small = fork(), child;
	int status, good = 0;

	if (small == 0)
		want_a_little();
	for (int i = 0; i < CHILDREN; i++) {
		child = fork();
		if (child == 0)
			eat();
		good += waitpid(child, &status, 0) == child && WIFSIGNALED(status);
	}
	kill(small, SIGTERM);
	waitpid(small, &status, 0);
	printf("beside: %d killed, the small one ended by signal %d\n", good, WTERMSIG(status));
	return good == CHILDREN && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM ? 0 : 1;
}

static void set_vm(const char *path)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, "1", 1) != 1)
		exit(1);
	close(fd);
}

/* We have more than half of what a machine of 64 MiB has. */
static int asker(void)
{
	int fds[2], status;
	char byte = 0;
	pid_t child;

	set_vm("/proc/sys/vm/oom_kill_allocating_task");
	if (pipe(fds))
		return 1;
	child = fork();
	if (child == 0) {
		if (read(fds[0], &byte, 1) != 1)
			_exit(1);
		eat();
	}
	memset(map(34 * MIB, MAP_PRIVATE), 1, 34 * MIB);
	if (write(fds[1], &byte, 1) != 1)
		return 1;
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : 1;
}

static int eat_common(void *arg)
{
	(void)arg;
	memset(common, 1, common_size);
	return 0;
}

/* Nobody can take the memory from pid 1. When it has given it back itself, the next one goes as ever. */
static int first_process(void)
{
	static char stack[16 * PAGE] __attribute__((aligned(16)));
	int status, next_status;
	pid_t child;

	common_size = 256 * MIB;
	common = map(common_size, MAP_PRIVATE);
	child = clone(eat_common, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
	if (waitpid(child, &status, 0) != child)
		return 1;
	munmap(common, common_size);
	child = fork();
	if (child == 0)
		eat();
	if (waitpid(child, &next_status, 0) != child)
		return 1;
	printf("pid 1: the first ended by signal %d, the next by %d\n", WTERMSIG(status),
	       WTERMSIG(next_status));
	return 0;
}

int main(int argc, char **argv)
{
	if (getpid() == 1)
		return first_process();
	if (argc < 2)
		eat();
	if (strcmp(argv[1], "beside") == 0)
		return beside();
	if (strcmp(argv[1], "chosen") == 0)
		return chosen();
	if (strcmp(argv[1], "asker") == 0)
		return asker();
	if (strcmp(argv[1], "panic") == 0) {
		set_vm("/proc/sys/vm/panic_on_oom");
		eat();
	}
	for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++)
		if (strcmp(argv[1], hows[i].name) == 0)
			return run(i);
	printf("eat: how? %s\n", argv[1]);
	return 2;
}
