/* SPDX-License-Identifier: MIT */
/*
 * Signals that wait: blocked, ignored, queued; in which order they come; what their senders say; what
 * exec and vfork make of all that.
 */
#include "signals.h"

#define RT 40 /* a real-time signal that no C library uses */

static void reset_seen(void)
{
	memset(&seen, 0, sizeof(seen));
}

/* --- blocking ------------------------------------------------------------------------------------ */

static void masks(void)
{
	unsigned long set = BIT_OF(SIGUSR1) | BIT_OF(SIGKILL) | BIT_OF(SIGSTOP), old;

	is(blocked_now(), 0, "at first nothing is blocked");
	is(raw_sigmask(SIG_BLOCK, &set, &old), 0, "SIG_BLOCK");
	is(old, 0, "the old mask");
	is(blocked_now(), BIT_OF(SIGUSR1), "SIGKILL and SIGSTOP can't be blocked");
	set = BIT_OF(SIGUSR2);
	raw_sigmask(SIG_BLOCK, &set, NULL);
	is(blocked_now(), BIT_OF(SIGUSR1) | BIT_OF(SIGUSR2), "more");
	raw_sigmask(SIG_UNBLOCK, &set, NULL);
	is(blocked_now(), BIT_OF(SIGUSR1), "less");
	set = ~0UL;
	raw_sigmask(SIG_SETMASK, &set, NULL);
	is(blocked_now(), ~(BIT_OF(SIGKILL) | BIT_OF(SIGSTOP)), "all");
	set = 0;
	raw_sigmask(SIG_SETMASK, &set, NULL);
	is(raw_sigmask(3, &set, NULL), -EINVAL, "how 3");
	is(raw_sigmask(-1, &set, NULL), -EINVAL, "how -1");
	is(raw_sigmask(77, NULL, &old), 0, "how doesn't matter without a set");
	is(raw_sigmask(SIG_BLOCK, (void *)0x1000, NULL), -EFAULT, "a set from nowhere");
	is(raw_sigmask(SIG_BLOCK, NULL, (void *)0x1000), -EFAULT, "the old one to nowhere");
	is(result(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4)), -EINVAL, "a size of 4");
	is(result(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 16)), -EINVAL, "a size of 16");
}

static void pending(void)
{
	unsigned long half = 0;

	catch_with(SIGUSR1, note_signal, 0, 0);
	reset_seen();
	block(BIT_OF(SIGUSR1));
	is(pending_now(), 0, "nothing waits");
	send_self(SIGUSR1);
	send_self(SIGUSR1);
	is(seen.count, 0, "a blocked signal waits");
	is(pending_now(), BIT_OF(SIGUSR1), "and says so");
	is(result(syscall(SYS_rt_sigpending, &half, 4)), 0, "half a set");
	is(half, BIT_OF(SIGUSR1), "has the lower half");
	is(result(syscall(SYS_rt_sigpending, &half, 9)), -EINVAL, "more than a set");
	is(result(syscall(SYS_rt_sigpending, (void *)0x1000, 8)), -EFAULT, "a set to nowhere");
	unblock(BIT_OF(SIGUSR1));
	is(seen.count, 1, "sent twice it comes once");
	is(pending_now(), 0, "then nothing waits");
}

static void in_the_handler(int sig, siginfo_t *info, void *context)
{
	note_signal(sig, info, context);
	seen.value = blocked_now();
	if (seen.count < 2)
		send_self(sig);
	seen.mask = seen.count;
}

static void handler_masks(void)
{
	reset_seen();
	block(BIT_OF(SIGTERM));
	catch_with(SIGUSR1, in_the_handler, 0, BIT_OF(SIGUSR2) | BIT_OF(SIGKILL));
	send_self(SIGUSR1);
	is(seen.value, BIT_OF(SIGUSR1) | BIT_OF(SIGUSR2) | BIT_OF(SIGTERM),
	   "in the handler: itself, sa_mask and what was blocked");
	is(seen.count, 2, "sent by its handler it comes after it");
	is(blocked_now(), BIT_OF(SIGTERM), "afterwards the mask is the old one");
	reset_seen();
	catch_with(SIGUSR1, in_the_handler, SA_NODEFER, BIT_OF(SIGUSR2));
	send_self(SIGUSR1);
	is(seen.value, BIT_OF(SIGUSR2) | BIT_OF(SIGTERM), "with SA_NODEFER not itself");
	is(seen.count, 2, "it comes inside its handler");
	unblock(~0UL);
}

