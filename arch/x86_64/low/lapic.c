/* SPDX-License-Identifier: MIT */
/*
 * The local APIC. Register offsets: Intel SDM vol. 3, table 11-1; in x2APIC mode register R is
 * MSR 0x800 + R / 16 (section 11.12.1). The mode is never changed here, only followed.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/lapic.h>
#include "kernel/base/compiler.h"
#include "kernel/base/errno.h"
#include "kernel/base/panic.h"

#define MSR_APIC_BASE	 0x1b
#define APIC_BASE_X2APIC BIT(10)
#define APIC_BASE_ENABLE BIT(11)
#define APIC_BASE_ADDR	 0x000ffffffffff000UL
#define MSR_X2APIC	 0x800
#define CPUID_APIC	 BIT(9) /* leaf 1, EDX */

#define REG_ID		  0x020
#define REG_VERSION	  0x030
#define REG_TPR		  0x080
#define REG_EOI		  0x0b0
#define REG_SPURIOUS	  0x0f0
#define REG_ICR_LOW	  0x300
#define REG_ICR_HIGH	  0x310 /* in x2APIC mode the upper half of the same MSR */
#define REG_LVT_TIMER	  0x320
#define REG_LVT_THERMAL	  0x330
#define REG_LVT_PERF	  0x340
#define REG_LVT_LINT0	  0x350
#define REG_LVT_LINT1	  0x360
#define REG_LVT_ERROR	  0x370
#define REG_TIMER_INITIAL 0x380
#define REG_TIMER_CURRENT 0x390
#define REG_TIMER_DIVIDE  0x3e0

#define SPURIOUS_ENABLE BIT(8)
#define LVT_MASKED	BIT(16)
#define LVT_NMI		(4U << 8)
#define LVT_PERIODIC	BIT(17)
#define TIMER_DIVIDE_16 3 /* bits 0, 1 and 3 of the register code the divider */

/* The interrupt command register, 11.6.1. */
#define ICR_NMI	      (4U << 8)
#define ICR_INIT      (5U << 8)
#define ICR_STARTUP   (6U << 8)
#define ICR_PENDING   BIT(12)
#define ICR_ASSERT    BIT(14)
#define XAPIC_LAST_ID 0xfe /* 0xff is everybody */

#define CALIBRATE_US 3000
#define CALIBRATIONS 3
#define GOOD_NS	     (CALIBRATE_US * 1000 / 1024) /* no better run is needed */

u64 lapic_timer_khz;

static volatile u8 *regs;
static bool x2apic;
static u8 timer_vector;

static u32 read_reg(u32 reg)
{
	if (x2apic)
		return (u32)rdmsr(MSR_X2APIC + reg / 16);
	return mmio_read32(regs + reg);
}

static void write_reg(u32 reg, u32 val)
{
	if (x2apic)
		wrmsr(MSR_X2APIC + reg / 16, val);
	else
		mmio_write32(regs + reg, val);
}

static bool has_apic(void)
{
	u32 a, b, c, d;

	cpuid(1, 0, &a, &b, &c, &d);
	return d & CPUID_APIC;
}

u64 lapic_base_phys(void)
{
	return rdmsr(MSR_APIC_BASE) & APIC_BASE_ADDR;
}

int lapic_init(void *mmio)
{
	if (!has_apic())
		return -ENODEV;
	x2apic = rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC;
	if (!x2apic && !mmio)
		return -ENODEV;
	regs = mmio;
	return 0;
}

void lapic_enable(u8 spurious_vector)
{
	u64 base = rdmsr(MSR_APIC_BASE);
	u32 last_lvt;

	if (!(base & APIC_BASE_ENABLE))
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
	/* All processors in one mode: that of the boot processor (11.12.5 for the way there). */
	if (x2apic && !(base & APIC_BASE_X2APIC))
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	/* Enabled first: while it is disabled in software, every LVT stays masked (11.4.7.2). */
	write_reg(REG_SPURIOUS, (u32)SPURIOUS_ENABLE | spurious_vector);
	write_reg(REG_LVT_TIMER, LVT_MASKED);
	write_reg(REG_LVT_LINT0, LVT_MASKED); /* the 8259s' line */
	write_reg(REG_LVT_LINT1, LVT_NMI);    /* where PCs wire NMI */
	write_reg(REG_LVT_ERROR, LVT_MASKED);
	/* Bits 16 to 23 of the version give the index of the last LVT the processor has. */
	last_lvt = read_reg(REG_VERSION) >> 16 & 0xff;
	if (last_lvt >= 4)
		write_reg(REG_LVT_PERF, LVT_MASKED);
	if (last_lvt >= 5)
		write_reg(REG_LVT_THERMAL, LVT_MASKED);
	write_reg(REG_TPR, 0);
}

