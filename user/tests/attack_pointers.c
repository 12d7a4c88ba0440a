/* SPDX-License-Identifier: MIT */
/* runs as root */
/*
 * Every argument of every system call that is a pointer, with each kind of address that a program has no
 * business with. The errno is the one that Linux gives: attack_pointers.h has what the reference said,
 * written there by this program, run by an ordinary user with "record" as its argument. A pointer of the
 * table that isn't in there is tried as well, and makes the test fail: it has to be recorded.
 *
 * Root is told where in memory a page of its own lies, and so where the kernel's direct map has it: one
 * of the addresses. What is there must stay as it is.
 */
#include "areas.h"
#include "raw_msghdr.h"
#include <signal.h>
#include <sys/socket.h>

static const struct recorded {
	const char *name, *results;
	int arg;
} recorded[] = {
#define ROW(name, arg, results) { name, results, arg },
#include "attack_pointers.h"
};

static struct {
	const char *what;
	unsigned long addr;
} bad[] = {
	{ "the direct map", 0xffff888000100000 },
	{ "the kernel's text", 0xffffffff81000000 },
	{ "the kernel's image", 0xffffffff80200000 },
	{ "the first address of the kernel's half", 0xffff800000000000 },
	{ "kernel stacks", 0xffffc90000000000 },
	{ "page structures", 0xffffea0000000000 },
	{ "the last page", 0xfffffffffffff000 },
	{ "a range that wraps", 0xfffffffffffffffc },
	{ "an error as a pointer", (unsigned long)-EFAULT },
	{ "the end of user space", TASK_SIZE },
	{ "a range beyond the end of user space", TASK_SIZE - 1 },
	{ "the first address that is not canonical", 0x0000800000000000 },
	{ "the last that is not canonical", 0xffff7fffffffffff },
	{ "one in the middle, with the sign bit", 0x8000000000000000 },
};
#define KINDS COUNT(bad)

/*
 * What the arguments are: as in the kernel's table, and besides
 *
 *	= the number that stands here   n a page that isn't followed   t a timer's id   z an ended child
 *	L the length of a page   h a header as capget wants it   m a message that is well
 *
 * and those with a pointer in them that is bad:
 *
 *	v a vector's first buffer   a one of an array's strings   q pselect6's mask   w a futex_waitv's word
 *	r a robust list, at its head and its pending lock, which is walked at exit
 *	N a message's name   I its vector   B its first buffer   C its control data
 *	1 2 3 5 7 8 clone3's pidfd, child's id, parent's id, stack, thread area, wanted ids
 */
#define BAD_KINDS "psvaqwrNIBC123578"

struct attack {
	const char *name;
	long nr;
	const char *kinds;
	long args[6];
};

static const struct attack plain[] = {
#define SYSCALL(nr, name, kinds) { #name, nr, kinds, { 0 } },
#include "kernel/syscall/table.h"
#undef SYSCALL
};

#define NR_futex_waitv 449
#define FIONREAD_NR    0x541b
#define FILE_PATH      "/tmp/attack-file"
#define FILE_FD	       3
#define SOCKET_FD      4
#define PIDFD_FD       5
#define PEER_FD	       8

