/* SPDX-License-Identifier: MIT */
/* Time since boot from the time-stamp counter (Intel SDM vol. 3, section 18.17). */
#ifndef ARCH_CLOCK_H
#define ARCH_CLOCK_H

#include "kernel/base/types.h"

/* The counter's frequency in kHz; 0 until tsc_init(). */
extern u64 tsc_khz;

/*
 * Learns the counter's frequency from CPUID or else from the PIT (a few runs of 5 ms), and starts
 * clock_ns() at 0. With neither, takes 1 GHz and warns: time then runs at a wrong speed, but runs.
 * => interrupts disabled, on the boot processor.
 */
void tsc_init(void);

/*
 * Nanoseconds since tsc_init(), 0 before; never goes back on one processor. Any context. Across
 * processors it is as good as their counters are synchronised.
 */
u64 clock_ns(void);

/* Spins for at least `us` microseconds (roughly, before tsc_init()). Any context. */
void udelay(unsigned int us);

/* The counter, read after every earlier instruction has completed (SDM vol. 2, RDTSC). */
static inline u64 tsc_read(void)
{
	u32 lo, hi;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (u64)hi << 32 | lo;
}

/* The programmable interval timer's clock: the PC's 14.31818 MHz divided by 12. */
#define PIT_HZ 1193182U

/* Starts PIT channel 2, silently, counting `ticks` of PIT_HZ down to 0 (mode 0 of the 8254). */
void pit_countdown(u16 ticks);
/* Whether that count has reached 0. Where there is no PIT: true at once. */
bool pit_expired(void);

#endif
