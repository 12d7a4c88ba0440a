/* SPDX-License-Identifier: MIT */
/* Advice about files' memory, msync of it, and the calls that bring files to where they stay. */
#include "filemap.h"

#ifndef SYNC_FILE_RANGE_WRITE
#define SYNC_FILE_RANGE_WAIT_BEFORE 1
#define SYNC_FILE_RANGE_WRITE	    2
#define SYNC_FILE_RANGE_WAIT_AFTER  4
#endif

static int fd, ro;

static long advise(const void *addr, unsigned long pages, long advice)
{
	return raw_madvise((unsigned long)addr, pages * PAGE, advice);
}

static void dontneed(void)
{
	char *s = map_file(fd, 4, RW, MAP_SHARED), *p = map_file(fd, 4, RW, MAP_PRIVATE);

	s[0] = 's';
	p[PAGE] = p[2 * PAGE] = 'p';
	is(peek(p + 3 * PAGE), 'D', "private, a page that was read");
	is(advise(p, 2, MADV_DONTNEED), 0, "MADV_DONTNEED, private");
	is(peek(p + PAGE), 'B', "... the copy is dropped, the file's page is seen");
	is(peek(p + 2 * PAGE), 'p', "... others stay");
	is(advise(s, 4, MADV_DONTNEED), 0, "... shared");
	is(count_resident(s, 4), 0, "... nothing is mapped");
	is_str(vector(s, 4), "1111", "... all is in memory still");
	is(peek(s), 's', "... what was written as well");
	is(in_file(fd, 0), 's', "... and read");
	fails(advise(p, 1, MADV_FREE), EINVAL, "MADV_FREE, private: EINVAL");
	fails(advise(s, 1, MADV_FREE), EINVAL, "... shared: EINVAL");
	fails(advise(p, 1, MADV_WIPEONFORK), EINVAL, "MADV_WIPEONFORK, private: EINVAL");
	fails(advise(s, 1, MADV_WIPEONFORK), EINVAL, "... shared: EINVAL");
	is(advise(p, 1, MADV_KEEPONFORK), 0, "MADV_KEEPONFORK");
	raw_mlock((unsigned long)p, PAGE);
	fails(advise(p, 4, MADV_DONTNEED), EINVAL, "locked: EINVAL");
	is(peek(p + 2 * PAGE), 'p', "... and nothing is dropped");
	is(advise(p, 4, MADV_DONTNEED_LOCKED_), 0, "MADV_DONTNEED_LOCKED");
	is(peek(p + 2 * PAGE), 'C', "... drops all the same");
	is(advise(s, 4, MADV_COLD), 0, "MADV_COLD, shared");
	is(advise(p + PAGE, 3, MADV_COLD), 0, "... private");
	is(advise(s, 4, MADV_PAGEOUT), 0, "MADV_PAGEOUT, shared");
	is(peek(s), 's', "... the contents are there");
	is(advise(s, 4, MADV_RANDOM), 0, "MADV_RANDOM");
	is(vm_flag(s, "rr"), 1, "... is a flag");
	is(advise(s, 4, MADV_SEQUENTIAL), 0, "MADV_SEQUENTIAL");
	is(vm_flag(s, "sr"), 1, "... too");
	is(advise(s, 4, MADV_DONTFORK), 0, "MADV_DONTFORK");
	is(vm_flag(s, "dc"), 1, "... too");
	is(advise(s, 4, MADV_MERGEABLE), 0, "MADV_MERGEABLE");
	is(vm_flag(s, "mg"), 0, "... isn't, of what is shared");
	unmap(s, 4), unmap(p, 4);
	fill(fd, 0, 4);
}

static void willneed(void)
{
	char *s;

	ftruncate(fd, 0);
	ftruncate(fd, 8 * PAGE);
	fill(fd, 0, 4);
	s = map_file(fd, 12, RW, MAP_SHARED);
	is(advise(s, 12, MADV_WILLNEED), 0, "MADV_WILLNEED over the file's end");
	is(count_resident(s, 12), 0, "... maps nothing");
	is(advise(s + 16 * PAGE, 0, MADV_WILLNEED), 0, "... of no length");
	unmap(s + 4 * PAGE, 2);
	fails(advise(s, 12, MADV_WILLNEED), ENOMEM, "... over a hole: ENOMEM");
	unmap(s, 12);

	s = map_file(fd, 12, RW, MAP_SHARED);
	is(advise(s, 2, MADV_POPULATE_READ), 0, "MADV_POPULATE_READ");
	ok(resident(s) && resident(s + PAGE), "... maps them");
	is(advise(s + 6 * PAGE, 2, MADV_POPULATE_WRITE), 0, "MADV_POPULATE_WRITE");
	is(count_resident(s + 6 * PAGE, 2), 2, "... maps them");
	fails(advise(s + 6 * PAGE, 4, MADV_POPULATE_READ), EFAULT, "over the end: EFAULT");
	fails(advise(s + 8 * PAGE, 1, MADV_POPULATE_WRITE), EFAULT, "... to write: EFAULT");
	unmap(s, 12);
	s = map_file(ro, 4, PROT_READ, MAP_SHARED);
	is(advise(s, 4, MADV_POPULATE_READ), 0, "read-only: to read");
	fails(advise(s, 4, MADV_POPULATE_WRITE), EINVAL, "... to write: EINVAL");
	unmap(s, 4);
	s = map_file(fd, 4, PROT_READ, MAP_PRIVATE);
	fails(advise(s, 4, MADV_POPULATE_WRITE), EINVAL, "private, read-only, to write: EINVAL");
	raw_mprotect((unsigned long)s, 4 * PAGE, RW);
	is(advise(s, 4, MADV_POPULATE_WRITE), 0, "private, to write");
	is(smaps(s, "Anonymous"), 16, "... makes copies");
	is(peek(s + PAGE), 'B', "... of the file");
	unmap(s, 4);
}

