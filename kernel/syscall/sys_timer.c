/* SPDX-License-Identifier: MIT */
/* Timers that send signals: setitimer(2), alarm(2), timer_create(2); and times(2). */
#include <arch/clock.h>
#include <arch/uaccess.h>

#include "kernel/process/task.h"
#include "kernel/syscall/sys.h"
#include "kernel/syscall/sys_time.h"

/* --- setitimer --------------------------------------------------------------------------------- */

/* 0 or -EINVAL. */
static int timeval_to_ns(u64 *ns, const struct kernel_timeval *tv)
{
	struct kernel_timespec ts = { tv->tv_sec, 0 };
	s64 time;

	if (tv->tv_sec < 0 || tv->tv_usec < 0 || tv->tv_usec >= 1000000)
		return -EINVAL;
	ts.tv_nsec = tv->tv_usec * 1000;
	timespec_to_ns(&time, &ts);
	*ns = (u64)time;
	return 0;
}

static int get_itimerval(struct timer_spec *spec, const struct kernel_itimerval __user *from)
{
	struct kernel_itimerval it;

	if (copy_from_user(&it, from, sizeof(it)))
		return -EFAULT;
	if (timeval_to_ns(&spec->value, &it.it_value) ||
	    timeval_to_ns(&spec->interval, &it.it_interval))
		return -EINVAL;
	return 0;
}

static struct kernel_timeval to_timeval(u64 ns)
{
	return (struct kernel_timeval){ (s64)ns / NS_PER_SEC, (s64)ns % NS_PER_SEC / 1000 };
}

static long put_itimerval(struct kernel_itimerval __user *to, const struct timer_spec *spec)
{
	const struct kernel_itimerval it = { to_timeval(spec->interval), to_timeval(spec->value) };

	return copy_to_user(to, &it, sizeof(it)) ? -EFAULT : 0;
}

long sys_getitimer(int which, struct kernel_itimerval __user *value)
{
	struct timer_spec now;
	int err = do_setitimer(which, NULL, &now);

	return err ? err : put_itimerval(value, &now);
}

/* Without a new value the timer is stopped, as in Linux. */
long sys_setitimer(int which, const struct kernel_itimerval __user *value,
		   struct kernel_itimerval __user *old_value)
{
	struct timer_spec new = { 0 }, old;
	int err = value ? get_itimerval(&new, value) : 0;

	if (!err)
		err = do_setitimer(which, &new, &old);
	if (err)
		return err;
	return old_value ? put_itimerval(old_value, &old) : 0;
}

/* In seconds: what was left of the last one, rounded, but not to none. */
long sys_alarm(unsigned int seconds)
{
	const struct timer_spec new = { .value = (u64)seconds * NS_PER_SEC };
	struct timer_spec old;
	u64 left;

	do_setitimer(ITIMER_REAL, &new, &old);
	left = (old.value + NS_PER_SEC / 2) / NS_PER_SEC;
	return old.value && !left ? 1 : (long)left;
}

/* --- timer_create ------------------------------------------------------------------------------ */

long sys_timer_create(int clock, const struct kernel_sigevent __user *uevent, int __user *id)
{
	struct kernel_sigevent event;

	if (uevent && copy_from_user(&event, uevent, sizeof(event)))
		return -EFAULT;
	return posix_timer_create(clock, uevent ? &event : NULL, id);
}

static long put_itimerspec(struct kernel_itimerspec __user *to, const struct timer_spec *spec)
{
	const struct kernel_itimerspec it = { to_timespec((s64)spec->interval),
					      to_timespec((s64)spec->value) };

	return copy_to_user(to, &it, sizeof(it)) ? -EFAULT : 0;
}

long sys_timer_settime(int id, int flags, const struct kernel_itimerspec __user *value,
		       struct kernel_itimerspec __user *old_value)
{
	struct kernel_itimerspec it;
	struct timer_spec old, new;
	s64 first, interval;
	int err;

	if (!value)
		return -EINVAL;
	if (copy_from_user(&it, value, sizeof(it)))
		return -EFAULT;
	if (timespec_to_ns(&interval, &it.it_interval) || timespec_to_ns(&first, &it.it_value))
		return -EINVAL;
	new = (struct timer_spec){ (u64)first, (u64)interval };
	err = posix_timer_settime(id, flags & TIMER_ABSTIME, &new, &old);
	if (err)
		return err;
	return old_value ? put_itimerspec(old_value, &old) : 0;
}

long sys_timer_gettime(int id, struct kernel_itimerspec __user *value)
{
	struct timer_spec now;
	int err = posix_timer_gettime(id, &now);

	return err ? err : put_itimerspec(value, &now);
}

long sys_timer_getoverrun(int id)
{
	return posix_timer_getoverrun(id);
}

long sys_timer_delete(int id)
{
	return posix_timer_delete(id);
}

/* --- times -------------------------------------------------------------------------------------- */

/* What times(2) counts in. */
#define NS_PER_CLOCK_TICK (NS_PER_SEC / 100)

long sys_times(struct kernel_tms __user *buf)
{
	struct signal_struct *process = current->signal;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct usage used;
	struct kernel_tms tms;

	process_usage(process, &used);
	usage_divide(&used, &process->cputime);
	tms = (struct kernel_tms){
		.tms_utime = (s64)process->cputime.user_ns / NS_PER_CLOCK_TICK,
		.tms_stime = (s64)process->cputime.system_ns / NS_PER_CLOCK_TICK,
		.tms_cutime = (s64)process->child_cputime.user_ns / NS_PER_CLOCK_TICK,
		.tms_cstime = (s64)process->child_cputime.system_ns / NS_PER_CLOCK_TICK,
	};
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (buf && copy_to_user(buf, &tms, sizeof(tms)))
		return -EFAULT;
	return (long)clock_ns() / NS_PER_CLOCK_TICK;
}
