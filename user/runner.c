/* SPDX-License-Identifier: MIT */
/*
 * runner: process 1 of a test boot. Runs the programs that the kernel's command line names, one
 * after the other, and switches the machine off.
 *
 *	tests=ITEM[,ITEM...]	/path/of/program+argument+argument	a program with arguments
 *				name					/tests/name
 *				all					everything in /tests, by name,
 *				-name					but for these
 *	uid=N			the programs run as user and group N, without other groups
 *
 * What it prints around each program's own output is for the one who reads the serial line:
 *
 *	##begin ITEM, then ##end ITEM exit=N or ##end ITEM signal=N; ##note for what is odd; ##done
 *
 * For a trial it can be started as an ordinary program, with the options as its argument.
 */
#include "common.h"
#include <sys/shm.h>

#define MAX_TESTS 256
#define MAX_ARGS  32

static char cmdline[4096];
static char tests[4096], all_items[4096];
static char listing[32768] __attribute__((aligned(8)));
static char names[MAX_TESTS][64];
static long uid = -1;

/* Why the child could not start; written by the child, which shares our memory until exec. */
static volatile int exec_error, uid_error;

/* The identity is set by the calls themselves: a C library would have it set in every thread. */
static int become_user(void)
{
	if (syscall(SYS_setgroups, 0, NULL) != 0 || syscall(SYS_setresgid, uid, uid, uid) != 0 ||
	    syscall(SYS_setresuid, uid, uid, uid) != 0)
		return errno;
	return 0;
}

__attribute__((noinline)) static pid_t start(char **argv)
{
	static char *env[] = { "PATH=/bin:/tests", "HOME=/", "TERM=dumb", NULL };
	pid_t pid;

	exec_error = 0;
	uid_error = 0;
	pid = vfork();
	if (pid == 0) {
		if (uid >= 0)
			uid_error = become_user();
		if (uid_error && uid_error != ENOSYS)
			_exit(126);
		execve(argv[0], argv, env);
		exec_error = errno;
		_exit(127);
	}
	return pid;
}

/* Splits an item at '+' into argv; a bare name becomes a path. */
static void split(const char *item, char *path, size_t size, char **argv)
{
	int argc = 0;

	if (item[0] == '/')
		snprintf(path, size, "%s", item);
	else
		snprintf(path, size, "/tests/%s", item);
	for (char *part = path; part && argc < MAX_ARGS;) {
		char *plus = strchr(part, '+');

		argv[argc++] = part;
		if (plus)
			*plus++ = '\0';
		part = plus;
	}
	argv[argc] = NULL;
}

/* A System V segment lives on when its program has ended. Ours remove theirs; of others it is no leak. */
static void remove_segments(const char *item)
{
	struct shm_info info;
	struct shmid_ds ds;
	int last = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);

	for (int i = 0; i <= last; i++) {
		int id = shmctl(i, SHM_STAT_ANY, &ds);

		if (id >= 0 && shmctl(id, IPC_RMID, NULL) == 0)
			say("##note %s left System V segment %d\n", item, id);
	}
}

static void run_item(const char *item)
{
	static char path[4096];
	static char *argv[MAX_ARGS + 1];
	int status;
	pid_t pid;

	split(item, path, sizeof(path), argv);
	say("##begin %s\n", item);
	pid = start(argv);
	status = pid < 0 ? 127 << 8 : wait_for(pid);
	if (pid < 0)
		say("##note %s: cannot start a process: %s\n", item, strerror(errno));
	if (uid_error)
		say("##note %s: cannot become user %ld: %s\n", item, uid, strerror(uid_error));
	if (exec_error)
		say("##note %s: cannot run %s: %s\n", item, argv[0], strerror(exec_error));
	if (WIFSIGNALED(status))
		say("##end %s signal=%d\n", item, WTERMSIG(status));
	else
		say("##end %s exit=%d\n", item, WEXITSTATUS(status));
	if (item[0] == '/')
		remove_segments(item);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The names in /tests, sorted. getdents64's entry: inode 8, offset 8, length 2, type 1, name. */
static int list_tests(void)
{
	int fd = open("/tests", O_RDONLY | O_DIRECTORY), count = 0;
	long n;

	if (fd < 0) {
		say("##note /tests: %s\n", strerror(errno));
		return 0;
	}
	while ((n = syscall(SYS_getdents64, fd, listing, sizeof(listing))) > 0) {
		for (long at = 0; at < n; at += *(unsigned short *)(listing + at + 16)) {
			const char *name = listing + at + 19;

			if (name[0] == '.')
				continue;
			if (count == MAX_TESTS || strlen(name) >= sizeof(names[0])) {
				say("##note /tests/%s: left out, too many or too long\n", name);
				continue;
			}
			strcpy(names[count++], name);
		}
	}
	if (n < 0)
		say("##note /tests: %s\n", strerror(errno));
	close(fd);
	qsort(names, count, sizeof(names[0]), by_name);
	return count;
}

/* Whether the command line has -NAME among its tests. */
static bool left_out(const char *name)
{
	size_t len = strlen(name);

	for (const char *at = all_items; (at = strchr(at, '-')) != NULL; at++) {
		bool begins = at == all_items || at[-1] == ',';

		if (begins && !strncmp(at + 1, name, len) && (!at[len + 1] || at[len + 1] == ','))
			return true;
	}
	return false;
}

static void run_all(void)
{
	int count = list_tests();

	for (int i = 0; i < count; i++)
		if (!left_out(names[i]))
			run_item(names[i]);
}

/* Programs that aren't root's need places to write to. */
static void prepare_dir(const char *path)
{
	if (getpid() != 1)
		return;
	mkdir(path, 01777);
	if (mount("tmp", path, "tmpfs", 0, "mode=1777") != 0 && errno != ENOSYS)
		say("##note %s: %s\n", path, strerror(errno));
}

int main(int argc, char **argv)
{
	char number[32];

	prepare_linux();
	prepare_dir("/tmp");
	prepare_dir("/dev/shm");
	if (argc > 1)
		snprintf(cmdline, sizeof(cmdline), "%s", argv[1]);
	else if (read_file("/proc/cmdline", cmdline, sizeof(cmdline)) < 0)
		say("##note cannot read /proc/cmdline\n");
	if (option(cmdline, "uid=", number, sizeof(number)))
		uid = strtol(number, NULL, 10);
	if (!option(cmdline, "tests=", tests, sizeof(tests)))
		say("##note no tests= on the command line\n");
	strcpy(all_items, tests);
	for (char *item = strtok(tests, ","); item; item = strtok(NULL, ",")) {
		if (strcmp(item, "all") == 0)
			run_all();
		else if (item[0] == '-')
			continue; /* said of all */
		else
			run_item(item);
	}
	say("##done\n");
	power_off();
	return 1;
}