/* --- ignoring ---------------------------------------------------------------------------------------- */

static void ignoring(void)
{
	reset_seen();
	set_plain(SIGUSR1, SIG_IGN);
	send_self(SIGUSR1);
	block(BIT_OF(SIGUSR1));
	send_self(SIGUSR1);
	is(pending_now(), BIT_OF(SIGUSR1), "ignored, but blocked: it waits");
	catch_with(SIGUSR1, note_signal, 0, 0);
	unblock(BIT_OF(SIGUSR1));
	is(seen.count, 1, "for a handler that came later");
	block(BIT_OF(SIGUSR1) | BIT_OF(SIGCHLD) | BIT_OF(SIGWINCH));
	send_self(SIGUSR1);
	set_plain(SIGUSR1, SIG_IGN);
	is(pending_now(), 0, "to ignore it drops what waits");
	send_self(SIGWINCH);
	is(pending_now(), BIT_OF(SIGWINCH), "one ignored by default waits too");
	set_plain(SIGWINCH, SIG_DFL);
	is(pending_now(), 0, "and is dropped by setting that default");
	unblock(~0UL);
	send_self(SIGCONT);
	send_self(SIGURG);
	ok(true, "SIGCONT and SIGURG do nothing by default");
	block(BIT_OF(SIGCONT) | BIT_OF(SIGTSTP));
	send_self(SIGTSTP);
	is(pending_now(), BIT_OF(SIGTSTP), "SIGTSTP waits");
	send_self(SIGCONT);
	is(pending_now(), BIT_OF(SIGCONT), "SIGCONT takes its place");
	send_self(SIGTSTP);
	is(pending_now(), BIT_OF(SIGTSTP), "and the other way round");
	set_plain(SIGTSTP, SIG_IGN);
	unblock(~0UL);
	set_plain(SIGTSTP, SIG_DFL);
}

/* --- actions ------------------------------------------------------------------------------------------- */

static void actions(void)
{
	struct raw_sigaction act = { .handler = (void *)note_signal, .flags = ~0UL, .mask = ~0UL };
	struct raw_sigaction old;

	set_plain(SIGUSR1, SIG_DFL);
	is(raw_sigaction(SIGUSR1, &act, NULL), 0, "every flag there is");
	is(raw_sigaction(SIGUSR1, NULL, &old), 0, "reading it back");
	is(old.flags, 0xdc000807, "the flags that Linux knows");
	is(old.mask, ~(BIT_OF(SIGKILL) | BIT_OF(SIGSTOP)), "the mask but SIGKILL and SIGSTOP");
	ok(old.handler == act.handler, "the handler");
	act = (struct raw_sigaction){ .handler = NULL };
	is(raw_sigaction(SIGUSR1, &act, &act), 0, "new and old in one place");
	is(act.flags, 0xdc000807, "are exchanged");
	is(raw_sigaction(0, NULL, NULL), -EINVAL, "signal 0");
	is(raw_sigaction(65, NULL, NULL), -EINVAL, "signal 65");
	is(raw_sigaction(-1, NULL, NULL), -EINVAL, "signal -1");
	is(raw_sigaction(64, NULL, NULL), 0, "signal 64");
	is(raw_sigaction(SIGKILL, &act, NULL), -EINVAL, "SIGKILL can't be changed");
	is(raw_sigaction(SIGSTOP, &act, NULL), -EINVAL, "nor SIGSTOP");
	is(raw_sigaction(SIGKILL, NULL, &old), 0, "but looked at");
	is(raw_sigaction(SIGUSR1, (void *)0x1000, NULL), -EFAULT, "from nowhere");
	is(raw_sigaction(SIGUSR1, NULL, (void *)0x1000), -EFAULT, "to nowhere");
	is(raw_sigaction(65, (void *)0x1000, NULL), -EFAULT,
	   "the action is read before the number is");
	is(result(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4)), -EINVAL, "a size of 4");
	catch_with(SIGUSR1, note_signal, SA_RESETHAND, 0);
	send_self(SIGUSR1);
	raw_sigaction(SIGUSR1, NULL, &old);
	ok(old.handler == SIG_DFL, "SA_RESETHAND leaves the default");
	ok(old.flags & SA_RESETHAND, "and the flags");
}

