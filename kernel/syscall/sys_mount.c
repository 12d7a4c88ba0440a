/* SPDX-License-Identifier: MIT */
/* mount(2), umount2(2): their arguments. */
#include <arch/uaccess.h>

#include "kernel/fs/mount.h"
#include "kernel/process/current.h"
#include "kernel/syscall/sys_file.h"
#include "mm/slab.h"

/* A string that may be missing: NULL; or ERR_PTR(-EFAULT), -EINVAL, -ENOMEM. */
static char *get_string(const char __user *user)
{
	char *text;
	long n;

	if (!user)
		return NULL;
	text = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!text)
		return ERR_PTR(-ENOMEM);
	n = strncpy_from_user(text, user, PATH_MAX);
	if (n >= 0 && n < PATH_MAX)
		return text;
	kfree(text);
	return ERR_PTR(n < 0 ? n : -EINVAL);
}

/* At most a page, as far as it can be read; terminated. NULL: none. Or ERR_PTR(-EFAULT), -ENOMEM. */
static char *get_data(const void __user *user)
{
	/* What begins in one page may go on in the next, which need not be there. */
	size_t size = PAGE_SIZE - ((unsigned long)user & ~PAGE_MASK), rest = PAGE_SIZE - size;
	char *data;

	if (!user)
		return NULL;
	data = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (!data)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(data, user, size)) {
		kfree(data);
		return ERR_PTR(-EFAULT);
	}
	if (rest && copy_from_user(data + size, user_at(user, size), rest))
		data[size] = '\0';
	data[PAGE_SIZE - 1] = '\0';
	return data;
}

static long do_mount(const char *source, const char __user *dir, const char *type,
		     unsigned long flags, char *data)
{
	struct path_arg path;
	long err = path_arg_get(&path, AT_FDCWD, dir, false);

	if (err)
		return err;
	err = path_mount(&path.at, source, path.name, type, flags, data);
	path_arg_put(&path);
	return err;
}

long sys_mount(const char __user *source, const char __user *dir, const char __user *type,
	       unsigned long flags, const void __user *data)
{
	char *ktype = get_string(type), *ksource = NULL, *kdata = NULL;
	long err;

	if (IS_ERR(ktype))
		return PTR_ERR(ktype);
	ksource = get_string(source);
	err = PTR_ERR(ksource);
	if (IS_ERR(ksource))
		goto free_type;
	kdata = get_data(data);
	err = PTR_ERR(kdata);
	if (IS_ERR(kdata))
		goto free_source;
	err = do_mount(ksource, dir, ktype, flags, kdata);
	kfree(kdata);
free_source:
	kfree(ksource);
free_type:
	kfree(ktype);
	return err;
}

long sys_umount2(const char __user *name, int flags)
{
	struct path_arg path;
	long err;

	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	err = path_arg_get(&path, AT_FDCWD, name, false);
	if (err)
		return err;
	err = path_umount(&path.at, path.name, flags);
	path_arg_put(&path);
	return err;
}
