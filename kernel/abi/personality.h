/* SPDX-License-Identifier: MIT */
/* personality(2): bits that change how memory is laid out. */
#ifndef ABI_PERSONALITY_H
#define ABI_PERSONALITY_H

#define ADDR_NO_RANDOMIZE  0x0040000
#define ADDR_COMPAT_LAYOUT 0x0200000
#define READ_IMPLIES_EXEC  0x0400000
#define MMAP_PAGE_ZERO	   0x0100000
/* What a program with rights that are lent doesn't take over. */
#define PER_CLEAR_ON_SETID \
	(READ_IMPLIES_EXEC | ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT | MMAP_PAGE_ZERO)
#define PERSONALITY_QUERY 0xffffffffU

#endif
