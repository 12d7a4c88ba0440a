/* SPDX-License-Identifier: MIT */
/*
 * playground: a process to look at from outside, with gdb. It maps an area of each kind, always at
 * the same addresses, touches some of their pages, says "ready", and then does what lines on its
 * input ask for, one at a time; after each it says "ready" again. `help` lists the commands, `areas`
 * what is where. Numbers are hexadecimal, all of them.
 *
 * With `N: COMMAND` the child number N, made by `fork`, does it.
 */
#include "common.h"
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#define PAGE	     0x1000UL
#define MAX_CHILDREN 8

enum { UNTOUCHED, READ, WRITTEN };

/* The areas, and what was done with the first pages of each: a letter per page, r or w. */
static const struct area {
	const char *name;
	unsigned long addr, len;
	int prot, flags;
	bool file;
	const char *touched;
	const char *about;
} areas[] = {
	{ "anon", 0x10000000, 0x10000, PROT_READ | PROT_WRITE, MAP_PRIVATE, false, "wwr",
	  "private memory" },
	{ "ro", 0x10100000, 0x4000, PROT_READ, MAP_PRIVATE, false, "r", "may only be read" },
	{ "none", 0x10200000, 0x4000, PROT_NONE, MAP_PRIVATE, false, "", "may not be accessed" },
	{ "shared", 0x10300000, 0x10000, PROT_READ | PROT_WRITE, MAP_SHARED, false, "wr",
	  "memory shared with children" },
	{ "file", 0x10400000, 0x6000, PROT_READ | PROT_WRITE, MAP_PRIVATE, true, "rw",
	  "private; the file has 3.5 pages" },
	{ "filesh", 0x10500000, 0x6000, PROT_READ | PROT_WRITE, MAP_SHARED, true, "rw",
	  "the same file, shared" },
	{ "code", 0x10600000, 0x2000, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, false, "",
	  "machine code: page 0 returns" },
	{ "locked", 0x10700000, 0x4000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_LOCKED, false, "",
	  "locked, so all there from the start" },
	{ "wo", 0x10800000, 0x4000, PROT_WRITE, MAP_PRIVATE, false, "w",
	  "asked for with PROT_WRITE only" },
	{ "stack", 0x10a00000, 0x2000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_GROWSDOWN, false,
	  "", "grows down when touched below" },
	{ "big", 0x40000000, 0x800000, PROT_READ | PROT_WRITE, MAP_PRIVATE, false, "",
	  "8 MiB, of which the first 2 are written" },
};

#define NR_AREAS ((int)(sizeof(areas) / sizeof(areas[0])))

static struct child {
	pid_t pid;
	int commands, answers;
} children[MAX_CHILDREN];
static int nr_children;
static bool is_child;

static sigjmp_buf after_signal;
static volatile siginfo_t caught;
static bool catching = true;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	caught = *info;
	siglongjmp(after_signal, 1);
}

static void set_handler(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_NODEFER,
				    .sa_sigaction = on_signal };

	if (!catching) {
		action.sa_flags = 0;
		action.sa_handler = SIG_DFL;
	}
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGILL, &action, NULL);
	sigaction(SIGTRAP, &action, NULL);
}

/* --- accesses -------------------------------------------------------------------------------- */

/* In assembly, each in a function of its own, so that a breakpoint can be put on it. */
__attribute__((noinline)) static unsigned do_read(unsigned long addr)
{
	unsigned char value;

	asm volatile("movb (%1), %0" : "=q"(value) : "r"(addr) : "memory");
	return value;
}

__attribute__((noinline)) static void do_write(unsigned long addr, unsigned value)
{
	asm volatile("movb %0, (%1)" : : "q"((unsigned char)value), "r"(addr) : "memory");
}

__attribute__((noinline)) static void do_execute(unsigned long addr)
{
	asm volatile("call *%0" : : "r"(addr) : "memory", "rax", "rcx", "rdx", "rsi", "rdi");
}

/* The kernel's own accesses: of a pipe's byte. */
static long kernel_access(unsigned long addr, bool write_it)
{
	char byte = 0;
	int fds[2];
	long n;

	if (pipe(fds) < 0)
		return -errno;
	if (write_it) {
		if (write(fds[1], "k", 1) != 1)
			say("pipe?\n");
		n = syscall(SYS_read, fds[0], addr, 1L);
	} else {
		n = syscall(SYS_write, fds[1], addr, 1L);
	}
	n = n < 0 ? -errno : n;
	if (n == 1 && !write_it && read(fds[0], &byte, 1) == 1)
		n = (unsigned char)byte;
	close(fds[0]);
	close(fds[1]);
	return n;
}

static void access_it(char kind, bool by_kernel, unsigned long addr, unsigned value)
{
	long n;

	if (sigsetjmp(after_signal, 1)) {
		say("signal %d code %d addr 0x%lx\n", caught.si_signo, caught.si_code,
		    (unsigned long)caught.si_addr);
		return;
	}
	if (by_kernel) {
		n = kernel_access(addr, kind == 'w');
		say(n < 0 ? "error %ld\n" : "ok 0x%lx\n", n < 0 ? -n : n);
		return;
	}
	switch (kind) {
	case 'r':
		say("ok 0x%x\n", do_read(addr));
		break;
	case 'w':
		do_write(addr, value);
		say("ok\n");
		break;
	case 'x':
		do_execute(addr);
		say("ok\n");
		break;
	}
}

