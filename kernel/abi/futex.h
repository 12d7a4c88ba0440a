/* SPDX-License-Identifier: MIT */
/* futex(2): Linux's values. */
#ifndef ABI_FUTEX_H
#define ABI_FUTEX_H

#include <stdint.h>

#define FUTEX_WAIT	      0
#define FUTEX_WAKE	      1
#define FUTEX_REQUEUE	      3
#define FUTEX_CMP_REQUEUE     4
#define FUTEX_WAKE_OP	      5
#define FUTEX_LOCK_PI	      6 /* those with PI are not there */
#define FUTEX_UNLOCK_PI	      7
#define FUTEX_TRYLOCK_PI      8
#define FUTEX_WAIT_BITSET     9
#define FUTEX_WAKE_BITSET     10
#define FUTEX_WAIT_REQUEUE_PI 11
#define FUTEX_CMP_REQUEUE_PI  12
#define FUTEX_LOCK_PI2	      13

#define FUTEX_PRIVATE_FLAG   128
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_CMD_MASK	     (~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME))

#define FUTEX_BITSET_MATCH_ANY 0xffffffffU

/* FUTEX_WAKE_OP's last argument: from the highest bits, op 4, cmp 4, oparg 12, cmparg 12. */
#define FUTEX_OP_SET	     0
#define FUTEX_OP_ADD	     1
#define FUTEX_OP_OR	     2
#define FUTEX_OP_ANDN	     3
#define FUTEX_OP_XOR	     4
#define FUTEX_OP_OPARG_SHIFT 8 /* the operand is 1 << oparg */
#define FUTEX_OP_CMP_EQ	     0
#define FUTEX_OP_CMP_NE	     1
#define FUTEX_OP_CMP_LT	     2
#define FUTEX_OP_CMP_LE	     3
#define FUTEX_OP_CMP_GT	     4
#define FUTEX_OP_CMP_GE	     5

/* The word of a robust mutex: who holds it, and more. */
#define FUTEX_WAITERS	 0x80000000U
#define FUTEX_OWNER_DIED 0x40000000U
#define FUTEX_TID_MASK	 0x3fffffffU

/* What futex_waitv(2) waits for: one of at most FUTEX_WAITV_MAX. FUTEX_32 must be said. */
struct kernel_futex_waitv {
	uint64_t val;
	uint64_t uaddr;
	uint32_t flags; /* FUTEX_32, FUTEX_PRIVATE_FLAG */
	uint32_t reserved;
};

#define FUTEX_32	2
#define FUTEX_WAITV_MAX 128

/* What set_robust_list(2) names, in the program's memory; bit 0 of a pointer: the mutex is a PI one. */
struct robust_list_head {
	unsigned long list; /* the first entry, each beginning with the next one's address */
	long futex_offset;  /* from an entry to its word */
	unsigned long list_op_pending; /* is just being taken or given back */
};

#endif
