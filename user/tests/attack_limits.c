/* SPDX-License-Identifier: MIT */
/*
 * A process's limits of memory, and the ways round them: all calls that get it, children, threads, the kernel's
 * own hand, and other limits. What there is no more of isn't given, and nothing has changed.
 */
#include "attacks.h"
#include <signal.h>

/* --- memory ---------------------------------------------------------------------------------------------- */

static const struct route of_space[] = {
	{ "mmap", by_mmap, -ENOMEM },
	{ "MAP_NORESERVE", by_noreserve, -ENOMEM },
	{ "PROT_NONE", by_none, -ENOMEM },
	{ "MAP_SHARED", by_shared, -ENOMEM },
	{ "a file", by_file, -ENOMEM },
	{ "a shared file", by_file_shared, -ENOMEM },
	{ "MAP_GROWSDOWN", by_growing_area, -ENOMEM },
	{ "MAP_POPULATE", by_populate, -ENOMEM },
	{ "MAP_FIXED half over an area", by_fixed, -ENOMEM },
	{ "beside an area", by_neighbour, -ENOMEM },
	{ "mremap", by_mremap, -ENOMEM },
	{ "mremap to another place", by_mremap_away, -ENOMEM },
	{ "mremap anywhere", by_mremap_far, -ENOMEM },
	{ "mremap of length 0, which maps shared memory twice", by_mremap_twice, -ENOMEM },
	{ "MREMAP_DONTUNMAP", by_mremap_dontunmap, -ENOMEM },
	{ "brk", by_brk, -ENOMEM },
	{ "shmat", by_shmat, -ENOMEM },
	{ "a stack", by_stack, -EFAULT },
	{ "a stack through /proc/self/mem", by_mem, -EIO },
	{ "a thread", by_thread, -ENOMEM },
	{ "a child", by_child, -ENOMEM },
};

static const struct route of_data[] = {
	{ "mmap", by_mmap, -ENOMEM },
	{ "PROT_WRITE", by_write_only, -ENOMEM },
	{ "MAP_NORESERVE", by_noreserve, -ENOMEM },
	{ "copies of a file", by_file, -ENOMEM },
	{ "MAP_FIXED half over an area", by_fixed, -ENOMEM },
	{ "beside an area", by_neighbour, -ENOMEM },
	{ "mprotect", by_mprotect, -ENOMEM },
	{ "mprotect of PROT_NONE", by_mprotect_none, -ENOMEM },
	{ "mremap", by_mremap, -ENOMEM },
	{ "mremap to another place", by_mremap_away, -ENOMEM },
	{ "mremap anywhere", by_mremap_far, -ENOMEM },
	{ "MREMAP_DONTUNMAP", by_mremap_dontunmap, -ENOMEM },
	{ "brk", by_brk, -ENOMEM },
	{ "a thread", by_thread, -ENOMEM },
	{ "a child", by_child, -ENOMEM },
};

static unsigned long used(const char *field)
{
	return status(field) * 1024;
}

/*
 * A way round that Linux has, and so is here: what MAP_FIXED maps over any area at all isn't counted as new,
 * though it is data and the area wasn't.
 */
static int data_over_none(void *arg)
{
	(void)arg;
	limit(RLIMIT_DATA, used("VmData") + PAGE);
	NEED_IS(by_mmap(), -ENOMEM);
	NEED_IS(by_fixed_over_none(), have.none);
	NEED_IS(by_mmap(), -ENOMEM);
	return 0;
}

/* A program with n arguments, or variables, of 128 KiB less one. */
static long exec_with(int n, bool environment)
{
	static char text[131072];
	static char *long_vector[64], *vector[] = { "attack_limits", "nothing", NULL };
	int status;

	memset(text, 'x', sizeof(text) - 1);
	for (int i = 2; i < n; i++)
		long_vector[i] = text;
	long_vector[0] = "attack_limits";
	long_vector[1] = "nothing";
	long_vector[n] = NULL;
	status = wait_status(spawn("/proc/self/exe", environment ? vector : long_vector,
				   environment ? long_vector : vector + 2));
	return status < 0 ? status : status ? -EIO : 0;
}

WAY(by_arguments, exec_with(4, false))
WAY(by_environment, exec_with(4, true))
WAY(by_read_into_stack, raw(SYS_pread64, have.memfd, have.down - 20 * PAGE, 1, 0))
WAY(by_far_stack, raw(SYS_uname, have.down - 20 * PAGE))
WAY(by_far_mem, write_mem(have.down - 20 * PAGE))

/* Touched by a program that is ready for it. */
static long by_touch(void)
{
	pid_t pid = raw(SYS_fork);
	int end;

	if (!pid) {
		have.down[-(long)(20 * PAGE)] = 1;
		raw(SYS_exit_group, 0);
	}
	end = status_of(pid);
	return WIFSIGNALED(end) ? -WTERMSIG(end) : end;
}

static const struct route of_stack[] = {
	{ "for the kernel", by_far_stack, -EFAULT },
	{ "for read", by_read_into_stack, -EFAULT },
	{ "through /proc/self/mem", by_far_mem, -EIO },
	{ "touched", by_touch, -SIGSEGV },
	{ "arguments of more than a quarter", by_arguments, -E2BIG },
	{ "environment of more than a quarter", by_environment, -E2BIG },
};

