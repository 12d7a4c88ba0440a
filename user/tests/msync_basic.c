/* SPDX-License-Identifier: MIT */
/* msync of private anonymous memory: nothing to write, so all that shows are its checks. */
#include "vm.h"

int main(int argc, char **argv)
{
	char *p = hole(8);
	unsigned long at = (unsigned long)p;

	tap_start(argc, argv, NULL);
	fix(p, 2, RW);
	fix(p + 4 * PAGE, 2, RW);
	touch(p, 2);
	is(raw_msync(at, 2 * PAGE, MS_SYNC), 0, "MS_SYNC");
	is(raw_msync(at, 2 * PAGE, MS_ASYNC), 0, "MS_ASYNC");
	is(raw_msync(at, 2 * PAGE, MS_INVALIDATE), 0, "MS_INVALIDATE");
	is(raw_msync(at, 2 * PAGE, 0), 0, "no flag at all");
	is(raw_msync(at, 1, MS_SYNC), 0, "a length of one byte");
	is(raw_msync(at, 0, MS_SYNC), 0, "length 0");
	is(raw_msync(at + 2 * PAGE, 0, MS_SYNC), 0, "length 0 where nothing is");
	is(raw_msync(at, -1UL, MS_SYNC), 0, "a length that rounds to 0");
	is(raw_msync(at, PAGE, 8), -EINVAL, "an unknown flag: EINVAL");
	is(raw_msync(at, 0, 8), -EINVAL, "of length 0, too");
	is(raw_msync(at, PAGE, MS_SYNC | MS_ASYNC), -EINVAL, "SYNC and ASYNC: EINVAL");
	is(raw_msync(at + 1, PAGE, MS_SYNC), -EINVAL, "unaligned: EINVAL");
	is(raw_msync(at + 1, 0, MS_SYNC), -EINVAL, "of length 0, too");
	is(raw_msync(at, -PAGE, MS_SYNC), -ENOMEM, "a range that wraps: ENOMEM");
	is(raw_msync(at, -PAGE, MS_SYNC | MS_ASYNC), -EINVAL, "comes after the flags");
	is(raw_msync(-PAGE, PAGE, MS_SYNC), -ENOMEM, "the last page of all: ENOMEM");
	is(raw_msync(at + 2 * PAGE, PAGE, MS_SYNC), -ENOMEM, "a hole: ENOMEM");
	is(raw_msync(at + 2 * PAGE, PAGE, MS_ASYNC), -ENOMEM, "with ASYNC: ENOMEM");
	is(raw_msync(at + 2 * PAGE, PAGE, 0), -ENOMEM, "with no flag: ENOMEM");
	is(raw_msync(TASK_SIZE, PAGE, MS_SYNC), -ENOMEM, "beyond user space: ENOMEM");
	is(raw_msync(at, 6 * PAGE, MS_SYNC), -ENOMEM, "over a hole: ENOMEM");

	raw_mlock(at + 4 * PAGE, PAGE);
	is(raw_msync(at + 4 * PAGE, PAGE, MS_INVALIDATE), -EBUSY, "INVALIDATE of locked: EBUSY");
	is(raw_msync(at + 4 * PAGE, PAGE, MS_SYNC), 0, "SYNC of locked memory: 0");
	is(raw_msync(at, 6 * PAGE, MS_INVALIDATE), -EBUSY,
	   "a hole, then locked memory: EBUSY, since it goes on behind the hole");
	is(raw_msync(at, 6 * PAGE, MS_INVALIDATE | MS_SYNC), -EBUSY, "with SYNC: EBUSY");
	is(raw_msync(at, 6 * PAGE, MS_INVALIDATE | MS_ASYNC), -EBUSY, "with ASYNC: EBUSY");
	is(raw_msync(at, 6 * PAGE, MS_ASYNC), -ENOMEM, "ASYNC alone stops at the hole: ENOMEM");
	is(raw_msync(at, 4 * PAGE, MS_INVALIDATE), -ENOMEM, "the hole alone: ENOMEM");
	return done_testing();
}
