/* SPDX-License-Identifier: MIT */
/*
 * Which frames stand behind the pages: the zero page is shared, two runs of a program have the
 * same text, and exec brings in only what is touched. Wants to run as root: others see no frames.
 */
#include "areas.h"
#include <sys/prctl.h>

#define DATA_PAGES 128
#define BSS_PAGES  2048

/* Large in the file, and large without being in the file. */
static char data[DATA_PAGES * PAGE] __attribute__((aligned(65536))) = { 1 };
static char bss[BSS_PAGES * PAGE] __attribute__((aligned(65536)));

/* Text on a page of its own, so that what is around it doesn't matter. */
__attribute__((noinline, aligned(4096))) static int text_function(int x)
{
	return x * 3 + 1;
}

static void *text_page(void)
{
	return (void *)((unsigned long)text_function & -PAGE);
}

/* Exits with 0 when this run has the frames that the starting run names. */
static int same_frames(int argc, char **argv)
{
	if (argc < 4 || text_function(2) != 7)
		return 3;
	data[64 * PAGE] = 2;
	if (frame_of(text_page()) != strtoul(argv[2], NULL, 16))
		return 1;
	if (frame_of(data + 64 * PAGE) == strtoul(argv[3], NULL, 16))
		return 2;
	return 0;
}

static void sharing(void)
{
	char text[32], own[32];
	int status;

	is(text_function(2), 7, "a function runs");
	data[64 * PAGE] = 2;
	ok(resident(text_page()), "its page is present");
	ok(frame_of(text_page()) != 0, "in a frame");
	ok(pagemap(text_page()) & PAGEMAP_FILE, "of a file");
	ok((pagemap(data + 64 * PAGE) & PAGEMAP_FILE) == 0, "written data is the program's own");
	ok(frame_of(data + 64 * PAGE) != 0, "in a frame");
	snprintf(text, sizeof(text), "%lx", frame_of(text_page()));
	snprintf(own, sizeof(own), "%lx", frame_of(data + 64 * PAGE));
	for (int i = 0; i < 2; i++) {
		status = run_mode("same-frames", text, own);
		is(status, 0, "another run: its text is in our frame, its data not");
	}
}

static void zero_page(void)
{
	char *p = fresh(4, RW);
	unsigned long zero, neighbour;

	for (int i = 0; i < 3; i++)
		(void)*(volatile char *)(p + i * PAGE);
	zero = frame_of(p);
	neighbour = frame_of(p + 2 * PAGE);
	ok(zero != 0, "a page that was read has a frame");
	ok(!resident(p + 3 * PAGE), "one that wasn't touched is not present");
	if (zero_page_off()) {
		skip("three pages that were read share one frame", NO_ZERO_PAGE);
		skip("another mapping's page as well", NO_ZERO_PAGE);
		skip("the page that is written moves to another frame", NO_ZERO_PAGE);
	} else {
		char *q = fresh(1, PROT_READ);

		ok(frame_of(p + PAGE) == zero && frame_of(p + 2 * PAGE) == zero,
		   "three pages that were read share one frame");
		(void)*(volatile char *)q;
		is(frame_of(q), zero, "another mapping's page as well");
		p[PAGE] = 1;
		ok(frame_of(p + PAGE) != zero, "the page that is written moves to another frame");
	}
	p[PAGE] = 1;
	is(frame_of(p + 2 * PAGE), neighbour, "its neighbours stay where they are");
	p[3 * PAGE] = 1;
	ok(frame_of(p + 3 * PAGE) != frame_of(p + PAGE), "two written pages have two frames");
	ok((pagemap(p + PAGE) & (PAGEMAP_FILE | PAGEMAP_EXCLUSIVE)) == PAGEMAP_EXCLUSIVE,
	   "a written page is exclusive and no file's");
	raw_munmap((unsigned long)p, 4 * PAGE);
	ok(!resident(p + PAGE), "after munmap it is gone");
}

static void frames_move_not(void)
{
	char *p = fresh(1, RW);
	unsigned long frame;

	*p = 1;
	frame = frame_of(p);
	raw_mprotect((unsigned long)p, PAGE, PROT_NONE);
	raw_mprotect((unsigned long)p, PAGE, RW);
	is(*p, 1, "through PROT_NONE and back");
	is(frame_of(p), frame, "the page is in the same frame");
	raw_munmap((unsigned long)p, PAGE);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "same-frames", same_frames }, { NULL, NULL } };
	long in_bss, in_data;

	/* Before anything else: what exec and the start of the program left behind. */
	in_bss = count_resident(bss, BSS_PAGES);
	in_data = count_resident(data + 16 * PAGE, DATA_PAGES - 32);
	/* Huge pages would make one touch bring in 512 pages; where there are none, no matter. */
	syscall(SYS_prctl, PR_SET_THP_DISABLE, 1, 0, 0, 0);
	tap_start(argc, argv, modes);

	is(in_bss, 0, "nothing of 8 MiB of bss is present after exec");
	is(in_data, 0, "nothing of the inner data is present after exec");
	bss[100 * PAGE] = bss[1000 * PAGE] = bss[2000 * PAGE] = 1;
	is(count_resident(bss, BSS_PAGES), 3, "three pages written: three present");
	data[64 * PAGE] = 1;
	is(count_resident(data + 16 * PAGE, DATA_PAGES - 32), 1, "one page of data written: one");
	is(bss[100 * PAGE + 1] + bss[2000 * PAGE - 1], 0, "the bss is zero");
	is(data[0], 1, "the data is the file's");
	if (frame_of(bss + 100 * PAGE) == 0) {
		skip("frames", "frame numbers are hidden from this user");
		return done_testing();
	}
	sharing();
	zero_page();
	frames_move_not();
	return done_testing();
}
