/* SPDX-License-Identifier: MIT */
/*
 * Threads and children that fault pages of one file at once, while it is truncated, punched and
 * forked: what each sees is what the file has or had, and at the end counts and contents agree. All
 * loops end by count.
 */
#include "procs.h"

#define PAGES	 16
#define KEEP	 4 /* pages that are never truncated */
#define THREADS	 3
#define FAULTING 48 /* pages */

static int fd;
static char *shared, *private;
static volatile int go, done, stop, wrong, buses;

/*
 * int access_read(const void *), int access_write(void *, char): the byte read, or 0; -1 when a signal
 * came, whose handler goes on at access_failed. So threads need no place of their own to jump to.
 */
__asm__(".text\n"
	"access_read:\n\tmovzbl (%rdi), %eax\n\tret\n"
	"access_write:\n\tmovb %sil, (%rdi)\n\txor %eax, %eax\n\tret\n"
	"access_failed:\n\tmov $-1, %eax\n\tret\n");
extern char access_failed[];
int access_read(const volatile void *addr);
int access_write(volatile void *addr, int c);

static void on_bus(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	unsigned long at = uc->uc_mcontext.gregs[REG_RIP];

	if (at != (unsigned long)access_read && at != (unsigned long)access_write)
		raw(SYS_exit_group, 9);
	__atomic_fetch_add(&buses, 1, __ATOMIC_SEQ_CST);
	uc->uc_mcontext.gregs[REG_RIP] = (unsigned long)access_failed;
}

static void add(volatile int *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_SEQ_CST);
}

static void yield(void)
{
	raw(SYS_sched_yield);
}

static void fill(unsigned long from, unsigned long to)
{
	static char page[PAGE];

	for (unsigned long i = from; i < to; i++) {
		memset(page, 'A' + i, PAGE);
		raw(SYS_pwrite64, fd, page, PAGE, i * PAGE);
	}
}

static char *map(unsigned long pages, int flags)
{
	long p = raw_mmap(0, pages * PAGE, RW, flags, fd, 0);

	if (is_error(p)) {
		diag("cannot map the file: error %ld", -p);
		tap_write("Bail out!\n", 10);
		_exit(1);
	}
	return (char *)p;
}

/* --- the same pages at once --------------------------------------------------------------------- */

#define ROUNDS 12

static int faulter(void *arg)
{
	unsigned long me = (unsigned long)arg;

	for (int round = 1; round <= ROUNDS; round++) {
		while (go < round)
			yield();
		for (unsigned long i = 0; i < FAULTING; i++) {
			unsigned long page = (i * (2 * me + 5) + me * 11) % FAULTING;

			/* The strides have no divisor in common with the number of pages. */
			if (shared[page * PAGE + 1] != (char)('A' + page))
				add(&wrong);
			private[page * PAGE + 64 * me] = 'p';
			if (i % 8 == me)
				yield();
		}
		add(&done);
	}
	return 0;
}

static void same_pages(void)
{
	struct thread threads[THREADS];
	int missing = 0, lost = 0;

	shared = map(FAULTING, MAP_SHARED);
	private = map(FAULTING, MAP_PRIVATE);
	go = done = 0;
	for (unsigned long i = 0; i < THREADS; i++)
		thread_start(&threads[i], faulter, (void *)(i == 2 ? 3 : i));
	for (int round = 1; round <= ROUNDS; round++) {
		raw_madvise((unsigned long)shared, FAULTING * PAGE, MADV_DONTNEED);
		raw_madvise((unsigned long)private, FAULTING * PAGE, MADV_DONTNEED);
		go = round;
		while (done < round * THREADS)
			yield();
		for (unsigned long page = 0; page < FAULTING; page++) {
			for (unsigned long me = 0; me < 4; me++)
				lost += me != 2 && private[page * PAGE + 64 * me] != 'p';
			missing += private[page * PAGE + 1] != (char)('A' + page);
		}
	}
	for (int i = 0; i < THREADS; i++)
		thread_join(&threads[i]);
	is(wrong, 0, "threads that fault the same pages see the file");
	is(lost, 0, "... no private write is lost");
	is(missing, 0, "... each copy has the file's other bytes");
	is(smaps(shared, "Rss"), 4 * FAULTING, "all is mapped");
	is(smaps(shared, "Pss"), 4 * FAULTING, "... each page once");
	is(smaps(private, "Anonymous"), 4 * FAULTING, "... and copied");
	raw_munmap((unsigned long)shared, FAULTING * PAGE);
	raw_munmap((unsigned long)private, FAULTING * PAGE);
}

