/* SPDX-License-Identifier: MIT */
/*
 * The end of a file and mappings of it: what lies behind is SIGBUS, truncating takes pages away from
 * whoever maps them, a hole is zeros to all but private copies, and an unlinked file stays.
 */
#include "filemap.h"

#define PUNCH (2 | 1) /* FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE */

static int fd;

static void bus_at(void *addr, const char *name)
{
	is(try_read(addr), -SIGBUS, "%s: SIGBUS", name);
	ok(seen.code == BUS_ADRERR_ && seen.addr == (unsigned long)addr,
	   "... BUS_ADRERR, of that address");
}

static void beyond(void)
{
	char *s = map_file(fd, 6, RW, MAP_SHARED), *p = map_file(fd, 6, RW, MAP_PRIVATE);
	long before;

	ftruncate(fd, 3 * PAGE + 10);
	is(try_read(s + 3 * PAGE + 4095), 0, "the rest of the file's last page");
	bus_at(s + 4 * PAGE, "shared, the next page");
	bus_at(p + 5 * PAGE + 123, "private, in the page after it");
	is(try_write(p + 4 * PAGE + 7, 1), -SIGBUS, "a private write");
	is(seen.addr, (unsigned long)p + 4 * PAGE + 7, "... its address");
	is(try_write(s + 4 * PAGE, 1), -SIGBUS, "a shared write");
	minor_faults();
	before = minor_faults();
	try_read(s + 4 * PAGE);
	is(minor_faults() - before, 0, "... none of them counts as a fault");
	ftruncate(fd, 4 * PAGE + 1);
	is(try_read(s + 4 * PAGE), 0, "a longer file: zeros");
	is(try_write(p + 4 * PAGE + 7, 1), 0, "... that can be written");
	ftruncate(fd, 0);
	bus_at(s, "an empty file");
	bus_at(p, "... private");
	unmap(s, 6), unmap(p, 6);
	fill(fd, 0, 8);
}

static void cut(void)
{
	char *s = map_file(fd, 8, RW, MAP_SHARED), *p = map_file(fd, 8, RW, MAP_PRIVATE);
	int nonzero = 0;

	for (int i = 0; i < 8; i++)
		peek(s + i * PAGE);
	for (int i = 1; i < 8; i += 2)
		p[i * PAGE + 1000] = 'p';
	is(smaps(s, "Rss"), 32, "all of a shared mapping is there");
	is(smaps(p, "Anonymous"), 16, "and four copies in a private one");
	is(ftruncate(fd, 3 * PAGE + 100), 0, "the file becomes shorter");
	is_str(present(s, 8), "11110000", "shared pages behind its end go");
	is(smaps(s, "Rss"), 16, "... from Rss, too");
	is_str(present(p + 4 * PAGE, 4), "0000", "so do private copies");
	is(smaps(p, "Anonymous"), 8, "... except those within");
	bus_at(p + 5 * PAGE, "what was a copy");
	bus_at(s + 7 * PAGE, "what was shared");
	is(peek(p + PAGE + 1000), 'p', "a copy within stays");
	is(peek(p + 3 * PAGE + 1000), 'p', "... in the last page as well");
	is(peek(p + 3 * PAGE + 200), 'D', "... with what is no more in the file");
	is(peek(s + 3 * PAGE + 99), 'D', "shared, the last page has its bytes");
	for (unsigned long i = 100; i < PAGE; i++)
		nonzero += peek(s + 3 * PAGE + i) != 0;
	is(nonzero, 0, "... then zeros");
	is(ftruncate(fd, 8 * PAGE), 0, "the file becomes longer");
	is(try_read(s + 5 * PAGE), 0, "zeros, shared");
	is(try_read(p + 5 * PAGE + 1000), 0, "... private: the copy is gone");
	is(in_file(fd, 3 * PAGE + 200), 0, "... read");
	is(in_file(fd, 7 * PAGE), 0, "... everywhere");
	is(peek(p + 3 * PAGE + 200), 'D', "what was in the copy of the last page still is");
	unmap(s, 8), unmap(p, 8);
	fill(fd, 0, 8);
}

static char *theirs;

static int child_maps(void)
{
	catch_faults();
	theirs[2 * PAGE] = 'c';
	report->n[0] = peek(theirs + PAGE);
	let_go(PARENT);
	await(CHILD);
	report->n[1] = try_read(theirs + 2 * PAGE);
	report->n[2] = try_read(theirs + PAGE);
	report->n[3] = try_read(theirs);
	report->n[4] = smaps(theirs, "Rss");
	return 0;
}

