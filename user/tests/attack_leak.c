/* SPDX-License-Identifier: MIT */
/*
 * Bytes of the kernel's in what it hands out: the padding of each structure is zero or stays as the
 * program had it, though the kernel's stack was full of something else just before. And memory that is new
 * to a program has nothing in it, whoever had it last.
 */
#include "signals.h"
#include <poll.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>

/* --- structures ---------------------------------------------------------------------------------------- */

#define SPRAY 0xd7

/* Many calls' variables, on the kernel's stack, are full of one byte. */
static void spray(void)
{
	static unsigned char bytes[4096];
	struct pollfd fds[16];
	struct iovec iov[8];

	memset(bytes, SPRAY, sizeof(bytes));
	memset(fds, SPRAY, sizeof(fds));
	memset(iov, SPRAY, sizeof(iov));
	bytes[200] = 0;
	syscall(SYS_poll, fds, 16, 0);
	syscall(SYS_writev, -1, iov, 8);
	syscall(SYS_readv, 0, iov, 8);
	syscall(SYS_setxattr, "/", bytes, bytes, 100, 0);
	syscall(SYS_getxattr, "/", bytes, NULL, 0);
	syscall(SYS_rt_sigqueueinfo, getpid(), SPRAY, bytes);
	syscall(SYS_clone3, bytes, 88);
	syscall(SYS_rt_sigaction, 99, bytes, NULL, 8);
	syscall(SYS_open, bytes, O_RDONLY);
}

static unsigned char buf[4096] __attribute__((aligned(16)));
static int file, segment, timer;

#define GETTER(name, call)             \
	static long get_##name(void)   \
	{                              \
		return result((call)); \
	}

GETTER(stat, syscall(SYS_stat, "/", buf))
GETTER(fstat, syscall(SYS_fstat, file, buf))
GETTER(fstatat, syscall(SYS_newfstatat, AT_FDCWD, "/proc/self", buf, 0))
GETTER(statx, syscall(SYS_statx, AT_FDCWD, "/", 0, 0xfff, buf))
GETTER(statfs, syscall(SYS_statfs, "/tmp", buf))
GETTER(fstatfs, syscall(SYS_fstatfs, file, buf))
GETTER(sysinfo, syscall(SYS_sysinfo, buf))
GETTER(uname, syscall(SYS_uname, buf))
GETTER(rusage, syscall(SYS_getrusage, RUSAGE_SELF, buf))
GETTER(rlimit, syscall(SYS_prlimit64, 0, RLIMIT_STACK, NULL, buf))
GETTER(times, syscall(SYS_times, buf) < 0 ? -1 : 0)
GETTER(clock, syscall(SYS_clock_gettime, 1, buf))
GETTER(timeofday, syscall(SYS_gettimeofday, buf, buf + 16))
GETTER(itimer, syscall(SYS_getitimer, 0, buf))
GETTER(timer, syscall(SYS_timer_gettime, timer, buf))
GETTER(timer_id, syscall(SYS_timer_create, 1, NULL, buf))
GETTER(sigaction, syscall(SYS_rt_sigaction, SIGUSR2, NULL, buf, 8))
GETTER(sigmask, syscall(SYS_rt_sigprocmask, 0, NULL, buf, 8))
GETTER(sigpending, syscall(SYS_rt_sigpending, buf, 8))
GETTER(sigaltstack, syscall(SYS_sigaltstack, NULL, buf))
GETTER(shmid, syscall(SYS_shmctl, segment, IPC_STAT, buf))
GETTER(shm_info, syscall(SYS_shmctl, 0, 14, buf) < 0 ? -1 : 0)
GETTER(shminfo, syscall(SYS_shmctl, 0, 3, buf) < 0 ? -1 : 0)
GETTER(pipe, syscall(SYS_pipe2, buf, 0))
GETTER(affinity, syscall(SYS_sched_getaffinity, 0, 64, buf) < 0 ? -1 : 0)
GETTER(param, syscall(SYS_sched_getparam, 0, buf))
GETTER(interval, syscall(SYS_sched_rr_get_interval, 0, buf))
GETTER(name, syscall(SYS_prctl, 16, buf))
GETTER(resuid, syscall(SYS_getresuid, buf, buf + 8, buf + 16))
GETTER(cpu, syscall(SYS_getcpu, buf, buf + 8, NULL))
GETTER(getcwd, syscall(SYS_getcwd, buf, 1000) < 0 ? -1 : 0)
GETTER(readlink, syscall(SYS_readlink, "/proc/self/exe", buf, 1000) < 0 ? -1 : 0)

