/* SPDX-License-Identifier: MIT */
/* Building the name space at boot: the root, and what is mounted in it. */
#include <arch/clock.h>
#include <arch/keyboard.h>
#include <arch/power.h>

#include "kernel/base/panic.h"
#include "kernel/fs/anon_inode.h"
#include "kernel/fs/locks.h"
#include "kernel/fs/namei.h"
#include "kernel/fs/ramdisk.h"
#include "kernel/sched/timer.h"

int vfs_mount(const char *path, struct super_block *sb)
{
	const struct lookup_at at = { .fs = kernel_fs_context(), .cred = kernel_cred };
	struct dentry *where;
	int err;

	if (!at.fs->root) {
		dcache_mount(sb, NULL);
		at.fs->root = root_dentry();
		at.fs->cwd = root_dentry();
		return 0;
	}
	err = path_mkdir(&at, path, 0755);
	if (err && err != -EEXIST)
		return err;
	err = path_lookup(&at, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &where);
	if (err)
		return err;
	mount_lock();
	dcache_mount(sb, where); /* keeps the reference */
	mount_unlock();
	return 0;
}

void fs_init(void)
{
	struct super_block *root;

	timers_set_realtime(rtc_read_unix() * NS_PER_SEC);
	inode_cache_init();
	dentry_cache_init();
	file_cache_init();
	files_cache_init();
	locks_init();
	tmpfs_init();
	root = tmpfs_super("tmpfs", 0755);
	if (!root || vfs_mount("/", root))
		panic("cannot make the root file system");
	pipe_init();
	anon_inode_init();
	socket_init();
	proc_init();
	dev_init();
	ramdisk_init();
	tty_init();
}