static void elsewhere(bool copied)
{
	long child;

	theirs = map_file(fd, 4, RW, copied ? MAP_PRIVATE : MAP_SHARED);
	child = raw_fork();
	if (child == 0)
		raw_exit(child_maps());
	await(PARENT);
	unmap(theirs, 4);
	is(truncate(in_dir("f"), PAGE), 0, "truncate(2), mapped %s in another process",
	   copied ? "private" : "shared");
	let_go(CHILD);
	is(reap(child), 0, "the other process");
	is(report->n[0], 'B', "... saw the page before");
	is(report->n[1], -SIGBUS, "... no more what it wrote");
	is(report->n[2], -SIGBUS, "... nor what it read");
	is(report->n[3], 'A', "... still what is left");
	is(report->n[4], 4, "... of its memory, one page");
	fill(fd, 0, 8);
}

static void holes(void)
{
	char *s = map_file(fd, 8, RW, MAP_SHARED), *p = map_file(fd, 8, RW, MAP_PRIVATE);

	s[0] = 'A';
	s[PAGE] = s[2 * PAGE] = 's';
	p[2 * PAGE] = p[4 * PAGE] = 'p';
	is(peek(p + 3 * PAGE), 'D', "a clean private page");
	is(fallocate(fd, PUNCH, PAGE, 4 * PAGE), 0, "a hole of four pages");
	is_str(vector(s, 8), "10000111", "they are in memory no more");
	is_str(present(s, 1), "1", "the page before stays mapped");
	is(peek(s + PAGE), 0, "shared: zeros");
	is(in_file(fd, 2 * PAGE + 5), 0, "read: zeros");
	is(peek(p + PAGE), 0, "private, never read: zeros");
	is(peek(p + 3 * PAGE), 0, "private, clean: zeros");
	is(peek(p + 2 * PAGE), 'p', "a private copy stays");
	is(peek(p + 4 * PAGE + 5), 'E', "... as it was");
	is(peek(s + 5 * PAGE), 'F', "the page behind the hole");
	s[3 * PAGE] = 'n';
	is(in_file(fd, 3 * PAGE), 'n', "a hole can be written");
	is(fallocate(fd, PUNCH, 5 * PAGE + 100, PAGE), 0, "a hole from within a page to the next");
	is(peek(s + 5 * PAGE + 99), 'F', "... leaves what is before");
	is(peek(s + 5 * PAGE + 100), 0, "... zeroes its bytes");
	is(peek(p + 6 * PAGE + 99), 0, "... to its end");
	is(peek(p + 6 * PAGE + 100), 'G', "... and leaves what follows");
	is(fallocate(fd, PUNCH, 7 * PAGE, 1UL << 40), 0, "a hole that goes far behind the end");
	is(peek(s + 7 * PAGE), 0, "... zeroes what there is");
	is(lseek(fd, 0, SEEK_END), 8 * PAGE, "... and the file keeps its size");
	unmap(s, 8), unmap(p, 8);
	fill(fd, 0, 8);
}

static void unlinked(void)
{
	int f = pages_file("gone", 3);
	char *s = map_file(f, 3, RW, MAP_SHARED), *p = map_file(f, 3, RW, MAP_PRIVATE);
	char path[160];
	struct area area;

	p[PAGE] = 'p';
	unlink(in_dir("gone"));
	snprintf(path, sizeof(path), "%s (deleted)", in_dir("gone"));
	ok(area_at((unsigned long)s, &area), "an area of an unlinked file");
	is_str(area.name, path, "... in maps");
	is(peek(s), 'A', "... shows it");
	close(f);
	is(peek(s + 2 * PAGE), 'C', "closed as well");
	s[0] = 's';
	is(peek(p), 's', "its mappings still share it");
	unmap(s, 3);
	is(peek(p + 2 * PAGE), 'C', "the last mapping still shows it");
	is(peek(p + PAGE), 'p', "... and its copy");
	f = pages_file("gone", 1);
	is(peek(p), 's', "a new file of the name is another");
	unmap(p, 3);
	p = map_file(f, 1, RW, MAP_SHARED);
	close(open(in_dir("gone"), O_WRONLY | O_TRUNC));
	bus_at(p, "O_TRUNC while mapped");
	unmap(p, 1);
	close(f);
}

