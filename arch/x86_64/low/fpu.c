/* SPDX-License-Identifier: MIT */
#include <arch/cpu.h>
#include <arch/fpu.h>

#include "kernel/base/panic.h"
#include "kernel/base/string.h"

#define FXSAVE_SIZE 512
#define XCR0_X87    BIT(0)
#define XCR0_SSE    BIT(1)
#define XCR0_AVX    BIT(2)
#define XCR0_AVX512 (BIT(5) | BIT(6) | BIT(7))

#define FCW_DEFAULT   0x37f
#define MXCSR_DEFAULT 0x1f80

static void xsetbv(u64 val)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((u32)val), "d"((u32)(val >> 32)));
}

void fpu_init(void)
{
	struct cpu_features *f = &cpu_features;
	u32 a, b, c, d;

	__asm__ volatile("fninit");
	f->xsave_size = FXSAVE_SIZE;
	if (!f->xsave)
		return;
	/* Leaf 13: which state components exist, and how large an area the enabled ones need. */
	cpuid(13, 0, &a, &b, &c, &d);
	f->xcr0 = a & (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512);
	if ((f->xcr0 & XCR0_AVX512) != XCR0_AVX512)
		f->xcr0 &= ~XCR0_AVX512;
	xsetbv(f->xcr0);
	cpuid(13, 0, &a, &b, &c, &d);
	f->xsave_size = b;
	BUG_ON(b > 4096);
}

size_t fpu_area_size(void)
{
	return (cpu_features.xsave_size + FPU_ALIGN - 1) & ~(size_t)(FPU_ALIGN - 1);
}

void fpu_area_init(void *area)
{
	u8 *p = area;

	/* A zero XSTATE_BV in the XSAVE header means "initial values" for every component but MXCSR. */
	memset(area, 0, fpu_area_size());
	*(u16 *)p = FCW_DEFAULT;
	*(u32 *)(p + 24) = MXCSR_DEFAULT;
}

void fpu_save(void *area)
{
	if (cpu_features.xsave)
		__asm__ volatile("xsave64 (%0)"
				 :
				 : "r"(area), "a"((u32)cpu_features.xcr0),
				   "d"((u32)(cpu_features.xcr0 >> 32))
				 : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void fpu_restore(const void *area)
{
	if (cpu_features.xsave)
		__asm__ volatile("xrstor64 (%0)"
				 :
				 : "r"(area), "a"((u32)cpu_features.xcr0),
				   "d"((u32)(cpu_features.xcr0 >> 32))
				 : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}