/* Calls that take another form before they come to their pointers. */
static struct attack chosen[] = {
	{ "readv buffer", SYS_readv, "=v=", { FILE_FD, 0, 1 } },
	{ "writev buffer", SYS_writev, "=v=", { FILE_FD, 0, 1 } },
	{ "preadv buffer", SYS_preadv, "=v=", { FILE_FD, 0, 1 } },
	{ "pwritev buffer", SYS_pwritev, "=v=", { FILE_FD, 0, 1 } },
	{ "process_vm_readv local", SYS_process_vm_readv, "=v=n==", { 0, 0, 1, 0, 1 } },
	{ "process_vm_readv remote", SYS_process_vm_readv, "=n=v==", { 0, 0, 1, 0, 1 } },
	{ "process_vm_writev local", SYS_process_vm_writev, "=v=n==", { 0, 0, 1, 0, 1 } },
	{ "process_vm_writev remote", SYS_process_vm_writev, "=n=v==", { 0, 0, 1, 0, 1 } },
	{ "process_vm_readv vectors", SYS_process_vm_readv, "=p=n==", { 0, 0, 1, 0, 1 } },
	{ "process_vm_readv remote vectors", SYS_process_vm_readv, "=n=p==", { 0, 0, 1, 0, 1 } },
	{ "clone stack", SYS_clone, "=p", { 0 } },
	{ "clone parent's id", SYS_clone, "==p==", { 0x100000 } },
	{ "clone child's id", SYS_clone, "===p=", { 0x1000000 | 0x200000 } },
	{ "clone thread area", SYS_clone, "====p", { 0x80000 } },
	{ "execve arguments", SYS_execve, "=pn", { (long)"/proc/self/exe" } },
	{ "execve argument", SYS_execve, "=an", { (long)"/proc/self/exe" } },
	{ "execve environment", SYS_execve, "=np", { (long)"/proc/self/exe" } },
	{ "execve variable", SYS_execve, "=na", { (long)"/proc/self/exe" } },
	{ "ioctl FIONREAD", SYS_ioctl, "==p", { FILE_FD, FIONREAD_NR } },
	{ "fcntl F_GETLK", SYS_fcntl, "==p", { FILE_FD, F_GETLK } },
	{ "fcntl F_SETLK", SYS_fcntl, "==p", { FILE_FD, F_SETLK } },
	{ "fcntl F_OFD_GETLK", SYS_fcntl, "==p", { FILE_FD, 36 } },
	{ "prctl PR_SET_NAME", SYS_prctl, "=p", { 15 } },
	{ "prctl PR_GET_NAME", SYS_prctl, "=p", { 16 } },
	{ "prctl PR_GET_PDEATHSIG", SYS_prctl, "=p", { 2 } },
	{ "arch_prctl ARCH_SET_GS", SYS_arch_prctl, "=p", { 0x1001 } },
	{ "arch_prctl ARCH_SET_FS", SYS_arch_prctl, "=p", { 0x1002 } },
	{ "arch_prctl ARCH_GET_FS", SYS_arch_prctl, "=p", { 0x1003 } },
	{ "arch_prctl ARCH_GET_GS", SYS_arch_prctl, "=p", { 0x1004 } },
	{ "set_robust_list of its size", SYS_set_robust_list, "p=", { 0, 24 } },
	{ "futex FUTEX_WAKE", SYS_futex, "p==pp=", { 0, 1, 1 } },
	{ "futex FUTEX_WAKE_OP", SYS_futex, "p==pp=", { 0, 5, 1 } },
	{ "futex FUTEX_CMP_REQUEUE", SYS_futex, "p===p=", { 0, 4, 1, 1 } },
	{ "futex FUTEX_WAIT time", SYS_futex, "n==p", { 0, 0, 0 } },
	{ "shmctl IPC_STAT", SYS_shmctl, "==p", { -1, 2 } },
	{ "shmctl IPC_SET", SYS_shmctl, "==p", { -1, 1 } },
	{ "shmat of a segment", SYS_shmat, "=p=", { -1 } },
	{ "readlink of a link", SYS_readlink, "=pl", { (long)"/proc/self/exe" } },
	{ "readlinkat of a link", SYS_readlinkat, "==pl", { -1, (long)"/proc/self/exe" } },
	{ "openat2 of its size", SYS_openat2, "dsp=", { 0, 0, 0, 24 } },
	{ "clone3 of its size", SYS_clone3, "p=", { 0, 64 } },
	{ "clock_nanosleep CLOCK_MONOTONIC", SYS_clock_nanosleep, "==pp", { 1 } },
	{ "timer_create CLOCK_MONOTONIC", SYS_timer_create, "=pp", { 1 } },
	{ "sched_getparam of oneself", SYS_sched_getparam, "=p", { 0 } },
	{ "sched_setparam of oneself", SYS_sched_setparam, "=p", { 0 } },
	{ "sched_getaffinity of oneself", SYS_sched_getaffinity, "=lp", { 0 } },
	{ "sched_rr_get_interval of oneself", SYS_sched_rr_get_interval, "=p", { 0 } },
	{ "get_robust_list of oneself", SYS_get_robust_list, "=pp", { 0 } },
	{ "prlimit64 of oneself", SYS_prlimit64, "==pp", { 0, RLIMIT_NOFILE } },
	{ "waitid P_ALL", SYS_waitid, "==p=p", { 0, 0, 0, 5 } },
	{ "sendto of a socket", SYS_sendto, "=p====", { SOCKET_FD, 0, 8, 0x40 } },
	{ "recvfrom of a socket", SYS_recvfrom, "=p==pp", { SOCKET_FD, 0, 8, 0x40 } },
	{ "sendmsg of a socket", SYS_sendmsg, "=p=", { SOCKET_FD, 0, 0x40 } },
	{ "recvmsg of a socket", SYS_recvmsg, "=p=", { SOCKET_FD, 0, 0x40 } },
	{ "getsockname of a socket", SYS_getsockname, "=pp", { SOCKET_FD } },
	{ "getpeername of a socket", SYS_getpeername, "=pp", { SOCKET_FD } },
	{ "getsockopt of a socket", SYS_getsockopt, "===pL", { SOCKET_FD, 1, 3 } },
	{ "getsockopt length", SYS_getsockopt, "===np", { SOCKET_FD, 1, 3 } },
	{ "setsockopt of a socket", SYS_setsockopt, "===p=", { SOCKET_FD, 1, 7, 0, 4 } },
	{ "statx of a name", SYS_statx, "=s==p", { -100, 0, 0, 0x7ff } },
	{ "sendto address", SYS_sendto, "=n==p=", { SOCKET_FD, 0, 8, MSG_DONTWAIT, 0, 16 } },
	{ "sendmsg name", SYS_sendmsg, "=N=", { SOCKET_FD, 0, MSG_DONTWAIT } },
	{ "sendmsg vector", SYS_sendmsg, "=I=", { SOCKET_FD, 0, MSG_DONTWAIT } },
	{ "sendmsg buffer", SYS_sendmsg, "=B=", { SOCKET_FD, 0, MSG_DONTWAIT } },
	{ "sendmsg control", SYS_sendmsg, "=C=", { SOCKET_FD, 0, MSG_DONTWAIT } },
	{ "recvmsg name", SYS_recvmsg, "=N=", { SOCKET_FD, 0, MSG_DONTWAIT } },
	{ "recvmsg vector", SYS_recvmsg, "=I=", { SOCKET_FD, 0, MSG_DONTWAIT } },
	{ "recvmsg buffer", SYS_recvmsg, "=B=", { SOCKET_FD, 0, MSG_DONTWAIT } },
	{ "recvmsg control", SYS_recvmsg, "=C=", { SOCKET_FD, 0, MSG_DONTWAIT } },
	{ "sendmmsg of a socket", SYS_sendmmsg, "=p==", { SOCKET_FD, 0, 1, MSG_DONTWAIT } },
	{ "sendmmsg buffer", SYS_sendmmsg, "=B==", { SOCKET_FD, 0, 1, MSG_DONTWAIT } },
	{ "sendmmsg control", SYS_sendmmsg, "=C==", { SOCKET_FD, 0, 1, MSG_DONTWAIT } },
	{ "recvmmsg of a socket", SYS_recvmmsg, "=p===", { SOCKET_FD, 0, 1, MSG_DONTWAIT } },
	{ "recvmmsg buffer", SYS_recvmmsg, "=B===", { SOCKET_FD, 0, 1, MSG_DONTWAIT } },
	{ "recvmmsg control", SYS_recvmmsg, "=C===", { SOCKET_FD, 0, 1, MSG_DONTWAIT } },
	{ "recvmmsg time", SYS_recvmmsg, "=m==p", { SOCKET_FD, 0, 1, MSG_DONTWAIT } },
	{ "getsockopt SO_PEERCRED", SYS_getsockopt, "===pL", { SOCKET_FD, 1, 17 } },
	{ "getsockopt SO_RCVTIMEO", SYS_getsockopt, "===pL", { SOCKET_FD, 1, 20 } },
	{ "setsockopt SO_RCVTIMEO", SYS_setsockopt, "===p=", { SOCKET_FD, 1, 20, 0, 16 } },
	{ "setsockopt SO_LINGER", SYS_setsockopt, "===p=", { SOCKET_FD, 1, 13, 0, 8 } },
	{ "socketpair of sockets", SYS_socketpair, "===p", { 1, 1, 0 } },
	{ "pidfd_send_signal of one", SYS_pidfd_send_signal, "==p=", { PIDFD_FD, 0 } },
	{ "process_madvise of one", SYS_process_madvise, "=p===", { PIDFD_FD, 0, 1, 20 } },
	{ "process_madvise range", SYS_process_madvise, "=v===", { PIDFD_FD, 0, 1, 20 } },
	{ "waitid P_PIDFD", SYS_waitid, "==p=p", { 3, PIDFD_FD, 0, 4 } },
	{ "wait4 of a child", SYS_wait4, "zp=p", { 0 } },
	{ "waitid of a child", SYS_waitid, "=zp=p", { 1, 0, 0, 4 } },
	{ "clone of a vfork's id", SYS_clone, "===p=", { 0x4100 | 0x1000000 | 0x200000 } },
	{ "clone3 pidfd", SYS_clone3, "1=", { 0x1000, 88 } },
	{ "clone3 child's id", SYS_clone3, "2=", { 0x1000000 | 0x200000, 88 } },
	{ "clone3 parent's id", SYS_clone3, "3=", { 0x100000, 88 } },
	{ "clone3 stack", SYS_clone3, "5=", { 0, 88 } },
	{ "clone3 thread area", SYS_clone3, "7=", { 0x80000, 88 } },
	{ "clone3 wanted ids", SYS_clone3, "8=", { 0, 88 } },
	{ "execveat arguments", SYS_execveat, "==pn=", { -100, (long)"/proc/self/exe" } },
	{ "execveat argument", SYS_execveat, "==an=", { -100, (long)"/proc/self/exe" } },
	{ "execveat variable", SYS_execveat, "==na=", { -100, (long)"/proc/self/exe" } },
	{ "preadv2 buffer", SYS_preadv2, "=v=", { FILE_FD, 0, 1 } },
	{ "pwritev2 buffer", SYS_pwritev2, "=v=", { FILE_FD, 0, 1 } },
	{ "futex_waitv of one", NR_futex_waitv, "p==n=", { 0, 1, 0, 0, 1 } },
	{ "futex_waitv word", NR_futex_waitv, "w==n=", { 0, 1, 0, 0, 1 } },
	{ "futex_waitv time", NR_futex_waitv, "n==p=", { 0, 1, 0, 0, 1 } },
	{ "robust list", SYS_set_robust_list, "r=", { 0, 24 } },
	{ "pselect6 mask", SYS_pselect6, "====nq", { 0 } },
	{ "capget data", SYS_capget, "hp", { 0 } },
	{ "capset data", SYS_capset, "hp", { 0 } },
	{ "prctl PR_GET_TSC", SYS_prctl, "=p", { 25 } },
	{ "prctl PR_GET_CHILD_SUBREAPER", SYS_prctl, "=p", { 37 } },
	{ "prctl PR_GET_TID_ADDRESS", SYS_prctl, "=p", { 40 } },
	{ "fcntl F_OFD_SETLK", SYS_fcntl, "==p", { FILE_FD, 37 } },
	{ "shmctl IPC_INFO", SYS_shmctl, "==p", { -1, 3 } },
	{ "shmctl SHM_INFO", SYS_shmctl, "==p", { -1, 14 } },
	{ "ioctl TCGETS", SYS_ioctl, "==p", { 0, 0x5401 } },
	{ "ioctl TCSETS", SYS_ioctl, "==p", { 0, 0x5402 } },
	{ "ioctl TIOCGWINSZ", SYS_ioctl, "==p", { 0, 0x5413 } },
	{ "ioctl TIOCSWINSZ", SYS_ioctl, "==p", { 0, 0x5414 } },
	{ "ioctl FIONREAD of a socket", SYS_ioctl, "==p", { SOCKET_FD, FIONREAD_NR } },
	{ "getitimer ITIMER_REAL", SYS_getitimer, "=p", { 0 } },
	{ "setitimer ITIMER_REAL", SYS_setitimer, "=pp", { 0 } },
	{ "getrusage of oneself", SYS_getrusage, "=p", { 0 } },
	{ "sched_setscheduler of oneself", SYS_sched_setscheduler, "==p", { 0, 0 } },
	{ "sched_setaffinity of oneself", SYS_sched_setaffinity, "==p", { 0, 8 } },
	{ "timer_gettime of a timer", SYS_timer_gettime, "tp", { 0 } },
	{ "timer_settime of a timer", SYS_timer_settime, "t=pp", { 0 } },
};