static long get_flock(void)
{
	struct flock *lock = (void *)buf;

	lock->l_type = F_WRLCK;
	lock->l_whence = lock->l_start = lock->l_len = 0;
	return result(syscall(SYS_fcntl, file, F_GETLK, buf));
}

static long get_siginfo(void)
{
	unsigned long set = BIT_OF(SIGUSR2), zero[2] = { 0, 0 };

	raise(SIGUSR2);
	return syscall(SYS_rt_sigtimedwait, &set, buf, zero, 8) == SIGUSR2 ? 0 : -1;
}

static long get_wait4(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return syscall(SYS_wait4, pid, buf, 0, buf + 16) == pid ? 0 : -1;
}

static long get_waitid(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return result(syscall(SYS_waitid, P_PID, pid, buf, WEXITED, NULL));
}

static long get_timerless_poll(void)
{
	return syscall(SYS_poll, buf, 4, 0) < 0 ? -1 : 0;
}

/* Where a structure has padding: pairs of offset and length, up to a length of 0. */
static const struct shape {
	const char *name;
	long (*get)(void);
	unsigned pad[8];
} shapes[] = {
	{ "stat", get_stat, { 36, 4, 120, 24 } },
	{ "fstat", get_fstat, { 36, 4, 120, 24 } },
	{ "newfstatat", get_fstatat, { 36, 4, 120, 24 } },
	{ "statx", get_statx, { 30, 2, 160, 96 } },
	{ "statfs", get_statfs, { 88, 32 } },
	{ "fstatfs", get_fstatfs, { 88, 32 } },
	{ "sysinfo", get_sysinfo, { 82, 6, 108, 4 } },
	{ "uname", get_uname, { 390, 100 } },
	{ "rusage", get_rusage, { 144, 100 } },
	{ "rlimit", get_rlimit, { 16, 100 } },
	{ "times", get_times, { 32, 100 } },
	{ "timespec", get_clock, { 16, 100 } },
	{ "timeval and timezone", get_timeofday, { 24, 100 } },
	{ "itimerval", get_itimer, { 32, 100 } },
	{ "itimerspec", get_timer, { 32, 100 } },
	{ "timer's id", get_timer_id, { 4, 100 } },
	{ "sigaction", get_sigaction, { 32, 100 } },
	{ "signal mask", get_sigmask, { 8, 100 } },
	{ "pending signals", get_sigpending, { 8, 100 } },
	{ "sigaltstack", get_sigaltstack, { 12, 4, 24, 100 } },
	{ "siginfo", get_siginfo, { 12, 4, 24, 104 } },
	{ "waitid's siginfo", get_waitid, { 12, 4, 28, 100 } },
	{ "wait4's status and rusage", get_wait4, { 4, 12, 160, 100 } },
	{ "flock", get_flock, { 4, 4, 28, 100 } },
	{ "shmid_ds", get_shmid, { 26, 22, 96, 100 } },
	{ "shm_info", get_shm_info, { 4, 4, 48, 100 } },
	{ "shminfo", get_shminfo, { 40, 100 } },
	{ "pipe2", get_pipe, { 8, 100 } },
	{ "affinity", get_affinity, { 1, 200 } },
	{ "sched_param", get_param, { 4, 100 } },
	{ "sched_rr_get_interval", get_interval, { 16, 100 } },
	{ "PR_GET_NAME", get_name, { 12, 100 } },
	{ "getresuid", get_resuid, { 4, 4, 12, 4, 20, 100 } },
	{ "getcpu", get_cpu, { 4, 4, 12, 100 } },
	{ "getcwd", get_getcwd, { 2, 200 } },
	{ "readlink", get_readlink, { 18, 200 } },
	{ "poll", get_timerless_poll, { 32, 100 } },
};

/* Bytes that are neither zero nor the program's own; whether the call went well. */
static int foreign(const struct shape *s, unsigned char fill)
{
	int n = 0;
	long ret;

	spray();
	memset(buf, fill, sizeof(buf));
	ret = s->get();
	if (ret)
		return -1;
	for (size_t i = 0; i < COUNT(s->pad) && s->pad[i + 1]; i += 2)
		for (unsigned at = s->pad[i]; at < s->pad[i] + s->pad[i + 1]; at++)
			if (buf[at] && buf[at] != fill)
				n++;
	for (size_t at = 0; at + 4 <= 512; at++)
		n += buf[at] == SPRAY && buf[at + 1] == SPRAY && buf[at + 2] == SPRAY &&
		     buf[at + 3] == SPRAY;
	return n;
}

