/* SPDX-License-Identifier: MIT */
/* clone(2): which flags go together, and what each of them makes the two share. */
#include "procs.h"
#include <sys/stat.h>

#define CLONE_DETACHED_	 0x00400000
#define CLONE_NEWTIME_	 0x80
#define CLONE_NEWCGROUP_ 0x02000000
#define FIXED_FD	 70

static volatile int *words;

static long clone0(unsigned long flags)
{
	long pid = raw(SYS_clone, flags, 0, 0, 0, 0);

	if (pid == 0)
		raw(SYS_exit_group, 0);
	return pid;
}

/* --- combinations ----------------------------------------------------------------------------- */

static void combinations(void)
{
	static const struct {
		unsigned long flags;
		const char *name;
	} bad[] = {
		{ CLONE_THREAD, "THREAD alone" },
		{ CLONE_THREAD | CLONE_VM, "THREAD | VM" },
		{ CLONE_SIGHAND, "SIGHAND alone" },
		{ CLONE_SIGHAND | SIGCHLD, "SIGHAND | SIGCHLD" },
		{ CLONE_THREAD | CLONE_SIGHAND, "THREAD | SIGHAND" },
		{ CLONE_FS | CLONE_NEWNS, "FS | NEWNS" },
		{ CLONE_FS | CLONE_NEWUSER, "FS | NEWUSER" },
		{ CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_NEWUSER, "THREAD | NEWUSER" },
		{ CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_NEWPID, "THREAD | NEWPID" },
	};

	for (size_t i = 0; i < COUNT(bad); i++)
		is(clone0(bad[i].flags), -EINVAL, "%s: EINVAL", bad[i].name);
}

/* Namespaces of one's own need a privilege; where there are none, another error is as good. */
static void namespaces(void)
{
	static const struct {
		unsigned long flag;
		const char *name;
	} kinds[] = {
		{ CLONE_NEWNS, "NEWNS" },   { CLONE_NEWUTS, "NEWUTS" },
		{ CLONE_NEWIPC, "NEWIPC" }, { CLONE_NEWPID, "NEWPID" },
		{ CLONE_NEWNET, "NEWNET" }, { CLONE_NEWCGROUP_, "NEWCGROUP" },
	};

	for (size_t i = 0; i < COUNT(kinds); i++)
		is(clone0(kinds[i].flag | SIGCHLD), -EPERM, "%s: EPERM", kinds[i].name);
}

/* Flags that do nothing here. */
static void harmless(void)
{
	static const struct {
		unsigned long flag;
		const char *name;
	} kinds[] = {
		{ CLONE_UNTRACED, "UNTRACED" },
		{ CLONE_PTRACE, "PTRACE" },
		{ CLONE_DETACHED_, "DETACHED" },
		{ CLONE_SYSVSEM, "SYSVSEM" },
		{ CLONE_IO, "IO" },
	};

	for (size_t i = 0; i < COUNT(kinds); i++)
		is(status_of(clone0(kinds[i].flag | SIGCHLD)), 0, "%s does no harm", kinds[i].name);
}

/* --- what is shared --------------------------------------------------------------------------- */

static int in_data;

static int change_everything(void *arg)
{
	struct raw_sigaction ignore = { .handler = SIG_IGN };
	unsigned long mask = BIT_OF(SIGUSR2);

	(void)arg;
	words[0] = raw(SYS_getppid);
	in_data = 5;
	NEED_IS(raw(SYS_chdir, "/tmp"), 0);
	raw(SYS_umask, 077);
	NEED_IS(raw(SYS_dup2, 1, FIXED_FD), FIXED_FD);
	NEED_IS(raw(SYS_rt_sigaction, SIGUSR1, &ignore, NULL, 8), 0);
	NEED_IS(raw(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8), 0);
	return 0;
}

/* Starts a child with flags | SIGCHLD, and says by letters what of its changes is seen here. */
static const char *shared_by(unsigned long flags)
{
	static char text[16];
	struct raw_sigaction act, reset = { .handler = SIG_DFL };
	char *stack = fresh(STACK_PAGES, RW), cwd[64] = "";
	int used = 0, status;

	in_data = 0;
	raw(SYS_chdir, "/");
	raw(SYS_umask, 022);
	raw(SYS_close, FIXED_FD);
	raw(SYS_rt_sigaction, SIGUSR1, &reset, NULL, 8);
	status =
		status_of(clone_fn(flags | SIGCHLD, stack, change_everything, NULL, NULL, NULL, 0));
	if (status != 0) {
		snprintf(text, sizeof(text), "status %x", status);
		return text;
	}
	if (in_data == 5)
		text[used++] = 'V';
	raw(SYS_getcwd, cwd, sizeof(cwd));
	if (strcmp(cwd, "/tmp") == 0)
		text[used++] = 'F';
	if (raw(SYS_umask, 022) == 077)
		text[used++] = 'U';
	if (raw(SYS_fcntl, FIXED_FD, F_GETFD) >= 0)
		text[used++] = 'D';
	raw(SYS_rt_sigaction, SIGUSR1, NULL, &act, 8);
	if (act.handler == SIG_IGN)
		text[used++] = 'S';
	if (blocked_now())
		text[used++] = 'M';
	text[used] = '\0';
	raw_munmap((unsigned long)stack, STACK_PAGES * PAGE);
	return text;
}

