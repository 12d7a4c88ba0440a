/* SPDX-License-Identifier: MIT */
/* statfs(2) and fstatfs(2): what each file system says of itself, and that pages in use count. */
#include "filemap.h"
#include <sys/vfs.h>

#define TMPFS  0x01021994
#define PROC   0x9fa0
#define PIPEFS 0x50495045

static struct statfs st;

static long of_path(const char *path)
{
	memset(&st, 0xee, sizeof(st));
	return result(syscall(SYS_statfs, path, &st));
}

static long of_file(int fd)
{
	memset(&st, 0xee, sizeof(st));
	return result(syscall(SYS_fstatfs, fd, &st));
}

static void kind(const char *path, long type)
{
	struct statfs other;
	int fd = open(path, O_RDONLY);

	is(of_path(path), 0, "statfs %s", path);
	is(st.f_type, type, "... its type");
	is(st.f_bsize, PAGE, "... its block size");
	is(st.f_frsize, PAGE, "... of fragments as well");
	is(st.f_namelen, 255, "... its names");
	ok(st.f_flags & 0x20, "... its flags are valid");
	ok(st.f_bfree <= st.f_blocks && st.f_bavail <= st.f_bfree && st.f_ffree <= st.f_files,
	   "... no more is free than there is");
	ok(st.f_spare[0] == 0 && st.f_spare[3] == 0, "... the rest is 0");
	other = st;
	is(of_file(fd), 0, "fstatfs");
	ok(st.f_type == other.f_type && memcmp(&st.f_fsid, &other.f_fsid, sizeof(st.f_fsid)) == 0,
	   "... is of the same");
	close(fd);
}

/* A number at random; of what isn't mounted like a disk 0. */
static unsigned long id_of(const char *path)
{
	unsigned long id;

	of_path(path);
	memcpy(&id, &st.f_fsid, sizeof(id));
	return id;
}

static void ids(void)
{
	unsigned long id = id_of("/dev/shm");

	ok(id != 0, "a tmpfs has an id");
	is(id_of("/dev/shm"), id, "always the same");
	ok(id_of("/") != id, "of its own");
	is(id_of("/proc"), 0, "/proc has none");
}

/* Pages that a file takes, if its file system has a limit, else nothing is told of either. */
static void used(void)
{
	int fd = open(in_dir("f"), O_RDWR | O_CREAT, 0600);
	bool limited;
	long before;
	char *p;

	ftruncate(fd, 16 * PAGE);
	p = map_file(fd, 16, RW, MAP_SHARED);
	of_file(fd);
	limited = st.f_blocks != 0;
	before = st.f_bfree;
	fill(fd, 0, 4);
	of_file(fd);
	is(before - (long)st.f_bfree, limited ? 4 : 0, "pages that were written count");
	touch(p + 8 * PAGE, 4);
	of_file(fd);
	is(before - (long)st.f_bfree, limited ? 8 : 0, "... those of a mapping as well");
	fallocate(fd, 3, 2 * PAGE, 8 * PAGE);
	of_file(fd);
	is(before - (long)st.f_bfree, limited ? 4 : 0, "... no more, when they become a hole");
	ftruncate(fd, 0);
	of_file(fd);
	is(before - (long)st.f_bfree, 0, "... nor when the file is cut");
	unmap(p, 16);
	close(fd);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "f", NULL };
	int ends[2], fd;

	tap_start(argc, argv, NULL);
	make_dir("file_statfs");
	kind("/", TMPFS);
	kind(test_dir, TMPFS);
	kind("/dev/null", TMPFS);
	kind("/dev/shm", TMPFS);
	kind("/proc", PROC);
	kind("/proc/self/maps", PROC);
	pipe(ends);
	is(of_file(ends[0]), 0, "fstatfs of a pipe");
	is(st.f_type, PIPEFS, "... its type");
	is(st.f_blocks, 0, "... it has no blocks");
	fd = syscall(SYS_memfd_create, "m", 0);
	is(of_file(fd), 0, "fstatfs of a memfd");
	is(st.f_type, TMPFS, "... its type");
	is(st.f_blocks, 0, "... no limit");
	close(fd);
	fd = open(test_dir, O_PATH);
	is(of_file(fd), 0, "fstatfs of O_PATH");
	is(st.f_type, TMPFS, "... its type");
	close(fd);
	ids();
	used();
	is(of_path(in_dir("none")), -ENOENT, "of what there isn't: ENOENT");
	is(of_path("/dev/null/x"), -ENOTDIR, "of what lies in no directory: ENOTDIR");
	is(of_path(""), -ENOENT, "of nothing: ENOENT");
	is(of_file(-1), -EBADF, "no descriptor: EBADF");
	is(result(syscall(SYS_statfs, "/", NULL)), -EFAULT, "to nowhere: EFAULT");
	is(result(syscall(SYS_fstatfs, ends[0], NULL)), -EFAULT, "fstatfs to nowhere: EFAULT");
	is(result(syscall(SYS_statfs, NULL, &st)), -EFAULT, "of nowhere: EFAULT");
	clean_dir(names);
	return done_testing();
}
