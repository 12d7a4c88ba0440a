/* SPDX-License-Identifier: MIT */
/*
 * What may be mapped, and how: rights of the descriptor, files without mappings, devices, flags that
 * are checked, offsets to the end of all, and programs that run.
 */
#include "filemap.h"

#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif
#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif
#define LEGACY \
	(MAP_DENYWRITE | MAP_EXECUTABLE | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | 0x20000)

static int rw, ro, wo;

static long map1(int fd, int prot, int flags)
{
	long p = raw_mmap(0, PAGE, prot, flags, fd, 0);

	if (!is_error(p))
		raw_munmap(p, PAGE);
	return is_error(p) ? p : 0;
}

static long map_off(int fd, unsigned long offset, unsigned long len)
{
	long p = raw_mmap(0, len, PROT_READ, MAP_SHARED, fd, offset);

	if (!is_error(p))
		raw_munmap(p, len);
	return is_error(p) ? p : 0;
}

static void descriptors(void)
{
	int path = open(in_dir("f"), O_PATH);

	is(map1(rw, RW, MAP_SHARED), 0, "O_RDWR: shared, writable");
	is(map1(ro, PROT_READ, MAP_SHARED), 0, "O_RDONLY: shared, to read");
	is(map1(ro, RW, MAP_SHARED), -EACCES, "... writable: EACCES");
	is(map1(ro, PROT_WRITE, MAP_SHARED), -EACCES, "... only to write: EACCES");
	is(map1(ro, RW, MAP_PRIVATE), 0, "... private, writable");
	is(map1(ro, PROT_NONE, MAP_SHARED), 0, "... not accessible");
	is(map1(wo, PROT_READ, MAP_SHARED), -EACCES, "O_WRONLY: EACCES");
	is(map1(wo, PROT_WRITE, MAP_SHARED), -EACCES, "... only to write: EACCES");
	is(map1(wo, PROT_NONE, MAP_PRIVATE), -EACCES, "... not accessible: EACCES");
	is(map1(path, PROT_READ, MAP_PRIVATE), -EBADF, "O_PATH: EBADF");
	is(map1(ro, PROT_READ | PROT_EXEC, MAP_PRIVATE), 0, "executable, private");
	is(map1(ro, PROT_READ | PROT_EXEC, MAP_SHARED), 0, "... shared");
	is(map1(rw, PROT_READ, 0), -EINVAL, "neither shared nor private: EINVAL");
	is(map1(rw, PROT_READ, MAP_PRIVATE | MAP_GROWSDOWN), -EINVAL, "MAP_GROWSDOWN: EINVAL");
	is(map1(ro, RW, MAP_SHARED | MAP_GROWSDOWN), -EACCES, "... the rights come first");
	is(map1(rw, PROT_READ, MAP_SHARED | MAP_HUGETLB), -EINVAL, "MAP_HUGETLB: EINVAL");
	is(raw_mmap(0, 0, PROT_READ, MAP_SHARED, ro, 0), -EINVAL, "length 0: EINVAL");
	is(raw_mmap(0, 0, PROT_READ, MAP_SHARED, 99, 0), -EBADF, "... a bad descriptor: EBADF");
	is(raw_mmap(0, PAGE, RW, MAP_SHARED, ro, 1), -EINVAL, "an odd offset: EINVAL");
	close(path);
}

static void protections(void)
{
	char *p = map_file(ro, 4, PROT_READ, MAP_SHARED),
	     *q = map_file(ro, 1, PROT_READ, MAP_PRIVATE);
	char *s = map_file(rw, 4, PROT_READ, MAP_SHARED);
	unsigned long at = (unsigned long)p;

	is(raw_mprotect(at, PAGE, RW), -EACCES, "mprotect, shared of O_RDONLY: EACCES");
	is(raw_mprotect(at, PAGE, PROT_WRITE), -EACCES, "... only to write: EACCES");
	is_str(layout(p, 4), "0-4 r--s", "... nothing changes");
	is(raw_mprotect(at, PAGE, PROT_READ | PROT_EXEC), 0, "... executable");
	is(raw_mprotect((unsigned long)q, PAGE, RW), 0, "mprotect, private of O_RDONLY");
	q[0] = 'q';
	is(in_file(rw, 0), 'A', "... and a write stays there");
	is(try_write(s, 'x'), -SIGSEGV, "shared of O_RDWR, mapped to read: SIGSEGV");
	is(seen.code, 2, "... SEGV_ACCERR");
	is(raw_mprotect((unsigned long)s, PAGE, RW), 0, "... becomes writable");
	is(try_write(s, 'x'), 0, "... a page that was read");
	is(in_file(rw, 0), 'x', "... the file is written");
	close(rw);
	rw = open(in_dir("f"), O_RDWR);
	is(raw_mprotect((unsigned long)s + PAGE, PAGE, RW), 0, "with the descriptor closed");
	is(try_write(s + PAGE, 'y'), 0, "... as well");
	is(raw_mprotect((unsigned long)s, PAGE, PROT_READ), 0, "back");
	is(try_write(s, 'z'), -SIGSEGV, "... it isn't writable");
	raw_mprotect((unsigned long)s, PAGE, PROT_NONE);
	is(try_read(s), -SIGSEGV, "PROT_NONE");
	raw_mprotect((unsigned long)s, PAGE, RW);
	is(try_read(s), 'x', "... and its page again");
	unmap(p, 4), unmap(q, 1), unmap(s, 4);
	fill(rw, 0, 2);
}

