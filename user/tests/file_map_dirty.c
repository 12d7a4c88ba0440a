/* SPDX-License-Identifier: MIT */
/*
 * Who notices a write through a mapping: the file's times, soft-dirty bits, dirty pages in smaps. And
 * mappings so far out in a file that offsets come to their end.
 */
#include "filemap.h"
#include <sys/time.h>
#include <sys/uio.h>

#define SOFT_DIRTY (1UL << 55)

static int fd;

static void old_times(void)
{
	const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };

	futimens(fd, old);
}

/* Whether the time of the last change is another than old_times() set. */
static bool changed(void)
{
	struct stat st;

	fstat(fd, &st);
	return st.st_mtim.tv_sec != 1000;
}

static void times(void)
{
	char *s = map_file(fd, 4, RW, MAP_SHARED), *p = map_file(fd, 4, RW, MAP_PRIVATE);
	struct stat st;

	old_times();
	peek(p);
	p[0] = 'p';
	p[PAGE] = 'p';
	is(changed(), 0, "a private write changes no times");
	s[2 * PAGE] = 's';
	is(changed(), 1, "a shared write sets the time of the last change");
	fstat(fd, &st);
	ok(st.st_ctim.tv_sec == st.st_mtim.tv_sec, "... and that of the inode");
	old_times();
	s[2 * PAGE] = 't';
	is(changed(), 0, "a second write to the page isn't noticed");
	raw_madvise((unsigned long)s, 4 * PAGE, MADV_DONTNEED);
	peek(s + 2 * PAGE);
	is(changed(), 0, "nor a read");
	raw_madvise((unsigned long)s, 4 * PAGE, MADV_DONTNEED);
	raw_madvise((unsigned long)s, 4 * PAGE, MADV_POPULATE_WRITE);
	is(changed(), 1, "MADV_POPULATE_WRITE is a write");
	old_times();
	raw_madvise((unsigned long)s, PAGE, MADV_REMOVE);
	is(changed(), 1, "MADV_REMOVE is a change");
	old_times();
	is(pread(fd, s, 10, PAGE), 10, "read(2) into a mapping of the file");
	is(changed(), 1, "... writes it");
	unmap(s, 4), unmap(p, 4);
	fill(fd, 0, 4);
}

static bool soft_dirty(const void *addr)
{
	return (pagemap(addr) & SOFT_DIRTY) != 0;
}

static void clear_soft_dirty(void)
{
	int file = open("/proc/self/clear_refs", O_WRONLY);

	if (write(file, "4", 1) != 1)
		bail("clear_refs");
	close(file);
}

static void tracking(void)
{
	char *s, *p, *t;

	s = map_file(fd, 4, RW, MAP_SHARED);
	p = map_file(fd, 4, RW, MAP_PRIVATE);
	touch(s, 4);
	p[PAGE] = 'p';
	is(soft_dirty(s), 1, "new areas are soft-dirty");
	clear_soft_dirty();
	is(soft_dirty(s), 0, "cleared, a shared page isn't");
	is(soft_dirty(p + PAGE), 0, "... nor a copy");
	is(peek(s), 1, "a read");
	is(soft_dirty(s), 0, "... leaves it so");
	s[0] = 'x';
	is(soft_dirty(s), 1, "a shared write is seen");
	is(soft_dirty(s + PAGE), 0, "... of that page");
	is(in_file(fd, 0), 'x', "... the file has it");
	p[PAGE] = 'q';
	is(soft_dirty(p + PAGE), 1, "a private write is seen");
	p[2 * PAGE] = 'q';
	is(soft_dirty(p + 2 * PAGE), 1, "... a new copy too");
	put_byte(fd, 3 * PAGE, 'w');
	is(soft_dirty(s + 3 * PAGE), 0, "write(2) isn't this program's");
	clear_soft_dirty();
	raw_mprotect((unsigned long)s, 4 * PAGE, PROT_READ);
	raw_mprotect((unsigned long)s, 4 * PAGE, RW);
	is(soft_dirty(s), 0, "mprotect back and forth writes nothing");
	s[0] = 'y';
	is(soft_dirty(s), 1, "... and a write is seen after it");
	clear_soft_dirty();
	raw_madvise((unsigned long)s, 4 * PAGE, MADV_DONTNEED);
	peek(s);
	is(soft_dirty(s), 0, "a page that is faulted again to read isn't dirty");
	s[PAGE] = 'y';
	is(soft_dirty(s + PAGE), 1, "... to write, it is");
	t = map_file(fd, 4, RW, MAP_SHARED);
	is(soft_dirty(t), 1, "another mapping is new again");
	is(soft_dirty(s), 0, "... this one isn't");
	unmap(s, 4), unmap(p, 4), unmap(t, 4);
	fill(fd, 0, 4);
}

