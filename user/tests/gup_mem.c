/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/mem: memory as a file, for debuggers. What can't be accessed by the program itself, its owner
 * may still read, and write where the memory is private.
 */
#include "procs.h"
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

static int mem; /* /proc/self/mem */

static long peek_at(const void *addr, void *buf, size_t n)
{
	return result(pread(mem, buf, n, (off_t)addr));
}

static long poke_at(const void *addr, const void *buf, size_t n)
{
	return result(pwrite(mem, buf, n, (off_t)addr));
}

/* The byte there as the file has it, or -errno. */
static long byte_at(const void *addr)
{
	unsigned char c;
	long n = peek_at(addr, &c, 1);

	return n == 1 ? c : n;
}

/* 1 when it could be written. */
static long set_byte(const void *addr, char c)
{
	return poke_at(addr, &c, 1);
}

static void transfers(void)
{
	static char buf[3 * PAGE];
	char *p = island(2, RW), *bad = island(1, RW);
	struct iovec iov[2] = { { buf, 4 }, { buf + 4, 4 } };
	struct stat st;

	memset(p, 'a', 2 * PAGE);
	is(byte_at(p), 'a', "a byte");
	is(set_byte(p + 1, 'b'), 1, "... written");
	is(p[1], 'b', "... is there");
	is(peek_at(p, buf, 2 * PAGE), 2 * PAGE, "two pages");
	ok(memcmp(buf, p, 2 * PAGE) == 0, "... as they are");
	is(peek_at(p + PAGE + 10, buf, 2 * PAGE), PAGE - 10, "up to a hole");
	is(poke_at(p + PAGE + 10, buf, 2 * PAGE), PAGE - 10, "... written");
	is(byte_at(p + 2 * PAGE), -EIO, "in the hole: EIO");
	is(set_byte(p + 2 * PAGE, 1), -EIO, "... written");
	is(peek_at(p + 2 * PAGE, buf, 0), 0, "nothing of it");
	is(byte_at(NULL), -EIO, "at 0: EIO");
	is(byte_at((void *)TASK_SIZE), -EIO, "at the end of user space: EIO");
	is(peek_at((void *)-4096L, buf, 1), -EINVAL, "pread of a negative offset: EINVAL");
	is(peek_at(p, bad + PAGE, 1), -EFAULT, "a bad buffer: EFAULT");
	is(peek_at(p, bad + 1, 2 * PAGE), -EFAULT, "... bad further on, too");
	is(bad[1], 'a', "... though something was read");
	is(poke_at(p, bad + PAGE, 1), -EFAULT, "a bad buffer to write: EFAULT");
	is(result(preadv(mem, iov, 2, (off_t)p)), 8, "preadv");
	iov[1] = (struct iovec){ bad + PAGE, 4 };
	is(result(preadv(mem, iov, 2, (off_t)p)), 4, "... whose second buffer is bad");
	iov[1] = (struct iovec){ bad, 4 };
	is(result(preadv(mem, iov, 2, (off_t)(p + 2 * PAGE - 6))), 6, "... up to a hole");
	is(fstat(mem, &st), 0, "fstat");
	is(st.st_mode, S_IFREG | 0600, "... mode");
	is(st.st_size, 0, "... size");
	fails(raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, mem, 0), ENODEV,
	      "it can't be mapped: ENODEV");
}

/* The position is an address, and may be any number. */
static void positions(void)
{
	char *p = island(2, RW), *bad = island(1, RW) + PAGE, buf[8];
	const long high = -0x7fff00001000L;

	memset(p, 'c', 2 * PAGE);
	is(raw(SYS_lseek, mem, p, SEEK_SET), (long)p, "lseek");
	is(raw(SYS_read, mem, buf, 8), 8, "read");
	is(raw(SYS_lseek, mem, 0, SEEK_CUR), (long)p + 8, "... moves on");
	is(raw(SYS_lseek, mem, -8, SEEK_CUR), (long)p, "back");
	is(raw(SYS_lseek, mem, 0, SEEK_END), -EINVAL, "SEEK_END: EINVAL");
	is(raw(SYS_lseek, mem, 0, SEEK_DATA), -EINVAL, "SEEK_DATA: EINVAL");
	is(raw(SYS_lseek, mem, high, SEEK_SET), high, "an address of the kernel's");
	is(raw(SYS_read, mem, buf, 8), -EIO, "... read: EIO");
	is(raw(SYS_write, mem, buf, 8), -EIO, "... written: EIO");
	is(raw(SYS_lseek, mem, 0, SEEK_CUR), high, "... stays");
	is(raw(SYS_lseek, mem, -8, SEEK_SET), -8, "at the very end");
	is(raw(SYS_read, mem, buf, 8), -EOVERFLOW, "... EOVERFLOW");
	is(raw(SYS_read, mem, buf, 7), -EIO, "... less: EIO");
	raw(SYS_lseek, mem, p + 2 * PAGE - 4, SEEK_SET);
	is(raw(SYS_read, mem, buf, 8), 4, "up to a hole");
	is(raw(SYS_lseek, mem, 0, SEEK_CUR), (long)p + 2 * PAGE, "... stands before it");
	is(raw(SYS_read, mem, buf, 8), -EIO, "... EIO");
	is(raw(SYS_lseek, mem, 0, SEEK_CUR), (long)p + 2 * PAGE, "... and stays");
	raw(SYS_lseek, mem, p, SEEK_SET);
	is(raw(SYS_read, mem, bad, 8), -EFAULT, "a bad buffer");
	is(raw(SYS_lseek, mem, 0, SEEK_CUR), (long)p, "... stays");
}

