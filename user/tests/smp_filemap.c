/* SPDX-License-Identifier: MIT */
/*
 * Two files that are mapped, read, written, cut and made longer from several processors at once. A
 * word of a file is what somebody wrote there, or 0, or behind the end: SIGBUS through a mapping and
 * nothing by read. It is never a word of another place, of the other file, or of memory that isn't
 * a file's.
 */
#include "smp.h"

#define FILES  2
#define PAGES  16
#define ROUNDS 120
#define WORDS  (PAGE / 8)

static struct file {
	int fd;
	char *map; /* shared, of all pages, whatever the file's size */
} files[FILES];

static volatile int ended;

/* What is written to that page of that file: in all words, but for the lower 32 bits. */
static unsigned long tag(int file, unsigned long page)
{
	return (0xf11e0000UL + file * 0x1000 + page) << 32;
}

static bool belongs(unsigned long value, int file, unsigned long page)
{
	return value == 0 || (value & 0xffffffff00000000UL) == tag(file, page);
}

static void check(const char *how, unsigned long value, int file, unsigned long page)
{
	if (!belongs(value, file, page))
		complain("%s, file %d, page %lu: 0x%lx", how, file, page, value);
}

/* --- those who use them --------------------------------------------------------------------------- */

static void through_mapping(struct member *m, int file, unsigned long page)
{
	volatile unsigned long *at = (void *)(files[file].map + page * PAGE);
	unsigned long word = random_below(&m->random, WORDS), value;
	long sig = probe_load(at + word, &value);

	if (!sig)
		check("mapped", value, file, page);
	else if (sig != SIGBUS)
		complain("signal %ld in file %d, page %lu", sig, file, page);
	sig = probe_store(at + word, tag(file, page) + m->number);
	if (sig && sig != SIGBUS)
		complain("signal %ld in file %d, page %lu", sig, file, page);
}

/* The words before and behind the start of a page. */
static void by_calls(struct member *m, int file, unsigned long page)
{
	unsigned long words[8], at = page * PAGE - sizeof(words) / 2;
	long n;

	n = raw(SYS_pread64, files[file].fd, words, sizeof(words), at);
	if (n < 0 || n % 8)
		complain("pread: %ld", n);
	for (long i = 0; i < n / 8; i++)
		check("read", words[i], file, page - (i < 4));
	if (m->number % 2)
		return;
	for (int i = 0; i < 8; i++)
		words[i] = tag(file, page - (i < 4)) + m->number;
	n = raw(SYS_pwrite64, files[file].fd, words, sizeof(words), at);
	if (n != sizeof(words))
		complain("pwrite: %ld", n);
}

/* A private copy of a page: of the file until it is written to, and then its own. */
static void private_copy(struct member *m, int file, unsigned long page)
{
	volatile unsigned long *p;
	unsigned long value, word = random_below(&m->random, WORDS);

	p = (void *)raw(SYS_mmap, 0, 2 * PAGE, RW, MAP_PRIVATE, files[file].fd, page * PAGE);
	if (is_error((long)p)) {
		complain("mmap: %ld", (long)p);
		return;
	}
	if (!probe_load(p + word, &value))
		check("private", value, file, page);
	if (!probe_store(p + word, 77) && (probe_load(p + word, &value) == 0) && value != 77)
		complain("a private page has 0x%lx, wanted 77", value);
	for (unsigned long i = 0; i < WORDS; i += 61)
		if (i != word && !probe_load(p + i, &value))
			check("copied", value, file, page);
	raw(SYS_munmap, p, 2 * PAGE);
}

static void own_memory(struct member *m)
{
	volatile unsigned long *p = (void *)raw(SYS_mmap, 0, 2 * PAGE, RW, ANON, -1, 0);

	for (unsigned long i = 0; i < 2 * WORDS; i += 17) {
		if (p[i])
			complain("new memory: 0x%lx", p[i]);
		p[i] = 0x0dd0000000000000UL + m->number;
	}
	raw(SYS_munmap, p, 2 * PAGE);
}

