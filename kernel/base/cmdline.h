/* SPDX-License-Identifier: MIT */
/* The kernel command line: words separated by blanks, some of the form key=value. */
#ifndef KERNEL_BASE_CMDLINE_H
#define KERNEL_BASE_CMDLINE_H

#include "kernel/base/compiler.h"

/*
 * Takes a copy of the command line (cut to BOOT_CMDLINE_MAX - 1 bytes). Double quotes, anywhere in
 * a word, keep blanks in it and are themselves dropped. Called once, before any other CPU runs;
 * the functions below then only read.
 */
void cmdline_init(const char *text);

/* The command line as it was given. */
const char *cmdline_text(void);

/*
 * Copies the value of the last `key=value` into buf (`size` bytes, terminated). Returns its
 * length, -ENOENT when there is none, or -ENAMETOOLONG when it does not fit: buf is untouched
 * after an error.
 */
int cmdline_get(const char *key, char *buf, size_t size);

/* Whether `word` stands alone on the command line. */
bool cmdline_has(const char *word);

#endif
