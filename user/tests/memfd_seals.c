/* SPDX-License-Identifier: MIT */
/* memfd_create(2) and seals: what each forbids, when it can be added, and what mappings it leaves. */
#include "filemap.h"

#define CLOEXEC	      1
#define ALLOW_SEALING 2
#define ADD_SEALS     1033
#define GET_SEALS     1034
#define SEAL	      1
#define SHRINK	      2
#define GROW	      4
#define WRITE	      8
#define FUTURE_WRITE  16

#define PUNCH 3 /* FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE */

static long memfd(const char *name, long flags)
{
	return result(syscall(SYS_memfd_create, name, flags));
}

static long add(int fd, int seals)
{
	return result(syscall(SYS_fcntl, fd, ADD_SEALS, seals));
}

static long get(int fd)
{
	return result(syscall(SYS_fcntl, fd, GET_SEALS));
}

/* A memfd of four filled pages that can be sealed, and is. */
static int sealed(int seals)
{
	int fd = memfd("sealed", ALLOW_SEALING);

	fill(fd, 0, 4);
	if (seals && add(fd, seals))
		bail("F_ADD_SEALS");
	return fd;
}

static int reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return result(open(path, flags));
}

static long map1(int fd, int prot, int flags)
{
	long p = raw_mmap(0, PAGE, prot, flags, fd, 0);

	if (!is_error(p))
		raw_munmap(p, PAGE);
	return is_error(p) ? p : 0;
}

static void creating(void)
{
	char name[260];
	struct area area;
	char *p;
	int fd;

	memset(name, 'n', sizeof(name));
	name[249] = '\0';
	fd = memfd(name, 0);
	ok(fd >= 0, "a name of 249 bytes");
	is(fcntl(fd, F_GETFD), 0, "no FD_CLOEXEC");
	is(fcntl(fd, F_GETFL), O_RDWR | 0100000, "O_RDWR, and of any size");
	close(fd);
	name[249] = 'n';
	name[250] = '\0';
	is(memfd(name, 0), -EINVAL, "one of 250: EINVAL");
	is(memfd(NULL, 0), -EFAULT, "none: EFAULT");
	is(memfd(NULL, 8), -EINVAL, "an unknown flag comes first: EINVAL");
	is(memfd("x", 0x10), -EINVAL, "0x10: EINVAL");
	is(memfd("x", 0x80000000), -EINVAL, "a size of huge pages without MFD_HUGETLB: EINVAL");
	fd = memfd("", CLOEXEC);
	ok(fd >= 0, "an empty name");
	is(fcntl(fd, F_GETFD), FD_CLOEXEC, "MFD_CLOEXEC");
	p = map_file(fd, 1, PROT_READ, MAP_SHARED);
	area_at((unsigned long)p, &area);
	is_str(area.name, "/memfd: (deleted)", "... in maps");
	is(try_read(p), -SIGBUS, "... it is empty");
	unmap(p, 1);
	close(fd);
	fd = memfd("a/b\nc", 0);
	p = map_file(fd, 1, PROT_READ, MAP_SHARED);
	area_at((unsigned long)p, &area);
	is_str(area.name, "/memfd:a/b\\012c (deleted)", "a name may have any bytes");
	unmap(p, 1);
	close(fd);
}

