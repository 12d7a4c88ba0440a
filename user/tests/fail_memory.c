/* SPDX-License-Identifier: MIT */
/* Calls about memory, and page faults of every kind, with each allocation failed in turn. */
#include "failing.h"
#include "files.h"
#include "vm.h"
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/uio.h>

/*
 * Memory at fixed addresses, the same for each try: h has 8 pages of anonymous memory, 8 of the file
 * shared, 8 of it private, 8 shared anonymous, and 8 of nothing. Each kind's first page was written,
 * the second read, the third written before a fork.
 */
#define H	 0x10000000000UL
#define KIND	 8
#define ANON_	 0
#define FILE_	 8
#define COPY_	 16
#define SHM_	 24
#define NONE_	 32
#define ALL_	 40
#define at(page) (H + (page)*PAGE)
#define FAR	 0x200000000000UL /* where no page tables are */

enum { FD_FILE = 10, FD_EXE, FD_MEM, FD_MAP };

static char buf[8 * PAGE];
static unsigned char vec[64];
static struct iovec local[12], far[12];
static int segment = -1;
static unsigned long old_brk;
static pid_t child;

static void set(unsigned long page, char c)
{
	*(volatile char *)at(page) = c;
}

static char get(unsigned long page)
{
	return *(volatile char *)at(page);
}

/* --- states ------------------------------------------------------------------------------------- */

static void clear(void)
{
	raw_munmap(H - PAGE, (ALL_ + 2) * PAGE);
	raw_munmap(FAR, 64 * PAGE);
	ftruncate(FD_FILE, PAGE);
	pwrite(FD_FILE, "ABCDEFGH", 8, 0);
	ftruncate(FD_FILE, KIND * PAGE);
}