static void structures(void)
{
	for (size_t i = 0; i < COUNT(shapes); i++) {
		is(foreign(&shapes[i], 0x11), 0, "%s: nothing else in it", shapes[i].name);
		is(foreign(&shapes[i], 0xee), 0, "%s: nor another time", shapes[i].name);
	}
}

/* Behind each name in a directory's entries. */
static void directories(long nr, bool type_at_end)
{
	int dir = open("/proc/self", O_RDONLY | O_DIRECTORY), n = 0, wrong = 0;
	long len;

	spray();
	memset(buf, 0x11, sizeof(buf));
	len = syscall(nr, dir, buf, sizeof(buf));
	for (long at = 0; at < len; n++) {
		const unsigned char *entry = buf + at;
		unsigned short size;
		const unsigned char *name = entry + (type_at_end ? 18 : 19);

		memcpy(&size, entry + 16, 2);
		for (const unsigned char *p = name + strlen((const char *)name);
		     p < entry + size - type_at_end; p++)
			wrong += *p && *p != 0x11;
		at += size;
	}
	ok(n > 10 && !wrong, "%s: nothing behind the names of %d entries",
	   type_at_end ? "getdents" : "getdents64", n);
	close(dir);
}

/* --- a signal's frame --------------------------------------------------------------------------------- */

static int frame_foreign;

static void look_at_frame(int sig, siginfo_t *info, void *context)
{
	const struct raw_frame *frame = (void *)((char *)context - 8);
	const unsigned char *fp = (const unsigned char *)frame->fpstate;
	const unsigned char *p = frame->info;

	(void)sig, (void)info;
	for (size_t i = 0; i < COUNT(frame->reserved); i++)
		frame_foreign += frame->reserved[i] && frame->reserved[i] != 0x1111111111111111;
	for (size_t i = 24; i < sizeof(frame->info); i++)
		frame_foreign += p[i] && p[i] != 0x11;
	/* Registers are the program's own. The software's bytes of the FXSAVE area: magic, sizes, features, and the rest of 48. */
	for (size_t i = 484; i < 512; i++)
		frame_foreign += fp[i] && fp[i] != 0x11;
	for (const unsigned char *q = (const void *)&frame->fpstate; q + 4 <= fp; q++)
		frame_foreign += q[0] == SPRAY && q[1] == SPRAY && q[2] == SPRAY && q[3] == SPRAY;
}

static void frame(void)
{
	static unsigned char stack[65536] __attribute__((aligned(64)));
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };

	sigaltstack(&alt, NULL);
	catch_with(SIGUSR1, look_at_frame, SA_ONSTACK, 0);
	spray();
	memset(stack, 0x11, sizeof(stack));
	syscall(SYS_kill, getpid(), SIGUSR1);
	is(frame_foreign, 0, "a signal's frame: nothing else in it");
	alt.ss_flags = SS_DISABLE;
	sigaltstack(&alt, NULL);
}

/* --- pages ------------------------------------------------------------------------------------------------ */

#define SECRET	     0x5ec2e75ec2e75ec2UL
#define SECRET_PAGES 2048UL