static void sharing(void)
{
	is_str(shared_by(0), "", "no flag: nothing is shared");
	is_str(shared_by(CLONE_VM), "V", "VM: memory");
	is_str(shared_by(CLONE_FS), "FU", "FS: directory and umask");
	is_str(shared_by(CLONE_FILES), "D", "FILES: descriptors");
	is_str(shared_by(CLONE_VM | CLONE_SIGHAND), "VS", "SIGHAND: actions, but not the mask");
	is_str(shared_by(CLONE_FS | CLONE_FILES), "FUD", "FS | FILES");
	is_str(shared_by(CLONE_VM | CLONE_VFORK), "V", "VM | VFORK");
	is_str(shared_by(CLONE_VM | CLONE_SIGHAND | CLONE_FS | CLONE_FILES), "VFUDS",
	       "all of them");
	is(words[0], getpid(), "a child it is all the same");
	raw(SYS_close, FIXED_FD);
	raw(SYS_chdir, "/");
}

/* exec ends sharing: of memory and actions because they are new, of descriptors because of CLOEXEC. */
static int execute(void *arg)
{
	char *argv[] = { (char *)tap.path, "closing", NULL }, *none[] = { NULL };

	(void)arg;
	raw(SYS_execve, "/proc/self/exe", argv, none);
	return 99;
}

static int closing_mode(int argc, char **argv)
{
	NEED_IS(raw(SYS_fcntl, FIXED_FD, F_GETFD), -EBADF);
	NEED_IS(raw(SYS_close, FIXED_FD + 1), 0);
	NEED_IS(raw(SYS_dup2, 1, FIXED_FD + 2), FIXED_FD + 2);
	NEED_IS(raw(SYS_chdir, "/tmp"), 0);
	return 42;
}

static void sharing_and_exec(void)
{
	char *stack = fresh(STACK_PAGES, RW), cwd[64] = "";
	struct raw_sigaction act;

	dup2(1, FIXED_FD);
	fcntl(FIXED_FD, F_SETFD, FD_CLOEXEC);
	dup2(1, FIXED_FD + 1);
	catch_with(SIGUSR1, note_signal, 0, 0);
	is(status_of(clone_fn(CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND | SIGCHLD, stack,
			      execute, NULL, NULL, NULL, 0)),
	   42 << 8, "a child that shares everything executes a program");
	is(fcntl(FIXED_FD, F_GETFD), FD_CLOEXEC, "what exec closed there is open here");
	ok(fcntl(FIXED_FD + 1, F_GETFD) >= 0, "what the program closed is too");
	fails(fcntl(FIXED_FD + 2, F_GETFD), EBADF, "what it opened isn't");
	raw_sigaction(SIGUSR1, NULL, &act);
	ok(act.handler == (void *)note_signal, "handlers stay");
	raw(SYS_getcwd, cwd, sizeof(cwd));
	is_str(cwd, "/tmp", "the directory is shared beyond exec");
	raw(SYS_chdir, "/");
	close(FIXED_FD);
	close(FIXED_FD + 1);
	set_plain(SIGUSR1, SIG_DFL);
	raw_munmap((unsigned long)stack, STACK_PAGES * PAGE);
}

/* --- ids, tls --------------------------------------------------------------------------------- */

static volatile int parent_id, child_id;

static int report_ids(void *arg)
{
	(void)arg;
	words[1] = parent_id;
	words[2] = child_id;
	return my_tid() == my_pid() ? 0 : 1;
}

