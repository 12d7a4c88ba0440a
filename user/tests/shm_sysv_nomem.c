/* SPDX-License-Identifier: MIT */
/*
 * System V shared memory and devices, with every allocation of the kernel failed in turn: each call says
 * so or works all the same, and what is attached, made or open is what it was.
 */
#include "failures.h"
#include "forks.h"
#include "kernel/abi/memdemo.h"
#include <sys/ipc.h>
#include <sys/shm.h>

#define PAGES 600UL /* more than a page table has entries, where it lies crooked */

static int dev_fd;
static long id;
static char *p;	     /* where it is attached */
static char *places; /* room for it, twice */

static long ctl(long which, int cmd, void *buf)
{
	return result(syscall(SYS_shmctl, which, cmd, buf));
}

/* --- calls: each undoes what it did ---------------------------------------------------------- */

static long do_get(void)
{
	long new = result(syscall(SYS_shmget, IPC_PRIVATE, 3 * PAGE, 0600));

	if (new >= 0)
		ctl(new, IPC_RMID, NULL);
	return new < 0 ? new : 0;
}

static long do_attach(void)
{
	long new = result(syscall(SYS_shmat, id, NULL, 0));

	if (!is_error(new))
		syscall(SYS_shmdt, new);
	return is_error(new) ? new : 0;
}

static long do_attach_and_touch(void)
{
	long new = result(syscall(SYS_shmat, id, NULL, 0));

	if (is_error(new))
		return new;
	touch((char *)new + 5 * PAGE, 1);
	syscall(SYS_shmdt, new);
	return 0;
}

/* For the last that are cut this is the end. */
static long do_cut(void)
{
	long new = result(syscall(SYS_shmat, id, NULL, 0)), err = 0;

	if (is_error(new))
		return new;
	err = raw_munmap(new + PAGE, PAGE);
	syscall(SYS_shmdt, new);
	return err;
}

static long do_move(void)
{
	char *to = p == places ? places + PAGES * PAGE : places;
	long new = raw_mremap((unsigned long)p, PAGES * PAGE, PAGES * PAGE,
			      MREMAP_MAYMOVE | MREMAP_FIXED, (unsigned long)to);

	if (is_error(new))
		return new;
	p = (char *)new;
	return 0;
}

static long do_fork(void)
{
	long pid = raw_fork();

	if (pid == 0)
		raw_exit(0);
	return pid < 0 ? pid : reap(pid);
}

static long do_device(void)
{
	int fd = open("/dev/memdemo", O_RDWR);
	long at, err = fd < 0 ? -errno : 0;

	if (fd < 0)
		return err;
	at = raw_mmap(0, MEMDEMO_MEMORY, RW, MAP_SHARED, fd, 0);
	if (is_error(at)) {
		close(fd);
		return at;
	}
	touch((char *)at + MEMDEMO_HALF, 1);
	raw_munmap(at, MEMDEMO_MEMORY);
	close(fd);
	return 0;
}

static long do_private_device(void)
{
	long at = raw_mmap(0, MEMDEMO_HALF, RW, MAP_PRIVATE, dev_fd, 0);

	if (is_error(at))
		return at;
	touch((char *)at + 9 * PAGE, 2);
	raw_munmap(at, MEMDEMO_HALF);
	return 0;
}

static const struct call {
	const char *name;
	long (*run)(void);
} calls[] = {
	{ "shmget", do_get },
	{ "shmat", do_attach },
	{ "shmat, and a touch", do_attach_and_touch },
	{ "munmap in the middle", do_cut },
	{ "mremap of what is attached", do_move },
	{ "fork with it attached", do_fork },
	{ "a device switched on, mapped and touched", do_device },
	{ "a private mapping of a device, and a touch", do_private_device },
};

/* Attached once, and not more segments than this. */
static bool is_whole(long segments)
{
	struct shm_info info;
	struct shmid_ds ds;

	ctl(0, SHM_INFO, &info);
	ctl(id, IPC_STAT, &ds);
	return ds.shm_nattch == 1 && info.used_ids == segments && p[0] == 7;
}

#define MAX_FAILURES 200

static void try(const struct call *call)
{
	struct shm_info info;
	int failures = 0, bad = 0;
	bool failed = true;
	long segments;

	ctl(0, SHM_INFO, &info);
	segments = info.used_ids;
	for (unsigned int n = 1; n <= MAX_FAILURES && failed; n++) {
		long err;

		fail_at(n);
		err = call->run();
		failed = failed_now();
		failures += failed;
		if ((failed ? err && err != -ENOMEM : err != 0) || !is_whole(segments)) {
			diag("%s: allocation %u: %ld", call->name, n, err);
			bad++;
		}
	}
	ok(!bad && !failed && failures, "%s: %d failures", call->name, failures);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	fail_fd = open("/proc/self/fail-nth", O_RDWR);
	if (fail_fd < 0)
		skip_all("no /proc/self/fail-nth");
	dev_fd = open("/dev/memdemo", O_RDWR);
	id = result(syscall(SYS_shmget, IPC_PRIVATE, PAGES * PAGE, 0600));
	p = (char *)result(syscall(SYS_shmat, id, NULL, 0));
	p[0] = 7;
	places = hole(2 * PAGES + 1);
	places += PAGE;
	for (unsigned int i = 0; i < COUNT(calls); i++)
		try(&calls[i]);
	syscall(SYS_shmdt, p);
	ctl(id, IPC_RMID, NULL);
	return done_testing();
}
