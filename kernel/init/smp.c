/* SPDX-License-Identifier: MIT */
/*
 * The other processors: which there are, what each needs before it starts, and its way from the
 * trampoline to its idle loop. docs/boot.md tells the whole of it.
 */
#include <arch/acpi.h>
#include <arch/asm.h>
#include <arch/cpu.h>
#include <arch/desc.h>
#include <arch/fpu.h>
#include <arch/lapic.h>
#include <arch/smp.h>
#include <arch/smp_boot.h>
#include <arch/trap.h>

#include "kernel/base/cmdline.h"
#include "kernel/base/errno.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/init/init.h"
#include "kernel/sched/sched.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

/* Where a trampoline may lie: above the BIOS's data, below what may be the extended BIOS's. */
#define LOW_FIRST 0x8000UL
#define LOW_END	  0x90000UL

/* --- on the processor that starts ------------------------------------------------------------------ */

static void secondary_main(void)
{
	mmu_load_pgd(kernel_pgd);
	if (!cpu_has_features())
		smp_cpu_refuses();
	cpu_enable_features();
	gdt_init();
	idt_load();
	syscall_init();
	fpu_enable();
	lapic_enable(VECTOR_SPURIOUS);
	lapic_timer_init(VECTOR_TIMER);
	smp_cpu_online();
	/* What the kernel unmapped while nobody told us to forget it. */
	mmu_flush_global();
	lapic_timer_start(TICK_NS);
	sched_start_cpu();
}

/* --- what it needs --------------------------------------------------------------------------------- */

/* Tables that show one page below 1 MiB at its physical address, and the kernel's half. */
static pgd_t bridge_pgd[PTRS_PER_TABLE] __aligned(PAGE_SIZE);

struct bridge {
	phys_addr_t low;      /* the page */
	void *saved;	      /* what was there */
	struct page *page[3]; /* the tables below the top one */
};

static bool find_low_page(phys_addr_t *low)
{
	for (u64 p = LOW_FIRST; p < LOW_END; p += PAGE_SIZE) {
		if (memblock_is_ram(p) && memblock_is_ram(p + PAGE_SIZE - 1)) {
			*low = make_phys(p);
			return true;
		}
	}
	return false;
}

static void fill_bridge(const struct bridge *b)
{
	pfn_t pud = page_to_pfn(b->page[0]), pmd = page_to_pfn(b->page[1]);
	pfn_t pte = page_to_pfn(b->page[2]);
	unsigned long addr = b->low.v;

	mmu_init_pgd(bridge_pgd);
	set_pgd(bridge_pgd, pgd_mktable(pud, _KERNPG_TABLE));
	set_pud((pud_t *)pfn_to_virt(pud), pud_mktable(pmd, _KERNPG_TABLE));
	set_pmd((pmd_t *)pfn_to_virt(pmd), pmd_mktable(pte, _KERNPG_TABLE));
	/* Not global: it has to go when the kernel's own tables are loaded. */
	set_pte((pte_t *)pfn_to_virt(pte) + pte_index(addr),
		pfn_pte(phys_to_pfn(b->low), __pgprot(_PAGE_PRESENT | _PAGE_ACCESSED)));
}

static void bridge_destroy(struct bridge *b)
{
	memset(bridge_pgd, 0, sizeof(bridge_pgd));
	for (size_t i = 0; i < ARRAY_SIZE(b->page); i++)
		if (b->page[i])
			free_page(b->page[i]);
	if (b->saved)
		memcpy(phys_to_virt(b->low), b->saved, smp_trampoline_size());
	kfree(b->saved);
}

static int bridge_create(struct bridge *b)
{
	bool all = true;

	*b = (struct bridge){ 0 };
	if (!find_low_page(&b->low))
		return -ENODEV;
	for (size_t i = 0; i < ARRAY_SIZE(b->page); i++) {
		b->page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		all &= b->page[i] != NULL;
	}
	b->saved = kmalloc(smp_trampoline_size(), GFP_KERNEL);
	if (!all || !b->saved) {
		kfree(b->saved);
		b->saved = NULL;
		bridge_destroy(b);
		return -ENOMEM;
	}
	memcpy(b->saved, phys_to_virt(b->low), smp_trampoline_size());
	fill_bridge(b);
	return 0;
}