static void ids(void)
{
	char *stack = fresh(STACK_PAGES, RW);
	pid_t pid;

	parent_id = child_id = -7;
	pid = clone_fn(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, stack, report_ids, NULL,
		       &parent_id, &child_id, 0);
	is(parent_id, pid, "PARENT_SETTID writes the number in the parent");
	is(child_id, -7, "CHILD_SETTID doesn't");
	is(status_of(pid), 0, "a child with memory of its own");
	is(words[1], -7, "the child's copy was made before PARENT_SETTID");
	is(words[2], pid, "CHILD_SETTID wrote there");

	parent_id = child_id = -7;
	pid = clone_fn(CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD,
		       stack, report_ids, NULL, &parent_id, &child_id, 0);
	is(child_id, pid, "in shared memory both see it");
	is(words[1], pid, "the parent's is there before the child runs");
	is(status_of(pid), 0, "that child");

	child_id = -7;
	pid = clone_fn(CLONE_VM | CLONE_VFORK | CLONE_CHILD_CLEARTID | SIGCHLD, stack, report_ids,
		       NULL, NULL, &child_id, 0);
	is(words[2], -7, "CHILD_CLEARTID doesn't write at first");
	is(child_id, 0, "but at the end, where memory is shared");
	is(status_of(pid), 0, "that child");
	child_id = -7;
	pid = clone_fn(CLONE_CHILD_CLEARTID | SIGCHLD, stack, report_ids, NULL, NULL, &child_id, 0);
	is(status_of(pid), 0, "a child by CHILD_CLEARTID alone");
	is(child_id, -7, "clears nothing here");

	/* Addresses that can't be written are nobody's concern. */
	pid = clone_fn(CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, stack, report_ids, NULL,
		       NULL, (void *)0x1000, 0);
	is(status_of(pid), 0, "a child number to nowhere");
	pid = clone_fn(CLONE_PARENT_SETTID | SIGCHLD, stack, report_ids, NULL, (void *)0x1000, NULL,
		       0);
	ok(pid > 0, "the parent's to nowhere");
	is(status_of(pid), 0, "is no reason not to start");
	raw_munmap((unsigned long)stack, STACK_PAGES * PAGE);
}

static long tls_block[2] = { 4711, 4712 };

static int read_tls(void *arg)
{
	unsigned long word, base = 0;

	(void)arg;
	__asm__ volatile("mov %%fs:8, %0" : "=r"(word));
	if (raw(SYS_arch_prctl, 0x1003, &base) != 0 || base != (unsigned long)tls_block)
		return 1;
	return word == 4712 ? 42 : 2;
}

static void tls(void)
{
	char *stack = fresh(STACK_PAGES, RW);

	is(status_of(clone_fn(CLONE_SETTLS | SIGCHLD, stack, read_tls, NULL, NULL, NULL,
			      (unsigned long)tls_block)),
	   42 << 8, "SETTLS sets the FS base");
	is(clone_fn(CLONE_SETTLS | SIGCHLD, stack, read_tls, NULL, NULL, NULL, 0xffff800000000000),
	   -EPERM, "not to a kernel address");
	raw_munmap((unsigned long)stack, STACK_PAGES * PAGE);
}

/* --- CHILD_CLEARTID's wake-up, set_tid_address ------------------------------------------------ */

static int wait_then_end(void *arg)
{
	raw(SYS_set_tid_address, arg);
	await(&words[5], 1);
	return 0;
}

static void clearing(void)
{
	char *stack = fresh(STACK_PAGES, RW);
	pid_t pid;

	is(raw(SYS_set_tid_address, NULL), my_tid(), "set_tid_address returns the number");
	child_id = 88;
	words[5] = 0;
	pid = clone_fn(CLONE_VM | SIGCHLD, stack, wait_then_end, (void *)&child_id, NULL, NULL, 0);
	ok(pid > 0, "a child in shared memory, set_tid_address");
	words[5] = 1;
	while (child_id != 0)
		raw(SYS_futex, &child_id, 0, 88, NULL);
	is(child_id, 0, "its end clears the word and wakes who waits for that");
	is(status_of(pid), 0, "its status");
	raw_munmap((unsigned long)stack, STACK_PAGES * PAGE);
}

/* --- VFORK without VM ------------------------------------------------------------------------- */

static void vfork_alone(void)
{
	pid_t pid;

	words[6] = 0;
	in_data = 1;
	pid = raw(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		in_data = 2;
		for (int i = 0; i < 20; i++)
			raw(SYS_sched_yield);
		words[6] = 1;
		raw(SYS_exit_group, 3);
	}
	is(words[6], 1, "VFORK without VM waits too");
	is(in_data, 1, "in memory of its own");
	is(status_of(pid), 3 << 8, "its status");
}

static const struct mode modes[] = { { "closing", closing_mode }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	words = shared_words();
	combinations();
	namespaces();
	harmless();
	sharing();
	sharing_and_exec();
	ids();
	tls();
	clearing();
	vfork_alone();
	return done_testing();
}
