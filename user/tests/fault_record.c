/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/fault: what the kernel remembers of a program's page faults. Linux has no such file.
 *
 * The mode "die" is for the one who reads the console: children that are ended by faults, and after each
 * what its file says.
 */
#include "vm.h"
#include <signal.h>
#include <sys/syscall.h>

#define PATH_ROOM 256

/* One record, as far as the tests want it. */
struct record {
	unsigned long nr, error, address, ip, before, after;
	long tid;
	char mode[8], access[8], path[PATH_ROOM];
};

/* Reads one record from the text, with the names of its steps; where the next begins, or NULL. */
static const char *parse(const char *text, struct record *r)
{
	unsigned int cpu;
	unsigned long tsc;
	const char *line;

	memset(r, 0, sizeof(*r));
	if (sscanf(text, "fault %lu tid %ld cpu %u tsc %lu error %lx %7s %7s %lx ip %lx", &r->nr,
		   &r->tid, &cpu, &tsc, &r->error, r->mode, r->access, &r->address, &r->ip) != 9)
		return NULL;
	while ((line = strchr(text, '\n')) && line[1] == ' ') {
		char name[32];

		text = line + 1;
		if (sscanf(text, " pte %lx -> %lx", &r->before, &r->after) == 2)
			continue;
		if (sscanf(text, " %31s", name) != 1)
			return NULL;
		if (r->path[0])
			strcat(r->path, " ");
		if (strlen(r->path) + strlen(name) + 2 < PATH_ROOM)
			strcat(r->path, name);
	}
	return line ? line + 1 : NULL;
}

#define FAR   ((char *)0x200000000000)
#define FRAME 0x000ffffffffff000UL /* of an entry */

/* The newest record of a file that is about the address's page, or false. */
static bool find_in(const char *file, const void *addr, struct record *r)
{
	const unsigned long page = (unsigned long)addr / PAGE;

	if (!proc_read(file))
		return false;
	for (const char *at = proc_text; *at && (at = parse(at, r));)
		if (r->address / PAGE == page)
			return true;
	return false;
}

static bool find(const void *addr, struct record *r)
{
	return find_in("/proc/self/fault", addr, r);
}

/* Which tables are missing is known only of memory that is far from any other: else it is left out. */
static const char *without_tables(char *path)
{
	char *at = strstr(path, "TABLES_");

	if (at)
		memmove(at, at + strlen("TABLES_n "), strlen(at) - strlen("TABLES_n ") + 1);
	return path;
}

static void path_is(const void *addr, const char *want, const char *name)
{
	struct record r;
	bool there = find(addr, &r);

	if (there && (unsigned long)addr >> 40 != (unsigned long)FAR >> 40)
		without_tables(r.path);
	if (!ok(there && strcmp(r.path, want) == 0, "%s: %s", name, want))
		diag("got %s", there ? r.path : "no record");
}

static void anonymous(void)
{
	char *p = FAR, *again = p + GIB, *near = again + 2 * MIB;
	struct record r;

	fix(p, 4, RW);
	peek(p);
	path_is(p, "AREA MAY_READ TABLES_3 ENTRY_NONE ZERO_PAGE", "a read");
	touch(p, 1);
	path_is(p, "AREA MAY_WRITE ENTRY_READ_ONLY COPY_ZERO", "a write after it");
	ok(find(p, &r) && r.error == 7 && strcmp(r.mode, "user") == 0 &&
		   strcmp(r.access, "write") == 0 && r.address == (unsigned long)p,
	   "... error code and address");
	ok(r.before && !(r.before & 2) && (r.after & 0x63) == 0x63, "... and the entry");
	ok(!(r.after & FRAME) == !am_root(), "... its frame only for root");
	is(r.tid, syscall(SYS_gettid), "... of this thread");
	touch(p + PAGE, 1);
	path_is(p + PAGE, "AREA MAY_WRITE ENTRY_NONE FRESH_PAGE", "a write");
	fix(again, 1, RW);
	touch(again, 1);
	path_is(again, "AREA MAY_WRITE TABLES_2 ENTRY_NONE FRESH_PAGE", "in another GiB");
	fix(near, 1, RW);
	touch(near, 1);
	path_is(near, "AREA MAY_WRITE TABLES_1 ENTRY_NONE FRESH_PAGE", "in other 2 MiB");
	syscall(SYS_uname, p + 2 * PAGE);
	ok(find(p + 2 * PAGE, &r) && strcmp(r.mode, "kernel") == 0, "a fault of the kernel for us");
	fails(syscall(SYS_uname, 16), EFAULT, "a call with a bad address");
	path_is((void *)16, "NO_AREA EFAULT", "...");
	raw_munmap((unsigned long)p, 4 * PAGE);
	raw_munmap((unsigned long)again, PAGE);
	raw_munmap((unsigned long)near, PAGE);
}

