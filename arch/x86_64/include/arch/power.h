/* SPDX-License-Identifier: MIT */
/* The ways a machine ends, and the date it keeps while it is off. */
#ifndef ARCH_POWER_H
#define ARCH_POWER_H

#include "kernel/base/compiler.h"

/* Each tries one way after the other, disables interrupts, and in the end halts for ever. */

/* Off: by ACPI, or the ports that emulators have for it. */
void machine_poweroff(void) __noreturn;

/*
 * Ends an emulator that has `-device isa-debug-exit,iobase=0xf4,iosize=0x04`: QEMU's exit status
 * is then (status << 1) | 1. Any other machine is switched off. Fits machine_halt_hook.
 */
void machine_exit(int status) __noreturn;

void machine_reboot(void) __noreturn;

/*
 * The battery-backed clock, taken as UTC, in seconds since 1970-01-01. 0 when it doesn't answer
 * or holds no date. Takes up to some milliseconds. => calls don't overlap.
 */
u64 rtc_read_unix(void);

#endif
