/* SPDX-License-Identifier: MIT */
/* The main stack grows when it is touched, up to RLIMIT_STACK and not a page further. */
#include "areas.h"
#include <signal.h>

static unsigned long stack_limit(void)
{
	struct rlimit limit = { 0, 0 };

	if (syscall(SYS_prlimit64, 0, RLIMIT_STACK, NULL, &limit) != 0)
		return 0;
	return limit.rlim_cur;
}

static unsigned long stack_top(void)
{
	struct area stack;

	return area_named("[stack]", &stack) ? stack.end : 0;
}

/* The furthest page that the limit allows: the whole area may be as large as the limit. */
static int touch_last(int argc, char **argv)
{
	unsigned long last = stack_top() - stack_limit();
	struct area stack;

	(void)argc, (void)argv;
	*(volatile char *)last = 1;
	return area_named("[stack]", &stack) && stack.start == last ? 42 : 1;
}

static int touch_beyond(int argc, char **argv)
{
	(void)argc, (void)argv;
	*(volatile char *)(stack_top() - stack_limit() - 1) = 1;
	return 0;
}

/* volatile keeps the compiler from turning the recursion into a loop. */
static int recurse(volatile int depth)
{
	volatile char frame[PAGE];

	frame[0] = depth;
	if (depth < 0)
		return 0;
	return recurse(depth + 1) + frame[0];
}

static int recurse_forever(int argc, char **argv)
{
	(void)argv;
	return recurse(argc);
}

/* push writes below the stack pointer's page: the fault is by an instruction, not by an access. */
static int push_at_page_start(int argc, char **argv)
{
	struct area stack;
	unsigned long at;

	(void)argc, (void)argv;
	if (!area_named("[stack]", &stack))
		return 1;
	at = stack.start;
	__asm__ volatile("mov %%rsp, %%r12\n\t"
			 "mov %0, %%rsp\n\t"
			 "push $7\n\t"
			 "mov %%r12, %%rsp"
			 :
			 : "r"(at)
			 : "r12", "memory");
	if (!area_named("[stack]", &stack))
		return 1;
	return stack.start == at - PAGE && *(volatile long *)(at - 8) == 7 ? 42 : 2;
}

/* A kernel that reads a name from, or writes a result to, a stack address lets it grow as well. */
static int kernel_grows(int argc, char **argv)
{
	unsigned long far = stack_top() - (3UL << 20);
	struct area stack;

	(void)argc, (void)argv;
	if (syscall(SYS_uname, far) != 0 || strcmp((char *)far, "Linux") != 0)
		return 1;
	return area_named("[stack]", &stack) && stack.start == (far & -PAGE) ? 42 : 2;
}

/* An accessible area less than 256 pages below stops growth; the access is a plain SIGSEGV. */
static unsigned long wall(long prot, unsigned long pages_below)
{
	unsigned long target = stack_top() - (1UL << 20);

	raw_mmap(target - (pages_below + 1) * PAGE, PAGE, prot, ANON | MAP_FIXED, -1, 0);
	return target;
}

static int near_area(int argc, char **argv)
{
	unsigned long target = wall(RW, 255);

	(void)argc, (void)argv;
	*(volatile char *)target = 1;
	return 0;
}

static int far_area(int argc, char **argv)
{
	unsigned long target = wall(RW, 256);

	(void)argc, (void)argv;
	*(volatile char *)target = 1;
	return 42;
}

static int near_none(int argc, char **argv)
{
	unsigned long target = wall(PROT_NONE, 2);

	(void)argc, (void)argv;
	*(volatile char *)target = 1;
	return 42;
}

static const struct mode modes[] = {
	{ "last", touch_last },		{ "beyond", touch_beyond }, { "recurse", recurse_forever },
	{ "push", push_at_page_start }, { "kernel", kernel_grows }, { "near-area", near_area },
	{ "far-area", far_area },	{ "near-none", near_none }, { NULL, NULL },
};

static void at_start(void)
{
	struct area stack;
	char here;

	if (!ok(area_named("[stack]", &stack), "maps names an area [stack]"))
		return;
	ok((unsigned long)&here >= stack.start && (unsigned long)&here < stack.end,
	   "it holds this function's variables");
	ok(strncmp(stack.perms, "rw-p", 4) == 0, "it is readable and writable, not executable");
	ok(stack.end - stack.start >= 128 * 1024, "exec has made it at least 128 KiB");
	ok(stack.end - stack.start < 1 << 20, "and less than 1 MiB");
}

static void one_mebibyte(void)
{
	unsigned long top = stack_top(), at;
	struct area stack;
	bool good = true;

	for (at = top - 64 * PAGE; at >= top - (1UL << 20); at -= PAGE)
		*(volatile unsigned long *)at = at;
	for (at = top - 64 * PAGE; at >= top - (1UL << 20); at -= PAGE)
		good &= *(volatile unsigned long *)at == at;
	ok(good, "1 MiB of stack touched page by page, and read back");
	area_named("[stack]", &stack);
	is(stack.start, top - (1UL << 20), "the area has grown to exactly there");
	is(stack.end, top, "its end has stayed");
}

static void at_once(void)
{
	unsigned long top = stack_top(), far = top - (4UL << 20);
	struct area stack;

	is(*(volatile char *)far, 0, "4 MiB below the top, read at once: zero");
	area_named("[stack]", &stack);
	is(stack.start, far, "the area has grown to there");
	is(count_resident((void *)(far + PAGE), 512), 0,
	   "none of the pages passed over is present");
}

int main(int argc, char **argv)
{
	unsigned long limit;

	tap_start(argc, argv, modes);
	limit = stack_limit();
	if (limit < 8UL << 20 || limit > 1UL << 30)
		skip_all("needs a stack limit between 8 MiB and 1 GiB");
	at_start();
	one_mebibyte();
	at_once();
	exits("last", 42, "the whole of RLIMIT_STACK can be used");
	dies("beyond", SIGSEGV, "the byte below RLIMIT_STACK");
	dies("recurse", SIGSEGV, "endless recursion");
	exits("push", 42, "push at the area's first byte grows it by a page");
	exits("kernel", 42, "a system call's result grows it too");
	dies("near-area", SIGSEGV, "growth to 255 pages above an accessible area");
	exits("far-area", 42, "growth to 256 pages above one");
	exits("near-none", 42, "a PROT_NONE area doesn't keep the stack away");
	return done_testing();
}
