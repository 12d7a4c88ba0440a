/* SPDX-License-Identifier: MIT */
/*
 * Where things are in a new address space: stack, mmap base, vvar and vdso, heap; with and without
 * randomisation, by the stack's limit, and in the legacy layout. Each in a program of its own.
 */
#include "vm.h"
#include <sys/personality.h>

#ifndef ADDR_NO_RANDOMIZE
#define ADDR_NO_RANDOMIZE 0x0040000
#endif
#ifndef ADDR_COMPAT_LAYOUT
#define ADDR_COMPAT_LAYOUT 0x0200000
#endif
#ifndef READ_IMPLIES_EXEC
#define READ_IMPLIES_EXEC 0x0400000
#endif

extern char end[]; /* by the linker: where the bss ends */

static long raw_personality(unsigned long persona)
{
	return result(syscall(SYS_personality, persona));
}

/* Where mmap begins, when addresses aren't random: at the end of the vdso, which comes first. */
static unsigned long top_of_maps(void)
{
	struct area vdso;

	return area_named("[vdso]", &vdso) ? vdso.end : 0;
}

static int fixed_layout(int argc, char **argv)
{
	struct area stack, vdso, vvar;
	unsigned long p;

	(void)argc, (void)argv;
	if (!area_named("[stack]", &stack) || stack.end != TASK_SIZE)
		return 1;
	if (stack.end - stack.start != 33 * PAGE || status("VmStk") != 132)
		return 2;
	if (top_of_maps() != 0x7ffff7fff000)
		return 3;
	if (!area_named("[vdso]", &vdso) || vdso.end - vdso.start != 2 * PAGE)
		return 4;
	if (!area_named("[vvar]", &vvar) || vvar.end != vdso.start ||
	    vvar.end - vvar.start != 4 * PAGE)
		return 5;
	p = vvar.start;
	if ((unsigned long)fresh(3, RW) != p - 3 * PAGE)
		return 6;
	if ((unsigned long)fresh(1, RW) != p - 4 * PAGE)
		return 7;
	/* This program is linked to a fixed place: its heap follows its bss. */
	if (raw_brk(0) != (((unsigned long)end + PAGE - 1) & -PAGE))
		return 8;
	return 42;
}

static int top_is(int argc, char **argv)
{
	unsigned long want = argc > 2 ? strtoul(argv[2], NULL, 16) : 0;

	if (top_of_maps() == want)
		return 42;
	diag("the highest area ends at 0x%lx, wanted 0x%lx", top_of_maps(), want);
	return 1;
}

static int legacy(int argc, char **argv)
{
	unsigned long a, b, lowest = 0x2aaaaaaab000;

	(void)argc, (void)argv;
	a = (unsigned long)fresh(3, RW);
	b = (unsigned long)fresh(2, RW);
	/* Of an address 28 bits are random, if any. */
	if (a < lowest || a > lowest + (1UL << 40) + GIB)
		return 1;
	if (b != a + 3 * PAGE)
		return 2;
	raw_munmap(a, PAGE);
	if ((unsigned long)fresh(2, PROT_READ) != b + 2 * PAGE)
		return 3;
	if ((unsigned long)fresh(1, PROT_READ) != a)
		return 4;
	if (raw_mmap(0x10000000, PAGE, RW, ANON, -1, 0) != 0x10000000)
		return 5;
	/* No gap is large enough below, and above ends user space. */
	if (raw_mmap(0, TASK_SIZE - lowest, PROT_NONE, ANON, -1, 0) != -ENOMEM)
		return 6;
	return 42;
}

/* Above the stack, and not farther than the next multiple of 2 MiB. */
static int above_stack(int argc, char **argv)
{
	struct area stack, vdso, vvar;

	(void)argc, (void)argv;
	if (!area_named("[stack]", &stack) || !area_named("[vdso]", &vdso) ||
	    !area_named("[vvar]", &vvar))
		return 1;
	if (vvar.end != vdso.start)
		return 2;
	/* The stack's end is where it is by chance: near the end of user space there is no room above. */
	if (stack.end > TASK_SIZE - 6 * PAGE)
		return 42;
	if (vvar.start < stack.end)
		return 3;
	return vdso.end <= ((stack.end + 6 * PAGE + 2 * MIB - 1) & -(2 * MIB)) ? 42 : 4;
}

static int not_executable(int argc, char **argv)
{
	(void)argc, (void)argv;
	if (raw_personality(0xffffffff) & READ_IMPLIES_EXEC)
		return 1;
	return strcmp(layout(fresh(1, PROT_READ), 1), "0-1 r--p") == 0 ? 42 : 2;
}

