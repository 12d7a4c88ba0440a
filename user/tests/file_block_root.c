/* SPDX-License-Identifier: MIT */
/* runs as root */
/*
 * A block device: what is written to it, by write(2) or through a mapping, is in memory until somebody
 * asks for it to be stored, which /proc/diskstats counts. /dev/ram0, or a disk that may be overwritten.
 */
#include "vm.h"
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#define BLKGETSIZE_   0x1260
#define BLKFLSBUF_    0x1261
#define BLKSSZGET_    0x1268
#define BLKGETSIZE64_ 0x80081272

static const char *path;
static unsigned long size;
static int fd;

/* The device that the machine has; a disk is found a while after the first program starts. */
static const char *find_device(void)
{
	static const char *const names[] = { "/dev/ram0", "/dev/nvme0n1" };

	for (int round = 0; round < 30; round++) {
		for (unsigned i = 0; i < COUNT(names); i++) {
			fd = open(names[i], O_RDWR);
			if (fd >= 0)
				return names[i];
		}
		usleep(100000);
	}
	return NULL;
}

/* 4 KiB blocks that were brought to the device; -1 if its line is missing. */
static long stored(void)
{
	static char text[16384];
	long sectors = -1;
	char *at;
	int f = open("/proc/diskstats", O_RDONLY);
	ssize_t n = read(f, text, sizeof(text) - 1);

	close(f);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, path + 5);
	if (at)
		sscanf(at + strlen(path + 5), "%*u %*u %*u %*u %*u %*u %ld", &sectors);
	return sectors < 0 ? -1 : sectors / 8;
}

static long faults(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return r.ru_minflt + r.ru_majflt;
}

static char *map(int prot, int flags, unsigned long first, unsigned long pages)
{
	long p = raw_mmap(0, pages * PAGE, prot, flags, fd, (long)(first * PAGE));

	return is_error(p) ? NULL : (char *)p;
}

/* The byte at pos as read(2) has it. */
static int at(unsigned long pos)
{
	unsigned char c = 0;

	return pread(fd, &c, 1, (off_t)pos) == 1 ? c : -1;
}

/* The same as the store has it: around the page cache. */
static int direct(unsigned long pos)
{
	static unsigned char buf[PAGE] __attribute__((aligned(4096)));
	int d = open(path, O_RDONLY | O_DIRECT);
	ssize_t n = pread(d, buf, PAGE, (off_t)(pos & ~(PAGE - 1)));

	close(d);
	return n == (ssize_t)PAGE ? buf[pos & (PAGE - 1)] : -1;
}

static void sizes(void)
{
	char buf[16] = { 0 };
	unsigned long sectors = 0;
	struct stat st;
	int sector = 0;

	ok(fstat(fd, &st) == 0 && S_ISBLK(st.st_mode), "%s is a block device", path);
	is(st.st_size, 0, "... a node has no size");
	size = (unsigned long)lseek(fd, 0, SEEK_END);
	ok(size >= 1024 * 1024 && size % PAGE == 0, "... but its device");
	ok(ioctl(fd, BLKGETSIZE64_, &sectors) == 0 && sectors == size, "BLKGETSIZE64");
	ok(ioctl(fd, BLKGETSIZE_, &sectors) == 0 && sectors == size / 512, "BLKGETSIZE");
	ok(ioctl(fd, BLKSSZGET_, &sector) == 0 && sector == 512, "BLKSSZGET");
	fails(ioctl(fd, 0x54ff, 0), ENOTTY, "an unknown request");
	fails(lseek(fd, (off_t)size + 1, SEEK_SET), EINVAL, "there is no place behind the end");
	fails(lseek(fd, 0, SEEK_DATA), EINVAL, "... and no holes are known");
	is(pread(fd, buf, 16, (off_t)size), 0, "reading at the end");
	is(pread(fd, buf, 16, (off_t)size - 5), 5, "... and before it");
	fails(pwrite(fd, buf, 16, (off_t)size), ENOSPC, "writing at the end");
	is(pwrite(fd, buf, 16, (off_t)size - 5), 5, "... and before it");
	fails(ftruncate(fd, 0), EINVAL, "it can't be cut");
	fails(fallocate(fd, 0, 0, PAGE), EOPNOTSUPP, "nor fallocated");
	fsync(fd);
}

