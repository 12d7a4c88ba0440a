/* SPDX-License-Identifier: MIT */
/* Scattered buffers of readv(2) and its kin. */
#ifndef KERNEL_ABI_UIO_H
#define KERNEL_ABI_UIO_H

#include <stdint.h>

struct iovec {
	void *iov_base; /* a user address */
	uint64_t iov_len;
};

#define IOV_MAX 1024

/* Of preadv2(2) and pwritev2(2). */
#define RWF_HIPRI  1
#define RWF_DSYNC  2
#define RWF_SYNC   4
#define RWF_NOWAIT 8
#define RWF_APPEND 16

#endif
