/* SPDX-License-Identifier: MIT */
/* Registers and instructions of the processor, as C functions. Names are Intel's. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <arch/irqflags.h>
#include <arch/tsc.h>

#include "kernel/base/compiler.h"

#define X86_EFLAGS_TF	 BIT(8)
#define X86_EFLAGS_DF	 BIT(10)
#define X86_EFLAGS_NT	 BIT(14)
#define X86_EFLAGS_RF	 BIT(16)
#define X86_EFLAGS_AC	 BIT(18)
#define X86_EFLAGS_FIXED BIT(1)

#define X86_CR0_MP	   BIT(1)
#define X86_CR0_EM	   BIT(2)
#define X86_CR0_TS	   BIT(3)
#define X86_CR0_NE	   BIT(5)
#define X86_CR0_WP	   BIT(16)
#define X86_CR0_AM	   BIT(18)
#define X86_CR4_MCE	   BIT(6)
#define X86_CR4_PGE	   BIT(7)
#define X86_CR4_OSFXSR	   BIT(9)
#define X86_CR4_OSXMMEXCPT BIT(10)
#define X86_CR4_UMIP	   BIT(11)
#define X86_CR4_FSGSBASE   BIT(16)
#define X86_CR4_OSXSAVE	   BIT(18)
#define X86_CR4_SMEP	   BIT(20)
#define X86_CR4_SMAP	   BIT(21)

#define MSR_EFER	   0xc0000080
#define MSR_STAR	   0xc0000081
#define MSR_LSTAR	   0xc0000082
#define MSR_CSTAR	   0xc0000083
#define MSR_SYSCALL_MASK   0xc0000084
#define MSR_FS_BASE	   0xc0000100
#define MSR_GS_BASE	   0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX	   0xc0000103
#define MSR_IA32_CR_PAT	   0x277
/*
 * The kinds of caching that PWT (1), PCD (2) and PAT (4) of an entry choose from, as after reset but for
 * PWT alone, which is write-combining instead of write-through: SDM volume 3A, 12.12.
 */
#define PAT_VALUE 0x0007040600070106UL

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_NX	 BIT(11)

static inline void cpuid(u32 leaf, u32 subleaf, u32 *a, u32 *b, u32 *c, u32 *d)
{
	__asm__ volatile("cpuid"
			 : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d)
			 : "a"(leaf), "c"(subleaf));
}

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return ((u64)hi << 32) | lo;
}

static inline void wrmsr(u32 msr, u64 val)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)val), "d"((u32)(val >> 32)) : "memory");
}

#define DEFINE_CR(n)                                                           \
	static inline unsigned long read_cr##n(void)                           \
	{                                                                      \
		unsigned long v;                                               \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v) : : "memory"); \
		return v;                                                      \
	}                                                                      \
	static inline void write_cr##n(unsigned long v)                        \
	{                                                                      \
		__asm__ volatile("mov %0, %%cr" #n : : "r"(v) : "memory");     \
	}
DEFINE_CR(0)
DEFINE_CR(2)
DEFINE_CR(3)
DEFINE_CR(4)
#undef DEFINE_CR

/* What a debug exception was about; the processor only ever sets bits there (SDM volume 3B, section 17.2.3). */
#define DR6_INITIAL 0xffff0ff0UL
#define DR6_TRAPS   0xfUL
#define DR6_STEP    BIT(14)

/* The bits that have been set, 1 for what happened; forgets them. */
static inline unsigned long read_clear_dr6(void)
{
	unsigned long v;

	__asm__ volatile("mov %%dr6, %0\n\tmov %1, %%dr6" : "=&r"(v) : "r"(DR6_INITIAL));
	return v ^ DR6_INITIAL;
}

/* Waits for an interrupt. => interrupts disabled; they are enabled in the same step, so none is missed. */
static inline void safe_halt(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

/* Loads the null selector into DS, ES, FS and GS; the bases of FS and GS are undefined after. => irqs off */
static inline void clear_data_segments(void)
{
	__asm__ volatile("movl %0, %%ds\n\t"
			 "movl %0, %%es\n\t"
			 "movl %0, %%fs\n\t"
			 "swapgs\n\t"
			 "movl %0, %%gs\n\t"
			 "swapgs"
			 :
			 : "r"(0)
			 : "memory");
}

/* What the processor has, found once at boot; the kernel is right without each of them. */
struct cpu_features {
	bool nx, smep, smap, umip, pge, fsgsbase, xsave, gbpages, erms, pat, mce, rdtscp;
	bool hypervisor; /* this is a virtual machine */
	u8 phys_bits;	 /* of a physical address; those above are reserved in an entry */
	char vendor[13];
	char brand[49];
	u32 xsave_size; /* bytes of the XSAVE area for the features in xcr0 */
	u64 xcr0;
};
extern struct cpu_features cpu_features;

/* Finds the boot processor's features and turns them on. */
void cpu_init_features(void);
/* Whether this processor has all that the boot processor's features say. */
bool cpu_has_features(void);
/* Turns them on for this processor (CR0, CR4, EFER, PAT). */
void cpu_enable_features(void);

#endif