static void writes(void)
{
	static char page[PAGE];
	long base = stored();

	ok(base >= 0, "/proc/diskstats knows the device");
	memset(page, 'w', PAGE);
	is(pwrite(fd, page, PAGE, 8 * PAGE), PAGE, "write");
	is(at(8 * PAGE), 'w', "... is seen by read");
	is(stored() - base, 0, "... and not stored");
	is(fsync(fd), 0, "fsync");
	is(stored() - base, 1, "... stores it");
	is(fsync(fd), 0, "again");
	is(stored() - base, 1, "... there is nothing to store");
	pwrite(fd, page, PAGE, 9 * PAGE);
	is(fdatasync(fd), 0, "fdatasync");
	is(stored() - base, 2, "... does the same");
	pwrite(fd, page, 1, 10 * PAGE);
	sync();
	is(stored() - base, 3, "so does sync, of a whole page");
	pwrite(fd, page, PAGE, 11 * PAGE);
	pwrite(fd, page, PAGE, 12 * PAGE);
	is(sync_file_range(fd, 12 * PAGE, PAGE, 7), 0, "sync_file_range");
	is(stored() - base, 4, "... stores its range");
	is(direct(11 * PAGE), 'w', "a read around the cache");
	is(stored() - base, 5, "... has it stored before");
}

static void mapped(void)
{
	long base = stored(), before;
	char *p = map(PROT_READ | PROT_WRITE, MAP_SHARED, 16, 8);
	int other = open(path, O_RDWR);
	char *q =
		(char *)raw_mmap(0, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, other, 16 * PAGE);

	ok(p && !is_error((long)q), "mapped by two openings");
	peek(p);
	peek(q);
	before = faults();
	p[0] = 'm';
	is(faults() - before, 1, "the first write to a page that was read faults");
	before = faults();
	p[1] = 'n';
	is(faults() - before, 0, "... the second doesn't");
	ok(q[0] == 'm' && at(16 * PAGE) == 'm', "both, and read, see it");
	is(stored() - base, 0, "nothing is stored");
	is(raw_msync((unsigned long)p, 8 * PAGE, MS_SYNC), 0, "msync");
	is(stored() - base, 1, "... stores the page");
	before = faults();
	p[0] = 'o';
	is(faults() - before, 1, "the next write is noticed");
	before = faults();
	q[1] = 'p';
	is(faults() - before, 1, "... in the other mapping, too");
	is(raw_msync((unsigned long)q, PAGE, MS_SYNC), 0, "msync by the other");
	is(stored() - base, 2, "... stores it once");
	p[2 * PAGE] = 'u';
	raw_munmap((unsigned long)p, 8 * PAGE);
	raw_munmap((unsigned long)q, 8 * PAGE);
	is(stored() - base, 2, "unmapping stores nothing");
	is(fsync(other), 0, "fsync by another opening");
	is(stored() - base, 3, "... stores what was written by then");
	ok(direct(16 * PAGE) == 'o' && direct(16 * PAGE + 1) == 'p' && direct(18 * PAGE) == 'u',
	   "all of it is there");
	close(other);
	p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE, 16, 1);
	p[0] = 'x';
	fsync(fd);
	ok(stored() - base == 3 && at(16 * PAGE) == 'o', "private writes are nobody's business");
	raw_munmap((unsigned long)p, PAGE);
}

static void times(void)
{
	const struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	char *p = map(PROT_READ | PROT_WRITE, MAP_SHARED, 16, 2);
	struct stat st;

	peek(p);
	futimens(fd, old);
	fstat(fd, &st);
	is(st.st_mtime, 1000000000, "its time of change is set");
	p[0] = 'a';
	fstat(fd, &st);
	ok(st.st_mtime > 1000000000, "a write through a mapping changes it");
	futimens(fd, old);
	p[1] = 'b';
	fstat(fd, &st);
	is(st.st_mtime, 1000000000, "... the first one to a page");
	raw_msync((unsigned long)p, PAGE, MS_SYNC);
	p[1] = 'c';
	fstat(fd, &st);
	ok(st.st_mtime > 1000000000, "... since it was stored");
	raw_munmap((unsigned long)p, 2 * PAGE);
	fsync(fd);
}

