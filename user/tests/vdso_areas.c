/* SPDX-License-Identifier: MIT */
/*
 * [vvar] and [vdso] as areas: what each call of memory management makes of them, and what /proc shows. The
 * functions go on working as long as both are there, side by side.
 */
#include "signals.h"
#include "vdso.h"

static struct area vvar, vdso;

static bool find(void)
{
	return area_named("[vvar]", &vvar) && area_named("[vdso]", &vdso);
}

static bool works(void)
{
	return vdso_agrees(CLOCK_MONOTONIC) && vdso_agrees(CLOCK_REALTIME_COARSE);
}

/* The signal that an access brings, with its code in the next byte; 0 when it is allowed. */
__attribute__((noinline)) static int caught(unsigned long addr, bool write)
{
	memset(&seen, 0, sizeof(seen));
	if (sigsetjmp(escape, 1))
		return seen.signo | seen.code << 8;
	if (write)
		*(volatile char *)addr = 1;
	else
		peek((void *)addr);
	return 0;
}

static void shown(void)
{
	is(vvar.end - vvar.start, 4 * PAGE, "[vvar] has four pages");
	is(vdso.end - vdso.start, 2 * PAGE, "[vdso] two");
	is(vvar.end, vdso.start, "directly behind");
	is_str(vvar.perms, "r--p", "[vvar] can be read");
	is_str(vdso.perms, "r-xp", "[vdso] executed, too");
	is_str(vm_flags((void *)vvar.start, "sd"), "rd mr pf io de dd", "VmFlags of [vvar]");
	is_str(vm_flags((void *)vdso.start, "sd"), "rd ex mr mw me de", "VmFlags of [vdso]");
	is(status("VmLib"), 8, "[vdso] is all the library that a static program has");

	peek((void *)vdso.start);
	peek((void *)(vdso.start + PAGE));
	peek((void *)vvar.start);
	is(smaps((void *)vdso.start, "Rss"), 8, "its pages are counted");
	is(smaps((void *)vdso.start, "Anonymous"), 0, "not as the program's own");
	is(smaps((void *)vdso.start, "Private_Dirty") + smaps((void *)vdso.start, "Shared_Dirty"),
	   0, "nor as written");
	is(smaps((void *)vvar.start, "Rss"), 0, "those of [vvar] are not");
	ok(resident((void *)vdso.start), "[vdso] is in pagemap");
	ok(pagemap((void *)vdso.start) & PAGEMAP_FILE, "as what isn't anonymous");
	ok(!resident((void *)vvar.start), "[vvar] is not");
	is_str(vector((void *)vvar.start, 4), "1111", "mincore says yes to all of [vvar]");
	is_str(vector((void *)vdso.start, 2), "11", "and of [vdso]");
}

static void access_rights(void)
{
	catch_with(SIGSEGV, note_and_escape, SA_NODEFER, 0);
	catch_with(SIGBUS, note_and_escape, SA_NODEFER, 0);
	is(caught(vvar.start, false), 0, "the page of data");
	for (unsigned int i = 1; i < 4; i++)
		is(caught(vvar.start + i * PAGE, false), SIGBUS | BUS_ADRERR << 8,
		   "nothing is behind page %u", i);
	is(caught(vvar.start, true), SIGSEGV | SEGV_ACCERR << 8, "nobody may write the data");
	is(caught(vdso.start, true), SIGSEGV | SEGV_ACCERR << 8, "or the code");
}

static void advice(void)
{
	static const struct {
		int advice;
		int vdso, vdso_part, vvar, vvar_part;
	} table[] = {
		{ MADV_WILLNEED, 0, 0, 0, 0 },
		{ MADV_DONTNEED, 0, 0, -EINVAL, -EINVAL },
		{ MADV_FREE, -EINVAL, -EINVAL, -EINVAL, -EINVAL },
		{ MADV_REMOVE, -EINVAL, -EINVAL, -EINVAL, -EINVAL },
		{ MADV_DOFORK, 0, 0, -EINVAL, -EINVAL },
		{ MADV_DODUMP, -EINVAL, -EINVAL, -EINVAL, -EINVAL },
		{ MADV_DONTDUMP, 0, -EINVAL, 0, 0 },
		{ MADV_MERGEABLE, 0, 0, 0, 0 },
		{ MADV_HUGEPAGE, 0, -EINVAL, 0, -EINVAL },
		{ MADV_NOHUGEPAGE, 0, -EINVAL, 0, -EINVAL },
		{ MADV_COLD, 0, 0, -EINVAL, -EINVAL },
		{ MADV_PAGEOUT, 0, 0, -EINVAL, -EINVAL },
		{ MADV_POPULATE_READ, 0, 0, -EINVAL, -EINVAL },
		{ MADV_POPULATE_WRITE, -EINVAL, -EINVAL, -EINVAL, -EINVAL },
		{ MADV_SEQUENTIAL, 0, -EINVAL, 0, -EINVAL },
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		int a = table[i].advice;

		/* A part first: as a whole the area may have the flag already. */
		is(raw_madvise(vdso.start, PAGE, a), table[i].vdso_part, "%d, part of [vdso]", a);
		is(raw_madvise(vdso.start, 2 * PAGE, a), table[i].vdso, "%d, all of it", a);
		is(raw_madvise(vvar.start, PAGE, a), table[i].vvar_part, "%d, part of [vvar]", a);
		is(raw_madvise(vvar.start, 4 * PAGE, a), table[i].vvar, "%d, all of it", a);
	}
	is_str(vm_flags((void *)vvar.start, "sd"), "rd mr pf io sr de dd nh", "[vvar] has flags");
	is_str(vm_flags((void *)vdso.start, "sd"), "rd ex mr mw me sr de ac dd nh",
	       "so has [vdso]");
	ok(works(), "both work as before");
}

