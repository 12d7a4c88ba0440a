/* SPDX-License-Identifier: MIT */
/* mprotect: what an access may do afterwards, how areas split and join, the order of the errors. */
#include "areas.h"
#include <signal.h>

static int write_read_only(int argc, char **argv)
{
	volatile char *p = fresh(1, RW);

	(void)argc, (void)argv;
	*p = 1;
	if (raw_mprotect((unsigned long)p, PAGE, PROT_READ) != 0 || *p != 1)
		return 1;
	*p = 2;
	return 0;
}

/* The page was only read, so what is mapped is the shared zero page. */
static int write_read_only_zero_page(int argc, char **argv)
{
	volatile char *p = fresh(1, RW);

	(void)argc, (void)argv;
	if (*p != 0 || raw_mprotect((unsigned long)p, PAGE, PROT_READ) != 0)
		return 1;
	*p = 2;
	return 0;
}

static int read_none(int argc, char **argv)
{
	volatile char *p = fresh(1, RW);

	(void)argc, (void)argv;
	*p = 1;
	if (raw_mprotect((unsigned long)p, PAGE, PROT_NONE) != 0)
		return 1;
	return *p;
}

static int read_none_untouched(int argc, char **argv)
{
	volatile char *p = fresh(1, PROT_NONE);

	(void)argc, (void)argv;
	return *p;
}

/* 0xc3 is "ret". */
static int exec_after_removal(int argc, char **argv)
{
	char *p = fresh(1, RW | PROT_EXEC);

	(void)argc, (void)argv;
	p[0] = (char)0xc3;
	((void (*)(void))p)();
	if (raw_mprotect((unsigned long)p, PAGE, RW) != 0)
		return 1;
	((void (*)(void))p)();
	return 0;
}

static int write_neighbour(int argc, char **argv)
{
	volatile char *p = fresh(3, RW);

	(void)argc, (void)argv;
	p[0] = p[PAGE] = p[2 * PAGE] = 1;
	if (raw_mprotect((unsigned long)p + PAGE, PAGE, PROT_READ) != 0)
		return 1;
	p[0] = p[PAGE - 1] = p[2 * PAGE] = 2;
	p[PAGE] = 2;
	return 0;
}

static const struct mode modes[] = {
	{ "write-read-only", write_read_only },
	{ "write-read-only-zero-page", write_read_only_zero_page },
	{ "read-none", read_none },
	{ "read-none-untouched", read_none_untouched },
	{ "exec-after-removal", exec_after_removal },
	{ "write-neighbour", write_neighbour },
	{ NULL, NULL },
};

static void accesses(void)
{
	dies("write-read-only", SIGSEGV, "a write to memory made read-only");
	dies("write-read-only-zero-page", SIGSEGV, "a write to a read-only zero page");
	dies("read-none", SIGSEGV, "a read of memory made PROT_NONE");
	dies("read-none-untouched", SIGSEGV, "a read of memory born PROT_NONE");
	dies("exec-after-removal", SIGSEGV, "a jump to memory that lost PROT_EXEC");
	dies("write-neighbour", SIGSEGV, "a write to the one page of three made read-only");
}

static void contents_stay(void)
{
	char *p = fresh(4, RW);
	unsigned long at = (unsigned long)p;

	memset(p, 3, 4 * PAGE);
	is(raw_mprotect(at, 4 * PAGE, PROT_READ), 0, "RW to R");
	is(p[3 * PAGE], 3, "can be read");
	is(raw_mprotect(at, 4 * PAGE, PROT_NONE), 0, "R to none");
	is(raw_mprotect(at, 4 * PAGE, RW), 0, "none to RW");
	is(p[0] + p[PAGE] + p[2 * PAGE] + p[4 * PAGE - 1], 12, "the contents are all there");
	p[PAGE] = 4;
	is(p[PAGE], 4, "and can be written");
	raw_munmap(at, 4 * PAGE);
	p = fresh(1, PROT_NONE);
	is(raw_mprotect((unsigned long)p, PAGE, RW), 0, "born PROT_NONE, made RW");
	is(p[0], 0, "reads as zero");
	p[0] = 5;
	is(p[0], 5, "and can be written");
	raw_munmap((unsigned long)p, PAGE);
}

static void executable(void)
{
	/* mov $42, %eax; ret */
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	char *p = fresh(1, RW);

	memcpy(p, code, sizeof(code));
	is(raw_mprotect((unsigned long)p, PAGE, PROT_READ | PROT_EXEC), 0, "RW to RX");
	is(((int (*)(void))p)(), 42, "the code runs");
	raw_munmap((unsigned long)p, PAGE);
}