/* Waits for pages that are being read: to do so at once is nobody's duty. */
static const char *settled(const char *p, unsigned long pages, const char *expected)
{
	for (int i = 0; i < 100 && strcmp(vector(p, pages), expected) != 0; i++)
		usleep(10000);
	return vector(p, pages);
}

static void cache(void)
{
	int drop = open("/proc/sys/vm/drop_caches", O_WRONLY);
	char *p = map(PROT_READ | PROT_WRITE, MAP_SHARED, 32, 8);

	fsync(fd);
	is(readahead(fd, 0, PAGE), 0, "readahead");
	is(ioctl(fd, BLKFLSBUF_, 0), 0, "BLKFLSBUF");
	is_str(vector(p, 8), "00000000", "... empties the cache");
	syscall(SYS_setresuid, -1, NOBODY, -1);
	fails(ioctl(fd, BLKFLSBUF_, 0), EACCES, "... for root only, whoever opened the device");
	syscall(SYS_setresuid, -1, 0, -1);
	is(posix_fadvise(fd, 34 * PAGE, 2 * PAGE, POSIX_FADV_WILLNEED), 0, "POSIX_FADV_WILLNEED");
	is_str(settled(p, 8, "00110000"), "00110000", "... brings pages in");
	is(raw_madvise((unsigned long)p, PAGE, MADV_WILLNEED), 0, "MADV_WILLNEED");
	is_str(settled(p, 8, "10110000"), "10110000", "... as well");
	p[3 * PAGE] = 'd';
	fsync(fd);
	is(posix_fadvise(fd, 32 * PAGE, 8 * PAGE, POSIX_FADV_DONTNEED), 0, "POSIX_FADV_DONTNEED");
	is(vector(p, 8)[0], '0', "... drops what is not mapped");
	is(vector(p, 8)[3], '1', "... and keeps what is");
	raw_munmap((unsigned long)p, 8 * PAGE);
	p = map(PROT_READ, MAP_SHARED, 32, 8);
	is(posix_fadvise(fd, 32 * PAGE + 1, 4 * PAGE - 2, POSIX_FADV_DONTNEED), 0, "inside pages");
	is(vector(p, 8)[3], '1', "... keeps those at its ends");
	is(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0, "to the end");
	is_str(vector(p, 8), "00000000", "... drops all");
	posix_fadvise(fd, 33 * PAGE, PAGE, POSIX_FADV_WILLNEED);
	is_str(settled(p, 8, "01000000"), "01000000", "one is back");
	is(write(drop, "1", 1), 1, "drop_caches");
	is_str(vector(p, 8), "00000000", "... drops it again");
	is(at(35 * PAGE), 'd', "what was written is read again");
	close(drop);
	raw_munmap((unsigned long)p, 8 * PAGE);
}

static void holes(void)
{
	char *shared = map(PROT_READ | PROT_WRITE, MAP_SHARED, 40, 4);
	char *copy = map(PROT_READ | PROT_WRITE, MAP_PRIVATE, 40, 4);

	for (int i = 0; i < 4; i++)
		shared[i * PAGE] = 'h';
	copy[2 * PAGE + 1] = 'c';
	peek(copy + PAGE);
	is(raw_madvise((unsigned long)shared + PAGE, 2 * PAGE, MADV_REMOVE), 0, "MADV_REMOVE");
	ok(shared[PAGE] == 0 && shared[2 * PAGE] == 0, "... leaves zeros");
	ok(shared[0] == 'h' && shared[3 * PAGE] == 'h', "... where it was told to");
	ok(copy[PAGE] == 0 && copy[2 * PAGE] == 'h' && copy[2 * PAGE + 1] == 'c',
	   "private copies stay, of what isn't copied there are zeros");
	is(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 40 * PAGE, 512), 0,
	   "a hole of a sector");
	is(shared[0], 0, "... is zeros");
	fails(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 40 * PAGE, 100), EINVAL,
	      "of less");
	fails(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)size, PAGE), EINVAL,
	      "behind the end");
	fsync(fd);
	ok(direct(40 * PAGE) == 0 && direct(41 * PAGE) == 0 && direct(43 * PAGE) == 'h',
	   "stored so");
	raw_munmap((unsigned long)shared, 4 * PAGE);
	raw_munmap((unsigned long)copy, 4 * PAGE);
}

