/* SPDX-License-Identifier: MIT */
#ifndef ABI_TIME_H
#define ABI_TIME_H

#include <stdint.h>

struct kernel_timespec {
	int64_t tv_sec;
	int64_t tv_nsec;
};

struct kernel_timeval {
	int64_t tv_sec;
	int64_t tv_usec;
};

struct kernel_itimerval {
	struct kernel_timeval it_interval, it_value;
};

struct kernel_itimerspec {
	struct kernel_timespec it_interval, it_value;
};

struct kernel_timezone {
	int32_t tz_minuteswest, tz_dsttime;
};

/* times(2)'s, in hundredths of a second. */
struct kernel_tms {
	int64_t tms_utime, tms_stime, tms_cutime, tms_cstime;
};

struct kernel_rusage {
	struct kernel_timeval ru_utime, ru_stime;
	int64_t ru_maxrss; /* KiB */
	int64_t ru_ixrss, ru_idrss, ru_isrss;
	int64_t ru_minflt, ru_majflt;
	int64_t ru_nswap, ru_inblock, ru_oublock, ru_msgsnd, ru_msgrcv, ru_nsignals, ru_nvcsw,
		ru_nivcsw;
};

struct kernel_sysinfo {
	int64_t uptime;
	uint64_t loads[3];
	uint64_t totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	uint16_t procs, pad;
	uint64_t totalhigh, freehigh;
	uint32_t mem_unit;
};

#define CLOCK_REALTIME		 0
#define CLOCK_MONOTONIC		 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID	 3
#define CLOCK_MONOTONIC_RAW	 4
#define CLOCK_REALTIME_COARSE	 5
#define CLOCK_MONOTONIC_COARSE	 6
#define CLOCK_TAI		 11
#define CLOCK_BOOTTIME		 7
#define CLOCK_REALTIME_ALARM	 8
#define CLOCK_BOOTTIME_ALARM	 9

#define TIMER_ABSTIME 1

#define ITIMER_REAL    0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF    2

/* How a timer of timer_create(2) tells that it has fired. */
struct kernel_sigevent {
	uint64_t value;
	int32_t signo, notify;
	int32_t thread_id;
	int32_t pad[11];
};
#define SIGEV_SIGNAL	0
#define SIGEV_NONE	1
#define SIGEV_THREAD	2 /* to the kernel the same as SIGEV_SIGNAL */
#define SIGEV_THREAD_ID 4

#endif
