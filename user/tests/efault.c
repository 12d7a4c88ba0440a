/* SPDX-License-Identifier: MIT */
/*
 * Pointers that the kernel must not follow: EFAULT, never a signal, never a wrong success. And
 * those it must follow, faulting the page in itself: untouched memory, the zero page, the stack.
 */
#include "areas.h"
#include <sys/uio.h>
#include <time.h>

static const char text_page[] = "constant";

static struct {
	const char *what;
	unsigned long addr;
} bad[] = {
	{ "null", 0 },
	{ "an unmapped page", 0 }, /* filled in by main */
	{ "PROT_NONE", 0 },	   /* filled in by main */
	{ "the end of user space", TASK_SIZE },
	{ "the first non-canonical address", 0x0000800000000000 },
	{ "a kernel address", 0xffff888000000000 },
	{ "the last byte of all", ~0UL },
};

enum { UNMAPPED = 1, NONE = 2 };

/* Calls that read from the address. */
static void readers(unsigned long addr, const char *what)
{
	struct iovec to_bad = { (void *)addr, 8 };

	fails(syscall(SYS_open, addr, O_RDONLY, 0), EFAULT, "open, name at %s", what);
	fails(syscall(SYS_access, addr, 0), EFAULT, "access, name at %s", what);
	fails(syscall(SYS_nanosleep, addr, NULL), EFAULT, "nanosleep, time at %s", what);
	fails(syscall(SYS_writev, 1, addr, 1), EFAULT, "writev, vector at %s", what);
	fails(syscall(SYS_writev, 1, &to_bad, 1), EFAULT, "writev, buffer at %s", what);
	fails(syscall(SYS_write, 1, addr, 8), EFAULT, "write from %s", what);
	fails(syscall(SYS_execve, addr, NULL, NULL), EFAULT, "execve, name at %s", what);
	if (addr)
		fails(syscall(SYS_execve, "/proc/self/exe", addr, NULL), EFAULT,
		      "execve, arguments at %s", what);
}

/* Calls that write to the address. */
static void writers(unsigned long addr, const char *what)
{
	struct iovec to_bad = { (void *)addr, 8 };
	int exe = open("/proc/self/exe", O_RDONLY);
	int root = open("/", O_RDONLY | O_DIRECTORY);

	fails(syscall(SYS_read, exe, addr, 8), EFAULT, "read to %s", what);
	fails(syscall(SYS_pread64, exe, addr, 8, 0), EFAULT, "pread to %s", what);
	fails(syscall(SYS_readv, exe, &to_bad, 1), EFAULT, "readv to %s", what);
	fails(syscall(SYS_readv, exe, addr, 1), EFAULT, "readv, vector at %s", what);
	is(lseek(exe, 0, SEEK_CUR), 0, "the file's offset hasn't moved");
	fails(syscall(SYS_stat, "/", addr), EFAULT, "stat to %s", what);
	fails(syscall(SYS_fstat, exe, addr), EFAULT, "fstat to %s", what);
	fails(syscall(SYS_newfstatat, AT_FDCWD, "/", addr, 0), EFAULT, "fstatat to %s", what);
	fails(syscall(SYS_statx, AT_FDCWD, "/", 0, 0x7ff, addr), EFAULT, "statx to %s", what);
	fails(syscall(SYS_getdents64, root, addr, 4096), EFAULT, "getdents64 to %s", what);
	fails(syscall(SYS_readlink, "/proc/self/exe", addr, 64), EFAULT, "readlink to %s", what);
	fails(syscall(SYS_getcwd, addr, 256), EFAULT, "getcwd to %s", what);
	fails(syscall(SYS_uname, addr), EFAULT, "uname to %s", what);
	fails(syscall(SYS_getrusage, 0, addr), EFAULT, "getrusage to %s", what);
	fails(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, addr), EFAULT, "clock_gettime to %s",
	      what);
	fails(syscall(SYS_getrandom, addr, 8, 0), EFAULT, "getrandom to %s", what);
	if (addr) {
		fails(syscall(SYS_gettimeofday, addr, NULL), EFAULT, "gettimeofday to %s", what);
		fails(syscall(SYS_time, addr), EFAULT, "time to %s", what);
		fails(syscall(SYS_prlimit64, 0, RLIMIT_STACK, NULL, addr), EFAULT,
		      "prlimit64 to %s", what);
		fails(syscall(SYS_rt_sigprocmask, 0, NULL, addr, 8), EFAULT,
		      "rt_sigprocmask, old mask to %s", what);
		fails(syscall(SYS_rt_sigprocmask, 0, addr, NULL, 8), EFAULT,
		      "rt_sigprocmask, new mask from %s", what);
		fails(syscall(SYS_rt_sigaction, 10, addr, NULL, 8), EFAULT,
		      "rt_sigaction, new action from %s", what);
	}
	close(root);
	close(exe);
}

