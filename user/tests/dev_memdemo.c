/* SPDX-License-Identifier: MIT */
/* /dev/memdemo: what its driver does by itself. What all devices have in common: dev_pfnmap.c. */
#include "forks.h"
#include "kernel/abi/memdemo.h"
#include "signals.h"
#include <sys/ioctl.h>

#define DEVICE "/dev/memdemo"
#define PMD    0x200000UL

static int fd;

static char *map(unsigned long offset, unsigned long len, int prot, int flags)
{
	return (char *)raw_mmap(0, len, prot, flags, fd, offset);
}

static void unmap(void *p, unsigned long len)
{
	raw_munmap((unsigned long)p, len);
}

static uint64_t word_at(const void *p)
{
	return *(const volatile uint64_t *)p;
}

static void contents(void)
{
	char *p = map(0, MEMDEMO_SIZE - PAGE, RW, MAP_SHARED), *q;
	const struct memdemo_regs *regs = (void *)map(MEMDEMO_REGS, PAGE, PROT_READ, MAP_SHARED);
	uint64_t word = 0;
	int got;

	is(regs->magic == MEMDEMO_MAGIC, 1, "the registers");
	is((long)regs->size, MEMDEMO_SIZE, "... say how large it is");
	is((long)regs->opens, 1, "... that it is open once");
	is((long)regs->maps, 2, "... and mapped twice");
	is(result(ioctl(fd, MEMDEMO_GET_SIZE, &word)), 0, "an ioctl");
	is((long)word, MEMDEMO_SIZE, "... says how large it is, too");
	is(faults_of_read(p + 8 * PAGE, &got), 0, "the first half is mapped at once");
	word = regs->faults;
	is(faults_of_read(p + MEMDEMO_HALF + 8 * PAGE, &got), 1, "the second by faults");
	is(faults_of_read(p + MEMDEMO_HALF + 8 * PAGE, &got), 0, "... one for each page");
	is((long)(regs->faults - word), 1, "... as the registers count");
	ok(word_at(p + 40) == MEMDEMO_PATTERN(40), "the pattern");
	ok(word_at(p + MEMDEMO_HALF) == MEMDEMO_PATTERN(MEMDEMO_HALF), "... in the second half");
	*(volatile uint64_t *)(p + MEMDEMO_HALF + 16) = 16;
	is((long)word_at(p + MEMDEMO_HALF + 16), 16, "it can be written");
	q = map(MEMDEMO_HALF, PAGE, PROT_READ, MAP_SHARED);
	is((long)word_at(q + 16), 16, "... which another mapping sees");
	is(result(ioctl(fd, MEMDEMO_RESET)), 0, "an ioctl writes the pattern anew");
	ok(word_at(q + 16) == MEMDEMO_PATTERN(MEMDEMO_HALF + 16), "... for all to see");
	is(result(ioctl(fd, 0x4d99, 0)), -ENOTTY, "there is no other");
	is(result(ioctl(fd, MEMDEMO_GET_SIZE, NULL)), -EFAULT, "it can't be told to nobody");
	unmap(p, MEMDEMO_MEMORY);
	unmap(q, PAGE);
	unmap((void *)regs, PAGE);
}

static void checks(void)
{
	const unsigned long half = MEMDEMO_HALF, regs = MEMDEMO_REGS, size = MEMDEMO_SIZE;
	int rdonly = open(DEVICE, O_RDONLY);
	char *p;

	is((long)map(size, PAGE, RW, MAP_SHARED), -EINVAL, "mmap behind the end");
	is((long)map(0, size + PAGE, PROT_READ, MAP_SHARED), -EINVAL, "... or beyond it");
	is((long)map((1UL << 63) - 4 * PAGE, 8 * PAGE, PROT_READ, MAP_SHARED), -EINVAL,
	   "... or at no offset");
	is((long)map(regs - PAGE, 2 * PAGE, RW, MAP_SHARED), -EPERM, "registers to be written");
	is((long)map(regs, PAGE, RW, MAP_PRIVATE), -EPERM, "... also privately");
	p = map(regs, PAGE, PROT_READ, MAP_SHARED);
	is(raw_mprotect((unsigned long)p, PAGE, RW), -EACCES, "... or later");
	is_str(vm_flags(p, "sd"), "rd sh mr me ms pf io de dd", "their area can't become writable");
	unmap(p, PAGE);
	p = map(regs, PAGE, PROT_READ, MAP_PRIVATE);
	ok(word_at(p) == MEMDEMO_MAGIC, "a private view of them");
	unmap(p, PAGE);
	is((long)map(half, PAGE, PROT_READ, MAP_PRIVATE), -EINVAL, "the second half privately");
	is((long)map(half - PAGE, 2 * PAGE, RW, MAP_PRIVATE), -EINVAL, "... or both");
	p = map(half - PAGE, PAGE, RW, MAP_PRIVATE);
	ok(!is_error((long)p), "the first half can be had so");
	p[0]++;
	ok(word_at(p) != MEMDEMO_PATTERN(half - PAGE), "... and written");
	unmap(p, PAGE);
	is(raw_mmap(0, PAGE, RW, MAP_SHARED, rdonly, 0), -EACCES, "shared for who may only read");
	p = (char *)raw_mmap(0, PAGE, PROT_READ, MAP_SHARED, rdonly, half);
	ok(word_at(p) == MEMDEMO_PATTERN(half), "... to read");
	is_str(vm_flags(p, "sd"), "rd mr me ms pf io de dd", "... and never to write");
	unmap(p, PAGE);
	is(result(ioctl(rdonly, MEMDEMO_RESET)), -EBADF, "... nor to reset");
	close(rdonly);
}

/* --- where it goes --------------------------------------------------------------------------- */

