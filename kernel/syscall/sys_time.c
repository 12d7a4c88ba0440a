/* SPDX-License-Identifier: MIT */
/* Clocks, sleeping, and what the system says about itself. */
#include <arch/clock.h>
#include <arch/uaccess.h>
#include <arch/vdso.h>

#include "kernel/abi/utsname.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/process/current.h"
#include "kernel/sched/timer.h"
#include "kernel/syscall/sys.h"
#include "kernel/syscall/sys_time.h"
#include "mm/page.h"
#include "mm/shmem.h"

#define CAP_SYS_TIME   25
#define CAP_WAKE_ALARM 35

/* --- reading clocks ------------------------------------------------------------------------------- */

/* A clock's time in ns, or -EINVAL when there is no such clock. */
static s64 clock_read(int clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI: /* nobody has told how many leap seconds there were */
		return (s64)timer_clock_now(TIMER_REALTIME);
	case CLOCK_REALTIME_COARSE:
		return (s64)timer_clock_coarse(TIMER_REALTIME);
	case CLOCK_MONOTONIC_COARSE:
		return (s64)timer_clock_coarse(TIMER_MONOTONIC);
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return (s64)clock_ns();
	}
	return clock_is_cpu(clock) ? cpu_clock_read(clock) : -EINVAL;
}

struct kernel_timespec to_timespec(s64 ns)
{
	return (struct kernel_timespec){ ns / NS_PER_SEC, ns % NS_PER_SEC };
}

long sys_clock_gettime(int clock, struct kernel_timespec __user *ts)
{
	s64 ns = clock_read(clock);

	return ns < 0 ? ns : put_user(to_timespec(ns), ts);
}

/* In how big steps a clock goes, in ns. Ticks are what the first two kinds of CPU clocks count. */
static s64 resolution(int clock)
{
	bool by_tick = clock < 0 ?
			       (clock & 3) != CPU_CLOCK_SCHED :
			       clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;

	return by_tick ? (s64)TICK_NS : 1;
}

long sys_clock_getres(int clock, struct kernel_timespec __user *ts)
{
	s64 ns = clock_read(clock);

	if (ns < 0)
		return ns;
	return ts ? put_user(to_timespec(resolution(clock)), ts) : 0;
}

long sys_gettimeofday(struct kernel_timeval __user *tv, struct kernel_timezone __user *tz)
{
	s64 ns = clock_read(CLOCK_REALTIME);
	struct kernel_timeval now = { ns / NS_PER_SEC, ns % NS_PER_SEC / 1000 };

	if (tv && copy_to_user(tv, &now, sizeof(now)))
		return -EFAULT;
	/* Nobody here looks at it: settimeofday(2) keeps it for gettimeofday(2). */
	return tz && copy_to_user(tz, &vdso_data.timezone, sizeof(*tz)) ? -EFAULT : 0;
}

long sys_time(s64 __user *t)
{
	s64 now = clock_read(CLOCK_REALTIME) / NS_PER_SEC;

	return t && put_user(now, t) ? -EFAULT : now;
}

/* --- setting the clock ------------------------------------------------------------------------------ */

/* => ts is a valid time. Since 1970, but not before the machine was started. */
static int set_realtime(const struct kernel_timespec *ts)
{
	if (ts->tv_sec >= INT64_MAX / NS_PER_SEC - (s64)(clock_ns() / NS_PER_SEC) - 1)
		return -EINVAL;
	if ((u64)(ts->tv_sec * NS_PER_SEC + ts->tv_nsec) < clock_ns())
		return -EINVAL;
	timers_set_realtime((u64)(ts->tv_sec * NS_PER_SEC + ts->tv_nsec));
	return 0;
}

long sys_clock_settime(int clock, const struct kernel_timespec __user *uts)
{
	struct kernel_timespec ts;
	s64 ns;

	/* Those of processor time are refused in another way when they are named by a negative id. */
	if (clock > CLOCK_REALTIME)
		return -EINVAL;
	if (copy_from_user(&ts, uts, sizeof(ts)))
		return -EFAULT;
	if (clock != CLOCK_REALTIME)
		return cpu_clock_read(clock) < 0 ? -EINVAL : -EPERM;
	if (timespec_to_ns(&ns, &ts) || ns == INT64_MAX)
		return -EINVAL;
	return capable(CAP_SYS_TIME) ? set_realtime(&ts) : -EPERM;
}

