/* SPDX-License-Identifier: MIT */
#include <arch/switch.h>

extern char switch_first[];

unsigned long switch_prepare(void *stack_top, void (*fn)(void *), void *arg)
{
	unsigned long *sp = stack_top;

	*--sp = 0; /* keeps the stack 16-byte aligned at the call, and ends backtraces */
	*--sp = (unsigned long)switch_first;
	*--sp = 0;		    /* rbp */
	*--sp = (unsigned long)fn;  /* rbx */
	*--sp = (unsigned long)arg; /* r12 */
	*--sp = 0;		    /* r13 */
	*--sp = 0;		    /* r14 */
	*--sp = 0;		    /* r15 */
	return (unsigned long)sp;
}
