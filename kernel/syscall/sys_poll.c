/* SPDX-License-Identifier: MIT */
/*
 * poll(2), ppoll, select(2), pselect6: all look at their files again and again, and sleep in
 * between until one of them may have changed.
 */
#include <arch/clock.h>
#include <arch/uaccess.h>

#include "kernel/base/string.h"
#include "kernel/fs/fdtable.h"
#include "kernel/fs/poll.h"
#include "kernel/process/current.h"
#include "kernel/syscall/sys.h"
#include "kernel/syscall/sys_file.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

#define NS_PER_SEC   1000000000L
#define USEC_PER_SEC 1000000L

/* --- time limits and masks ----------------------------------------------------------------- */

/* When so much time from now has passed; POLL_NO_TIMEOUT beyond what the clock can reach. */
static u64 deadline(s64 sec, s64 nsec)
{
	s64 now = (s64)clock_ns();

	if (sec >= (INT64_MAX - now) / NS_PER_SEC - 1)
		return POLL_NO_TIMEOUT;
	return (u64)(now + sec * NS_PER_SEC + nsec);
}

/* A limit as poll_sleep() wants it. 0 or -errno; *zero: there was one, and it is 0. */
static int get_timespec(const struct kernel_timespec __user *user, u64 *until, bool *zero)
{
	struct kernel_timespec ts;

	*until = POLL_NO_TIMEOUT;
	*zero = false;
	if (!user)
		return 0;
	if (copy_from_user(&ts, user, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NS_PER_SEC)
		return -EINVAL;
	*zero = !ts.tv_sec && !ts.tv_nsec;
	*until = deadline(ts.tv_sec, ts.tv_nsec);
	return 0;
}

/* The mask for the time of the call, if there is one. 0 or -errno. */
static int temporary_mask(const u64 __user *user, size_t size)
{
	u64 mask;

	if (!user)
		return 0;
	if (size != sizeof(mask))
		return -EINVAL;
	if (get_user(mask, user))
		return -EFAULT;
	set_temporary_sigmask(mask);
	return 0;
}

static s64 time_left(u64 until)
{
	s64 left = (s64)until - (s64)clock_ns();

	return until == POLL_NO_TIMEOUT ? INT64_MAX : max(left, (s64)0);
}

#define STICKY_TIMEOUTS 0x4000000

/*
 * How ppoll, select and pselect6 end: the limit is rewritten to what is left of it, so that the
 * call can be begun again. Where that can't be, an interrupted call ends for good.
 */
static long finish(long ret, void __user *user, u64 until, bool zero, bool timeval)
{
	struct kernel_timespec left;
	s64 ns;
	bool told;

	restore_sigmask_unless(ret == -ERESTARTNOHAND);
	if (!user)
		return ret;
	ns = zero ? 0 : time_left(until);
	left = (struct kernel_timespec){ ns / NS_PER_SEC, ns % NS_PER_SEC };
	if (timeval)
		left.tv_nsec /= 1000;
	told = zero || !copy_to_user(user, &left, sizeof(left));
	return told || ret != -ERESTARTNOHAND ? ret : -EINTR;
}

/* --- poll ---------------------------------------------------------------------------------- */

/* One look at all. Returns how many have something to tell. */
static unsigned int poll_look(struct kernel_pollfd *fds, unsigned int nr, struct poll_table *pt)
{
	unsigned int ready = 0;

	for (unsigned int i = 0; i < nr; i++) {
		u32 wanted = (u16)fds[i].events | POLLERR | POLLHUP, mask = 0;
		struct file *file;

		if (fds[i].fd >= 0) {
			file = fget(current_files(), (unsigned int)fds[i].fd);
			mask = file ? vfs_poll(file, pt) & wanted : POLLNVAL;
			if (file)
				fput(file);
		}
		fds[i].revents = (int16_t)mask;
		if (mask) {
			ready++;
			pt->queue = NULL; /* there will be no sleep */
		}
	}
	pt->queue = NULL; /* the queues have been joined */
	return ready;
}

struct poll_array {
	struct kernel_pollfd *fds;
	unsigned int nr;
};

static long look_at_array(void *arg, struct poll_table *pt)
{
	const struct poll_array *array = arg;

	return poll_look(array->fds, array->nr, pt);
}

/*
 * Looks, and sleeps in between, until look() finds something; zero: looks once. What it found, 0
 * after the limit, -ERESTARTNOHAND or -ENOMEM.
 */
static long wait_for_files(long (*look)(void *arg, struct poll_table *pt), void *arg, u64 until,
			   bool zero)
{
	struct poll_wqueues pwq;
	bool last = zero;
	long ret;

	poll_initwait(&pwq);
	if (zero)
		pwq.pt.queue = NULL;
	for (;;) {
		ret = look(arg, &pwq.pt);
		if (!ret)
			ret = pwq.error ? pwq.error :
					  (signal_pending(current) ? -ERESTARTNOHAND : 0);
		if (ret || last)
			break;
		last = !poll_sleep(&pwq, until);
	}
	poll_freewait(&pwq);
	return ret;
}

/* The number of ready files; else as wait_for_files(). */
static long poll_loop(struct kernel_pollfd *fds, unsigned int nr, u64 until, bool zero)
{
	struct poll_array array = { fds, nr };

	return wait_for_files(look_at_array, &array, until, zero);
}

#define POLL_ON_STACK 16

static void *array_alloc(size_t size)
{
	return size <= PAGE_SIZE ? kmalloc(size, GFP_KERNEL) : vmalloc(size);
}

static void array_free(void *array, size_t size)
{
	if (size <= PAGE_SIZE)
		kfree(array);
	else
		vfree(array);
}

static long put_revents(struct kernel_pollfd __user *user, const struct kernel_pollfd *fds,
			unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (put_user(fds[i].revents, user_field(user_at(user, i * sizeof(*user)), revents)))
			return -EFAULT;
	return 0;
}

static long do_poll(struct kernel_pollfd __user *user, unsigned int nr, u64 until, bool zero)
{
	struct kernel_pollfd few[POLL_ON_STACK], *fds = few;
	size_t size = nr * sizeof(*fds);
	long ret = -EFAULT;

	if (nr > current_nofile_limit())
		return -EINVAL;
	if (nr > POLL_ON_STACK) {
		fds = array_alloc(size);
		if (!fds)
			return -ENOMEM;
	}
	if (!copy_from_user(fds, user, size)) {
		ret = poll_loop(fds, nr, until, zero);
		if (put_revents(user, fds, nr))
			ret = -EFAULT;
	}
	if (fds != few)
		array_free(fds, size);
	return ret;
}

/* poll(2) gets its limit as a duration: after an interruption it goes on with the same end. */
static long poll_restart(struct restart_block *block)
{
	long ret = do_poll(block->remaining, block->nfds, block->until, false);

	if (ret != -ERESTARTNOHAND)
		return ret;
	block->fn = poll_restart;
	return -ERESTART_RESTARTBLOCK;
}

long sys_poll(struct kernel_pollfd __user *ufds, unsigned int nfds, int timeout)
{
	u64 until =
		timeout < 0 ? POLL_NO_TIMEOUT : deadline(timeout / 1000, timeout % 1000 * 1000000L);
	struct restart_block *block = &current->restart;
	long ret = do_poll(ufds, nfds, until, timeout == 0);

	if (ret != -ERESTARTNOHAND)
		return ret;
	*block = (struct restart_block){
		.fn = poll_restart, .until = until, .remaining = ufds, .nfds = nfds
	};
	return -ERESTART_RESTARTBLOCK;
}

long sys_ppoll(struct kernel_pollfd __user *ufds, unsigned int nfds,
	       struct kernel_timespec __user *tsp, const u64 __user *sigmask, size_t sigsetsize)
{
	bool zero;
	u64 until;
	long ret;

	ret = get_timespec(tsp, &until, &zero);
	if (!ret)
		ret = temporary_mask(sigmask, sigsetsize);
	if (ret)
		return ret;
	return finish(do_poll(ufds, nfds, until, zero), tsp, until, zero, false);
}

/* --- select -------------------------------------------------------------------------------- */

#define BITS_PER_LONG 64

#define SELECT_IN  (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define SELECT_OUT (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR)
#define SELECT_EX  POLLPRI

/* Three sets of files to ask for reading, for writing, for the exceptional; and the answers. */
struct select_sets {
	unsigned int nr;    /* descriptors below this are looked at */
	unsigned int words; /* of each bitmap */
	unsigned long *want[3], *have[3];
};

static const u32 select_masks[3] = { SELECT_IN, SELECT_OUT, SELECT_EX };

static bool wanted(const struct select_sets *s, unsigned int fd)
{
	unsigned long bit = BIT(fd % BITS_PER_LONG);
	unsigned int word = fd / BITS_PER_LONG;

	return (s->want[0][word] | s->want[1][word] | s->want[2][word]) & bit;
}

/* Adds the answers for one descriptor; their number. */
static unsigned int answer(const struct select_sets *s, unsigned int fd, u32 mask)
{
	unsigned long bit = BIT(fd % BITS_PER_LONG);
	unsigned int word = fd / BITS_PER_LONG, found = 0;

	for (int i = 0; i < 3; i++) {
		if (!(s->want[i][word] & bit) || !(mask & select_masks[i]))
			continue;
		s->have[i][word] |= bit;
		found++;
	}
	return found;
}

static unsigned int select_look(const struct select_sets *s, struct poll_table *pt)
{
	unsigned int found = 0;

	for (unsigned int fd = 0; fd < s->nr; fd++) {
		struct file *file;

		if (!wanted(s, fd))
			continue;
		file = fget(current_files(), fd);
		if (!file)
			continue; /* closed meanwhile, or a mere place */
		found += answer(s, fd, vfs_poll(file, pt));
		fput(file);
		if (found)
			pt->queue = NULL;
	}
	pt->queue = NULL;
	return found;
}

/* Whether each descriptor asked for is open: 0 or -EBADF. */
static int check_open(const struct select_sets *s)
{
	for (unsigned int fd = 0; fd < s->nr; fd++)
		if (wanted(s, fd) && fd_get_cloexec(current_files(), fd) < 0)
			return -EBADF;
	return 0;
}

static long look_at_sets(void *arg, struct poll_table *pt)
{
	return select_look(arg, pt);
}

static long select_loop(struct select_sets *s, u64 until, bool zero)
{
	long ret = check_open(s);

	return ret ? ret : wait_for_files(look_at_sets, s, until, zero);
}

static int get_sets(const struct select_sets *s, unsigned long __user *const user[3])
{
	for (int i = 0; i < 3; i++)
		if (user[i] && copy_from_user(s->want[i], user[i], s->words * sizeof(long)))
			return -EFAULT;
	return 0;
}

static int put_sets(const struct select_sets *s, unsigned long __user *const user[3])
{
	for (int i = 0; i < 3; i++)
		if (user[i] && copy_to_user(user[i], s->have[i], s->words * sizeof(long)))
			return -EFAULT;
	return 0;
}

/* Descriptors beyond the table's end are not looked at, nor are their bits touched. */
static long do_select(int n, unsigned long __user *const user[3], u64 until, bool zero)
{
	struct select_sets s;
	unsigned long few[6] = { 0 }, *maps = few;
	size_t size;
	long ret;

	if (n < 0)
		return -EINVAL;
	s.nr = min((unsigned int)n, READ_ONCE(current_files()->max_fds));
	s.words = (s.nr + BITS_PER_LONG - 1) / BITS_PER_LONG;
	size = 6 * s.words * sizeof(long);
	if (s.words > 1) {
		maps = array_alloc(size);
		if (!maps)
			return -ENOMEM;
		memset(maps, 0, size);
	}
	s.want[0] = maps;
	s.want[1] = maps + s.words;
	s.want[2] = maps + 2 * s.words;
	s.have[0] = maps + 3 * s.words;
	s.have[1] = maps + 4 * s.words;
	s.have[2] = maps + 5 * s.words;
	ret = get_sets(&s, user);
	if (!ret)
		ret = select_loop(&s, until, zero);
	if (ret >= 0 && put_sets(&s, user))
		ret = -EFAULT;
	if (maps != few)
		array_free(maps, size);
	return ret;
}

long sys_select(int n, unsigned long __user *inp, unsigned long __user *outp,
		unsigned long __user *exp, struct kernel_timeval __user *tvp)
{
	unsigned long __user *const user[3] = { inp, outp, exp };
	u64 until = POLL_NO_TIMEOUT;
	struct kernel_timeval tv;
	bool zero = false;

	if (tvp) {
		if (copy_from_user(&tv, tvp, sizeof(tv)))
			return -EFAULT;
		/* More microseconds than a second has are carried over, as Linux does it. */
		if (__builtin_add_overflow(tv.tv_sec, tv.tv_usec / USEC_PER_SEC, &tv.tv_sec))
			return -EINVAL;
		tv.tv_usec %= USEC_PER_SEC;
		if (tv.tv_sec < 0 || tv.tv_usec < 0)
			return -EINVAL;
		zero = !tv.tv_sec && !tv.tv_usec;
		until = deadline(tv.tv_sec, tv.tv_usec * 1000);
	}
	return finish(do_select(n, user, until, zero), tvp, until, zero, true);
}

struct sigset_arg {
	const u64 __user *mask;
	size_t size;
};

long sys_pselect6(int n, unsigned long __user *inp, unsigned long __user *outp,
		  unsigned long __user *exp, struct kernel_timespec __user *tsp,
		  const struct sigset_arg __user *sig)
{
	unsigned long __user *const user[3] = { inp, outp, exp };
	struct sigset_arg arg = { NULL, 0 };
	bool zero;
	u64 until;
	long ret;

	if (sig && copy_from_user(&arg, sig, sizeof(arg)))
		return -EFAULT;
	ret = get_timespec(tsp, &until, &zero);
	if (!ret)
		ret = temporary_mask(arg.mask, arg.size);
	if (ret)
		return ret;
	return finish(do_select(n, user, until, zero), tsp, until, zero, false);
}
