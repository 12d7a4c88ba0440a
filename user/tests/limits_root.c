/* SPDX-License-Identifier: MIT */
/* runs as root */
/*
 * What privilege changes: CAP_IPC_LOCK for locking, CAP_SYS_RAWIO for low addresses, CAP_SYS_ADMIN
 * for frame numbers, CAP_SYS_RESOURCE for hard limits; and how it goes away.
 */
#include "vm.h"
/* capabilities(7) */
#define CAP_IPC_LOCK	 14
#define CAP_SYS_RAWIO	 17
#define CAP_SYS_ADMIN	 21
#define CAP_SYS_RESOURCE 24

#define ALL_CAPS -1UL

static struct {
	uint32_t version;
	int pid;
} header = { 0x20080522, 0 };

static struct {
	uint32_t effective, permitted, inheritable;
} caps[2];

static long get_caps(void)
{
	return result(syscall(SYS_capget, &header, caps));
}

/* Sets the effective capabilities, among those permitted. */
static long set_effective(unsigned long set)
{
	long err = get_caps();

	if (err)
		return err;
	caps[0].effective = caps[0].permitted & set;
	caps[1].effective = caps[1].permitted & set >> 32;
	return result(syscall(SYS_capset, &header, caps));
}

static unsigned long effective(void)
{
	return get_caps() ? 0 : caps[0].effective | (unsigned long)caps[1].effective << 32;
}

static void calls(void)
{
	uint32_t version = header.version;

	is(get_caps(), 0, "capget");
	ok((effective() & 0x1ffffffffff) == 0x1ffffffffff, "root has all 41 capabilities");
	header.version = 1;
	is(result(syscall(SYS_capget, &header, caps)), -EINVAL, "an unknown version: EINVAL");
	is(header.version, version, "and the right one in return");
	header.version = 1;
	is(result(syscall(SYS_capget, &header, NULL)), 0, "as a question for the version: 0");
	header.version = version;
	header.pid = 999999;
	is(result(syscall(SYS_capget, &header, caps)), -ESRCH, "of a process that isn't: ESRCH");
	header.pid = -1;
	is(result(syscall(SYS_capget, &header, caps)), -EINVAL, "of process -1: EINVAL");
	header.pid = 0;
	is(result(syscall(SYS_capget, TASK_SIZE, caps)), -EFAULT, "a header nowhere: EFAULT");
	is(result(syscall(SYS_capget, &header, TASK_SIZE)), -EFAULT, "data nowhere: EFAULT");
	get_caps();
	caps[0].permitted &= ~1;
	is(result(syscall(SYS_capset, &header, caps)), -EPERM,
	   "effective but not permitted: EPERM");
}

static void locking(void)
{
	unsigned long ipc_lock = 1UL << CAP_IPC_LOCK;
	char *p = hole(8);
	unsigned long at = (unsigned long)p, old = soft_limit(RLIMIT_MEMLOCK);

	fix(p, 4, RW);
	limit(RLIMIT_MEMLOCK, 0);
	is(raw_mlock(at, 4 * PAGE), 0, "CAP_IPC_LOCK: RLIMIT_MEMLOCK doesn't count");
	is(raw_mmap(at + 4 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_LOCKED, -1, 0), at + 4 * PAGE,
	   "for mmap neither");
	is(raw_mremap(at + 4 * PAGE, PAGE, 2 * PAGE, 0, 0), at + 4 * PAGE, "nor mremap");
	raw_munmap(at + 4 * PAGE, 4 * PAGE);
	is(set_effective(ALL_CAPS & ~ipc_lock), 0, "without it");
	is(raw_mlock(at, 4 * PAGE), -EPERM, "mlock: EPERM");
	is(raw_mlockall(1), -EPERM, "mlockall: EPERM");
	is(raw_mmap(at + 4 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_LOCKED, -1, 0), -EPERM,
	   "mmap: EPERM");
	is(raw_mremap(at, 4 * PAGE, 5 * PAGE, 0, 0), -EAGAIN, "mremap of what is locked: EAGAIN");
	limit(RLIMIT_MEMLOCK, 5 * PAGE);
	is(raw_mremap(at, 4 * PAGE, 5 * PAGE, 0, 0), at, "within the limit: works");
	is(raw_mlock(at, 6 * PAGE), -ENOMEM, "beyond it: ENOMEM");
	is(set_effective(ALL_CAPS), 0, "with it again");
	limit(RLIMIT_MEMLOCK, old);
	raw_munmap(at, 8 * PAGE);
	is(locked_pages(), 0, "nothing stays locked");
}

