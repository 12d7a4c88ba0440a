/* SPDX-License-Identifier: MIT */
/* raw_msghdr.h: the header of a message, for tests that go past the C library. */
#ifndef USER_TESTS_RAW_MSGHDR_H
#define USER_TESTS_RAW_MSGHDR_H

#include <sys/uio.h>

/* As the kernel has it; the C library's is not quite the same. */
struct raw_msghdr {
	void *name;
	unsigned int name_len;
	struct iovec *iov;
	unsigned long iov_len;
	void *control;
	unsigned long control_len;
	unsigned int flags;
};

#endif
