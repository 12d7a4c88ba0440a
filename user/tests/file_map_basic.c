/* SPDX-License-Identifier: MIT */
/*
 * Mappings of files: what they show, who sees a write, what a fault brings in, and what fork leaves to
 * be faulted again.
 */
#include "filemap.h"

#define SHARED	MAP_SHARED
#define PRIVATE MAP_PRIVATE

/* --- contents --------------------------------------------------------------------------------- */

static void contents(int fd)
{
	char *s = map_file(fd, 3, RW, SHARED), *p = map_file(fd, 3, RW, PRIVATE);
	char *off = map_at(NULL, fd, 1, PROT_READ, SHARED, 2);
	struct stat st;
	int nonzero = 0;

	is(peek(s), 'A', "a shared mapping shows the file");
	is(peek(s + PAGE - 1), 'A', "... to the page's end");
	is(peek(p + PAGE), 'B', "a private one as well");
	is(peek(off), 'C', "a mapping with an offset begins there");
	ftruncate(fd, 2 * PAGE + 100);
	is(peek(s + 2 * PAGE + 99), 'C', "the file's last byte");
	for (unsigned long i = 100; i < PAGE; i++)
		nonzero += peek(s + 2 * PAGE + i) != 0 || peek(p + 2 * PAGE + i) != 0;
	is(nonzero, 0, "behind it, the page is zeros");
	s[2 * PAGE + 200] = 'x';
	fstat(fd, &st);
	is(st.st_size, 2 * PAGE + 100, "a write there doesn't make the file longer");
	is(in_file(fd, 2 * PAGE + 200), -1, "... nor is it read");
	is(peek(off + 200), 'x', "... but other mappings of the page show it");
	s[2 * PAGE + 200] = 0;
	ftruncate(fd, 3 * PAGE);
	unmap(s, 3), unmap(p, 3), unmap(off, 1);
}

static void writes(int fd)
{
	char *s = map_file(fd, 4, RW, SHARED), *t = map_at(NULL, fd, 2, RW, SHARED, 1);
	char *p = map_file(fd, 4, RW, PRIVATE);

	s[PAGE + 5] = 's';
	is(in_file(fd, PAGE + 5), 's', "a shared write is read at once");
	is(peek(t + 5), 's', "... seen by another shared mapping");
	is(peek(p + PAGE + 5), 's', "... by a private one that has no copy");
	t[6] = 't';
	is(peek(s + PAGE + 6), 't', "and the other way round");
	ok(put_byte(fd, PAGE + 7, 'w'), "write(2)");
	is(peek(s + PAGE + 7), 'w', "... is seen by a shared mapping");
	is(peek(t + 7), 'w', "... by the other");
	is(peek(p + PAGE + 7), 'w', "... by the private one");

	p[PAGE + 8] = 'p';
	is(peek(p + PAGE + 7), 'w', "a private write keeps what was beside it");
	is(in_file(fd, PAGE + 8), 'B', "... isn't read");
	is(peek(s + PAGE + 8), 'B', "... nor shared");
	s[PAGE + 9] = 'S';
	put_byte(fd, PAGE + 10, 'W');
	is(peek(p + PAGE + 9), 'B', "a copy doesn't see a shared write");
	is(peek(p + PAGE + 10), 'B', "... nor write(2)");
	is(peek(p + PAGE), 'B', "it has its own page");
	ok(frame_of(s + PAGE) == frame_of(t), "the shared ones have one");
	p[3 * PAGE] = 'p';
	is(peek(p + 3 * PAGE + 1), 'D', "a private write to a page never read");
	is(in_file(fd, 3 * PAGE), 'D', "... leaves the file's");
	ok(pagemap(s + PAGE) & PAGEMAP_FILE, "pagemap: the file's page is one");
	ok(!(pagemap(p + PAGE) & PAGEMAP_FILE), "... the copy isn't");
	ok(pagemap(p) >> 63 == 0 || pagemap(p) & PAGEMAP_FILE, "... what wasn't written is");
	unmap(s, 4), unmap(t, 2), unmap(p, 4);
	fill(fd, 0, 4);
}

static int other_end;

static int child_remaps(void)
{
	char *mine;

	hole(3);
	mine = map_at(NULL, other_end, 1, RW, SHARED, 2);
	report->n[0] = peek(mine + 1);
	mine[2] = 'c';
	report->n[1] = (long)mine;
	let_go(PARENT);
	await(CHILD);
	report->n[2] = peek(mine + 3);
	return 0;
}

static void processes(int fd)
{
	char *s = map_file(fd, 4, RW, SHARED);
	long child;

	s[2 * PAGE + 1] = 'p';
	other_end = fd;
	child = raw_fork();
	if (child == 0)
		raw_exit(child_remaps());
	await(PARENT);
	is(report->n[0], 'p', "another process, at another address, sees a write");
	ok(report->n[1] != (long)s + 2 * (long)PAGE, "... it is another one");
	is(peek(s + 2 * PAGE + 2), 'c', "... and its own is seen");
	ok(!exclusive(s + 2 * PAGE), "pagemap: not mapped by one alone");
	s[2 * PAGE + 3] = 'q';
	let_go(CHILD);
	is(reap(child), 0, "the child ends");
	is(report->n[2], 'q', "a later write is seen, too");
	ok(exclusive(s + 2 * PAGE), "... then it is mapped once");
	unmap(s, 4);
	fill(fd, 2, 1);
}

/* --- faults ----------------------------------------------------------------------------------- */

