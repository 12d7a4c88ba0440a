/* SPDX-License-Identifier: MIT */
/* What /proc, and mincore(2), say of mappings of files: flags, names, amounts, who maps what. */
#include "filemap.h"
#include <sys/sysmacros.h>

#define SHARED	MAP_SHARED
#define PRIVATE MAP_PRIVATE

static char *forked;

static void flags(int fd, const char *name)
{
	int ro = open(in_dir(name), O_RDONLY);
	char *p;

	p = map_file(fd, 1, RW, SHARED);
	is_str(vm_flags(p, "sd"), "rd wr sh mr mw me ms", "flags: shared");
	unmap(p, 1);
	p = map_file(fd, 1, PROT_READ, SHARED);
	is_str(vm_flags(p, "sd"), "rd sh mr mw me ms", "... shared, to read");
	unmap(p, 1);
	p = map_file(fd, 1, RW, PRIVATE);
	is_str(vm_flags(p, "sd"), "rd wr mr mw me ac", "... private");
	unmap(p, 1);
	p = map_file(ro, 1, PROT_READ, SHARED);
	is_str(vm_flags(p, "sd"), "rd mr me ms", "... shared, of a descriptor to read");
	is_str(layout(p, 1), "0-1 r--s", "... it still says shared");
	unmap(p, 1);
	p = map_file(ro, 1, RW, PRIVATE | MAP_NORESERVE);
	is_str(vm_flags(p, "sd"), "rd wr mr mw me nr", "... private, of such a descriptor");
	unmap(p, 1);
	close(ro);
}

/* What a line of maps says of a file: offset, device, inode, name. */
static void described(int fd, const char *what)
{
	char *p = map_at(NULL, fd, 2, PROT_READ, PRIVATE, 3);
	unsigned int major, minor;
	unsigned long offset, ino;
	const char *line = maps_text;
	struct area area;
	struct stat st;

	fstat(fd, &st);
	area_at((unsigned long)p, &area);
	while (strtoul(line, NULL, 16) != (unsigned long)p)
		line = strchr(line, '\n') + 1;
	sscanf(line, "%*x-%*x %*s %lx %x:%x %lu", &offset, &major, &minor, &ino);
	is(offset, 3 * PAGE, "%s: its offset in maps", what);
	is(ino, st.st_ino, "... its inode");
	is(makedev(major, minor), st.st_dev, "... its device");
	unmap(p, 2);
}

static void renamed(int fd)
{
	char *p = map_file(fd, 1, PROT_READ, PRIVATE);
	const char *odd = in_dir("a b\nc"), *shown = in_dir("a b\\012c");
	struct area area;

	rename(in_dir("f"), odd);
	area_at((unsigned long)p, &area);
	is_str(area.name, shown, "a name with a space and a newline, in maps");
	rename(odd, in_dir("f"));
	area_at((unsigned long)p, &area);
	is_str(area.name, in_dir("f"), "renamed, the new name");
	unmap(p, 1);
}

static int child_shares(void)
{
	for (int i = 0; i < 3; i++)
		peek(forked + i * PAGE);
	let_go(PARENT);
	await(CHILD);
	return 0;
}

/* Linux adds to its counts now and then; unmapping a page brings them up to date. */
static long rss(const char *name)
{
	char *p = fresh(1, RW);

	touch(p, 1);
	unmap(p, 1);
	return status(name);
}

static void amounts(int fd)
{
	char *w = window();
	long shmem = rss("RssShmem"), anon, child;

	map_at(w, fd, 16, RW, PRIVATE | MAP_FIXED, 0);
	peek(w);
	is(smaps(w, "Rss"), 64, "smaps of a private mapping: all that was mapped");
	is(smaps(w, "Anonymous"), 0, "... none of it anonymous");
	is(smaps(w, "Private_Dirty"), 64, "... the file's pages were written");
	is(rss("RssShmem") - shmem, 64, "a file of a tmpfs counts as shared memory");
	anon = rss("RssAnon");
	w[PAGE] = 'x';
	is(smaps(w, "Anonymous"), 4, "a copy is anonymous");
	is(smaps(w, "Rss"), 64, "... in the place of the file's page");
	is(rss("RssShmem") - shmem, 60, "... which counts no more");
	is(rss("RssAnon") - anon, 4, "... itself does");
	unmap(w, 16);
	is(rss("RssShmem"), shmem, "unmapped, nothing is left of it");

	forked = w;
	map_at(w, fd, 3, RW, SHARED | MAP_FIXED, 0);
	child = raw_fork();
	if (child == 0)
		raw_exit(child_shares());
	peek(w);
	await(PARENT);
	is(smaps(w, "Shared_Dirty"), 12, "pages that two processes map");
	is(smaps(w, "Private_Dirty"), 0, "... are no one's alone");
	is(smaps(w, "Pss"), 6, "... and count by halves");
	let_go(CHILD);
	is(reap(child), 0, "the other one ends");
	is(smaps(w, "Private_Dirty"), 12, "... then they are");
	is(smaps(w, "Referenced"), 12, "... and have been referenced");
	unmap(w, 3);
}

static void known(int fd)
{
	int exe = open("/proc/self/exe", O_RDONLY);
	struct stat st;
	char *p;

	p = map_at(NULL, fd, 4, PROT_READ, SHARED, 30);
	is_str(vector(p, 4), "1100", "mincore of one's own file, up to its end and behind");
	unmap(p, 4);
	fstat(exe, &st);
	p = map_at(NULL, exe, 3, PROT_READ, SHARED, st.st_size / PAGE);
	is_str(vector(p, 3), "111", "... of a file that isn't one's own: what isn't there, too");
	unmap(p, 3);
	close(exe);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "f", NULL };
	int fd, memfd;

	tap_start(argc, argv, NULL);
	forks_start();
	make_dir("file_map_proc");
	fd = pages_file("f", 32);
	memfd = syscall(SYS_memfd_create, "m", 0);
	fill(memfd, 0, 32);
	flags(fd, "f");
	renamed(fd);
	for (int i = 0; i < 2; i++) {
		int f = i ? memfd : fd;

		described(f, i ? "a memfd" : "a file");
		amounts(f);
		known(f);
	}
	close(fd), close(memfd);
	clean_dir(names);
	return done_testing();
}