static void around(void)
{
	static char buf[2 * PAGE] __attribute__((aligned(4096)));
	char *p = map(PROT_READ | PROT_WRITE, MAP_SHARED, 48, 2);
	char *edge = (char *)raw_mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int d = open(path, O_RDWR | O_DIRECT);

	raw_munmap((unsigned long)edge + PAGE, PAGE);
	ok(d >= 0, "open with O_DIRECT");
	p[0] = 'e';
	memset(buf, 'd', sizeof(buf));
	is(pwrite(d, buf, 512, 48 * PAGE + 512), 512, "a write around the cache");
	ok(p[512] == 'd' && at(48 * PAGE + 512) == 'd', "... is seen in it");
	is(p[0], 'e', "... beside what was there");
	fails(pread(d, buf, 100, 0), EINVAL, "it takes whole sectors");
	fails(pread(d, buf, 512, 100), EINVAL, "... from where one begins");
	is(pread(d, buf, 512, 48 * PAGE), 512, "a read");
	is(buf[0], 'e', "... finds what was written");
	lseek(d, 48 * PAGE, SEEK_SET);
	is(read(d, edge + PAGE - 512, 1024), 512,
	   "to where memory ends: as much as there is room for");
	is(lseek(d, 0, SEEK_CUR), 48 * PAGE + 512, "... and the position is behind that");
	is(edge[PAGE - 512], 'e', "... it was read");
	lseek(d, 48 * PAGE, SEEK_SET);
	fails(read(d, edge + PAGE, 512), EFAULT, "beyond");
	close(d);
	raw_munmap((unsigned long)edge, PAGE);
	raw_munmap((unsigned long)p, 2 * PAGE);
}

/* A disk that can't take a page: each opening is told, once. Here that takes a lack of memory. */
static void failures(void)
{
	int fail = open("/proc/self/fail-nth", O_RDWR), other = open(path, O_RDWR);
	char *p = map(PROT_READ | PROT_WRITE, MAP_SHARED, 56, 1);

	if (fail < 0) {
		skip("a disk that fails", "this kernel can't be told to run out of memory");
	} else {
		p[0] = 'f';
		pwrite(fail, "1", 1, 0);
		fails(raw_msync((unsigned long)p, PAGE, MS_SYNC), ENOSPC, "msync can't store it");
		pwrite(fail, "0", 1, 0);
		is(raw_msync((unsigned long)p, PAGE, MS_SYNC), 0, "... and says so once");
		fails(fsync(other), ENOSPC, "so does fsync by another opening");
		is(fsync(other), 0, "... once");
		ok(p[0] == 'f' && direct(56 * PAGE) == 0, "it is in memory, and not stored");
		p[0] = 'g';
		is(fsync(fd), 0, "written again");
		is(direct(56 * PAGE), 'g', "... it is");
	}
	raw_munmap((unsigned long)p, PAGE);
	close(other);
	close(fail);
}

static void last_close(void)
{
	long base = stored();

	pwrite(fd, "z", 1, 60 * PAGE);
	close(fd);
	is(stored() - base, 1, "the last close stores what is left");
	fd = open(path, O_RDONLY);
	is(at(60 * PAGE), 'z', "... and it is there for the next one");
	fails(raw_mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EACCES,
	      "what is open for reading can't be mapped to be written");
	close(fd);
	fd = open(path, O_RDWR);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { NULL, NULL } };
	static char zeros[64 * PAGE];

	tap_start(argc, argv, modes);
	if (geteuid() != 0)
		skip_all("a disk belongs to root");
	path = find_device();
	if (!path)
		skip_all("there is neither /dev/ram0 nor a disk to overwrite");
	sizes();
	writes();
	mapped();
	times();
	cache();
	holes();
	around();
	failures();
	last_close();
	is(pwrite(fd, zeros, sizeof(zeros), 0), sizeof(zeros), "all zeros again");
	is(fsync(fd), 0, "... stored");
	close(fd);
	return done_testing();
}
