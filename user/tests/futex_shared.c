/* SPDX-License-Identifier: MIT */
/* futex(2) between processes and mappings: a shared word is the page's, a private one the address's. */
#include "futexes.h"

static struct waiter w[2];
static volatile int *words; /* words[0]: the futex; the others: what is told */

static long wait_word(volatile int *word, int op)
{
	return raw(SYS_futex, word, F_WAIT | op, *word, NULL);
}

struct task {
	volatile int *word;
	int op;
};

static int wait_in_child(void *arg)
{
	const struct task *task = arg;

	words[1] = 1;
	words[2] = wait_word(task->word, task->op);
	words[1] = 2;
	return 0;
}

static pid_t child_waits(volatile int *word, int op)
{
	struct task task = { word, op };
	pid_t pid;

	words[1] = 0;
	pid = fork_child(wait_in_child, &task);
	await(&words[1], 1);
	ok(SLEEPS(pid), "a child waits");
	return pid;
}

/* Ends a child that nobody could wake. */
static void end(pid_t pid)
{
	is(words[1], 1, "the child still waits");
	raw(SYS_kill, pid, SIGKILL);
	is(status_of(pid), SIGKILL, "and is killed");
}

static void processes(void)
{
	volatile int *private = (int *)fresh(1, RW);
	pid_t pid;

	pid = child_waits(&words[0], 0);
	is(wake(&words[0], 10, F_PRIVATE), 0, "a private wake doesn't reach another process");
	is(wake(&words[4], 10, 0), 0, "nor does another word of the page");
	is(wake(&words[0], 10, 0), 1, "a shared one does");
	is(status_of(pid), 0, "it ends");
	is(words[2], 0, "with 0");
	pid = child_waits(&words[0], F_PRIVATE);
	is(wake(&words[0], 10, 0), 0, "who waits as private isn't reached");
	is(wake(&words[0], 10, F_PRIVATE), 0, "by anyone of another process");
	end(pid);
	private[0] = 0;
	pid = child_waits(private, 0);
	is(wake(private, 10, 0), 0, "a word of private memory isn't shared, whatever the call");
	end(pid);
	/* Before anybody has written to it, the page is one and the same in both. */
	raw_madvise((unsigned long)private, PAGE, MADV_DONTNEED);
	is(private[0], 0, "private memory that was only read");
	pid = child_waits(private, 0);
	is(wake(private, 10, 0), 0, "isn't shared either");
	end(pid);
	raw_munmap((unsigned long)private, PAGE);
}

static void copy_on_write(void)
{
	volatile int *private = (int *)fresh(1, RW);
	pid_t pid;

	private[0] = 3;
	ok(wait_on(&w[0], private, F_ANY, 0), "a thread waits in private memory");
	words[3] = 0;
	pid = raw(SYS_fork);
	if (pid == 0) {
		private[1] = 1;
		if (wake(private, 10, 0) != 0)
			raw(SYS_exit_group, 1);
		raw(SYS_exit_group, await(&words[3], 1) ? 0 : 2);
	}
	/* The write copies the page: the word is where it was, in another page. */
	private[0] = 4;
	words[3] = 1;
	is(status_of(pid), 0, "a child's wake there wakes nobody");
	is(wake(private, 10, 0), 1, "the word's page is copied: the waiter is found all the same");
	join_all(w, 1, private, NULL);
	raw_munmap((unsigned long)private, PAGE);
}