long sys_settimeofday(const struct kernel_timeval __user *utv,
		      const struct kernel_timezone __user *utz)
{
	struct kernel_timezone tz;
	struct kernel_timespec ts;
	struct kernel_timeval tv;
	s64 ns;

	if (utv) {
		if (copy_from_user(&tv, utv, sizeof(tv)))
			return -EFAULT;
		/* Linux lets a whole second of microseconds pass here, and refuses it as nanoseconds. */
		if (tv.tv_usec < 0 || tv.tv_usec > 1000000)
			return -EINVAL;
		ts = (struct kernel_timespec){ tv.tv_sec, tv.tv_usec * 1000 };
	}
	if (utz && copy_from_user(&tz, utz, sizeof(tz)))
		return -EFAULT;
	if (utv && (timespec_to_ns(&ns, &ts) || ns == INT64_MAX))
		return -EINVAL;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (utz) {
		if (tz.tz_minuteswest > 15 * 60 || tz.tz_minuteswest < -15 * 60)
			return -EINVAL;
		vdso_data.timezone = tz;
	}
	return utv ? set_realtime(&ts) : 0;
}

/* --- sleeping --------------------------------------------------------------------------------------- */

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

static long sleep_by_tree(int clock, bool absolute, s64 ns, struct kernel_timespec __user *rem)
{
	struct restart_block *block = &current->restart;

	if (absolute) {
		const struct time_limit until = {
			clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM ||
					clock == CLOCK_TAI ?
				TIMER_REALTIME :
				TIMER_MONOTONIC,
			(u64)ns,
		};

		return sleep_for_event(NULL, NULL, &until) == -EINTR ? -ERESTARTNOHAND : 0;
	}
	block->until = ns_from_now(ns);
	block->remaining = rem;
	return sleep_relative(block);
}

/* The same for a clock of processor time; block->until is what is left of it, in ns. */
static long sleep_cpu_relative(struct restart_block *block)
{
	struct kernel_timespec __user *rem = block->remaining;
	s64 ns = (s64)block->until;
	long ret;

	block->fn = NULL;
	ret = cpu_clock_sleep(block->clock, false, &ns);
	if (ret != -EINTR || ns == 0)
		return ret == -EINTR ? 0 : ret;
	if (rem && put_user(to_timespec(ns), rem))
		return -EFAULT;
	block->until = (u64)ns;
	block->fn = sleep_cpu_relative;
	return -ERESTART_RESTARTBLOCK;
}

static long sleep_by_cpu(int clock, bool absolute, s64 ns, struct kernel_timespec __user *rem)
{
	struct restart_block *block = &current->restart;
	long ret;

	if (absolute) {
		ret = cpu_clock_sleep(clock, true, &ns);
		return ret == -EINTR ? -ERESTARTNOHAND : ret;
	}
	block->clock = clock;
	block->until = (u64)ns;
	block->remaining = rem;
	return sleep_cpu_relative(block);
}

long sys_nanosleep(const struct kernel_timespec __user *req, struct kernel_timespec __user *rem)
{
	s64 ns;
	int err = get_timespec_ns(&ns, req);

	return err ? err : sleep_by_tree(CLOCK_MONOTONIC, false, ns, rem);
}

long sys_clock_nanosleep(int clock, unsigned int flags, const struct kernel_timespec __user *req,
			 struct kernel_timespec __user *rem)
{
	bool alarm = clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
	bool cpu = clock_is_cpu(clock), absolute = flags & TIMER_ABSTIME;
	s64 ns;
	int err;

	if (clock == CLOCK_THREAD_CPUTIME_ID || clock_is_fd(clock))
		return -EOPNOTSUPP;
	if (!cpu && clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_TAI &&
	    clock != CLOCK_BOOTTIME && !alarm)
		return clock_read(clock) < 0 ? -EINVAL : -EOPNOTSUPP;
	err = get_timespec_ns(&ns, req);
	if (err)
		return err;
	if (alarm && (flags & ~(unsigned int)TIMER_ABSTIME))
		return -EINVAL;
	if (alarm && !capable(CAP_WAKE_ALARM))
		return -EPERM;
	return cpu ? sleep_by_cpu(clock, absolute, ns, rem) :
		     sleep_by_tree(clock, absolute, ns, rem);
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
	info.sharedram = (u64)max(atomic_long_read(&nr_shmem_pages), 0L) << PAGE_SHIFT;
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

		cond_resched();
		if (sched_kill_pending())
			return done ? (long)done : -EINTR;
		get_random_bytes(bytes, n);
		if (copy_to_user(user_at(buf, done), bytes, n))
			return done ? (long)done : -EFAULT;
		done += n;
	}
	return (long)done;
}
