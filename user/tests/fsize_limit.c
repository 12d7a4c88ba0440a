/* SPDX-License-Identifier: MIT */
/* RLIMIT_FSIZE: what makes a file too large for it is cut off, or fails with EFBIG and SIGXFSZ. */
#include "tap.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define LIMIT 10000

static volatile int signals, code, sender;
static char data[3 * LIMIT];

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	signals++;
	code = info->si_code;
	sender = info->si_pid;
}

static long size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? (long)st.st_size : -errno;
}

static void set_limit(unsigned long bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	is(setrlimit(RLIMIT_FSIZE, &limit), 0, "the limit is %lu bytes", bytes);
}

static int child_default(int argc, char **argv)
{
	struct rlimit limit = { 0, RLIM_INFINITY };
	int fd = open("/tmp/fsize_default", O_RDWR | O_CREAT | O_TRUNC, 0600);

	(void)argc;
	(void)argv;
	unlink("/tmp/fsize_default");
	setrlimit(RLIMIT_FSIZE, &limit);
	write(fd, "x", 1);
	return 0;
}

static const struct mode modes[] = { { "default", child_default }, { NULL, NULL } };

static void test_writes(int fd)
{
	is(result(write(fd, data, LIMIT - 100)), LIMIT - 100, "a write below the limit");
	is(result(write(fd, data, 200)), 100, "one across it is cut off");
	is(signals, 0, "without a signal");
	fails(write(fd, data, 1), EFBIG, "one at the limit");
	is(signals, 1, "and the signal came");
	ok(code == SI_USER && sender == getpid(), "as from oneself");
	is(result(write(fd, data, 0)), 0, "a write of nothing at the limit");
	fails(pwrite(fd, data, 1, 5L * LIMIT), EFBIG, "a write far behind it");
	is(signals, 2, "each time a signal");
	is(result(pwrite(fd, data, 20, LIMIT - 10)), 10, "a pwrite across it");
	is(result(lseek(fd, 0, SEEK_CUR)), LIMIT, "the position is where writing stopped");
	is(size_of(fd), LIMIT, "the file has the size of the limit");
}

static void test_truncate(int fd)
{
	signals = 0;
	fails(ftruncate(fd, LIMIT + 1), EFBIG, "a file can't be made larger");
	is(signals, 1, "and the signal came");
	is(size_of(fd), LIMIT, "it is as it was");
	is(ftruncate(fd, LIMIT / 2), 0, "smaller it can be made");
	is(ftruncate(fd, LIMIT), 0, "and as large as the limit again");
	set_limit(100);
	is(ftruncate(fd, LIMIT / 2), 0, "it may be made smaller with a limit that it exceeds");
	fails(ftruncate(fd, LIMIT / 2 + 1), EFBIG, "but not larger");
	is(result(pwrite(fd, data, 10, 0)), 10, "its start can be written");
	fails(pwrite(fd, data, 10, 200), EFBIG, "what it has behind the limit can't");
	fails(truncate("/tmp/fsize_limit", LIMIT), EFBIG, "nor by its path");
	is(signals, 4, "with a signal each time");
}

static void test_others(int fd)
{
	int append = open("/tmp/fsize_limit", O_WRONLY | O_APPEND), ends[2];

	signals = 0;
	fails(write(append, data, 1), EFBIG, "the end counts for what is appended");
	is(signals, 1, "and the signal came");
	close(append);
	signal(SIGXFSZ, SIG_IGN);
	fails(write(fd, data, 1), EFBIG, "with the signal ignored the error stays");
	is(result(pread(fd, data, 1000, 2000)), 1000, "reading has no limit");
	if (pipe(ends) == 0)
		is(result(write(ends[1], data, 1000)), 1000, "nor has a pipe");
	is(result(write(open("/dev/null", O_WRONLY), data, 1000)), 1000, "nor a device");
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	int fd;

	tap_start(argc, argv, modes);
	fd = open("/tmp/fsize_limit", O_RDWR | O_CREAT | O_TRUNC, 0600);
	sigaction(SIGXFSZ, &action, NULL);
	set_limit(LIMIT);
	test_writes(fd);
	test_truncate(fd);
	test_others(fd);
	signal(SIGXFSZ, SIG_DFL);
	dies("default", SIGXFSZ, "without a handler the signal ends a program");
	unlink("/tmp/fsize_limit");
	return done_testing();
}
