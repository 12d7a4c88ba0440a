/* SPDX-License-Identifier: MIT */
/* Memory that is new to a program has nothing in it, whoever had it last. */
#include "signals.h"
#include <sys/shm.h>

static unsigned char buf[4096] __attribute__((aligned(16)));

#define SECRET	     0x5ec2e75ec2e75ec2UL
#define SECRET_PAGES 2048UL

/* A child fills memory of all kinds with a secret, and is gone. */
static void leave_secrets(void)
{
	pid_t pid = fork();

	if (!pid) {
		unsigned long *anon = (void *)fresh(SECRET_PAGES, RW);
		unsigned long *shared =
			mmap(NULL, SECRET_PAGES * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		int fd = open("/tmp/attack-secret", O_RDWR | O_CREAT | O_TRUNC, 0600), pipes[2];

		for (unsigned long i = 0; i < SECRET_PAGES * PAGE / 8; i++)
			anon[i] = shared[i] = SECRET;
		for (int i = 0; i < 64; i++)
			if (write(fd, anon, PAGE) != (long)PAGE)
				_exit(1);
		if (pipe(pipes) || write(pipes[1], anon, 16384) != 16384)
			_exit(1);
		unlink("/tmp/attack-secret");
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* Words that aren't zero. */
static unsigned long words_in(const void *p, unsigned long bytes)
{
	const unsigned long *w = p;
	unsigned long n = 0;

	for (unsigned long i = 0; i < bytes / 8; i++)
		n += w[i] != 0;
	return n;
}

static unsigned char bss[64 * 4096] __attribute__((aligned(4096)));

__attribute__((noinline)) static unsigned long new_stack(void)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0) & ~(PAGE - 1);

	/* Far below what was ever used: it grows by being looked at. */
	return words_in((void *)(here - 128 * PAGE), 64 * PAGE);
}

static int in_new_program(int argc, char **argv)
{
	unsigned long heap;

	(void)argc, (void)argv;
	NEED(words_in(bss, sizeof(bss)) == 0);
	NEED(new_stack() == 0);
	heap = syscall(SYS_brk, 0);
	syscall(SYS_brk, heap + 64 * PAGE);
	NEED(words_in((void *)((heap + 7) & ~7UL), 64 * PAGE - 8) == 0);
	return 0;
}

static void files_have_nothing_more(void)
{
	int fd = open("/tmp/attack-new", O_RDWR | O_CREAT | O_TRUNC, 0600);
	unsigned char *p;

	is(pwrite(fd, "x", 1, 0), 1, "a file of one byte");
	p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	is(p[0], 'x', "has it");
	p[0] = 0;
	is(words_in(p, PAGE), 0, "and nothing behind its end");
	is(ftruncate(fd, 64 * PAGE), 0, "made longer");
	is(pread(fd, buf, sizeof(buf), 0), sizeof(buf), "it is read");
	is(words_in(buf, sizeof(buf)), 0, "and there is nothing more");
	munmap(p, PAGE);
	p = mmap(NULL, 64 * PAGE, RW, MAP_SHARED, fd, 0);
	is(words_in(p + PAGE, 63 * PAGE), 0, "holes are empty, mapped");
	munmap(p, 64 * PAGE);
	is(pread(fd, buf, sizeof(buf), 70 * PAGE), 0, "nothing beyond");
	is(ftruncate(fd, 100), 0, "cut within a page");
	is(ftruncate(fd, PAGE), 0, "and made longer again");
	is(pread(fd, buf, PAGE, 0), PAGE, "what was cut off");
	is(words_in(buf + 104, PAGE - 104), 0, "doesn't come back");
	close(fd);
	unlink("/tmp/attack-new");
}

static void pages(void)
{
	unsigned long *p;
	int fd, id;

	leave_secrets();
	p = (void *)fresh(SECRET_PAGES, RW);
	is(words_in(p, SECRET_PAGES * PAGE), 0, "anonymous memory, read first, is empty");
	leave_secrets();
	for (unsigned long i = 1; i < SECRET_PAGES; i++)
		p[i * PAGE / 8] = 1;
	is(words_in(p, SECRET_PAGES * PAGE), SECRET_PAGES - 1, "written first, too");
	raw_munmap((unsigned long)p, SECRET_PAGES * PAGE);
	leave_secrets();
	p = mmap(NULL, SECRET_PAGES * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	is(words_in(p, SECRET_PAGES * PAGE), 0, "so is shared memory");
	munmap(p, SECRET_PAGES * PAGE);
	leave_secrets();
	id = shmget(IPC_PRIVATE, 256 * PAGE, 0600);
	p = shmat(id, NULL, 0);
	shmctl(id, IPC_RMID, NULL);
	is(words_in(p, 256 * PAGE), 0, "and a System V segment");
	shmdt(p);
	leave_secrets();
	fd = syscall(SYS_memfd_create, "leak", 0);
	is(ftruncate(fd, 256 * PAGE), 0, "a memfd");
	p = mmap(NULL, 256 * PAGE, RW, MAP_PRIVATE, fd, 0);
	for (unsigned long i = 0; i < 256; i++)
		p[i * PAGE / 8] = 0;
	is(words_in(p, 256 * PAGE), 0, "copies of a memfd's holes");
	munmap(p, 256 * PAGE);
	close(fd);
	leave_secrets();
	p = mmap(NULL, 256 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	is(words_in(p, 256 * PAGE), 0, "populated memory");
	munmap(p, 256 * PAGE);
	leave_secrets();
	exits("new-program", 0, "a new program's bss, stack and heap");
	leave_secrets();
	files_have_nothing_more();
}

static const struct mode modes[] = { { "new-program", in_new_program }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	pages();
	return done_testing();
}
