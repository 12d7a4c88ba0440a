/* SPDX-License-Identifier: MIT */
/* The last pages that a file can have, and mappings that reach beyond them. */
#include "filemap.h"

#define MAX_SIZE   0x7fffffffffffffffL
#define LAST_PGOFF (MAX_SIZE / PAGE)

static long rfp(const void *addr, unsigned long pgoff)
{
	return result(syscall(SYS_remap_file_pages, addr, PAGE, 0, pgoff, 0));
}

static long blocks(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : (long)st.st_blocks;
}

/* The page before the last, which can be mapped, with three more behind it. */
static char *map_end(int fd)
{
	char *p = map_at(NULL, fd, 1, RW, MAP_SHARED, LAST_PGOFF - 1);
	long grown = raw_mremap((unsigned long)p, PAGE, 4 * PAGE, MREMAP_MAYMOVE, 0);

	ok(!is_error(grown), "a mapping may grow beyond any file");
	return (char *)grown;
}

static void accesses(char *p, int fd)
{
	is(try_write(p, 'x'), 0, "the last page but one");
	is(in_file(fd, (LAST_PGOFF - 1) * PAGE), 'x', "... is in the file");
	is(blocks(fd), 8, "... which has one page");
	is(result(lseek(fd, 1, SEEK_DATA)), (LAST_PGOFF - 1) * PAGE, "... found by SEEK_DATA");
	is(try_write(p + PAGE, 'y'), 0, "the last page");
	is(in_file(fd, LAST_PGOFF * PAGE), 'y', "... is in the file");
	is(try_read(p + 2 * PAGE), -SIGBUS, "behind it: SIGBUS");
	is(try_write(p + 3 * PAGE, 1), -SIGBUS, "... to write as well");
}

static void calls(char *p, int fd)
{
	unsigned char vec[4] = { 9, 9, 9, 9 };
	unsigned long at = (unsigned long)p;

	is(raw_msync(at, 4 * PAGE, MS_SYNC), 0, "msync of all");
	is(raw_msync(at + 2 * PAGE, PAGE, MS_SYNC), 0, "... of what isn't in the file");
	is(raw_mincore(at, 4 * PAGE, (unsigned long)vec), 0, "mincore");
	ok(vec[0] == 1 && vec[1] == 1 && vec[2] == 0 && vec[3] == 0, "... two pages are there");
	is(raw_madvise(at, 4 * PAGE, MADV_WILLNEED), 0, "MADV_WILLNEED");
	is(raw_madvise(at + 2 * PAGE, PAGE, MADV_REMOVE), -EINVAL,
	   "MADV_REMOVE behind the last page: EINVAL");
	is(raw_madvise(at + PAGE, PAGE, MADV_REMOVE), -EFBIG, "... of the last: EFBIG");
	is(raw_madvise(at, 4 * PAGE, MADV_REMOVE), -EFBIG, "... of all: EFBIG");
	is(raw_madvise(at, PAGE, MADV_REMOVE), 0, "... of the one before");
	is(blocks(fd), 8, "... which goes");
	is(rfp(p, LAST_PGOFF), -EOVERFLOW, "remap_file_pages to the last: EOVERFLOW");
	is(rfp(p, ~0UL - 1), -EOVERFLOW, "... to the last there is: EOVERFLOW");
	is(rfp(p, ~0UL), -EINVAL, "... if they wrap: EINVAL");
	is(rfp(p, LAST_PGOFF - 1), 0, "... to the one before");
	is(try_read(p), 0, "... which is zeros now");
}

int main(int argc, char **argv)
{
	int fd = result(syscall(SYS_memfd_create, "far", 0));
	char *p;

	tap_start(argc, argv, NULL);
	catch_faults();
	is(ftruncate(fd, MAX_SIZE), 0, "a file of the largest size");
	is(raw_mmap(0, PAGE, RW, MAP_SHARED, fd, LAST_PGOFF * PAGE), -EOVERFLOW,
	   "its last page can't be mapped: EOVERFLOW");
	p = map_end(fd);
	accesses(p, fd);
	calls(p, fd);
	is(ftruncate(fd, MAX_SIZE - PAGE), 0, "a page shorter");
	is(blocks(fd), 8, "... one page is left");
	is(try_read(p + PAGE), -SIGBUS, "... the last has gone");
	is(fallocate(fd, 3, 0, MAX_SIZE), 0, "a hole as long as the file");
	is(blocks(fd), 0, "... nothing is left");
	unmap(p, 4);
	close(fd);
	return done_testing();
}