/* A file may hold a program's text, whoever writes it. */
static void executed(void)
{
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 }; /* mov $42, %eax; ret */
	int file = open(in_dir("code"), O_RDWR | O_CREAT, 0600);
	int (*volatile fn)(void);
	char *p, *w;

	pwrite(file, code, sizeof(code), PAGE + 8);
	p = map_at(NULL, file, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, 1);
	fn = (int (*)(void))(p + 8);
	is(fn(), 42, "a private mapping of code is run");
	put_byte(file, PAGE + 9, 43);
	is(fn(), 43, "... as write(2) changes it");
	w = map_at(NULL, file, 1, RW, MAP_SHARED, 1);
	w[9] = 44;
	is(fn(), 44, "... and a shared mapping");
	raw_mprotect((unsigned long)p, PAGE, RW);
	p[9] = 45;
	raw_mprotect((unsigned long)p, PAGE, PROT_READ | PROT_EXEC);
	w[9] = 46;
	is(fn(), 45, "... until it has a copy");
	raw_mprotect((unsigned long)p, PAGE, PROT_READ);
	seen.count = 0;
	if (!sigsetjmp(escape, 1))
		fn();
	is(seen.addr, (unsigned long)p + 8, "without PROT_EXEC it isn't run");
	unmap(p, 1), unmap(w, 1);
	close(file);
}

static void others(void)
{
	int dir = open(test_dir, O_RDONLY | O_DIRECTORY), ends[2], fifo;
	int self = open("/proc/self", O_RDONLY), maps = open("/proc/self/maps", O_RDONLY);
	int info = open("/proc/meminfo", O_RDONLY), null = open("/dev/null", O_RDWR);

	pipe(ends);
	mkfifo(in_dir("fifo"), 0600);
	fifo = open(in_dir("fifo"), O_RDWR);
	is(map1(dir, PROT_READ, MAP_PRIVATE), -ENODEV, "a directory: ENODEV");
	is(map1(dir, RW, MAP_SHARED), -EACCES, "... shared and writable: EACCES");
	is(map1(self, PROT_READ, MAP_PRIVATE), -ENODEV, "one of /proc: ENODEV");
	is(map1(ends[0], PROT_READ, MAP_PRIVATE), -ENODEV, "a pipe to read: ENODEV");
	is(map1(ends[1], PROT_WRITE, MAP_PRIVATE), -EACCES, "... to write: EACCES");
	is(map1(fifo, RW, MAP_SHARED), -ENODEV, "a FIFO: ENODEV");
	is(map1(null, RW, MAP_SHARED), -ENODEV, "/dev/null: ENODEV");
	is(map1(null, PROT_READ, MAP_PRIVATE), -ENODEV, "... private: ENODEV");
	is(map1(maps, PROT_READ, MAP_PRIVATE), -ENODEV, "/proc/self/maps: ENODEV");
	is(map1(maps, PROT_READ | PROT_EXEC, MAP_PRIVATE), -EPERM,
	   "... executable: EPERM, for nothing there can be");
	is(map1(info, PROT_READ, MAP_SHARED), -EIO, "/proc/meminfo: EIO");
	is(map1(info, PROT_READ | PROT_EXEC, MAP_SHARED), -EPERM, "... executable: EPERM");
	close(dir), close(self), close(maps), close(info), close(null), close(fifo);
	close(ends[0]), close(ends[1]);
}