/* --- one call ---------------------------------------------------------------------------------------- */

static char *good; /* a page for each argument */
static long *results;
static const char *watched;   /* what the direct map has at bad[0] */
static long number = FILE_FD; /* a descriptor, and for some calls a process that isn't there */

static long raw_call(long nr, const long *a)
{
	register long r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	/* A child has nothing to do but to end, for which it needs no stack. */
	if ((nr == SYS_clone || nr == SYS_clone3) && ret == 0)
		__asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(0));
	return ret;
}

#define DIED 1000

static int timer; /* of the process that attacks */

/* The message in a page: 8 bytes, and the credentials of oneself. */
static struct raw_msghdr *message(char *page)
{
	struct raw_msghdr *m = (struct raw_msghdr *)page;
	struct iovec *iov = (struct iovec *)(page + 256);
	struct cmsghdr *c = (struct cmsghdr *)(page + 512);

	*iov = (struct iovec){ page + 1024, 8 };
	*m = (struct raw_msghdr){ page + 2048, 16, iov, 1, c, CMSG_SPACE(12), 0 };
	c->cmsg_len = CMSG_LEN(12);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = 2; /* SCM_CREDENTIALS */
	memcpy(CMSG_DATA(c), (int[]){ getpid(), getuid(), getgid() }, 12);
	return m;
}

