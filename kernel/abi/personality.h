/* SPDX-License-Identifier: MIT */
/* personality(2): bits that change how memory is laid out. */
#ifndef ABI_PERSONALITY_H
#define ABI_PERSONALITY_H

#define ADDR_NO_RANDOMIZE  0x0040000
#define ADDR_COMPAT_LAYOUT 0x0200000
#define READ_IMPLIES_EXEC  0x0400000
#define PERSONALITY_QUERY  0xffffffffU

#endif
