/* SPDX-License-Identifier: MIT */
/* process_vm_readv and process_vm_writev: from one program's memory to another's. */
#include "procs.h"
#include <sys/uio.h>

#ifndef IOV_MAX
#define IOV_MAX 1024
#endif

static volatile int *words;
static pid_t self;

/* Between one buffer here and one there; -errno. */
static long vm_read(pid_t pid, void *here, size_t n, const void *there, size_t m)
{
	struct iovec l = { here, n }, r = { (void *)there, m };

	return raw(SYS_process_vm_readv, pid, &l, 1, &r, 1, 0);
}

static long vm_write(pid_t pid, const void *here, size_t n, void *there, size_t m)
{
	struct iovec l = { (void *)here, n }, r = { there, m };

	return raw(SYS_process_vm_writev, pid, &l, 1, &r, 1, 0);
}

static long readv_of(pid_t pid, const struct iovec *l, unsigned long nl, const struct iovec *r,
		     unsigned long nr)
{
	return raw(SYS_process_vm_readv, pid, l, nl, r, nr, 0);
}

static void arguments(void)
{
	static struct iovec many[IOV_MAX + 1];
	static char buf[64];
	struct iovec iov = { buf, 8 }, none = { buf, 0 }, odd = { buf, -1 };
	struct iovec kernel = { (void *)0xffff888000000000, 8 };
	const pid_t nobody = 0x7ffffff0;

	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = (struct iovec){ buf, 1 };
	is(raw(SYS_process_vm_readv, nobody, NULL, 1, NULL, 1, 1), -EINVAL, "flags: EINVAL, first");
	is(raw(SYS_process_vm_writev, self, &iov, 1, &iov, 1, 1UL << 63), -EINVAL, "... any");
	is(readv_of(nobody, NULL, 0, NULL, 1), 0, "no buffer here: 0, whatever is there");
	is(readv_of(nobody, &none, 1, NULL, 1), 0, "... or an empty one");
	is(readv_of(nobody, &iov, 1, NULL, 0), 0, "no buffer there: 0, whoever it is");
	is(readv_of(nobody, &iov, 1, &none, 1), 0, "... or an empty one");
	is(readv_of(self, many, IOV_MAX + 1, many, 1), -EINVAL, "too many here: EINVAL");
	is(readv_of(self, many, 1, many, IOV_MAX + 1), -EINVAL, "... there");
	is(readv_of(self, many, IOV_MAX, many, IOV_MAX), IOV_MAX, "as many as may be");
	is(readv_of(nobody, NULL, 1, many, 1), -EFAULT, "bad pointer to the buffers here: EFAULT");
	is(readv_of(nobody, many, 1, NULL, 1), -EFAULT, "... there");
	is(readv_of(nobody, &odd, 1, many, 1), -EINVAL, "a length that is no size here: EINVAL");
	is(readv_of(nobody, many, 1, &odd, 1), -EINVAL, "... there");
	is(readv_of(nobody, &kernel, 1, many, 1), -EFAULT, "a buffer of the kernel's here: EFAULT");
	is(readv_of(nobody, many, 1, &kernel, 1), -ESRCH, "no such process: ESRCH");
	is(readv_of(self, many, 1, &kernel, 1), -EFAULT, "a buffer of the kernel's there: EFAULT");
	is(readv_of(0, many, 1, many, 1), -ESRCH, "process 0: ESRCH");
	is(readv_of(-1, many, 1, many, 1), -ESRCH, "process -1: ESRCH");
	is(readv_of(-self, many, 1, many, 1), -ESRCH, "no group: ESRCH");
	odd = (struct iovec){ (void *)-100, 200 };
	is(readv_of(self, &iov, 1, &odd, 1), -EFAULT, "a buffer there that wraps around: EFAULT");
	is(readv_of(raw(SYS_getppid), &iov, 1, &iov, 1), -EPERM, "another user's: EPERM");
	is(readv_of(my_tid(), &iov, 1, &iov, 1), 8, "a thread's number will do");
}