static void adding(void)
{
	int fd = memfd("m", 0), other, ends[2];

	is(get(fd), SEAL, "without MFD_ALLOW_SEALING: F_SEAL_SEAL");
	is(add(fd, SHRINK), -EPERM, "... no other: EPERM");
	close(fd);
	fd = sealed(0);
	is(get(fd), 0, "with it: none");
	is(add(fd, 64), -EINVAL, "an unknown one: EINVAL");
	is(add(fd, SHRINK | 32), -EINVAL, "... with a known one: EINVAL");
	is(add(fd, 0), 0, "none");
	is(add(fd, SHRINK), 0, "F_SEAL_SHRINK");
	is(add(fd, SHRINK | GROW), 0, "... and F_SEAL_GROW");
	is(get(fd), SHRINK | GROW, "both");
	other = reopen(fd, O_RDONLY);
	is(get(other), SHRINK | GROW, "opened again, it has them");
	is(add(other, WRITE), -EPERM, "... but O_RDONLY adds none: EPERM");
	close(other);
	other = reopen(fd, O_RDWR);
	is(add(other, SEAL), 0, "F_SEAL_SEAL");
	is(add(fd, WRITE), -EPERM, "... then no other: EPERM");
	is(add(fd, SHRINK), -EPERM, "... nor the same: EPERM");
	is(get(fd), SEAL | SHRINK | GROW, "all three");
	close(other), close(fd);
	pipe(ends);
	is(get(ends[0]), -EINVAL, "a pipe: EINVAL");
	is(add(ends[1], SHRINK), -EINVAL, "... nor to add: EINVAL");
	close(ends[0]), close(ends[1]);
	fd = pages_file("f", 1);
	is(get(fd), SEAL, "a file of a tmpfs has F_SEAL_SEAL");
	is(add(fd, SHRINK), -EPERM, "... and takes none: EPERM");
	close(fd);
	fd = open("/proc/self/maps", O_RDONLY);
	is(get(fd), -EINVAL, "one of /proc: EINVAL");
	close(fd);
	fd = open("/dev/null", O_RDWR);
	is(get(fd), -EINVAL, "a device: EINVAL");
	is(add(fd, SHRINK), -EINVAL, "... nor to add: EINVAL");
	close(fd);
	is(get(-1), -EBADF, "no descriptor: EBADF");
}

static void sizes(void)
{
	static char buf[2 * PAGE];
	int fd = sealed(SHRINK), other;

	fails(ftruncate(fd, PAGE), EPERM, "shrink: shorter: EPERM");
	is(ftruncate(fd, 4 * PAGE), 0, "... as long");
	is(ftruncate(fd, 5 * PAGE), 0, "... longer");
	is(reopen(fd, O_RDWR | O_TRUNC), -EPERM, "... O_TRUNC: EPERM");
	is(fallocate(fd, PUNCH, 0, PAGE), 0, "... a hole");
	is(in_file(fd, 0), 0, "... is one");
	close(fd);
	fd = sealed(GROW);
	fails(ftruncate(fd, 5 * PAGE), EPERM, "grow: longer: EPERM");
	fails(pwrite(fd, "x", 1, 4 * PAGE), EPERM, "... write behind the end: EPERM");
	is(pwrite(fd, buf, PAGE, 3 * PAGE), PAGE, "... write to the end");
	is(pwrite(fd, buf, 2 * PAGE, 3 * PAGE), PAGE, "... over it: what is before");
	is(pwrite(fd, buf, PAGE, 3 * PAGE + 1), PAGE - 1, "... from within a page on as well");
	fails(fallocate(fd, 0, 0, 5 * PAGE), EPERM, "... fallocate: EPERM");
	is(fallocate(fd, 0, 0, 4 * PAGE), 0, "... within");
	is(ftruncate(fd, 2 * PAGE + 100), 0, "... shorter");
	fails(pwrite(fd, buf, 50, 2 * PAGE + 80), EPERM, "... over an end within a page: EPERM");
	is(pwrite(fd, buf, 20, 2 * PAGE + 80), 20, "... up to it");
	fails(ftruncate(fd, 3 * PAGE), EPERM, "... and back: EPERM");
	other = reopen(fd, O_RDWR | O_TRUNC);
	ok(other >= 0, "... O_TRUNC");
	close(other), close(fd);
}

