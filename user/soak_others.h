/* SPDX-License-Identifier: MIT */
/*
 * soak_others.h: what a worker does beside changing its region: processes, threads, signals, files,
 * shared memory, and looks at others.
 */
#ifndef USER_SOAK_OTHERS_H
#define USER_SOAK_OTHERS_H

#include "soak_memory.h"
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/time.h>

#define LEAF_STATUS 7

/* --- processes -------------------------------------------------------------------------------- */

static void do_memory(struct worker *w, int n);

static int in_fork(struct worker *w)
{
	long before = own_complaints;

	w->alone = true;
	for (int i = 0; i < 8; i++)
		check_page(w, below(w, REGION));
	do_memory(w, 12);
	for (unsigned long i = 0; i < REGION; i++)
		check_page(w, i);
	return own_complaints != before;
}

static void check_end(pid_t pid, int want, const char *what)
{
	int status;

	if (pid < 0) {
		if (pid != -EAGAIN)
			got(pid, 0, what);
		return;
	}
	status = status_of(pid);
	if (status != want)
		wrong("%s: the status is 0x%x, wanted 0x%x", what, status, want);
}

/* The child has the region as it is now, and its own from then on. */
static void op_fork(struct worker *w)
{
	long pid = raw(SYS_fork);

	if (pid == 0)
		raw(SYS_exit_group, in_fork(w));
	write_page(w, below(w, REGION));
	check_end(pid, 0, "fork");
	for (int i = 0; i < 8; i++)
		check_page(w, below(w, REGION));
}

/* A new program: it looks around for a moment and exits. */
static int leaf(int argc, char **argv)
{
	volatile unsigned long *p = (void *)fresh(64, RW);
	unsigned long sum = 0;

	for (unsigned long i = 0; i < 64 * WORDS; i += 32)
		sum += p[i]++;
	return sum || my_tid() != my_pid() ? 1 : LEAF_STATUS;
}

static int execute_leaf(void *arg)
{
	char *argv[] = { (char *)tap.path, "leaf", NULL }, *none[] = { NULL };

	(void)arg;
	raw(SYS_execve, tap.path, argv, none);
	return 99;
}

static void op_exec(struct worker *w)
{
	check_end(fork_child(execute_leaf, NULL), LEAF_STATUS << 8, "execve");
	check_page(w, below(w, REGION));
}

static void op_vfork(struct worker *w)
{
	char *stack = (char *)raw(SYS_mmap, 0, STACK_PAGES * PAGE, RW, ANON, -1, 0);

	if (is_error((long)stack)) {
		got((long)stack, 0, "mmap");
		return;
	}
	check_end(clone_fn(CLONE_VM | CLONE_VFORK | SIGCHLD, stack, execute_leaf, NULL, NULL, NULL,
			   0),
		  LEAF_STATUS << 8, "vfork and execve");
	got(raw(SYS_munmap, stack, STACK_PAGES * PAGE), 0, "munmap");
	check_page(w, below(w, REGION));
}

/* --- threads ---------------------------------------------------------------------------------- */

static int short_thread(void *arg)
{
	struct worker *w = arg;
	volatile unsigned long *p = (void *)raw(SYS_mmap, 0, 8 * PAGE, RW, ANON, -1, 0);
	unsigned long value;

	if (is_error((long)p))
		return 0;
	for (unsigned long i = 0; i < 8 * WORDS; i += WORDS / 2)
		p[i] = i;
	probe_load((void *)page_of(w, w->round % REGION), &value);
	raw(SYS_munmap, p, 8 * PAGE);
	return 0;
}

static void op_thread(struct worker *w)
{
	struct thread threads[3];
	int n = 1 + below(w, COUNT(threads));

	for (int i = 0; i < n; i++) {
		threads[i] = (struct thread){ .stack = (char *)raw(SYS_mmap, 0, STACK_PAGES * PAGE,
								   RW, ANON, -1, 0) };
		if (is_error((long)threads[i].stack))
			threads[i].stack = NULL;
		else if (clone_fn(THREAD_FLAGS, threads[i].stack, short_thread, w, &threads[i].tid,
				  &threads[i].tid, 0) < 0)
			threads[i].tid = 0;
	}
	for (int i = n - 1; i >= 0; i--)
		thread_join(&threads[i]);
}