/* The kernel's own accesses. */
static void calls(void)
{
	char *s = map_file(fd, 4, RW, MAP_SHARED);
	int out = open(in_dir("out"), O_RDWR | O_CREAT, 0600), in = open(in_dir("f"), O_RDONLY);
	struct stat st;
	int ends[2];

	pipe(ends);
	ftruncate(fd, 2 * PAGE);
	fails(write(out, s + 2 * PAGE, 10), EFAULT, "write(2) from behind the end");
	fails(read(in, s + 2 * PAGE, 10), EFAULT, "read(2) to there");
	fails(syscall(SYS_uname, s + 3 * PAGE), EFAULT, "another call's result");
	fails(syscall(SYS_fstat, fd, s + 2 * PAGE - 8), EFAULT, "... that begins before it");
	fails(write(ends[1], s + 2 * PAGE, 10), EFAULT, "write to a pipe");
	is(write(out, s + 2 * PAGE - 100, 300), 100, "write(2) of bytes before and behind");
	is(write(ends[1], "abc", 3), 3, "a pipe with three bytes");
	fails(read(ends[0], s + 2 * PAGE, 3), EFAULT, "read from it");
	fails(syscall(SYS_open, s + 2 * PAGE, O_RDONLY), EFAULT, "a path");
	is(fstat(fd, &st), 0, "fstat");
	is(st.st_size, 2 * PAGE, "... the size is what it was");
	is(raw_mlock((unsigned long)s, 2 * PAGE), 0, "mlock up to the end");
	fails(raw_mlock((unsigned long)s, 4 * PAGE), ENOMEM, "mlock over it");
	is(ftruncate(fd, PAGE), 0, "truncating what is locked");
	is_str(present(s, 2), "10", "... takes it as well");
	unmap(s, 4);
	fill(fd, 0, 2);
	s = map_file(fd, 4, RW, MAP_SHARED | MAP_POPULATE);
	is_str(present(s, 4), "1100", "MAP_POPULATE over the end");
	is(raw_msync((unsigned long)s, 4 * PAGE, MS_SYNC), 0, "msync over the end");
	unmap(s, 4);
	s = map_file(fd, 4, RW, MAP_SHARED | MAP_LOCKED);
	is_str(present(s, 4), "1100", "MAP_LOCKED");
	is(smaps(s, "Locked"), 8, "... locks what is there");
	unmap(s, 4);
	close(out), close(in), close(ends[0]), close(ends[1]);
	fill(fd, 0, 8);
}

/* Pages a GiB apart: truncating finds those that are there. */
static void sparse(void)
{
	unsigned long pages = GIB / PAGE;
	int f = pages_file("big", 1);
	char *s, *p;

	is(ftruncate(f, GIB), 0, "a file of a GiB");
	s = map_file(f, pages, RW, MAP_SHARED | MAP_NORESERVE);
	p = map_file(f, pages, RW, MAP_PRIVATE | MAP_NORESERVE);
	for (int i = 0; i < 8; i++) {
		s[i * (GIB / 8)] = '0' + i;
		p[i * (GIB / 8) + PAGE] = 'p';
	}
	is(smaps(s, "Rss"), 32, "eight pages of it");
	is(ftruncate(f, GIB / 2), 0, "half of it");
	is(smaps(s, "Rss"), 16, "four pages");
	is(smaps(p, "Anonymous"), 16, "... and four copies");
	is(in_file(f, 3 * (GIB / 8)), '3', "contents stay");
	is(ftruncate(f, (1UL << 63) - 1), 0, "the longest file there can be");
	is(pread(f, s, 1, (1UL << 63) - 2), 1, "... its last byte");
	is(ftruncate(f, 0), 0, "nothing is left");
	is(smaps(s, "Rss"), 0, "... mapped");
	is(smaps(p, "Rss"), 0, "... nor copied");
	unmap(s, pages), unmap(p, pages);
	close(f);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "f", "gone", "out", "big", NULL };

	tap_start(argc, argv, NULL);
	forks_start();
	make_dir("file_map_truncate");
	catch_faults();
	for (int i = 0; i < 2; i++) {
		fd = i ? (int)syscall(SYS_memfd_create, "m", 0) : pages_file("f", 8);
		fill(fd, 0, 8);
		diag("%s", i ? "a memfd" : "a file");
		beyond();
		cut();
		if (i == 0) {
			elsewhere(0);
			elsewhere(1);
		}
		holes();
		if (i == 0)
			calls();
		close(fd);
	}
	unlinked();
	sparse();
	clean_dir(names);
	return done_testing();
}
