/* SPDX-License-Identifier: MIT */
/* runs as root */
/*
 * vm.overcommit_memory: what is refused in modes 0, 1 and 2, to root and to others. The modes
 * belong to the whole machine: they are put back at the end.
 */
#include "filemap.h"

#define MODE	 "/proc/sys/vm/overcommit_memory"
#define RATIO	 "/proc/sys/vm/overcommit_ratio"
#define KILOBYTE 1024UL

static long meminfo(const char *name)
{
	return proc_read("/proc/meminfo") ? field_from(proc_text, name) : -1;
}

/* Maps and unmaps that many bytes; 0 or -errno. */
static long try(unsigned long size, int prot, long flags)
{
	long p = raw_mmap(0, size, prot, ANON | flags, -1, 0);

	if (is_error(p))
		return p;
	raw_munmap(p, size);
	return 0;
}

static void mode_0(void)
{
	unsigned long ram = meminfo("MemTotal") * KILOBYTE, swap = meminfo("SwapTotal") * KILOBYTE;
	unsigned long most = ram + swap;
	long p;

	is(write_number(MODE, 0), 0, "mode 0");
	is(try(most - 16 * PAGE, RW, 0), 0, "as much as there is: granted");
	is(try(most + PAGE, RW, 0), -ENOMEM, "a page more: ENOMEM");
	is(try(most + PAGE, RW, MAP_NORESERVE), 0, "with MAP_NORESERVE: granted");
	is(try(most + PAGE, PROT_READ, 0), 0, "read-only: granted");
	is(try(most + PAGE, PROT_NONE, 0), 0, "PROT_NONE: granted");
	p = raw_mmap(0, most + PAGE, PROT_READ, ANON, -1, 0);
	is(raw_mprotect(p, most + PAGE, RW), -ENOMEM, "read-only made writable: ENOMEM");
	is(raw_mprotect(p, PAGE, RW), 0, "a page of it: granted");
	is(raw_mprotect(p + PAGE, most - 16 * PAGE, RW), 0, "and each piece, however often");
	raw_munmap(p, most + PAGE);
	p = raw_mmap(0, most - 16 * PAGE, RW, ANON, -1, 0);
	is(try(most - 16 * PAGE, RW, 0), 0, "twice all there is: granted, one by one");
	is(raw_mremap(p, most - 16 * PAGE, 2 * most + 16 * PAGE, MREMAP_MAYMOVE, 0), -ENOMEM,
	   "mremap by more than there is: ENOMEM");
	raw_munmap(p, most - 16 * PAGE);
}

static void mode_1(void)
{
	unsigned long huge = 1024 * GIB;

	is(write_number(MODE, 1), 0, "mode 1");
	is(try(huge, RW, 0), 0, "a terabyte: granted");
	is(try(TASK_SIZE, RW, 0), -ENOMEM, "all of user space isn't free: ENOMEM");
}

/* Linux is up to 125 pages late with counts of its own. */
static bool about(long kb, long wanted)
{
	return labs(kb - wanted) <= 500;
}

static void touch_read(const char *p, unsigned long pages)
{
	for (unsigned long i = 0; i < pages; i++)
		peek(p + i * PAGE);
}

/* What is promised in all, in bytes. */
static unsigned long committed(void)
{
	return meminfo("Committed_AS") * KILOBYTE;
}

