/* SPDX-License-Identifier: MIT */
/* Calls about processes, programs, signals, timers and identity with each allocation failed in turn. */
#include "failing.h"
#include "files.h"
#include "vm.h"
#include <elf.h>
#include <sched.h>
#include <sys/shm.h>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

static char stack[32768] __attribute__((aligned(16)));
static volatile int tid_word, ran;
static timer_t timer;

/* --- new processes ------------------------------------------------------------------------------- */

#define AREAS 12
static char *areas[AREAS];
static int segment;

/* Something of everything that a child gets a copy of, or shares. */
static void make_memory(void)
{
	int fd = make_file("mapped", 3 * PAGE);

	for (int i = 0; i < AREAS; i++) {
		areas[i] = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(areas[i], i, 2 * PAGE);
		mprotect(areas[i] + 3 * PAGE, PAGE, PROT_READ);
	}
	*(volatile char *)mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, fd, 0) = 1;
	*(volatile char *)mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0) = 1;
	*(volatile char *)mmap(NULL, 3 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0) = 1;
	segment = shmget(IPC_PRIVATE, 2 * PAGE, 0600);
	*(volatile char *)shmat(segment, NULL, 0) = 1;
	shmctl(segment, IPC_RMID, NULL);
	close(fd);
}

static bool memory_is_whole(void)
{
	for (int i = 0; i < AREAS; i++)
		for (unsigned long at = 0; at < 2 * PAGE; at += 512)
			if (areas[i][at] != (char)i)
				return false;
	return true;
}

static long reaped(long pid)
{
	int status;

	if (pid < 0)
		return pid;
	return waitpid((pid_t)pid, &status, __WALL) == pid && status == 7 << 8 ? 0 : -EIO;
}

/* One that shares nothing that it could not share. */
static long clone_with(unsigned long flags)
{
	long pid = result(syscall(SYS_clone, flags | SIGCHLD, NULL, &tid_word, &tid_word, 0));

	if (pid == 0)
		syscall(SYS_exit_group, memory_is_whole() ? 7 : 8);
	return reaped(pid);
}

static long do_fork(void)
{
	return clone_with(0);
}

static long do_clone_files(void)
{
	return clone_with(CLONE_FILES);
}

static long do_clone_fs(void)
{
	return clone_with(CLONE_FS | CLONE_SYSVSEM);
}

static long do_clone_tids(void)
{
	return clone_with(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID);
}

static long do_clone_parent(void)
{
	long pid = result(syscall(SYS_fork));

	return reaped(pid ? pid : (_exit(7), 0));
}

static long do_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(7);
	return reaped(pid < 0 ? -errno : pid);
}

static int other(void *arg)
{
	ran = 1;
	return 7;
}

static long clone_vm(unsigned long flags)
{
	int pid;

	ran = 0;
	pid = clone(other, stack + sizeof(stack), (int)flags, NULL, &tid_word, NULL, &tid_word);
	if (pid < 0)
		return ran ? -EIO : -errno;
	return reaped(pid);
}

static long do_clone_vm(void)
{
	return clone_vm(CLONE_VM | SIGCHLD);
}

static long do_clone_sighand(void)
{
	return clone_vm(CLONE_VM | CLONE_SIGHAND | CLONE_FS | CLONE_FILES | SIGCHLD);
}

static long do_clone_vfork(void)
{
	return clone_vm(CLONE_VM | CLONE_VFORK | SIGCHLD);
}

static long do_clone_silent(void)
{
	return clone_vm(CLONE_VM | CLONE_PARENT_SETTID);
}

static long do_thread(void)
{
	int tid;

	ran = 0;
	tid_word = 1;
	tid = clone(other, stack + sizeof(stack),
		    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			    CLONE_SYSVSEM | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID,
		    NULL, &tid_word, NULL, &tid_word);
	if (tid < 0)
		return ran || tid_word != 1 ? -EIO : -errno;
	while (tid_word)
		sched_yield();
	return ran ? 0 : -EIO;
}

static long do_clone3(void)
{
	static struct {
		unsigned long flags, pidfd, child_tid, parent_tid, exit_signal, rest[6];
	} args = { .exit_signal = SIGCHLD };
	long pid = result(syscall(SYS_clone3, &args, sizeof(args)));

	if (pid == 0)
		syscall(SYS_exit_group, memory_is_whole() ? 7 : 8);
	return reaped(pid);
}

