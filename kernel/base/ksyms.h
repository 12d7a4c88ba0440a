/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_BASE_KSYMS_H
#define KERNEL_BASE_KSYMS_H

/*
 * The name of the kernel function that holds `addr` (virtual), and in *offset how many bytes into
 * it `addr` is. Returns NULL, *offset untouched, outside the kernel's text or when the kernel was
 * linked without a symbol table. Takes no lock and reads only constant data: safe in a panic.
 */
const char *ksym_lookup(unsigned long addr, unsigned long *offset);

#endif
