/* SPDX-License-Identifier: MIT */
/*
 * Threads in one address space: faults on one page at a time, areas that change under another
 * thread's feet, and the areas that each thread remembers.
 */
#include "procs.h"

#define PAGES 128

static volatile int step, ended;

/* --- the same pages at the same time ---------------------------------------------------------- */

static volatile unsigned long *field;

struct share {
	int number;
	bool yields;
};

/* Each thread has a word of its own in every page. */
static int write_words(void *arg)
{
	const struct share *share = arg;

	await(&step, 1);
	for (unsigned long i = 0; i < PAGES; i++) {
		field[i * PAGE / 8 + share->number] = i * 10 + share->number;
		if (share->yields)
			raw(SYS_sched_yield);
	}
	return 0;
}

static int read_words(void *arg)
{
	unsigned long sum = 0;

	await(&step, 1);
	for (unsigned long i = 0; i < PAGES; i++) {
		sum += field[i * PAGE / 8 + 8];
		raw(SYS_sched_yield);
	}
	return arg && sum ? 1 : 0;
}

static void same_pages(void)
{
	static const struct share shares[] = { { 0, true }, { 1, true }, { 2, false }, { 3, true } };
	struct thread threads[4], reader;
	long before, faults, wrong = 0;

	field = (void *)fresh(PAGES, RW);
	step = 0;
	for (int i = 0; i < 4; i++)
		thread_start(&threads[i], write_words, (void *)&shares[i]);
	thread_start(&reader, read_words, NULL);
	nap();
	before = minor_faults();
	step = 1;
	for (int i = 0; i < 4; i++)
		thread_join(&threads[i]);
	thread_join(&reader);
	faults = minor_faults() - before;
	for (unsigned long i = 0; i < PAGES; i++)
		for (int t = 0; t < 4; t++)
			wrong += field[i * PAGE / 8 + t] != i * 10 + t;
	is(wrong, 0, "what four threads wrote to the same new pages is all there");
	is(smaps((void *)field, "Rss"), PAGES * 4, "each page is there once");
	is(smaps((void *)field, "Private_Dirty"), PAGES * 4, "and private");
	/* A thread that comes second may have to fault once more, for the zero page or in a race. */
	ok(faults >= PAGES && faults <= 5 * PAGES + 64, "a plausible number of faults");
	raw_munmap((unsigned long)field, PAGES * PAGE);
}

/* --- areas that change -------------------------------------------------------------------------- */

static volatile char *page;
static volatile int reads, faults_seen, go_on, fault_code, fault_tid;
static volatile unsigned long fault_addr;

/* Stops the thread at its fault until it is told to go on, and then try again. */
static void wait_at_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	fault_code = info->si_code;
	fault_addr = (unsigned long)info->si_addr;
	fault_tid = my_tid();
	faults_seen++;
	await(&go_on, faults_seen);
}

static int keep_reading(void *arg)
{
	(void)arg;
	while (!ended) {
		if (page[77] == 'x')
			reads++;
		raw(SYS_sched_yield);
	}
	return 0;
}

static int keep_writing(void *arg)
{
	(void)arg;
	while (!ended) {
		page[78] = 'y';
		reads++;
		raw(SYS_sched_yield);
	}
	return 0;
}

static bool goes_on(void)
{
	int before = reads;

	return UNTIL(reads > before + 2);
}

static void begin(struct thread *thread, int (*fn)(void *))
{
	page = island(1, RW);
	page[77] = 'x';
	ended = faults_seen = go_on = reads = 0;
	catch_with(SIGSEGV, wait_at_fault, 0, 0);
	thread_start(thread, fn, NULL);
	ok(goes_on(), "a thread uses a page");
}

static void stop(struct thread *thread)
{
	ended = 1;
	thread_join(thread);
	set_plain(SIGSEGV, SIG_DFL);
	raw_munmap((unsigned long)page, PAGE);
}