/* What the end of a process needs, it has: its last allocations may all fail. */
static long exit_now(void)
{
	munmap(areas[0] + PAGE, PAGE);
	syscall(SYS_exit_group, nth ? 128 : 0);
	return -EIO;
}

static long do_exit(void)
{
	long ret = call_in_child(exit_now);

	injected = nth > 0 && nth < 8;
	return ret;
}

/* --- programs ------------------------------------------------------------------------------------- */

static char self[128], program[128], script[128], second[128], nothing[128];
static char *const envp[] = { "A=1", "B=2", NULL };

static bool make_executable(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	bool good = write(fd, data, size) == (ssize_t)size;

	return close(fd) == 0 && good;
}

/* A program that has an interpreter, this test, and memory of its own behind its headers. */
static bool make_program(void)
{
	struct {
		Elf64_Ehdr e;
		Elf64_Phdr p[2];
		char interp[128];
	} file = {
		.e = { .e_ident = { 0x7f, 'E', 'L', 'F', 2, 1, 1 },
		       .e_type = ET_DYN,
		       .e_machine = EM_X86_64,
		       .e_phoff = sizeof(Elf64_Ehdr),
		       .e_phentsize = sizeof(Elf64_Phdr),
		       .e_phnum = 2 },
	};

	file.p[0] = (Elf64_Phdr){ .p_type = PT_INTERP,
				  .p_offset = offsetof(typeof(file), interp),
				  .p_filesz = strlen(self) + 1 };
	file.p[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
				  .p_flags = PF_R | PF_W,
				  .p_filesz = sizeof(file),
				  .p_memsz = 5 * PAGE,
				  .p_align = PAGE };
	strcpy(file.interp, self);
	return make_executable(program, &file, sizeof(file));
}

static bool make_script(const char *path, const char *interp)
{
	char text[160];

	snprintf(text, sizeof(text), "#!%s child\n", interp);
	return make_executable(path, text, strlen(text));
}

static char *argv_new[] = { "test", "child", "some", "arguments", NULL };

static long exec_self(void)
{
	return result(execve("/proc/self/exe", argv_new, envp));
}

static long exec_program(void)
{
	return result(execve(program, argv_new, envp));
}

static long exec_script(void)
{
	return result(execve(script, argv_new, envp));
}

static long exec_second(void)
{
	return result(execve(second, argv_new, envp));
}

static long exec_nothing(void)
{
	return result(execve(nothing, argv_new, envp));
}

static long exec_much(void)
{
	static char long_arg[100000];
	char *argv[] = { "test", "child", long_arg, long_arg, long_arg, NULL };

	memset(long_arg, 'x', sizeof(long_arg) - 1);
	return result(execve("/proc/self/exe", argv, envp));
}

#define IN_CHILD(name, call)                \
	static long name(void)              \
	{                                   \
		return call_in_child(call); \
	}
IN_CHILD(do_exec, exec_self)
IN_CHILD(do_exec_program, exec_program)
IN_CHILD(do_exec_script, exec_script)
IN_CHILD(do_exec_second, exec_second)
IN_CHILD(do_exec_nothing, exec_nothing)
IN_CHILD(do_exec_much, exec_much)

/* The new program: whether the failure was on its way. */
static int child_main(void)
{
	fail_fd = 63;
	return failed_now() ? 128 : 0;
}

/* --- signals and timers ------------------------------------------------------------------------- */

static siginfo_t info;

static void drain_signals(void)
{
	unsigned long all = ~0UL;
	struct timespec none = { 0, 0 };

	while (syscall(SYS_rt_sigtimedwait, &all, NULL, &none, 8) > 0)
		;
	memset(&info, 0, sizeof(info));
	info.si_code = SI_QUEUE;
}

static void undo_signals(long ret)
{
	drain_signals();
}

static long do_kill(void)
{
	return result(syscall(SYS_kill, getpid(), SIGUSR1));
}

static long do_kill_rt(void)
{
	return result(syscall(SYS_kill, getpid(), 40));
}

static long do_tgkill(void)
{
	return result(syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1));
}

