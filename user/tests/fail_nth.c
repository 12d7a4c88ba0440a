/* SPDX-License-Identifier: MIT */
/*
 * fork, exec, threads and exit with every allocation of the kernel failed in turn: the call says
 * ENOMEM (or EAGAIN, which clone(2) allows) or works all the same, nothing else changes, and when no
 * failure is left to try, it has worked.
 */
#include "tap.h"
#include "vm.h"
#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>

static int fail_fd = -1;

__attribute__((noreturn)) static void give_up(const char *why)
{
	diag("%s: %s", why, strerror(errno));
	_exit(2);
}

static void fail_at(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(fail_fd, text, (size_t)len, 0) != len)
		give_up("cannot write fail-nth");
}

/* Whether the failure has happened; and no more of it. */
static int failed_now(void)
{
	char text[16] = "";
	ssize_t len = pread(fail_fd, text, sizeof(text) - 1, 0);
	int left;

	if (len <= 0)
		give_up("cannot read fail-nth");
	left = atoi(text);
	fail_at(0);
	return left == 0;
}

/* Something of everything that a child gets a copy of. */
#define AREAS 24
static char *areas[AREAS];

static void make_memory(void)
{
	for (int i = 0; i < AREAS; i++) {
		areas[i] = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);
		if (areas[i] == MAP_FAILED)
			give_up("mmap");
		memset(areas[i], i, 2 * PAGE);
		mprotect(areas[i] + 3 * PAGE, PAGE, PROT_READ);
	}
}

static int memory_is_whole(void)
{
	for (int i = 0; i < AREAS; i++)
		for (unsigned long at = 0; at < 2 * PAGE; at += 512)
			if (areas[i][at] != (char)i)
				return 0;
	return 1;
}

#define MAX_TRIES 2000

struct outcome {
	int tries, failures, odd_errors, damage;
};

static void report(const char *what, const struct outcome *o)
{
	diag("%s: %d allocations failed in turn, %d calls with them", what, o->tries, o->failures);
	ok(o->tries > 3 && o->tries < MAX_TRIES, "%s: there are allocations to fail, and an end",
	   what);
	ok(o->failures > 0, "%s: a failed allocation is reported", what);
	is(o->odd_errors, 0, "%s: always as ENOMEM or EAGAIN", what);
	is(o->damage, 0, "%s: and leaves everything as it was", what);
}

static void test_fork(void)
{
	struct outcome o = { 0 };

	for (o.tries = 1; o.tries < MAX_TRIES; o.tries++) {
		int status, injected;
		pid_t pid;

		fail_at((unsigned int)o.tries);
		pid = fork();
		if (pid == 0)
			_exit(memory_is_whole() ? 7 : 1);
		injected = failed_now();
		if (pid < 0) {
			o.failures++;
			o.odd_errors += errno != ENOMEM && errno != EAGAIN;
		} else if (waitpid(pid, &status, 0) != pid || status != 7 << 8) {
			o.damage++;
		}
		o.damage += !memory_is_whole() || waitpid(-1, NULL, WNOHANG) != -1;
		if (!injected)
			break;
	}
	report("fork", &o);
}

#define WITH_INTERPRETER "/tmp/fail_nth.program"