static void shared(void)
{
	char *p = (char *)raw_mmap(0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *own = fresh(2, RW);
	pid_t pid;

	touch(p, 1);
	path_is(p, "AREA MAY_WRITE ENTRY_NONE PAGE_ZEROS SHARED_WRITE", "shared memory");
	touch(own, 2);
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	touch(own, 1);
	path_is(own, "AREA MAY_WRITE ENTRY_READ_ONLY COPY_ON_WRITE", "a write after fork");
	kill(pid, SIGKILL);
	wait_status(pid);
	touch(own + PAGE, 1);
	path_is(own + PAGE, "AREA MAY_WRITE ENTRY_READ_ONLY REUSE_LAST", "... without the child");
}

static void files(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	char *p = (char *)raw_mmap(0, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);

	peek(p);
	path_is(p, "AREA MAY_READ ENTRY_NONE PAGE_CACHED MAP_AROUND", "a file's page");
	touch(p, 1);
	path_is(p, "AREA MAY_WRITE ENTRY_READ_ONLY COPY_FROM_FILE", "... written");
	raw_madvise((unsigned long)p, 2 * PAGE, MADV_DONTNEED);
	touch(p + PAGE, 1);
	path_is(p + PAGE, "AREA MAY_WRITE ENTRY_NONE PAGE_CACHED COPY_FILE_PAGE", "... at once");
	close(fd);
}

/* --- what ends a program --------------------------------------------------------------------- */

static char *read_only, *none;

static int write_at(int argc, char **argv)
{
	struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	read_only = fresh(1, PROT_READ);
	none = fresh(1, PROT_NONE);
	switch (argv[1][4]) {
	case 'm': /* end_maperr */
		*(volatile char *)0x1234 = 1;
		break;
	case 'r': /* end_read_only */
		*(volatile char *)read_only = 1;
		break;
	case 'n': /* end_none */
		peek(none);
		break;
	case 'x': /* end_x */
		((void (*)(void))read_only)();
		break;
	case 's': /* end_stack: beyond RLIMIT_STACK, which is less than what is free below */
		*(volatile char *)((char *)__builtin_frame_address(0) - 64 * MIB) = 1;
		break;
	case 'k': /* end_kernel: all memory begins there */
		*(volatile char *)0xffff888000000000 = 1;
		break;
	case 'h': /* end_hole: the kernel has nothing there */
		*(volatile char *)0xffff800000000000 = 1;
		break;
	}
	return 0;
}

static int end_bus(int argc, char **argv)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	peek((char *)raw_mmap(0, 4096 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0) + 4095 * PAGE);
	return 0;
}

static const struct end {
	const char *mode, *path;
	int signal;
} ends[] = {
	{ "end_maperr", "NO_AREA SEGV_MAPERR", SIGSEGV },
	{ "end_read_only", "AREA NOT_WRITABLE SEGV_ACCERR", SIGSEGV },
	{ "end_none", "AREA NOT_READABLE SEGV_ACCERR", SIGSEGV },
	{ "end_x", "AREA NOT_EXECUTABLE SEGV_ACCERR", SIGSEGV },
	{ "end_stack", "BELOW_STACK STACK_RLIMIT SEGV_MAPERR", SIGSEGV },
	{ "end_kernel", "KERNEL_HALF SEGV_MAPERR", SIGSEGV },
	{ "end_hole", "KERNEL_HALF SEGV_MAPERR", SIGSEGV },
	{ "end_bus", "AREA MAY_READ ENTRY_NONE BEYOND_EOF BUS_ADRERR", SIGBUS },
};