/* --- sending ---------------------------------------------------------------------------------------------- */

static long queue(int pid, int sig, int code, unsigned long value)
{
	unsigned char info[128];

	memset(info, 0, sizeof(info));
	memcpy(info + 8, &code, sizeof(code));
	*(int *)(info + 16) = 4711;
	*(int *)(info + 20) = 815;
	memcpy(info + 24, &value, sizeof(value));
	return result(syscall(SYS_rt_sigqueueinfo, pid, sig, info));
}

static void senders(void)
{
	catch_with(SIGUSR1, note_signal, 0, 0);
	catch_with(RT, note_signal, 0, 0);
	reset_seen();
	send_self(SIGUSR1);
	is(seen.code, SI_USER, "kill: SI_USER");
	is(seen.pid, getpid(), "kill: si_pid");
	is(seen.uid, getuid(), "kill: si_uid");
	is(seen.err_no, 0, "kill: si_errno");
	send_thread(SIGUSR1);
	is(seen.code, SI_TKILL, "tgkill: SI_TKILL");
	is(seen.pid, getpid(), "tgkill: si_pid");
	is(result(syscall(SYS_tkill, getpid(), SIGUSR1)), 0, "tkill");
	is(seen.code, SI_TKILL, "tkill: SI_TKILL");
	is(queue(getpid(), SIGUSR1, SI_QUEUE, 0x123456789abcdef0), 0, "sigqueue");
	is(seen.code, SI_QUEUE, "sigqueue: SI_QUEUE");
	is(seen.value, 0x123456789abcdef0, "sigqueue: the value");
	is(seen.pid, 4711, "sigqueue: whatever si_pid the sender says");
	is(queue(getpid(), SIGUSR1, SI_KERNEL_CODE, 0), 0, "to itself one may pretend anything");
	is(seen.code, SI_KERNEL_CODE, "SI_KERNEL");
	is(queue(getppid(), 0, SI_USER, 0), -EPERM, "to others not to be kill");
	is(queue(getppid(), 0, SI_TKILL, 0), -EPERM, "nor tgkill");
	is(queue(getppid(), 0, SI_KERNEL_CODE, 0), -EPERM, "nor the kernel");

	is(send_self(0), 0, "signal 0 only asks");
	is(send_self(65), -EINVAL, "signal 65");
	is(send_self(-1), -EINVAL, "signal -1");
	is(result(syscall(SYS_kill, 999999, SIGUSR1)), -ESRCH, "nobody");
	is(result(syscall(SYS_kill, 999999, 65)), -ESRCH, "nobody comes before signal 65");
	is(result(syscall(SYS_tgkill, getpid(), 999999, 0)), -ESRCH, "tgkill: nobody");
	is(result(syscall(SYS_tgkill, getpid() + 1, getpid(), 0)), -ESRCH,
	   "tgkill: of another process");
	is(result(syscall(SYS_tgkill, 0, getpid(), 0)), -EINVAL, "tgkill: process 0");
	is(result(syscall(SYS_tgkill, getpid(), -1, 0)), -EINVAL, "tgkill: thread -1");
	is(result(syscall(SYS_tkill, 0, 0)), -EINVAL, "tkill: thread 0");
	is(result(syscall(SYS_rt_sigqueueinfo, getpid(), RT, (void *)0x1000)), -EFAULT,
	   "sigqueue: from nowhere");
}

/* --- order --------------------------------------------------------------------------------------------------- */