static void setup(void)
{
	clear();
	raw_mmap(at(ANON_), KIND * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	raw_mmap(at(FILE_), KIND * PAGE, RW, MAP_SHARED | MAP_FIXED, FD_FILE, 0);
	raw_mmap(at(COPY_), KIND * PAGE, RW, MAP_PRIVATE | MAP_FIXED, FD_FILE, 0);
	raw_mmap(at(SHM_), KIND * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	for (int kind = 0; kind < NONE_; kind += KIND) {
		set(kind, 'w');
		get(kind + 1);
	}
}

static void end_child(void)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	child = 0;
}

/* All that was written is a child's as well. */
static void setup_forked(void)
{
	end_child();
	setup();
	for (int kind = 0; kind < NONE_; kind += KIND)
		set(kind + 2, 'f');
	child = (pid_t)syscall(SYS_fork);
	if (child == 0)
		for (;;)
			pause();
}

/* Only a child's own: what it has was its parent's. */
static void setup_nothing(void)
{
	clear();
	syscall(SYS_brk, old_brk);
}

static void undo_setup(long ret)
{
	clear();
	end_child();
	syscall(SYS_brk, old_brk);
}

static void undo_lock(long ret)
{
	syscall(SYS_munlockall);
	undo_setup(0);
}

static void setup_locked(void)
{
	setup();
	raw_mlock(at(0), KIND * PAGE);
}

static void setup_brk(void)
{
	clear();
	syscall(SYS_brk, old_brk + 8 * PAGE);
	*(volatile char *)old_brk = 1;
}

static void setup_apart(void)
{
	setup();
	raw_mprotect(at(3), PAGE, PROT_READ);
}

static void setup_readonly(void)
{
	setup();
	raw_mprotect(at(0), KIND * PAGE, PROT_READ);
}

static void setup_stack(void)
{
	clear();
	raw_mmap(at(30), 2 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
}

static void setup_segment(void)
{
	clear();
	if (segment < 0)
		segment = shmget(IPC_PRIVATE, 4 * PAGE, 0600);
}

static void setup_attached(void)
{
	setup_segment();
	syscall(SYS_shmat, segment, H, 0);
}

static void setup_populated_segment(void)
{
	setup_attached();
	set(0, 1);
}

/* --- faults: they are tried again when there was no memory, so they end well --------------------- */

static long touch_it(unsigned long page, bool write)
{
	if (write)
		set(page, 'x');
	else
		get(page);
	return 0;
}

#define FAULT(name, page, write)                  \
	static long name(void)                    \
	{                                         \
		return touch_it((page), (write)); \
	}
FAULT(read_anon, ANON_ + 5, false)
FAULT(write_anon, ANON_ + 5, true)
FAULT(write_zero, ANON_ + 1, true)
FAULT(write_cow, ANON_ + 2, true)
FAULT(read_file, FILE_ + 5, false)
FAULT(write_file, FILE_ + 5, true)
FAULT(write_file_read, FILE_ + 1, true)
FAULT(read_copy, COPY_ + 5, false)
FAULT(write_copy, COPY_ + 5, true)
FAULT(write_copy_read, COPY_ + 1, true)
FAULT(write_copy_cow, COPY_ + 2, true)
FAULT(read_shm, SHM_ + 5, false)
FAULT(write_shm, SHM_ + 5, true)
FAULT(grow, 20, true)
FAULT(write_sysv, 2, true)

/* A stack that has no room to grow is as one that may not: a signal. */
static long grow_stack(void)
{
	return call_in_child(grow);
}

static long fault_far(void)
{
	*(volatile char *)FAR = 1;
	*(volatile char *)(FAR + 20 * PAGE) = 1;
	return 0;
}

static void setup_far(void)
{
	clear();
	raw_mmap(FAR, 64 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
}

static void setup_far_file(void)
{
	clear();
	raw_mmap(FAR, 8 * PAGE, RW, MAP_SHARED | MAP_FIXED, FD_FILE, 0);
	raw_mmap(FAR + 8 * PAGE, 56 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
}

/* Code runs from a page that isn't there yet. */
static long execute(void)
{
	((void (*)(void))(at(0) + 1))();
	return 0;
}

static void setup_code(void)
{
	static const char ret[] = { 0, (char)0xc3 };

	clear();
	pwrite(FD_FILE, ret, 2, 0);
	raw_mmap(at(0), PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, FD_FILE, 0);
}

/* --- calls -------------------------------------------------------------------------------------- */

static long value(long ret, long want)
{
	return ret == want ? 0 : ret < 0 && ret >= -4095 ? ret : -ENOMEM;
}

static long do_brk(void)
{
	return value(syscall(SYS_brk, old_brk + 16 * PAGE), (long)(old_brk + 16 * PAGE));
}

static long do_brk_down(void)
{
	return value(syscall(SYS_brk, old_brk), (long)old_brk);
}

static long do_brk_part(void)
{
	return value(syscall(SYS_brk, old_brk + 4 * PAGE), (long)(old_brk + 4 * PAGE));
}

/* What another process has, seen by the kernel: in it nothing was touched. */
static void vectors(void)
{
	for (int i = 0; i < 12; i++) {
		local[i] = (struct iovec){ buf + i * 512, 256 };
		far[i] = (struct iovec){ (char *)at(2) + i * 512, 256 };
	}
}

static void setup_forked_vectors(void)
{
	setup_forked();
	vectors();
	child = child > 0 ? child : 0;
}

static long do_readv(void)
{
	return value(result(syscall(SYS_process_vm_readv, child, local, 12, far, 12, 0)), 12 * 256);
}

static long do_writev(void)
{
	return value(result(syscall(SYS_process_vm_writev, child, local, 12, far, 12, 0)),
		     12 * 256);
}

static long do_mem_write(void)
{
	return value(result(pwrite(FD_MEM, buf, 4 * PAGE, (off_t)at(0))), 4 * PAGE);
}

static long do_mem_read(void)
{
	return value(result(pread(FD_MEM, buf, 4 * PAGE, (off_t)at(4))), 4 * PAGE);
}

static long do_pagemap(void)
{
	return value(result(pread(FD_MAP, buf, ALL_ * 8, (off_t)(H / PAGE * 8))), ALL_ * 8);
}

/* The kernel writes where there is no page yet. */
static long do_read_into(unsigned long page)
{
	return value(result(pread(FD_EXE, (char *)at(page), 64, 0)), 64);
}

static long do_read_anon(void)
{
	return do_read_into(ANON_ + 5);
}

static long do_read_cow(void)
{
	return do_read_into(ANON_ + 2);
}

static long do_read_copy(void)
{
	return do_read_into(COPY_ + 5);
}

static long do_read_shared(void)
{
	return do_read_into(SHM_ + 5);
}

static long do_write_from(void)
{
	return value(result(pwrite(FD_FILE, (char *)at(ANON_ + 6), 64, 100)), 64);
}

static long do_futex_shared(void)
{
	/* The word isn't there yet; it doesn't hold that value. */
	return value(result(syscall(SYS_futex, at(SHM_ + 5), 0, 1, NULL, NULL, 0)), -EAGAIN);
}

static long do_futex_wake(void)
{
	return result(syscall(SYS_futex, at(ANON_ + 5), 1, 1, NULL, NULL, 0));
}

static long do_futex_waitv(void)
{
	/* The second doesn't hold that value. */
	struct {
		unsigned long val, uaddr;
		unsigned int flags, reserved;
	} words[] = { { 0, at(ANON_ + 5), 0x82, 0 }, { 1, at(ANON_ + 5) + 4, 0x82, 0 } };

	return value(result(syscall(449, words, 2, 0, NULL, 0)), -EAGAIN);
}

static void forget_segment(long ret)
{
	undo_setup(0);
	shmctl(segment, IPC_RMID, NULL);
	segment = -1;
}

static long do_shmget(void)
{
	return result(syscall(SYS_shmget, IPC_PRIVATE, 4 * PAGE, 0600));
}

static void remove_it(long id)
{
	shmctl((int)id, IPC_RMID, NULL);
}

static long do_shmat(void)
{
	return result(syscall(SYS_shmat, segment, NULL, 0));
}

static void undo_shmat(long addr)
{
	syscall(SYS_shmdt, addr);
	forget_segment(0);
}

static long do_shmat_over(void)
{
	return result(syscall(SYS_shmat, segment, at(2), SHM_REMAP));
}

static void setup_segment_over(void)
{
	setup_segment();
	raw_mmap(at(0), KIND * PAGE, RW, ANON | MAP_FIXED, -1, 0);
}

static void unmap_it(long addr)
{
	raw_munmap((unsigned long)addr, 4 * PAGE);
	undo_setup(0);
}

#define ROW(n, f, ...) .name = n, .nr = f, .args = { __VA_ARGS__ }
#define P(n)	       ((n)*PAGE)

static const struct row rows[] = {
	{ ROW("mmap", SYS_mmap, 0, P(4), RW, ANON, -1, 0), .setup = clear, .undo = unmap_it },
	{ ROW("mmap of a file", SYS_mmap, 0, P(4), RW, MAP_SHARED, FD_FILE, 0), .setup = clear,
	  .undo = unmap_it },
	{ ROW("mmap of a file, private", SYS_mmap, 0, P(4), RW, MAP_PRIVATE, FD_FILE, 0),
	  .setup = clear, .undo = unmap_it },
	{ ROW("mmap of shared memory", SYS_mmap, 0, P(4), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
	  .setup = clear, .undo = unmap_it },
	{ ROW("mmap of /dev/zero, shared", SYS_mmap, 0, P(4), RW, MAP_SHARED, 14, 0),
	  .setup = clear, .undo = unmap_it },
	{ ROW("MAP_POPULATE", SYS_mmap, FAR, P(4), RW, ANON | MAP_POPULATE, -1, 0), .setup = clear,
	  .undo = unmap_it },
	{ ROW("MAP_LOCKED", SYS_mmap, FAR, P(4), RW, ANON | MAP_LOCKED, -1, 0), .setup = clear,
	  .undo = unmap_it },
	{ ROW("MAP_POPULATE of a file", SYS_mmap, FAR, P(4), RW, MAP_SHARED | MAP_POPULATE, FD_FILE,
	      0),
	  .setup = clear, .undo = unmap_it },
	{ ROW("MAP_GROWSDOWN", SYS_mmap, at(20), P(4), RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0),
	  .setup = clear, .undo = undo_setup },
	/* What stood there may be gone when the new area can't be made. */
	{ ROW("MAP_FIXED over the middle", SYS_mmap, at(3), P(2), PROT_READ, ANON | MAP_FIXED, -1,
	      0),
	  .setup = setup, .undo = undo_setup, .flags = PARTLY },
	{ ROW("MAP_FIXED over many", SYS_mmap, at(4), P(24), PROT_READ, ANON | MAP_FIXED, -1, 0),
	  .setup = setup, .undo = undo_setup, .flags = PARTLY },
	{ ROW("MAP_FIXED_NOREPLACE", SYS_mmap, at(NONE_), P(2), PROT_READ, ANON | 0x100000, -1, 0),
	  .setup = setup, .undo = undo_setup },
	{ ROW("munmap in the middle", SYS_munmap, at(3), P(2)), .setup = setup,
	  .undo = undo_setup },
	{ ROW("munmap in a file", SYS_munmap, at(FILE_ + 3), P(2)), .setup = setup,
	  .undo = undo_setup },
	{ ROW("munmap of private copies", SYS_munmap, at(COPY_ + 1), P(1)), .setup = setup,
	  .undo = undo_setup },
	{ ROW("munmap over many", SYS_munmap, at(4), P(24)), .setup = setup, .undo = undo_setup },
	{ ROW("munmap of what a child has", SYS_munmap, at(1), P(2)), .setup = setup_forked,
	  .undo = undo_setup },
	{ ROW("mprotect in the middle", SYS_mprotect, at(3), P(2), PROT_READ), .setup = setup,
	  .undo = undo_setup },
	{ ROW("mprotect at the front", SYS_mprotect, at(0), P(2), PROT_NONE), .setup = setup,
	  .undo = undo_setup },
	{ ROW("mprotect of a file", SYS_mprotect, at(FILE_ + 1), P(2), PROT_READ), .setup = setup,
	  .undo = undo_setup },
	{ ROW("mprotect over many", SYS_mprotect, at(4), P(24), PROT_READ), .setup = setup,
	  .undo = undo_setup, .flags = PARTLY },
	{ ROW("mprotect that joins three", SYS_mprotect, at(3), P(1), RW), .setup = setup_apart,
	  .undo = undo_setup },
	{ ROW("mprotect that promises memory", SYS_mprotect, at(2), P(2), RW),
	  .setup = setup_readonly, .undo = undo_setup },
	{ ROW("mremap, longer", SYS_mremap, at(SHM_), P(8), P(12), 0, 0), .setup = setup,
	  .undo = undo_setup },
	{ ROW("mremap, shorter", SYS_mremap, at(0), P(8), P(3), 0, 0), .setup = setup,
	  .undo = undo_setup },
	{ ROW("mremap to elsewhere", SYS_mremap, at(0), P(8), P(8), 3, FAR), .setup = setup,
	  .undo = undo_setup },
	{ ROW("mremap of a part", SYS_mremap, at(2), P(3), P(5), 3, FAR), .setup = setup,
	  .undo = undo_setup },
	{ ROW("mremap over an area", SYS_mremap, at(0), P(3), P(3), 3, at(SHM_ + 2)),
	  .setup = setup, .undo = undo_setup, .flags = PARTLY },
	{ ROW("mremap of a file", SYS_mremap, at(FILE_), P(8), P(8), 3, FAR), .setup = setup,
	  .undo = undo_setup },
	{ ROW("mremap of private copies", SYS_mremap, at(COPY_), P(4), P(4), 3, FAR),
	  .setup = setup, .undo = undo_setup },
	{ ROW("mremap of what a child has", SYS_mremap, at(1), P(4), P(6), 3, FAR),
	  .setup = setup_forked, .undo = undo_setup },
	{ ROW("mremap, MREMAP_DONTUNMAP", SYS_mremap, at(0), P(8), P(8), 7, FAR), .setup = setup,
	  .undo = undo_setup },
	{ ROW("mremap of nothing, a second mapping", SYS_mremap, at(FILE_), 0, P(4), 3, FAR),
	  .setup = setup, .undo = undo_setup },
	{ ROW("mremap of locked memory", SYS_mremap, at(0), P(8), P(12), 3, FAR),
	  .setup = setup_locked, .undo = undo_lock },
	{ ROW("madvise DONTFORK in the middle", SYS_madvise, at(3), P(2), MADV_DONTFORK),
	  .also = EAGAIN, .setup = setup, .undo = undo_setup },
	{ ROW("madvise RANDOM of a file", SYS_madvise, at(FILE_ + 3), P(2), MADV_RANDOM),
	  .also = EAGAIN, .setup = setup, .undo = undo_setup },
	{ ROW("madvise WIPEONFORK", SYS_madvise, at(3), P(2), 18), .also = EAGAIN, .setup = setup,
	  .undo = undo_setup },
	{ ROW("madvise DONTNEED", SYS_madvise, at(0), P(8), MADV_DONTNEED), .setup = setup,
	  .undo = undo_setup },
	{ ROW("madvise FREE", SYS_madvise, at(0), P(8), 8), .setup = setup, .undo = undo_setup },
	{ ROW("madvise REMOVE", SYS_madvise, at(FILE_), P(4), MADV_REMOVE), .setup = setup,
	  .undo = undo_setup },
	{ ROW("madvise WILLNEED", SYS_madvise, at(FILE_), P(8), MADV_WILLNEED), .setup = setup,
	  .undo = undo_setup },
	{ ROW("madvise COLD", SYS_madvise, at(0), P(8), MADV_COLD), .setup = setup,
	  .undo = undo_setup },
	{ ROW("madvise PAGEOUT", SYS_madvise, at(0), P(8), MADV_PAGEOUT), .setup = setup,
	  .undo = undo_setup },
	{ ROW("POPULATE_READ", SYS_madvise, at(0), P(8), MADV_POPULATE_READ), .setup = setup,
	  .undo = undo_setup },
	{ ROW("POPULATE_WRITE", SYS_madvise, at(0), P(8), MADV_POPULATE_WRITE), .setup = setup,
	  .undo = undo_setup },
	{ ROW("POPULATE_READ of a file", SYS_madvise, at(FILE_), P(8), MADV_POPULATE_READ),
	  .setup = setup, .undo = undo_setup },
	{ ROW("POPULATE_WRITE of private copies", SYS_madvise, at(COPY_), P(8),
	      MADV_POPULATE_WRITE),
	  .setup = setup, .undo = undo_setup },
	{ ROW("mlock in the middle", SYS_mlock, at(3), P(2)), .setup = setup, .undo = undo_lock,
	  .also = EAGAIN, .flags = PARTLY },
	{ ROW("mlock over many", SYS_mlock, at(4), P(24)), .setup = setup, .undo = undo_lock,
	  .also = EAGAIN, .flags = PARTLY },
	{ ROW("mlock2, on fault", SYS_mlock2, at(3), P(2), MLOCK_ONFAULT), .setup = setup,
	  .undo = undo_lock },
	{ ROW("munlock in the middle", SYS_munlock, at(3), P(2)), .setup = setup_locked,
	  .undo = undo_lock },
	{ ROW("mlockall", SYS_mlockall, MCL_CURRENT), .setup = setup, .undo = undo_lock,
	  .also = EAGAIN, .flags = PARTLY },
	{ ROW("mincore", SYS_mincore, at(0), P(32), (long)vec), .also = EAGAIN, .setup = setup,
	  .undo = undo_setup },
	{ ROW("msync", SYS_msync, at(FILE_), P(8), MS_SYNC), .setup = setup, .undo = undo_setup },
	{ ROW("remap_file_pages", SYS_remap_file_pages, at(FILE_ + 2), P(2), 0, 0, 0),
	  .setup = setup, .undo = undo_setup, .flags = PARTLY },
	{ "brk", .call = do_brk, .setup = setup_nothing, .undo = undo_setup },
	{ "brk that joins", .call = do_brk, .setup = setup_brk, .undo = undo_setup },
	{ "brk down", .call = do_brk_down, .setup = setup_brk, .undo = undo_setup },
	{ "brk down a part", .call = do_brk_part, .setup = setup_brk, .undo = undo_setup },
	{ "process_vm_readv", .call = do_readv, .setup = setup_forked_vectors, .undo = undo_setup },
	{ "process_vm_writev", .call = do_writev, .setup = setup_forked_vectors,
	  .undo = undo_setup },
	{ "a write to /proc/self/mem", .call = do_mem_write, .setup = setup_readonly,
	  .undo = undo_setup, .flags = PARTLY },
	{ "a read of /proc/self/mem", .call = do_mem_read, .setup = setup, .undo = undo_setup },
	{ "a read of pagemap", .call = do_pagemap, .setup = setup, .undo = undo_setup },
	{ "read into new memory", .call = do_read_anon, .setup = setup, .undo = undo_setup },
	{ "read into what a child has", .call = do_read_cow, .setup = setup_forked,
	  .undo = undo_setup },
	{ "read into a private copy", .call = do_read_copy, .setup = setup, .undo = undo_setup },
	{ "read into shared memory", .call = do_read_shared, .setup = setup, .undo = undo_setup },
	{ "write from new memory", .call = do_write_from, .setup = setup, .undo = undo_setup },
	{ "a futex in new shared memory", .call = do_futex_shared, .setup = setup,
	  .undo = undo_setup },
	{ "a futex in new memory", .call = do_futex_wake, .setup = setup, .undo = undo_setup },
	{ "futexes in new memory", .call = do_futex_waitv, .setup = setup, .undo = undo_setup },
	{ "shmget", .call = do_shmget, .setup = clear, .undo = remove_it },
	{ "shmat", .call = do_shmat, .setup = setup_segment, .undo = undo_shmat },
	{ "shmat over areas", .call = do_shmat_over, .setup = setup_segment_over,
	  .undo = forget_segment, .flags = PARTLY },
	{ ROW("shmdt", SYS_shmdt, H), .setup = setup_attached, .undo = forget_segment },
	{ "a fault in a segment", .call = write_sysv, .setup = setup_populated_segment,
	  .undo = forget_segment },
	{ "a fault: read", .call = read_anon, .setup = setup, .undo = undo_setup },
	{ "a fault: write", .call = write_anon, .setup = setup, .undo = undo_setup },
	{ "a fault: write after a read", .call = write_zero, .setup = setup, .undo = undo_setup },
	{ "a fault: write of what a child has", .call = write_cow, .setup = setup_forked,
	  .undo = undo_setup },
	{ "a fault: read of a file", .call = read_file, .setup = setup, .undo = undo_setup },
	{ "a fault: write of a file", .call = write_file, .setup = setup, .undo = undo_setup },
	{ "a fault: write of a file, after a read", .call = write_file_read, .setup = setup,
	  .undo = undo_setup },
	{ "a fault: read of a private file", .call = read_copy, .setup = setup,
	  .undo = undo_setup },
	{ "a fault: private write", .call = write_copy, .setup = setup, .undo = undo_setup },
	{ "a fault: private write after a read", .call = write_copy_read, .setup = setup,
	  .undo = undo_setup },
	{ "a fault: private write of what a child has", .call = write_copy_cow,
	  .setup = setup_forked, .undo = undo_setup },
	{ "a fault: read of shared memory", .call = read_shm, .setup = setup, .undo = undo_setup },
	{ "a fault: write of shared memory", .call = write_shm, .setup = setup,
	  .undo = undo_setup },
	{ "a fault: a stack grows", .call = grow_stack, .setup = setup_stack, .undo = undo_setup,
	  .flags = CHILD },
	{ "a fault without page tables", .call = fault_far, .setup = setup_far,
	  .undo = undo_setup },
	{ "a fault without page tables, of a file", .call = fault_far, .setup = setup_far_file,
	  .undo = undo_setup },
	{ "a fault: an instruction", .call = execute, .setup = setup_code, .undo = undo_setup },
};

static void at_number(int fd, int number)
{
	dup2(fd, number);
	close(fd);
}

int main(int argc, char **argv)
{
	static const char *const rest[] = { "f", NULL };

	tap_start(argc, argv, NULL);
	failing_need();
	make_dir("fail_memory");
	if (chdir(test_dir))
		skip_all("no working directory");
	failing_start();
	at_number(make_file("f", 100), FD_FILE);
	at_number(open("/proc/self/exe", O_RDONLY), FD_EXE);
	at_number(open("/proc/self/mem", O_RDWR), FD_MEM);
	at_number(open("/proc/self/pagemap", O_RDONLY), FD_MAP);
	at_number(open("/dev/zero", O_RDWR), 14);
	old_brk = (unsigned long)syscall(SYS_brk, 0);
	memset(buf, 1, sizeof(buf));
	memset(vec, 1, sizeof(vec));
	vectors();
	fail_rows(rows, COUNT(rows));
	failing_summary();
	clear();
	for (int fd = FD_FILE; fd <= 14; fd++)
		close(fd);
	if (chdir("/"))
		return 1;
	clean_dir(rest);
	return done_testing();
}
