/* SPDX-License-Identifier: MIT */
/* Clocks, sleeping, and what the system says about itself. */
#include <arch/clock.h>
#include <arch/uaccess.h>

#include "kernel/abi/utsname.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/process/current.h"
#include "kernel/sched/timer.h"
#include "kernel/syscall/sys.h"
#include "kernel/syscall/sys_time.h"
#include "mm/page.h"

static s64 process_cpu_ns(void)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct usage usage;

	process_usage(current->signal, &usage);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return (s64)usage.cpu_ns;
}

/* A clock's time in ns, or -EINVAL when there is no such clock. */
static s64 clock_read(int clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI: /* nobody has told how many leap seconds there were */
		return boot_time_ns + (s64)clock_ns();
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		return (s64)clock_ns();
	case CLOCK_PROCESS_CPUTIME_ID:
		return process_cpu_ns();
	case CLOCK_THREAD_CPUTIME_ID:
		return (s64)task_cpu_ns(current);
	}
	return -EINVAL;
}

static struct kernel_timespec to_timespec(s64 ns)
{
	return (struct kernel_timespec){ ns / NS_PER_SEC, ns % NS_PER_SEC };
}

long sys_clock_gettime(int clock, struct kernel_timespec __user *ts)
{
	s64 ns = clock_read(clock);

	return ns < 0 ? ns : put_user(to_timespec(ns), ts);
}

long sys_clock_getres(int clock, struct kernel_timespec __user *ts)
{
	s64 ns = clock_read(clock);
	bool coarse = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;

	if (ns < 0)
		return ns;
	return ts ? put_user(to_timespec(coarse ? (s64)TICK_NS : 1), ts) : 0;
}

long sys_gettimeofday(struct kernel_timeval __user *tv, u32 __user *tz)
{
	s64 ns = clock_read(CLOCK_REALTIME);
	struct kernel_timeval now = { ns / NS_PER_SEC, ns % NS_PER_SEC / 1000 };
	const u64 utc = 0;

	if (tv && copy_to_user(tv, &now, sizeof(now)))
		return -EFAULT;
	return tz && copy_to_user(tz, &utc, sizeof(utc)) ? -EFAULT : 0;
}

long sys_time(s64 __user *t)
{
	s64 now = clock_read(CLOCK_REALTIME) / NS_PER_SEC;

	return t && put_user(now, t) ? -EFAULT : now;
}

/* A relative sleep until block->until; where a signal cuts it short, says how much was left. */
static long sleep_relative(struct restart_block *block)
{
	struct kernel_timespec __user *rem = block->remaining;
	s64 left;

	block->fn = NULL;
	if (!sleep_until(block->until))
		return 0;
	left = (s64)block->until - (s64)clock_ns();
	if (left <= 0)
		return 0;
	if (rem && put_user(to_timespec(left), rem))
		return -EFAULT;
	block->fn = sleep_relative;
	return -ERESTART_RESTARTBLOCK;
}

int get_timespec_ns(s64 *ns, const struct kernel_timespec __user *from)
{
	struct kernel_timespec ts;

	if (copy_from_user(&ts, from, sizeof(ts)))
		return -EFAULT;
	return timespec_to_ns(ns, &ts);
}

int timespec_to_ns(s64 *ns, const struct kernel_timespec *ts)
{
	if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= NS_PER_SEC)
		return -EINVAL;
	/* What doesn't fit is for ever, about 292 years. */
	*ns = ts->tv_sec >= INT64_MAX / NS_PER_SEC ? INT64_MAX :
						     ts->tv_sec * NS_PER_SEC + ts->tv_nsec;
	return 0;
}

u64 ns_from_now(s64 ns)
{
	s64 now = (s64)clock_ns();

	return (u64)(ns > INT64_MAX - now ? INT64_MAX : now + ns);
}

static long sleep_for(int clock, unsigned int flags, const struct kernel_timespec __user *req,
		      struct kernel_timespec __user *rem)
{
	struct restart_block *block = &current->restart;
	s64 ns;
	int err = get_timespec_ns(&ns, req);

	if (err)
		return err;
	if (flags & TIMER_ABSTIME) {
		const struct time_limit until = { clock == CLOCK_REALTIME ? TIMER_REALTIME :
									    TIMER_MONOTONIC,
						  (u64)ns };

		return sleep_for_event(NULL, NULL, &until) == -EINTR ? -ERESTARTNOHAND : 0;
	}
	block->until = ns_from_now(ns);
	block->remaining = rem;
	return sleep_relative(block);
}

long sys_nanosleep(const struct kernel_timespec __user *req, struct kernel_timespec __user *rem)
{
	return sleep_for(CLOCK_MONOTONIC, 0, req, rem);
}

long sys_clock_nanosleep(int clock, unsigned int flags, const struct kernel_timespec __user *req,
			 struct kernel_timespec __user *rem)
{
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
		return clock_read(clock) < 0 ? -EINVAL : -EOPNOTSUPP;
	return sleep_for(clock, flags, req, rem);
}

/* --- the system --------------------------------------------------------------------------------------- */

struct utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

long sys_uname(struct utsname __user *buf)
{
	static const struct utsname name = { UTS_SYSNAME, UTS_NODENAME, UTS_RELEASE,
					     UTS_VERSION, "x86_64",	UTS_DOMAINNAME };

	return copy_to_user(buf, &name, sizeof(name)) ? -EFAULT : 0;
}

#define SI_LOAD_SHIFT 16

long sys_sysinfo(struct kernel_sysinfo __user *buf)
{
	struct kernel_sysinfo info;

	memset(&info, 0, sizeof(info));
	info.uptime = (s64)(clock_ns() / NS_PER_SEC);
	for (int i = 0; i < 3; i++)
		info.loads[i] = sched_load[i] << (SI_LOAD_SHIFT - LOAD_SHIFT);
	info.totalram = totalram_pages() << PAGE_SHIFT;
	info.freeram = nr_free_pages() << PAGE_SHIFT;
	info.mem_unit = 1;
	info.procs = (u16)READ_ONCE(nr_tasks);
	return copy_to_user(buf, &info, sizeof(info)) ? -EFAULT : 0;
}

#define GRND_NONBLOCK 1
#define GRND_RANDOM   2
#define GRND_INSECURE 4

long sys_getrandom(char __user *buf, size_t len, unsigned int flags)
{
	size_t done = 0;
	u8 bytes[64];

	if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if ((flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	len = min(len, (size_t)INT32_MAX);
	while (done < len) {
		size_t n = min(len - done, sizeof(bytes));

		if (sched_kill_pending())
			return done ? (long)done : -EINTR;
		get_random_bytes(bytes, n);
		if (copy_to_user(buf + done, bytes, n))
			return done ? (long)done : -EFAULT;
		done += n;
	}
	return (long)done;
}
