/* SPDX-License-Identifier: MIT */
/*
 * execveat(2): a program by a path, by a directory's descriptor and a name, or by a descriptor of the
 * file itself; what a script and a program are told that they are called then.
 */
#include "tap.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

#define DIR	"/tmp/execveat"
#define PROGRAM DIR "/program"
#define SCRIPT	DIR "/script"
#define SLINK	DIR "/link"
#define PLAIN	DIR "/plain"

static char *args[] = { "program", "told", NULL };
static char *env[] = { "WORD=yes", NULL };

static int execveat_(int dfd, const char *path, int flags)
{
	return (int)syscall(SYS_execveat, dfd, path, args, env, flags);
}

/* What a child that calls execveat() ends with: the errno when that fails. */
static int run(int dfd, const char *path, int flags)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execveat_(dfd, path, flags);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/*
 * The program that is run, itself or as a script's interpreter: how it ends tells what the file is called.
 * 100: by its path. 110: by a directory's descriptor. 120: by its own.
 */
static int called(int argc, char **argv)
{
	const char *self = (const char *)getauxval(AT_EXECFN);

	if (strcmp(argv[1], "told") != 0 || !getenv("WORD"))
		return 101;
	if (argc > 2 && strcmp(argv[2], self) != 0)
		return 102;
	if (strcmp(self, PROGRAM) == 0 || strcmp(self, SCRIPT) == 0)
		return 100;
	if (strncmp(self, "/dev/fd/", 8) == 0)
		return strchr(self + 8, '/') ? 110 : 120;
	return 103;
}

static void bail_out(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

static void copy_self(void)
{
	char buf[4096];
	int in = open("/proc/self/exe", O_RDONLY), out = open(PROGRAM, O_WRONLY | O_CREAT, 0755);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, n) != n)
			bail_out("no copy of the program");
	close(in);
	close(out);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		bail_out(path);
	close(fd);
}

static void test_programs(int dir)
{
	int fd = open(PROGRAM, O_RDONLY), path = open(PROGRAM, O_PATH | O_CLOEXEC);
	int link;

	is(run(AT_FDCWD, PROGRAM, 0), 100, "by a path");
	is(run(77, PROGRAM, 0), 100, "by a path from the root, whatever the descriptor is");
	is(run(dir, "program", 0), 110, "by a directory: called /dev/fd/N/program");
	is(run(fd, "", AT_EMPTY_PATH), 120, "by its descriptor: called /dev/fd/N");
	is(run(path, "", AT_EMPTY_PATH), 120, "by one of O_PATH that will be closed");
	is(run(dir, "link", 0), 110, "by a symbolic link");
	link = open(SLINK, O_PATH | O_NOFOLLOW);
	is(run(link, "", AT_EMPTY_PATH), ELOOP, "the link itself is no program");
	unlink(PROGRAM);
	is(run(fd, "", AT_EMPTY_PATH), 120, "by the descriptor of one that has no name any more");
	close(link);
	close(path);
	close(fd);
}

static void test_scripts(int dir)
{
	int fd = open(SCRIPT, O_RDONLY), closed = open(SCRIPT, O_RDONLY | O_CLOEXEC);
	int shut = open(DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	is(run(dir, "script", 0), 110, "a script by its directory");
	is(run(fd, "", AT_EMPTY_PATH), 120, "a script by its descriptor");
	is(run(closed, "", AT_EMPTY_PATH), ENOENT, "which its interpreter couldn't open");
	is(run(shut, "script", 0), ENOENT, "or the directory's, which neither");
	is(run(shut, SCRIPT, 0), 100, "a path from the root is no question of descriptors");
	close(shut);
	close(closed);
	close(fd);
}

static void test_errors(int dir)
{
	int file = open(SCRIPT, O_RDONLY), plain = open(PLAIN, O_RDONLY);

	is(run(dir, "link", AT_SYMLINK_NOFOLLOW), ELOOP, "a link that isn't to be followed");
	is(run(AT_FDCWD, SLINK, AT_SYMLINK_NOFOLLOW), ELOOP, "the same by a path");
	is(run(file, "", 0), ENOENT, "the empty path without the flag");
	fails(execveat_(file, NULL, AT_EMPTY_PATH), EFAULT, "no path at all");
	is(run(dir, "script", 1), EINVAL, "a flag that isn't known");
	is(run(77, "", AT_EMPTY_PATH | 1), EINVAL, "comes before a bad descriptor");
	is(run(dir, "", 1), ENOENT, "and behind an empty path");
	is(run(77, "script", 0), EBADF, "a bad descriptor");
	is(run(77, "", AT_EMPTY_PATH), EBADF, "a bad descriptor alone");
	is(run(file, "script", 0), ENOTDIR, "what is no directory");
	is(run(dir, "nothing", 0), ENOENT, "a name that isn't there");
	is(run(dir, "", AT_EMPTY_PATH), EACCES, "a directory");
	is(run(AT_FDCWD, "", AT_EMPTY_PATH), EACCES, "the current directory");
	is(run(dir, "plain", 0), EACCES, "a file that may not be run");
	is(run(plain, "", AT_EMPTY_PATH), EACCES, "the same by its descriptor");
	close(plain);
	close(file);
}

int main(int argc, char **argv)
{
	int dir;

	if (argc > 1)
		return called(argc, argv);
	tap_start(argc, argv, NULL);
	mkdir(DIR, 0755);
	copy_self();
	write_file(SCRIPT, "#!" PROGRAM " told\n", 0755);
	write_file(PLAIN, "nothing\n", 0644);
	symlink("program", SLINK);
	dir = open(DIR, O_RDONLY | O_DIRECTORY);
	test_errors(dir);
	test_scripts(dir);
	test_programs(dir);
	unlink(SLINK);
	unlink(PLAIN);
	unlink(SCRIPT);
	rmdir(DIR);
	return done_testing();
}