static void around(int fd)
{
	char *w = window();
	int got;

	map_at(w, fd, 32, RW, SHARED | MAP_FIXED, 0);
	is(faults_of_read(w + 5 * PAGE, &got), 1, "a read is a fault");
	is(got, 'F', "... of the file's page");
	is_str(present(w, 32), "11111111111111110000000000000000",
	       "... maps the 16 pages of its 64 KiB");
	is(faults_of_read(w + 15 * PAGE, &got), 0, "... so that others need none");
	is(faults_of_write(w + 5 * PAGE, 'x'), 0, "a shared page is writable at once");
	is(faults_of_write(w + 20 * PAGE, 'x'), 1, "a write is a fault");
	is_str(present(w, 32), "11111111111111110000100000000000", "... of that page alone");
	unmap(w, 32);
	fill(fd, 0, 32);

	map_at(w, fd, 32, RW, PRIVATE | MAP_FIXED, 0);
	is(faults_of_write(w + 3 * PAGE, 'x'), 1, "private: a write is a fault");
	is_str(present(w, 16), "0001000000000000", "... of that page alone");
	is(faults_of_read(w + 4 * PAGE, &got), 1, "a read beside it");
	is_str(present(w, 16), "1111111111111111", "... maps the others");
	is(peek(w + 3 * PAGE), 'x', "... and leaves the copy");
	is(faults_of_write(w + 4 * PAGE, 'x'), 1, "a write after the read is another fault");
	unmap(w, 32);

	map_at(w + 3 * PAGE, fd, 32, PROT_READ, SHARED | MAP_FIXED, 3);
	peek(w + 6 * PAGE);
	is_str(present(w, 32), "00011111111111111110000000000000",
	       "an area that begins in the 64 KiB: 16 pages from there");
	unmap(w, 35);
	map_at(w, fd, 10, PROT_READ, SHARED | MAP_FIXED, 0);
	peek(w + 6 * PAGE);
	is_str(present(w, 16), "1111111111000000", "one that ends in it");
	unmap(w, 10);
	map_at(w, fd, 16, PROT_READ, SHARED | MAP_FIXED, 26);
	peek(w);
	is_str(present(w, 16), "1111110000000000", "a file that ends in it");
	unmap(w, 16);
}

static void table_edge(int fd)
{
	char *p = hole(1024 + 32), *edge;

	edge = (char *)(((unsigned long)p + 16 * PAGE + 512 * PAGE - 1) & -(512 * PAGE));
	map_at(edge - 2 * PAGE, fd, 16, PROT_READ, SHARED | MAP_FIXED, 0);
	peek(edge - PAGE);
	is_str(present(edge - 2 * PAGE, 16), "1100000000000000",
	       "reading around ends with the page table");
	peek(edge + 5 * PAGE);
	is_str(present(edge - 2 * PAGE, 16), "1111111111111111", "... and begins anew in the next");
	unmap(p - PAGE, 1024 + 34);
}

/* A page that nobody wrote: a hole in the file. */
static void sparse(int fd)
{
	char *w = window();

	ftruncate(fd, 40 * PAGE);
	map_at(w, fd, 8, RW, SHARED | MAP_FIXED, 32);
	put_byte(fd, 35 * PAGE, 'h');
	is_str(vector(w, 8), "00010000", "mincore of a file with holes");
	peek(w + 2 * PAGE);
	is_str(present(w, 8), "00110000", "reading a hole maps what is in memory and itself");
	is(peek(w + 2 * PAGE), 0, "... zeros");
	is_str(vector(w, 8), "00110000", "... which are in memory now");
	is(smaps(w, "Rss"), 8, "smaps: two pages");
	is(smaps(w, "Private_Clean"), 4, "... one nobody wrote");
	is(smaps(w, "Private_Dirty"), 4, "... one is written");
	w[0] = 1;
	is(smaps(w, "Private_Dirty"), 8, "a write makes one more dirty");
	unmap(w, 8);
	ftruncate(fd, 32 * PAGE);
}

/* --- fork ------------------------------------------------------------------------------------- */

static char *forked;

static int child_counts(void)
{
	report->n[0] = count_resident(forked, 16);
	report->n[1] = peek(forked + 2 * PAGE);
	report->n[2] = count_resident(forked, 16);
	return 0;
}

static void forks(int fd)
{
	static const char *const names[] = { "shared", "private" };

	for (int i = 0; i < 2; i++) {
		forked = window();
		map_at(forked, fd, 16, RW, (i ? PRIVATE : SHARED) | MAP_FIXED, 0);
		peek(forked);
		is(in_child(child_counts), 0, "%s: a child", names[i]);
		is(report->n[0], 0, "... is left to fault clean pages of a file");
		is(report->n[1], 'C', "... finds them");
		is(report->n[2], 16, "... all those around");
		if (i) {
			forked[0] = 'x';
			is(in_child(child_counts), 0, "a child of an area with a copy");
			is(report->n[0], 16, "... gets all entries with it");
		}
		unmap(forked, 16);
	}
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "f", NULL };
	int fd, memfd;

	tap_start(argc, argv, NULL);
	forks_start();
	make_dir("file_map_basic");
	fd = pages_file("f", 32);
	memfd = syscall(SYS_memfd_create, "m", 0);
	for (int i = 0; i < 2; i++) {
		int f = i ? memfd : fd;

		if (i)
			fill(memfd, 0, 32);
		diag("%s", i ? "a memfd" : "a file");
		contents(f);
		fill(f, 0, 32);
		writes(f);
		processes(f);
		around(f);
		table_edge(f);
		sparse(f);
		forks(f);
	}
	close(fd);
	clean_dir(names);
	return done_testing();
}
