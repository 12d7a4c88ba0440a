/* SPDX-License-Identifier: MIT */
/*
 * A program that opens until it can't, and one that keeps files and directories open that nobody
 * else does: errors for them, and afterwards all is as before.
 */
#include "files.h"
#include <sys/resource.h>
#include <sys/wait.h>

#ifndef O_TMPFILE
#define O_TMPFILE 020200000
#endif
#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#endif

/* Opens by `how` until it fails: the errno; *made: how many descriptors came. */
static int until_it_fails(int (*how)(void), int *made)
{
	int before = count_fds(), err;

	while (how() >= 0)
		;
	err = errno;
	*made = count_fds() - before;
	return err;
}

static int by_open(void)
{
	return open("/etc/motd", O_RDONLY);
}

static int by_path(void)
{
	return open("/etc", O_PATH);
}

static int by_dup(void)
{
	return dup(0);
}

static int by_dupfd(void)
{
	return fcntl(0, F_DUPFD, 0);
}

static int by_pipe(void)
{
	int p[2] = { -7, -7 };
	int ret = pipe(p);

	if (ret != 0 && (p[0] != -7 || p[1] != -7)) {
		diag("a pipe that failed has numbers");
		errno = 0;
	}
	return ret;
}

static int by_tmpfile(void)
{
	return open(test_dir, O_TMPFILE | O_RDWR, 0600);
}

static void to_the_limit(void)
{
	static const struct {
		const char *name;
		int (*how)(void);
	} ways[] = {
		{ "open", by_open },	 { "O_PATH", by_path }, { "dup", by_dup },
		{ "F_DUPFD", by_dupfd }, { "pipe", by_pipe },	{ "O_TMPFILE", by_tmpfile },
	};
	static const int limits[] = { 10, 65, 300, 1000 };
	struct rlimit lim, old;
	int before = count_fds(), made, err;

	getrlimit(RLIMIT_NOFILE, &old);
	for (size_t i = 0; i < COUNT(limits); i++) {
		lim = old;
		lim.rlim_cur = limits[i];
		setrlimit(RLIMIT_NOFILE, &lim);
		for (size_t j = 0; j < COUNT(ways); j++) {
			int want = limits[i] - before;

			err = until_it_fails(ways[j].how, &made);
			is(err, EMFILE, "%s with a limit of %d: EMFILE", ways[j].name, limits[i]);
			is(made, ways[j].how == by_pipe ? want / 2 * 2 : want,
			   "after as many as there is room for");
			syscall(436, before, ~0U, 0);
			is(count_fds(), before, "all of them closed");
		}
	}
	setrlimit(RLIMIT_NOFILE, &old);
	fails(syscall(SYS_dup3, 0, (int)old.rlim_cur, 0), EBADF, "dup3 to the limit: EBADF");
	/* A limit below what is open: what is open stays. */
	dup2(0, 50);
	lim = old;
	lim.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &lim);
	is(fcntl(50, F_GETFD), 0, "a descriptor beyond a lowered limit stays");
	fails(by_open(), EMFILE, "but no new one comes: EMFILE");
	fails(open(in_dir("never"), O_CREAT | O_RDWR, 0600), EMFILE, "and nothing is made: EMFILE");
	close(0);
	is(by_open(), 0, "until one below is closed");
	setrlimit(RLIMIT_NOFILE, &old);
	fails(access(in_dir("never"), F_OK), ENOENT, "what wasn't made isn't there");
	close(50);
}

/* Full pipes by the hundred: no more than so much memory is taken by one user's. */
static void many_pipes(void)
{
	static char page[65536];
	int before = count_fds(), p[2], n = 0;
	long sum = 0;

	while (n < 100 && pipe2(p, O_NONBLOCK) == 0) {
		long one = write(p[1], page, sizeof(page));

		sum += one > 0 ? one : 0;
		n++;
	}
	is(n, 100, "a hundred pipes");
	is(sum, 100 * 65536, "full of bytes");
	syscall(436, before, ~0U, 0);
	is(count_fds(), before, "closed with all that was in them");
}

