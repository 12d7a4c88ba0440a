/* SPDX-License-Identifier: MIT */
/* runs as root */
/*
 * Device memory in areas, whatever the device: where there is /dev/mem, the memory of the VGA in text mode
 * through it; else /dev/memdemo. Both map all at once, with remap_pfn_range.
 */
#include "forks.h"
#include "signals.h"
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#define PAGES 4UL
#define LEN   (PAGES * PAGE)

static int fd;
static unsigned long base; /* where in the device those pages are */

static char *map(unsigned long pages, int prot, int flags)
{
	return (char *)raw_mmap(0, pages * PAGE, prot, flags, fd, base);
}

static void unmap(void *p, unsigned long pages)
{
	raw_munmap((unsigned long)p, pages * PAGE);
}

/* The memory of the VGA is behind the text that somebody may see. */
static bool open_device(void)
{
	const char *node = "/tmp/mem";

	fd = open("/dev/memdemo", O_RDWR);
	if (fd >= 0)
		return true;
	base = 0xbc000;
	unlink(node);
	if (mknod(node, S_IFCHR | 0600, makedev(1, 1)) != 0)
		return false;
	fd = open(node, O_RDWR);
	unlink(node);
	return fd >= 0;
}

/* --- what is shown of it --------------------------------------------------------------------- */

static void shown(void)
{
	char *p = map(PAGES, RW, MAP_SHARED);
	struct area area = { 0 };

	/* "ar" is Linux's own mark of areas whose caching it keeps track of. */
	is_str(vm_flags(p, "sd ar"), "rd wr sh mr mw me ms pf io de dd", "flags, shared");
	p[0] = 1;
	is_str(vector(p, PAGES), "0000", "mincore takes none for memory");
	is((long)(pagemap(p) & ~(1UL << 55)), 0, "pagemap neither");
	is(smaps(p, "Size"), LEN / 1024, "smaps: the size");
	is(smaps(p, "Rss"), 0, "... and nothing in memory");
	unmap(p, PAGES);

	p = map(PAGES, RW, MAP_PRIVATE);
	is_str(vm_flags(p, "sd ar"), "rd wr mr mw me pf io de ac dd", "flags, private");
	touch(p, 2);
	is_str(vector(p, PAGES), "0000", "mincore: nor copies of it");
	is((long)(pagemap(p) & ~(1UL << 55)), 0, "pagemap likewise");
	is(smaps(p, "Rss"), 0, "smaps likewise");
	is(smaps(p, "Anonymous"), 0, "... in all its lines");
	ok(area_at((unsigned long)p, &area) && (!base || area.offset == base),
	   "the line of maps: offset %#lx", area.offset);
	unmap(p, PAGES);
	p = map(PAGES, PROT_READ, MAP_PRIVATE);
	is_str(vm_flags(p, "sd ar"), "rd mr mw me pf io de dd", "flags, private, to be read");
	unmap(p, PAGES);
}

/* --- content --------------------------------------------------------------------------------- */

static int child_writes(void)
{
	char *p = (char *)report->n[0], *q = (char *)report->n[1];
	int got;

	report->n[2] = faults_of_read(p, &got);
	report->n[3] = got;
	report->n[4] = faults_of_write(p + 1, 44);
	report->n[5] = faults_of_write(q + PAGE, 55);
	report->n[6] = faults_of_read(q + 2 * PAGE, &got);
	report->n[7] = got;
	return 0;
}

/* Linux 6.1 can't fork when the first page of a private area is a copy: so that one isn't written. */
static void content(void)
{
	char *p = map(PAGES, RW, MAP_SHARED), *other = map(PAGES, RW, MAP_SHARED);
	char *q = map(PAGES, RW, MAP_PRIVATE);
	int got;

	is(faults_of_write(p, 5), 0, "shared: nothing faults");
	is(peek(other), 5, "... and another mapping sees what is written");
	is(peek(q), 5, "... a private one, too");
	is(faults_of_read(q + PAGE, &got), 0, "private: reading doesn't fault");
	is(faults_of_write(q + PAGE, 6), 1, "... writing does");
	*(volatile char *)(p + PAGE) = 8;
	is(peek(q + PAGE), 6, "... and makes a copy, which stays what it is");
	is(faults_of_write(q + PAGE, 7), 0, "... and is written without a fault");
	is(peek(p + PAGE), 8, "... for itself");
	*(volatile char *)(p + 2 * PAGE) = 9;
	is(peek(q + 2 * PAGE), 9, "what wasn't written is the device's");

	report->n[0] = (long)p;
	report->n[1] = (long)q;
	is(in_child(child_writes), 0, "a child");
	is(report->n[2], 0, "... has shared pages without a fault");
	is(report->n[3], 5, "... with what is in them");
	is(report->n[4], 0, "... to write as well");
	is(peek(p + 1), 44, "... which its parent sees");
	is(report->n[5], 1, "... and copies copies");
	is(peek(q + PAGE), 7, "... which its parent doesn't see");
	is(report->n[6], 0, "... and has the device's pages behind a private area");
	is(report->n[7], 9, "... with what is in them");
	unmap(p, PAGES);
	unmap(q, PAGES);
	is(peek(other), 5, "unmapping takes nothing away");
	unmap(other, PAGES);
}