/* A program that has an interpreter, this test, and memory of its own behind its headers. */
static bool make_program(void)
{
	static const char interp[] = "/proc/self/exe";
	struct {
		Elf64_Ehdr e;
		Elf64_Phdr p[2];
		char interp[sizeof(interp)];
	} file = {
		.e = { .e_ident = { 0x7f, 'E', 'L', 'F', 2, 1, 1 },
		       .e_type = ET_DYN,
		       .e_machine = EM_X86_64,
		       .e_phoff = sizeof(Elf64_Ehdr),
		       .e_phentsize = sizeof(Elf64_Phdr),
		       .e_phnum = 2 },
	};
	int fd = open(WITH_INTERPRETER, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	bool good;

	file.p[0] = (Elf64_Phdr){ .p_type = PT_INTERP,
				  .p_offset = offsetof(typeof(file), interp),
				  .p_filesz = sizeof(interp) };
	file.p[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
				  .p_flags = PF_R | PF_W,
				  .p_filesz = sizeof(file),
				  .p_memsz = 5 * PAGE,
				  .p_align = PAGE };
	memcpy(file.interp, interp, sizeof(interp));
	good = write(fd, &file, sizeof(file)) == sizeof(file);
	return close(fd) == 0 && good;
}

/* The child execs; when that fails it says how, by its exit status. */
static void test_exec(const char *what, char *path)
{
	char *const argv[] = { path, "child", "some", "arguments", NULL };
	static char *const envp[] = { "A=1", "B=2", NULL };
	struct outcome o = { 0 };

	for (o.tries = 1; o.tries < MAX_TRIES; o.tries++) {
		int status = 0;
		pid_t pid = fork();

		/* The failure is the thread's own: the child asks for it, and after exec it still is. */
		if (pid == 0) {
			int fd = open("/proc/self/fail-nth", O_RDWR);

			if (fd != 5)
				dup2(fd, 5);
			fail_fd = 5;
			fail_at((unsigned int)o.tries);
			execve(argv[0], argv, envp);
			status = errno;
			fail_at(0);
			_exit(status);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid) {
			o.damage++;
			break;
		}
		if (WIFEXITED(status) && WEXITSTATUS(status) == 100)
			continue; /* it ran, in spite of a failure */
		if (WIFEXITED(status) && WEXITSTATUS(status) == 101)
			break; /* it ran, and there was none left to fail */
		o.failures++;
		/* Beyond the point of no return there is nobody to tell: a signal. */
		if (WIFSIGNALED(status) ?
			    WTERMSIG(status) != SIGSEGV :
			    WEXITSTATUS(status) != ENOMEM && WEXITSTATUS(status) != E2BIG)
			o.odd_errors++;
	}
	report(what, &o);
}

static int child_main(void)
{
	fail_fd = 5;
	return failed_now() ? 100 : 101;
}

static char thread_stack[16384] __attribute__((aligned(16)));
static volatile int thread_ran;

static int thread(void *arg)
{
	thread_ran = 1;
	return 0;
}

static void test_thread(void)
{
	static volatile int tid_word;
	struct outcome o = { 0 };

	for (o.tries = 1; o.tries < MAX_TRIES; o.tries++) {
		int tid, injected;

		thread_ran = 0;
		tid_word = 1;
		fail_at((unsigned int)o.tries);
		tid = clone(thread, thread_stack + sizeof(thread_stack),
			    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
				    CLONE_SYSVSEM | CLONE_CHILD_CLEARTID,
			    NULL, NULL, NULL, &tid_word);
		injected = failed_now();
		if (tid < 0) {
			o.failures++;
			o.odd_errors += errno != ENOMEM && errno != EAGAIN;
			o.damage += thread_ran;
		} else {
			while (tid_word)
				sched_yield();
			o.damage += !thread_ran;
		}
		if (!injected)
			break;
	}
	report("a thread", &o);
}

/* What exit needs it must have already: a child's last allocations may all fail. */
static void test_exit(void)
{
	int bad = 0, tries = 0;

	for (unsigned int n = 1; n <= 8; n++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			fail_fd = open("/proc/self/fail-nth", O_RDWR);
			munmap(areas[0] + PAGE, PAGE);
			fail_at(n);
			_exit(9);
		}
		tries++;
		bad += pid < 0 || waitpid(pid, &status, 0) != pid || status != 9 << 8;
	}
	is(bad, 0, "exit: whichever of its allocations fails, it ends as it should (%d tries)",
	   tries);
}

static long put(int fd, const char *text)
{
	return result(pwrite(fd, text, strlen(text), 0));
}

static long left(int fd)
{
	char text[16] = "";

	return pread(fd, text, sizeof(text) - 1, 0) > 0 ? atol(text) : -1;
}

/* The file itself: what is a number there, and whose it is. */
static void test_file(void)
{
	char path[64];
	int fd, wake[2];
	pid_t pid;

	is(put(fail_fd, "0x7fffffff\n"), 11, "a number may be in base 16");
	ok(left(fail_fd) > 0x7fff0000, "... and is kept, but for what was allocated since");
	is(put(fail_fd, "4294967295"), 10, "the largest number there is");
	fails(put(fail_fd, "4294967296"), ERANGE, "one more");
	fails(put(fail_fd, "-1"), EINVAL, "a negative one");
	fails(put(fail_fd, ""), EINVAL, "none");
	fails(put(fail_fd, "3 4"), EINVAL, "two");
	is(put(fail_fd, "0"), 1, "0 is none to fail");
	if (pipe(wake))
		give_up("pipe");
	pid = fork();
	if (pid == 0) {
		char c;

		close(wake[1]);
		_exit(read(wake[0], &c, 1) == 0 && access("/", F_OK) ? errno : 0);
	}
	snprintf(path, sizeof(path), "/proc/%d/task/%d/fail-nth", (int)pid, (int)pid);
	fd = open(path, O_RDWR);
	is(left(fd), 0, "a child doesn't inherit it");
	is(put(fd, "1"), 1, "another's may be set");
	is(left(fd), 1, "... and read");
	is(left(fail_fd), 0, "it isn't one's own");
	close(wake[0]), close(wake[1]);
	is(wait_status(pid), ENOMEM << 8, "the other's next allocation fails");
	fails(put(fd, "1"), ESRCH, "who is gone has none");
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "child"))
		return child_main();
	fail_fd = open("/proc/self/fail-nth", O_RDWR);
	if (fail_fd < 0)
		skip_all("no /proc/self/fail-nth: this kernel can't fail on purpose");
	test_file();
	make_memory();
	test_fork();
	test_exec("exec", "/proc/self/exe");
	ok(make_program(), "a program with an interpreter");
	test_exec("exec with an interpreter", WITH_INTERPRETER);
	unlink(WITH_INTERPRETER);
	test_thread();
	test_exit();
	return done_testing();
}