static void removing(void)
{
	char *s = map_at(NULL, fd, 4, RW, MAP_SHARED, 2), *p = map_file(fd, 8, RW, MAP_PRIVATE);
	char *r;

	fill(fd, 0, 8);
	p[3 * PAGE] = 'p';
	is(advise(s + PAGE, 2, MADV_REMOVE), 0, "MADV_REMOVE, of a mapping with an offset");
	is(in_file(fd, 2 * PAGE), 'C', "the page before");
	is(in_file(fd, 3 * PAGE), 0, "... the first one removed");
	is(in_file(fd, 4 * PAGE), 0, "... the second");
	is(in_file(fd, 5 * PAGE), 'F', "the page behind");
	is(peek(s + PAGE), 0, "the mapping shows zeros");
	is(peek(p + 4 * PAGE), 0, "another, private one as well");
	is(peek(p + 3 * PAGE), 'p', "... but not its copy");
	is(lseek(fd, 0, SEEK_END), 8 * PAGE, "the file is as long as before");
	fails(advise(p, 1, MADV_REMOVE), EACCES, "private: EACCES");
	r = map_file(ro, 2, PROT_READ, MAP_SHARED);
	fails(advise(r, 1, MADV_REMOVE), EACCES, "of O_RDONLY: EACCES");
	is(in_file(fd, 0), 'A', "... and nothing is removed");
	unmap(r, 2);
	r = map_file(fd, 2, PROT_READ, MAP_SHARED);
	is(advise(r, 1, MADV_REMOVE), 0, "of O_RDWR, mapped to read: done");
	is(in_file(fd, 0), 0, "... zeros");
	raw_mlock((unsigned long)r, PAGE);
	fails(advise(r, 2, MADV_REMOVE), EINVAL, "locked: EINVAL");
	unmap(r, 2), unmap(s, 4), unmap(p, 8);
	r = map_at(NULL, fd, 4, RW, MAP_SHARED, 6);
	is(advise(r, 4, MADV_REMOVE), 0, "over the file's end");
	is(peek(r + PAGE), 0, "... zeros within");
	is(try_read(r + 2 * PAGE), -SIGBUS, "... behind it, nothing has changed");
	unmap(r, 4);
	fill(fd, 0, 8);
}

static void msyncs(void)
{
	char *s = map_file(fd, 8, RW, MAP_SHARED), *p = map_file(fd, 4, RW, MAP_PRIVATE);
	unsigned long at = (unsigned long)s;

	s[0] = 's';
	p[0] = 'p';
	is(raw_msync(at, 8 * PAGE, MS_SYNC), 0, "MS_SYNC, shared");
	is(raw_msync(at, 8 * PAGE, MS_ASYNC), 0, "MS_ASYNC");
	is(raw_msync(at, 8 * PAGE, MS_SYNC | MS_INVALIDATE), 0, "with MS_INVALIDATE");
	is(raw_msync(at, 8 * PAGE, MS_INVALIDATE), 0, "... alone");
	is(in_file(fd, 0), 's', "the file has what was written");
	is(raw_msync((unsigned long)p, 4 * PAGE, MS_SYNC), 0, "private");
	is(in_file(fd, 0), 's', "... nothing of it");
	unmap(s + 3 * PAGE, 1);
	is(raw_msync(at, 8 * PAGE, MS_SYNC), -ENOMEM, "over a hole: ENOMEM");
	is(raw_msync(at, 8 * PAGE, MS_ASYNC), -ENOMEM, "... MS_ASYNC: ENOMEM");
	raw_mlock(at + 5 * PAGE, PAGE);
	is(raw_msync(at, 8 * PAGE, MS_SYNC | MS_INVALIDATE), -EBUSY, "locked, behind it: EBUSY");
	is(raw_msync(at, 2 * PAGE, MS_SYNC | MS_INVALIDATE), 0, "... not where it isn't");
	is(raw_msync(at + 5 * PAGE, PAGE, MS_SYNC), 0, "... nor without MS_INVALIDATE");
	unmap(s, 8), unmap(p, 4);
	s = map_file(ro, 4, PROT_READ, MAP_SHARED);
	is(raw_msync((unsigned long)s, 4 * PAGE, MS_SYNC), 0, "of O_RDONLY");
	unmap(s, 4);
	fill(fd, 0, 4);
}