/* Frames are stacked one on the other: the last to be taken runs first. */
static void order(void)
{
	static const int signals[] = { SIGTERM, SIGUSR2, SIGUSR1, SIGHUP };
	unsigned long all = 0;

	for (size_t i = 0; i < COUNT(signals); i++) {
		catch_with(signals[i], note_signal, 0, 0);
		all |= BIT_OF(signals[i]);
	}
	block(all);
	for (size_t i = 0; i < COUNT(signals); i++)
		send_self(signals[i]);
	reset_seen();
	unblock(all);
	is(seen.count, 4, "four signals");
	is(seen.order[0], SIGTERM, "the highest number runs first");
	is(seen.order[1], SIGUSR2, "then the next");
	is(seen.order[3], SIGHUP, "the lowest last");

	block(all);
	send_self(SIGHUP);
	send_thread(SIGTERM);
	reset_seen();
	unblock(all);
	is(seen.order[0], SIGHUP, "one for the process is taken after one for the thread");
	is(seen.order[1], SIGTERM, "whatever the numbers");

	/* With all others blocked in the handlers, the order of taking is the order of running. */
	for (size_t i = 0; i < COUNT(signals); i++)
		catch_with(signals[i], note_signal, 0, all | BIT_OF(SIGSEGV));
	catch_with(SIGSEGV, note_signal, 0, all);
	block(all | BIT_OF(SIGSEGV));
	for (size_t i = 0; i < COUNT(signals); i++)
		send_self(signals[i]);
	send_self(SIGSEGV);
	reset_seen();
	unblock(all | BIT_OF(SIGSEGV));
	is(seen.count, 5, "five signals");
	is(seen.order[0], SIGSEGV, "one of the processor's kind is taken first");
	is(seen.order[1], SIGHUP, "then the lowest number");
	is(seen.order[2], SIGUSR1, "and the next");
	is(seen.order[4], SIGTERM, "and the highest last");
	for (size_t i = 0; i < COUNT(signals); i++)
		set_plain(signals[i], SIG_DFL);
	set_plain(SIGSEGV, SIG_DFL);
}

static volatile unsigned long values[8];
static volatile int nr_values;

static void note_value(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	if (nr_values < (int)COUNT(values))
		values[nr_values] = (unsigned long)info->si_value.sival_ptr;
	nr_values++;
}

static void queued(void)
{
	block(BIT_OF(RT) | BIT_OF(SIGUSR1));
	catch_with(RT, note_value, 0, 0);
	catch_with(SIGUSR1, note_value, 0, 0);
	for (unsigned long i = 1; i <= 4; i++)
		queue(getpid(), RT, SI_QUEUE, i * 11);
	unblock(BIT_OF(RT));
	is(nr_values, 4, "a real-time signal comes as often as it is sent");
	is(values[0], 11, "the first first");
	is(values[3], 44, "the last last");
	nr_values = 0;
	queue(getpid(), SIGUSR1, SI_QUEUE, 1);
	queue(getpid(), SIGUSR1, SI_QUEUE, 2);
	unblock(BIT_OF(SIGUSR1));
	is(nr_values, 1, "another once");
	is(values[0], 1, "as it was first sent");
}

/* RLIMIT_SIGPENDING: what can't be queued fails, or comes without its information. */
static int limit_mode(int argc, char **argv)
{
	struct rlimit limit = { 0, 0 };
	int failed = 0;

	(void)argc, (void)argv;
	setrlimit(RLIMIT_SIGPENDING, &limit);
	catch_with(RT, note_signal, 0, 0);
	catch_with(SIGUSR1, note_signal, 0, 0);
	failed += queue(getpid(), RT, SI_QUEUE, 7) != -EAGAIN;
	failed += seen.count != 0;
	failed += send_self(RT) != 0 || seen.count != 1 || seen.code != SI_USER || seen.pid != 0;
	failed += queue(getpid(), SIGUSR1, SI_QUEUE, 7) != 0 || seen.count != 2 ||
		  seen.code != SI_USER || seen.value != 0;
	failed += send_self(SIGUSR1) != 0 || seen.count != 3 || seen.pid != getpid();
	return failed ? failed : 42;
}

/* --- waiting -------------------------------------------------------------------------------------------------- */

static long timedwait(unsigned long set, siginfo_t *info, long sec, long nsec)
{
	struct {
		long sec, nsec;
	} ts = { sec, nsec };

	return result(syscall(SYS_rt_sigtimedwait, &set, info, &ts, 8));
}

