/* SPDX-License-Identifier: MIT */
/* Block devices: there is one, a disk in memory. */
#ifndef KERNEL_FS_RAMDISK_H
#define KERNEL_FS_RAMDISK_H

#include "kernel/fs/vfs.h"

struct seq_text;

/* Of block device nodes: open() finds the device by i_rdev; -ENXIO when there is none. */
extern const struct file_operations blkdev_fops;

/* Makes /dev/ram0. => /dev is there; panics on failure */
void ramdisk_init(void);
/* Brings all that was written to block devices to where it stays: sync(2). May sleep. */
void sync_block_devices(void);
/* Drops the clean pages of their caches that nobody uses. May sleep. */
void drop_block_caches(void);
/* Its line of /proc/diskstats. */
void ramdisk_show_stats(struct seq_text *seq);

#endif
