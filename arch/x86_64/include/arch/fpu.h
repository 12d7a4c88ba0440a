/* SPDX-License-Identifier: MIT */
/*
 * The floating-point and vector registers of user programs (the kernel is built not to touch
 * them): saved and loaded whole at every switch between programs, by XSAVE where the processor has
 * it, else FXSAVE. Intel SDM volume 1, chapters 10.5 and 13.
 */
#ifndef ARCH_FPU_H
#define ARCH_FPU_H

#include "kernel/base/types.h"

#define FPU_ALIGN 64

/* Bytes of a save area, at most a page. */
size_t fpu_area_size(void);
/* Fills a save area with what a new program starts with. */
void fpu_area_init(void *area);
/* => area is FPU_ALIGN-aligned and fpu_area_size() long. */
void fpu_save(void *area);
void fpu_restore(const void *area);
/* Enables the units on this CPU and finds the area's size. => cpu_init_features() ran. */
void fpu_init(void);

#endif