static void sigtimedwait_(void)
{
	siginfo_t info;
	unsigned long set = BIT_OF(SIGUSR1);

	catch_with(SIGUSR1, note_signal, 0, 0);
	reset_seen();
	is(timedwait(set, NULL, 0, 0), -EAGAIN, "sigtimedwait: nothing there");
	is(timedwait(set, NULL, 0, 2000000), -EAGAIN, "nothing came");
	is(timedwait(set, NULL, 0, 1000000000), -EINVAL, "a second of nanoseconds");
	is(timedwait(set, NULL, -1, 0), -EINVAL, "a negative time");
	is(result(syscall(SYS_rt_sigtimedwait, (void *)0x1000, NULL, NULL, 8)), -EFAULT,
	   "a set from nowhere");
	is(result(syscall(SYS_rt_sigtimedwait, &set, NULL, (void *)0x1000, 8)), -EFAULT,
	   "a time from nowhere");
	is(result(syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 4)), -EINVAL, "a size of 4");
	block(BIT_OF(SIGUSR1) | BIT_OF(SIGUSR2));
	send_self(SIGUSR1);
	memset(&info, 0xee, sizeof(info));
	is(timedwait(set, &info, 0, 0), SIGUSR1, "one that waits is taken");
	is(info.si_signo, SIGUSR1, "its number");
	is(info.si_pid, getpid(), "its sender");
	is(((unsigned char *)&info)[127], 0, "the rest is zero");
	is(seen.count, 0, "its handler isn't called");
	is(pending_now(), 0, "it waits no more");
	send_self(SIGUSR1);
	is(timedwait(BIT_OF(SIGUSR2), NULL, 0, 0), -EAGAIN, "not one that isn't in the set");
	is(timedwait(set, (void *)0x1000, 0, 0), -EFAULT, "information to nowhere");
	is(pending_now(), 0, "it is taken all the same");
	unblock(~0UL);
}

static void sigsuspend_(void)
{
	unsigned long mask = BIT_OF(SIGUSR2);

	catch_with(SIGUSR1, note_signal, 0, 0);
	reset_seen();
	block(BIT_OF(SIGUSR1) | BIT_OF(SIGTERM));
	send_self(SIGUSR1);
	is(result(syscall(SYS_rt_sigsuspend, &mask, 8)), -EINTR,
	   "sigsuspend ends by the signal it lets in");
	is(seen.count, 1, "whose handler was called");
	is(seen.mask, BIT_OF(SIGUSR1) | BIT_OF(SIGTERM), "its frame has the mask from before");
	is(blocked_now(), BIT_OF(SIGUSR1) | BIT_OF(SIGTERM), "which is back");
	is(result(syscall(SYS_rt_sigsuspend, &mask, 4)), -EINVAL, "a size of 4");
	is(result(syscall(SYS_rt_sigsuspend, (void *)0x1000, 8)), -EFAULT, "a mask from nowhere");
	unblock(~0UL);
}

/* --- exec, vfork and children ------------------------------------------------------------------------------------ */

/* Started with SIGUSR1 handled, SIGUSR2 ignored, SIGTERM blocked and waiting. */
static int inherited_mode(int argc, char **argv)
{
	struct raw_sigaction usr1, usr2;
	int failed = 0;

	(void)argc, (void)argv;
	raw_sigaction(SIGUSR1, NULL, &usr1);
	raw_sigaction(SIGUSR2, NULL, &usr2);
	failed += usr1.handler != SIG_DFL || usr1.flags || usr1.mask || usr1.restorer;
	failed += usr2.handler != SIG_IGN || usr2.flags || usr2.mask;
	failed += blocked_now() != BIT_OF(SIGTERM);
	failed += pending_now() != 0;
	return failed ? failed : 42;
}

__attribute__((noinline)) static int own_pending_child(void)
{
	char *argv[] = { (char *)tap.path, "pending", NULL }, *envp[] = { NULL };
	pid_t pid = vfork();

	if (pid == 0) {
		send_self(SIGTERM);
		execve("/proc/self/exe", argv, envp);
		execve(tap.path, argv, envp);
		_exit(127);
	}
	return wait_status(pid);
}

static int pending_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	return blocked_now() == BIT_OF(SIGTERM) && pending_now() == BIT_OF(SIGTERM) ? 42 : 1;
}

