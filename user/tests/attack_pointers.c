/* SPDX-License-Identifier: MIT */
/* runs as root */
/*
 * Every argument of every system call that is a pointer, with each kind of address that a program has no
 * business with. The errno is the one that Linux gives: attack_pointers.h has what the reference said,
 * written there by this program ("record" as its argument). A call that isn't in there yet is tried as
 * well, and has only to be survived.
 *
 * Root is told where in memory a page of its own lies, and so where the kernel's direct map has it: one
 * of the addresses. What is there must stay as it is.
 */
#include "areas.h"

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
 * What the arguments are: as in the kernel's table, and besides = the number that stands here, v a vector
 * whose first buffer is bad, a an array of strings with a bad one, n an array that isn't followed.
 */
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

#define FIONREAD_NR 0x541b
#define FILE_PATH   "/tmp/attack-file"
#define FILE_FD	    3
#define SOCKET_FD   4

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
	{ "process_vm_readv vectors", SYS_process_vm_readv, "=p=p==", { 0, 0, 1, 0, 1 } },
	{ "clone stack", SYS_clone, "=p" },
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
	{ "getsockopt of a socket", SYS_getsockopt, "===pn", { SOCKET_FD, 1, 3 } },
	{ "getsockopt length", SYS_getsockopt, "===np", { SOCKET_FD, 1, 3 } },
	{ "setsockopt of a socket", SYS_setsockopt, "===p=", { SOCKET_FD, 1, 7, 0, 4 } },
	{ "statx of a name", SYS_statx, "=s==p", { -100, 0, 0, 0x7ff } },
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
	/* A child has nothing to do but to end, which it can't where its stack is bad. */
	if (nr == SYS_clone && ret == 0)
		__asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(0));
	return ret;
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
	case 'p':
	case 'v':
	case 'a':
	case 'n':
		return (long)page;
	default:
		return 0;
	}
}

static bool is_pointer(char kind)
{
	return kind && strchr("psva", kind);
}

static void attack(const struct attack *t, int arg, int kind)
{
	long args[6] = { 0 };
	unsigned long at = bad[kind].addr;

	memset(good, 0, 6 * PAGE);
	lseek(FILE_FD, 0, SEEK_SET);
	for (int i = 0; i < 6 && t->kinds[i]; i++)
		args[i] = harmless(t, i);
	if (t->nr == SYS_process_vm_readv || t->nr == SYS_process_vm_writev) {
		args[0] = getpid();
		for (int i = 1; i <= 3; i += 2) {
			unsigned long *iov = (unsigned long *)(good + i * PAGE);

			iov[0] = (unsigned long)good + 5 * PAGE;
			iov[1] = 8;
		}
	}
	if (t->kinds[arg] == 'v' || t->kinds[arg] == 'a') {
		unsigned long *words = (unsigned long *)(good + arg * PAGE);

		words[0] = at;
		words[1] = t->kinds[arg] == 'v' ? 8 : 0;
	} else {
		args[arg] = at;
	}
	results[kind] = raw_call(t->nr, args);
}

/* --- a row of results ------------------------------------------------------------------------------- */

#define DIED 1000

static void all_kinds(const struct attack *t, int arg)
{
	int status = 0;
	pid_t pid;

	for (size_t k = 0; k < KINDS; k++)
		results[k] = -DIED;
	pid = fork();
	if (!pid) {
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
		ok(true, "%s, argument %d: survived", t->name, arg);
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
	}
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