/* Exits with bits of the stack's and the maps' place, to be compared. */
static int places(int argc, char **argv)
{
	struct area stack;
	unsigned long all;
	int fd = argc > 2 ? (int)strtol(argv[2], NULL, 10) : -1;

	if (!area_named("[stack]", &stack))
		return 1;
	all = stack.end ^ top_of_maps() << 16 ^ raw_brk(0) << 8;
	return write(fd, &all, sizeof(all)) == sizeof(all) ? 0 : 1;
}

static const struct mode modes[] = {
	{ "fixed", fixed_layout },
	{ "top", top_is },
	{ "legacy", legacy },
	{ "not-executable", not_executable },
	{ "above", above_stack },
	{ "places", places },
	{ NULL, NULL },
};

static void exits_arg(const char *mode, const char *arg, const char *name)
{
	int status = run_mode(mode, arg, NULL);

	ok(status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 42, "%s", name);
	if (status != 42 << 8)
		diag("wait status 0x%x", status);
}

static void persona(void)
{
	long old = raw_personality(0xffffffff), p;
	struct area area;

	ok(!is_error(old), "personality(0xffffffff) tells the present one");
	is(raw_personality(old | READ_IMPLIES_EXEC), old, "a new one returns the old one");
	is(raw_personality(0xffffffff), old | READ_IMPLIES_EXEC, "it is set");
	p = raw_mmap(0, PAGE, PROT_READ, ANON, -1, 0);
	is_str(layout((char *)p, 1), "0-1 r-xp", "READ_IMPLIES_EXEC: readable is executable");
	raw_mprotect(p, PAGE, RW);
	is_str(layout((char *)p, 1), "0-1 rwxp", "by mprotect as well");
	raw_mprotect(p, PAGE, PROT_WRITE);
	is_str(layout((char *)p, 1), "0-1 -w-p", "but only what is readable");
	raw_mprotect(p, PAGE, PROT_NONE);
	is_str(layout((char *)p, 1), "0-1 ---p", "PROT_NONE stays that");
	raw_munmap(p, PAGE);
	p = raw_brk(0);
	p = (p + PAGE - 1) & -PAGE;
	raw_brk(p + 2 * PAGE);
	ok(area_at(p, &area), "the heap");
	is_str(area.perms, "rwxp", "grows by executable memory, too");
	raw_brk(p);
	raw_personality(old);
	is(raw_personality(0xffffffff), old, "and back");
}

static void random_places(void)
{
	unsigned long seen[4] = { 0 };
	char fd_text[16];
	int fds[2], same = 0;

	if (syscall(SYS_pipe2, fds, 0) != 0) {
		skip("two programs without randomisation", "no pipes here");
		return;
	}
	snprintf(fd_text, sizeof(fd_text), "%d", fds[1]);
	for (size_t i = 0; i < COUNT(seen); i++)
		if (run_mode("places", fd_text, NULL) != 0 ||
		    read(fds[0], &seen[i], sizeof(seen[i])) != sizeof(seen[i]))
			seen[i] = i;
	for (size_t i = 1; i < COUNT(seen); i++)
		same += seen[i] == seen[0];
	is(same, COUNT(seen) - 1, "without randomisation every run has the same layout");
	close(fds[0]);
	close(fds[1]);
}

int main(int argc, char **argv)
{
	unsigned long old;
	long before;

	tap_start(argc, argv, modes);
	before = raw_personality(0xffffffff);
	persona();

	raw_personality(before | ADDR_NO_RANDOMIZE);
	exits("fixed", 42, "ADDR_NO_RANDOMIZE: stack, base, vvar, vdso and heap at their places");
	random_places();
	old = soft_limit(RLIMIT_STACK);
	limit(RLIMIT_STACK, 64 * MIB);
	exits_arg("top", "7ffff7fff000", "a stack limit of 64 MiB: at least 128 MiB stay free");
	limit(RLIMIT_STACK, GIB);
	exits_arg("top", "7fffbfeff000", "of 1 GiB: 1 GiB and the guard gap");
	if (limit(RLIMIT_STACK, -1UL) == 0)
		exits_arg("top", "155555556000", "unlimited: five sixths of user space");
	else
		skip("an unlimited stack", "the hard limit forbids it");
	limit(RLIMIT_STACK, old);
	raw_personality(before | ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT);
	exits("legacy", 42, "ADDR_COMPAT_LAYOUT: bottom-up from a third of user space");
	raw_personality(before | ADDR_COMPAT_LAYOUT);
	exits("legacy", 42, "the same, perhaps randomised");
	if (!(before & ADDR_NO_RANDOMIZE) && number_in("/proc/sys/kernel/randomize_va_space") > 0)
		exits("above", 42, "randomised: vvar and vdso above the stack");
	else
		skip("vvar and vdso above the stack", "addresses are not random here");
	raw_personality(before | READ_IMPLIES_EXEC);
	exits("not-executable", 42, "READ_IMPLIES_EXEC ends with the start of a 64-bit program");
	raw_personality(before);
	return done_testing();
}