static void oneself(void)
{
	char *p = island(3, RW), *q = island(3, RW), here[16];

	for (unsigned long i = 0; i < 3 * PAGE; i++)
		p[i] = i % 251;
	is(vm_read(self, q, 3 * PAGE, p, 3 * PAGE), 3 * PAGE, "read of three pages");
	ok(memcmp(p, q, 3 * PAGE) == 0, "... as they are");
	is(vm_read(self, q, 100, p + PAGE - 50, 3 * PAGE), 100, "as much as there is room for");
	ok(memcmp(q, p + PAGE - 50, 100) == 0, "... from across a page's end");
	is(vm_read(self, q + 1, 3 * PAGE - 1, p + 2 * PAGE + 10, 77), 77,
	   "as much as is asked for");
	is(vm_write(self, "here", 4, q + 5, 4), 4, "written");
	ok(memcmp(q + 5, "here", 4) == 0, "... is there");
	is(vm_read(self, here, 16, here, 16), 16, "onto itself");
	is(vm_read(self, p, PAGE, p + 100, PAGE), PAGE, "overlapping");
}

/* A list of ranges whose bytes are `want`, against one buffer. */
static void vectors(void)
{
	static struct iovec l[64], r[64];
	char *p = island(8, RW), *q = island(8, RW);
	unsigned long n = 0, m = 0;
	bool same = true;

	for (unsigned long i = 0; i < 8 * PAGE; i++)
		p[i] = i % 241;
	for (size_t i = 0; i < COUNT(l); i++) {
		l[i] = (struct iovec){ q + n, i % 7 * 53 };
		n += l[i].iov_len;
		r[i] = (struct iovec){ p + (i * 509), i % 5 * 97 };
		m += r[i].iov_len;
	}
	n = n < m ? n : m;
	is(readv_of(self, l, COUNT(l), r, COUNT(r)), n,
	   "many buffers of other sizes on either side");
	m = 0;
	for (size_t i = 0; i < COUNT(r); i++)
		for (size_t j = 0; j < r[i].iov_len && m < n; j++)
			same &= q[m++] == p[i * 509 + j];
	ok(same, "... each byte from its place");
}

static void holes(void)
{
	char *p = island(4, RW), *q = island(4, RW);
	struct iovec l = { q, 4 * PAGE }, r[3];

	memset(p, 'p', 4 * PAGE);
	raw_munmap((long)p + PAGE, PAGE);
	is(vm_read(self, q, 4 * PAGE, p + 10, 4 * PAGE - 10), PAGE - 10, "up to a hole there");
	is(vm_write(self, q, 4 * PAGE, p + 10, 4 * PAGE - 10), PAGE - 10, "... written");
	is(vm_read(self, q, 4 * PAGE, p + PAGE, PAGE), -EFAULT, "in the hole: EFAULT");
	r[0] = (struct iovec){ p, 20 };
	r[1] = (struct iovec){ p + PAGE + 20, 20 };
	r[2] = (struct iovec){ p + 2 * PAGE, 20 };
	is(readv_of(self, &l, 1, r, 3), 20, "the second of three in it: the first");
	is(readv_of(self, &l, 1, r + 1, 2), -EFAULT, "the first of two: EFAULT");
	r[1].iov_len = 0;
	is(readv_of(self, &l, 1, r, 3), 40, "an empty one in it is none");
	raw_munmap((long)q + PAGE, PAGE);
	is(vm_read(self, q + 6, 2 * PAGE, p + 2 * PAGE, 2 * PAGE), PAGE - 6, "up to a hole here");
	is(vm_write(self, q + 6, 2 * PAGE, p + 2 * PAGE, 2 * PAGE), PAGE - 6, "... written");
	is(vm_read(self, q + PAGE, 10, p, 10), -EFAULT, "in the hole: EFAULT");
	is(vm_write(self, q + PAGE, 10, p, 10), -EFAULT, "... written");
}