static long do_tkill(void)
{
	return result(syscall(SYS_tkill, getpid(), 40));
}

static long do_sigqueue(void)
{
	return result(syscall(SYS_rt_sigqueueinfo, getpid(), 40, &info));
}

static long do_tgsigqueue(void)
{
	return result(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), 40, &info));
}

static volatile int handled;

static void handler(int sig)
{
	handled++;
}

/* A handler whose stack isn't there yet: where its frame can't be written, the program ends. */
static long handle(void)
{
	char *p = mmap(NULL, 16 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t ss = { .ss_sp = p, .ss_size = 16 * PAGE };
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	unsigned long set = 0;

	sigaltstack(&ss, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 8);
	syscall(SYS_kill, getpid(), SIGUSR1);
	return handled == 1 ? 0 : -EIO;
}
IN_CHILD(do_handle, handle)

static long do_timer_create(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = 40 };

	return result(timer_create(CLOCK_MONOTONIC, &ev, &timer));
}

static void undo_timer(long ret)
{
	timer_delete(timer);
}

/* A timer that runs out: its signal has had its place since the timer was made. */
static long do_timer_fires(void)
{
	struct itimerspec when = { .it_value = { 0, 1 } };
	unsigned long set = 1UL << 39;
	long ret = do_timer_create();

	if (ret < 0)
		return ret;
	timer_settime(timer, 0, &when, NULL);
	while ((ret = result(syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 8))) == -EINTR)
		;
	return ret == 40 ? 0 : ret;
}

static long do_wait(void)
{
	int status;
	pid_t pid = fork();
	long ret;

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return -errno;
	/* The status goes where no page is yet. */
	ret = result(syscall(SYS_wait4, pid, areas[1] + 2 * PAGE, 0, areas[2] + 2 * PAGE));
	if (ret < 0)
		waitpid(pid, &status, 0);
	madvise(areas[1] + 2 * PAGE, PAGE, MADV_DONTNEED);
	madvise(areas[2] + 2 * PAGE, PAGE, MADV_DONTNEED);
	return ret;
}

/* --- identity: root's ----------------------------------------------------------------------------- */

static unsigned int groups[] = { 1, 2, 3 }, many_groups[3000];

static long set_uid(void)
{
	return result(syscall(SYS_setuid, am_root() ? 4711 : getuid()));
}

static long set_resuid(void)
{
	return result(syscall(SYS_setresuid, am_root() ? 4712 : -1, -1, -1));
}

static long set_reuid(void)
{
	return result(syscall(SYS_setreuid, am_root() ? 4713 : -1, -1));
}

static long set_groups(void)
{
	return am_root() ? result(syscall(SYS_setgroups, 3, groups)) : 0;
}

/* More than fit into a page. */
static long set_many_groups(void)
{
	return am_root() ? result(syscall(SYS_setgroups, COUNT(many_groups), many_groups)) : 0;
}

static long set_root(void)
{
	return am_root() ? result(chroot(".")) : 0;
}

static long set_group(void)
{
	return result(syscall(SYS_setpgid, 0, 0));
}

static long set_session(void)
{
	return result(syscall(SYS_setsid));
}

static long set_limit(void)
{
	struct rlimit limit = { 100, 200 };

	return result(syscall(SYS_prlimit64, 0, 7, &limit, NULL));
}
IN_CHILD(do_setuid, set_uid)
IN_CHILD(do_setresuid, set_resuid)
IN_CHILD(do_setreuid, set_reuid)
IN_CHILD(do_setgroups, set_groups)
IN_CHILD(do_many_groups, set_many_groups)
IN_CHILD(do_chroot, set_root)
IN_CHILD(do_setpgid, set_group)
IN_CHILD(do_setsid, set_session)
IN_CHILD(do_prlimit, set_limit)