static void accounting(void)
{
	unsigned long before = committed(), after;
	long p = raw_mmap(0, 64 * MIB, RW, ANON, -1, 0);

	after = committed();
	is((after - before) / MIB, 64, "Committed_AS counts private writable memory");
	raw_mprotect(p, 64 * MIB, PROT_READ);
	is((committed() - before) / MIB, 64, "even when it becomes read-only");
	raw_munmap(p, 32 * MIB);
	is((committed() - before) / MIB, 32, "munmap of half of it");
	raw_mremap(p + 32 * MIB, 32 * MIB, 16 * MIB, 0, 0);
	is((committed() - before) / MIB, 16, "mremap that shrinks it");
	raw_mremap(p + 32 * MIB, 16 * MIB, 16 * MIB, MREMAP_MAYMOVE | MREMAP_FIXED, p);
	is((committed() - before) / MIB, 16, "mremap that moves it");
	raw_mremap(p, 16 * MIB, 16 * MIB, MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED,
		   p + 32 * MIB);
	is((committed() - before) / MIB, 32, "DONTUNMAP");
	raw_munmap(p, 64 * MIB);
	is((committed() - before) / MIB, 0, "all unmapped");
	before = committed();
	p = raw_mmap(0, 64 * MIB, PROT_READ, ANON, -1, 0);
	is((committed() - before) / MIB, 0, "read-only memory isn't counted");
	raw_mprotect(p, 16 * MIB, RW);
	is((committed() - before) / MIB, 16, "what of it becomes writable is");
	raw_munmap(p, 64 * MIB);
	p = raw_mmap(0, 64 * MIB, RW, ANON | MAP_NORESERVE, -1, 0);
	is((committed() - before) / MIB, 0, "nor MAP_NORESERVE, in modes 0 and 1");
	raw_munmap(p, 64 * MIB);
}

/* Shared memory is promised when it is made, or as its pages come; a tmpfs takes each as it comes. */
static void shared_accounting(void)
{
	unsigned long before = committed(), shmem = meminfo("Shmem");
	long flags = MAP_SHARED | MAP_ANONYMOUS, p;
	int fd;

	p = raw_mmap(0, 64 * MIB, PROT_READ, flags, -1, 0);
	is((committed() - before) / MIB, 64, "shared memory is counted whatever its protection");
	touch_read((char *)p, 2 * MIB / PAGE);
	is((committed() - before) / MIB, 64, "... and once");
	ok(about(meminfo("Shmem") - shmem, 2048), "Shmem counts what is there");
	raw_munmap(p, 32 * MIB);
	is((committed() - before) / MIB, 64, "... as long as any of it is mapped");
	raw_munmap(p + 32 * MIB, 32 * MIB);
	is((committed() - before) / MIB, 0, "... and no longer");
	p = raw_mmap(0, 64 * MIB, RW, flags | MAP_NORESERVE, -1, 0);
	is((committed() - before) / MIB, 0, "MAP_NORESERVE: nothing at first");
	touch((char *)p, 2 * MIB / PAGE);
	is((committed() - before) / MIB, 2, "... then what is touched");
	raw_madvise(p, MIB, MADV_REMOVE);
	is((committed() - before) / MIB, 1, "... until it is given back");
	raw_munmap(p, 64 * MIB);
	fd = syscall(SYS_memfd_create, "x", 0);
	ftruncate(fd, 64 * MIB);
	is((committed() - before) / MIB, 0, "a file's size isn't counted");
	fallocate(fd, 0, 0, 4 * MIB);
	is((committed() - before) / MIB, 4, "... but its pages");
	fallocate(fd, 3, 0, MIB);
	is((committed() - before) / MIB, 3, "... not where a hole is");
	ok(about(meminfo("Shmem") - shmem, 3072), "Shmem as well");
	close(fd);
	is((committed() - before) / MIB, 0, "nor when it is gone");
}