static void op_affinity(struct worker *w)
{
	unsigned long mask = 0;
	long ret;

	if (below(w, 2))
		mask = 1UL << cpu_numbers[below(w, cpu_count)];
	else
		for (int i = 0; i < cpu_count; i++)
			mask |= 1UL << cpu_numbers[i];
	ret = raw(SYS_sched_setaffinity, 0, sizeof(mask), &mask);
	if (ret)
		wrong("sched_setaffinity: %ld", ret);
	raw(SYS_sched_yield);
}

/* --- futex, signals --------------------------------------------------------------------------- */

static volatile int mutex; /* 0: free, 1: held, 2: held and somebody may wait */
static volatile long under_mutex[2];

static void op_futex(struct worker *w)
{
	struct timespec moment = { 0, 2000000 };
	int was = 0;
	long ret;

	if (w->alone || below(w, 4) == 0) {
		/* Across processes: what comes of it depends on the others. */
		ret = raw(SYS_futex, &shared->word, 0, shared->word, &moment);
		if (ret && ret != -EAGAIN && ret != -ETIMEDOUT && ret != -EINTR)
			wrong("futex: %ld", ret);
		return;
	}
	shared->word++;
	raw(SYS_futex, &shared->word, 1, 2);
	if (!__atomic_compare_exchange_n(&mutex, &was, 1, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		while (__atomic_exchange_n(&mutex, 2, __ATOMIC_SEQ_CST) != 0)
			raw(SYS_futex, &mutex, FUTEX_WAIT_PRIVATE_, 2, NULL);
	if (under_mutex[0] != under_mutex[1])
		wrong("two threads hold one mutex");
	under_mutex[0]++;
	if (below(w, 4) == 0)
		raw(SYS_sched_yield);
	under_mutex[1]++;
	if (__atomic_exchange_n(&mutex, 0, __ATOMIC_SEQ_CST) == 2)
		raw(SYS_futex, &mutex, FUTEX_WAKE_PRIVATE_, 1);
}

static volatile long signals_sent, signals_handled;

static void count_signal(int sig)
{
	(void)sig;
	__atomic_add_fetch(&signals_handled, 1, __ATOMIC_SEQ_CST);
}

static void op_signal(struct worker *w)
{
	struct itimerval soon = { { 0, 0 }, { 0, 1 + below(w, 3000) } };
	long ret = 0;
	int to;

	if (w->alone)
		return;
	switch (below(w, 3)) {
	case 0:
		to = workers[below(w, shared->threads)].thread.tid;
		if (to > 0)
			ret = raw(SYS_tgkill, my_pid(), to, SIGUSR1);
		break;
	case 1:
		ret = raw(SYS_kill, my_pid(), SIGUSR1);
		break;
	default:
		ret = raw(SYS_setitimer, ITIMER_REAL, &soon, NULL);
	}
	if (ret)
		wrong("a signal can't be sent: %ld", ret);
}

/* --- files ------------------------------------------------------------------------------------ */

static void file_words(struct worker *w, int file, unsigned long page)
{
	unsigned long words[8], at = (page + 1) * PAGE - sizeof(words) / 2;
	long n = raw(SYS_pread64, FILE_FD + file, words, sizeof(words), at);

	if (n < 0 || n % 8)
		wrong("pread: %ld", n);
	for (long i = 0; i < n / 8; i++)
		if (!of_file(words[i], file, page + (i >= 4)))
			wrong("file %d, page %lu has 0x%lx", file, page, words[i]);
	for (int i = 0; i < 8; i++)
		words[i] = file_tag(file, page + (i >= 4)) + w->index;
	n = raw(SYS_pwrite64, FILE_FD + file, words, sizeof(words), at);
	if (n != sizeof(words))
		got(n == -ENOSPC ? -ENOMEM : n, sizeof(words), "pwrite");
}

static void op_file(struct worker *w)
{
	int file = below(w, FILES);
	unsigned long page = below(w, FILE_PAGES - 1), size = below(w, FILE_PAGES + 1) * PAGE;
	long ret;

	switch (below(w, 8)) {
	case 0:
		got(raw(SYS_ftruncate, FILE_FD + file, size - (size ? 8 * below(w, WORDS) : 0)), 0,
		    "ftruncate");
		break;
	case 1: /* a hole; room, whose making a signal may stop */
		ret = raw(SYS_fallocate, FILE_FD + file, below(w, 2) ? 3 : 0, page * PAGE,
			  3 * PAGE);
		got(ret == -EINTR ? 0 : ret, 0, "fallocate");
		break;
	default:
		file_words(w, file, page);
	}
}

/* Mapped, shared or private: a word of the file, or SIGBUS behind its end. */
static void op_mapped(struct worker *w)
{
	int file = below(w, FILES), flags = below(w, 2) ? MAP_SHARED : MAP_PRIVATE;
	volatile unsigned long *p =
		(void *)raw(SYS_mmap, 0, FILE_PAGES * PAGE, RW,
			    flags | (below(w, 4) ? 0 : MAP_POPULATE), FILE_FD + file, 0);

	if (is_error((long)p)) {
		got((long)p, 0, "mmap");
		return;
	}
	for (int i = 0; i < 12; i++) {
		unsigned long page = below(w, FILE_PAGES), word = below(w, WORDS), value = 0;
		long sig = probe_load(p + page * WORDS + word, &value);

		if (!sig && !of_file(value, file, page))
			wrong("file %d, page %lu, mapped: 0x%lx", file, page, value);
		if (!sig && below(w, 2))
			sig = probe_store(p + page * WORDS + word, file_tag(file, page) + w->index);
		if (sig && sig != SIGBUS)
			wrong("file %d, page %lu, mapped: signal %ld", file, page, sig);
	}
	if (below(w, 4) == 0)
		raw(SYS_msync, p, FILE_PAGES * PAGE, MS_SYNC);
	got(raw(SYS_munmap, p, FILE_PAGES * PAGE), 0, "munmap");
}

static void op_shm(struct worker *w)
{
	unsigned long pages = 1 + below(w, 12), value = tag_of(w->index) + w->round;
	long id = raw(SYS_shmget, IPC_PRIVATE, pages * PAGE, IPC_CREAT | 0600);
	volatile unsigned long *a, *b;

	if (id < 0) {
		got(id == -ENOSPC ? -ENOMEM : id, 0, "shmget");
		return;
	}
	a = (void *)raw(SYS_shmat, id, NULL, 0);
	b = (void *)raw(SYS_shmat, id, NULL, below(w, 2) ? SHM_RDONLY : 0);
	if (!is_error((long)a) && !is_error((long)b)) {
		for (unsigned long i = 0; i < pages; i++) {
			if (b[i * WORDS])
				wrong("new shared memory has 0x%lx", b[i * WORDS]);
			a[i * WORDS] = value + i;
			if (b[i * WORDS] != value + i)
				wrong("shared memory: 0x%lx, wanted 0x%lx", b[i * WORDS],
				      value + i);
		}
	}
	got(raw(SYS_shmctl, id, IPC_RMID, NULL), 0, "shmctl");
	if (!is_error((long)a))
		got(raw(SYS_shmdt, a), 0, "shmdt");
	if (!is_error((long)b))
		got(raw(SYS_shmdt, b), 0, "shmdt");
}

/* From one page of the region through a pipe to the worker's own memory. */
static void op_pipe(struct worker *w)
{
	unsigned long page = below(w, REGION);
	int fds[2];
	long n;

	if (raw(SYS_pipe2, fds, O_CLOEXEC) != 0)
		return;
	n = raw(SYS_write, fds[1], page_of(w, page), LAST * 8);
	if (n != (w->prot[page] > 0 ? (long)LAST * 8 : -EFAULT))
		got(n, LAST * 8, "write to a pipe");
	if (n > 0)
		got(raw(SYS_read, fds[0], w->scratch, sizeof(w->scratch)), n, "read from a pipe");
	for (long i = 0; i < n / 8; i++)
		if (w->scratch[i] != w->value[page])
			wrong("through a pipe came 0x%lx, wanted 0x%lx", w->scratch[i],
			      w->value[page]);
	raw(SYS_close, fds[0]);
	raw(SYS_close, fds[1]);
}

/* --- looks at others -------------------------------------------------------------------------- */

/* Lines of maps and smaps come in the order of addresses, whatever happens meanwhile. */
static void check_lines(const char *text, const char *path)
{
	unsigned long last = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		unsigned long start, end;
		char *at;

		line += *line == '\n';
		start = strtoul(line, &at, 16);
		/* A line of smaps that isn't an area's begins with a word; the last may be cut. */
		if (at == line || *at != '-' || !strchr(line, '\n'))
			continue;
		end = strtoul(at + 1, &at, 16);
		if (*at != ' ')
			continue;
		/* Two of them may have become one since the last read. */
		if (end <= last || start >= end)
			wrong("%s: area %lx-%lx after %lx", path, start, end, last);
		last = end;
	}
}

static void op_proc(struct worker *w)
{
	static const char *const files[] = { "maps",  "smaps", "smaps_rollup", "status",
					     "statm", "stat",  "pagemap" };
	const char *file = files[below(w, COUNT(files))];
	int pid = shared->pids[below(w, shared->slots)];
	char path[64], *text = (char *)raw(SYS_mmap, 0, 8 * PAGE, RW, ANON, -1, 0);
	long fd, n, used = 0;

	if (is_error((long)text))
		return;
	snprintf(path, sizeof(path), "/proc/%d/%s", below(w, 2) ? my_pid() : pid, file);
	fd = raw(SYS_open, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && strcmp(file, "pagemap") == 0) {
		n = raw(SYS_pread64, fd, text, REGION * 8,
			(unsigned long)region(below(w, SLOTS_MAX * THREADS_MAX)) / PAGE * 8);
		if (n % 8)
			wrong("%s: %ld", path, n);
	} else if (fd >= 0) {
		while ((n = raw(SYS_read, fd, text + used, 8 * PAGE - 1 - used)) > 0)
			used += n;
		check_lines(text, path);
	}
	if (fd >= 0)
		raw(SYS_close, fd);
	got(raw(SYS_munmap, text, 8 * PAGE), 0, "munmap");
}

/* Into another process's memory: an address tells whose tag is there. */
static void op_reach(struct worker *w)
{
	int slot = below(w, shared->slots), pid = shared->pids[slot];
	int index = slot * THREADS_MAX + below(w, shared->threads);
	unsigned long at = (unsigned long)region(index) + below(w, REGION - 1) * PAGE, value;
	struct iovec {
		void *base;
		unsigned long len;
	} here = { w->scratch, sizeof(w->scratch) }, there = { (void *)at, 2 * PAGE };
	long n = pid > 0 ? raw(SYS_process_vm_readv, pid, &here, 1, &there, 1, 0) : -ESRCH;

	for (long i = 0; i < n / 8; i++)
		if (!has_tag(w->scratch[i], index))
			wrong("process_vm_readv from %d: 0x%lx", index, w->scratch[i]);
	if (n < 0 && n != -EFAULT && n != -ESRCH && n != -EPERM)
		wrong("process_vm_readv: %ld", n);
	value = tag_of(index);
	here = (struct iovec){ &value, 8 };
	there = (struct iovec){ (void *)(at + LAST * 8), 8 };
	if (pid > 0 && !w->alone)
		raw(SYS_process_vm_writev, pid, &here, 1, &there, 1, 0);
}

static void op_rest(struct worker *w)
{
	struct timespec moment = { 0, below(w, 200000) };

	if (below(w, 2))
		raw(SYS_sched_yield);
	else
		raw(SYS_nanosleep, &moment, NULL);
}

/* --- the ends of a process -------------------------------------------------------------------- */

/* All threads go, whatever they are at; another process takes the slot. */
static void op_exit(struct worker *w)
{
	if (!w->alone && below(w, 4) == 0)
		raw(SYS_exit_group, 0);
}

/* The same process goes on as a new program, alone. */
static void op_exec_self(struct worker *w)
{
	unsigned long mask = BIT_OF(SIGALRM) | BIT_OF(SIGUSR1);
	long ret;
	char number[16], *argv[] = { (char *)tap.path, "worker", number, NULL }, *none[] = { NULL };

	if (w->alone || below(w, 4))
		return;
	snprintf(number, sizeof(number), "%d", w->slot);
	/* Until it has handlers again. */
	raw(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, 8);
	ret = raw(SYS_execve, tap.path, argv, none);
	wrong("execve: %ld", ret);
	raw(SYS_exit_group, 1);
}

#endif