static void zero(void)
{
	int fd = open("/dev/zero", O_RDWR), read_only = open("/dev/zero", O_RDONLY);
	struct area area;
	char *p = map_file(fd, 4, RW, MAP_PRIVATE), *s = map_file(fd, 4, RW, MAP_SHARED), *h;
	long child;

	is(peek(p), 0, "/dev/zero, private: zeros");
	p[0] = 1;
	ok(area_at((unsigned long)p, &area), "... its area");
	is_str(area.name, "/dev/zero", "... has its name");
	is_str(vm_flags(p, "sd"), "rd wr mr mw me ac", "... its flags");
	is(smaps(p, "Anonymous"), 4, "... its page is anonymous");
	ok(!(pagemap(p) & PAGEMAP_FILE), "... to pagemap, too");
	is(smaps(p, "Rss"), 4, "a read takes none of its own");
	is(raw_madvise((unsigned long)p, PAGE, MADV_FREE), 0, "MADV_FREE, as of anonymous memory");
	p[PAGE] = 5;
	is(raw_madvise((unsigned long)p, 4 * PAGE, MADV_DONTNEED), 0, "MADV_DONTNEED");
	is(peek(p + PAGE), 0, "... zeros again");
	is(raw_mremap((unsigned long)p, PAGE, PAGE, MREMAP_MAYMOVE, 0), (long)p,
	   "mremap, in place");

	is(peek(s), 0, "/dev/zero, shared: zeros");
	child = raw_fork();
	if (child == 0) {
		s[PAGE] = 'c';
		raw_exit(0);
	}
	reap(child);
	is(peek(s + PAGE), 'c', "... is memory shared with children");
	area_at((unsigned long)s, &area);
	is_str(area.name, "/dev/zero (deleted)", "... its name");
	h = map_file(fd, 4, RW, MAP_SHARED);
	is(peek(h + PAGE), 0, "... another mapping is other memory");
	is(map1(read_only, RW, MAP_SHARED), -EACCES, "... shared of O_RDONLY: EACCES");
	is(map1(read_only, RW, MAP_PRIVATE), 0, "... private");
	unmap(p, 4), unmap(s, 4), unmap(h, 4);
	h = hole(6);
	map_at(h, fd, 2, RW, MAP_PRIVATE | MAP_FIXED, 0);
	map_at(h + 2 * PAGE, fd, 2, RW, MAP_PRIVATE | MAP_FIXED, 2);
	map_at(h + 4 * PAGE, fd, 2, RW, MAP_PRIVATE | MAP_FIXED, 0);
	is_str(layout(h, 6), "0-4 rw-p, 4-6 rw-p", "its private areas merge by offset");
	unmap(h - PAGE, 8);
	close(fd), close(read_only);
}

static void validate(void)
{
	is(map1(rw, RW, MAP_SHARED_VALIDATE), 0, "MAP_SHARED_VALIDATE");
	is(map1(rw, RW, MAP_SHARED_VALIDATE | LEGACY), 0, "... with flags of old");
	is(map1(rw, RW, MAP_SHARED_VALIDATE | MAP_SYNC), -EOPNOTSUPP, "... MAP_SYNC: EOPNOTSUPP");
	is(map1(rw, RW, MAP_SHARED_VALIDATE | 0x200000), -EOPNOTSUPP, "... unknown: EOPNOTSUPP");
	is(map1(rw, RW, MAP_SHARED | 0x200000 | MAP_SYNC), 0, "which MAP_SHARED ignores");
	is(map1(ro, RW, MAP_SHARED_VALIDATE), -EACCES, "rights are checked with it");
	is(map1(ro, RW, MAP_SHARED_VALIDATE | MAP_SYNC), -EOPNOTSUPP, "... after the flags");
	is(map1(rw, RW, 5), -EINVAL, "another type: EINVAL");
}

