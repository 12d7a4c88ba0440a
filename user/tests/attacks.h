/* SPDX-License-Identifier: MIT */
/*
 * attacks.h: ways round a limit. Each is tried when nothing is left of what it wants: it must fail, and
 * nothing may have changed. Then it is tried in a child that has enough: there it must work, or it would have
 * shown nothing.
 */
#ifndef USER_TESTS_ATTACKS_H
#define USER_TESTS_ATTACKS_H

#include "procs.h"
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

struct route {
	const char *name;
	long (*go)(void); /* -errno, or what isn't negative */
	long want;
};

/* What the ways want more of. */
static struct {
	char *area;   /* 4 pages that can be written, and as many holes behind */
	char *fixed;  /* the second of 2 such pages with 4 holes behind */
	char *ro;     /* 4 that can be read */
	char *none;   /* 4 that can't be touched */
	char *shared; /* 2 that children share */
	char *down;   /* 1 that grows down, with room for 60 */
	unsigned long heap;
	int memfd, shm;
} have;

TAP_FN void have_all(void)
{
	have.area = hole(8);
	fix(have.area, 4, RW);
	have.fixed = hole(6) + PAGE;
	fix(have.fixed - PAGE, 2, RW);
	have.ro = hole(8);
	fix(have.ro, 4, PROT_READ);
	have.none = hole(4);
	fix(have.none, 4, PROT_NONE);
	have.shared = (char *)raw_mmap(0, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	have.down = hole(64) + 61 * PAGE;
	raw_mmap((unsigned long)have.down, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	have.heap = raw_brk(0);
	have.heap = raw_brk((have.heap & ~(PAGE - 1)) + PAGE);
	have.memfd = syscall(SYS_memfd_create, "attack", 0);
	have.shm = shmget(IPC_PRIVATE, 4 * PAGE, 0600);
	touch(have.area, 4);
	touch(have.down, 1);
	if (ftruncate(have.memfd, 4 * PAGE) || have.shm < 0)
		diag("something is missing: errno %d", errno);
}

/* What a test's own program does when it is executed with that name as its first argument. */
TAP_FN int nothing(int argc, char **argv)
{
	(void)argc, (void)argv;
	return 0;
}

static const struct mode programs[] = { { "nothing", nothing }, { NULL, NULL } };

/* --- how things are ---------------------------------------------------------------------------------- */

static char pictures[2][40000];

TAP_FN size_t add_file(char *to, const char *path)
{
	return raw(SYS_access, path, R_OK) ? 0 : read_small(path, to, 32768);
}

/* All areas, all limits, what is locked, queued and open, how the process is scheduled, a file's size. */
TAP_FN void take_picture(char *picture)
{
	static const char *const fields[] = { "VmSize", "VmData",  "VmStk",
					      "VmLck",	"Threads", "SigQ" };
	struct stat st = { .st_size = 0 };
	size_t used = add_file(picture, "/proc/self/maps");
	int fds = 0;

	used += add_file(picture + used, "/proc/self/limits");
	for (size_t i = 0; i < COUNT(fields); i++)
		used += sprintf(picture + used, "%s %ld\n", fields[i], status(fields[i]));
	for (int fd = 0; fd < 1100; fd++)
		fds += raw(SYS_fcntl, fd, F_GETFD) >= 0;
	fstat(have.memfd, &st);
	sprintf(picture + used, "descriptors %d\npriority %ld policy %ld\nfile %ld %ld\n", fds,
		raw(SYS_getpriority, 0, 0), raw(SYS_sched_getscheduler, 0), (long)st.st_size,
		(long)st.st_blocks);
}

TAP_FN bool same_pictures(void)
{
	const char *a = pictures[0], *b = pictures[1];

	if (!strcmp(a, b))
		return true;
	while (*a == *b)
		a++, b++;
	while (a > pictures[0] && a[-1] != '\n')
		a--, b--;
	diag("was %.*s", (int)strcspn(a, "\n"), a);
	diag("is  %.*s", (int)strcspn(b, "\n"), b);
	return false;
}

/* --- one way ----------------------------------------------------------------------------------------- */

/* With `closed` nothing is left, and with `opened` it is as it was. */
TAP_FN void try_route(const struct route *route, void (*closed)(void), void (*opened)(void),
		      const char *limit)
{
	long got;
	pid_t pid;
	int end;

	if (ftruncate(have.memfd, 4 * PAGE))
		diag("ftruncate: errno %d", errno);
	take_picture(pictures[0]);
	closed();
	got = route->go();
	opened();
	take_picture(pictures[1]);
	is(got, route->want, "%s: %s", limit, route->name);
	if (!same_pictures())
		ok(false, "%s: %s: and nothing is other than before", limit, route->name);
	pid = raw(SYS_fork);
	if (!pid) {
		got = route->go();
		raw(SYS_exit_group, got < 0 ? -got : 0);
	}
	end = status_of(pid);
	is(WIFEXITED(end) ? WEXITSTATUS(end) : -end, 0, "%s: %s, within it", limit, route->name);
}

TAP_FN void try_routes(const struct route *routes, size_t n, void (*closed)(void),
		       void (*opened)(void), const char *limit)
{
	for (size_t i = 0; i < n; i++)
		try_route(&routes[i], closed, opened, limit);
}

/* --- with a soft limit ------------------------------------------------------------------------------ */

static int the_limit;
static unsigned long soft, tight;

TAP_FN void lower(void)
{
	limit(the_limit, tight);
}

TAP_FN void restore(void)
{
	limit(the_limit, soft);
}

TAP_FN void attack_limit(int resource, unsigned long value, const char *name,
			 const struct route *routes, size_t n)
{
	the_limit = resource;
	soft = soft_limit(resource);
	tight = value;
	try_routes(routes, n, lower, restore, name);
}

#define ATTACK(resource, value, routes) \
	attack_limit(RLIMIT_##resource, value, #resource, routes, COUNT(routes))

/* --- ways to get memory ------------------------------------------------------------------------------ */

/* Through /proc/self/mem, opened by whoever it is. */
TAP_FN long write_mem(const char *at)
{
	long fd = raw(SYS_open, "/proc/self/mem", O_RDWR);
	long ret = raw(SYS_pwrite64, fd, "x", 1, at);

	raw(SYS_close, fd);
	return ret;
}

#define WAY(name, call)              \
	TAP_FN long name(void)       \
	{                            \
		return (long)(call); \
	}

WAY(by_mmap, raw_mmap(0, 2 * PAGE, RW, ANON, -1, 0))
WAY(by_write_only, raw_mmap(0, 2 * PAGE, PROT_WRITE, ANON, -1, 0))
WAY(by_noreserve, raw_mmap(0, 2 * PAGE, RW, ANON | MAP_NORESERVE, -1, 0))
WAY(by_none, raw_mmap(0, 2 * PAGE, PROT_NONE, ANON | MAP_NORESERVE, -1, 0))
WAY(by_shared, raw_mmap(0, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
WAY(by_file, raw_mmap(0, 2 * PAGE, RW, MAP_PRIVATE, have.memfd, 0))
WAY(by_file_shared, raw_mmap(0, 2 * PAGE, RW, MAP_SHARED, have.memfd, 0))
WAY(by_growing_area, raw_mmap(0, 2 * PAGE, RW, ANON | MAP_GROWSDOWN, -1, 0))
WAY(by_populate, raw_mmap(0, 2 * PAGE, RW, ANON | MAP_POPULATE, -1, 0))
WAY(by_fixed, raw_mmap((unsigned long)have.fixed, 3 * PAGE, RW, ANON | MAP_FIXED, -1, 0))
WAY(by_neighbour, fix(have.area + 4 * PAGE, 2, RW))
WAY(by_fixed_over_none, fix(have.none, 4, RW))
WAY(by_mprotect, raw_mprotect((unsigned long)have.ro, 2 * PAGE, RW))
WAY(by_mprotect_none, raw_mprotect((unsigned long)have.none, 4 * PAGE, RW))
WAY(by_mremap, raw_mremap((unsigned long)have.area, 4 * PAGE, 6 * PAGE, 0, 0))
WAY(by_mremap_away, raw_mremap((unsigned long)have.area, 4 * PAGE, 6 * PAGE,
			       MREMAP_MAYMOVE | MREMAP_FIXED, (unsigned long)have.down - 40 * PAGE))
WAY(by_mremap_far, raw_mremap((unsigned long)have.area, 4 * PAGE, 16 * PAGE, MREMAP_MAYMOVE, 0))
WAY(by_mremap_twice, raw_mremap((unsigned long)have.shared, 0, 2 * PAGE, MREMAP_MAYMOVE, 0))
WAY(by_mremap_dontunmap,
    raw_mremap((unsigned long)have.area, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0))
WAY(by_brk, raw_brk(have.heap + 2 * PAGE) == have.heap + 2 * PAGE ? 0 : -ENOMEM)
WAY(by_shmat, result((long)shmat(have.shm, NULL, 0)))
WAY(by_stack, raw(SYS_uname, have.down - 2 * PAGE))
WAY(by_mem, write_mem(have.down - 2 * PAGE))

TAP_FN long by_vm_writev(void)
{
	struct iovec local = { "x", 1 }, remote = { have.down - 2 * PAGE, 1 };

	return raw(SYS_process_vm_writev, my_pid(), &local, 1, &remote, 1, 0);
}

/* A child has the limit, too. */
TAP_FN long by_child(void)
{
	int end;
	pid_t pid = raw(SYS_fork);
	long got;

	if (!pid) {
		got = by_mmap();
		raw(SYS_exit_group, is_error(got) ? -got : 0);
	}
	end = status_of(pid);
	return pid < 0 ? pid : -WEXITSTATUS(end);
}

TAP_FN int map_in_parent(void *arg)
{
	long got = raw(SYS_mmap, 0, 2 * PAGE, RW, ANON, -1, 0);

	*(volatile long *)arg = got;
	return 0;
}

/* A thread, whose stack is there already. */
TAP_FN long by_thread(void)
{
	static volatile long got;
	struct thread thread = { NULL, -1 };

	if (clone_fn(THREAD_FLAGS, have.area - (STACK_PAGES - 4) * PAGE, map_in_parent,
		     (void *)&got, &thread.tid, &thread.tid, 0) < 0)
		return -EAGAIN;
	thread_join(&thread);
	(void)UNTIL(thread_count() == 1);
	return got;
}

#endif
