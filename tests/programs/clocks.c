/* SPDX-License-Identifier: MIT */
/* Asks a C library for the time, often, each time in another way; what it asks the kernel is for others. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sched.h>
#include <sys/time.h>
#include <time.h>

#define ROUNDS 100

static long long last;

static int goes_back(const struct timespec *ts)
{
	long long now = ts->tv_sec * 1000000000LL + ts->tv_nsec, before = last;

	last = now;
	return now < before;
}

int main(void)
{
	struct timespec ts;
	struct timeval tv;
	int wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		wrong += clock_gettime(CLOCK_MONOTONIC, &ts) != 0 || goes_back(&ts);
		wrong += clock_gettime(CLOCK_BOOTTIME, &ts) != 0;
		wrong += clock_gettime(CLOCK_MONOTONIC_RAW, &ts) != 0;
		wrong += clock_gettime(CLOCK_MONOTONIC_COARSE, &ts) != 0;
		wrong += clock_gettime(CLOCK_REALTIME, &ts) != 0;
		wrong += clock_gettime(CLOCK_REALTIME_COARSE, &ts) != 0;
		wrong += gettimeofday(&tv, NULL) != 0;
		wrong += sched_getcpu() < 0;
	}
	printf("%d rounds, %d wrong\n", ROUNDS, wrong);
	return wrong != 0;
}