static void offsets(void)
{
	const unsigned long max = 1UL << 63;
	int dir = open(test_dir, O_RDONLY | O_DIRECTORY);
	char *p;

	is(map_off(rw, max - 2 * PAGE, PAGE), 0, "the last page but one that an offset can name");
	is(map_off(rw, max - PAGE, PAGE), -EOVERFLOW, "the last: EOVERFLOW");
	is(map_off(rw, max - 2 * PAGE, 2 * PAGE), -EOVERFLOW, "up to there: EOVERFLOW");
	is(map_off(rw, max - 3 * PAGE, 2 * PAGE), 0, "two pages before it");
	is(map_off(rw, max, PAGE), -EOVERFLOW, "a negative offset: EOVERFLOW");
	is(map_off(rw, -PAGE, PAGE), -EOVERFLOW, "the last page of all: EOVERFLOW");
	is(map_off(rw, -PAGE, 2 * PAGE), -EOVERFLOW, "... and over it: EOVERFLOW");
	is(map_off(rw, 0, TASK_SIZE), -ENOMEM, "more than there is room for: ENOMEM");
	is(map_off(rw, 0, -PAGE), -ENOMEM, "... than anyone has: ENOMEM");
	is(map_off(wo, max - PAGE, PAGE), -EOVERFLOW, "that comes before the rights");
	is(map_off(dir, max, PAGE), -ENODEV, "of a directory it's no matter");
	is(map_off(dir, -PAGE, PAGE), -EOVERFLOW, "... but for the last page");
	is(raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, max) < 0, 0,
	   "nor of anonymous memory");
	p = map_at(NULL, rw, 1, PROT_READ, MAP_SHARED, (max >> 12) - 2);
	is(try_read(p), -SIGBUS, "what lies there is beyond the file's end");
	is(raw_mremap((unsigned long)p, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0) < 0, 0,
	   "mremap lengthens it over the end of offsets");
	close(dir);
}

static int sleeper(int argc, char **argv)
{
	char c;

	tap_write("", 0);
	read(atoi(argv[2]), &c, 1);
	return 0;
}

static int copy_program(const char *name)
{
	int in = open("/proc/self/exe", O_RDONLY), out = open(in_dir(name), O_RDWR | O_CREAT, 0755);
	static char buf[PAGE];
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, n) != n)
			bail("copy");
	close(in);
	return out;
}

static void programs(void)
{
	int fd = copy_program("prog"), ends[2], denied;
	char number[16], *argv[] = { (char *)in_dir("prog"), "sleeper", number, NULL };
	char *p, *envp[] = { NULL };
	pid_t pid;

	pipe(ends);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	snprintf(number, sizeof(number), "%d", ends[0]);
	is(spawn(argv[0], argv, envp), -ETXTBSY, "a program that is open for writing: ETXTBSY");
	p = map_file(fd, 1, RW, MAP_SHARED);
	close(fd);
	is(spawn(argv[0], argv, envp), -ETXTBSY, "... that is only mapped from such: ETXTBSY");
	unmap(p, 1);
	pid = spawn(argv[0], argv, envp);
	ok(pid > 0, "nobody writes it: it runs");
	fails(open(argv[0], O_RDWR), ETXTBSY, "then it can't be opened for writing: ETXTBSY");
	fails(truncate(argv[0], 0), ETXTBSY, "... nor truncated: ETXTBSY");
	fails(open(argv[0], O_RDONLY | O_TRUNC), ETXTBSY, "... O_TRUNC: ETXTBSY");
	fd = open(argv[0], O_RDONLY);
	ok(fd >= 0, "... it can be read");
	is(map1(fd, PROT_READ, MAP_SHARED), 0, "... and mapped");
	is(map1(fd, RW, MAP_PRIVATE), 0, "... private, writable");
	close(ends[1]);
	is(wait_status(pid), 0, "it ends");
	close(fd);
	fd = open(argv[0], O_RDWR);
	ok(fd >= 0, "... and can be opened for writing");
	close(fd);

	p = map_file(ro, 1, PROT_READ, MAP_PRIVATE | MAP_DENYWRITE | MAP_EXECUTABLE);
	denied = open(in_dir("f"), O_RDWR);
	ok(denied >= 0, "MAP_DENYWRITE denies nothing");
	is(map1(denied, RW, MAP_SHARED), 0, "... not even to map it");
	close(denied);
	unmap(p, 1);
	close(ends[0]);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "sleeper", sleeper }, { NULL, NULL } };
	static const char *const names[] = { "f", "fifo", "prog", "code", NULL };

	tap_start(argc, argv, modes);
	forks_start();
	make_dir("file_map_rights");
	catch_faults();
	rw = pages_file("f", 4);
	ro = open(in_dir("f"), O_RDONLY);
	wo = open(in_dir("f"), O_WRONLY);
	descriptors();
	protections();
	executed();
	others();
	zero();
	validate();
	offsets();
	programs();
	clean_dir(names);
	return done_testing();
}
