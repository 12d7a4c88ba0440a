/* SPDX-License-Identifier: MIT */
/*
 * Starting one processor: Intel SDM volume 3A, section 8.4.4. The one that starts it (here "we") and the
 * one that starts take the steps in turn, and we wait for each only so long:
 *
 *	we	copy the trampoline, send INIT and STARTUP
 *	it	sets itself up, says AP_ALIVE
 *	we	compare its time-stamp counter with ours and set it right, say so
 *	it	counts itself online
 *
 * When it doesn't come, or can't be used, a last INIT puts it back to where it waits for a STARTUP, so
 * that it does not wake up later in a page that holds something else by then.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/lapic.h>
#include <arch/smp.h>
#include <arch/smp_boot.h>

#include "kernel/base/errno.h"
#include "kernel/base/string.h"

extern const u8 trampoline_start[], trampoline_end[], trampoline_args[];

struct trampoline_args {
	u64 efer, pgd, gs_base, stack, entry;
};

enum {
	AP_SILENT,
	AP_ALIVE,
	AP_REFUSED,
};
static unsigned int ap_state;

#define INIT_US	   10000
#define STARTUP_US 200
#define POLL_US	   100
/* Ten times what the slowest emulator was seen to need. */
#define ANSWER_NS 5000000000UL
/* How often STARTUP is repeated: a processor that runs does not notice. */
#define REPEAT_POLLS (100000 / POLL_US)

size_t smp_trampoline_size(void)
{
	return (size_t)(trampoline_end - trampoline_start);
}

static void write_trampoline(unsigned int cpu, const struct smp_start *start)
{
	const struct trampoline_args args = {
		.efer = (rdmsr(MSR_EFER) & (EFER_SCE | EFER_NX)) | EFER_LME,
		.pgd = start->pgd.v,
		.gs_base = per_cpu_offset[cpu],
		.stack = start->stack_top,
		.entry = (u64)start->entry,
	};
	u8 *page = phys_to_virt(start->page);

	memcpy(page, trampoline_start, smp_trampoline_size());
	memcpy(page + (trampoline_args - trampoline_start), &args, sizeof(args));
}

static bool wait_for_ap(u32 apic_id, phys_addr_t page)
{
	u64 start = clock_ns();

	/* By the clock: on a busy host each poll may take much longer than it says. */
	for (int i = 1; clock_ns() - start < ANSWER_NS; i++) {
		if (__atomic_load_n(&ap_state, __ATOMIC_ACQUIRE) != AP_SILENT)
			return true;
		if (i % REPEAT_POLLS == 0)
			lapic_send_startup(apic_id, page);
		udelay(POLL_US);
	}
	return __atomic_load_n(&ap_state, __ATOMIC_ACQUIRE) != AP_SILENT;
}

static bool wait_until_online(unsigned int cpu)
{
	u64 start = clock_ns();

	while (!cpumask_test_cpu(cpu, &cpu_online_mask)) {
		if (clock_ns() - start >= ANSWER_NS)
			return cpumask_test_cpu(cpu, &cpu_online_mask);
		udelay(POLL_US);
	}
	return true;
}

static int take_in(unsigned int cpu)
{
	unsigned long flags;
	bool in_time;

	if (__atomic_load_n(&ap_state, __ATOMIC_ACQUIRE) == AP_REFUSED)
		return -EINVAL;
	flags = local_irq_save();
	in_time = tsc_sync_others();
	local_irq_restore(flags);
	if (!in_time)
		return -ETIME;
	return wait_until_online(cpu) ? 0 : -ETIMEDOUT;
}

int smp_start_cpu(unsigned int cpu, u32 apic_id, const struct smp_start *start)
{
	int err = -ETIMEDOUT;

	if (!lapic_reaches(apic_id))
		return -EINVAL;
	smp_set_apic_id(cpu, apic_id);
	write_trampoline(cpu, start);
	__atomic_store_n(&ap_state, AP_SILENT, __ATOMIC_SEQ_CST);
	lapic_send_init(apic_id);
	udelay(INIT_US);
	for (int i = 0; i < 2; i++) {
		lapic_send_startup(apic_id, start->page);
		udelay(STARTUP_US);
	}
	if (wait_for_ap(apic_id, start->page))
		err = take_in(cpu);
	if (err) {
		lapic_send_init(apic_id);
		udelay(INIT_US);
	}
	return err;
}

/* --- on the processor that starts ----------------------------------------------------------------- */

void smp_cpu_refuses(void)
{
	__atomic_store_n(&ap_state, AP_REFUSED, __ATOMIC_RELEASE);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void smp_cpu_online(void)
{
	__atomic_store_n(&ap_state, AP_ALIVE, __ATOMIC_RELEASE);
	tsc_sync_self();
	cpumask_set_cpu((unsigned int)smp_processor_id(), &cpu_online_mask);
}