/* --- more than the program itself may --------------------------------------------------------- */

static int write_it(int argc, char **argv)
{
	char *p = fresh(1, PROT_READ);

	(void)argc, (void)argv;
	mem = open("/proc/self/mem", O_RDWR);
	if (set_byte(p, 'x') != 1 || *p != 'x')
		return 1;
	*(volatile char *)p = 1;
	return 2;
}

static void anonymous(void)
{
	char *p = hole(3);

	fix(p, 1, PROT_NONE);
	is(byte_at(p), 0, "PROT_NONE: read");
	is(set_byte(p, 'n'), 1, "... written");
	is(byte_at(p), 'n', "... and read again");
	is_str(layout(p, 1), "0-1 ---p", "... and is what it was");
	raw_mprotect((long)p, PAGE, PROT_READ);
	is(peek(p), 'n', "... the program sees it when it may");
	fix(p + PAGE, 1, PROT_READ);
	is(set_byte(p + PAGE, 'r'), 1, "PROT_READ, untouched: written");
	is(peek(p + PAGE), 'r', "... the program reads it");
	is(smaps(p + PAGE, "Private_Dirty"), 8, "... from a page that was written, like the first");
	fix(p + PAGE, 1, PROT_READ);
	is(peek(p + PAGE), 0, "PROT_READ, read");
	is(set_byte(p + PAGE, 's'), 1, "... written");
	is(peek(p + PAGE), 's', "... instead of the page of zeros");
	dies("write-it", SIGSEGV, "the program may not write, before and after");
	fix(p + 2 * PAGE, 1, PROT_EXEC);
	is(byte_at(p + 2 * PAGE), 0, "PROT_EXEC alone: read");
	fix(p + 2 * PAGE, 1, RW);
	is(byte_at(p + 2 * PAGE), 0, "untouched: zeros");
	is(smaps(p + 2 * PAGE, "Rss"), 0, "... that take no memory");
}

/* A file of that many pages of 'a', 'b'... without a name; *ro is open to read it. */
static int make_file(unsigned long pages, int *ro)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/tmp/gup_mem.%d", my_pid());
	fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (ro)
		*ro = open(name, O_RDONLY | O_CLOEXEC);
	unlink(name);
	for (unsigned long i = 0; i < pages; i++) {
		char page[PAGE];

		memset(page, 'a' + i, PAGE);
		if (write(fd, page, PAGE) != (ssize_t)PAGE)
			skip_all("no file can be written in /tmp");
	}
	return fd;
}