/* One user's pipes may hold 16384 pages; beyond that, new ones are of two. */
static void pipes_of_a_user(void)
{
	struct rlimit lim, old;
	int before = count_fds(), p[2] = { -1, -1 }, full = 0;

	getrlimit(RLIMIT_NOFILE, &old);
	lim = old;
	lim.rlim_cur = 2100;
	if (geteuid() == 0 || old.rlim_max < 2100 || setrlimit(RLIMIT_NOFILE, &lim) != 0) {
		skip("pipes of a user", "for others than root, who may open 2100 files");
		return;
	}
	while (pipe(p) == 0 && fcntl(p[0], F_GETPIPE_SZ) == 65536)
		full++;
	is(full, 1024, "1024 pipes of full size");
	is(fcntl(p[0], F_GETPIPE_SZ), 8192, "the next has two pages");
	fails(fcntl(p[0], F_SETPIPE_SZ, 16384), EPERM, "and can't be made larger: EPERM");
	is(fcntl(p[0], F_SETPIPE_SZ, 4096), 4096, "but smaller");
	close(p[0] - 2), close(p[1] - 2);
	is(fcntl(p[0], F_SETPIPE_SZ, 16384), 16384, "once another is closed, larger again");
	syscall(436, before, ~0U, 0);
	setrlimit(RLIMIT_NOFILE, &old);
	pipe(p);
	is(fcntl(p[0], F_GETPIPE_SZ), 65536, "all closed: full size again");
	close(p[0]), close(p[1]);
	is(count_fds(), before, "no descriptor is left open");
}

/* Directories, deep. */
static void deep(void)
{
	char cwd[4096];
	int depth = 0, start = open(".", O_RDONLY | O_DIRECTORY);

	chdir(test_dir);
	while (depth < 3000 && mkdir("d", 0700) == 0 && chdir("d") == 0)
		depth++;
	is(depth, 3000, "3000 directories, one in the other");
	fails(syscall(SYS_getcwd, cwd, sizeof(cwd)), ENAMETOOLONG,
	      "getcwd has no room: ENAMETOOLONG");
	fails(syscall(SYS_getcwd, cwd, 10), ENAMETOOLONG, "with a small buffer too");
	while (depth > 0 && chdir("..") == 0 && rmdir("d") == 0)
		depth--;
	is(depth, 0, "all gone again");
	is(syscall(SYS_getcwd, cwd, 10), -1, "getcwd into 10 bytes");
	is(errno, ERANGE, "ERANGE");
	fchdir(start);
	close(start);
}

/* Many names in one directory. */
static void wide(void)
{
	char name[32];
	int made = 0, gone = 0;

	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		made += mknod(in_dir(name), S_IFREG | 0600, 0) == 0;
	}
	is(made, 5000, "5000 files");
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "n%d", i * 7 % 5000);
		gone += unlink(in_dir(name)) == 0;
	}
	is(gone, 5000, "all gone again");
}

/* Unlinked while open, in use by nobody else. */
static void unlinked(void)
{
	char byte = 0;
	int fd = open(in_dir("gone"), O_CREAT | O_RDWR, 0600), dir;
	struct stat st;

	unlink(in_dir("gone"));
	is(write(fd, "x", 1), 1, "a file without a name can be written");
	is(pread(fd, &byte, 1, 0), 1, "and read");
	fstat(fd, &st);
	is(st.st_nlink, 0, "it has no links");
	close(fd);
	mkdir(in_dir("dir"), 0700);
	dir = open(in_dir("dir"), O_RDONLY | O_DIRECTORY);
	rmdir(in_dir("dir"));
	fails(openat(dir, "x", O_CREAT | O_RDWR, 0600), ENOENT, "in a removed directory: ENOENT");
	fails(mkdirat(dir, "x", 0700), ENOENT, "ENOENT");
	close(dir);
}

/* As many processes as it takes; each opens all it may. */
static int open_all_mode(int argc, char **argv)
{
	int made, err = until_it_fails(by_pipe, &made);
	char c;

	(void)argc, (void)argv;
	write(1, err == EMFILE || err == ENFILE ? "y" : "n", 1);
	return read(0, &c, 1) != 0;
}

static void by_children(void)
{
	int in[2], out[2], good = 0;
	pid_t pids[10];
	char c;

	pipe(in);
	pipe(out);
	for (int i = 0; i < 10; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			dup2(in[0], 0);
			dup2(out[1], 1);
			syscall(436, 3, ~0U, 0);
			_exit(open_all_mode(0, NULL));
		}
	}
	close(in[0]), close(out[1]);
	for (int i = 0; i < 10; i++)
		good += read(out[0], &c, 1) == 1 && c == 'y';
	is(good, 10, "ten children have opened all they may at once");
	c = open("/etc/motd", O_RDONLY);
	ok(c >= 0, "and their parent can still open");
	close(c);
	close(in[1]);
	good = 0;
	for (int i = 0; i < 10; i++)
		good += wait_status(pids[i]) == 0;
	is(good, 10, "all ended well");
	close(out[0]);
}

int main(int argc, char **argv)
{
	static const char *const rest[] = { NULL };
	int before;

	tap_start(argc, argv, NULL);
	before = count_fds();
	make_dir("exhaust");
	to_the_limit();
	many_pipes();
	pipes_of_a_user();
	deep();
	wide();
	unlinked();
	by_children();
	clean_dir(rest);
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
