/* SPDX-License-Identifier: MIT */
/*
 * Mappings of files, and shared memory, with every allocation of the kernel failed in turn: each call
 * says so or works all the same, areas and contents are what they were when it failed, and it works
 * when no failure is left to try.
 */
#include "failures.h"
#include "filemap.h"

#define SHARED_PAGES  8
#define PRIVATE_PAGES 6
#define BIG	      1100 /* pages: more than a page table has entries */

static int fd;
static char *h; /* 8 pages shared, 6 private (of which one is a copy), 2 of nothing */
static long made_at;

static unsigned long at(unsigned long page)
{
	return (unsigned long)h + page * PAGE;
}

/* The same memory each time, with nothing in the file's second half. */
static void make_memory(void)
{
	ftruncate(fd, 4 * PAGE);
	ftruncate(fd, SHARED_PAGES * PAGE);
	fill(fd, 0, 4);
	raw_munmap(at(0), 16 * PAGE);
	map_at(h, fd, SHARED_PAGES, RW, MAP_SHARED | MAP_FIXED, 0);
	map_at(h + 8 * PAGE, fd, PRIVATE_PAGES, RW, MAP_PRIVATE | MAP_FIXED, 0);
	peek(h);
	h[9 * PAGE] = 'p';
}

/* One letter a page. An area may have been cut in two before the failure, which changes nothing. */
static const char *shape(void)
{
	static char text[17];
	struct area area;

	for (unsigned long page = 0; page < 16; page++)
		text[page] = area_at(at(page), &area) && area.start <= at(page) ?
				     (strncmp(area.perms, "rw-", 3) == 0 ? area.perms[3] : '?') :
				     '-';
	return text;
}

/* hole: a page that may be gone. What stood where a fixed mapping goes does, before that can fail. */
static bool is_whole(int hole)
{
	char want[] = "sssssssspppppp--";

	if (hole >= 0 && shape()[hole] == '-')
		want[hole] = '-';
	return strcmp(shape(), want) == 0 && h[0] == 'A' && h[3 * PAGE] == 'D' &&
	       h[9 * PAGE] == 'p' && h[9 * PAGE + 1] == 'B' && h[10 * PAGE] == 'C' &&
	       in_file(fd, PAGE) == 'B';
}

static long mapping(long p, unsigned long pages)
{
	if (!is_error(p))
		raw_munmap(p, pages * PAGE);
	return is_error(p) ? p : 0;
}

static long do_mmap_shared(void)
{
	return mapping(raw_mmap(0, 4 * PAGE, RW, MAP_SHARED, fd, 0), 4);
}

static long do_mmap_private(void)
{
	return mapping(raw_mmap(0, 4 * PAGE, RW, MAP_PRIVATE | MAP_POPULATE, fd, 0), 4);
}

static long do_mmap_behind(void)
{
	return raw_mmap(at(14), PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 6 * PAGE);
}

static long do_munmap(void)
{
	return raw_munmap(at(2), PAGE);
}

static long do_munmap_two(void)
{
	return raw_munmap(at(6), 4 * PAGE);
}

static long do_mprotect(void)
{
	return raw_mprotect(at(2), PAGE, PROT_READ);
}

static long do_move(void)
{
	long p = raw_mremap(at(0), SHARED_PAGES * PAGE, SHARED_PAGES * PAGE,
			    MREMAP_MAYMOVE | MREMAP_FIXED, made_at);

	return is_error(p) ? p :
			     raw_mremap(p, SHARED_PAGES * PAGE, SHARED_PAGES * PAGE,
					MREMAP_MAYMOVE | MREMAP_FIXED, at(0)) < 0;
}

static long do_move_part(void)
{
	return raw_mremap(at(9), 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, made_at);
}

static long do_double(void)
{
	return mapping(raw_mremap(at(1), 0, 2 * PAGE, MREMAP_MAYMOVE, 0), 2);
}

static long do_grow(void)
{
	return raw_mremap(at(8), 6 * PAGE, 8 * PAGE, 0, 0);
}

static long do_remap(void)
{
	return result(syscall(SYS_remap_file_pages, at(1), PAGE, 0, 3, 0));
}

static long do_dontfork(void)
{
	return raw_madvise(at(3), PAGE, MADV_DONTFORK);
}

static long do_populate_read(void)
{
	return raw_madvise(at(0), SHARED_PAGES * PAGE, MADV_POPULATE_READ);
}

static long do_populate_write(void)
{
	return raw_madvise(at(8), 4 * PAGE, MADV_POPULATE_WRITE);
}

static long do_remove(void)
{
	return raw_madvise(at(4), 2 * PAGE, MADV_REMOVE);
}

static long do_punch(void)
{
	return result(fallocate(fd, 3, 4 * PAGE, 4 * PAGE));
}

static long do_truncate(void)
{
	return result(ftruncate(fd, 7 * PAGE + 5));
}

