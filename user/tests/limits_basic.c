/* SPDX-License-Identifier: MIT */
/* RLIMIT_AS and RLIMIT_DATA at mmap and mprotect; getrlimit, setrlimit, prlimit64 themselves. */
#include "vm.h"

static void defaults(void)
{
	static const struct {
		int resource;
		const char *name;
		unsigned long soft, hard;
	} cases[] = {
		{ RLIMIT_STACK, "STACK", 8 * MIB, -1UL },
		{ RLIMIT_MEMLOCK, "MEMLOCK", 8 * MIB, 8 * MIB },
		{ RLIMIT_AS, "AS", -1UL, -1UL },
		{ RLIMIT_DATA, "DATA", -1UL, -1UL },
		{ RLIMIT_CORE, "CORE", 0, -1UL },
		{ RLIMIT_NOFILE, "NOFILE", 1024, 4096 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rlimit old = { 1, 2 }, new = { 3, 4 };

		is(result(syscall(SYS_getrlimit, cases[i].resource, &old)), 0, "getrlimit of %s",
		   cases[i].name);
		is(result(syscall(SYS_prlimit64, 0, cases[i].resource, NULL, &new)), 0,
		   "prlimit64 of %s", cases[i].name);
		ok(old.rlim_cur == new.rlim_cur &&old.rlim_max == new.rlim_max, "agree");
		ok(old.rlim_cur == cases[i].soft && old.rlim_max == cases[i].hard,
		   "and are what Linux starts with");
	}
}

static void setting(void)
{
	struct rlimit was, r, back;

	syscall(SYS_getrlimit, RLIMIT_MEMLOCK, &was);
	r = was;
	r.rlim_cur = 5 * PAGE + 1;
	is(result(syscall(SYS_setrlimit, RLIMIT_MEMLOCK, &r)), 0,
	   "setrlimit lowers the soft limit");
	syscall(SYS_getrlimit, RLIMIT_MEMLOCK, &back);
	ok(back.rlim_cur == 5 * PAGE + 1 && back.rlim_max == was.rlim_max, "as getrlimit tells");
	is(result(syscall(SYS_prlimit64, 0, RLIMIT_MEMLOCK, &was, &back)), 0,
	   "prlimit64 sets and tells at once");
	is(back.rlim_cur, 5 * PAGE + 1, "what was before");
	r.rlim_cur = was.rlim_max;
	r.rlim_max = was.rlim_max - 1;
	is(result(syscall(SYS_setrlimit, RLIMIT_MEMLOCK, &r)), -EINVAL,
	   "a soft limit above the hard one: EINVAL");
	r.rlim_cur = 0;
	r.rlim_max = was.rlim_max + PAGE;
	if (am_root()) {
		skip("raising a hard limit", "root may");
	} else {
		is(result(syscall(SYS_setrlimit, RLIMIT_MEMLOCK, &r)), -EPERM,
		   "raising the hard limit: EPERM");
	}
	is(result(syscall(SYS_getrlimit, 16, &r)), -EINVAL,
	   "getrlimit of an unknown limit: EINVAL");
	is(result(syscall(SYS_setrlimit, 16, &was)), -EINVAL, "setrlimit of it: EINVAL");
	is(result(syscall(SYS_prlimit64, 0, 16, NULL, &r)), -EINVAL, "prlimit64 of it: EINVAL");
	is(result(syscall(SYS_prlimit64, 999999, 16, NULL, &r)), -ESRCH, "of nobody: ESRCH");
	is(result(syscall(SYS_getrlimit, -1, &r)), -EINVAL, "of -1: EINVAL");
	is(result(syscall(SYS_getrlimit, RLIMIT_AS, TASK_SIZE)), -EFAULT, "to nowhere: EFAULT");
	is(result(syscall(SYS_setrlimit, RLIMIT_AS, TASK_SIZE)), -EFAULT, "from nowhere: EFAULT");
	is(result(syscall(SYS_prlimit64, 999999, RLIMIT_AS, NULL, &r)), -ESRCH,
	   "of a process that doesn't exist: ESRCH");
	is(result(syscall(SYS_prlimit64, getpid(), RLIMIT_AS, NULL, &r)), 0, "of its own pid: 0");
	is(result(syscall(SYS_prlimit64, 0, RLIMIT_AS, NULL, NULL)), 0, "of nothing at all: 0");
}

/* The largest RLIMIT_AS that leaves this many pages, and some bytes that don't count. */
static void leave(int resource, const char *field, unsigned long pages)
{
	limit(resource, status(field) * 1024 + pages * PAGE + 123);
}

static void address_space(void)
{
	unsigned long old = soft_limit(RLIMIT_AS), at;
	char *p = hole(16);

	at = (unsigned long)p;
	leave(RLIMIT_AS, "VmSize", 4);
	is(raw_mmap(at, 5 * PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM,
	   "RLIMIT_AS: a page too much");
	is(raw_mmap(at, 5 * PAGE, PROT_NONE, ANON | MAP_FIXED, -1, 0), -ENOMEM,
	   "PROT_NONE counts as well");
	is(raw_mmap(at, 5 * PAGE, RW, ANON | MAP_FIXED | MAP_NORESERVE, -1, 0), -ENOMEM,
	   "and MAP_NORESERVE");
	is(raw_mmap(0, 5 * PAGE, RW, MAP_ANONYMOUS, -1, 0), -EINVAL,
	   "a bad type comes first: EINVAL");
	is(raw_mmap(at, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0), at, "exactly what is left");
	is(raw_mmap(0, 1, RW, ANON, -1, 0), -ENOMEM, "one byte more");
	is(raw_mmap(at, 4 * PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0), at,
	   "MAP_FIXED over what is there needs no room");
	is(raw_mmap(at + 2 * PAGE, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM,
	   "half of it over a hole does");
	is_str(layout(p, 16), "0-4 r--p", "and nothing was unmapped for it");
	raw_munmap(at, 2 * PAGE);
	is(raw_mmap(at + 2 * PAGE, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0), at + 2 * PAGE,
	   "after two pages were unmapped it fits");
	limit(RLIMIT_AS, 0);
	is(raw_mmap(0, PAGE, PROT_NONE, ANON, -1, 0), -ENOMEM,
	   "RLIMIT_AS 0: nothing can be mapped");
	is(raw_munmap(at + 2 * PAGE, PAGE), 0, "but unmapped");
	is(raw_mprotect(at + 3 * PAGE, PAGE, PROT_READ), 0, "and protected");
	limit(RLIMIT_AS, old);
	raw_munmap(at, 16 * PAGE);
}

static void data(void)
{
	unsigned long old = soft_limit(RLIMIT_DATA), at;
	char *p = hole(16);
	long before = status("VmData");

	at = (unsigned long)p;
	fix(p, 2, PROT_READ);
	is(status("VmData"), before, "VmData doesn't count read-only memory");
	fix(p + 2 * PAGE, 2, PROT_NONE);
	is(status("VmData"), before, "nor PROT_NONE");
	raw_mprotect(at, PAGE, RW);
	is(status("VmData") - before, 4, "but what becomes writable");
	fix(p + 4 * PAGE, 2, PROT_WRITE);
	is(status("VmData") - before, 12, "and write-only memory");
	raw_mprotect(at, PAGE, PROT_READ);
	is(status("VmData") - before, 8, "what becomes read-only no longer");
	raw_munmap(at, 16 * PAGE);
	raw_mmap(at + 8 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	is(status("VmData"), before, "a growing area is stack, not data");
	raw_munmap(at, 16 * PAGE);

	leave(RLIMIT_DATA, "VmData", 4);
	is(raw_mmap(at, 5 * PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM,
	   "RLIMIT_DATA: a page too much");
	is(raw_mmap(at, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0), at, "exactly what is left");
	is(raw_mmap(at + 8 * PAGE, 4 * PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0), at + 8 * PAGE,
	   "read-only memory doesn't count");
	is(raw_mmap(at + 12 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0),
	   at + 12 * PAGE, "a growing area neither");
	is(raw_mprotect(at + 8 * PAGE, PAGE, RW), -ENOMEM, "mprotect to writable: ENOMEM");
	is(raw_mprotect(at + 8 * PAGE, PAGE, PROT_READ | PROT_EXEC), 0, "to executable: 0");
	is(raw_mprotect(at, PAGE, PROT_READ), 0, "one page less");
	is(raw_mprotect(at + 9 * PAGE, PAGE, RW), 0, "makes room for another");
	limit(RLIMIT_DATA, 0);
	is(raw_mmap(at + 14 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), at + 14 * PAGE,
	   "RLIMIT_DATA 0 is none for mmap, while the hard limit allows (valgrind's trick)");
	is(raw_mprotect(at + 10 * PAGE, PAGE, RW), 0, "nor for mprotect");
	limit(RLIMIT_DATA, old);
	raw_munmap(at, 16 * PAGE);
}

/* A stack of one's own by MAP_GROWSDOWN is measured against RLIMIT_STACK like the first one. */
static void stack(void)
{
	unsigned long old = soft_limit(RLIMIT_STACK), at;
	char *p = hole(64);
	long before = status("VmSize"), stack = status("VmStk");

	at = (unsigned long)p + 60 * PAGE;
	raw_mmap(at, 2 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	is(status("VmStk") - stack, 8, "VmStk counts it");
	limit(RLIMIT_STACK, 16 * PAGE);
	*(volatile char *)(at - 14 * PAGE) = 1;
	is_str(layout(p, 64), "46-62 rw-p", "16 pages under a limit of 64 KiB");
	is(raw_madvise(at, PAGE, MADV_NORMAL), 0, "still there");
	is(result(syscall(SYS_uname, at - 15 * PAGE)), -EFAULT, "17 pages: EFAULT for the kernel");
	is_str(layout(p, 64), "46-62 rw-p", "it hasn't grown");
	limit(RLIMIT_STACK, old);
	is(status("VmSize") - before, 64, "VmSize");
	is(status("VmStk") - stack, 64, "VmStk");
	leave(RLIMIT_AS, "VmSize", 1);
	is(result(syscall(SYS_uname, at - 16 * PAGE)), -EFAULT, "growth over RLIMIT_AS: EFAULT");
	is(result(syscall(SYS_uname, at - 15 * PAGE)), 0, "up to it: 0");
	limit(RLIMIT_AS, -1UL);
	raw_munmap((unsigned long)p, 64 * PAGE);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	defaults();
	setting();
	address_space();
	data();
	stack();
	return done_testing();
}