/* Three quarters of 8 MiB are the most, without a limit. */
static void arguments_without_limit(void)
{
	unsigned long old = soft_limit(RLIMIT_STACK);

	is(limit(RLIMIT_STACK, RLIM_INFINITY), 0, "STACK: no limit");
	is(exec_with(60, false), -E2BIG, "STACK: arguments of 7.5 MiB all the same");
	is(exec_with(60, true), -E2BIG, "STACK: and an environment");
	is(exec_with(30, true), 0, "STACK: 3.5 MiB");
	limit(RLIMIT_STACK, old);
}

/* --- locked memory ----------------------------------------------------------------------------------- */

static char *locked; /* 2 pages, with holes behind, and 1 that grows down at locked_down */
static char *locked_down;

WAY(by_mlock, raw_mlock((unsigned long)have.area, 2 * PAGE))
WAY(by_mlock2, raw_mlock2((unsigned long)have.area, 2 * PAGE, MLOCK_ONFAULT))
WAY(by_mlock_none, raw_mlock2((unsigned long)have.ro, 4 * PAGE, MLOCK_ONFAULT))
WAY(by_map_locked, raw_mmap(0, 2 * PAGE, RW, ANON | MAP_LOCKED, -1, 0))
WAY(by_map_locked_none, raw_mmap(0, 2 * PAGE, PROT_NONE, ANON | MAP_LOCKED, -1, 0))
WAY(by_map_locked_file, raw_mmap(0, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_LOCKED, have.memfd, 0))
WAY(by_mlockall, raw_mlockall(MCL_CURRENT))
WAY(by_mlockall_on_fault, raw_mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
WAY(by_locked_mremap, raw_mremap((unsigned long)locked, 2 * PAGE, 4 * PAGE, 0, 0))
WAY(by_locked_mremap_away, raw_mremap((unsigned long)locked, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE, 0))
WAY(by_locked_stack, raw(SYS_uname, locked_down - 2 * PAGE))
WAY(by_shm_lock, result(shmctl(have.shm, SHM_LOCK, NULL)))

static const struct route of_locked[] = {
	{ "mlock", by_mlock, -ENOMEM },
	{ "mlock2", by_mlock2, -ENOMEM },
	{ "mlock2 of what isn't there yet", by_mlock_none, -ENOMEM },
	{ "MAP_LOCKED", by_map_locked, -EAGAIN },
	{ "MAP_LOCKED that can't be touched", by_map_locked_none, -EAGAIN },
	{ "MAP_LOCKED of a file", by_map_locked_file, -EAGAIN },
	{ "mlockall", by_mlockall, -ENOMEM },
	{ "mlockall on fault", by_mlockall_on_fault, -ENOMEM },
	{ "mremap of what is locked", by_locked_mremap, -EAGAIN },
	{ "mremap to another place", by_locked_mremap_away, -EAGAIN },
	{ "a locked area that grows", by_locked_stack, -EFAULT },
	{ "SHM_LOCK", by_shm_lock, -ENOMEM },
};

static void locked_memory(void)
{
	locked = hole(8);
	fix(locked, 2, RW);
	locked_down = hole(64) + 61 * PAGE;
	raw_mmap((unsigned long)locked_down, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	is(raw_mlock((unsigned long)locked, PAGE * 2), 0, "two pages locked");
	is(raw_mlock((unsigned long)locked_down, PAGE), 0, "and one that grows");
	ATTACK(MEMLOCK, 4 * PAGE - 1, of_locked);
	shmctl(have.shm, SHM_UNLOCK, NULL);
	raw_munlockall();
}

/* A program that doesn't even have room for itself ends before it begins. */
static void program_without_room(void)
{
	unsigned long old = soft_limit(RLIMIT_AS);
	pid_t pid = raw(SYS_fork);
	int end;

	if (!pid) {
		limit(RLIMIT_AS, 10 * PAGE);
		spawn("/proc/self/exe", (char *[]){ "attack_limits", "nothing", NULL },
		      (char *[]){ NULL });
		raw(SYS_execve, "/proc/self/exe", ((char *[]){ "attack_limits", "nothing", NULL }),
		    NULL);
		raw(SYS_exit_group, 0);
	}
	end = status_of(pid);
	ok(end != 0, "AS: a program larger than it doesn't run");
	diag("wait status 0x%x", end);
	is(soft_limit(RLIMIT_AS), old, "AS: which was only the child's");
}

int main(int argc, char **argv)
{
	char deep[65536];

	tap_start(argc, argv, programs);
	memset((void *)(uintptr_t)deep, 0, sizeof(deep));
	have_all();
	ATTACK(AS, used("VmSize") + PAGE, of_space);
	ATTACK(DATA, used("VmData") + PAGE, of_data);
	is(by_vm_writev(), -EFAULT, "process_vm_writev makes no stack grow");
	child_ok(data_over_none, "DATA: over what can't be touched, as in Linux");
	program_without_room();
	ATTACK(STACK, 16 * PAGE, of_stack);
	arguments_without_limit();
	locked_memory();
	shmctl(have.shm, IPC_RMID, NULL);
	return done_testing();
}