static int accepts(char *p)
{
	catch_with(SIGSEGV, note_and_escape, 0, 0);
	catch_with(SIGBUS, note_and_escape, 0, 0);
	if (sigsetjmp(escape, 1))
		return seen.signo * 100 + seen.code;
	*(volatile char *)p = 77;
	return 0;
}

static void protection(void)
{
	char *p = map(PAGES, RW, MAP_SHARED), *q = map(PAGES, RW, MAP_PRIVATE);

	is(raw_mprotect((unsigned long)p + PAGE, PAGE, PROT_READ), 0, "mprotect of a part");
	is_str(layout(p, PAGES), "0-1 rw-s, 1-2 r--s, 2-4 rw-s", "cuts the area");
	is(accepts(p + PAGE), SIGSEGV * 100 + SEGV_ACCERR, "it can't be written");
	is(raw_mprotect((unsigned long)p + PAGE, PAGE, RW), 0, "... and back");
	is(accepts(p + PAGE), 0, "it can");
	is_str(layout(p, PAGES), "0-1 rw-s, 1-2 rw-s, 2-4 rw-s", "but they don't become one again");
	raw_mprotect((unsigned long)p, LEN, PROT_NONE);
	is(accepts(p), SIGSEGV * 100 + SEGV_ACCERR, "PROT_NONE");
	raw_mprotect((unsigned long)p, LEN, PROT_READ);
	is(peek(p + PAGE), 77, "... and what was there is there");
	touch(q, 1);
	raw_mprotect((unsigned long)q, LEN, PROT_READ);
	raw_mprotect((unsigned long)q, LEN, RW);
	is(faults_of_write(q, 1), 0,
	   "private: a copy is written at once when that is allowed again");
	is(faults_of_write(q + PAGE, 1), 1, "... the device's page copied");
	unmap(p, PAGES);
	unmap(q, PAGES);
}

/* --- the other calls ------------------------------------------------------------------------- */

static void moving(void)
{
	char *p = map(PAGES, RW, MAP_SHARED), *h = hole(10);
	const unsigned long at = (unsigned long)p, to = (unsigned long)h;

	p[0] = 11;
	p[PAGE] = 12;
	is(raw_mremap(at, LEN, LEN + PAGE, MREMAP_MAYMOVE, 0), -EFAULT, "mremap: it doesn't grow");
	is(raw_mremap(at, 0, PAGE, MREMAP_MAYMOVE, 0), -EFAULT, "nor is it doubled");
	is(raw_mremap(at, LEN, LEN, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0), -EINVAL, "nor emptied");
	is(raw_mremap(at, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, to), (long)to, "it moves");
	is(peek(h), 11, "... with its pages");
	is(raw_mremap(to + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 5 * PAGE),
	   (long)to + 5 * (long)PAGE, "a part of it does");
	is(peek(h + 5 * PAGE), 12, "... with its page");
	is(raw_mremap(to + 2 * PAGE, 2 * PAGE, PAGE, 0, 0), (long)to + 2 * (long)PAGE,
	   "it shrinks");
	is_str(layout(h, 10), "0-1 rw-s, 2-3 rw-s, 5-6 rw-s", "and this is left");
	unmap(h - PAGE, 12);

	h = hole(10);
	raw_mmap((unsigned long)h, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, base);
	raw_mmap((unsigned long)h + PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, base + PAGE);
	is_str(layout(h, 10), "0-1 rw-s, 1-2 rw-s", "neighbours don't merge");
	unmap(h - PAGE, 12);
}

