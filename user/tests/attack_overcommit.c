/* SPDX-License-Identifier: MIT */
/* runs as root */
/*
 * More memory than the kernel promises, by every way to be promised some. An ordinary user, in mode 0: more at once
 * than there is. For root's run: mode 2 with nothing left, for an ordinary user, where each page counts.
 */
#include "attacks.h"

#define MODE  "/proc/sys/vm/overcommit_memory"
#define RATIO "/proc/sys/vm/overcommit_ratio"

/* --- mode 0 ------------------------------------------------------------------------------------------------- */

static unsigned long all; /* bytes of RAM and swap, and some */

static long whole(long flags, long prot)
{
	return raw_mmap(0, all, prot, flags, -1, 0);
}

static long then_mprotect(void)
{
	long p = whole(ANON, PROT_READ), ret = raw_mprotect(p, all, RW);

	raw_munmap(p, all);
	return ret;
}

static long then_mprotect_none(void)
{
	long p = whole(ANON, PROT_NONE), ret = raw_mprotect(p, all, PROT_WRITE);

	raw_munmap(p, all);
	return ret;
}

static long segment(unsigned long size, int flags)
{
	long id = result(shmget(IPC_PRIVATE, size, flags | 0600));

	return id < 0 ? id : shmctl(id, IPC_RMID, NULL);
}

static long by_large_file(void)
{
	return raw_mmap(0, all, RW, MAP_PRIVATE, have.memfd, 0);
}

static void at_once(void)
{
	const struct {
		const char *name;
		long got;
	} tries[] = {
		{ "mmap", whole(ANON, RW) },
		{ "PROT_WRITE", whole(ANON, PROT_WRITE) },
		{ "MAP_GROWSDOWN", whole(ANON | MAP_GROWSDOWN, RW) },
		{ "MAP_SHARED", whole(MAP_SHARED | MAP_ANONYMOUS, RW) },
		{ "MAP_SHARED of PROT_NONE", whole(MAP_SHARED | MAP_ANONYMOUS, PROT_NONE) },
		{ "copies of a file", by_large_file() },
		{ "mremap", raw_mremap((unsigned long)have.area, 4 * PAGE, all + 4 * PAGE,
				       MREMAP_MAYMOVE, 0) },
		{ "mprotect", then_mprotect() },
		{ "mprotect of PROT_NONE", then_mprotect_none() },
		{ "brk", raw_brk(have.heap + all) == have.heap + all ? 0 : -ENOMEM },
		{ "shmget", segment(all, 0) },
	};

	for (size_t i = 0; i < COUNT(tries); i++)
		is(tries[i].got, -ENOMEM, "mode 0, more than there is: %s", tries[i].name);
}

static void mode_0(void)
{
	unsigned long pages;

	if (number_in(MODE) != 0) {
		skip("more than there is at once", "the mode isn't 0");
		return;
	}
	proc_read("/proc/meminfo");
	pages = (field_from(proc_text, "MemTotal") + field_from(proc_text, "SwapTotal")) / 4;
	all = (pages + 1) * PAGE;
	take_picture(pictures[0]);
	at_once();
	take_picture(pictures[1]);
	ok(same_pictures(), "and nothing is other than before");
}

/* --- mode 2 ------------------------------------------------------------------------------------------------ */

static void none_left(void)
{
	write_number(RATIO, 0);
	syscall(SYS_setresuid, -1, NOBODY, -1);
}

static void some_left(void)
{
	syscall(SYS_setresuid, -1, 0, -1);
	write_number(RATIO, 1000);
}

static long by_fork(void)
{
	pid_t pid = raw(SYS_fork);

	if (!pid)
		raw(SYS_exit_group, 0);
	return pid < 0 ? pid : status_of(pid);
}

/* Over what is there it has to be paid for before that is given back, or not at all. */
static long by_exec(void)
{
	return status_of(spawn("/proc/self/exe", (char *[]){ "attack_overcommit", "nothing", NULL },
			       (char *[]){ NULL }));
}

WAY(by_memfd, raw(SYS_pwrite64, have.memfd, "x", 1, 2 * PAGE))
WAY(by_fallocate, raw(SYS_fallocate, have.memfd, 0, 0, 3 * PAGE))
WAY(by_shmget, segment(2 * PAGE, 0))
WAY(by_shmget_noreserve, segment(2 * PAGE, SHM_NORESERVE))

static const struct route promised[] = {
	{ "mmap", by_mmap, -ENOMEM },
	{ "PROT_WRITE", by_write_only, -ENOMEM },
	{ "MAP_NORESERVE", by_noreserve, -ENOMEM },
	{ "MAP_SHARED", by_shared, -ENOMEM },
	{ "copies of a file", by_file, -ENOMEM },
	{ "MAP_GROWSDOWN", by_growing_area, -ENOMEM },
	{ "MAP_POPULATE", by_populate, -ENOMEM },
	{ "beside an area", by_neighbour, -ENOMEM },
	{ "mprotect", by_mprotect, -ENOMEM },
	{ "mprotect of PROT_NONE", by_mprotect_none, -ENOMEM },
	{ "mremap", by_mremap, -ENOMEM },
	{ "mremap to another place", by_mremap_away, -ENOMEM },
	{ "mremap anywhere", by_mremap_far, -ENOMEM },
	{ "MREMAP_DONTUNMAP", by_mremap_dontunmap, -ENOMEM },
	{ "brk", by_brk, -ENOMEM },
	{ "a stack", by_stack, -EFAULT },
	{ "a thread", by_thread, -ENOMEM },
	{ "fork", by_fork, -ENOMEM },
	{ "exec", by_exec, -ENOMEM },
	{ "a memfd's page", by_memfd, -ENOSPC },
	{ "fallocate", by_fallocate, -ENOSPC },
	{ "shmget", by_shmget, -ENOMEM },
	{ "SHM_NORESERVE", by_shmget_noreserve, -ENOMEM },
};

static void mode_2(void)
{
	long ratio = number_in(RATIO);

	if (!is(write_number(RATIO, 1000), 0, "overcommit_ratio") ||
	    !is(write_number(MODE, 2), 0, "mode 2"))
		return;
	try_routes(promised, COUNT(promised), none_left, some_left, "mode 2, nothing left");
	is(write_number(MODE, 0), 0, "mode 0 again");
	write_number(RATIO, ratio);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, programs);
	have_all();
	if (am_root())
		mode_2();
	else
		mode_0();
	shmctl(have.shm, IPC_RMID, NULL);
	return done_testing();
}