/* No debugger: rights are the other's. */
static void rights(void)
{
	char *p = island(4, RW), c = 'n';
	struct area stack;

	p[PAGE] = 'r';
	raw_mprotect((long)p, PAGE, PROT_NONE);
	raw_mprotect((long)p + PAGE, PAGE, PROT_READ);
	is(vm_read(self, &c, 1, p, 1), -EFAULT, "PROT_NONE, read: EFAULT");
	is(vm_write(self, &c, 1, p, 1), -EFAULT, "... written");
	is(vm_read(self, &c, 1, p + PAGE, 1), 1, "PROT_READ, read");
	is(c, 'r', "... right");
	is(vm_write(self, "x", 1, p + PAGE, 1), -EFAULT, "... written: EFAULT");
	is(peek(p + PAGE), 'r', "... is unchanged");
	is(vm_read(self, &c, 1, p + 2 * PAGE, 1), 1, "untouched: read");
	is(c, 0, "... 0");
	is(vm_write(self, "w", 1, p + 3 * PAGE, 1), 1, "untouched: written");
	is(peek(p + 3 * PAGE), 'w', "... there");
	area_named("[stack]", &stack);
	is(vm_write(self, "s", 1, (char *)stack.start - 8, 1), -EFAULT,
	   "a stack doesn't grow: EFAULT");
	is(vm_read(self, &c, 1, (char *)stack.start - 8, 1), -EFAULT, "... to be read");
	c = stack.start == (area_named("[stack]", &stack) ? stack.start : 0);
	is(c, 1, "... and hasn't");
}

/* --- another process ---------------------------------------------------------------------------- */

static char *pages;

static int subject(void *arg)
{
	(void)arg;
	pages[0] = 'c';
	raw(SYS_prctl, PR_SET_DUMPABLE, words[2]);
	words[0] = 1;
	NEED(await(&words[1], 1));
	NEED_IS(pages[0], 'd');
	NEED_IS(pages[PAGE], 'e');
	NEED_IS(pages[2 * PAGE], 'p');
	return 0;
}

static void child(void)
{
	char c = 0, got[3];
	pid_t pid;

	pages = fresh(3, RW);
	for (int i = 0; i < 3; i++)
		pages[i * PAGE] = 'p';
	words[0] = words[1] = 0;
	words[2] = 1;
	pid = fork_child(subject, NULL);
	await(&words[0], 1);
	is(vm_read(pid, &c, 1, pages, 1), 1, "a child's memory");
	is(c, 'c', "... is its own");
	is(vm_read(pid, got, 1, pages + 2 * PAGE, 1), 1, "a page it still shares");
	is(got[0], 'p', "... read");
	is(vm_write(pid, "d", 1, pages, 1), 1, "written");
	is(vm_write(pid, "e", 1, pages + PAGE, 1), 1, "... to a page that is shared");
	is(pages[0] + pages[PAGE], 2 * 'p', "... and not to the parent's");
	words[1] = 1;
	ok(UNTIL(state_of(pid) == 'Z'), "it ends");
	is(vm_read(pid, &c, 1, pages, 1), -ESRCH, "a zombie has no memory: ESRCH");
	is(status_of(pid), 0, "the child saw what was written");
	is(vm_read(pid, &c, 1, pages, 1), -ESRCH, "gone: ESRCH");
}

static int other_thread(void *arg)
{
	NEED(await((volatile int *)arg, 1));
	return 0;
}

static void threads(void)
{
	static struct thread thread;
	long tid;
	char c = 0;

	words[0] = 0;
	tid = thread_start(&thread, other_thread, (void *)&words[0]);
	pages[0] = 't';
	is(vm_read(tid, &c, 1, pages, 1), 1, "by another thread's number");
	is(c, 't', "... the same memory");
	words[0] = 1;
	thread_join(&thread);
}

/* Who isn't dumpable is closed to others of the same user, and open to itself. */
static void dumpable(void)
{
	char c = 0;
	pid_t pid;

	words[0] = words[1] = words[2] = 0;
	pid = fork_child(subject, NULL);
	await(&words[0], 1);
	is(vm_read(pid, &c, 1, pages, 1), -EPERM, "a child that isn't dumpable: EPERM");
	is(vm_write(pid, &c, 1, pages, 1), -EPERM, "... written");
	raw(SYS_kill, pid, SIGKILL);
	is(status_of(pid), SIGKILL, "... killed");
	raw(SYS_prctl, PR_SET_DUMPABLE, 0);
	is(vm_read(self, &c, 1, pages, 1), 1, "not dumpable oneself: no matter");
	raw(SYS_prctl, PR_SET_DUMPABLE, 1);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	self = my_pid();
	words = shared_words();
	arguments();
	oneself();
	vectors();
	holes();
	rights();
	child();
	threads();
	dumpable();
	return done_testing();
}
