/* SPDX-License-Identifier: MIT */
#include <arch/cpu.h>
#include <arch/uaccess.h>

#include "kernel/base/context.h"
#include "kernel/base/errno.h"
#include "kernel/base/kasan.h"

unsigned long __copy_user(void *to, const void *from, unsigned long len);
unsigned long __clear_user(void *to, unsigned long len);
long __strncpy_user(char *to, const char *from, long size);
long __cmpxchg_user(u32 *old, u32 *addr, u32 new);
long __read_user(u32 *val, const u32 *addr);

bool uaccess_smap;

void uaccess_init(void)
{
	uaccess_smap = cpu_features.smap;
}

unsigned long copy_from_user(void *to, const void __user *from, unsigned long len)
{
	might_sleep();
	if (!access_ok((unsigned long)from, len) || !kasan_check_write(to, len))
		return len;
	return __copy_user(to, from, len);
}

unsigned long copy_to_user(void __user *to, const void *from, unsigned long len)
{
	might_sleep();
	if (!access_ok((unsigned long)to, len) || !kasan_check_read(from, len))
		return len;
	return __copy_user(to, from, len);
}

unsigned long clear_user(void __user *to, unsigned long len)
{
	might_sleep();
	if (!access_ok((unsigned long)to, len))
		return len;
	return __clear_user(to, len);
}

long strncpy_from_user(char *to, const char __user *from, long size)
{
	unsigned long addr = (unsigned long)from;
	long room, n;

	might_sleep();
	if (addr >= TASK_SIZE || !kasan_check_write(to, (unsigned long)size))
		return -EFAULT;
	/* The string may end right at the end of user space, but not go on beyond it. */
	room = (long)(TASK_SIZE - addr);
	n = __strncpy_user(to, from, min(size, room));
	return n == room && room < size ? -EFAULT : n;
}

int get_user_nofault(u32 *val, const u32 __user *from)
{
	return access_ok((unsigned long)from, sizeof(*from)) ? (int)__read_user(val, from) :
							       -EFAULT;
}

int cmpxchg_user_nofault(u32 *old, u32 __user *to, u32 new)
{
	return access_ok((unsigned long)to, sizeof(*to)) ? (int)__cmpxchg_user(old, to, new) :
							   -EFAULT;
}