static void changes(void)
{
	struct thread thread;
	int tid;

	begin(&thread, keep_reading);
	tid = thread.tid;
	is(raw_mprotect((unsigned long)page, PAGE, PROT_NONE), 0, "mprotect takes it away");
	ok(await(&faults_seen, 1), "the thread faults");
	is(fault_code, SEGV_ACCERR, "SEGV_ACCERR");
	is(fault_addr, (unsigned long)page + 77, "at the address it reads");
	is(fault_tid, tid, "the handler runs in it");
	raw_mprotect((unsigned long)page, PAGE, PROT_READ);
	go_on = 1;
	ok(goes_on(), "with the permission back it goes on");
	is(raw_munmap((unsigned long)page, PAGE), 0, "munmap takes it away");
	ok(await(&faults_seen, 2), "the thread faults");
	is(fault_code, SEGV_MAPERR, "SEGV_MAPERR");
	is(raw_mmap((unsigned long)page, PAGE, RW, ANON | MAP_FIXED, -1, 0), (long)page,
	   "a new page there");
	page[77] = 'x';
	go_on = 2;
	ok(goes_on(), "is what it then uses");
	is(faults_seen, 2, "without another fault");
	is(raw_madvise((unsigned long)page, PAGE, MADV_DONTNEED), 0, "MADV_DONTNEED");
	for (int i = 0; i < 20; i++)
		raw(SYS_sched_yield);
	is(page[77], 0, "empties it");
	page[77] = 'x';
	ok(goes_on(), "which is no fault for the thread");
	stop(&thread);

	begin(&thread, keep_writing);
	is(raw_mprotect((unsigned long)page, PAGE, PROT_READ), 0, "mprotect takes writing away");
	ok(await(&faults_seen, 1), "a thread that writes faults");
	is(fault_code, SEGV_ACCERR, "SEGV_ACCERR");
	is(fault_addr, (unsigned long)page + 78, "at the address it writes");
	is(peek((void *)page), 0, "reading is allowed");
	is(raw_mmap((unsigned long)page, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
	   (long)page, "another mapping over it");
	go_on = 1;
	ok(goes_on(), "is what it then writes to");
	is(page[78], 'y', "as can be read");
	is(page[77], 0, "the old content is gone");
	stop(&thread);
}

/* --- what each thread remembers ----------------------------------------------------------------- */

static sigjmp_buf back;
static volatile int command, answered, outcome;

/* Only the prober faults: its handler may jump. */
static void leave_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	outcome = -info->si_code;
	siglongjmp(back, 1);
}

/* Reads or writes the page when told: outcome is what was read, or minus the si_code. */
static int probe(void *arg)
{
	(void)arg;
	for (volatile int n = 1;; n++) {
		await(&step, n);
		if (command == 'q')
			return 0;
		if (sigsetjmp(back, 1) == 0) {
			if (command == 'w')
				page[0] = 'w';
			outcome = page[0];
		}
		answered = n;
	}
}

static int ask(int what)
{
	command = what;
	step++;
	return await(&answered, step) ? outcome : -99;
}

static int quit(void)
{
	command = 'q';
	step++;
	return 0;
}

static void remembered(void)
{
	char *around = island(8, RW);
	bool good = true;
	struct thread thread;

	page = around + 4 * PAGE;
	step = answered = 0;
	catch_with(SIGSEGV, leave_fault, SA_NODEFER, 0);
	thread_start(&thread, probe, NULL);
	is(ask('r'), 0, "a thread reads a page that was mapped here");
	is(ask('w'), 'w', "and writes to it");
	raw_munmap((unsigned long)page, PAGE);
	is(ask('r'), -SEGV_MAPERR, "unmapped here, the thread finds nothing");
	fix((void *)page, 1, PROT_READ);
	is(ask('r'), 0, "mapped for reading, it reads");
	is(ask('w'), -SEGV_ACCERR, "and can't write");
	raw_mprotect((unsigned long)page, PAGE, RW);
	is(ask('w'), 'w', "with the permission it can");
	/* Merged with its neighbours, split from them, moved: the area is another each time. */
	raw_mprotect((unsigned long)around, 8 * PAGE, PROT_READ);
	is(ask('r'), 'w', "one area with its neighbours");
	is(ask('w'), -SEGV_ACCERR, "all read-only");
	raw_mprotect((unsigned long)page, PAGE, RW);
	is(ask('w'), 'w', "split from them");
	raw_munmap((unsigned long)around, 4 * PAGE);
	is(ask('r'), 'w', "without those below");
	raw_munmap((unsigned long)page + PAGE, 3 * PAGE);
	is(ask('w'), 'w', "without those above");
	is(raw_mremap((unsigned long)page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		      (unsigned long)around),
	   (long)around, "moved away");
	is(ask('r'), -SEGV_MAPERR, "it isn't where it was");
	page = around;
	is(ask('r'), 'w', "but where it went");
	for (int i = 0; i < 100; i++) {
		page = around + (i % 7) * PAGE;
		raw_munmap((unsigned long)around, 8 * PAGE);
		good &= ask(i % 2 ? 'r' : 'w') == -SEGV_MAPERR;
		fix((void *)page, 1, i % 3 ? RW : PROT_READ);
		good &= ask('r') == 0;
		good &= ask('w') == (i % 3 ? 'w' : -SEGV_ACCERR);
	}
	ok(good, "again and again");
	quit();
	thread_join(&thread);
	set_plain(SIGSEGV, SIG_DFL);
	raw_munmap((unsigned long)around, 8 * PAGE);
}

