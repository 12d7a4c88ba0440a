/* SPDX-License-Identifier: MIT */
/* What the tests of files share: places to make them in, and a look at who sleeps. */
#ifndef USER_TESTS_FILES_H
#define USER_TESTS_FILES_H

#include "tap.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

/* A directory of this test's own, and names in it: in_dir("x") is good until the next but seven. */
static char test_dir[64];

TAP_FN void make_dir(const char *name)
{
	snprintf(test_dir, sizeof(test_dir), "/tmp/%s.%d", name, (int)getpid());
	if (mkdir(test_dir, 0755) != 0)
		skip_all("no directory can be made in /tmp");
}

TAP_FN const char *in_dir(const char *name)
{
	static char names[8][128];
	static unsigned int next;
	char *s = names[next++ % 8];

	snprintf(s, sizeof(names[0]), "%s/%s", test_dir, name);
	return s;
}

/* A file with that many bytes of 'a', 'b'... in turn; its descriptor, open for both. */
TAP_FN int make_file(const char *name, size_t size)
{
	int fd = open(in_dir(name), O_RDWR | O_CREAT | O_TRUNC, 0644);

	for (size_t i = 0; i < size; i++) {
		char c = 'a' + i % 26;

		if (write(fd, &c, 1) != 1)
			break;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Removes files of the directory, and then itself. Ends with NULL. */
TAP_FN void clean_dir(const char *const *names)
{
	for (; *names; names++)
		unlink(in_dir(*names));
	is(rmdir(test_dir), 0, "nothing else is left in the directory");
}

/* How many descriptors below 1024 are open. */
TAP_FN int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* The letter behind "State:" in /proc/pid/status, or 0 when there is no such process. */
TAP_FN char state_of(pid_t pid)
{
	char path[64], text[512];
	const char *state;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	state = strstr(text, "State:");
	return state ? state[7] : 0;
}

TAP_FN void wait_until_asleep(pid_t pid)
{
	struct timespec moment = { 0, 1000000 };
	char state;

	do {
		nanosleep(&moment, NULL);
		state = state_of(pid);
	} while (state && state != 'S');
}

static volatile sig_atomic_t caught, caught_code, caught_pid;

TAP_FN void count_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	caught++;
	caught_code = info->si_code;
	caught_pid = info->si_pid;
}

/* Counts a signal in `caught`. */
TAP_FN void catch_signal(int sig, int flags)
{
	struct sigaction action = { .sa_sigaction = count_signal, .sa_flags = flags | SA_SIGINFO };

	caught = 0;
	sigaction(sig, &action, NULL);
}

/* Modes for children started with start_mode(): each acts once its parent sleeps. */

/* Sends the signal in argv[2] so often as argv[3] says. */
TAP_FN int kick_mode(int argc, char **argv)
{
	int times = argc > 3 ? atoi(argv[3]) : 1;

	for (int i = 0; i < times; i++) {
		wait_until_asleep(getppid());
		kill(getppid(), atoi(argv[2]));
	}
	return 0;
}

TAP_FN pid_t start_kick(int sig, int times)
{
	char a[16], b[16];

	snprintf(a, sizeof(a), "%d", sig);
	snprintf(b, sizeof(b), "%d", times);
	return start_mode("kick", a, b);
}

#endif