static void locking(void)
{
	char *p = map(PAGES, RW, MAP_SHARED);
	long before = locked_pages();

	is(raw_mlock((unsigned long)p, LEN), 0, "mlock");
	is(locked_pages(), before, "... counts nothing");
	ok(!vm_flag(p, "lo"), "... and marks nothing");
	unmap(p, PAGES);
	p = map(PAGES, RW, MAP_PRIVATE | MAP_LOCKED);
	ok(!is_error((long)p) && !vm_flag(p, "lo"), "MAP_LOCKED likewise");
	is(locked_pages(), before, "... in VmLck, too");
	is(faults_of_write(p, 1), 1, "... and brings nothing in");
	unmap(p, PAGES);
	p = map(PAGES, RW, MAP_SHARED | MAP_POPULATE);
	ok(!is_error((long)p), "MAP_POPULATE");
	unmap(p, PAGES);
}

/* The result of each advice that is known, in one line. */
static const char *advices(char *p)
{
	static const int all[] = { 0,  1,  2,  3,  4,  8,  9,  10, 11, 12, 13,
				   14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24 };
	static char text[400];
	int used = 0;

	for (unsigned int i = 0; i < COUNT(all); i++)
		used += snprintf(text + used, sizeof(text) - used, "%s%d:%ld", i ? " " : "", all[i],
				 raw_madvise((unsigned long)p, LEN, all[i]));
	return text;
}

static void calls(void)
{
	char *p = map(PAGES, RW, MAP_SHARED), *q = map(PAGES, RW, MAP_PRIVATE);
	struct iovec local = { report->text, 4 }, remote = { p, 4 };
	unsigned int *word = (unsigned int *)p;
	int pipes[2];
	long err;

	is_str(advices(p),
	       "0:0 1:0 2:0 3:0 4:-22 8:-22 9:-19 10:0 11:-22 12:0 13:0 14:0 15:0 16:0 17:-22 "
	       "18:-22 19:0 20:-22 21:-22 22:-22 23:-22 24:-22",
	       "madvise, shared");
	is_str(advices(q),
	       "0:0 1:0 2:0 3:0 4:-22 8:-22 9:-13 10:0 11:-22 12:0 13:0 14:0 15:0 16:0 17:-22 "
	       "18:-22 19:0 20:-22 21:-22 22:-22 23:-22 24:-22",
	       "madvise, private");
	is(raw_msync((unsigned long)p, LEN, MS_ASYNC), 0, "msync, MS_ASYNC");
	is(raw_msync((unsigned long)p, LEN, MS_SYNC), -EINVAL, "msync, MS_SYNC: there is no fsync");
	is(raw_msync((unsigned long)q, LEN, MS_SYNC), 0, "... which a private area needs not");

	err = result(syscall(SYS_process_vm_readv, getpid(), &local, 1, &remote, 1, 0));
	if (err == -ENOSYS)
		skip("process_vm_readv", "there is no such call");
	else
		is(err, -EFAULT, "process_vm_readv: nobody gets its pages");
	is(result(syscall(SYS_futex, word, 1 /* WAKE */, 1, NULL, NULL, 0)), -EFAULT,
	   "a shared futex can't be there");
	if (pipe(pipes) == 0) {
		memcpy(p, "wxyz", 4);
		is(result(write(pipes[1], p, 4)), 4, "write(2) reads it");
		is(result(read(pipes[0], p + PAGE, 4)), 4, "read(2) writes it");
		ok(memcmp(p + PAGE, "wxyz", 4) == 0, "... as it is");
	}
	unmap(p, PAGES);
	unmap(q, PAGES);
}

static void cutting(void)
{
	char *p = map(PAGES, RW, MAP_PRIVATE);

	p[2 * PAGE] = 3;
	is(raw_munmap((unsigned long)p + PAGE, PAGE), 0, "munmap in the middle of a private area");
	is(peek(p + 2 * PAGE), 3, "... leaves the copies");
	is(faults_of_write(p + 3 * PAGE, 1), 1, "... and what isn't copied yet");
	is(raw_mmap((unsigned long)p, PAGE, RW, ANON | MAP_FIXED, -1, 0), (long)p,
	   "other memory in the place of a part");
	is(peek(p), 0, "... is other memory");
	unmap(p, PAGES);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	if (!open_device())
		skip_all("there is neither /dev/memdemo nor /dev/mem");
	forks_start();
	shown();
	content();
	protection();
	moving();
	locking();
	calls();
	cutting();
	return done_testing();
}
