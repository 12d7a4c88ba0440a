/* SPDX-License-Identifier: MIT */
/* Generated code: a program writes instructions into its memory, has it made executable, and runs it. */
#include "signals.h"

/* mov eax, VALUE; ret */
#define CODE_LEN 6

typedef int (*function)(void);

static void generate(char *at, int value)
{
	at[0] = (char)0xb8;
	memcpy(at + 1, &value, sizeof(value));
	at[5] = (char)0xc3;
}

/* What the code returns; when it can't run: minus 100 * signal - code, and seen.addr. */
static int run(char *at)
{
	function f;

	catch_with(SIGSEGV, note_and_escape, 0, 0);
	if (sigsetjmp(escape, 1))
		return -100 * seen.signo - seen.code;
	memcpy(&f, &at, sizeof(f));
	return f();
}

static int write_refused(char *at)
{
	catch_with(SIGSEGV, note_and_escape, 0, 0);
	if (sigsetjmp(escape, 1))
		return seen.signo * 100 + seen.code;
	*(volatile char *)at = (char)0xc3;
	return 0;
}

#define ACCERR (100 * SIGSEGV + SEGV_ACCERR)
#define MAPERR (100 * SIGSEGV + SEGV_MAPERR)

static void by_turns(void)
{
	char *p = fresh(2, RW);
	const unsigned long at = (unsigned long)p;
	int good = 0;

	generate(p, 1);
	is(run(p), -ACCERR, "code in memory without PROT_EXEC");
	is((long)seen.addr, (long)p, "... ends where it starts");
	is(raw_mprotect(at, PAGE, PROT_READ | PROT_EXEC), 0, "mprotect, PROT_READ | PROT_EXEC");
	is(run(p), 1, "runs");
	is(write_refused(p), ACCERR, "... but isn't written any more");
	raw_mprotect(at, PAGE, RW);
	is(run(p), -ACCERR, "writable again, it doesn't run");
	generate(p, 2);
	raw_mprotect(at, PAGE, PROT_READ | PROT_EXEC);
	is(run(p), 2, "rewritten, it runs as it is now");
	for (int i = 0; i < 100; i++) {
		raw_mprotect(at, PAGE, RW);
		generate(p, i);
		raw_mprotect(at, PAGE, PROT_READ | PROT_EXEC);
		good += run(p) == i;
	}
	is(good, 100, "a hundred times over");
	raw_mprotect(at, PAGE, PROT_EXEC);
	is(run(p), 99, "PROT_EXEC alone");
	raw_mprotect(at, PAGE, PROT_NONE);
	is(run(p), -ACCERR, "PROT_NONE");
	raw_mprotect(at, PAGE, PROT_READ | PROT_EXEC);
	raw_mprotect(at, PAGE, RW);
	generate(p + PAGE - 3, 3);
	raw_mprotect(at, PAGE, PROT_READ | PROT_EXEC);
	is(run(p + PAGE - 3), -ACCERR, "an instruction that reaches into a page without PROT_EXEC");
	is((long)seen.addr, (long)(at + PAGE), "... ends there");
	raw_mprotect(at + PAGE, PAGE, PROT_READ | PROT_EXEC);
	is(run(p + PAGE - 3), 3, "... and runs when both have it");
	raw_munmap(at, 2 * PAGE);
	is(run(p), -MAPERR, "unmapped");
}

static void at_once(void)
{
	char *p = fresh(1, RW | PROT_EXEC);
	int good = 0;

	for (int i = 0; i < 100; i++) {
		generate(p, i);
		good += run(p) == i;
	}
	is(good, 100, "memory that is writable and executable, rewritten and run");
	generate(p, 5);
	memmove(p + 100, p, CODE_LEN);
	is(run(p + 100), 5, "code is moved");
	raw_munmap((unsigned long)p, PAGE);
}

/* Written by one address, run by another. */
static void twice_mapped(int fd, const char *what)
{
	char *w = (char *)raw_mmap(0, PAGE, RW, MAP_SHARED, fd, 0);
	char *x = (char *)raw_mmap(0, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	char *p = (char *)raw_mmap(0, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	int good = 0;

	for (int i = 0; i < 50; i++) {
		generate(w, i);
		good += run(x) == i && run(p) == i;
	}
	is(good, 50, "%s: written at one address, run at two others", what);
	is(run(w), -ACCERR, "... not where it is written");
	is(write_refused(x), ACCERR, "... nor written where it runs");
	raw_mprotect((unsigned long)p, PAGE, RW | PROT_EXEC);
	generate(p, 77);
	generate(w, 78);
	is(run(p), 77, "... a private copy is code of its own");
	is(run(x), 78, "... beside it");
	raw_munmap((unsigned long)w, PAGE);
	raw_munmap((unsigned long)x, PAGE);
	raw_munmap((unsigned long)p, PAGE);
}

static void in_files(void)
{
	int fd = open("/tmp/jit_code", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char code[CODE_LEN];
	char *p;

	unlink("/tmp/jit_code");
	if (fd >= 0 && ftruncate(fd, PAGE) == 0)
		twice_mapped(fd, "a file");
	generate(code, 12);
	is(pwrite(fd, code, sizeof(code), 0), CODE_LEN, "code by write(2)");
	p = (char *)raw_mmap(0, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	is(run(p), 12, "... runs where the file is mapped");
	generate(code, 13);
	is(pwrite(fd, code, sizeof(code), 0), CODE_LEN, "... and other code");
	is(run(p), 13, "... which is there at once");
	raw_munmap((unsigned long)p, PAGE);
	close(fd);

	fd = (int)result(syscall(SYS_memfd_create, "jit", 0));
	if (fd < 0) {
		skip("a memfd", "there is no memfd_create");
		return;
	}
	if (ftruncate(fd, PAGE) == 0)
		twice_mapped(fd, "a memfd");
	close(fd);
}

/* A child has its own code after the first write. */
static void forked(void)
{
	char *p = fresh(1, RW | PROT_EXEC);
	pid_t pid;

	generate(p, 21);
	pid = fork();
	if (pid == 0) {
		int before = run(p);

		generate(p, 22);
		_exit(before == 21 && run(p) == 22 ? 0 : 1);
	}
	is(wait_status(pid), 0, "a child runs what it got, and what it writes");
	is(run(p), 21, "... its parent what it wrote");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	by_turns();
	at_once();
	in_files();
	forked();
	return done_testing();
}