static pid_t ended_child(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return pid;
}

/* A harmless value for the argument. */
static long harmless(const struct attack *t, int i)
{
	char *page = good + i * PAGE;

	switch (t->kinds[i]) {
	case '=':
		return t->args[i];
	case 's':
		return (long)FILE_PATH;
	case 'd':
		return number;
	case 'l':
		return 8;
	case 't':
		return timer;
	case 'z':
		return ended_child();
	case 'h':
		*(unsigned int *)page = 0x20080522; /* version 3 */
		return (long)page;
	case 'L':
		*(int *)page = 128;
		return (long)page;
	case 'm':
		return (long)message(page);
	case 'p':
	case 'n':
		return (long)page;
	default:
		return strchr(BAD_KINDS, t->kinds[i]) ? (long)page : 0;
	}
}

static bool is_pointer(char kind)
{
	return kind && strchr(BAD_KINDS, kind);
}

/* The argument, or what it points to, becomes bad; a message and clone3's arguments are well but for that. */
static long spoil(const struct attack *t, int arg, unsigned long at)
{
	char kind = t->kinds[arg], *page = good + arg * PAGE;
	unsigned long *words = (unsigned long *)page;
	struct raw_msghdr *m = strchr("NIBC", kind) ? message(page) : NULL;

	switch (kind) {
	case 'p':
	case 's':
		return at;
	case 'v':
	case 'q':
		words[1] = 8; /* fall through */
	case 'a':
		words[0] = at;
		break;
	case 'w':
		words[1] = at;
		((unsigned int *)words)[4] = 2; /* 32 bits */
		break;
	case 'r':
		words[0] = words[2] = at;
		break;
	case 'N':
		m->name = (void *)at;
		break;
	case 'I':
		m->iov = (void *)at;
		break;
	case 'B':
		m->iov->iov_base = (void *)at;
		break;
	case 'C':
		m->control = (void *)at;
		break;
	default: /* a word of clone3's; the length of a stack follows it, as does that of wanted ids */
		words[0] = t->args[arg];
		words[kind - '0'] = at;
		words[kind - '0' + 1] += kind == '5' ? 8 : kind == '8';
		words[4] = SIGCHLD;
		break;
	}
	return (long)page;
}