static void writing(void)
{
	int fd = sealed(0), ro;
	char *s = map_file(fd, 4, RW, MAP_SHARED), *p = map_file(fd, 4, RW, MAP_PRIVATE);
	char *r;

	p[PAGE] = 'p';
	is(add(fd, WRITE), -EBUSY, "write, while mapped shared: EBUSY");
	is(add(fd, WRITE | SHRINK), -EBUSY, "... nothing of it: EBUSY");
	is(get(fd), 0, "... is added");
	raw_mprotect((unsigned long)s, 4 * PAGE, PROT_READ);
	is(add(fd, WRITE), -EBUSY, "... even if that is only read now: EBUSY");
	unmap(s, 3);
	is(add(fd, WRITE), -EBUSY, "... a part of it: EBUSY");
	unmap(s + 3 * PAGE, 1);
	s = map_file(fd, 4, PROT_READ, MAP_SHARED);
	is(add(fd, WRITE), -EBUSY, "... one that was always to read: EBUSY");
	unmap(s, 4);
	ro = reopen(fd, O_RDONLY);
	s = map_file(ro, 4, PROT_READ, MAP_SHARED);
	is(add(fd, WRITE), 0, "... private, or from O_RDONLY: added");
	is(peek(p + PAGE), 'p', "a private copy stays");
	is(try_write(p + 2 * PAGE, 'q'), 0, "... and new ones are made");
	is(peek(s), 'A', "a shared one to read stays");
	is(raw_mprotect((unsigned long)s, PAGE, RW), -EACCES, "... to read: EACCES");
	fails(write(fd, "x", 1), EPERM, "write(2): EPERM");
	fails(pwrite(fd, "x", 1, 9 * PAGE), EPERM, "... behind the end: EPERM");
	is(pwrite(fd, "x", 0, 0), 0, "... of nothing");
	fails(fallocate(fd, PUNCH, 0, PAGE), EPERM, "a hole: EPERM");
	is(ftruncate(fd, 3 * PAGE), 0, "shorter");
	is(ftruncate(fd, 4 * PAGE), 0, "longer");
	is(map1(fd, RW, MAP_SHARED), -EPERM, "mapped shared, to write: EPERM");
	r = map_file(fd, 1, PROT_READ, MAP_SHARED);
	is_str(vm_flags(r, "sd"), "rd sh mr me ms", "... to read: it may not become writable");
	is(raw_mprotect((unsigned long)r, PAGE, RW), -EACCES, "... and doesn't: EACCES");
	unmap(r, 1);
	is(map1(fd, RW, MAP_PRIVATE), 0, "... private");
	is(map1(ro, PROT_READ, MAP_SHARED), 0, "... of O_RDONLY, to read");
	is(raw_madvise((unsigned long)s, PAGE, MADV_REMOVE), -EACCES, "MADV_REMOVE: EACCES");
	is(in_file(fd, 0), 'A', "the contents are as they were");
	ok(reopen(fd, O_RDWR) >= 0, "it can be opened for writing");
	unmap(s, 4), unmap(p, 4);
	close(fd), close(ro);
}

/* What was there when a new mapping is refused: gone only if the file itself refuses. */
static void refused(void)
{
	int fd = sealed(WRITE);
	char *p = fresh(4, RW);

	p[0] = p[PAGE] = 'p';
	is(raw_mmap((unsigned long)p, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0), -EPERM,
	   "write: MAP_FIXED: EPERM");
	is(try_read(p), 'p', "... what was there stays");
	close(fd);
	fd = sealed(FUTURE_WRITE);
	is(raw_mmap((unsigned long)p, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0), -EPERM,
	   "future write: MAP_FIXED: EPERM");
	is(try_read(p), -SIGSEGV, "... what was there is gone");
	is(peek(p + PAGE), 'p', "... and no more");
	close(fd);
	fd = sealed(0);
	map_at(p + 2 * PAGE, fd, 1, RW, MAP_SHARED | MAP_FIXED, 2);
	add(fd, FUTURE_WRITE);
	is(raw_mmap((unsigned long)p + 3 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 3 * PAGE),
	   (long)p + 3 * PAGE, "... what only makes an area longer isn't asked for");
	is(raw_mmap((unsigned long)p + PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, PAGE),
	   (long)p + PAGE, "... to read, it is another area");
	is(raw_mprotect((unsigned long)p + PAGE, PAGE, RW), -EACCES, "... and stays so: EACCES");
	unmap(p, 4);
	close(fd);
}

