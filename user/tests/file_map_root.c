/* SPDX-License-Identifier: MIT */
/* runs as root */
/* Files that only take appends, or nothing at all, and mappings of them: root can make such. */
#include "filemap.h"
#include <sys/ioctl.h>
#include <sys/xattr.h>

/* <linux/fs.h>: what chattr(1) uses; both take an int. */
#define GETFLAGS  0x80086601UL
#define SETFLAGS  0x40086602UL
#define IMMUTABLE 0x10
#define APPEND	  0x20
#define NODUMP	  0x40

static int fd, ro;

static long set(int file, int flags)
{
	return result(syscall(SYS_ioctl, file, SETFLAGS, &flags));
}

static int get(int file)
{
	int flags = -1;
	long err = result(syscall(SYS_ioctl, file, GETFLAGS, &flags));

	return err ? (int)err : flags;
}

static long map1(int file, int prot, int flags)
{
	long p = raw_mmap(0, PAGE, prot, flags, file, 0);

	if (!is_error(p))
		raw_munmap(p, PAGE);
	return is_error(p) ? p : 0;
}

static long open_as(int flags)
{
	long file = result(open(in_dir("f"), flags));

	if (file >= 0)
		close(file);
	return file < 0 ? file : 0;
}

static void append(void)
{
	char *before = map_file(fd, 1, RW, MAP_SHARED);
	int appender;

	is(set(fd, APPEND), 0, "a file becomes append-only");
	is(get(fd), APPEND, "... and says so");
	is(map1(fd, RW, MAP_SHARED), -EACCES, "open for writing, shared: EACCES");
	is(map1(fd, PROT_READ, MAP_SHARED), -EACCES, "... to read: EACCES");
	is(map1(fd, RW, MAP_PRIVATE), 0, "... private");
	is(map1(ro, PROT_READ, MAP_SHARED), 0, "open for reading, shared");
	is(map1(ro, RW, MAP_PRIVATE), 0, "... private, writable");
	before[5] = 'x';
	is(in_file(ro, 5), 'x', "a mapping from before can be written");
	is(open_as(O_RDWR), -EPERM, "opening it for writing: EPERM");
	is(open_as(O_WRONLY | O_TRUNC | O_APPEND), -EPERM, "... with O_TRUNC: EPERM");
	is(open_as(O_RDWR | O_APPEND), 0, "... to append");
	appender = open(in_dir("f"), O_RDWR | O_APPEND);
	is(map1(appender, PROT_READ, MAP_SHARED), -EACCES, "... shared: EACCES");
	is(write(appender, "end", 3), 3, "appending");
	fails(ftruncate(appender, 0), EPERM, "ftruncate: EPERM");
	fails(truncate(in_dir("f"), 0), EPERM, "truncate: EPERM");
	fails(unlink(in_dir("f")), EPERM, "unlink: EPERM");
	fails(rename(in_dir("f"), in_dir("g")), EPERM, "rename: EPERM");
	fails(setxattr(in_dir("f"), "security.a", "x", 1, 0), EPERM, "setxattr: EPERM");
	close(appender);
	unmap(before, 1);
	is(set(ro, 0), 0, "it becomes an ordinary file, by any descriptor");
	is(map1(fd, RW, MAP_SHARED), 0, "... which can be mapped");
}

static void immutable(void)
{
	is(set(fd, IMMUTABLE), 0, "a file becomes immutable");
	is(map1(fd, RW, MAP_SHARED), 0, "open for writing before, it can be mapped");
	is(open_as(O_RDWR), -EPERM, "opening it for writing: EPERM");
	is(open_as(O_RDWR | O_APPEND), -EPERM, "... to append: EPERM");
	is(open_as(O_RDONLY), 0, "... for reading");
	fails(truncate(in_dir("f"), 0), EPERM, "truncate: EPERM");
	fails(unlink(in_dir("f")), EPERM, "unlink: EPERM");
	fails(removexattr(in_dir("f"), "user.a"), EPERM, "removexattr: EPERM");
	fails(getxattr(in_dir("f"), "user.a", NULL, 0), EOPNOTSUPP, "getxattr: it has none");
	is(set(fd, 0), 0, "and back");
}

static int as_nobody(void)
{
	int own;

	become_nobody();
	report->n[0] = set(ro, 0);
	report->n[1] = get(ro);
	own = open(in_dir("mine"), O_RDWR | O_CREAT, 0600);
	report->n[2] = set(own, NODUMP);
	report->n[3] = set(own, APPEND);
	report->n[4] = get(own);
	return 0;
}

static void rights(void)
{
	int pipes[2];

	is(get(fd), 0, "a new file has no flags");
	is(set(fd, 0x4), -EOPNOTSUPP, "a flag that there isn't: EOPNOTSUPP");
	is(result(syscall(SYS_ioctl, fd, SETFLAGS, NULL)), -EFAULT, "from nowhere: EFAULT");
	is(result(syscall(SYS_ioctl, fd, GETFLAGS, NULL)), -EFAULT, "to nowhere: EFAULT");
	pipe(pipes);
	is(get(pipes[0]), -ENOTTY, "a pipe has none: ENOTTY");
	is(set(pipes[0], 0), -ENOTTY, "... nor takes any: ENOTTY");
	chmod(test_dir, 0777);
	is(in_child(as_nobody), 0, "an ordinary user");
	is(report->n[0], -EPERM, "... can't change another's file: EPERM");
	is(report->n[1], 0, "... can look");
	is(report->n[2], 0, "... may do with its own");
	is(report->n[3], -EPERM, "... but not make it append-only: EPERM");
	is(report->n[4], NODUMP, "... it stays as it was");
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "f", "g", "mine", NULL };

	tap_start(argc, argv, NULL);
	if (!am_root())
		skip_all("needs root");
	forks_start();
	make_dir("file_map_root");
	fd = pages_file("f", 2);
	ro = open(in_dir("f"), O_RDONLY);
	rights();
	append();
	immutable();
	clean_dir(names);
	return done_testing();
}