/* --- one's own page ------------------------------------------------------------------------------- */

/* read(2) and write(2) of a file to and from a mapping of the very page. */
static void own_page(void)
{
	shared = map(PAGES, MAP_SHARED);
	for (int i = 0; i < 2; i++) {
		raw_madvise((unsigned long)shared, PAGES * PAGE, MADV_DONTNEED);
		is(raw(SYS_pwrite64, fd, shared + PAGE, PAGE, PAGE), PAGE,
		   "a page is written from its own mapping");
		is(raw(SYS_pwrite64, fd, shared + 2 * PAGE, PAGE, 3 * PAGE + 7), PAGE,
		   "... over others");
		raw_madvise((unsigned long)shared, PAGES * PAGE, MADV_DONTNEED);
		is(raw(SYS_pread64, fd, shared + 2 * PAGE, PAGE, 2 * PAGE), PAGE,
		   "a page is read into its own mapping");
	}
	is(shared[3 * PAGE + 7], 'C', "... which shows what was written");
	is(shared[4 * PAGE + 6], 'C', "... to its end");
	is(shared[4 * PAGE + 7], 'E', "... and no further");
	raw_munmap((unsigned long)shared, PAGES * PAGE);
	fill(0, PAGES);
}

/* --- truncating and punching while others touch ----------------------------------------------------- */

