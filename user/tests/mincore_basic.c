/* SPDX-License-Identifier: MIT */
/* mincore of private anonymous memory, and its errors in their order. */
#include "vm.h"

static unsigned char vec[1024] __attribute__((aligned(16)));

static void vectors(void)
{
	char *p = hole(8);
	unsigned long at = (unsigned long)p;

	fix(p, 8, RW);
	is_str(vector(p, 8), "00000000", "nothing was touched");
	p[PAGE] = 1;
	(void)peek(p + 3 * PAGE);
	p[5 * PAGE] = 1;
	p[6 * PAGE] = 1;
	is_str(vector(p, 8), "01010110", "what was written, and what was read");
	raw_mprotect(at + 5 * PAGE, PAGE, PROT_NONE);
	is_str(vector(p, 8), "01010110", "a written page made PROT_NONE is present");
	raw_mprotect(at + 3 * PAGE, PAGE, PROT_NONE);
	is_str(vector(p, 8), "01010110", "a zero page as well");
	is(raw_mincore(at, 1, (unsigned long)vec), 0, "a length of one byte");
	vec[1] = 77;
	is(raw_mincore(at + PAGE, PAGE, (unsigned long)vec), 0, "one page");
	is(vec[0], 1, "one byte of the vector is written");
	is(vec[1], 77, "and no more");
	vec[0] = 77;
	is(raw_mincore(at, 0, (unsigned long)vec), 0, "length 0: 0");
	is(vec[0], 77, "the vector isn't touched");
	is(raw_mincore(at + 1000 * PAGE, 0, 0), 0, "nor looked at");
	raw_munmap(at, 8 * PAGE);
}

static void many(void)
{
	char *p = fresh(1000, RW);
	unsigned long wrong = 0;

	for (int i = 0; i < 1000; i += 3)
		p[i * PAGE] = 1;
	memset(vec, 9, sizeof(vec));
	is(raw_mincore((unsigned long)p, 1000 * PAGE, (unsigned long)vec), 0, "1000 pages");
	for (int i = 0; i < 1000; i++)
		wrong += vec[i] != (i % 3 == 0);
	is(wrong, 0, "every third is present");
	is(vec[1000], 9, "the vector ends there");
	raw_munmap((unsigned long)p, 1000 * PAGE);
}

/* Absent tables at each level: 2 MiB and 1 GiB of nothing between two pages. */
static void sparse(void)
{
	unsigned long at = 0x140000000000;
	char *p = (char *)at;

	raw_mmap(at, 2 * GIB, RW, ANON | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	p[2 * MIB - PAGE] = p[GIB] = 1;
	is_str(vector(p + 2 * MIB - 2 * PAGE, 4), "0100", "around a boundary of 2 MiB");
	is_str(vector(p + GIB - 2 * PAGE, 4), "0010", "around a boundary of 1 GiB");
	raw_munmap(at, 2 * GIB);
}

static void errors(void)
{
	char *p = hole(8);
	unsigned long at = (unsigned long)p;
	char *none = fresh(1, PROT_NONE), *read_only = fresh(1, PROT_READ);

	fix(p, 3, RW);
	fix(p + 4 * PAGE, 2, RW);
	touch(p, 3);
	is(raw_mincore(at + 1, PAGE, (unsigned long)vec), -EINVAL, "unaligned: EINVAL");
	is(raw_mincore(at + 1, 0, (unsigned long)vec), -EINVAL, "of length 0, too");
	is(raw_mincore(TASK_SIZE + 1, PAGE, 0), -EINVAL, "comes before the range");
	is(raw_mincore(TASK_SIZE, PAGE, (unsigned long)vec), -ENOMEM, "beyond user space: ENOMEM");
	is(raw_mincore(TASK_SIZE - PAGE, 2 * PAGE, (unsigned long)vec), -ENOMEM,
	   "across its end: ENOMEM");
	is(raw_mincore(at, -PAGE, (unsigned long)vec), -ENOMEM, "a range that wraps: ENOMEM");
	is(raw_mincore(at, 1UL << 63, (unsigned long)vec), -ENOMEM, "2^63 bytes: ENOMEM");
	is(raw_mincore(at, -1UL, (unsigned long)vec), -ENOMEM, "2^64 - 1 bytes: ENOMEM");
	is(raw_mincore(TASK_SIZE, PAGE, TASK_SIZE), -ENOMEM, "comes before the vector");
	is(raw_mincore(at, PAGE, TASK_SIZE), -EFAULT, "a vector beyond user space: EFAULT");
	is(raw_mincore(at + 3 * PAGE, PAGE, TASK_SIZE), -EFAULT, "comes before a missing area");
	is(raw_mincore(at, PAGE, (unsigned long)none), -EFAULT, "a vector in PROT_NONE: EFAULT");
	is(raw_mincore(at, PAGE, (unsigned long)read_only), -EFAULT, "in read-only memory: EFAULT");
	is(raw_mincore(at + 3 * PAGE, PAGE, (unsigned long)none), -ENOMEM,
	   "such a vector comes after a missing area");
	is(raw_mincore(at + 3 * PAGE, PAGE, (unsigned long)vec), -ENOMEM, "a hole: ENOMEM");
	memset(vec, 9, 8);
	is(raw_mincore(at, 6 * PAGE, (unsigned long)vec), -ENOMEM, "over a hole: ENOMEM");
	ok(vec[0] == 1 && vec[1] == 1 && vec[2] == 1, "the vector is filled up to it");
	ok(vec[3] == 9 && vec[4] == 9, "and not beyond");
	raw_munmap(at, 8 * PAGE);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	vectors();
	many();
	sparse();
	errors();
	return done_testing();
}
