/* SPDX-License-Identifier: MIT */
/* What getdents64(2) writes. */
#ifndef KERNEL_ABI_DIRENT_H
#define KERNEL_ABI_DIRENT_H

#include <stdint.h>

/* One entry: the name follows with its terminator; d_reclen is a multiple of 8. */
/* What getdents(2) fills in; the type (DT_*) is the last byte of the record. */
struct kernel_dirent {
	uint64_t d_ino;
	uint64_t d_off;
	uint16_t d_reclen;
	char d_name[];
};

struct kernel_dirent64 {
	uint64_t d_ino;
	int64_t d_off; /* where to seek to for the entry behind this one */
	uint16_t d_reclen;
	uint8_t d_type;
	char d_name[];
};

#define DT_UNKNOWN 0
#define DT_FIFO	   1
#define DT_CHR	   2
#define DT_DIR	   4
#define DT_BLK	   6
#define DT_REG	   8
#define DT_LNK	   10
#define DT_SOCK	   12

#endif