static void locks(void)
{
	is(raw_mlock(vvar.start, 4 * PAGE), 0, "mlock of [vvar]");
	is(raw_mlock(vdso.start, 2 * PAGE), 0, "of [vdso]");
	is(locked_pages(), 0, "locks nothing");
	is(raw_msync(vdso.start, 2 * PAGE, MS_SYNC), 0, "msync");
}

/* A breakpoint of a debugger. */
static void protection(void)
{
	volatile char *last = (volatile char *)vdso.end - 1;

	is(raw_mprotect(vvar.start, 4 * PAGE, RW), -EACCES, "[vvar] can't become writable");
	is(raw_mprotect(vvar.start, 4 * PAGE, PROT_READ | PROT_EXEC), -EACCES, "or executable");
	is(raw_mprotect(vvar.start, PAGE, PROT_NONE), -EINVAL, "not a part of it inaccessible");
	is(raw_mprotect(vvar.start, 4 * PAGE, PROT_NONE), 0, "but all of it");
	is(caught(vvar.start, false), SIGSEGV | SEGV_ACCERR << 8, "is then");
	is(raw_mprotect(vvar.start, 4 * PAGE, PROT_READ), 0, "and back");
	ok(works(), "as before");
	is(raw_mprotect(vdso.start, PAGE, PROT_READ), -EINVAL, "part of [vdso] can't be changed");
	is(raw_mprotect(vdso.start, 2 * PAGE, RW | PROT_EXEC), 0, "but all of it made writable");
	*last = 1;
	is(smaps((void *)vdso.start, "Anonymous"), 4, "what is written becomes the program's own");
	ok(works(), "the rest works as before");
	is(raw_mprotect(vdso.start, 2 * PAGE, PROT_READ | PROT_EXEC), 0, "and back");
	is(*last, 1, "the copy stays");
	is(raw_madvise(vdso.start, 2 * PAGE, MADV_DONTNEED), 0, "until it is dropped");
	is(*last, 0, "then the kernel's page is seen");
	ok(works(), "and works");
}

static int fresh_program(int argc, char **argv)
{
	(void)argc, (void)argv;
	if (!find() || !vdso_bind(getauxval(AT_SYSINFO_EHDR)) ||
	    vdso.start != (unsigned long)getauxval(AT_SYSINFO_EHDR))
		return 1;
	return works() ? 42 : 2;
}

static void children(void)
{
	int ret = 1;
	pid_t pid;

	peek((void *)vdso.start);
	pid = fork();
	if (pid == 0) {
		struct area a = vvar, b = vdso;

		if (!find() || vvar.start != a.start || vdso.start != b.start)
			_exit(2);
		if (!works())
			_exit(3);
		if (raw_munmap(vdso.start, 2 * PAGE) || raw_munmap(vvar.start, 4 * PAGE))
			_exit(4);
		if (find() || sys_ns(CLOCK_MONOTONIC) <= 0)
			_exit(5);
		/* A new program has both again. */
		_exit(run_mode("fresh", NULL, NULL) == 42 << 8 ? 42 : 6);
	}
	ret = wait_status(pid);
	is(ret, 42 << 8, "a child has both, and can do without them");
	ok(works(), "which nobody else notices");
}

/* The whole to another place: the functions are found there, and find their data. */
static void moves(void)
{
	char *place = fresh(8, RW);
	unsigned long at = (unsigned long)place + PAGE;

	is(raw_munmap(vdso.start, PAGE), -EINVAL, "half of [vdso] can't be unmapped");
	is(raw_munmap(vvar.start + PAGE, PAGE), -EINVAL, "nor a page of [vvar]");
	is(fix((void *)vdso.start, 1, RW), -ENOMEM, "nor replaced");
	is(raw_mremap(vvar.start, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE, 0), -EFAULT, "none can grow");
	is(raw_mremap(vvar.start, 0, 4 * PAGE, MREMAP_MAYMOVE, 0), -EINVAL, "be doubled");
	is(raw_mremap(vvar.start, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0),
	   -EINVAL, "or leave its place empty");
	is(raw_mremap(vvar.start, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at), at,
	   "[vvar] moves");
	is(raw_mremap(vdso.start, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 4 * PAGE),
	   at + 4 * PAGE, "and [vdso] behind it");
	ok(find() && vvar.start == at && vdso.start == at + 4 * PAGE, "both keep their names");
	ok(vdso_bind(vdso.start) && works(), "the functions are found there, and work");
	ok(proc_read("/proc/self/auxv") &&
		   ((unsigned long *)proc_text)[1] == getauxval(AT_SYSINFO_EHDR),
	   "auxv tells where they once were");
	children();
	is(raw_munmap((unsigned long)place, 8 * PAGE), 0,
	   "they can be unmapped with what is around");
	ok(!find(), "and are gone");
}

static const struct mode modes[] = { { "fresh", fresh_program }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	if (!ok(find() && vdso_bind(vdso.start), "there are [vvar] and [vdso]"))
		return done_testing();
	ok(works(), "with a clock");
	shown();
	access_rights();
	locks();
	protection();
	children();
	advice();
	moves();
	return done_testing();
}