/* Who reads memory that is shared with a child may make a copy of it: which was written if that was. */
static void tracking_copies(void)
{
	char *p = fresh(2, RW), byte = 0;
	struct iovec here = { &byte, 1 }, there[2] = { { p, 1 }, { p + PAGE, 1 } };
	int ends[2];
	long child;

	touch(p, 2);
	clear_soft_dirty();
	p[0] = 'x';
	pipe(ends);
	child = raw_fork();
	if (child == 0) {
		close(ends[1]);
		raw_exit(read(ends[0], &byte, 1));
	}
	is(process_vm_readv(getpid(), &here, 1, there, 1, 0), 1, "shared with a child, it is read");
	is(byte, 'x', "... as it was written");
	is(soft_dirty(p), 1, "... and still is written");
	is(process_vm_readv(getpid(), &here, 1, there + 1, 1, 0), 1, "... a page beside it");
	is(soft_dirty(p + PAGE), 0, "... still isn't");
	close(ends[0]), close(ends[1]);
	reap(child);
	unmap(p, 2);
}

/* Dirty in smaps is what the file's page is, whoever wrote it. */
static void dirty(void)
{
	char *s, *t;

	ftruncate(fd, 0);
	ftruncate(fd, 4 * PAGE);
	s = map_file(fd, 4, RW, MAP_SHARED);
	t = map_file(fd, 4, PROT_READ, MAP_SHARED);
	for (int i = 0; i < 4; i++)
		peek(s + i * PAGE), peek(t + i * PAGE);
	is(smaps(s, "Shared_Clean"), 16, "a hole that was read is clean");
	is(smaps(s, "Shared_Dirty"), 0, "...");
	s[0] = 's';
	is(smaps(s, "Shared_Dirty"), 4, "written, it is dirty");
	put_byte(fd, PAGE, 'w');
	is(smaps(s, "Shared_Dirty"), 8, "... by write(2) as well");
	unmap(s, 4);
	is(smaps(t, "Private_Dirty"), 8, "in every mapping of it");
	is(smaps(t, "Private_Clean"), 8, "... the rest is clean");
	unmap(t, 4);
	fill(fd, 0, 4);
}

/* The last pages that a file can have. */
static void far_out(void)
{
	const unsigned long last = (1UL << 51) - 2; /* no mapping reaches further */
	char *p;

	is(ftruncate(fd, (1UL << 63) - 1), 0, "a file of 2^63-1 bytes");
	p = map_at(NULL, fd, 1, RW, MAP_SHARED, last);
	p[5] = 'z';
	is(in_file(fd, (last << 12) + 5), 'z', "its last page but one");
	p = (char *)raw_mremap((unsigned long)p, PAGE, 4 * PAGE, MREMAP_MAYMOVE, 0);
	ok(!is_error((long)p), "the mapping made longer");
	is(try_write(p + PAGE, 'y'), 0, "the last page");
	is(in_file(fd, (last + 1) << 12), 'y', "... is in the file");
	is(try_read(p + 2 * PAGE), -SIGBUS, "there is none behind it");
	is(try_write(p + 3 * PAGE, 1), -SIGBUS, "... nor any further");
	is(raw_madvise((unsigned long)p, PAGE, MADV_REMOVE), 0, "MADV_REMOVE of the first page");
	is(peek(p + 5), 0, "... is done");
	is(raw_madvise((unsigned long)p, 4 * PAGE, MADV_REMOVE), -EFBIG,
	   "... of what ends too far out: EFBIG");
	is(peek(p + PAGE), 'y', "... nothing is done");
	is(raw_madvise((unsigned long)p + 2 * PAGE, PAGE, MADV_REMOVE), -EINVAL,
	   "... of what begins there: EINVAL");
	is(raw_madvise((unsigned long)p, 4 * PAGE, MADV_WILLNEED), 0, "MADV_WILLNEED");
	is(raw_msync((unsigned long)p, 4 * PAGE, MS_SYNC), 0, "msync");
	is_str(vector(p, 4), "1100", "mincore");
	is(fallocate(fd, 3, 0, (1UL << 63) - 1), 0, "a hole of everything");
	is(smaps(p, "Rss"), 4, "... takes all but the last page, which isn't whole");
	is(peek(p + PAGE), 0, "... and is zeroed");
	is(ftruncate(fd, 0), 0, "truncated");
	is(try_read(p), -SIGBUS, "... nothing is there");
	unmap(p, 4);
	fill(fd, 0, 4);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "f", NULL };

	tap_start(argc, argv, NULL);
	forks_start();
	make_dir("file_map_dirty");
	catch_faults();
	fd = pages_file("f", 4);
	times();
	tracking();
	tracking_copies();
	dirty();
	far_out();
	close(fd);
	clean_dir(names);
	return done_testing();
}