/* The stack it starts on and keeps for its idle loop; and one for each of the IST numbers. */
struct stacks {
	void *idle;
	void *ist[NR_IST];
};

static void free_stacks(struct stacks *s)
{
	if (s->idle)
		free_kernel_stack(s->idle);
	for (int i = 0; i < NR_IST; i++)
		vfree(s->ist[i]);
}

static bool alloc_stacks(struct stacks *s)
{
	bool all;

	s->idle = alloc_kernel_stack();
	all = s->idle;
	for (int i = 0; i < NR_IST; i++) {
		s->ist[i] = vmalloc(IST_STACK_SIZE);
		all &= s->ist[i] != NULL;
	}
	if (!all)
		free_stacks(s);
	return all;
}

static int start_one(unsigned int cpu, u32 apic_id, const struct bridge *bridge)
{
	struct smp_start start = {
		.page = bridge->low,
		.pgd = make_phys((unsigned long)bridge_pgd - KERNEL_IMAGE_BASE),
		.entry = secondary_main,
	};
	struct stacks stacks;
	int err;

	if (!alloc_stacks(&stacks))
		return -ENOMEM;
	start.stack_top = (unsigned long)stacks.idle + THREAD_SIZE;
	for (unsigned int i = 0; i < NR_IST; i++)
		gdt_set_ist_stack(cpu, i + 1, stacks.ist[i]);
	err = smp_start_cpu(cpu, apic_id, &start);
	if (err)
		free_stacks(&stacks);
	return err;
}

/* --- all of them ----------------------------------------------------------------------------------- */

static const char *reason(int err)
{
	switch (err) {
	case -ETIMEDOUT:
		return "it does not answer";
	case -ETIME:
		return "its clock cannot be set right";
	case -ENOMEM:
		return "no memory for it";
	default:
		return "it is not like the first one, or its number is too large";
	}
}

/* Numbers are given in the order of the table, without gaps. */
static void start_all(unsigned int most, const struct bridge *bridge)
{
	unsigned int cpu = 1;

	for (unsigned int i = 0; i < acpi_info.nr_cpus && cpu < most; i++) {
		u32 apic_id = acpi_info.cpus[i].apic_id;
		int err;

		if (!acpi_info.cpus[i].enabled || apic_id == smp_apic_id(0))
			continue;
		err = start_one(cpu, apic_id, bridge);
		if (err)
			pr_warn("processor with APIC id %u left out: %s\n", apic_id, reason(err));
		else
			cpu++;
	}
}

static unsigned int nr_enabled(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < acpi_info.nr_cpus; i++)
		n += acpi_info.cpus[i].enabled;
	return max(n, 1U);
}

/* "maxcpus=n": at most so many run; 0 is 1. */
static unsigned int most_cpus(void)
{
	unsigned long n;
	char text[16];

	if (cmdline_get("maxcpus", text, sizeof(text)) < 0 || kstrtoul(text, 10, &n))
		return NR_CPUS;
	return (unsigned int)min(max(n, 1UL), (unsigned long)NR_CPUS);
}

void smp_init(void)
{
	unsigned int present = nr_enabled(), most = most_cpus();
	struct bridge bridge;
	int err;

	if (present > NR_CPUS)
		pr_warn("%u processors, of which this kernel uses %d at most\n", present, NR_CPUS);
	if (present > 1 && most > 1) {
		err = bridge_create(&bridge);
		if (err) {
			pr_warn("the other processors are left out: error %d\n", -err);
		} else {
			start_all(most, &bridge);
			bridge_destroy(&bridge);
		}
	}
	pr_info("smp: %u of %u processors run\n", num_online_cpus(), present);
}
