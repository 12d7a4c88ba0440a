/* SPDX-License-Identifier: MIT */
/*
 * Names for addresses. The build links the kernel once, lists its functions, and links it again
 * with the list; the first link has none, so every symbol here is weak.
 */
#include "kernel/base/ksyms.h"
#include "kernel/base/compiler.h"

#define __weak __attribute__((weak))

/* Ascending offsets from __text_start, and for each where its name begins in ksyms_names. */
extern const unsigned int ksyms_count __weak;
extern const unsigned int ksyms_offsets[] __weak;
extern const unsigned int ksyms_name_offsets[] __weak;
extern const char ksyms_names[] __weak;
extern char __text_start[] __weak;
extern char __text_end[] __weak;

const char *ksym_lookup(unsigned long addr, unsigned long *offset)
{
	unsigned long start = (unsigned long)__text_start;
	unsigned long end = (unsigned long)__text_end;
	unsigned int low = 0, high;

	if (&ksyms_count == NULL || addr < start || (end && addr >= end))
		return NULL;

	/* The first entry beyond addr is at `high`: entries below `low` are not, those from `high` are. */
	high = ksyms_count;
	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (ksyms_offsets[mid] <= addr - start)
			low = mid + 1;
		else
			high = mid;
	}
	if (high == 0)
		return NULL;
	*offset = addr - start - ksyms_offsets[high - 1];
	return ksyms_names + ksyms_name_offsets[high - 1];
}