static long in_a_child(long nr, const long *args)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(raw_call(nr, args) != 0);
	waitpid(pid, &status, 0);
	return status ? -DIED : 0;
}

static void attack(const struct attack *t, int arg, int kind)
{
	long args[6] = { 0 };

	memset(good, 0, 6 * PAGE);
	lseek(FILE_FD, 0, SEEK_SET);
	for (int i = 0; i < 6 && t->kinds[i]; i++)
		args[i] = harmless(t, i);
	if (t->nr == SYS_process_vm_readv || t->nr == SYS_process_vm_writev) {
		args[0] = getpid();
		for (int i = 1; i <= 3; i += 2)
			*(struct iovec *)(good + i * PAGE) = (struct iovec){ good + 5 * PAGE, 8 };
	}
	/* There is always something to be received. (The C library might want a thread area.) */
	raw_call(SYS_sendto, (long[]){ PEER_FD, (long)"message", 8, MSG_DONTWAIT, 0, 0 });
	args[arg] = spoil(t, arg, bad[kind].addr);
	results[kind] = t->kinds[arg] == 'r' ? in_a_child(t->nr, args) : raw_call(t->nr, args);
}

/* --- a row of results ------------------------------------------------------------------------------- */

static void all_kinds(const struct attack *t, int arg)
{
	int status = 0;
	pid_t pid;

	for (size_t k = 0; k < KINDS; k++)
		results[k] = -DIED;
	pid = fork();
	if (!pid) {
		if (strchr(t->kinds, 't'))
			syscall(SYS_timer_create, 1,
				&(struct sigevent){ .sigev_notify = SIGEV_NONE }, &timer);
		for (size_t k = 0; k < KINDS; k++)
			attack(t, arg, k);
		_exit(0);
	}
	waitpid(pid, &status, 0);
}