/* A child fills memory of all kinds with a secret, and is gone. */
static void leave_secrets(void)
{
	pid_t pid = fork();

	if (!pid) {
		unsigned long *anon = (void *)fresh(SECRET_PAGES, RW);
		unsigned long *shared =
			mmap(NULL, SECRET_PAGES * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		int fd = open("/tmp/attack-secret", O_RDWR | O_CREAT | O_TRUNC, 0600), pipes[2];

		for (unsigned long i = 0; i < SECRET_PAGES * PAGE / 8; i++)
			anon[i] = shared[i] = SECRET;
		for (int i = 0; i < 64; i++)
			if (write(fd, anon, PAGE) != (long)PAGE)
				_exit(1);
		if (pipe(pipes) || write(pipes[1], anon, 16384) != 16384)
			_exit(1);
		unlink("/tmp/attack-secret");
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* Words that aren't zero. */
static unsigned long words_in(const void *p, unsigned long bytes)
{
	const unsigned long *w = p;
	unsigned long n = 0;

	for (unsigned long i = 0; i < bytes / 8; i++)
		n += w[i] != 0;
	return n;
}

static unsigned char bss[64 * 4096] __attribute__((aligned(4096)));

__attribute__((noinline)) static unsigned long new_stack(void)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0) & ~(PAGE - 1);

	/* Far below what was ever used: it grows by being looked at. */
	return words_in((void *)(here - 128 * PAGE), 64 * PAGE);
}

static int in_new_program(int argc, char **argv)
{
	unsigned long heap;

	(void)argc, (void)argv;
	NEED(words_in(bss, sizeof(bss)) == 0);
	NEED(new_stack() == 0);
	heap = syscall(SYS_brk, 0);
	syscall(SYS_brk, heap + 64 * PAGE);
	NEED(words_in((void *)((heap + 7) & ~7UL), 64 * PAGE - 8) == 0);
	return 0;
}

static void files_have_nothing_more(void)
{
	int fd = open("/tmp/attack-new", O_RDWR | O_CREAT | O_TRUNC, 0600);
	unsigned char *p;

	is(pwrite(fd, "x", 1, 0), 1, "a file of one byte");
	p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	is(p[0], 'x', "has it");
	p[0] = 0;
	is(words_in(p, PAGE), 0, "and nothing behind its end");
	is(ftruncate(fd, 64 * PAGE), 0, "made longer");
	is(pread(fd, buf, sizeof(buf), 0), sizeof(buf), "it is read");
	is(words_in(buf, sizeof(buf)), 0, "and there is nothing more");
	munmap(p, PAGE);
	p = mmap(NULL, 64 * PAGE, RW, MAP_SHARED, fd, 0);
	is(words_in(p + PAGE, 63 * PAGE), 0, "holes are empty, mapped");
	munmap(p, 64 * PAGE);
	is(pread(fd, buf, sizeof(buf), 70 * PAGE), 0, "nothing beyond");
	is(ftruncate(fd, 100), 0, "cut within a page");
	is(ftruncate(fd, PAGE), 0, "and made longer again");
	is(pread(fd, buf, PAGE, 0), PAGE, "what was cut off");
	is(words_in(buf + 104, PAGE - 104), 0, "doesn't come back");
	close(fd);
	unlink("/tmp/attack-new");
}

static void pages(void)
{
	unsigned long *p;
	int fd, id;

	leave_secrets();
	p = (void *)fresh(SECRET_PAGES, RW);
	is(words_in(p, SECRET_PAGES * PAGE), 0, "anonymous memory, read first, is empty");
	leave_secrets();
	for (unsigned long i = 1; i < SECRET_PAGES; i++)
		p[i * PAGE / 8] = 1;
	is(words_in(p, SECRET_PAGES * PAGE), SECRET_PAGES - 1, "written first, too");
	raw_munmap((unsigned long)p, SECRET_PAGES * PAGE);
	leave_secrets();
	p = mmap(NULL, SECRET_PAGES * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	is(words_in(p, SECRET_PAGES * PAGE), 0, "so is shared memory");
	munmap(p, SECRET_PAGES * PAGE);
	leave_secrets();
	id = shmget(IPC_PRIVATE, 256 * PAGE, 0600);
	p = shmat(id, NULL, 0);
	shmctl(id, IPC_RMID, NULL);
	is(words_in(p, 256 * PAGE), 0, "and a System V segment");
	shmdt(p);
	leave_secrets();
	fd = syscall(SYS_memfd_create, "leak", 0);
	is(ftruncate(fd, 256 * PAGE), 0, "a memfd");
	p = mmap(NULL, 256 * PAGE, RW, MAP_PRIVATE, fd, 0);
	for (unsigned long i = 0; i < 256; i++)
		p[i * PAGE / 8] = 0;
	is(words_in(p, 256 * PAGE), 0, "copies of a memfd's holes");
	munmap(p, 256 * PAGE);
	close(fd);
	leave_secrets();
	p = mmap(NULL, 256 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	is(words_in(p, 256 * PAGE), 0, "populated memory");
	munmap(p, 256 * PAGE);
	leave_secrets();
	exits("new-program", 0, "a new program's bss, stack and heap");
	leave_secrets();
	files_have_nothing_more();
}

static const struct mode modes[] = { { "new-program", in_new_program }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	file = open("/tmp/attack-leak", O_RDWR | O_CREAT | O_TRUNC, 0600);
	segment = shmget(IPC_PRIVATE, PAGE, 0600);
	syscall(SYS_timer_create, 1, &(struct sigevent){ .sigev_notify = SIGEV_NONE }, &timer);
	block(BIT_OF(SIGUSR2));
	if (chdir("/"))
		diag("no root");
	structures();
	directories(SYS_getdents, true);
	directories(SYS_getdents64, false);
	frame();
	shmctl(segment, IPC_RMID, NULL);
	unlink("/tmp/attack-leak");
	pages();
	return done_testing();
}
