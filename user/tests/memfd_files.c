/* SPDX-License-Identifier: MIT */
/*
 * What memfd_create(2) makes: its name, its file system, a program in it; and F_SEAL_WRITE: who keeps it
 * away, and which areas it leaves. (The seals themselves: memfd_seals.c.)
 */
#include "forks.h"
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#endif
#define SEAL	     1
#define WRITE	     8
#define FUTURE_WRITE 16

#define CLOEXEC	 1
#define SEALABLE 2
#define HUGETLB	 4

#define PUNCH 3 /* FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE */

static long memfd(const void *name, unsigned long flags)
{
	return result(syscall(SYS_memfd_create, name, flags));
}

/* A new one of that many pages, sealed. */
static int sealed(unsigned long pages, long seals)
{
	int fd = memfd("sealed", SEALABLE);

	ftruncate(fd, pages * PAGE);
	if (seals)
		is(fcntl(fd, F_ADD_SEALS, seals), 0, "seals 0x%lx", seals);
	return fd;
}

static long add(int fd, unsigned long seals)
{
	return result(syscall(SYS_fcntl, fd, F_ADD_SEALS, seals));
}

static long map(int fd, unsigned long pages, int prot, int flags)
{
	return raw_mmap(0, pages * PAGE, prot, flags, fd, 0);
}

/* Another opening of what a descriptor stands for. */
static int reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags);
}

/* --- the file -------------------------------------------------------------------------------------- */