static void low_addresses(void)
{
	volatile char *zero = NULL;

	__asm__ volatile("" : "+r"(zero)); /* the compiler needn't know */
	is(number_in("/proc/sys/vm/mmap_min_addr"), 65536, "mmap_min_addr");
	is(raw_mmap(0, PAGE, RW, ANON | MAP_FIXED, -1, 0), 0, "root can map page 0");
	zero[100] = 7;
	is(zero[100], 7, "and use it");
	is(raw_mmap(PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), PAGE, "and the next");
	is_str(layout((char *)PAGE, 1), "0-1 rw-p", "which is there");
	is(raw_mremap(PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, 4 * PAGE), 4 * PAGE,
	   "moved below mmap_min_addr");
	is(raw_munmap(0, 16 * PAGE), 0, "unmapped");
	is(raw_mmap(PAGE, PAGE, RW, ANON, -1, 0), 65536, "as a hint page 1 is still too low");
	raw_munmap(65536, PAGE);
	is(set_effective(ALL_CAPS & ~(1UL << CAP_SYS_RAWIO)), 0, "without CAP_SYS_RAWIO");
	is(raw_mmap(0, PAGE, RW, ANON | MAP_FIXED, -1, 0), -EPERM, "page 0: EPERM");
	is(raw_mmap(0xf000, PAGE, RW, ANON | MAP_FIXED, -1, 0), -EPERM,
	   "the page below 64 KiB: EPERM");
	is(set_effective(ALL_CAPS), 0, "with it again");
}

static void hard_limits(void)
{
	struct rlimit was, r;

	syscall(SYS_getrlimit, RLIMIT_MEMLOCK, &was);
	r = was;
	r.rlim_max = was.rlim_max + PAGE;
	is(result(syscall(SYS_setrlimit, RLIMIT_MEMLOCK, &r)), 0, "root raises a hard limit");
	is(result(syscall(SYS_setrlimit, RLIMIT_MEMLOCK, &was)), 0, "and lowers it");
	set_effective(ALL_CAPS & ~(1UL << CAP_SYS_RESOURCE));
	is(result(syscall(SYS_setrlimit, RLIMIT_MEMLOCK, &r)), -EPERM,
	   "without CAP_SYS_RESOURCE: EPERM");
	set_effective(ALL_CAPS);
}

static void frames(void)
{
	char *p = fresh(1, RW);

	*p = 1;
	ok(frame_of(p) != 0, "root sees frame numbers");
	set_effective(ALL_CAPS & ~(1UL << CAP_SYS_ADMIN));
	ok(pagemap(p) & PAGEMAP_PRESENT, "without CAP_SYS_ADMIN the page is present");
	is(frame_of(p), 0, "but its frame number 0");
	set_effective(ALL_CAPS);
	raw_munmap((unsigned long)p, PAGE);
}

static void move_keeps_frames(void)
{
	char *p = hole(16);
	unsigned long at = (unsigned long)p, frames[4];
	bool same = true;

	fix(p, 4, RW);
	touch(p, 4);
	for (int i = 0; i < 4; i++)
		frames[i] = frame_of(p + i * PAGE);
	is(raw_mremap(at, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 8 * PAGE),
	   at + 8 * PAGE, "mremap moves four pages");
	for (int i = 0; i < 4; i++)
		same &= frames[i] && frames[i] == frame_of(p + (8 + i) * PAGE);
	ok(same, "they are in the frames they were in");
	raw_munmap(at, 16 * PAGE);
}

/* The last: there is no way back. */
static void dropping(void)
{
	uint32_t ids[3];

	is(result(syscall(SYS_setresuid, -1, NOBODY, -1)), 0, "an ordinary effective uid");
	is(effective(), 0, "has no effective capabilities");
	get_caps();
	ok(caps[0].permitted != 0, "but they remain permitted");
	is(raw_mmap(0, PAGE, RW, ANON | MAP_FIXED, -1, 0), -EPERM, "page 0: EPERM");
	is(result(syscall(SYS_setresuid, -1, 0, -1)), 0, "effective uid 0 again");
	ok(effective() != 0, "brings them back");
	is(result(syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY)), 0, "setresgid");
	is(result(syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY)), 0, "all three uids");
	is(result(syscall(SYS_getresuid, ids, ids + 1, ids + 2)), 0, "getresuid");
	ok(ids[0] == NOBODY && ids[1] == NOBODY && ids[2] == NOBODY, "tells them");
	get_caps();
	ok(caps[0].permitted == 0 && caps[1].permitted == 0, "nothing is permitted any more");
	is(result(syscall(SYS_setresuid, 0, -1, -1)), -EPERM, "back to uid 0: EPERM");
	is(result(syscall(SYS_setresgid, -1, 0, -1)), -EPERM, "to gid 0: EPERM");
	is(set_effective(ALL_CAPS), 0, "all of nothing can be made effective");
	is(effective(), 0, "and is nothing");
	is(raw_mmap(0, PAGE, RW, ANON | MAP_FIXED, -1, 0), -EPERM, "page 0: EPERM");
	limit(RLIMIT_MEMLOCK, 0);
	is(raw_mlockall(1), -EPERM, "mlockall with a limit of 0: EPERM");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	if (!am_root())
		skip_all("is about what root may do");
	calls();
	low_addresses();
	locking();
	hard_limits();
	frames();
	move_keeps_frames();
	dropping();
	return done_testing();
}