static int exit_zero(int argc, char **argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* wait4 with a bad pointer fails, and the child is gone all the same. */
static void waiting(void)
{
	pid_t pid = start_mode("exit-zero", NULL, NULL);

	fails(syscall(SYS_wait4, pid, bad[UNMAPPED].addr, 0, NULL), EFAULT,
	      "wait4, status to unmapped memory");
	fails(syscall(SYS_wait4, pid, NULL, 0, NULL), ECHILD, "and the child has been reaped");
}

/* Memory that isn't to be written, and read-only memory as a source, which is fine. */
static void read_only(void)
{
	int exe = open("/proc/self/exe", O_RDONLY);
	char *p = fresh(1, PROT_READ);
	unsigned char magic[4];

	fails(syscall(SYS_read, exe, text_page, 4), EFAULT, "read into the program's constants");
	is_str(text_page, "constant", "which stay as they are");
	fails(syscall(SYS_read, exe, start_mode, 4), EFAULT, "read into the program's text");
	fails(syscall(SYS_read, exe, p, 4), EFAULT, "read into an untouched PROT_READ page");
	(void)*(volatile char *)p;
	fails(syscall(SYS_read, exe, p, 4), EFAULT, "read into a touched PROT_READ page");
	is(*(volatile char *)p, 0, "which still reads as zero");
	raw_mprotect((unsigned long)p, PAGE, RW);
	is(read(exe, p, 4), 4, "made writable, it can be read into");
	is(memcmp(p, "\177ELF", 4), 0, "and has the file's bytes");
	raw_mprotect((unsigned long)p, PAGE, PROT_READ);
	fails(syscall(SYS_read, exe, p, 4), EFAULT, "made read-only, no more");
	is(pread(exe, magic, 4, 0), 4, "pread");
	is(memcmp(magic, p, 4), 0, "finds the same bytes");
	raw_munmap((unsigned long)p, PAGE);
	close(exe);
}

/* The kernel's own access brings pages in as the program's would. */
static void demand(void)
{
	int exe = open("/proc/self/exe", O_RDONLY);
	char *p = fresh(4, RW), copy[64];

	is(read(exe, p + 1, 4), 4, "read into an untouched page");
	ok(p[0] == 0 && memcmp(p + 1, "\177ELF", 4) == 0 && p[5] == 0 && p[PAGE - 1] == 0,
	   "the bytes are there and zeros around them");
	is(p[PAGE], 0, "another page is read: the zero page");
	is(pread(exe, p + PAGE, 4, 0), 4, "pread into the zero page");
	is(memcmp(p + PAGE, "\177ELF", 4), 0, "it has become a page of its own");
	is(p[2 * PAGE], 0, "other reads of the zero page are still zero");
	is(pread(exe, p + 3 * PAGE - 8, 16, 0), 16, "pread across two pages");
	is(pread(exe, copy, 16, 0), 16, "and to the stack");
	is(memcmp(p + 3 * PAGE - 8, copy, 16), 0, "the same bytes");
	raw_munmap((unsigned long)p, 4 * PAGE);
	p = fresh(1, PROT_NONE);
	fails(syscall(SYS_read, exe, p, 4), EFAULT, "read into PROT_NONE");
	raw_mprotect((unsigned long)p, PAGE, RW);
	is(p[0], 0, "nothing was written there");
	raw_munmap((unsigned long)p, PAGE);
	close(exe);
}

/* The end of a buffer lies in a hole: what fits is transferred. */
static void crossing(void)
{
	int exe = open("/proc/self/exe", O_RDONLY);
	char *p = island(1, RW), *edge = p + PAGE;
	struct iovec parts[2] = { { p, 10 }, { edge, 10 } };

	is(pread(exe, edge - 50, 100, 0), 50, "pread of 100 bytes where 50 fit: 50");
	is(memcmp(edge - 50, "\177ELF", 4), 0, "they are there");
	is(read(exe, edge - 7, 4096), 7, "read of a page where 7 bytes fit: 7");
	is(lseek(exe, 0, SEEK_CUR), 7, "the offset has moved by 7");
	is(readv(exe, parts, 2), 10, "readv: the first part fits, the second not: 10");
	fails(syscall(SYS_stat, "/", edge - 16), EFAULT, "stat into the last 16 bytes: EFAULT");
	fails(syscall(SYS_uname, edge - 16), EFAULT, "uname into the last 16 bytes: EFAULT");
	memset(p, 'x', PAGE);
	fails(syscall(SYS_open, edge - 8, O_RDONLY), EFAULT, "a name without an end: EFAULT");
	memcpy(edge - 2, "/", 2);
	ok(access(edge - 2, F_OK) == 0, "a name that ends at the last byte is fine");
	raw_munmap((unsigned long)p, PAGE);
	close(exe);
}

static void crossing_write(void)
{
	static const char *name = "/tmp/efault-file";
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *p = island(1, RW), *edge = p + PAGE;
	char back[64] = "";

	memset(p, 'x', PAGE);
	if (fd < 0 || write(fd, "first", 5) != 5) {
		skip("write across the end of an area", "/tmp can't be written");
		return;
	}
	is(write(fd, edge - 20, 100), 20, "write of 100 bytes where 20 are there: 20");
	is(lseek(fd, 0, SEEK_CUR), 25, "the offset has moved by 20");
	fails(syscall(SYS_write, fd, edge, 10), EFAULT, "write from the hole: EFAULT");
	is(lseek(fd, 0, SEEK_END), 25, "the file is as long as what was written");
	is(pread(fd, back, sizeof(back), 0), 25, "read back");
	is_str(back, "firstxxxxxxxxxxxxxxxxxxxx", "with the right bytes");
	raw_munmap((unsigned long)p, PAGE);
	p = fresh(1, PROT_READ);
	lseek(fd, 0, SEEK_SET);
	is(write(fd, p, 3), 3, "write from an untouched page");
	is(pread(fd, back, 5, 0), 5, "read back");
	is(memcmp(back, "\0\0\0st", 5), 0, "zeros");
	close(fd);
	unlink(name);
}

/* What isn't touched isn't checked; what is far too long is. */
static void lengths(void)
{
	int exe = open("/proc/self/exe", O_RDONLY);
	char *p = fresh(1, RW);

	is(read(exe, (void *)bad[UNMAPPED].addr, 0), 0, "read of 0 bytes to unmapped memory: 0");
	fails(syscall(SYS_read, exe, p, -1L), EFAULT, "read of all bytes there are: EFAULT");
	fails(syscall(SYS_read, exe, p, TASK_SIZE), EFAULT, "read beyond user space: EFAULT");
	fails(syscall(SYS_getcwd, p, 1), ERANGE, "getcwd into 1 byte: ERANGE");
	fails(syscall(SYS_read, 999, bad[UNMAPPED].addr, 8), EBADF, "EBADF comes before EFAULT");
	is(lseek(exe, 0, SEEK_END) > 0, 1, "at the end of the file");
	is(read(exe, (void *)bad[UNMAPPED].addr, 8), 0, "read has nothing to copy: 0");
	raw_munmap((unsigned long)p, PAGE);
	close(exe);
}

static const struct mode modes[] = { { "exit-zero", exit_zero }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	bad[UNMAPPED].addr = (unsigned long)island(1, RW) + PAGE;
	bad[NONE].addr = (unsigned long)island(1, PROT_NONE);
	for (size_t i = 0; i < COUNT(bad); i++) {
		readers(bad[i].addr, bad[i].what);
		writers(bad[i].addr, bad[i].what);
	}
	waiting();
	read_only();
	demand();
	crossing();
	crossing_write();
	lengths();
	return done_testing();
}