/* --- areas ----------------------------------------------------------------------------------- */

static int data_file(void)
{
	static char page[PAGE];
	int fd = open("/tmp/playground", O_RDWR | O_CREAT, 0600);

	for (int i = 0; fd >= 0 && i < 4; i++) {
		memset(page, 'a' + i, sizeof(page));
		if (pwrite(fd, page, i < 3 ? PAGE : PAGE / 2, i * PAGE) < 0)
			break;
	}
	return fd;
}

static void touch(const struct area *area)
{
	for (int i = 0; area->touched[i]; i++) {
		if (area->touched[i] == 'w')
			do_write(area->addr + i * PAGE, 'A' + i);
		else
			do_read(area->addr + i * PAGE);
	}
}

static void make_areas(void)
{
	int fd = data_file();

	for (int i = 0; i < NR_AREAS; i++) {
		const struct area *area = &areas[i];
		int flags = area->flags | MAP_FIXED | (area->file ? 0 : MAP_ANONYMOUS);
		void *got = mmap((void *)area->addr, area->len, area->prot, flags,
				 area->file ? fd : -1, 0);

		if (got == MAP_FAILED)
			say("area %s: %s\n", area->name, strerror(errno));
		else
			touch(area);
	}
	*(unsigned char *)0x10600000 = 0xc3; /* ret */
	mprotect((void *)0x10600000, 2 * PAGE, PROT_READ | PROT_EXEC);
	for (unsigned long addr = 0x40000000; addr < 0x40200000; addr += PAGE)
		do_write(addr, 'B');
	close(fd);
}

static void list_areas(void)
{
	for (int i = 0; i < NR_AREAS; i++)
		say("%-8s 0x%lx-0x%lx %s\n", areas[i].name, areas[i].addr,
		    areas[i].addr + areas[i].len, areas[i].about);
}

/* --- calls ----------------------------------------------------------------------------------- */

static const struct call {
	const char *name;
	long nr;
	int args;
	const char *about;
} calls[] = {
	{ "mmap", SYS_mmap, 4, "ADDR LEN PROT FLAGS [FD [OFFSET]]" },
	{ "munmap", SYS_munmap, 2, "ADDR LEN" },
	{ "mprotect", SYS_mprotect, 3, "ADDR LEN PROT" },
	{ "mremap", SYS_mremap, 4, "ADDR LEN NEWLEN FLAGS [NEWADDR]" },
	{ "madvise", SYS_madvise, 3, "ADDR LEN ADVICE" },
	{ "mlock", SYS_mlock, 2, "ADDR LEN" },
	{ "munlock", SYS_munlock, 2, "ADDR LEN" },
	{ "msync", SYS_msync, 3, "ADDR LEN FLAGS" },
	{ "brk", SYS_brk, 1, "ADDR" },
	{ "memfd", SYS_memfd_create, 0, "a file without a name: its number is returned" },
	{ "truncate", SYS_ftruncate, 2, "FD LEN" },
	{ "shmget", SYS_shmget, 3, "KEY LEN FLAGS" },
	{ "shmat", SYS_shmat, 3, "ID ADDR FLAGS" },
	{ "close", SYS_close, 1, "FD" },
	{ "write", SYS_write, 3, "FD ADDR LEN" },
};

static bool make_call(const char *name, const unsigned long *a, int nr)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		long n;

		if (strcmp(calls[i].name, name) != 0)
			continue;
		if (nr < calls[i].args)
			say("%s %s\n", name, calls[i].about);
		else if (calls[i].nr == SYS_memfd_create)
			say("0x%x\n", memfd_create("playground", 0));
		else {
			n = syscall(calls[i].nr, a[0], a[1], a[2], a[3], nr > 4 ? a[4] : -1UL,
				    a[5]);
			say(n == -1 ? "error %ld\n" : "0x%lx\n", n == -1 ? errno : n);
		}
		return true;
	}
	return false;
}

/* --- processes ------------------------------------------------------------------------------- */

static void serve(FILE *in, int answers);

static void make_child(void)
{
	int commands[2], answers[2];
	pid_t pid;

	if (is_child || nr_children == MAX_CHILDREN || pipe(commands) < 0 || pipe(answers) < 0) {
		say("no child\n");
		return;
	}
	pid = fork();
	if (pid == 0) {
		is_child = true;
		close(commands[1]);
		close(answers[0]);
		for (int i = 0; i < nr_children; i++) {
			close(children[i].commands);
			close(children[i].answers);
		}
		serve(fdopen(commands[0], "r"), answers[1]);
		_exit(0);
	}
	close(commands[0]);
	close(answers[1]);
	children[nr_children++] = (struct child){ pid, commands[1], answers[0] };
	say("child %d pid %d\n", nr_children, pid);
}

