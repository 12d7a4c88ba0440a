/* SPDX-License-Identifier: MIT */
/* unshare(2): what a task has in common with others, it gets for itself. */
#include "kernel/fs/fdtable.h"
#include "kernel/process/current.h"
#include "kernel/process/sighand.h"
#include "kernel/process/task.h"
#include "mm/types.h"

#define UNSHARED                                                                            \
	(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | \
	 CLONE_NAMESPACES)

int unshare_files(void)
{
	struct files_struct *files = current->files, *copy;
	unsigned long flags;

	if (!shared_with_others(&files->count))
		return 0;
	copy = files_dup(files);
	if (!copy)
		return -ENOMEM;
	flags = spin_lock_irqsave(&tasklist_lock);
	current->files = copy;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	files_put(files);
	return 0;
}

/* A root, a current directory and a umask of our own, in `copy` when others use them too. */
static int copy_fs(struct fs_context **copy)
{
	*copy = NULL;
	if (!shared_with_others(&current->fs->count))
		return 0;
	*copy = fs_context_copy(current->fs);
	return *copy ? 0 : -ENOMEM;
}

static void use_fs(struct fs_context *copy)
{
	struct fs_context *old = current->fs;
	unsigned long flags;

	if (!copy)
		return;
	flags = spin_lock_irqsave(&tasklist_lock);
	current->fs = copy;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	fs_context_put(old);
}

/*
 * Threads, handlers and memory can't be taken from those who share them: asking for it is right only where
 * nobody does. One implies the next.
 */
static int check_unshare(unsigned long flags)
{
	if (flags & ~(unsigned long)UNSHARED)
		return -EINVAL;
	if ((flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) &&
	    READ_ONCE(current->signal->nr_threads) > 1)
		return -EINVAL;
	if ((flags & (CLONE_SIGHAND | CLONE_VM)) && atomic_read(&current->sighand->count) > 1)
		return -EINVAL;
	if ((flags & CLONE_VM) && shared_with_others(&current->mm_part.mm->mm_users))
		return -EINVAL;
	return 0;
}

long sys_unshare(unsigned long flags)
{
	struct fs_context *fs = NULL;
	int err = check_unshare(flags);

	if (!err && (flags & (CLONE_FS | CLONE_NEWNS | CLONE_NEWUSER)))
		err = copy_fs(&fs);
	/* There is one of each kind of name space. */
	if (!err && (flags & CLONE_NAMESPACES))
		err = (flags & CLONE_NEWUSER) || capable(CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
	if (!err && (flags & CLONE_FILES))
		err = unshare_files();
	if (!err)
		use_fs(fs);
	else if (fs)
		fs_context_put(fs);
	return err;
}
