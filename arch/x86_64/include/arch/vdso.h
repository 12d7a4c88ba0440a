/* SPDX-License-Identifier: MIT */
/*
 * What the kernel lets every program have without a system call: a page of data that it keeps up to
 * date, and a small shared object whose functions read it (arch/x86_64/vdso/). In a program:
 *
 *	[vvar]	VVAR_SIZE	the page of data, and places where others have more of them
 *	[vdso]	VDSO_SIZE	the shared object, directly behind: that is how it finds the data
 *
 * The clock is the kernel's own, by the same arithmetic on the same numbers: a program can go back and
 * forth between a system call and the vdso and will not see it go back.
 */
#ifndef ARCH_VDSO_H
#define ARCH_VDSO_H

#include <arch/pte.h>

#include "kernel/abi/time.h"
#include "kernel/base/compiler.h"

#define VVAR_SIZE 0x4000UL
#define VDSO_SIZE 0x2000UL

enum vdso_clock {
	VDSO_CLOCK_NONE, /* ask the kernel */
	VDSO_CLOCK_TSC,
};

#define TSC_SHIFT 32

/*
 * Read by programs at any time: what belongs together is changed between two steps of seq. A page, so
 * that nothing else is in it.
 */
struct vdso_data {
	u32 seq;   /* odd: it is being changed */
	u32 clock; /* enum vdso_clock */
	/* Nanoseconds since boot: of TSC ticks, those since tsc_base times tsc_mult / 2^TSC_SHIFT. */
	u64 tsc_base, tsc_mult;
	s64 realtime_ns; /* when that was 0: in ns since 1970 */
	u64 coarse_ns;	 /* ns since boot at the last tick */
	u64 tick_ns;
	struct kernel_timezone timezone;
	u32 has_rdtscp; /* the instruction RDTSCP tells the processor's number */
} __aligned(PAGE_SIZE);

static inline u64 tsc_to_ns(u64 tsc, u64 base, u64 mult)
{
	s64 ticks = (s64)(tsc - base);

	/* Another processor's counter may be a little behind the one that set the base. */
	if (ticks < 0)
		return 0;
	return (u64)((unsigned __int128)ticks * mult >> TSC_SHIFT);
}

/*
 * The segment whose limit is a number: of this processor in the low VDSO_CPU_BITS, of its node above. A
 * program reads it by LSL; RDTSCP gives the same, from IA32_TSC_AUX.
 */
#define VDSO_CPU_SELECTOR 0x7b
#define VDSO_CPU_BITS	  12

#ifndef BUILD_VDSO
extern struct vdso_data vdso_data;
/* The shared object: VDSO_SIZE bytes. */
extern const u8 vdso_image[];

/*
 * Around a change of vdso_data. => interrupts disabled, so that no program waits long; one writer at a
 * time
 */
static inline void vdso_write_begin(void)
{
	WRITE_ONCE(vdso_data.seq, vdso_data.seq + 1);
	barrier(); /* this processor's writes are seen in their order: SDM volume 3A, 8.2.2 */
}

static inline void vdso_write_end(void)
{
	barrier();
	WRITE_ONCE(vdso_data.seq, vdso_data.seq + 1);
}
#endif

#endif