static const struct row rows[] = {
	{ "fork", .call = do_fork, .also = EAGAIN },
	{ "fork, by fork", .call = do_clone_parent, .also = EAGAIN },
	{ "vfork", .call = do_vfork, .also = EAGAIN },
	{ "clone with files", .call = do_clone_files, .also = EAGAIN },
	{ "clone with directories", .call = do_clone_fs, .also = EAGAIN },
	{ "clone that writes ids", .call = do_clone_tids, .also = EAGAIN },
	{ "clone with memory", .call = do_clone_vm, .also = EAGAIN },
	{ "clone with memory and handlers", .call = do_clone_sighand, .also = EAGAIN },
	{ "clone that waits", .call = do_clone_vfork, .also = EAGAIN },
	{ "clone without a signal", .call = do_clone_silent, .also = EAGAIN },
	{ "a thread", .call = do_thread, .also = EAGAIN },
	{ "clone3", .call = do_clone3, .also = EAGAIN },
	{ "exit", .call = do_exit, .flags = CHILD },
	{ "exec", .call = do_exec, .flags = CHILD, .also = E2BIG },
	{ "exec with an interpreter", .call = do_exec_program, .flags = CHILD, .also = E2BIG },
	{ "exec of a script", .call = do_exec_script, .flags = CHILD, .also = E2BIG },
	{ "exec of a script's script", .call = do_exec_second, .flags = CHILD, .also = E2BIG },
	{ "exec of no program", .call = do_exec_nothing, .flags = CHILD, .also = E2BIG,
	  .want = -ENOEXEC },
	{ "exec with much", .call = do_exec_much, .flags = CHILD, .also = E2BIG },
	{ "kill", .call = do_kill, .setup = drain_signals, .undo = undo_signals, .also = EAGAIN },
	{ "kill, a queued signal", .call = do_kill_rt, .setup = drain_signals, .undo = undo_signals,
	  .also = EAGAIN },
	{ "tgkill", .call = do_tgkill, .setup = drain_signals, .undo = undo_signals,
	  .also = EAGAIN },
	{ "tkill", .call = do_tkill, .setup = drain_signals, .undo = undo_signals, .also = EAGAIN },
	{ "rt_sigqueueinfo", .call = do_sigqueue, .setup = drain_signals, .undo = undo_signals,
	  .also = EAGAIN },
	{ "rt_tgsigqueueinfo", .call = do_tgsigqueue, .setup = drain_signals, .undo = undo_signals,
	  .also = EAGAIN },
	{ "a handler", .call = do_handle, .flags = CHILD },
	{ "timer_create", .call = do_timer_create, .undo = undo_timer, .also = EAGAIN },
	{ "a timer runs out", .call = do_timer_fires, .undo = undo_timer, .also = EAGAIN },
	{ "wait4", .call = do_wait, .also = EAGAIN },
	{ "setuid", .call = do_setuid, .flags = CHILD, .also = EAGAIN },
	{ "setresuid", .call = do_setresuid, .flags = CHILD, .also = EAGAIN },
	{ "setreuid", .call = do_setreuid, .flags = CHILD, .also = EAGAIN },
	{ "setgroups", .call = do_setgroups, .flags = CHILD },
	{ "setgroups, many", .call = do_many_groups, .flags = CHILD },
	{ "chroot", .call = do_chroot, .flags = CHILD },
	{ "setpgid", .call = do_setpgid, .flags = CHILD },
	{ "setsid", .call = do_setsid, .flags = CHILD },
	{ "prlimit64", .call = do_prlimit, .flags = CHILD },
};

int main(int argc, char **argv)
{
	static const char *const rest[] = {
		"program", "script", "second", "nothing", "mapped", NULL
	};
	unsigned long most = ~(1UL << 10); /* but SIGSEGV */

	if (argc > 1)
		return child_main();
	tap_start(argc, argv, NULL);
	failing_need();
	make_dir("fail_process");
	if (chdir(test_dir))
		skip_all("no working directory");
	failing_start();
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &most, NULL, 8);
	memset(stack, 1, sizeof(stack));
	snprintf(self, sizeof(self), "%s", argv[0]);
	snprintf(program, sizeof(program), "%s", in_dir("program"));
	snprintf(script, sizeof(script), "%s", in_dir("script"));
	snprintf(second, sizeof(second), "%s", in_dir("second"));
	snprintf(nothing, sizeof(nothing), "%s", in_dir("nothing"));
	ok(make_program() && make_script(script, self) && make_script(second, script) &&
		   make_executable(nothing, "nothing", 7),
	   "programs to run");
	make_memory();
	fail_rows(rows, COUNT(rows));
	failing_summary();
	if (chdir("/"))
		return 1;
	clean_dir(rest);
	return done_testing();
}