__attribute__((noinline)) static void change_in_child(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		struct raw_sigaction act = { .handler = SIG_IGN };
		unsigned long none = 0;

		raw_sigaction(SIGUSR1, &act, NULL);
		raw_sigmask(SIG_SETMASK, &none, NULL);
		_exit(0);
	}
	wait_status(pid);
}

static void inheritance(void)
{
	struct raw_sigaction now;

	catch_with(SIGUSR1, note_signal, SA_NODEFER, BIT_OF(SIGHUP));
	set_plain(SIGUSR2, SIG_IGN);
	block(BIT_OF(SIGTERM));
	send_self(SIGTERM);
	exits("inherited", 42,
	      "exec resets handlers and keeps what is ignored and blocked; a child inherits no signal");
	is(own_pending_child(), 42 << 8, "what waits outlives exec");
	change_in_child();
	raw_sigaction(SIGUSR1, NULL, &now);
	ok(now.handler == (void *)note_signal, "a vfork child's actions are its own");
	is(blocked_now(), BIT_OF(SIGTERM), "so is its mask");
	set_plain(SIGTERM, SIG_IGN);
	set_plain(SIGTERM, SIG_DFL);
	set_plain(SIGUSR2, SIG_DFL);
	unblock(~0UL);
}

static int exit7_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	return 7;
}

static int killed_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	send_self(SIGKILL);
	return 1;
}

static void children(void)
{
	pid_t pid;

	catch_with(SIGCHLD, note_signal, 0, 0);
	block(BIT_OF(SIGCHLD));
	reset_seen();
	pid = start_mode("exit7", NULL, NULL);
	is(wait_status(pid), 7 << 8, "a child exits with 7");
	unblock(BIT_OF(SIGCHLD));
	is(seen.count, 1, "SIGCHLD comes");
	is(seen.code, CLD_EXITED, "CLD_EXITED");
	is(seen.pid, pid, "si_pid");
	is(seen.uid, getuid(), "si_uid");
	is(seen.value & 0xffffffff, 7, "si_status");
	block(BIT_OF(SIGCHLD));
	pid = start_mode("killed", NULL, NULL);
	is(wait_status(pid), SIGKILL, "a child is killed");
	unblock(BIT_OF(SIGCHLD));
	is(seen.code, CLD_KILLED, "CLD_KILLED");
	is(seen.value & 0xffffffff, SIGKILL, "si_status is the signal");

	reset_seen();
	catch_with(SIGCHLD, note_signal, SA_NOCLDWAIT, 0);
	pid = start_mode("exit7", NULL, NULL);
	ok(pid > 0, "a child with SA_NOCLDWAIT");
	is(result(wait4(-1, NULL, 0, NULL)), -ECHILD, "wait outlasts it, and gets nothing");
	is(seen.count, 1, "SIGCHLD comes all the same");
	is(result(syscall(SYS_kill, pid, 0)), -ESRCH, "the child is gone");

	set_plain(SIGCHLD, SIG_IGN);
	pid = start_mode("exit7", NULL, NULL);
	is(result(waitpid(pid, NULL, 0)), -ECHILD, "the same where SIGCHLD is ignored");
	set_plain(SIGCHLD, SIG_DFL);
	is(run_mode("exit7", NULL, NULL), 7 << 8, "and by default it is waited for");
}

/* Two that wait, the lower one with a handler, the other deadly: it ends before the handler runs. */
static void leave(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
	_exit(1);
}

static int deadly_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	catch_with(SIGUSR1, leave, 0, 0);
	block(BIT_OF(SIGUSR1) | BIT_OF(SIGTERM));
	send_self(SIGUSR1);
	send_self(SIGTERM);
	unblock(BIT_OF(SIGUSR1) | BIT_OF(SIGTERM));
	return 2;
}

static const struct mode modes[] = {
	{ "limit", limit_mode }, { "inherited", inherited_mode }, { "pending", pending_mode },
	{ "exit7", exit7_mode }, { "killed", killed_mode },	  { "deadly", deadly_mode },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	masks();
	pending();
	handler_masks();
	ignoring();
	actions();
	senders();
	order();
	queued();
	exits("limit", 42, "RLIMIT_SIGPENDING");
	sigtimedwait_();
	sigsuspend_();
	inheritance();
	children();
	dies("deadly", SIGTERM, "a deadly signal behind one with a handler");
	return done_testing();
}