static int use_files(struct member *m)
{
	for (m->count = 0; m->count < (long)(ROUNDS * times); m->count++) {
		int file = random_below(&m->random, FILES);
		unsigned long page = random_below(&m->random, PAGES);

		switch (random_below(&m->random, 6)) {
		case 0:
			if (page)
				by_calls(m, file, page);
			break;
		case 1:
			private_copy(m, file, page);
			break;
		case 2:
			own_memory(m);
			break;
		case 3:
			raw(SYS_madvise, files[file].map + page * PAGE, PAGE, MADV_DONTNEED);
			/* falls through */
		default:
			through_mapping(m, file, page);
		}
		breathe(m->count);
	}
	return 0;
}

/* --- one who cuts them ---------------------------------------------------------------------------- */

static int cut_files(struct member *m)
{
	unsigned long tail[WORDS];

	for (m->count = 0; !ended; m->count++) {
		const struct file *f = &files[m->count % FILES];
		unsigned long size = random_below(&m->random, PAGES + 1) * PAGE;

		/* In the middle of a page, too: the rest of it is 0 when the file gets longer. */
		if (m->count % 3 == 0 && size)
			size -= 8 * random_below(&m->random, WORDS);
		if (raw(SYS_ftruncate, f->fd, size) != 0)
			complain("ftruncate to %lu", size);
		if (m->count % 5 == 0)
			raw(SYS_fallocate, f->fd, 3 /* a hole; keep the size */, PAGE, 3 * PAGE);
		raw(SYS_pread64, f->fd, tail, sizeof(tail), size & -PAGE);
		raw(SYS_sched_yield);
	}
	return 0;
}

/* --- afterwards ----------------------------------------------------------------------------------- */

static void compare(int file)
{
	static unsigned long page[WORDS];
	const struct file *f = &files[file];

	raw(SYS_ftruncate, f->fd, PAGES * PAGE);
	for (unsigned long i = 0; i < PAGES; i++) {
		raw(SYS_pread64, f->fd, page, PAGE, i * PAGE);
		for (unsigned long w = 0; w < WORDS; w++) {
			unsigned long value = ((volatile unsigned long *)(f->map + i * PAGE))[w];

			check("at last", page[w], file, i);
			if (value != page[w])
				complain("page %lu: 0x%lx mapped, 0x%lx read", i, value, page[w]);
		}
	}
	raw(SYS_ftruncate, f->fd, 0);
	raw(SYS_ftruncate, f->fd, PAGES * PAGE);
	for (unsigned long i = 0; i < PAGES * WORDS; i++)
		if (((volatile unsigned long *)f->map)[i])
			complain("word %lu isn't 0 after all was cut away", i);
}

static void run(const char *kind)
{
	int size = 0, width = team_width();
	char text[128];

	ended = 0;
	for (int i = 0; i < FILES; i++) {
		raw(SYS_ftruncate, files[i].fd, PAGES * PAGE);
		files[i].map =
			(char *)raw(SYS_mmap, 0, PAGES * PAGE, RW, MAP_SHARED, files[i].fd, 0);
	}
	team_add(&size, width, use_files);
	team_add(&size, 1, cut_files);
	team_begin(size);
	team_join(0, width);
	ended = 1;
	team_join(width, 1);
	snprintf(text, sizeof(text), "%s: each word is the file's, or 0, or there is none", kind);
	nobody_complained(text);
	for (int i = 0; i < FILES; i++) {
		compare(i);
		raw_munmap((unsigned long)files[i].map, PAGES * PAGE);
		raw(SYS_close, files[i].fd);
	}
	snprintf(text, sizeof(text), "%s: mapped and read they are the same", kind);
	nobody_complained(text);
}

int main(int argc, char **argv)
{
	char name[64];

	smp_start(argc, argv, NULL);
	catch_probes();
	for (int i = 0; i < FILES; i++)
		files[i].fd = raw(SYS_memfd_create, "file", 0);
	run("in memory");
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "/tmp/smp_filemap.%d.%d", my_pid(), i);
		files[i].fd = raw(SYS_open, name, O_RDWR | O_CREAT | O_EXCL, 0600);
		raw(SYS_unlink, name);
	}
	run("in a directory");
	return done_testing();
}
