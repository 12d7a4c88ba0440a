/* SPDX-License-Identifier: MIT */
/* What the processor can do, and turning it on. CPUID leaves: Intel SDM volume 2A, CPUID. */
#include <arch/asm.h>
#include <arch/cpu.h>
#include <arch/percpu.h>
#include <arch/pte.h>
#include <arch/ptrace.h>

#include "kernel/base/cmdline.h"
#include "kernel/base/string.h"

#define CHECK_PT(reg, off) _Static_assert(offsetof(struct pt_regs, reg) == (off), #reg)
CHECK_PT(r15, PT_R15);
CHECK_PT(bx, PT_BX);
CHECK_PT(r11, PT_R11);
CHECK_PT(ax, PT_AX);
CHECK_PT(di, PT_DI);
CHECK_PT(orig_ax, PT_ORIG_AX);
CHECK_PT(ip, PT_IP);
CHECK_PT(ss, PT_SS);
_Static_assert(sizeof(struct pt_regs) == PT_SIZE, "pt_regs");

struct cpu_features cpu_features;
unsigned long pte_supported_mask = ~0UL;

static void find_names(struct cpu_features *f, u32 max_ext)
{
	u32 regs[4];
	u32 a;

	cpuid(0, 0, &a, &regs[0], &regs[2], &regs[1]);
	memcpy(f->vendor, regs, 12);
	for (u32 leaf = 0; leaf < 3 && max_ext >= 0x80000004; leaf++) {
		cpuid(0x80000002 + leaf, 0, &regs[0], &regs[1], &regs[2], &regs[3]);
		memcpy(f->brand + 16 * leaf, regs, 16);
	}
}

static void find_features(struct cpu_features *f)
{
	u32 a, b, c, d, max, max_ext;

	cpuid(0, 0, &max, &b, &c, &d);
	cpuid(0x80000000, 0, &max_ext, &b, &c, &d);
	find_names(f, max_ext);
	cpuid(1, 0, &a, &b, &c, &d);
	f->pge = d & BIT(13);
	f->hypervisor = c & BIT(31);
	f->pat = d & BIT(16);
	f->mce = d & BIT(7);
	f->xsave = c & BIT(26);
	if (max >= 7) {
		cpuid(7, 0, &a, &b, &c, &d);
		f->fsgsbase = b & BIT(0);
		f->smep = b & BIT(7);
		f->erms = b & BIT(9);
		f->smap = b & BIT(20);
		f->umip = c & BIT(2);
	}
	cpuid(0x80000001, 0, &a, &b, &c, &d);
	f->nx = d & BIT(20);
	f->gbpages = d & BIT(26);
	f->rdtscp = d & BIT(27);
	f->phys_bits = 36; /* of processors that don't say */
	if (max_ext >= 0x80000008) {
		cpuid(0x80000008, 0, &a, &b, &c, &d);
		f->phys_bits = a & 0xff;
	}
}

/* "nofeature=smap,smep" on the kernel's command line pretends that the processor lacks some. */
static void drop_features(struct cpu_features *f)
{
	static const struct {
		const char *name;
		size_t offset;
	} names[] = {
		{ "nx", offsetof(struct cpu_features, nx) },
		{ "smep", offsetof(struct cpu_features, smep) },
		{ "smap", offsetof(struct cpu_features, smap) },
		{ "umip", offsetof(struct cpu_features, umip) },
		{ "pge", offsetof(struct cpu_features, pge) },
		{ "fsgsbase", offsetof(struct cpu_features, fsgsbase) },
		{ "xsave", offsetof(struct cpu_features, xsave) },
		{ "gbpages", offsetof(struct cpu_features, gbpages) },
		{ "rdtscp", offsetof(struct cpu_features, rdtscp) },
	};
	char list[128], *p = list;

	if (cmdline_get("nofeature", list, sizeof(list)) < 0)
		return;
	while (*p) {
		size_t len = strcspn(p, ",");

		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (strlen(names[i].name) == len && !strncmp(names[i].name, p, len))
				*((bool *)f + names[i].offset) = false;
		p += len;
		if (*p)
			p++;
	}
}

void cpu_init_features(void)
{
	find_features(&cpu_features);
	drop_features(&cpu_features);
	if (!cpu_features.nx)
		pte_supported_mask &= ~_PAGE_NX;
	cpu_enable_features();
}

bool cpu_has_features(void)
{
	const struct cpu_features *f = &cpu_features;
	struct cpu_features mine = { 0 };

	find_features(&mine);
	return f->nx <= mine.nx && f->smep <= mine.smep && f->smap <= mine.smap &&
	       f->umip <= mine.umip && f->pge <= mine.pge && f->fsgsbase <= mine.fsgsbase &&
	       f->xsave <= mine.xsave && f->gbpages <= mine.gbpages && f->pat <= mine.pat &&
	       f->mce <= mine.mce && f->rdtscp <= mine.rdtscp;
}

void cpu_enable_features(void)
{
	const struct cpu_features *f = &cpu_features;
	unsigned long cr4 = read_cr4();

	/* FXSR and SSE exceptions: every x86-64 processor has both. */
	cr4 |= X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	if (f->mce)
		cr4 |= X86_CR4_MCE;
	if (f->pge)
		cr4 |= X86_CR4_PGE;
	if (f->smep)
		cr4 |= X86_CR4_SMEP;
	if (f->smap)
		cr4 |= X86_CR4_SMAP;
	if (f->umip)
		cr4 |= X86_CR4_UMIP;
	if (f->fsgsbase)
		cr4 |= X86_CR4_FSGSBASE;
	if (f->xsave)
		cr4 |= X86_CR4_OSXSAVE;
	write_cr4(cr4);
	write_cr0((read_cr0() | X86_CR0_MP | X86_CR0_NE | X86_CR0_WP | X86_CR0_AM) &
		  ~(X86_CR0_EM | X86_CR0_TS));

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | (f->nx ? EFER_NX : 0));
	if (f->pat)
		wrmsr(MSR_IA32_CR_PAT, PAT_VALUE);
}
