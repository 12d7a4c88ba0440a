/* SPDX-License-Identifier: MIT */
/* fork(2): what the child is told, what it has from its parent, and what it hasn't. */
#include "procs.h"
#include <sys/stat.h>
#include <sys/time.h>

static volatile int *words;

/* --- who is who ------------------------------------------------------------------------------- */

static int note_ids(void *arg)
{
	(void)arg;
	words[0] = raw(SYS_getpid);
	words[1] = raw(SYS_getppid);
	words[2] = raw(SYS_gettid);
	words[3] = raw(SYS_getpgid, 0);
	words[4] = raw(SYS_getsid, 0);
	words[5] = raw(SYS_getuid);
	return 5;
}

static void identities(void)
{
	pid_t pid = fork_child(note_ids, NULL);

	ok(pid > 0, "fork returns a pid");
	is(status_of(pid), 5 << 8, "which can be waited for");
	is(words[0], pid, "the child's getpid is what the parent was told");
	is(words[1], getpid(), "its parent is this process");
	is(words[2], pid, "its only thread has the process's number");
	is(words[3], raw(SYS_getpgid, 0), "its process group is its parent's");
	is(words[4], raw(SYS_getsid, 0), "its session too");
	is(words[5], getuid(), "its user too");
	pid = raw(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		raw(SYS_exit_group, note_ids(NULL));
	is(status_of(pid), 5 << 8, "clone(SIGCHLD) is fork");
	is(words[0], pid, "with the same numbers");
	pid = fork();
	if (pid == 0)
		_exit(getppid() == words[1] ? 6 : 7);
	is(wait_status(pid), 6 << 8, "the C library's fork");
}

static int exit_with(void *arg)
{
	return (int)(long)arg;
}

static void exit_codes(void)
{
	static const int codes[] = { 0, 1, 127, 128, 255, 256, 0x1234, -1 };

	for (size_t i = 0; i < COUNT(codes); i++)
		is(status_of(fork_child(exit_with, (void *)(long)codes[i])), (codes[i] & 255) << 8,
		   "exit_group(%d)", codes[i]);
}

/* --- memory ----------------------------------------------------------------------------------- */

static int in_data = 11;

static int write_all_over(void *arg)
{
	volatile char *page = arg;

	NEED_IS(in_data, 11);
	NEED_IS(page[0], 'p');
	NEED_IS(page[PAGE], 0);
	in_data = 12;
	page[0] = 'c';
	page[PAGE] = 'c';
	words[10] = 'c';
	NEED_IS(page[0], 'c');
	return 0;
}

static void memory(void)
{
	volatile char *page = fresh(2, RW);
	volatile int on_stack = 21;
	pid_t pid;

	page[0] = 'p';
	words[10] = 'p';
	is(status_of(fork_child(write_all_over, (void *)page)), 0, "the child has the same memory");
	is(in_data, 11, "what it writes to data isn't seen here");
	is(page[0], 'p', "nor to a private page");
	is(page[PAGE], 0, "nor to one that wasn't there yet");
	is(words[10], 'c', "but to a shared one");
	pid = raw(SYS_fork);
	if (pid == 0) {
		on_stack++;
		raw(SYS_exit_group, on_stack);
	}
	is(status_of(pid), 22 << 8, "the child has the same stack");
	is(on_stack, 21, "of its own");
	/* What the parent writes after fork isn't in the child either. */
	words[0] = 0;
	pid = raw(SYS_fork);
	if (pid == 0) {
		await(&words[0], 1);
		raw(SYS_exit_group, page[0]);
	}
	page[0] = 'q';
	words[0] = 1;
	is(status_of(pid), 'p' << 8, "the parent's later writes aren't seen in the child");
	raw_munmap((unsigned long)page, 2 * PAGE);
}

/* --- files ------------------------------------------------------------------------------------ */

static int use_files(void *arg)
{
	int fd = *(int *)arg;

	NEED_IS(raw(SYS_lseek, fd, 0, SEEK_CUR), 3);
	NEED_IS(raw(SYS_write, fd, "def", 3), 3);
	NEED_IS(raw(SYS_fcntl, fd, F_GETFD), FD_CLOEXEC);
	NEED_IS(raw(SYS_fcntl, fd, F_SETFD, 0), 0);
	NEED_IS(raw(SYS_fcntl, fd, F_SETFL, O_APPEND), 0);
	NEED_IS(raw(SYS_close, 60), 0);
	NEED_IS(raw(SYS_dup2, fd, 61), 61);
	NEED_IS(raw(SYS_close, fd), 0);
	NEED_IS(raw(SYS_umask, 077), 027);
	NEED_IS(raw(SYS_chdir, "/"), 0);
	return 0;
}

static void files(void)
{
	char cwd[64] = "", text[16] = "";
	int fd = open("/tmp/fork-basic", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (!ok(fd >= 0, "a file in /tmp"))
		return;
	is(write(fd, "abc", 3), 3, "written to");
	dup2(1, 60);
	is(chdir("/tmp"), 0, "a working directory");
	umask(027);
	is(status_of(fork_child(use_files, &fd)), 0,
	   "the child has the descriptors, the directory and the umask");
	is(lseek(fd, 0, SEEK_CUR), 6, "the offset is shared: the child's write moved it");
	is(pread(fd, text, 6, 0), 6, "the file has");
	is_str(text, "abcdef", "what both wrote");
	is(fcntl(fd, F_GETFD), FD_CLOEXEC, "close-on-exec is each one's own");
	is(fcntl(fd, F_GETFL) & O_APPEND, O_APPEND, "the open file's flags are shared");
	ok(fcntl(60, F_GETFD) >= 0, "what the child closed is open here");
	fails(fcntl(61, F_GETFD), EBADF, "what it opened isn't");
	is(raw(SYS_getcwd, cwd, sizeof(cwd)), 5, "the working directory is");
	is_str(cwd, "/tmp", "the parent's own");
	is(umask(022), 027, "so is the umask");
	close(60);
	close(fd);
	unlink("/tmp/fork-basic");
	is(chdir("/"), 0, "back");
}

/* --- signals and timers ----------------------------------------------------------------------- */

static int look_at_signals(void *arg)
{
	struct raw_sigaction act;

	(void)arg;
	NEED_IS(blocked_now(), BIT_OF(SIGUSR1) | BIT_OF(SIGUSR2));
	NEED_IS(pending_now(), 0);
	NEED_IS(raw(SYS_rt_sigaction, SIGHUP, NULL, &act, 8), 0);
	NEED(act.handler == SIG_IGN);
	NEED_IS(raw(SYS_rt_sigaction, SIGUSR1, NULL, &act, 8), 0);
	NEED(act.handler == (void *)note_signal && (act.flags & SA_NODEFER));
	set_plain(SIGUSR1, SIG_DFL);
	unblock(BIT_OF(SIGUSR1));
	return 0;
}

static int look_at_timers(void *arg)
{
	struct itimerval left;
	unsigned long seconds = raw(SYS_alarm, 0);

	(void)arg;
	NEED_IS(seconds, 0);
	for (int which = 0; which < 3; which++) {
		memset(&left, 0xee, sizeof(left));
		NEED_IS(raw(SYS_getitimer, which, &left), 0);
		NEED_IS(left.it_value.tv_sec | left.it_value.tv_usec, 0);
		NEED_IS(left.it_interval.tv_sec | left.it_interval.tv_usec, 0);
	}
	return 0;
}

static void signals(void)
{
	struct itimerval hour = { { 1, 0 }, { 3600, 0 } }, none = { { 0, 0 }, { 0, 0 } };
	struct raw_sigaction act;

	catch_with(SIGUSR1, note_signal, SA_NODEFER, 0);
	set_plain(SIGHUP, SIG_IGN);
	block(BIT_OF(SIGUSR1) | BIT_OF(SIGUSR2));
	send_self(SIGUSR1);
	send_thread(SIGUSR2);
	is(pending_now(), BIT_OF(SIGUSR1) | BIT_OF(SIGUSR2), "two signals wait here");
	child_ok(look_at_signals, "the child has mask and actions, but not what waits");
	is(pending_now(), BIT_OF(SIGUSR1) | BIT_OF(SIGUSR2), "they still wait");
	is(blocked_now(), BIT_OF(SIGUSR1) | BIT_OF(SIGUSR2), "the mask is the parent's own");
	raw_sigaction(SIGUSR1, NULL, &act);
	ok(act.handler == (void *)note_signal, "so are the actions");
	set_plain(SIGUSR1, SIG_IGN);
	set_plain(SIGUSR2, SIG_IGN);
	unblock(~0UL);
	set_plain(SIGUSR1, SIG_DFL);
	set_plain(SIGUSR2, SIG_DFL);
	set_plain(SIGHUP, SIG_DFL);
	setitimer(ITIMER_REAL, &hour, NULL);
	setitimer(ITIMER_VIRTUAL, &hour, NULL);
	setitimer(ITIMER_PROF, &hour, NULL);
	child_ok(look_at_timers, "no timer is inherited");
	getitimer(ITIMER_REAL, &hour);
	ok(hour.it_value.tv_sec > 0, "the parent's runs on");
	setitimer(ITIMER_REAL, &none, NULL);
	setitimer(ITIMER_VIRTUAL, &none, NULL);
	setitimer(ITIMER_PROF, &none, NULL);
}

/* --- the processor ---------------------------------------------------------------------------- */

static void processor(void)
{
	static unsigned char in[64] __attribute__((aligned(16))),
		out[64] __attribute__((aligned(16)));
	unsigned long ret, callee[3];
	uint32_t mxcsr = 0x1f80 | 0x6000, mxcsr_child;
	unsigned long fs = 0, fs_child = 0;
	pid_t pid;

	for (int i = 0; i < 64; i++)
		in[i] = i * 3 + 1;
	/* Registers are loaded before the call and stored after it: by the child into its copy. */
	__asm__ volatile("ldmxcsr %[csr]\n\t"
			 "movaps (%[in]), %%xmm0\n\t"
			 "movaps 16(%[in]), %%xmm7\n\t"
			 "movaps 32(%[in]), %%xmm15\n\t"
			 "fninit\n\tfldpi\n\t"
			 "mov $0x1111, %%rbx\n\tmov $0x2222, %%r12\n\tmov $0x3333, %%r15\n\t"
			 "syscall\n\t"
			 "mov %%rbx, %[rbx]\n\tmov %%r12, %[r12]\n\tmov %%r15, %[r15]\n\t"
			 "movaps %%xmm0, (%[out])\n\t"
			 "movaps %%xmm7, 16(%[out])\n\t"
			 "movaps %%xmm15, 32(%[out])\n\t"
			 "fstpl 48(%[out])\n\t"
			 "stmxcsr %[child]\n\t"
			 : "=a"(ret), [rbx] "=m"(callee[0]), [r12] "=m"(callee[1]),
			   [r15] "=m"(callee[2]), [child] "=m"(mxcsr_child)
			 : "a"(SYS_fork), [in] "r"(in), [out] "r"(out), [csr] "m"(mxcsr)
			 : "rbx", "r12", "r15", "rcx", "r11", "xmm0", "xmm7", "xmm15", "memory");
	pid = ret;
	if (pid == 0) {
		double pi;

		memcpy(&pi, out + 48, 8);
		raw(SYS_arch_prctl, 0x1003, &fs_child);
		raw(SYS_arch_prctl, 0x1003, &fs);
		raw(SYS_exit_group,
		    memcmp(in, out, 48)						      ? 1 :
		    pi < 3.14159 || pi > 3.1416					      ? 2 :
		    mxcsr_child != mxcsr					      ? 3 :
		    callee[0] != 0x1111 || callee[1] != 0x2222 || callee[2] != 0x3333 ? 4 :
		    fs == 0 || errno != 77					      ? 5 :
											42);
	}
	is(status_of(pid), 42 << 8, "the child has the parent's registers, SSE and x87 too");
	ok(memcmp(in, out, 48) == 0, "and the parent its own");
	mxcsr = 0x1f80;
	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
}

static int look_at_stack(void *arg)
{
	stack_t old;

	NEED_IS(raw(SYS_sigaltstack, NULL, &old), 0);
	NEED(old.ss_sp == arg);
	NEED_IS(old.ss_size, 16384);
	NEED_IS(old.ss_flags, 0);
	return 0;
}

static int look_at_robust(void *arg)
{
	void *head = (void *)1;
	size_t len = 0;

	(void)arg;
	NEED_IS(raw(SYS_get_robust_list, 0, &head, &len), 0);
	NEED(head == NULL);
	return 0;
}

static void of_the_thread(void)
{
	static char stack[16384];
	static long robust[3] = { (long)robust, 0, 0 };
	stack_t s = { .ss_sp = stack, .ss_size = sizeof(stack) }, off = { .ss_flags = SS_DISABLE };

	raw(SYS_sigaltstack, &s, NULL);
	is(status_of(fork_child(look_at_stack, stack)), 0, "the child has the alternate stack");
	raw(SYS_sigaltstack, &off, NULL);
	is(raw(SYS_set_robust_list, robust, sizeof(robust)), 0, "a robust list");
	child_ok(look_at_robust, "which the child doesn't have");
}

static int look_at_limits(void *arg)
{
	struct rlimit limit = { 0, 0 };

	(void)arg;
	NEED_IS(raw(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &limit), 0);
	NEED_IS(limit.rlim_cur, 4321);
	limit.rlim_cur = 1;
	NEED_IS(raw(SYS_prlimit64, 0, RLIMIT_CORE, &limit, NULL), 0);
	return 0;
}

static void limits(void)
{
	limit(RLIMIT_CORE, 4321);
	child_ok(look_at_limits, "limits are copied");
	is(soft_limit(RLIMIT_CORE), 4321, "and each one's own");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	errno = 77;
	processor();
	identities();
	exit_codes();
	memory();
	files();
	signals();
	of_the_thread();
	limits();
	return done_testing();
}
