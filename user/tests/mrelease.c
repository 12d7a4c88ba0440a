/* SPDX-License-Identifier: MIT */
/*
 * process_mrelease: the private memory of a process that was killed is there again at once, even if the
 * process doesn't get to go. And process_madvise, for who may.
 */
/* runs as root */
#include "procs.h"
#include <sys/mman.h>
#include <sys/uio.h>

#define PAGES 2048UL

static volatile int *words;

static long mrelease(long fd, long flags)
{
	return raw(448, fd, flags);
}

static long pidfd_of(long pid)
{
	return raw(434, pid, 0);
}

/* --- releasing --------------------------------------------------------------------------------- */

static int holds_memory(void *arg)
{
	char *p = (char *)fresh(PAGES, RW);

	(void)arg;
	touch(p, PAGES);
	words[0] = 1;
	while (raw(SYS_pause))
		;
	return 0;
}

static long start(int (*fn)(void *), long *fd)
{
	long pid;

	words[0] = 0;
	pid = fork_child(fn, NULL);
	await(&words[0], 1);
	*fd = pidfd_of(pid);
	return pid;
}

static void errors(void)
{
	long fd, pid = start(holds_memory, &fd);

	is(mrelease(fd, 1), -EINVAL, "a flag");
	is(mrelease(fd, -1), -EINVAL, "all flags");
	is(mrelease(-1, 0), -EBADF, "no descriptor");
	is(mrelease(1, 0), -EBADF, "a file's");
	is(mrelease(fd, 0), -EINVAL, "a process that isn't to end");
	is(status_field(pid, "VmRSS", 10) > (long)(PAGES * 4), 1, "... keeps its memory");
	raw(SYS_kill, pid, SIGKILL);
	is(WTERMSIG(status_of(pid)), SIGKILL, "killed and waited for");
	is(mrelease(fd, 0), -ESRCH, "one that is gone");
	raw(SYS_close, fd);
}

/* A child is killed, and its memory taken: either by us, or it was faster (ESRCH). */
static void releasing(void)
{
	int released = 0, gone = 0, other = 0;

	for (int i = 0; i < 20; i++) {
		long fd, pid = start(holds_memory, &fd), err;

		raw(SYS_kill, pid, SIGKILL);
		err = mrelease(fd, 0);
		released += err == 0;
		gone += err == -ESRCH;
		other += err != 0 && err != -ESRCH;
		is(WTERMSIG(status_of(pid)), SIGKILL, "it ends by the signal");
		raw(SYS_close, fd);
	}
	is(other, 0, "mrelease of what was killed works, or finds nobody");
	diag("%d released, %d were gone before", released, gone);
}

/* --- shared with somebody who lives ---------------------------------------------------------------- */

static int shares(void *arg)
{
	char *p = (char *)fresh(1, RW), *stack = (char *)fresh(STACK_PAGES, RW);

	(void)arg;
	p[0] = 42;
	words[2] = clone_fn(CLONE_VM | SIGCHLD, stack, holds_memory, NULL, NULL, NULL, 0);
	await(&words[0], 1);
	words[1] = 1;
	while (raw(SYS_pause))
		;
	return 0;
}

static void sharing(void)
{
	long fd, pid;

	words[1] = words[2] = 0;
	pid = start(shares, &fd);
	await(&words[1], 1);
	raw(SYS_kill, pid, SIGKILL);
	/* The other one has all of it still. */
	{
		long err = mrelease(fd, 0);

		ok(err == -EINVAL || err == -ESRCH, "memory that somebody else uses stays: %ld",
		   err);
	}
	is(status_field(words[2], "VmRSS", 10) > (long)(PAGES * 4), 1, "... whole");
	raw(SYS_kill, words[2], SIGKILL);
	status_of(pid);
	raw(SYS_close, fd);
	ok(UNTIL(raw(SYS_kill, words[2], 0) == -ESRCH || state_of(words[2]) == 'Z'), "both gone");
}

/* --- what is shared isn't taken -------------------------------------------------------------------- */

static void keeping(void)
{
	volatile char *p =
		(volatile char *)raw_mmap(0, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long fd, pid;

	p[0] = 1;
	p[3 * PAGE] = 4;
	pid = start(holds_memory, &fd);
	raw(SYS_kill, pid, SIGKILL);
	mrelease(fd, 0);
	is(p[0], 1, "shared pages stay");
	is(p[3 * PAGE], 4, "... all of them");
	status_of(pid);
	raw(SYS_close, fd);
}

/* --- advice ----------------------------------------------------------------------------------------- */

static long madvise_(long fd, const struct iovec *iov, long n, long advice, long flags)
{
	return raw(440, fd, iov, n, advice, flags);
}

static void advising(void)
{
	char *p = (char *)fresh(4, RW);
	struct iovec iov[2] = { { p, PAGE }, { p + 2 * PAGE, 2 * PAGE } };
	bool root = raw(SYS_geteuid) == 0;
	long fd = pidfd_of(my_pid());

	is(madvise_(fd, iov, 2, MADV_COLD, 1), -EINVAL, "madvise: a flag");
	is(madvise_(-1, iov, 2, MADV_COLD, 0), -EBADF, "madvise: no descriptor");
	is(madvise_(fd, iov, 2000, MADV_COLD, 0), -EINVAL, "madvise: too many ranges");
	is(madvise_(fd, (void *)8, 2, MADV_COLD, 0), -EFAULT, "madvise: ranges that aren't there");
	is(madvise_(fd, iov, 2, MADV_DONTNEED, 0), -EINVAL, "madvise: nothing that destroys");
	is(madvise_(fd, iov, 2, MADV_FREE, 0), -EINVAL, "madvise: nor that");
	is(madvise_(fd, iov, 2, MADV_COLD, 0), root ? 3 * (long)PAGE : -EPERM,
	   "madvise: MADV_COLD, for who has CAP_SYS_NICE");
	is(madvise_(fd, iov, 2, MADV_PAGEOUT, 0), root ? 3 * (long)PAGE : -EPERM, "MADV_PAGEOUT");
	is(madvise_(fd, iov, 2, MADV_WILLNEED, 0), root ? 3 * (long)PAGE : -EPERM, "MADV_WILLNEED");
	iov[1].iov_base = p + 1;
	is(madvise_(fd, iov, 2, MADV_COLD, 0), root ? (long)PAGE : -EPERM,
	   "madvise: up to an error");
	is(madvise_(fd, iov + 1, 1, MADV_COLD, 0), root ? -EINVAL : -EPERM,
	   "madvise: an error at once");
	raw(SYS_close, fd);
}

int main(void)
{
	words = shared_words();
	errors();
	releasing();
	sharing();
	keeping();
	advising();
	return done_testing();
}