/* Has a child do it, and waits until it is done or the child has ended. */
static void ask_child(int i, const char *line)
{
	struct child *child = &children[i - 1];
	char done;
	int status;

	if (i < 1 || i > nr_children || !child->pid) {
		say("no child %d\n", i);
		return;
	}
	if (write(child->commands, line, strlen(line)) < 0)
		say("child %d: %s\n", i, strerror(errno));
	if (read(child->answers, &done, 1) == 1)
		return;
	status = wait_for(child->pid);
	child->pid = 0;
	close(child->commands);
	close(child->answers);
	if (WIFSIGNALED(status))
		say("child %d ended by signal %d\n", i, WTERMSIG(status));
	else
		say("child %d ended with status %d\n", i, WEXITSTATUS(status));
}

/* --- commands -------------------------------------------------------------------------------- */

static const char help[] =
	"r ADDR, w ADDR [VALUE], x ADDR     read, write or execute a byte there\n"
	"kr ADDR, kw ADDR                   have the kernel read or write it, for a pipe\n"
	"fill ADDR LEN [STEP]               write a byte every STEP, else in each page\n"
	"many COUNT [ADDR]                  map COUNT areas of a page each, with gaps, from there\n"
	"catch 0, catch 1                   die of SIGSEGV and its like, or report them\n"
	"cat PATH                           show a file\n"
	"open PATH                          for reading and writing: its number is returned\n"
	"fork                               make a child, a copy of this process\n"
	"N: COMMAND                         have child N do it\n"
	"cpu N                              run on that processor only\n"
	"here                               call getppid, which nobody else does\n"
	"spin                               never be ready again, and call nobody\n"
	"maps, areas, pid, echo WORD, quit\n";

static void fill(unsigned long addr, unsigned long len, unsigned long step)
{
	for (unsigned long at = addr; at < addr + len; at += step)
		do_write(at, 'F');
	say("ok\n");
}

static void map_many(unsigned long count, unsigned long addr)
{
	unsigned long done;

	for (done = 0; done < count; done++)
		if (mmap((void *)(addr + done * 2 * PAGE), PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			break;
	say("0x%lx\n", done);
}

static void show_file(const char *path)
{
	static char text[1 << 16];

	write_all(text, read_file(path, text, sizeof(text)) > 0 ? strlen(text) : 0);
}

static void run_on(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	say("%s\n", sched_setaffinity(0, sizeof(set), &set) ? strerror(errno) : "ok");
}

static void quit(void)
{
	power_off();
	_exit(0);
}

static void command(char *name, char *rest)
{
	unsigned long a[6] = { 0 };
	int nr = 0;

	for (char *end; nr < 6 && *rest; nr++, rest = end) {
		a[nr] = strtoul(rest, &end, 16);
		if (end == rest)
			break;
	}
	if (strchr("rwx", name[0]) && !name[1])
		access_it(name[0], false, a[0], nr > 1 ? a[1] : '!');
	else if (name[0] == 'k' && name[1] && strchr("rw", name[1]) && !name[2])
		access_it(name[1], true, a[0], 0);
	else if (!strcmp(name, "fill"))
		fill(a[0], a[1], nr > 2 && a[2] ? a[2] : PAGE);
	else if (!strcmp(name, "many"))
		map_many(a[0], nr > 1 ? a[1] : 0x200000000);
	else if (!strcmp(name, "catch")) {
		catching = a[0];
		set_handler();
	} else if (!strcmp(name, "cat"))
		show_file(rest);
	else if (!strcmp(name, "open"))
		say("0x%x\n", open(rest, O_RDWR));
	else if (!strcmp(name, "fork"))
		make_child();
	else if (!strcmp(name, "cpu"))
		run_on(a[0]);
	else if (!strcmp(name, "here"))
		syscall(SYS_getppid);
	else if (!strcmp(name, "spin"))
		for (;;)
			asm volatile("pause");
	else if (!strcmp(name, "maps"))
		show_file("/proc/self/maps");
	else if (!strcmp(name, "areas"))
		list_areas();
	else if (!strcmp(name, "pid"))
		say("%d\n", getpid());
	else if (!strcmp(name, "echo"))
		say("%s\n", rest);
	else if (!strcmp(name, "help"))
		say("%s", help);
	else if (!strcmp(name, "quit"))
		quit();
	else if (!make_call(name, a, nr))
		say("%s? `help` lists what there is\n", name);
}

/* Does what comes from there, and says so: by a byte to the parent, or on the console. */
static void serve(FILE *in, int answers)
{
	char line[256], *rest;

	while (fgets(line, sizeof(line), in)) {
		unsigned long child = strtoul(line, &rest, 16);

		if (rest != line && *rest == ':') {
			ask_child(child, rest + 1);
		} else {
			rest = line + strspn(line, " ");
			rest[strcspn(rest, "\n")] = '\0';
			char *name = strsep(&rest, " ");

			if (*name)
				command(name, rest ? rest : "");
		}
		if (answers < 0)
			say("ready\n");
		else
			write(answers, "", 1);
	}
}

int main(void)
{
	prepare_linux();
	set_handler();
	make_areas();
	say("ready\n");
	serve(stdin, -1);
	quit();
	return 0;
}