static void future(void)
{
	int fd = sealed(0);
	char *s = map_file(fd, 4, RW, MAP_SHARED), *r;

	is(add(fd, FUTURE_WRITE), 0, "future write, while mapped shared: added");
	is(get(fd), FUTURE_WRITE, "... alone");
	is(try_write(s, 's'), 0, "which may still be written");
	is(in_file(fd, 0), 's', "... into the file");
	is(try_write(s + PAGE, 's'), 0, "... also a page never touched");
	fails(pwrite(fd, "x", 1, 0), EPERM, "write(2): EPERM");
	fails(fallocate(fd, PUNCH, 0, PAGE), EPERM, "a hole: EPERM");
	is(map1(fd, RW, MAP_SHARED), -EPERM, "mapped shared anew, to write: EPERM");
	is(map1(fd, PROT_READ, MAP_SHARED), 0, "... to read");
	r = map_file(fd, 4, PROT_READ, MAP_SHARED);
	is(raw_mprotect((unsigned long)r, PAGE, RW), -EACCES, "... stays so: EACCES");
	is_str(vm_flags(r, "sd"), "rd sh mr me ms", "... flags");
	is(peek(r), 's', "... and shows what the other writes");
	is(map1(fd, RW, MAP_PRIVATE), 0, "private");
	is(raw_mprotect((unsigned long)s, PAGE, PROT_READ), 0, "the old one, made read-only");
	is(raw_mprotect((unsigned long)s, PAGE, RW), 0, "... and back");
	is(add(fd, WRITE), -EBUSY, "write as well: EBUSY");
	unmap(s, 4);
	is(add(fd, WRITE), 0, "... then it can be added, whatever was mapped later");
	unmap(r, 4);
	close(fd);
}

/* Who forks, splits or moves a mapping has one more of those that are in the way. */
static char *inherited;

static int child_waits(void)
{
	let_go(PARENT);
	await(CHILD);
	unmap(inherited, 1);
	let_go(PARENT);
	await(CHILD);
	return 0;
}

static void counting(void)
{
	int fd = sealed(0);
	long child, twice;

	inherited = map_file(fd, 1, RW, MAP_SHARED);
	child = raw_fork();
	if (child == 0)
		raw_exit(child_waits());
	await(PARENT);
	unmap(inherited, 1);
	is(add(fd, WRITE), -EBUSY, "a child's mapping is in the way: EBUSY");
	let_go(CHILD);
	await(PARENT);
	is(add(fd, WRITE), 0, "... until it is unmapped");
	let_go(CHILD);
	reap(child);
	close(fd);

	fd = sealed(0);
	inherited = map_file(fd, 4, RW, MAP_SHARED);
	raw_mprotect((unsigned long)inherited + PAGE, PAGE, PROT_READ);
	twice = raw_mremap((unsigned long)inherited + 3 * PAGE, 0, PAGE, MREMAP_MAYMOVE, 0);
	raw_mprotect((unsigned long)inherited + PAGE, PAGE, RW);
	raw_mremap((unsigned long)inherited, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		   (unsigned long)inherited + 3 * PAGE);
	unmap(inherited, 3);
	is(add(fd, WRITE), -EBUSY, "split, moved and doubled, two are left: EBUSY");
	unmap(inherited + 3 * PAGE, 1);
	is(add(fd, WRITE), -EBUSY, "... one is: EBUSY");
	raw_munmap(twice, PAGE);
	is(add(fd, WRITE), 0, "... none");
	close(fd);

	fd = sealed(0);
	child = raw_mmap(0, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, TASK_SIZE);
	is(add(fd, WRITE), 0, "what could not be mapped isn't in the way");
	close(fd);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "f", NULL };

	tap_start(argc, argv, NULL);
	forks_start();
	make_dir("memfd_seals");
	catch_faults();
	creating();
	adding();
	sizes();
	writing();
	future();
	refused();
	counting();
	clean_dir(names);
	return done_testing();
}