static const char *link_of(int fd)
{
	static char text[512];
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void making(void)
{
	char name[260];
	struct statfs fs;
	struct stat st;
	struct area area;
	int fd, second;
	long p;

	fd = memfd("x", CLOEXEC);
	is(fcntl(fd, F_GETFL), O_RDWR | 0100000, "memfd_create: open for both, O_LARGEFILE");
	is(fcntl(fd, F_GETFD), FD_CLOEXEC, "MFD_CLOEXEC");
	is(fcntl(fd, F_GET_SEALS), SEAL, "not to be sealed");
	fstat(fd, &st);
	is(st.st_mode, S_IFREG | 0777, "its mode");
	ok(st.st_size == 0 && st.st_nlink == 0 && st.st_uid == getuid(), "size, links, owner");
	is(st.st_dev, 1, "on a file system that is mounted nowhere");
	fstatfs(fd, &fs);
	ok(fs.f_type == 0x01021994 && fs.f_blocks == 0 && fs.f_files == 0,
	   "... a tmpfs without limits");
	is_str(link_of(fd), "/memfd:x (deleted)", "its name");
	is(write(fd, "hello", 5), 5, "write");
	p = map(fd, 1, RW, MAP_SHARED);
	ok(!memcmp((char *)p, "hello", 6), "mmap shows it");
	area_at(p, &area);
	is_str(area.name, "/memfd:x (deleted)", "... by its name");
	is_str(area.perms, "rw-s", "... shared");
	*(char *)p = 'J';
	second = reopen(fd, O_RDONLY);
	ok(second >= 0 && read(second, name, 10) == 5 && !memcmp(name, "Jello", 5),
	   "opened again through /proc");
	close(second);
	close(fd);
	is(peek((char *)p), 'J', "a mapping outlives its descriptor");
	raw_munmap(p, PAGE);

	fd = memfd("", 0);
	is_str(link_of(fd), "/memfd: (deleted)", "no name is one");
	is(fcntl(fd, F_GETFD), 0, "without MFD_CLOEXEC");
	close(fd);
	fd = memfd("a/b\nc", 0);
	is_str(link_of(fd), "/memfd:a/b\nc (deleted)", "any bytes are a name");
	ftruncate(fd, PAGE);
	p = map(fd, 1, PROT_READ, MAP_SHARED);
	area_at(p, &area);
	is_str(area.name, "/memfd:a/b\\012c (deleted)", "... which maps shows in one line");
	raw_munmap(p, PAGE);
	close(fd);
	memset(name, 'n', sizeof(name));
	name[249] = '\0';
	fd = memfd(name, 0);
	is(strlen(link_of(fd)), 249 + strlen("/memfd: (deleted)"), "a name of 249 bytes");
	close(fd);
	name[249] = 'n';
	name[250] = '\0';
	fails(memfd(name, 0), EINVAL, "... not of 250");
	fails(memfd(NULL, 0), EFAULT, "no pointer");
	fails(memfd(NULL, 8), EINVAL, "unknown flags are seen first");
	fails(memfd("x", 1UL << 30), EINVAL, "a size of pages that aren't huge");
	fails(memfd("x", HUGETLB | 29UL << 26), ENODEV, "... that no page has");
	limit(RLIMIT_NOFILE, 3);
	fails(memfd("x", 0), EMFILE, "no descriptor left");
	limit(RLIMIT_NOFILE, 1024);
}

static int from_memfd(int argc, char **argv)
{
	(void)argc, (void)argv;
	return 42;
}

/* A program in a memfd that is still open for writing. */
static void program(void)
{
	static char piece[65536];
	int fd = memfd("program", CLOEXEC), self = open("/proc/self/exe", O_RDONLY);
	char *argv[] = { "program", "memfd", NULL }, *envp[] = { NULL };
	char path[64];
	ssize_t n;

	while ((n = read(self, piece, sizeof(piece))) > 0)
		if (write(fd, piece, n) != n)
			break;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	is(WEXITSTATUS(wait_status(spawn(path, argv, envp))), 42, "a program runs from a memfd");
	close(self);
	close(fd);
}

/* --- sealed against writing ---------------------------------------------------------------------------- */

/* No page of the file can be written through the area, now or later. */
static void only_readable(long p, const char *what)
{
	struct area area;

	if (!ok(!is_error(p), "%s: a mapping for reading", what))
		return;
	fails(raw_mprotect(p, PAGE, RW), EACCES, "... can't become writable");
	ok(area_at(p, &area) && !strcmp(area.perms, "r--s"), "... though it is shared");
	raw_munmap(p, PAGE);
}

static void writes(void)
{
	int fd = sealed(2, WRITE), ro = reopen(fd, O_RDONLY);
	struct iovec iov = { "xy", 2 };
	long p;

	fails(result(write(fd, "x", 1)), EPERM, "write");
	fails(result(pwritev(fd, &iov, 1, 0)), EPERM, "pwritev");
	fails(result(write(fd, (void *)8, 1)), EFAULT, "... without memory to write from");
	is(write(fd, "x", 0), 0, "... of nothing");
	fails(result(fallocate(fd, PUNCH, 0, PAGE)), EPERM, "a hole");
	is(fallocate(fd, 0, 0, 3 * PAGE), 0, "room is nothing written");
	is(ftruncate(fd, 2 * PAGE), 0, "nor is another size");
	fails(map(fd, 1, RW, MAP_SHARED), EPERM, "a shared mapping");
	fails(map(fd, 1, PROT_WRITE, MAP_SHARED_VALIDATE), EPERM, "MAP_SHARED_VALIDATE");
	only_readable(map(fd, 1, PROT_READ, MAP_SHARED), "F_SEAL_WRITE");
	only_readable(map(ro, 1, PROT_READ, MAP_SHARED), "... and by a descriptor for reading");
	p = map(fd, 1, RW, MAP_PRIVATE);
	ok(!is_error(p), "a private one may be written");
	*(char *)p = 1;
	raw_munmap(p, PAGE);
	p = map(fd, 1, PROT_READ, MAP_SHARED);
	ok(!is_error(raw_mremap(p, 0, PAGE, MREMAP_MAYMOVE, 0)) && in_child(getpid) != 0,
	   "shown twice, and to a child");
	is(add(fd, WRITE), 0, "the same seal again is fine");
	close(ro);
	close(fd);
}

static void future_writes(void)
{
	int fd = memfd("x", SEALABLE);
	char *p, *q;

	ftruncate(fd, 4 * PAGE);
	p = (char *)map(fd, 1, RW, MAP_SHARED);
	is(add(fd, FUTURE_WRITE), 0, "F_SEAL_FUTURE_WRITE beside a writable mapping");
	*p = 7;
	is(peek(p), 7, "... which stays so");
	q = (char *)raw_mremap((unsigned long)p, 0, PAGE, MREMAP_MAYMOVE, 0);
	*q = 8;
	is(peek(p), 8, "... and can be shown again");
	fails(result(write(fd, "x", 1)), EPERM, "write");
	fails(result(fallocate(fd, PUNCH, 0, PAGE)), EPERM, "a hole");
	fails(raw_madvise((unsigned long)p, PAGE, MADV_REMOVE), EPERM, "... by madvise");
	fails(map(fd, 1, RW, MAP_SHARED), EPERM, "another mapping");
	only_readable(map(fd, 1, PROT_READ, MAP_SHARED), "F_SEAL_FUTURE_WRITE");
	fails(add(fd, WRITE), EBUSY, "F_SEAL_WRITE: not while there is one");
	raw_munmap((unsigned long)p, PAGE);
	raw_munmap((unsigned long)q, PAGE);
	is(add(fd, WRITE), 0, "... afterwards");
	close(fd);
}

/* --- who keeps F_SEAL_WRITE away ------------------------------------------------------------------------ */

static long shown;

static int child_has_it(void)
{
	let_go(PARENT);
	await(CHILD);
	return 0;
}

static void busy(void)
{
	int fd = sealed(4, 0), ro = reopen(fd, O_RDONLY);
	char *h = hole(8);
	long child;

	shown = raw_mmap((unsigned long)h, 3 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
	fails(add(fd, WRITE), EBUSY, "a mapping that may become writable");
	raw_munmap(shown + PAGE, PAGE);
	raw_munmap(shown, PAGE);
	fails(add(fd, WRITE), EBUSY, "... also the rest of one");
	child = raw_fork();
	if (child == 0)
		raw_exit(child_has_it());
	await(PARENT);
	raw_munmap(shown, 3 * PAGE);
	fails(add(fd, WRITE), EBUSY, "... also a child's");
	let_go(CHILD);
	reap(child);
	shown = map(ro, 1, PROT_READ, MAP_SHARED);
	map(fd, 4, RW, MAP_PRIVATE);
	is(add(fd, WRITE), 0, "none that can't: private ones, and by a descriptor for reading");
	is(fcntl(fd, F_GET_SEALS), WRITE, "it is there");
	close(ro);
	close(fd);
}

static void refused(void)
{
	int fd = sealed(2, WRITE);
	char *h = hole(4);

	fix(h, 4, RW);
	fails(raw_mmap((unsigned long)h + PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0), EPERM,
	      "at a place that is taken");
	is_str(layout(h, 4), "0-4 rw-p", "... nothing is unmapped");
	close(fd);
}

/* What can't become writable is as good a neighbour as any. */
static void merging(void)
{
	int fd = sealed(6, WRITE);
	long flags = MAP_SHARED | MAP_FIXED;
	char *h = hole(6);

	raw_mmap((unsigned long)h, PAGE, PROT_READ, flags, fd, 0);
	raw_mmap((unsigned long)h + PAGE, PAGE, PROT_READ, flags, fd, PAGE);
	is_str(layout(h, 6), "0-2 r--s", "sealed mappings become one");
	raw_mmap((unsigned long)h + 4 * PAGE, PAGE, PROT_READ, flags, fd, 4 * PAGE);
	raw_mmap((unsigned long)h + 3 * PAGE, PAGE, PROT_READ, flags, fd, 3 * PAGE);
	is_str(layout(h, 6), "0-2 r--s, 3-5 r--s", "... with what is behind");
	raw_mmap((unsigned long)h + 2 * PAGE, PAGE, PROT_READ, flags, fd, 2 * PAGE);
	is_str(layout(h, 6), "0-5 r--s", "... and with both");
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "memfd", from_memfd }, { NULL, NULL } };

	tap_start(argc, argv, modes);
	forks_start();
	making();
	program();
	writes();
	future_writes();
	busy();
	refused();
	merging();
	return done_testing();
}
