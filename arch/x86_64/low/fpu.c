/* SPDX-License-Identifier: MIT */
#include <arch/cpu.h>
#include <arch/fpu.h>
#include <arch/uaccess.h>

#include "kernel/base/errno.h"
#include "kernel/base/panic.h"
#include "kernel/base/string.h"

#define FXSAVE_SIZE 512
#define XCR0_X87    BIT(0)
#define XCR0_SSE    BIT(1)
#define XCR0_AVX    BIT(2)
#define XCR0_AVX512 (BIT(5) | BIT(6) | BIT(7))

#define FCW_DEFAULT   0x37f
#define MXCSR_DEFAULT 0x1f80

/* XSAVE's header of 64 bytes follows the 512 that FXSAVE has. */
#define XSTATE_HEADER	   512
#define XSTATE_HEADER_SIZE 64

int __xsave_user(void __user *area, u64 features);
int __xrstor_user(const void __user *area, u64 features);
int __fxsave_user(void __user *area);
int __fxrstor_user(const void __user *area);

/* With no component marked as present this is all that XRSTOR reads of an area. */
static u8 initial_area[XSTATE_HEADER + XSTATE_HEADER_SIZE] __aligned(FPU_ALIGN);

static void xsetbv(u64 val)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((u32)val), "d"((u32)(val >> 32)));
}

static void set_controls(u8 *area)
{
	*(u16 *)area = FCW_DEFAULT;
	*(u32 *)(area + 24) = MXCSR_DEFAULT;
}

void fpu_enable(void)
{
	__asm__ volatile("fninit");
	if (cpu_features.xsave)
		xsetbv(cpu_features.xcr0);
}

void fpu_init(void)
{
	struct cpu_features *f = &cpu_features;
	u32 a, b, c, d;

	set_controls(initial_area);
	f->xsave_size = FXSAVE_SIZE;
	if (f->xsave) {
		/* Leaf 13: which state components exist. */
		cpuid(13, 0, &a, &b, &c, &d);
		f->xcr0 = a & (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512);
		if ((f->xcr0 & XCR0_AVX512) != XCR0_AVX512)
			f->xcr0 &= ~XCR0_AVX512;
	}
	fpu_enable();
	if (!f->xsave)
		return;
	/* And how large an area the enabled ones need. */
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
	/* A zero XSTATE_BV in the XSAVE header means "initial values" for every component but MXCSR. */
	memset(area, 0, fpu_area_size());
	set_controls(area);
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

static void xrstor(const void *area, u64 features)
{
	__asm__ volatile("xrstor64 (%0)"
			 :
			 : "r"(area), "a"((u32)features), "d"((u32)(features >> 32))
			 : "memory");
}

void fpu_restore(const void *area)
{
	if (cpu_features.xsave)
		xrstor(area, cpu_features.xcr0);
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

void fpu_reset(void)
{
	fpu_restore(initial_area);
}

/* --- in signal frames ------------------------------------------------------------------------- */

size_t fpu_user_size(void)
{
	return cpu_features.xsave_size;
}

int fpu_save_user(void __user *area)
{
	if (!access_ok((unsigned long)area, fpu_user_size()))
		return -EFAULT;
	if (!cpu_features.xsave)
		return __fxsave_user(area) ? -EFAULT : 0;
	/* XSAVE writes only some bytes of the header, and XRSTOR wants zeros in the others. */
	if (clear_user(user_at(area, XSTATE_HEADER), XSTATE_HEADER_SIZE))
		return -EFAULT;
	return __xsave_user(area, cpu_features.xcr0) ? -EFAULT : 0;
}

int fpu_restore_user(const void __user *area, u64 features, bool fx_only)
{
	size_t size = fx_only || !cpu_features.xsave ? FXSAVE_SIZE : fpu_user_size();
	int err;

	/* First, because it loads MXCSR too. */
	fpu_reset();
	if (!access_ok((unsigned long)area, size))
		return -EFAULT;
	if (fx_only || !cpu_features.xsave)
		err = __fxrstor_user(area);
	else
		err = __xrstor_user(area, features & cpu_features.xcr0);
	if (!err)
		return 0;
	fpu_reset(); /* part of it may be loaded */
	return -EFAULT;
}

u32 fpu_exceptions_x87(void)
{
	u16 control, status;

	__asm__ volatile("fnstcw %0\n\tfnstsw %1" : "=m"(control), "=m"(status));
	return status & ~control & 0x3f;
}

u32 fpu_exceptions_simd(void)
{
	u32 mxcsr;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	return mxcsr & ~(mxcsr >> 7) & 0x3f;
}