static void private_files(void)
{
	int fd = make_file(2, NULL);
	char *p = hole(4), *other, c = 0;

	raw_mmap((long)p, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
	other = (char *)raw_mmap(0, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	is(peek(p), 'a', "a private file: the program reads it");
	is(set_byte(p, 'Z'), 1, "... written");
	is(peek(p), 'Z', "... the program sees that");
	is(peek(other), 'a', "... another mapping doesn't");
	is(pread(fd, &c, 1, 0), 1, "... nor");
	is(c, 'a', "... the file");
	is(smaps(p, "Anonymous"), 4, "... it is a copy");
	raw_madvise((long)p, PAGE, MADV_DONTNEED);
	is(peek(p), 'a', "... thrown away");
	raw_mprotect((long)p + PAGE, PAGE, PROT_NONE);
	is(byte_at(p + PAGE), 'b', "PROT_NONE: read");
	is(set_byte(p + PAGE, 'Y'), 1, "... written");
	is(byte_at(p + PAGE), 'Y', "... a copy");
	is(peek(other + PAGE), 'b', "... not the file");
	is(byte_at(p + 2 * PAGE), -EIO, "beyond the end: EIO");
	is(set_byte(p + 2 * PAGE, 1), -EIO, "... written");
	close(fd);
}

/* Whether the program's own first write faults, after one by way of the file and mprotect. */
static bool write_faults(char *p)
{
	struct rusage before, after;

	set_byte(p, 'd');
	raw_mprotect((long)p, PAGE, RW);
	getrusage(RUSAGE_SELF, &before);
	*(volatile char *)p = 'e';
	getrusage(RUSAGE_SELF, &after);
	return after.ru_minflt != before.ru_minflt;
}

/* An entry becomes writable by mprotect only if it is dirty; a copy's is from the start. */
static void writable_later(void)
{
	int fd = make_file(2, NULL);
	char *p = hole(3);

	fix(p, 1, RW);
	write_faults(p); /* what it needs itself is there from now on */
	raw_mmap((long)p, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
	ok(!write_faults(p),
	   "a private file's page, written by mem: the program's write doesn't fault");
	peek(p + PAGE);
	ok(!write_faults(p + PAGE), "... nor if it was read before");
	fix(p + 2 * PAGE, 1, PROT_READ);
	ok(write_faults(p + 2 * PAGE), "anonymous: it does");
	close(fd);
}

static void shared_files(void)
{
	int ro, fd = make_file(1, &ro);
	char *p = hole(1), c = 0;

	raw_mmap((long)p, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
	is(set_byte(p, 'W'), 1, "a shared file: written");
	is(pread(fd, &c, 1, 0), 1, "... read");
	is(c, 'W', "... the file has it");
	raw_mprotect((long)p, PAGE, PROT_READ);
	is(set_byte(p, 'V'), -EIO, "... not what may only be read: EIO");
	raw_mprotect((long)p, PAGE, PROT_NONE);
	is(byte_at(p), 'W', "... which may not be read can be");
	is(set_byte(p, 'V'), -EIO, "... not written: EIO");
	raw_mmap((long)p, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, ro, 0);
	is(byte_at(p), 'W', "of a descriptor to read");
	is(set_byte(p, 'V'), -EIO, "... not written: EIO");
	is(pread(fd, &c, 1, 0), 1, "the file");
	is(c, 'W', "... is unchanged");
	raw_mmap((long)p, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	is(set_byte(p, 'V'), -EIO, "shared anonymous memory: EIO");
	is(peek(p), 0, "... is unchanged");
	close(fd);
	close(ro);
}

/* A breakpoint: text is private to who runs it. */
__attribute__((noinline, naked, aligned(4096))) static int number(void)
{
	__asm__("mov $1, %eax\n\t"
		"ret");
}

static void text(void)
{
	int two = 2;

	is(number(), 1, "a function");
	is(poke_at((char *)number + 1, &two, 4), 4, "... is changed");
	is(number(), 2, "... and runs");
	two = 1;
	poke_at((char *)number + 1, &two, 4);
	is(number(), 1, "... and back");
}

static void special(void)
{
	struct area area;
	char elf[4];

	if (area_named("[vdso]", &area)) {
		is(peek_at((void *)area.start, elf, 4), 4, "[vdso] can be read");
		ok(memcmp(elf, "\177ELF", 4) == 0, "... a program's image");
		is(set_byte((void *)(area.start + 5), elf[1]), 1, "... and written");
	} else {
		skip("[vdso]", "this kernel has none");
	}
	if (area_named("[vvar]", &area))
		is(byte_at((void *)area.start), -EIO, "[vvar] can't: EIO");
	else
		skip("[vvar]", "this kernel has none");
}

/* A stack grows where an access begins. */
static int stack_grows(int argc, char **argv)
{
	struct area area;
	char buf[8];
	char *below;

	(void)argc, (void)argv;
	mem = open("/proc/self/mem", O_RDWR);
	area_named("[stack]", &area);
	below = (char *)area.start - 2 * PAGE;
	NEED_IS(peek_at(below + PAGE - 4, buf, 8), 8);
	area_named("[stack]", &area);
	NEED_IS(area.start - (unsigned long)below, 0);
	NEED_IS(set_byte(below - PAGE, 7), 1);
	area_named("[stack]", &area);
	NEED_IS(area.start - (unsigned long)below, -PAGE);
	return 42;
}

static const struct mode modes[] = {
	{ "write-it", write_it },
	{ "stack", stack_grows },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ok(mem >= 0, "/proc/self/mem");
	transfers();
	positions();
	anonymous();
	private_files();
	writable_later();
	shared_files();
	text();
	special();
	exits("stack", 42, "a stack grows for an access below it");
	return done_testing();
}