static long do_msync(void)
{
	return raw_msync(at(0), 8 * PAGE, MS_SYNC);
}

static long do_mincore(void)
{
	static unsigned char vec[16];

	return raw_mincore(at(0), 8 * PAGE, (unsigned long)vec);
}

static long do_mlock(void)
{
	return raw_mlock(at(5), 2 * PAGE);
}

/* Accesses don't fail: they are tried again. */
static long do_read_hole(void)
{
	return try_read(h + 5 * PAGE);
}

static long do_write_hole(void)
{
	return try_write(h + 6 * PAGE, 0);
}

static long do_write_copy(void)
{
	return try_write(h + 13 * PAGE, 'q');
}

static long do_fork(void)
{
	long pid = raw_fork();

	if (pid == 0)
		raw_exit(is_whole(-1) ? 0 : 1);
	if (pid < 0)
		return pid;
	return reap(pid) == 0 ? 0 : -EINVAL;
}

static long do_shared_anonymous(void)
{
	return mapping(raw_mmap(0, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0),
		       4);
}

static long do_shared_large(void)
{
	return mapping(raw_mmap(0, BIG * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), BIG);
}

static long do_memfd(void)
{
	long file = result(syscall(SYS_memfd_create,
				   "a name that is longer than what fits "
				   "into the structure itself, even two of them",
				   0));

	if (file >= 0)
		close(file);
	return file < 0 ? file : 0;
}

static long do_shm_open(void)
{
	long file = result(shm_open("/file_map_nomem", O_RDWR | O_CREAT | O_EXCL, 0600));

	if (file < 0)
		return file;
	close(file);
	/* That may fail as well, once. */
	if (shm_unlink("/file_map_nomem") == 0)
		return 0;
	file = -errno;
	shm_unlink("/file_map_nomem");
	return file;
}

static const struct {
	const char *what;
	long (*call)(void);
	int hole; /* a page's number and 1, or 0 for none */
} calls[] = {
	{ "mmap, shared", do_mmap_shared },
	{ "mmap, private and populated", do_mmap_private },
	{ "mmap of what doesn't merge", do_mmap_behind },
	{ "munmap in the middle", do_munmap },
	{ "munmap over two areas", do_munmap_two },
	{ "mprotect in the middle", do_mprotect },
	{ "mremap, moved and back", do_move },
	{ "mremap of a part, which grows", do_move_part },
	{ "mremap of length 0", do_double },
	{ "mremap, longer in place", do_grow },
	{ "remap_file_pages", do_remap, 2 },
	{ "MADV_DONTFORK", do_dontfork },
	{ "MADV_POPULATE_READ", do_populate_read },
	{ "MADV_POPULATE_WRITE", do_populate_write },
	{ "MADV_REMOVE", do_remove },
	{ "a hole", do_punch },
	{ "ftruncate", do_truncate },
	{ "msync", do_msync },
	{ "mincore", do_mincore },
	{ "mlock", do_mlock },
	{ "a read of a hole", do_read_hole },
	{ "a write to a hole", do_write_hole },
	{ "a private write", do_write_copy },
	{ "fork", do_fork },
	{ "shared anonymous memory", do_shared_anonymous },
	{ "much of it", do_shared_large },
	{ "memfd_create", do_memfd },
	{ "shm_open", do_shm_open },
};

static void fail_each(size_t i)
{
	int before = count_fds(), tries = 0, reported = 0, odd = 0, damage = 0;
	long ret;

	for (;;) {
		make_memory();
		fail_at(++tries);
		ret = calls[i].call();
		if (!failed_now() || tries > 200)
			break;
		if (ret >= 0)
			continue;
		reported++;
		if (ret != -ENOMEM && ret != -ENOSPC && ret != -EAGAIN) {
			diag("%s, allocation %d: %ld", calls[i].what, tries, ret);
			odd++;
		}
		damage += !is_whole(calls[i].hole - 1);
	}
	ok(ret >= 0 && tries <= 200, "%s: works when nothing fails", calls[i].what);
	is(odd, 0, "... %d of %d failed, and said so", reported, tries - 1);
	is(damage, 0, "... and changed nothing");
	is(count_fds(), before, "... as many descriptors as before");
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "f", NULL };

	tap_start(argc, argv, NULL);
	if (access("/proc/self/fail-nth", W_OK) != 0)
		skip_all("this kernel can't be told to fail allocations");
	forks_start();
	make_dir("file_map_nomem");
	catch_faults();
	fail_fd = open("/proc/self/fail-nth", O_RDWR);
	fd = pages_file("f", 4);
	h = hole(16);
	/* Far away, where there is no page table yet. */
	made_at = 0x200000000000;
	for (size_t i = 0; i < COUNT(calls); i++) {
		fail_each(i);
		raw_munmap(made_at, 16 * PAGE);
	}
	raw_munmap(at(0), 16 * PAGE);
	close(fd), close(fail_fd);
	clean_dir(names);
	return done_testing();
}