static long sync_range(int file, long offset, long bytes, long flags)
{
	return result(syscall(SYS_sync_file_range, file, offset, bytes, flags));
}

static long advise_file(int file, long offset, long len, long advice)
{
	return result(syscall(SYS_fadvise64, file, offset, len, advice));
}

static long ahead(int file, long offset, long count)
{
	return result(syscall(SYS_readahead, file, offset, count));
}

static void calls(void)
{
	int ends[2], path = open(in_dir("f"), O_PATH), dir = open(test_dir, O_RDONLY);
	int wo = open(in_dir("f"), O_WRONLY), null = open("/dev/null", O_RDWR);
	int maps = open("/proc/self/maps", O_RDONLY);
	struct {
		const char *name;
		int file;
		long fsync, syncfs, range, advise, ahead;
	} * c, cases[] = {
		{ "a file", fd, 0, 0, 0, 0, 0 },
		{ "one open to read", ro, 0, 0, 0, 0, 0 },
		{ "one open to write", wo, 0, 0, 0, 0, -EBADF },
		{ "a directory", dir, 0, 0, 0, 0, -EINVAL },
		{ "a pipe", 0, -EINVAL, 0, -ESPIPE, -ESPIPE, -EINVAL },
		{ "/dev/null", null, -EINVAL, 0, -ESPIPE, 0, -EINVAL },
		{ "one of /proc", maps, -EINVAL, 0, 0, 0, 0 },
		{ "O_PATH", path, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF },
		{ "no descriptor", -1, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF },
	};

	pipe(ends);
	cases[4].file = ends[0];
	for (c = cases; c < cases + COUNT(cases); c++) {
		int file = c->file;

		is(result(syscall(SYS_fsync, file)), c->fsync, "fsync of %s", c->name);
		is(result(syscall(SYS_fdatasync, file)), c->fsync, "fdatasync of %s", c->name);
		is(result(syscall(SYS_syncfs, file)), c->syncfs, "syncfs of %s", c->name);
		is(sync_range(file, 0, 0, 7), c->range, "sync_file_range of %s", c->name);
		is(advise_file(file, 0, 0, 3), c->advise, "fadvise64 of %s", c->name);
		is(ahead(file, 0, PAGE), c->ahead, "readahead of %s", c->name);
	}
	is(result(syscall(SYS_sync)), 0, "sync");

	is(sync_range(fd, 0, 0, 0), 0, "sync_file_range: no flag");
	is(sync_range(fd, 0, 0, 8), -EINVAL, "... an unknown flag: EINVAL");
	is(sync_range(-1, 0, 0, 8), -EBADF, "... of no descriptor: EBADF");
	is(sync_range(fd, -1, 1, 2), -EINVAL, "... a negative offset: EINVAL");
	is(sync_range(fd, 0, -1, 2), -EINVAL, "... a negative length: EINVAL");
	is(sync_range(fd, 1L << 62, 1L << 62, 2), -EINVAL, "... that wrap: EINVAL");
	is(sync_range(fd, 1L << 40, 1L << 40, 2), 0, "... behind the end");
	is(sync_range(ends[0], 0, 0, 8), -EINVAL, "... flags before the kind");
	for (int advice = 0; advice < 6; advice++)
		is(advise_file(fd, PAGE, PAGE, advice), 0, "fadvise64, advice %d", advice);
	is(advise_file(fd, 0, 0, 6), -EINVAL, "... 6: EINVAL");
	is(advise_file(fd, 0, -1, 0), -EINVAL, "... a negative length: EINVAL");
	is(advise_file(fd, -1, 1, 0), 0, "... a negative offset");
	is(advise_file(fd, 1L << 62, 1L << 62, 4), 0, "... that wrap");
	is(advise_file(null, 0, 0, 6), -EINVAL, "... 6 of /dev/null: EINVAL");
	is(advise_file(ends[1], 0, -1, 6), -ESPIPE, "... a pipe comes first: ESPIPE");
	is(in_file(fd, 2 * PAGE), 'C', "FADV_DONTNEED drops nothing that can't be read again");
	is(ahead(fd, -1, PAGE), 0, "readahead of a negative offset");
	is(ahead(fd, 1L << 40, PAGE), 0, "... behind the end");
	is(ahead(fd, 0, -1), -EINVAL, "... a negative length: EINVAL");
	close(ends[0]), close(ends[1]), close(path), close(dir), close(wo), close(null);
	close(maps);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "f", NULL };

	tap_start(argc, argv, NULL);
	forks_start();
	make_dir("file_madvise_msync");
	catch_faults();
	fd = pages_file("f", 8);
	ro = open(in_dir("f"), O_RDONLY);
	dontneed();
	willneed();
	removing();
	msyncs();
	calls();
	clean_dir(names);
	return done_testing();
}
