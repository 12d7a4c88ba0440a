/* SPDX-License-Identifier: MIT */
/*
 * Shared memory by name and without one: shm_open's files in /dev/shm, memfds, and anonymous shared
 * memory, between processes that are related and such that aren't.
 */
#include "filemap.h"

#define ANON_SHARED (MAP_SHARED | MAP_ANONYMOUS)

static char shm_name[64];

/* --- by name ------------------------------------------------------------------------------------ */

/* A program that knows nothing but the name: argv[2]. */
static int visitor(int argc, char **argv)
{
	int fd = shm_open(argv[2], O_RDWR, 0);
	char *p;

	NEED(fd >= 0);
	p = map_file(fd, 2, RW, MAP_SHARED);
	NEED(p[0] == 'o' && p[PAGE + 5] == 'p');
	p[1] = 'v';
	NEED(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	NEED(ftruncate(fd, 3 * PAGE) == 0);
	return 0;
}

static void named(void)
{
	struct stat st;
	struct area area;
	char path[96], *p, *q;
	int fd, again;

	snprintf(shm_name, sizeof(shm_name), "/shm_posix.%d", (int)getpid());
	snprintf(path, sizeof(path), "/dev/shm%s", shm_name);
	stat("/dev/shm", &st);
	is(st.st_mode, S_IFDIR | 01777, "/dev/shm is a directory for all");
	fails(shm_open(shm_name, O_RDWR, 0), ENOENT, "there is none of that name: ENOENT");
	fd = shm_open(shm_name, O_RDWR | O_CREAT | O_EXCL, 0640);
	ok(fd >= 0, "shm_open");
	fails(shm_open(shm_name, O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST, "a second time: EEXIST");
	is(stat(path, &st), 0, "it is a file in /dev/shm");
	is(st.st_mode, S_IFREG | 0640, "... with its mode");
	is(st.st_size, 0, "... empty");
	is(ftruncate(fd, 2 * PAGE), 0, "ftruncate");
	p = map_file(fd, 2, RW, MAP_SHARED);
	area_at((unsigned long)p, &area);
	is_str(area.name, path, "its path stands in maps");
	p[0] = 'o';
	p[PAGE + 5] = 'p';
	is(run_mode("visitor", shm_name, NULL), 0, "another program opens it, sees it, writes it");
	is(p[1], 'v', "... which is seen here");
	fstat(fd, &st);
	is(st.st_size, 3 * PAGE, "... and made it longer");
	is(st.st_blocks, 16, "it takes what was written");
	again = shm_open(shm_name, O_RDONLY, 0);
	is(raw_mmap(0, PAGE, RW, MAP_SHARED, again, 0), -EACCES, "opened to read: not writable");
	q = map_file(again, 1, PROT_READ, MAP_SHARED);
	p[2] = 'r';
	is(peek(q + 2), 'r', "... shows it");
	is(shm_unlink(shm_name), 0, "shm_unlink");
	fails(shm_open(shm_name, O_RDWR, 0), ENOENT, "... the name is gone");
	fails(shm_unlink(shm_name), ENOENT, "... shm_unlink again: ENOENT");
	close(fd);
	p[3] = 'u';
	is(peek(q + 3), 'u', "... not the memory");
	unmap(p, 2);
	is(peek(q + 3), 'u', "... while somebody maps it");
	unmap(q, 1);
	close(again);
	fd = shm_open(shm_name, O_RDWR | O_CREAT, 0);
	ok(fd >= 0, "made with mode 0");
	fails(shm_open(shm_name, O_RDWR, 0), EACCES, "... nobody can open it: EACCES");
	is(fchmod(fd, 0600), 0, "fchmod");
	again = shm_open(shm_name, O_RDWR | O_TRUNC, 0);
	ok(again >= 0, "... then its owner can");
	close(again), close(fd);
	is(shm_unlink(shm_name), 0, "shm_unlink");
}

/* --- a memfd ------------------------------------------------------------------------------------ */

static int memfd;
static char *memory;

static int child_of_memfd(void)
{
	char path[64], *p;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getppid(), memfd);
	fd = open(path, O_RDONLY);
	NEED(fd >= 0);
	NEED(raw_mmap(0, PAGE, RW, MAP_SHARED, fd, 0) == -EACCES);
	p = map_file(fd, 2, PROT_READ, MAP_SHARED);
	NEED(p[PAGE] == 'm');
	memory[PAGE] = 'c';
	NEED(p[PAGE] == 'c');
	NEED(pwrite(memfd, "d", 1, PAGE + 1) == 1);
	NEED(lseek(fd, 0, SEEK_CUR) == 0);
	return 0;
}

static void memfds(void)
{
	char path[64], target[64] = "";
	struct area area;
	struct stat st;
	int again;

	memfd = syscall(SYS_memfd_create, "some name", 1 /* MFD_CLOEXEC */);
	ok(memfd >= 0, "memfd_create");
	ftruncate(memfd, 2 * PAGE);
	memory = map_file(memfd, 2, RW, MAP_SHARED);
	area_at((unsigned long)memory, &area);
	is_str(area.name, "/memfd:some name (deleted)", "its name in maps");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
	readlink(path, target, sizeof(target) - 1);
	is_str(target, "/memfd:some name (deleted)", "... and as a link");
	fstat(memfd, &st);
	is(st.st_mode, S_IFREG | 0777, "its mode");
	is(st.st_nlink, 0, "... no link");
	memory[PAGE] = 'm';
	lseek(memfd, 100, SEEK_SET);
	is(in_child(child_of_memfd), 0, "a child opens it by /proc, on its own");
	is(memory[PAGE], 'c', "... and has the mapping");
	is(memory[PAGE + 1], 'd', "... and the descriptor");
	again = open(path, O_RDWR | O_TRUNC);
	ok(again >= 0, "opened again with O_TRUNC");
	is(try_read(memory), -SIGBUS, "... it is empty");
	close(again), close(memfd);
	unmap(memory, 2);
}

/* --- anonymous ---------------------------------------------------------------------------------- */

static char *p;

static int grandchild(void)
{
	p[1]++;
	p[3 * PAGE] = 'g';
	return 0;
}

static int child(void)
{
	p[1]++;
	NEED(in_child(grandchild) == 0);
	raw_munmap((unsigned long)p, 4 * PAGE);
	return 0;
}

static int survivor(void)
{
	await(CHILD);
	report->n[0] = peek(p);
	p[PAGE] = 's';
	report->n[1] = smaps(p, "Pss");
	return 0;
}

static void anonymous(void)
{
	unsigned long at, twice;
	long pid;

	p = map_at(NULL, -1, 4, RW, ANON_SHARED, 0);
	at = (unsigned long)p;
	p[1] = 1;
	is(in_child(child), 0, "a child and its child");
	is(peek(p + 1), 3, "... both have written");
	is(peek(p + 3 * PAGE), 'g', "... also where nobody had before");
	twice = raw_mremap(at + 3 * PAGE, 0, PAGE, MREMAP_MAYMOVE, 0);
	is(peek((char *)twice), 'g', "mremap of length 0 shows it twice");
	*(char *)twice = 't';
	is(peek(p + 3 * PAGE), 't', "... the same memory");
	pid = raw_fork();
	if (pid == 0)
		raw_exit(survivor());
	p[0] = 'l';
	unmap(p, 4);
	let_go(CHILD);
	is(reap(pid), 0, "a child that outlives its parent's mapping");
	is(report->n[0], 'l', "... has its last word");
	is(peek((char *)twice), 't', "... and what is mapped twice stays");
	raw_munmap(twice, PAGE);

	p = map_at(NULL, -1, 2, RW, ANON_SHARED, 0);
	is(try_write(p + 2 * PAGE - 1, 'x'), 0, "within, it never ends");
	p = (char *)raw_mremap((unsigned long)p, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE, 0);
	is(try_read(p + PAGE), 0, "lengthened by mremap");
	is(try_read(p + 2 * PAGE), -SIGBUS, "... it ends where it was made to");
	unmap(p, 4);
	p = map_at(NULL, -1, 2, PROT_READ, ANON_SHARED, 0);
	is(raw_mprotect((unsigned long)p, PAGE, RW), 0, "mapped to read, it may become writable");
	p[0] = 1;
	unmap(p, 2);
}

/* What is promised: Committed_AS in kilobytes. */
static long committed(void)
{
	proc_read("/proc/meminfo");
	return field_from(proc_text, "Committed_AS");
}

static void promises(void)
{
	const unsigned long pages = 16 * MIB / PAGE;
	long before = committed(), now;
	char *q;
	int fd;

	q = map_at(NULL, -1, pages, PROT_NONE, ANON_SHARED, 0);
	now = committed() - before;
	ok(now > 15000 && now < 20000, "16 MiB of shared memory are promised at once");
	unmap(q, pages);
	q = map_at(NULL, -1, pages, RW, ANON_SHARED | MAP_NORESERVE, 0);
	now = committed() - before;
	ok(now < 4096, "... with MAP_NORESERVE they aren't");
	unmap(q, pages);
	fd = syscall(SYS_memfd_create, "m", 0);
	ftruncate(fd, 16 * MIB);
	q = map_file(fd, pages, RW, MAP_SHARED);
	now = committed() - before;
	ok(now < 4096, "... nor a file's");
	touch(q, 512);
	now = committed() - before;
	ok(now >= 2000 && now < 8192, "... but what of it is written");
	unmap(q, pages);
	q = map_file(fd, pages, RW, MAP_PRIVATE);
	now = committed() - before;
	ok(now > 15000 && now < 30000, "a private mapping may all be copied");
	unmap(q, pages);
	close(fd);
	now = committed() - before;
	ok(now < 2048, "... given back");
	is(raw_mmap(0, 1UL << 45, RW, ANON_SHARED, -1, 0), -ENOMEM,
	   "more than there can ever be: ENOMEM");
	ok(raw_mmap(0, 1UL << 40, RW, ANON_SHARED | MAP_NORESERVE, -1, 0) > 0,
	   "... with MAP_NORESERVE: mapped");
	fd = syscall(SYS_memfd_create, "m", 0);
	is(ftruncate(fd, 1L << 50), 0, "nor does a file's size matter");
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "visitor", visitor }, { NULL, NULL } };

	tap_start(argc, argv, modes);
	forks_start();
	catch_faults();
	named();
	memfds();
	anonymous();
	promises();
	return done_testing();
}
