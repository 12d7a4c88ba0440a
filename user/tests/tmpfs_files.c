/* SPDX-License-Identifier: MIT */
/*
 * Files of a tmpfs: what of them is there (holes, room, blocks), and a file system that is full: of
 * pages that were written, made room for, or touched through a mapping.
 */
#include "filemap.h"
#include <sys/vfs.h>

#define KEEP_SIZE 1
#define PUNCH	  3 /* FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE */

static long pages_of(int fd)
{
	struct stat st;

	fstat(fd, &st);
	return st.st_blocks / (PAGE / 512);
}

static long size_of(int fd)
{
	struct stat st;

	fstat(fd, &st);
	return st.st_size;
}

/* Where data begins and ends from that offset on, in pages: "2-4 6-7". */
static const char *extents(int fd)
{
	static char text[128];
	long data = 0, end;
	int used = 0;

	text[0] = '\0';
	while ((data = lseek(fd, data, SEEK_DATA)) >= 0) {
		end = lseek(fd, data, SEEK_HOLE);
		used += snprintf(text + used, sizeof(text) - used, "%s%ld-%ld", used ? " " : "",
				 data / PAGE, end / PAGE);
		data = end;
	}
	return text;
}

static void seeking(void)
{
	int fd = open(in_dir("f"), O_RDWR | O_CREAT, 0600);
	char *p;

	fails(lseek(fd, 0, SEEK_DATA), ENXIO, "SEEK_DATA in an empty file: ENXIO");
	fails(lseek(fd, 0, SEEK_HOLE), ENXIO, "SEEK_HOLE: ENXIO");
	ftruncate(fd, 10 * PAGE);
	fails(lseek(fd, 0, SEEK_DATA), ENXIO, "nothing but a hole");
	pwrite(fd, "x", 1, 2 * PAGE + 5);
	pwrite(fd, "x", 1, 3 * PAGE);
	pwrite(fd, "x", 1, 6 * PAGE);
	is_str(extents(fd), "2-4 6-7", "data where something was written");
	is(lseek(fd, 2 * PAGE + 7, SEEK_DATA), 2 * PAGE + 7, "from within, at once");
	is(lseek(fd, 1, SEEK_HOLE), 1, "a hole, too");
	is(lseek(fd, 0, SEEK_CUR), 1, "... which is a position");
	is(lseek(fd, 6 * PAGE + 1, SEEK_HOLE), 7 * PAGE, "the hole behind it");
	is(lseek(fd, 9 * PAGE, SEEK_HOLE), 9 * PAGE, "the last");
	fails(lseek(fd, 10 * PAGE, SEEK_HOLE), ENXIO, "none at the end: ENXIO");
	fails(lseek(fd, -1, SEEK_HOLE), ENXIO, "none before the start: ENXIO");
	fails(lseek(fd, 7 * PAGE, SEEK_DATA), ENXIO, "no more data: ENXIO");
	is(fallocate(fd, 0, 4 * PAGE, PAGE), 0, "fallocate");
	is_str(extents(fd), "2-4 6-7", "... makes room, but no data");
	is(pages_of(fd), 4, "... and blocks");
	p = map_file(fd, 10, RW, MAP_SHARED);
	peek(p + 4 * PAGE);
	is_str(extents(fd), "2-5 6-7", "a touch does, there");
	peek(p + 8 * PAGE);
	p[9 * PAGE] = 1;
	is_str(extents(fd), "2-5 6-7 8-10", "... and in a hole");
	is(pages_of(fd), 6, "... which takes blocks");
	fallocate(fd, PUNCH, 2 * PAGE + 1, 2 * PAGE);
	is_str(extents(fd), "2-3 4-5 6-7 8-10", "a hole takes whole pages");
	ftruncate(fd, 9 * PAGE - 1);
	is(lseek(fd, 8 * PAGE, SEEK_HOLE), 9 * PAGE - 1, "the end is a hole");
	unmap(p, 10);
	close(fd);
	unlink(in_dir("f"));
}