/* Starts it, and waits until it has ended, but is still there. */
static pid_t start_and_end(const struct end *end)
{
	pid_t pid = start_mode(end->mode, NULL, NULL);
	siginfo_t info;

	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	return pid;
}

static const char *file_of(pid_t pid)
{
	static char path[32];

	snprintf(path, sizeof(path), "/proc/%d/fault", pid);
	return path;
}

static void after_death(void)
{
	for (size_t i = 0; i < COUNT(ends); i++) {
		const struct end *end = &ends[i];
		pid_t pid = start_and_end(end);
		struct record r;
		bool there = proc_read(file_of(pid)) && parse(proc_text, &r);
		int status = wait_status(pid);

		ok(WIFSIGNALED(status) && WTERMSIG(status) == end->signal, "%s: a signal",
		   end->mode);
		if (!ok(there && strcmp(without_tables(r.path), end->path) == 0, "... because %s",
			end->path))
			diag("got %s", there ? r.path : "no record");
		if (strncmp(end->path, "KERNEL_HALF", 11) == 0)
			is(r.error, 7, "... whether there is something or not");
	}
}

/* For tests/qemu/fault.t, which has the console's lines beside it. */
static int die(int argc, char **argv)
{
	for (size_t i = 0; i < COUNT(ends); i++) {
		pid_t pid = start_and_end(&ends[i]);

		if (!proc_read(file_of(pid)))
			return 1;
		diag("process %d", pid);
		tap_write(proc_text, strlen(proc_text));
		wait_status(pid);
	}
	return 0;
}

/* --- whose file it is ------------------------------------------------------------------------ */

static int hidden(int argc, char **argv)
{
	prctl(PR_SET_DUMPABLE, 0);
	NEED(write(atoi(argv[2]), "x", 1) == 1);
	pause();
	return 0;
}

static void rights(void)
{
	char number[12], c;
	int fds[2];
	pid_t pid;

	if (am_root()) {
		skip("a file that isn't for us", "root may see all");
		return;
	}
	fails(open(file_of(getppid()), O_RDONLY), EACCES, "another user's file");
	if (pipe(fds))
		return;
	snprintf(number, sizeof(number), "%d", fds[1]);
	pid = start_mode("hidden", number, NULL);
	ok(read(fds[0], &c, 1) == 1, "a process that hides its memory");
	fails(open(file_of(pid), O_RDONLY), EACCES, "... and its faults");
	kill(pid, SIGKILL);
	waitid(P_PID, pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	ok(!proc_read(file_of(pid)), "... also when it has ended");
	wait_status(pid);
}

/* A file that was opened before an exec is about the program that was. */
static int before_exec(int argc, char **argv)
{
	char number[12];
	char *args[] = { argv[0], "after_exec", number, NULL };

	snprintf(number, sizeof(number), "%d", open("/proc/self/fault", O_RDONLY));
	execv("/proc/self/exe", args);
	return 1;
}

static int after_exec(int argc, char **argv)
{
	char c;

	NEED(proc_read("/proc/self/fault") && strncmp(proc_text, "fault ", 6) == 0);
	NEED(read(atoi(argv[2]), &c, 1) == 0);
	return 0;
}

static const struct mode modes[] = {
	{ "die", die },
	{ "hidden", hidden },
	{ "before_exec", before_exec },
	{ "after_exec", after_exec },
	{ "end_maperr", write_at },
	{ "end_read_only", write_at },
	{ "end_none", write_at },
	{ "end_x", write_at },
	{ "end_stack", write_at },
	{ "end_kernel", write_at },
	{ "end_hole", write_at },
	{ "end_bus", end_bus },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	struct record r;

	tap_start(argc, argv, modes);
	if (access("/proc/self/fault", R_OK) != 0)
		skip_all("no /proc/self/fault: this kernel doesn't keep its faults");
	touch(proc_text, sizeof(proc_text) / PAGE);
	anonymous();
	shared();
	files();
	after_death();
	rights();
	is(run_mode("before_exec", NULL, NULL), 0,
	   "a file opened before an exec shows none after it");
	touch(fresh(1, RW), 1);
	ok(proc_read("/proc/thread-self/fault") && parse(proc_text, &r), "a thread's own file");
	return done_testing();
}