/* --- calls that sleep with an address in hand --------------------------------------------------- */

static int pipe_fds[2];
static volatile long read_result;

static int read_into_page(void *arg)
{
	read_result = raw(SYS_read, pipe_fds[0], arg, 100);
	return 0;
}

static void asleep(void)
{
	struct thread thread;

	page = island(1, RW);
	page[0] = 1;
	if (!ok(pipe(pipe_fds) == 0, "a pipe"))
		return;
	thread_start(&thread, read_into_page, (void *)page);
	ok(THREAD_SLEEPS(thread.tid), "a thread reads into a page, nothing is there yet");
	raw_munmap((unsigned long)page, PAGE);
	is(write(pipe_fds[1], "abc", 3), 3, "meanwhile the page goes, then bytes come");
	thread_join(&thread);
	is(read_result, -EFAULT, "read: EFAULT");
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

/* --- many areas from many threads ------------------------------------------------------------------ */

static int map_and_unmap(void *arg)
{
	unsigned long value = (unsigned long)arg;

	for (int i = 0; i < 60; i++) {
		unsigned long len = (1 + (value + i) % 5) * PAGE;
		volatile unsigned long *p = (void *)raw(SYS_mmap, 0, len, RW, ANON, -1, 0);

		if ((unsigned long)p > -4096UL)
			return 1;
		for (unsigned long at = 0; at < len; at += PAGE)
			p[at / 8] = value + at;
		raw(SYS_sched_yield);
		raw(SYS_mprotect, p, PAGE, PROT_READ);
		for (unsigned long at = 0; at < len; at += PAGE)
			if (p[at / 8] != value + at)
				__atomic_add_fetch(&reads, 1, __ATOMIC_SEQ_CST);
		raw(SYS_munmap, p, len);
	}
	return 0;
}

static void many_areas(void)
{
	static char before[sizeof(maps_text)];
	struct thread threads[6];

	maps_read();
	memcpy(before, maps_text, sizeof(before));
	reads = 0;
	for (long i = 0; i < 6; i++)
		thread_start(&threads[i], map_and_unmap, (void *)(i * 0x10000));
	for (long i = 0; i < 6; i++)
		thread_join(&threads[i]);
	is(reads, 0, "six threads map, write, read and unmap: each finds what is its own");
	maps_read();
	ok(strcmp(before, maps_text) == 0, "afterwards the areas are what they were");
}

/* fork in one thread while another writes: the child's copy is of one moment. */
static int count_pages(void *arg)
{
	volatile unsigned long *words = arg;

	while (!ended)
		for (unsigned long i = 0; i < 8 && !ended; i++)
			words[i * PAGE / 8]++;
	return 0;
}

static int check_copy(void *arg)
{
	volatile unsigned long *words = arg;
	unsigned long first = words[0];

	for (unsigned long i = 1; i < 8; i++) {
		NEED(words[i * PAGE / 8] <= words[(i - 1) * PAGE / 8]);
		NEED(words[i * PAGE / 8] + 1 >= first);
	}
	for (int i = 0; i < 3; i++)
		raw(SYS_sched_yield);
	NEED_IS(words[0], first);
	return 0;
}

static void fork_meanwhile(void)
{
	char *words = fresh(8, RW);
	struct thread thread;
	int good = 0;

	ended = 0;
	thread_start(&thread, count_pages, words);
	for (int i = 0; i < 8; i++) {
		nap();
		good += status_of(fork_child(check_copy, words)) == 0;
	}
	ended = 1;
	thread_join(&thread);
	is(good, 8, "children forked while a thread writes have one moment's memory");
	raw_munmap((unsigned long)words, 8 * PAGE);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	same_pages();
	changes();
	remembered();
	asleep();
	many_areas();
	fork_meanwhile();
	return done_testing();
}
