/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_INIT_INIT_H
#define KERNEL_INIT_INIT_H

#include "kernel/base/boot_info.h"

/*
 * Starts everything; info stays valid for ever, NULL when the loader's words made no sense. => the boot
 * stack and boot.S's page tables, interrupts off
 */
void kernel_main(const struct boot_info *info) __attribute__((noreturn));

/* Consoles, ACPI, interrupt controllers, clock and keyboard. => memory management runs. */
void devices_init(const struct boot_info *info);

/* Starts the other processors. => a kernel thread, interrupts on, devices_init() ran */
void smp_init(void);

/* The kernel's own tests ("selftest=all"): TAP on the console; the number that failed. */
int selftest_run(void);
/* A mistake with locks, which the debug kernel does not survive. False: there is none of that name. */
bool selftest_locks(const char *which);
/* A function that writes beyond its array ("selftest=stack"): never comes back. */
void selftest_stack(void) __attribute__((noreturn));
/* All that C leaves undefined, reported by the debug kernel. False: there is none of that name. */
bool selftest_ubsan(const char *which);
/* Bugs for the address sanitizer ("selftest=kasan..."). False: that isn't what was asked for, or there is none. */
bool selftest_kasan(const char *which);
/* A bug made on purpose ("selftest=panic", "selftest=panics" on all other processors): never comes back. */
void selftest_panic(bool everywhere) __attribute__((noreturn));

/* Runs a program of the initial file system and waits for it: its wait status, or -errno. */
int run_program(const char *path);
/*
 * Gives every cache back to the page allocator and notes what is free, or (the second) compares with
 * what was noted: the number of differences, each printed.
 */
void leakcheck_begin(void);
int leakcheck_end(void);

#endif
