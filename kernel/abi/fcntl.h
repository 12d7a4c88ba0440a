/* SPDX-License-Identifier: MIT */
/* Flags of open(2), fcntl(2) and the *at calls: Linux x86-64's values. */
#ifndef KERNEL_ABI_FCNTL_H
#define KERNEL_ABI_FCNTL_H

#define O_ACCMODE     00000003
#define O_RDONLY      00000000
#define O_WRONLY      00000001
#define O_RDWR	      00000002
#define O_CREAT	      00000100
#define O_EXCL	      00000200
#define O_NOCTTY      00000400
#define O_TRUNC	      00001000
#define O_APPEND      00002000
#define O_NONBLOCK    00004000
#define O_DSYNC	      00010000
#define FASYNC	      00020000
#define O_DIRECT      00040000
#define O_LARGEFILE   00100000
#define O_DIRECTORY   00200000
#define O_NOFOLLOW    00400000
#define O_NOATIME     01000000
#define O_CLOEXEC     02000000
#define O_SYNC	      (04000000 | O_DSYNC)
#define O_PATH	      010000000
#define O_TMPFILE_BIT 020000000
#define O_TMPFILE     (O_TMPFILE_BIT | O_DIRECTORY)

#define F_DUPFD		0
#define F_GETFD		1
#define F_SETFD		2
#define F_GETFL		3
#define F_SETFL		4
#define F_DUPFD_CLOEXEC 1030
#define F_SETPIPE_SZ	1031
#define F_GETPIPE_SZ	1032

#define FD_CLOEXEC 1

#define AT_FDCWD	    (-100)
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_EACCESS	    0x200
#define AT_REMOVEDIR	    0x200
#define AT_SYMLINK_FOLLOW   0x400
#define AT_NO_AUTOMOUNT	    0x800
#define AT_EMPTY_PATH	    0x1000
#define AT_STATX_SYNC_TYPE  0x6000

#define RENAME_NOREPLACE 1

#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_DATA 3
#define SEEK_HOLE 4

#define PATH_MAX 4096 /* with the terminator */
#define NAME_MAX 255  /* without it */

#endif
