/* SPDX-License-Identifier: MIT */
/* A port for text and data out of an emulated machine: QEMU's -debugcon, Bochs's port E9. */
#ifndef ARCH_DEBUGCON_H
#define ARCH_DEBUGCON_H

#include "kernel/base/types.h"

/* Whether there is one: it answers a read with its own number. */
bool debugcon_present(void);
/* All of it, whatever the bytes are. Any context. */
void debugcon_write(const void *data, size_t len);

#endif
