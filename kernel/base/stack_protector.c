/* SPDX-License-Identifier: MIT */
#include "kernel/base/stack_protector.h"

#include "kernel/base/ksyms.h"
#include "kernel/base/panic.h"

struct fixed_percpu fixed_percpu;

_Static_assert(offsetof(struct fixed_percpu, stack_canary) == 40,
	       "where the compiler looks for it");

void __stack_chk_fail(void)
{
	/* The call is the last thing in the function. */
	unsigned long offset, addr = (unsigned long)__builtin_return_address(0) - 1;
	const char *name = ksym_lookup(addr, &offset);

	panic("stack protector: the stack of %s was written beyond an array",
	      name ? name : "a function");
}