static unsigned long placed(unsigned long addr, unsigned long offset, unsigned long len, int flags)
{
	unsigned long p = raw_mmap(addr, len, PROT_READ, MAP_SHARED | flags, fd, offset);

	if (!is_error(p))
		raw_munmap(p, len);
	return p;
}

static void places(void)
{
	char *h = hole(2 * PMD / PAGE);
	const unsigned long at = (unsigned long)h, odd = (at & ~(PMD - 1)) + PMD + 5 * PAGE;
	unsigned long p;

	is(placed(0, 0, PMD, 0) % PMD, 0, "2 MiB lie at a multiple of 2 MiB");
	is(placed(0, 3 * PAGE, PMD, 0) % PMD, 3 * PAGE,
	   "... and with an offset, by that behind one");
	p = placed(0, 0, PMD - PAGE, 0);
	ok(!is_error(p), "less lies anywhere");
	is(placed(odd, 0, 4 * PAGE, 0), odd, "a hint is taken");
	is(placed(odd, 0, 4 * PAGE, MAP_FIXED), odd, "MAP_FIXED too");
	is(placed(odd, 0, PMD / 2, MAP_FIXED), odd, "... whatever the alignment");
	is(placed(at - PAGE, 0, PAGE, MAP_FIXED_NOREPLACE), -EEXIST, "MAP_FIXED_NOREPLACE");
	is(placed(odd + 1, 0, PAGE, MAP_FIXED), -EINVAL, "a crooked place");
	is(placed(0, 0, TASK_SIZE + PAGE, 0), -ENOMEM, "more than there is room");
	is(placed(TASK_SIZE, 0, PMD, MAP_FIXED), -ENOMEM, "... or beyond the end");
	is(placed(0, 0, PMD, MAP_32BIT) >> 31, 0, "MAP_32BIT");
	raw_munmap(at - PAGE, 2 * PMD + 2 * PAGE);
	p = raw_mmap(0, PMD + PAGE, RW, MAP_SHARED, fd, 0);
	is(raw_mremap(p, PMD + PAGE, PMD + PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 4 * PMD),
	   (long)(p + 4 * PMD), "mremap moves both halves");
	ok(word_at((char *)p + 4 * PMD + PMD - PAGE) == MEMDEMO_PATTERN(PMD - PAGE),
	   "... what was mapped");
	ok(word_at((char *)p + 5 * PMD) == MEMDEMO_PATTERN(PMD), "... and what comes by a fault");
	raw_munmap(p + 4 * PMD, PMD + PAGE);
}

/* --- read(2) and its family ------------------------------------------------------------------ */

static void reading(void)
{
	uint64_t words[2] = { 0, 0 };
	char *p = map(0, PAGE, PROT_READ, MAP_SHARED);

	is(pread(fd, words, 16, 48), 16, "pread");
	ok(words[1] == MEMDEMO_PATTERN(56), "... the pattern");
	is(pread(fd, words, 16, MEMDEMO_REGS - 8), 16, "... across to the registers");
	ok(words[1] == MEMDEMO_MAGIC, "... which follow");
	is(pread(fd, words, 16, MEMDEMO_SIZE - 8), 8, "... up to the end");
	is(pread(fd, words, 16, MEMDEMO_SIZE + 8), 0, "... and no further");
	words[0] = 7;
	is(pwrite(fd, words, 8, 48), 8, "pwrite");
	is((long)word_at(p + 48), 7, "... is seen in memory");
	is(result(pwrite(fd, words, 8, MEMDEMO_REGS)), -EPERM, "registers aren't written");
	is(pwrite(fd, words, 16, MEMDEMO_REGS - 8), 8, "... it ends before them");
	is(result(pwrite(fd, words, 8, MEMDEMO_SIZE)), -ENOSPC, "behind the end is no room");
	is(result(pread(fd, (void *)1, 8, 0)), -EFAULT, "nowhere to read to");
	is(lseek(fd, -8, SEEK_END), MEMDEMO_SIZE - 8, "lseek from the end");
	is(result(lseek(fd, 1, SEEK_END)), -EINVAL, "... and not beyond");
	is(lseek(fd, 8, SEEK_SET), 8, "... from the start");
	is(read(fd, words, 8), 8, "read");
	is(lseek(fd, 0, SEEK_CUR), 16, "... goes on from there");
	unmap(p, PAGE);
}

static int no_device(char *p)
{
	catch_with(SIGSEGV, note_and_escape, 0, 0);
	if (sigsetjmp(escape, 1))
		return 0;
	return (int)word_at(p) + 1;
}

/* It is switched on while somebody has it open or mapped. */
static void on_and_off(void)
{
	char *p;
	int again;

	unmap(map(0, PAGE, PROT_READ, MAP_SHARED), PAGE);
	p = map(0, PAGE, RW, MAP_SHARED);
	*(volatile uint64_t *)p = 99;
	close(fd);
	is((long)word_at(p), 99, "a mapping keeps it on when it is closed");
	again = open(DEVICE, O_RDWR);
	fd = again;
	unmap(p, PAGE);
	is(no_device(p), 0, "unmapped");
	p = map(0, PAGE, RW, MAP_SHARED);
	is((long)word_at(p), 99, "... while it is open again, it has what it had");
	close(fd);
	unmap(p, PAGE);
	fd = open(DEVICE, O_RDWR);
	p = map(0, PAGE, RW, MAP_SHARED);
	ok(word_at(p) == MEMDEMO_PATTERN(0), "switched off and on it is as new");
	unmap(p, PAGE);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	fd = open(DEVICE, O_RDWR);
	if (fd < 0)
		skip_all("there is no /dev/memdemo: it is Tessera's own");
	contents();
	checks();
	places();
	reading();
	on_and_off();
	return done_testing();
}