/* "14*3 22 ok*10": errnos, each so many times. */
static const char *in_words(void)
{
	static char text[256];
	int used = 0;

	for (size_t k = 0, n; k < KINDS; k += n) {
		long r = results[k] >= 0 ? 0 : -results[k];

		for (n = 1; k + n < KINDS; n++)
			if ((results[k + n] >= 0 ? 0 : -results[k + n]) != r)
				break;
		used += snprintf(text + used, sizeof(text) - used, used ? " " : "");
		used += r ? snprintf(text + used, sizeof(text) - used, "%ld", r) :
			    snprintf(text + used, sizeof(text) - used, "ok");
		if (n > 1)
			used += snprintf(text + used, sizeof(text) - used, "*%zu", n);
	}
	return text;
}

static const char *expected(const struct attack *t, int arg)
{
	for (size_t i = 0; i < COUNT(recorded); i++)
		if (recorded[i].arg == arg && !strcmp(recorded[i].name, t->name))
			return recorded[i].results;
	return NULL;
}

static bool untouched(void)
{
	for (size_t i = 0; watched && i < PAGE; i++)
		if (watched[i] != 'w')
			return false;
	return true;
}

static int calls, pointers;

static void check_argument(const struct attack *t, int arg)
{
	const char *want = expected(t, arg), *got;

	all_kinds(t, arg);
	got = in_words();
	pointers++;
	/* What root may do, others may not: the record is of the others. */
	if (want && getuid())
		is_str(got, want, "%s, argument %d", t->name, arg);
	else
		ok(want || getuid() == 0, "%s, argument %d: survived", t->name, arg);
	if (!untouched())
		ok(false, "%s, argument %d: memory was written", t->name, arg);
}

