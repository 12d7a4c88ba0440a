/* SPDX-License-Identifier: MIT */
/*
 * The floating-point and vector registers of user programs (the kernel is built not to touch
 * them): saved and loaded whole at every switch between programs, by XSAVE where the processor has
 * it, else FXSAVE. Intel SDM volume 1, chapters 10.5 and 13.
 */
#ifndef ARCH_FPU_H
#define ARCH_FPU_H

#include "kernel/base/compiler.h"

#define FPU_ALIGN 64

/* Bytes of a save area, at most a page. */
size_t fpu_area_size(void);
/* Fills a save area with what a new program starts with. */
void fpu_area_init(void *area);
/* => area is FPU_ALIGN-aligned and fpu_area_size() long. */
void fpu_save(void *area);
void fpu_restore(const void *area);
/* Gives the running program the values that a new one starts with. */
void fpu_reset(void);

/*
 * The same registers in a signal frame: fpu_user_size() bytes at an address that is
 * FPU_ALIGN-aligned for saving. May sleep; another task may run in between.
 */
size_t fpu_user_size(void);
/* 0, or -EFAULT. Leaves the bytes alone that the processor leaves to software. */
int fpu_save_user(void __user *area);
/*
 * Loads the components in `features`, the others get their initial values. fx_only: the area ends after
 * FXSAVE's 512 bytes. 0, or -EFAULT when the area can't be read or the processor refuses it; then
 * the registers are initial.
 */
int fpu_restore_user(const void __user *area, u64 features, bool fx_only);

/*
 * The exceptions that are raised and not masked, as in the status words: IE 1, DE 2, ZE 4, OE 8,
 * UE 16, PE 32 (SDM volume 1, figures 8-4 and 10-3).
 */
u32 fpu_exceptions_x87(void);
u32 fpu_exceptions_simd(void);

/* Enables the units on the boot processor and finds the area's size. => cpu_init_features() ran. */
void fpu_init(void);
/* Enables the units on another processor. => cpu_enable_features() ran on it. */
void fpu_enable(void);

#endif
