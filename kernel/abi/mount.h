/* SPDX-License-Identifier: MIT */
/* mount(2), umount2(2): Linux's values. */
#ifndef KERNEL_ABI_MOUNT_H
#define KERNEL_ABI_MOUNT_H

#define MS_RDONLY      0x1
#define MS_NOSUID      0x2
#define MS_NODEV       0x4
#define MS_NOEXEC      0x8
#define MS_REMOUNT     0x20
#define MS_NOSYMFOLLOW 0x100
#define MS_NOATIME     0x400
#define MS_NODIRATIME  0x800
#define MS_BIND	       0x1000
#define MS_MOVE	       0x2000
#define MS_REC	       0x4000
#define MS_UNBINDABLE  0x20000
#define MS_PRIVATE     0x40000
#define MS_SLAVE       0x80000
#define MS_SHARED      0x100000
#define MS_RELATIME    0x200000
#define MS_STRICTATIME 0x1000000
#define MS_NOUSER      0xffffffff80000000UL /* Linux's is a negative int */

/* What may stand in the upper half of the flags, from times when they had to be marked. */
#define MS_MGC_VAL 0xc0ed0000U
#define MS_MGC_MSK 0xffff0000U

#define MNT_FORCE	1
#define MNT_DETACH	2
#define MNT_EXPIRE	4
#define UMOUNT_NOFOLLOW 8

#endif