static unsigned int next(unsigned int *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

/* One access; whether what came of it may be. */
static bool access_ok(unsigned int what, unsigned long page)
{
	char *s = shared + page * PAGE + 32, *p = private + page * PAGE + 32;
	char first = 'A' + page, written = 'a' + page;
	int c = 0;

	switch (what % 4) {
	case 0:
		c = access_read(s);
		break;
	case 1:
		c = access_write(s, written);
		return c == 0 || page >= KEEP;
	case 2:
		c = access_read(p);
		if (c == 'p')
			return true;
		break;
	case 3:
		c = access_write(p, 'p');
		return c == 0 || page >= KEEP;
	}
	if (page >= KEEP && (c == -1 || c == 0))
		return true;
	return c == first || c == written;
}

static int toucher(void *arg)
{
	unsigned int seed = (unsigned long)arg;

	for (unsigned int n = 0; !stop; n++) {
		unsigned int what = next(&seed);
		static char buf[2 * PAGE];

		if (!access_ok(what, next(&seed) % PAGES))
			add(&wrong);
		if (n % 64 == 5)
			raw_madvise((unsigned long)private + KEEP * PAGE, 8 * PAGE, MADV_DONTNEED);
		if (n % 64 == 9) /* the kernel touches as well */
			raw(SYS_pwrite64, fd, shared + (KEEP + 2) * PAGE - 8, 16,
			    (KEEP + 6) * PAGE);
		if (n % 64 == 37)
			raw(SYS_pread64, fd, buf, PAGE, (KEEP + 1) * PAGE);
		if (n % 8 == 0)
			yield();
	}
	return 0;
}

static int keep_truncating(void *arg)
{
	while (!stop) {
		raw(SYS_ftruncate, fd, KEEP * PAGE);
		yield();
		raw(SYS_ftruncate, fd, PAGES * PAGE);
		yield();
	}
	return 0;
}

static void truncating(int n)
{
	raw(SYS_ftruncate, fd, (KEEP + n % 3) * PAGE + (n % 2) * 100);
	yield();
	raw(SYS_ftruncate, fd, PAGES * PAGE);
}

static void punching(int n)
{
	raw(SYS_fallocate, fd, 3 /* PUNCH_HOLE | KEEP_SIZE */, (KEEP + n % 7) * PAGE + n % 2 * 33,
	    4 * PAGE);
}

/* A child finds its own copies as they were, and the file. */
static int child(void *arg)
{
	NEED(private[40] == (char)(long)arg);
	private[40] = 'c';
	for (unsigned long page = 0; page < PAGES; page++) {
		NEED(access_ok(0, page));
		NEED(access_ok(2, page));
		access_write(private + page * PAGE, 'q');
	}
	NEED(private[40] == 'c');
	return 0;
}

static void forking(int n)
{
	pid_t pid;

	if (n % 8)
		return;
	private[40] = n;
	pid = fork_child(child, (void *)(long)(char)n);
	private[40] = n + 1;
	if (status_of(pid) != 0 || private[40] != (char)(n + 1))
		add(&wrong);
}

/* Nothing moves any more: mapping and file, entries and counts agree. */
static void settle(const char *name)
{
	int differ = 0, counts = 0, fd2 = fd;

	for (unsigned long page = 0; page < PAGES; page++) {
		char buf[64];

		raw(SYS_pread64, fd2, buf, 64, page * PAGE);
		differ += memcmp(buf, shared + page * PAGE, 64) != 0;
		counts += (pagemap(shared + page * PAGE) & PAGEMAP_EXCLUSIVE) == 0 &&
			  (pagemap(private + page * PAGE) & PAGEMAP_FILE) == 0;
	}
	is(wrong, 0, "%s: each access gave what it may", name);
	is(differ, 0, "... at the end, the mapping shows the file");
	is(counts, 0, "... no page counts as mapped more often than it is");
	raw(SYS_ftruncate, fd, KEEP * PAGE);
	is(smaps(shared, "Rss"), 4 * KEEP, "... cut, nothing is left behind the end");
	ok(smaps(private, "Rss") <= 4 * KEEP, "... nor of copies");
	buses = 0;
	for (unsigned long page = 0; page < PAGES; page++) {
		access_read(shared + page * PAGE);
		access_read(private + page * PAGE);
	}
	is(buses, 2 * (PAGES - KEEP), "... SIGBUS for each page");
}

static void race(const char *name, void (*step)(int), int steps, bool truncator)
{
	struct thread threads[THREADS];

	raw(SYS_ftruncate, fd, PAGES * PAGE);
	fill(0, PAGES);
	shared = map(PAGES, MAP_SHARED);
	private = map(PAGES, MAP_PRIVATE);
	wrong = stop = 0;
	for (unsigned long i = 0; i < THREADS; i++)
		thread_start(&threads[i], truncator && i == 0 ? keep_truncating : toucher,
			     (void *)(i + 1));
	for (int n = 0; n < steps; n++) {
		step(n);
		yield();
	}
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		thread_join(&threads[i]);
	raw(SYS_ftruncate, fd, PAGES * PAGE);
	settle(name);
	raw_munmap((unsigned long)shared, PAGES * PAGE);
	raw_munmap((unsigned long)private, PAGES * PAGE);
}

int main(int argc, char **argv)
{
	char path[64];

	tap_start(argc, argv, NULL);
	snprintf(path, sizeof(path), "/tmp/file_map_race.%d", my_pid());
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	ok(fd >= 0, "a file");
	unlink(path);
	catch_with(SIGBUS, on_bus, SA_NODEFER, 0);
	fill(0, FAULTING);
	same_pages();
	raw(SYS_ftruncate, fd, PAGES * PAGE);
	own_page();
	race("truncating", truncating, 200, false);
	race("punching", punching, 200, false);
	race("truncating and forking", forking, 160, true);
	return done_testing();
}