static void mappings(void)
{
	int fd = open("/tmp/futex-shared", O_RDWR | O_CREAT | O_TRUNC, 0600);
	volatile int *a, *b, *read_only, *private;
	char zero[2 * PAGE];
	pid_t pid;

	memset(zero, 0, sizeof(zero));
	if (!ok(fd >= 0 && write(fd, zero, sizeof(zero)) == (long)sizeof(zero),
		"a file of two pages"))
		return;
	a = (int *)raw_mmap(0, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	b = (int *)raw_mmap(0, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	read_only = (int *)raw_mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	private = (int *)raw_mmap(0, PAGE, RW, MAP_PRIVATE, fd, 0);
	ok((long)a > 0 && (long)b > 0 && a != b, "mapped at two places");
	ok(wait_on(&w[0], a, F_ANY, 0), "a thread waits at one");
	is(wake(b, 10, F_PRIVATE), 0, "a private wake at the other doesn't find it");
	is(wake(b + 1, 10, 0), 0, "nor a shared one for another word");
	is(wake(b + PAGE / 4, 10, 0), 0, "or another page");
	is(wake(private, 10, 0), 0, "or a private mapping of the page");
	is(wake(b, 10, 0), 1, "a shared one does");
	join_all(w, 1, a, NULL);
	ok(wait_on(&w[0], read_only, F_ANY, 0), "a thread waits where it can only read");
	is(wake(a, 10, 0), 1, "and is woken where one can write");
	join_all(w, 1, a, NULL);
	ok(wait_on(&w[0], a, F_ANY, F_PRIVATE), "a private wait");
	is(wake(b, 10, F_PRIVATE), 0, "belongs to the address");
	is(wake(a, 10, F_PRIVATE), 1, "where it is woken");
	join_all(w, 1, a, NULL);
	pid = child_waits(b + PAGE / 4, 0);
	is(wake(a + PAGE / 4, 10, 0), 1, "a child at another address of the second page");
	is(status_of(pid), 0, "is woken");
	/* The file's page may be gone from the mapping: its word is the same. */
	ok(wait_on(&w[0], a, F_ANY, 0), "a thread waits");
	raw_madvise((unsigned long)a, 2 * PAGE, MADV_DONTNEED);
	raw_madvise((unsigned long)b, 2 * PAGE, MADV_DONTNEED);
	is(wake(b, 10, 0), 1, "woken after the page was dropped from both mappings");
	join_all(w, 1, a, NULL);
	is(raw(SYS_futex, a, F_CMP_REQUEUE, 0, 10, b, *a), 0,
	   "to move to the same word moves nobody");
	ok(wait_on(&w[0], a, F_ANY, 0), "a thread waits");
	is(raw(SYS_futex, a, F_CMP_REQUEUE, 0, 10, b + PAGE / 4, *a), 1, "moved to another page");
	is(wake(a + PAGE / 4, 10, 0), 1, "woken there");
	join_all(w, 1, a, b + PAGE / 4);
	raw_munmap((unsigned long)a, 2 * PAGE);
	raw_munmap((unsigned long)b, 2 * PAGE);
	raw_munmap((unsigned long)read_only, PAGE);
	raw_munmap((unsigned long)private, PAGE);
	close(fd);
	unlink("/tmp/futex-shared");
}

/* Two mappings of anonymous shared memory are two memories. */
static void others(void)
{
	volatile int *other = shared_words();
	char *read_only = fresh(1, RW);
	pid_t pid = child_waits(&words[0], 0);

	is(wake(other, 10, 0), 0, "another shared page wakes nobody");
	is(wake(&words[0], 10, 0), 1, "only the one that is waited for");
	is(status_of(pid), 0, "the child ends");
	raw_munmap((unsigned long)other, PAGE);
	touch(read_only, 1);
	raw_mprotect((unsigned long)read_only, PAGE, PROT_READ);
	is(wake((volatile int *)read_only, 10, 0), -EFAULT,
	   "private memory without write permission can't be a shared word");
	is(raw(SYS_futex, read_only, F_WAIT, 2, NULL), -EFAULT, "for a wait too");
	is(raw(SYS_futex, read_only, F_WAIT | F_PRIVATE, 2, NULL), -EAGAIN, "but a private one");
	raw_munmap((unsigned long)read_only, PAGE);
	/* Memory that ends under a waiter: it can still be interrupted. */
	other = shared_words();
	ok(wait_on(&w[0], other, F_ANY, 0), "a thread waits");
	raw_munmap((unsigned long)other, PAGE);
	catch_with(SIGUSR1, note_signal, 0, 0);
	is(wake(other, 1, 0), -EFAULT, "for a word that is unmapped");
	raw(SYS_tgkill, getpid(), w[0].thread.tid, SIGUSR1);
	thread_join(&w[0].thread);
	is(w[0].result, -EINTR, "a signal ends that");
	set_plain(SIGUSR1, SIG_DFL);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	processes();
	copy_on_write();
	mappings();
	others();
	return done_testing();
}
