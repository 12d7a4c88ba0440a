/* SPDX-License-Identifier: MIT */
/*
 * The clock: how fast the time-stamp counter runs, and time from it.
 *
 * A counter that isn't "invariant" (CPUID 0x80000007, EDX bit 8) may change its speed with the
 * processor's. It is used all the same: there is nothing better on such machines that is as cheap,
 * and under an emulator, which never says invariant, it is good.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/vdso.h>

#include "kernel/base/compiler.h"
#include "kernel/base/printk.h"

#define CPUID_HYPERVISOR  BIT(31) /* leaf 1, ECX */
#define CPUID_HV_BASE	  0x40000000
#define CPUID_HV_TIMING	  0x40000010 /* EAX: TSC in kHz (VMware's convention, also KVM's) */
#define CPUID_TSC_CRYSTAL 0x15

#define RUN_TICKS (PIT_HZ / 200) /* 5 ms */
/* Most machines need one. On a host busy with other work the processor is often away in between. */
#define RUNS 40
/* A run is good enough when its ends are known to one part in this; no further one is made. */
#define GOOD_PART 1024
/* Reading the PIT takes about a microsecond: far more than 5 ms of them, and it isn't counting. */
#define RUN_POLLS 1000000

#define NS_PER_MS    1000000ULL
#define FALLBACK_KHZ 1000000ULL

u64 tsc_khz;
struct vdso_data vdso_data;

static u64 khz_from_cpuid(void)
{
	u32 a, b, c, d;

	/* SDM vol. 2, CPUID leaf 0x15: the crystal's Hz in ECX, times EBX / EAX. */
	cpuid(0, 0, &a, &b, &c, &d);
	if (a >= CPUID_TSC_CRYSTAL) {
		cpuid(CPUID_TSC_CRYSTAL, 0, &a, &b, &c, &d);
		if (a && b && c)
			return (u64)c * b / a / 1000;
	}
	cpuid(1, 0, &a, &b, &c, &d);
	if (!(c & CPUID_HYPERVISOR))
		return 0;
	cpuid(CPUID_HV_BASE, 0, &a, &b, &c, &d);
	if (a < CPUID_HV_TIMING || a > CPUID_HV_BASE + 0xffff)
		return 0;
	cpuid(CPUID_HV_TIMING, 0, &a, &b, &c, &d);
	return a;
}

/*
 * One run against the PIT. Both its ends lie between two readings of the counter, so whatever
 * stops us there (the host, an SMI) makes the run vaguer, not wrong: *vague is by how many ticks.
 * Returns the ticks of the run, or 0 when the PIT doesn't count or, over before it was looked at
 * once, may not.
 */
static u64 pit_run(u64 *vague)
{
	u64 start_from, start_to, end_from, end_to;
	unsigned int polls = 0;
	bool expired;

	start_from = tsc_read();
	pit_countdown(RUN_TICKS);
	start_to = end_to = tsc_read();
	do {
		end_from = end_to;
		expired = pit_expired();
		end_to = tsc_read();
	} while (!expired && ++polls < RUN_POLLS);
	if (!expired || polls == 0)
		return 0;
	*vague = (start_to - start_from) + (end_to - end_from);
	return (end_from + end_to) / 2 - (start_from + start_to) / 2;
}

static u64 khz_from_pit(void)
{
	u64 ticks, vague, best = 0, best_vague = ~0ULL;
	unsigned int run;

	for (run = 0; run < RUNS; run++) {
		ticks = pit_run(&vague);
		/* A busy host may stop us for longer than the whole run: that says nothing. */
		if (ticks == 0)
			continue;
		if (vague < best_vague) {
			best = ticks;
			best_vague = vague;
		}
		if (best_vague < best / GOOD_PART)
			break;
	}
	return best * PIT_HZ / RUN_TICKS / 1000;
}

void tsc_init(void)
{
	const char *how = "CPUID";
	u64 khz = khz_from_cpuid();

	if (khz == 0) {
		how = "PIT";
		khz = khz_from_pit();
	}
	if (khz == 0) {
		how = "guess";
		khz = FALLBACK_KHZ;
		pr_warn("no way to measure the TSC: time will run at a wrong speed\n");
	}
	tsc_khz = khz;
	vdso_data.tsc_base = tsc_read();
	WRITE_ONCE(vdso_data.tsc_mult, (NS_PER_MS << TSC_SHIFT) / khz);
	pr_info("tsc: %lu.%03lu MHz (%s)\n", (unsigned long)(khz / 1000),
		(unsigned long)(khz % 1000), how);
}

u64 clock_ns(void)
{
	/* Programs read the same numbers: whatever they are, both clocks are one. */
	return tsc_to_ns(tsc_read(), vdso_data.tsc_base, READ_ONCE(vdso_data.tsc_mult));
}

void udelay(unsigned int us)
{
	u64 start, ticks;

	if (tsc_khz == 0) {
		while (us-- > 0)
			io_wait();
		return;
	}
	ticks = us * tsc_khz / 1000 + 1;
	start = tsc_read();
	while (tsc_read() - start < ticks)
		cpu_relax();
}
