/* SPDX-License-Identifier: MIT */
/* What panic needs of printk, and nobody else may use. */
#ifndef KERNEL_BASE_PRINTK_INTERNAL_H
#define KERNEL_BASE_PRINTK_INTERNAL_H

/*
 * The code that was printing will not run again, perhaps because it is what failed: take the
 * consoles from it and show all that was logged.
 */
void printk_break_locks(void);

#endif