/* => mode 2. Nothing may be promised any more. */
static void nothing_left(void)
{
	int fd = syscall(SYS_memfd_create, "x", 0),
	    named = open("/tmp/overcommit", O_RDWR | O_CREAT);
	long flags = MAP_SHARED | MAP_ANONYMOUS, ratio = number_in(RATIO);
	char *p;

	ftruncate(fd, 4 * PAGE);
	pwrite(fd, "x", 1, 0);
	p = (char *)raw_mmap(0, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	is(write_number(RATIO, 0), 0, "nothing may be promised any more");
	is(raw_mmap(0, PAGE, RW, flags, -1, 0), -ENOMEM, "shared memory: ENOMEM");
	is(raw_mmap(0, PAGE, PROT_NONE, flags | MAP_NORESERVE, -1, 0), -ENOMEM,
	   "... MAP_NORESERVE is ignored: ENOMEM");
	is(try_write(p + PAGE, 1), -SIGBUS, "a touch of a file's new page: SIGBUS");
	is(try_read(p + 2 * PAGE), -SIGBUS, "... also for reading");
	is(try_write(p, 1), 0, "... not of one that is there");
	is(result(pwrite(fd, "x", 1, PAGE)), -ENOSPC, "write: ENOSPC");
	is(result(fallocate(fd, 0, 0, 4 * PAGE)), -ENOSPC, "fallocate: ENOSPC");
	is(result(write(named, "x", 1)), -ENOSPC, "of a file with a name: ENOSPC");
	is(write_number(RATIO, ratio), 0, "back to what it was");
	is(try_write(p + PAGE, 1), 0, "and it can be touched");
	raw_munmap((unsigned long)p, 4 * PAGE);
	unlink("/tmp/overcommit");
	close(named);
	close(fd);
}

static void mode_2(void)
{
	unsigned long ram = meminfo("MemTotal") * KILOBYTE, swap = meminfo("SwapTotal") * KILOBYTE;
	unsigned long limit_bytes, room, user, admin;
	long ratio = number_in(RATIO);

	is(write_number(MODE, 2), 0, "mode 2");
	is(ratio, 50, "overcommit_ratio");
	limit_bytes = meminfo("CommitLimit") * KILOBYTE;
	is(limit_bytes / PAGE, (ram / PAGE) * ratio / 100 + swap / PAGE, "CommitLimit");
	admin = number_in("/proc/sys/vm/admin_reserve_kbytes");
	user = number_in("/proc/sys/vm/user_reserve_kbytes");
	ok(admin <= 8192 && admin > 0, "admin_reserve_kbytes is at most 8 MiB");
	ok(user <= 128 * 1024 && user > 0, "user_reserve_kbytes is at most 128 MiB");
	room = limit_bytes - committed();
	diag("limit %lu kB, room %lu kB", limit_bytes / 1024, room / 1024);
	/* Of which a thirty-second of what the process itself has is kept, here next to nothing. */
	is(try(room - MIB, RW, 0), 0, "all but a MiB of what is left: granted to root");
	is(try(room + PAGE, RW, 0), -ENOMEM, "more than what is left: ENOMEM");
	is(try(room + PAGE, RW, MAP_NORESERVE), -ENOMEM, "MAP_NORESERVE is ignored: ENOMEM");
	is(try(room + PAGE, PROT_READ, 0), 0, "read-only: granted");
	is(write_number(RATIO, 100), 0, "overcommit_ratio 100");
	is(meminfo("CommitLimit") * KILOBYTE / PAGE, ram / PAGE + swap / PAGE,
	   "CommitLimit follows");
	is(try(room + PAGE, RW, 0), 0, "now it is granted");
	is(write_number(RATIO, ratio), 0, "back to what it was");
	nothing_left();
	is(result(syscall(SYS_setresuid, -1, NOBODY, -1)), 0, "as an ordinary user");
	is(try(room - MIB, RW, 0), admin > 1024 ? -ENOMEM : 0, "the administrator's part is kept");
	is(try(room - MIB - admin * KILOBYTE, RW, 0), 0, "without it: granted");
	is(result(syscall(SYS_setresuid, -1, 0, -1)), 0, "and root again");
}

static void values(void)
{
	int fd;

	is(write_number(MODE, 3), -EINVAL, "mode 3: EINVAL");
	is(write_number(MODE, -1), -EINVAL, "mode -1: EINVAL");
	is(number_in(MODE), 0, "the mode is as it was");
	syscall(SYS_setresuid, -1, NOBODY, -1);
	fd = open(MODE, O_WRONLY);
	ok(fd < 0, "an ordinary user can't open it for writing");
	close(fd);
	is(number_in(MODE), 0, "but read it");
	syscall(SYS_setresuid, -1, 0, -1);
}

int main(int argc, char **argv)
{
	long mode, ratio;

	tap_start(argc, argv, NULL);
	if (!am_root())
		skip_all("only root may change the mode");
	mode = number_in(MODE);
	ratio = number_in(RATIO);
	if (!is(mode, 0, "the mode at the start is 0") || write_number(MODE, mode) != 0)
		return done_testing();
	values();
	mode_0();
	catch_faults();
	accounting();
	shared_accounting();
	mode_1();
	mode_2();
	write_number(MODE, mode);
	write_number(RATIO, ratio);
	is(number_in(MODE), mode, "the mode is put back");
	return done_testing();
}