static bool chosen_only(long nr)
{
	static const short calls_of_processes[] = { SYS_sched_getparam, SYS_sched_rr_get_interval,
						    SYS_sched_getaffinity, SYS_get_robust_list,
						    SYS_prlimit64 };

	for (size_t i = 0; i < COUNT(calls_of_processes); i++)
		if (nr == calls_of_processes[i])
			return true;
	return nr == SYS_clone || nr == SYS_futex || nr == SYS_shmat || nr == SYS_shmctl;
}

static void each(const struct attack *t, size_t n, void (*fn)(const struct attack *t, int arg))
{
	for (size_t i = 0; i < n; i++) {
		int had = pointers;

		/* Those whose other arguments don't mean anything by chance are above. */
		if (t == plain && chosen_only(t[i].nr))
			continue;
		for (int arg = 0; arg < 6 && t[i].kinds[arg]; arg++)
			if (is_pointer(t[i].kinds[arg]))
				fn(&t[i], arg);
		calls += pointers > had;
	}
}

static void record_argument(const struct attack *t, int arg)
{
	char line[400];

	all_kinds(t, arg);
	tap_write(line, snprintf(line, sizeof(line), "ROW(\"%s\", %d, \"%s\")\n", t->name, arg,
				 in_words()));
}

/* Where the direct map has a page of ours: what root sees in pagemap, and the map's address in Tessera. */
static void aim(void)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);
	char *page = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	memset(page, 'w', PAGE);
	if (pread(fd, &entry, 8, (unsigned long)page / PAGE * 8) == 8 &&
	    (entry & ((1UL << 55) - 1))) {
		bad[0].addr = 0xffff888000000000 + (entry & ((1UL << 55) - 1)) * PAGE;
		watched = page;
	}
	close(fd);
}

static void prepare(void)
{
	void *last = (void *)(TASK_SIZE - PAGE);
	int fd = open(FILE_PATH, O_RDWR | O_CREAT | O_TRUNC, 0600);
	int id = syscall(SYS_shmget, 0, PAGE, 0600), sockets[2];

	if (fd != FILE_FD) {
		dup2(fd, FILE_FD);
		close(fd);
	}
	/* Root's calls must not reach a process that happens to have that number. */
	if (geteuid() == 0)
		number = dup2(FILE_FD, 900);
	if (!syscall(SYS_socketpair, 1, 1, 0, sockets)) {
		int at = dup(sockets[0]); /* away from the place itself */

		dup2(at, SOCKET_FD);
		setsockopt(SOCKET_FD, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, 4);
		dup2(sockets[1], PEER_FD);
	}
	dup2(syscall(SYS_pidfd_open, getpid(), 0), PIDFD_FD);
	if (write(FILE_FD, "0123456789abcdef", 16) != 16)
		diag("no file");
	/* The last page there is: what begins there goes on where nothing may be. */
	if (mmap(last, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == last)
		memset(last, 'x', PAGE);
	good = mmap(NULL, 6 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	results = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < COUNT(chosen); i++)
		if (chosen[i].nr == SYS_shmctl || chosen[i].nr == SYS_shmat)
			chosen[i].args[0] = id;
}

int main(int argc, char **argv)
{
	bool record = argc > 1 && !strcmp(argv[1], "record");

	tap.path = argv[0];
	prepare();
	each(chosen, COUNT(chosen), record ? record_argument : check_argument);
	aim();
	each(plain, COUNT(plain), record ? record_argument : check_argument);
	for (size_t i = 0; i < COUNT(chosen); i++)
		if (chosen[i].nr == SYS_shmctl) {
			syscall(SYS_shmctl, chosen[i].args[0], 0, NULL);
			break;
		}
	unlink(FILE_PATH);
	if (record)
		return 0;
	ok(untouched(), "the page that was aimed at is as it was");
	diag("%d pointers of %d calls, %zu addresses each%s", pointers, calls, KINDS,
	     watched ? ", one of them in the direct map" : "");
	return done_testing();
}