u32 lapic_id(void)
{
	u32 id = read_reg(REG_ID);

	return x2apic ? id : id >> 24;
}

void lapic_eoi(void)
{
	write_reg(REG_EOI, 0);
}

/* --- interrupts for other processors ------------------------------------------------------------ */

bool lapic_reaches(u32 id)
{
	return x2apic || id <= XAPIC_LAST_ID;
}

static void send(u32 id, u32 command)
{
	unsigned long flags;

	if (x2apic) {
		/* This WRMSR, unlike others, does not wait for earlier stores: 11.12.3. */
		__asm__ volatile("mfence\n\tlfence" : : : "memory");
		wrmsr(MSR_X2APIC + REG_ICR_LOW / 16, (u64)id << 32 | command);
		return;
	}
	/* An interrupt between the two writes may send its own. */
	flags = local_irq_save();
	while (read_reg(REG_ICR_LOW) & ICR_PENDING)
		cpu_relax();
	write_reg(REG_ICR_HIGH, id << 24);
	write_reg(REG_ICR_LOW, command);
	local_irq_restore(flags);
}

void lapic_send_ipi(u32 id, u8 vector)
{
	send(id, (u32)ICR_ASSERT | vector);
}

void lapic_send_nmi(u32 id)
{
	send(id, (u32)ICR_ASSERT | ICR_NMI);
}

void lapic_send_init(u32 id)
{
	send(id, (u32)ICR_ASSERT | ICR_INIT);
}

void lapic_send_startup(u32 id, phys_addr_t code)
{
	send(id, (u32)ICR_ASSERT | ICR_STARTUP | (u32)(code.v >> PAGE_SHIFT));
}

/* --- the timer ------------------------------------------------------------------------------------ */

/* The timer's speed in kHz, from one run. *vague: by how many ns the run's length is in doubt. */
static u64 measure_timer(u64 *vague)
{
	u64 start, before, after;
	u32 left;

	start = clock_ns();
	write_reg(REG_TIMER_INITIAL, ~0U);
	before = clock_ns();
	*vague = before - start;
	udelay(CALIBRATE_US);
	start += *vague / 2;
	before = clock_ns();
	left = read_reg(REG_TIMER_CURRENT);
	after = clock_ns();
	*vague += after - before;
	return (u64)(~0U - left) * 1000000 / (before + (after - before) / 2 - start);
}

static void calibrate(void)
{
	u64 khz, vague, best_vague = ~0ULL;
	unsigned int i;

	for (i = 0; i < CALIBRATIONS; i++) {
		khz = measure_timer(&vague);
		if (vague < best_vague) {
			best_vague = vague;
			lapic_timer_khz = khz;
		}
		if (vague < GOOD_NS)
			break;
	}
	write_reg(REG_TIMER_INITIAL, 0);
	/* A timer that stands still would make every wait in the kernel one for ever. */
	if (lapic_timer_khz == 0)
		panic("the local APIC's timer does not count");
}

void lapic_timer_init(u8 vector)
{
	timer_vector = vector;
	write_reg(REG_LVT_TIMER, (u32)LVT_MASKED | vector);
	write_reg(REG_TIMER_DIVIDE, TIMER_DIVIDE_16);
	if (lapic_timer_khz == 0)
		calibrate();
}

static u32 ns_to_ticks(u64 ns)
{
	/* 2^32 ticks at most, so times longer than this don't matter: no overflow below. */
	const u64 longest = 1ULL << 40;
	u64 ticks = (u64)((unsigned __int128)min(ns, longest) * lapic_timer_khz >> 6);

	/* 2^6 * 15625 = 10^6 */
	ticks /= 15625;
	return (u32)min(max(ticks, (u64)1), (u64)~0U); /* 0 would stop it */
}

static void start_timer(u32 mode, u64 ns)
{
	write_reg(REG_LVT_TIMER, mode | timer_vector);
	write_reg(REG_TIMER_INITIAL, ns_to_ticks(ns));
}

void lapic_timer_start(u64 period_ns)
{
	start_timer(LVT_PERIODIC, period_ns);
}

void lapic_timer_oneshot(u64 delay_ns)
{
	start_timer(0, delay_ns);
}

void lapic_timer_stop(void)
{
	write_reg(REG_TIMER_INITIAL, 0);
	write_reg(REG_LVT_TIMER, (u32)LVT_MASKED | timer_vector);
}
