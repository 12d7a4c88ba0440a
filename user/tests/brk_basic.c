/* SPDX-License-Identifier: MIT */
/*
 * brk: the break moves, memory comes and goes. brk is called directly: it returns the new break,
 * or the old one when it refuses. A C library may have used some heap before main.
 */
#include "areas.h"

static unsigned long raw_brk(unsigned long addr)
{
	return (unsigned long)syscall(SYS_brk, addr);
}

static void grow_and_shrink(unsigned long base)
{
	char *p = (char *)base;
	bool zero = true;

	is(raw_brk(base + 4 * PAGE), base + 4 * PAGE, "grow by four pages");
	is(raw_brk(0), base + 4 * PAGE, "brk(0) tells the break");
	for (unsigned long i = 0; i < 4 * PAGE; i++)
		zero &= p[i] == 0;
	ok(zero, "the new memory is zero");
	memset(p, 0x77, 4 * PAGE);
	is_str(layout(p, 6), "0-4 rw-p", "an area of four pages, readable and writable");
	is(raw_brk(base + 2 * PAGE), base + 2 * PAGE, "shrink by two pages");
	is_str(layout(p, 6), "0-2 rw-p", "the area has shrunk");
	is(p[2 * PAGE - 1], 0x77, "what is left keeps its contents");
	is(raw_brk(base + 4 * PAGE), base + 4 * PAGE, "grow again");
	is(p[2 * PAGE] + p[4 * PAGE - 1], 0, "the memory that was away is zero again");
	is(p[0], 0x77, "the memory that stayed is not");
	is(raw_brk(base), base, "back to where it was");
	is_str(layout(p, 6), "", "nothing is left of it");
}

static void within_a_page(unsigned long base)
{
	char *p = (char *)base;

	is(raw_brk(base + 1), base + 1, "grow by one byte");
	is_str(layout(p, 3), "0-1 rw-p", "maps a page");
	p[0] = p[PAGE - 1] = 9;
	is(raw_brk(base + 100), base + 100, "move within the page");
	is_str(layout(p, 3), "0-1 rw-p", "no second page");
	is(p[PAGE - 1], 9, "the page keeps its contents up to its end");
	is(raw_brk(base + 7), base + 7, "back within the page");
	is(p[PAGE - 1], 9, "shrinking within a page doesn't clear it");
	is(raw_brk(base + PAGE), base + PAGE, "up to the end of the page");
	is_str(layout(p, 3), "0-1 rw-p", "still one page");
	is(raw_brk(base + PAGE + 1), base + PAGE + 1, "one byte further");
	is_str(layout(p, 3), "0-2 rw-p", "makes two");
	raw_brk(base);
}

static void refused(unsigned long base)
{
	unsigned long now = raw_brk(base + PAGE + 10);
	long wall;

	is(raw_brk(1), now, "an address below the start of the heap is refused");
	is(raw_brk(0x10000), now, "another one");
	is(raw_brk(TASK_SIZE), now, "the end of user space is refused");
	is(raw_brk(-1UL), now, "the end of all addresses is refused");
	is(raw_brk(0xffff888000000000), now, "a kernel address is refused");
	is(raw_brk(0), now, "the break hasn't moved");

	/* An area in the way: one free page must remain above the new break. */
	wall = raw_mmap(base + 6 * PAGE, PAGE, PROT_NONE, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	is(wall, base + 6 * PAGE, "an area four pages above the break's page");
	is(raw_brk(base + 7 * PAGE), now, "the heap can't grow over it");
	is(raw_brk(base + 6 * PAGE), now, "nor right up to it");
	is(raw_brk(base + 5 * PAGE), base + 5 * PAGE, "but to one page below");
	is_str(layout((char *)base, 8), "0-5 rw-p, 6-7 ---p", "as the areas show");
	raw_munmap(wall, PAGE);
	raw_brk(base);
}

/* A bss that ends where the heap begins may bear the same name, so ask for the heap by address. */
static void label(unsigned long base)
{
	struct area heap;

	raw_brk(base + 3 * PAGE);
	if (area_at(base, &heap)) {
		is_str(heap.name, "[heap]", "maps names the area [heap]");
		is(heap.end, base + 3 * PAGE, "it ends at the break");
		is(heap.offset, 0, "its offset is 0");
	} else {
		ok(false, "there is an area at the break's old place");
	}
	raw_brk(base);
}

/* What the heap's middle loses, the heap doesn't get back by growing. */
static void hole_in_heap(unsigned long base)
{
	char *p = (char *)base;

	raw_brk(base + 4 * PAGE);
	memset(p, 1, 4 * PAGE);
	is(raw_munmap(base + PAGE, PAGE), 0, "munmap inside the heap");
	is_str(layout(p, 6), "0-1 rw-p, 2-4 rw-p", "makes a hole");
	is(raw_brk(base + 5 * PAGE), base + 5 * PAGE, "growing goes on at the end");
	is_str(layout(p, 6), "0-1 rw-p, 2-5 rw-p", "and leaves the hole");
	is(raw_brk(base), base, "shrinking over the hole");
	is_str(layout(p, 6), "", "takes all");
}

static void large(unsigned long base)
{
	unsigned long size = 16UL << 20;
	bool good = true;

	is(raw_brk(base + size), base + size, "grow by 16 MiB");
	for (unsigned long at = base; at < base + size; at += 64 * PAGE)
		*(volatile unsigned long *)at = at;
	for (unsigned long at = base; at < base + size; at += 64 * PAGE)
		good &= *(volatile unsigned long *)at == at;
	ok(good, "every 64th page written and read back");
	is(raw_brk(base), base, "and back");
}

int main(int argc, char **argv)
{
	unsigned long start, base;

	tap_start(argc, argv, NULL);
	start = raw_brk(0);
	ok(start > 0, "there is a break");
	/* From here on whole pages, whatever a C library did before main. */
	base = (start + PAGE - 1) & ~(PAGE - 1);
	is(raw_brk(base), base, "the break on a page boundary");
	grow_and_shrink(base);
	within_a_page(base);
	refused(base);
	label(base);
	hole_in_heap(base);
	large(base);
	return done_testing();
}
