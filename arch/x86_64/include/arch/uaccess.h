/* SPDX-License-Identifier: MIT */
/*
 * The only way to user memory. A fault inside these functions is handled like the program's own
 * (demand paging, copying, stack growth); when it can't be, the exception table makes the function
 * return short. They may sleep.
 */
#ifndef ARCH_UACCESS_H
#define ARCH_UACCESS_H

#include <arch/pte.h>

/* Whether [addr, addr + len) lies in user space altogether. Says nothing about what is mapped. */
static inline bool access_ok(unsigned long addr, unsigned long len)
{
	return len <= TASK_SIZE && addr <= TASK_SIZE - len;
}

/* Both return the number of bytes that could NOT be copied: 0 is success. */
unsigned long __must_check copy_from_user(void *to, const void __user *from, unsigned long len);
unsigned long __must_check copy_to_user(void __user *to, const void *from, unsigned long len);
/* Zeroes user memory; returns the bytes not zeroed. */
unsigned long __must_check clear_user(void __user *to, unsigned long len);
/*
 * Copies a string with its terminator, at most size bytes. Returns its length without the
 * terminator, size if none was found among the first size bytes, or -EFAULT.
 */
long __must_check strncpy_from_user(char *to, const char __user *from, long size);

/*
 * Atomic accesses to one aligned word for who holds a spinlock: 0, or -EFAULT at once where the page
 * isn't there yet (or can't be written yet), though a fault might bring it. Then the caller drops
 * its locks, lets it fault, and tries again. cmpxchg: *old becomes what was there; `new` is there
 * now if that is what *old said.
 */
int __must_check get_user_nofault(u32 *val, const u32 __user *from);
int __must_check cmpxchg_user_nofault(u32 *old, u32 __user *to, u32 new);

/*
 * The place n bytes behind a user pointer, and a field of what it points to. It may be any number, null and
 * the last of all included, which C's arithmetic of pointers knows nothing of.
 */
#define user_at(base, n) ((__typeof__(base))((unsigned long)(base) + (n)))
#define user_field(base, field)                                \
	((__typeof__((base)->field) *)((unsigned long)(base) + \
				       offsetof(__typeof__(*(base)), field)))

void uaccess_init(void);

/* One value of 1, 2, 4 or 8 bytes: 0 or -EFAULT. On failure *to is unchanged. */

#define get_user(to, from)                                                          \
	({                                                                          \
		__typeof__(to) gu_v;                                                \
		int gu_err;                                                         \
		_Static_assert(sizeof(gu_v) == sizeof(*(from)), "get_user: sizes"); \
		gu_err = copy_from_user(&gu_v, (from), sizeof(gu_v)) ? -14 : 0;     \
		if (!gu_err)                                                        \
			(to) = gu_v;                                                \
		gu_err;                                                             \
	})
#define put_user(val, to)                                          \
	({                                                         \
		__typeof__(*(to)) pu_v = (val);                    \
		copy_to_user((to), &pu_v, sizeof(pu_v)) ? -14 : 0; \
	})

#endif
