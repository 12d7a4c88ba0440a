/* SPDX-License-Identifier: MIT */
/* /dev/memdemo: a device made for reading its driver, kernel/fs/memdemo.c, and for trying mmap(2) on. */
#ifndef KERNEL_ABI_MEMDEMO_H
#define KERNEL_ABI_MEMDEMO_H

#include <stdint.h>

/* Its memory: the first half is mapped at once by mmap(2), the second page by page, as it is touched. */
#define MEMDEMO_HALF   0x200000
#define MEMDEMO_MEMORY (2 * MEMDEMO_HALF)
/* Behind it a page of registers, which can only be read. */
#define MEMDEMO_REGS 0x400000
#define MEMDEMO_SIZE 0x401000

#define MEMDEMO_MAGIC 0x6f6d65646d656dUL /* "memdemo" */

struct memdemo_regs {
	uint64_t magic;
	uint64_t size;	 /* of everything, in bytes */
	uint64_t opens;	 /* how often it was opened since it has been switched on */
	uint64_t maps;	 /* how often it was mapped since then */
	uint64_t faults; /* pages that were mapped because they were touched */
};

/* Each 8 bytes of the memory hold this, until somebody writes there. */
#define MEMDEMO_PATTERN(offset) ((uint64_t)(offset)*0x9e3779b97f4a7c15UL)

/* ioctl(2): the size in bytes; the pattern anew in all of the memory (for who may write). */
#define MEMDEMO_GET_SIZE 0x80084d00 /* _IOR('M', 0, uint64_t) */
#define MEMDEMO_RESET	 0x00004d01 /* _IO('M', 1) */

#endif