static void rooms(void)
{
	static char bytes[PAGE], zeros[PAGE];
	int fd = open(in_dir("f"), O_RDWR | O_CREAT, 0600);

	is(fallocate(fd, KEEP_SIZE, PAGE, 2 * PAGE), 0, "room behind the end");
	ok(size_of(fd) == 0 && pages_of(fd) == 2, "... that stays there");
	is(fallocate(fd, 0, PAGE + 1, PAGE), 0, "room that makes it longer");
	ok(size_of(fd) == 2 * PAGE + 1 && pages_of(fd) == 2, "... is there already");
	memset(bytes, 1, PAGE);
	ok(pread(fd, bytes, PAGE, PAGE) == PAGE && !memcmp(bytes, zeros, PAGE),
	   "it reads as zeros");
	is(pages_of(fd), 2, "reading takes none");
	pread(fd, bytes, PAGE, 0);
	is(pages_of(fd), 2, "... also of a hole");
	pwrite(fd, "x", 1, PAGE + 5);
	pread(fd, bytes, 10, PAGE);
	ok(!memcmp(bytes, "\0\0\0\0\0x\0\0\0", 10), "a byte written there is among zeros");
	is(ftruncate(fd, 2 * PAGE + 1), 0, "the same size");
	is(pages_of(fd), 2, "... takes nothing within it");
	is(ftruncate(fd, PAGE), 0, "shorter");
	is(pages_of(fd), 0, "... takes what is behind");
	fails(result(fallocate(fd, 4, 0, PAGE)), EOPNOTSUPP, "a mode that there isn't: EOPNOTSUPP");
	fails(result(fallocate(fd, 2, 0, PAGE)), EOPNOTSUPP, "a hole may not set the size");
	fails(result(fallocate(fd, 0x10, 0, PAGE)), EOPNOTSUPP, "a tmpfs has no ZERO_RANGE");
	fails(result(fallocate(fd, 8, 0, PAGE)), EOPNOTSUPP, "... nor COLLAPSE_RANGE");
	fails(result(fallocate(fd, 9, 0, PAGE)), EINVAL, "... which goes with no other: EINVAL");
	fails(result(fallocate(fd, 0x21, 0, PAGE)), EINVAL, "... like INSERT_RANGE");
	fails(result(fallocate(fd, 0x50, 0, PAGE)), EINVAL, "... and UNSHARE_RANGE but with size");
	fails(result(fallocate(fd, 0x41, 0, PAGE)), EOPNOTSUPP, "... which a tmpfs hasn't");
	close(fd);
	unlink(in_dir("f"));
}

/* --- full ------------------------------------------------------------------------------------------- */

static struct statfs fs;

static long free_pages(void)
{
	statfs("/dev/shm", &fs);
	return fs.f_bfree;
}

static void full(void)
{
	static char bytes[4 * PAGE];
	char path[64], other[80];
	int fd, second, elsewhere;
	long all = free_pages(), inodes = fs.f_ffree;
	char *p;

	if (!ok(fs.f_type == 0x01021994 && all > 100, "/dev/shm is a tmpfs with a limit"))
		return;
	snprintf(path, sizeof(path), "/dev/shm/tmpfs_files.%d", (int)getpid());
	snprintf(other, sizeof(other), "%s.2", path);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	second = open(other, O_RDWR | O_CREAT, 0600);
	free_pages();
	is(inodes - (long)fs.f_ffree, 2, "two files");
	fails(result(fallocate(fd, 0, 0, (fs.f_blocks + 1) * PAGE)), ENOSPC,
	      "fallocate of more than it may have: ENOSPC");
	ok(size_of(fd) == 0 && free_pages() == all, "... nothing is done");
	is(fallocate(fd, 0, 0, (all - 4) * PAGE), 0, "fallocate of all but four pages");
	is(free_pages(), 4, "... they are left");
	fails(result(fallocate(second, 0, 0, 6 * PAGE)), ENOSPC, "six more: ENOSPC");
	ok(free_pages() == 4 && size_of(second) == 0, "... no room is taken");
	ftruncate(second, 20 * PAGE);
	p = map_file(second, 20, RW, MAP_SHARED);
	p[0] = 1;
	peek(p + PAGE);
	is(free_pages(), 2, "pages that come by a touch count");
	is(write(second, bytes, 4 * PAGE), 4 * PAGE, "a write of two that are there, and two");
	is(free_pages(), 0, "full");
	is(try_write(p + 5 * PAGE, 1), -SIGBUS, "a touch of another: SIGBUS");
	is(try_read(p + 6 * PAGE), -SIGBUS, "... also for reading");
	is(try_write(p + 3 * PAGE, 1), 0, "... not where there is one");
	is(pread(second, bytes, PAGE, 6 * PAGE), PAGE, "read finds a hole");
	fails(result(pwrite(second, bytes, 1, 6 * PAGE)), ENOSPC, "write: ENOSPC");
	is(pwrite(second, bytes, 2 * PAGE, 3 * PAGE), PAGE, "... or what has place");
	is(try_write(map_file(fd, 1, RW, MAP_SHARED), 1), 0, "room that was made is there");
	is(try_write(map_file(fd, 1, RW, MAP_PRIVATE), 1), 0, "... also for a copy");
	elsewhere = open(in_dir("f"), O_RDWR | O_CREAT, 0600);
	is(write(elsewhere, bytes, PAGE), PAGE, "another file system has its own limit");
	close(elsewhere);
	unlink(in_dir("f"));
	elsewhere = syscall(SYS_memfd_create, "x", 0);
	is(write(elsewhere, bytes, PAGE), PAGE, "... a memfd none");
	fallocate(fd, PUNCH, 0, 2 * PAGE);
	is(free_pages(), 2, "a hole gives pages back");
	raw_madvise((unsigned long)p, PAGE, MADV_REMOVE);
	is(free_pages(), 3, "MADV_REMOVE, too");
	is(try_write(p + 5 * PAGE, 1), 0, "... and another can come");
	is(link(other, in_dir("g")), -1, "no name leads to another file system");
	unlink(path);
	unlink(other);
	close(fd);
	close(second);
	ok(free_pages() < all, "what is mapped stays");
	raw_munmap((unsigned long)p, 20 * PAGE);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { NULL };

	tap_start(argc, argv, NULL);
	catch_faults();
	make_dir("tmpfs_files");
	seeking();
	rooms();
	full();
	clean_dir(names);
	return done_testing();
}