static void splits_and_merges(void)
{
	char *p = island(8, RW);
	unsigned long at = (unsigned long)p;

	memset(p, 1, 8 * PAGE);
	raw_mprotect(at + 2 * PAGE, 2 * PAGE, PROT_READ);
	is_str(layout(p, 8), "0-2 rw-p, 2-4 r--p, 4-8 rw-p", "a middle part makes three areas");
	raw_mprotect(at + 4 * PAGE, PAGE, PROT_READ);
	is_str(layout(p, 8), "0-2 rw-p, 2-5 r--p, 5-8 rw-p", "the boundary moves, no fourth area");
	raw_mprotect(at, PAGE, PROT_NONE);
	is_str(layout(p, 8), "0-1 ---p, 1-2 rw-p, 2-5 r--p, 5-8 rw-p", "the first page alone");
	raw_mprotect(at + 7 * PAGE, 1, PROT_NONE);
	is_str(layout(p, 8), "0-1 ---p, 1-2 rw-p, 2-5 r--p, 5-7 rw-p, 7-8 ---p",
	       "one byte is the whole last page");
	raw_mprotect(at + PAGE, 6 * PAGE, PROT_READ);
	is_str(layout(p, 8), "0-1 ---p, 1-7 r--p, 7-8 ---p", "three areas join in one call");
	raw_mprotect(at, 8 * PAGE, RW);
	is_str(layout(p, 8), "0-8 rw-p", "and all of it is one again");
	raw_munmap(at + 4 * PAGE, PAGE);
	is(raw_mprotect(at + 2 * PAGE, 4 * PAGE, PROT_READ), -ENOMEM, "across a hole: ENOMEM");
	is_str(layout(p, 8), "0-2 rw-p, 2-4 r--p, 5-8 rw-p",
	       "what came before the hole is changed, what comes after is not");
	raw_munmap(at, 8 * PAGE);
}

static void errors(void)
{
	char *p = island(2, RW);
	unsigned long at = (unsigned long)p;

	is(raw_mprotect(at + 1, PAGE, PROT_READ), -EINVAL, "unaligned: EINVAL");
	is(raw_mprotect(at + 1, 0, PROT_READ), -EINVAL, "unaligned with length 0: EINVAL");
	is(raw_mprotect(at, 0, PROT_READ), 0, "length 0: nothing to do");
	is(raw_mprotect(at, 0, 0x100), 0, "even with an unknown protection");
	is(raw_mprotect(at, -PAGE, PROT_READ), -ENOMEM, "a length that wraps: ENOMEM");
	is(raw_mprotect(at, -PAGE, 0x100), -ENOMEM, "comes before an unknown protection");
	is(raw_mprotect(at, PAGE, 0x100), -EINVAL, "an unknown protection: EINVAL");
	is(raw_mprotect(at + 2 * PAGE, PAGE, 0x100), -EINVAL, "comes before the missing area");
	is(raw_mprotect(at + 2 * PAGE, PAGE, PROT_READ), -ENOMEM, "no area: ENOMEM");
	is(raw_mprotect(at - PAGE, 2 * PAGE, PROT_READ), -ENOMEM, "a hole at the start: ENOMEM");
	is(raw_mprotect(at, PAGE, PROT_GROWSDOWN | PROT_GROWSUP), -EINVAL, "both GROWS: EINVAL");
	is(raw_mprotect(at, PAGE, PROT_READ | PROT_GROWSDOWN), -EINVAL,
	   "PROT_GROWSDOWN on an area that doesn't grow: EINVAL");
	is(raw_mprotect(TASK_SIZE, PAGE, PROT_READ), -ENOMEM, "beyond user space: ENOMEM");
	is(raw_mprotect(0xffff888000000000, PAGE, PROT_READ), -ENOMEM, "a kernel address: ENOMEM");
	is_str(layout(p, 2), "0-2 rw-p", "after these errors the area is as it was");
	is(raw_mprotect(at, PAGE, RW | 8), 0, "protection 8 (PROT_SEM) is accepted");
	is_str(layout(p, 2), "0-2 rw-p", "and means nothing");
	raw_munmap(at, 2 * PAGE);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	accesses();
	contents_stay();
	executable();
	splits_and_merges();
	errors();
	return done_testing();
}
