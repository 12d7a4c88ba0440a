/* SPDX-License-Identifier: MIT */
/*
 * twin_state.h: what the kernel says of the region after each operation: its areas, the process's
 * sizes, which pages are present, and what they hold. Nothing in it depends on where the program
 * itself lies or how large it is.
 */
#ifndef USER_TWIN_STATE_H
#define USER_TWIN_STATE_H

#include "twin.h"

struct area {
	unsigned long start, end; /* pages from the region's start */
	char perms[5];
	unsigned int file; /* the number of what stands behind it: number_of_inode(); 0: nothing */
	unsigned long pgoff; /* of it, in pages */
};

#define MAX_AREAS 1024

static struct {
	struct area areas[MAX_AREAS];
	int count;
	uint64_t areas_hash;
	char heap[256];		 /* the heap's areas, from its start */
	long size, locked, data; /* pages, by /proc/self/status; less than what was at the start */
	unsigned long present;	 /* of the near part */
	uint64_t pages_hash, contents_hash;
	uint64_t pages[NEAR_PAGES];
	uint64_t cached_hash; /* what mincore says of the near part's files */
	uint64_t files_hash;  /* what twin_file.h knows of the files themselves */
} state;

/* Whether this seed's areas may have files behind them: others give all operations to the rest. */
static bool with_files;

static unsigned long heap_base;
static long own_size, own_data; /* what the program itself has, in pages */
static long own_locked;		/* of that, what mlockall has locked */
static int maps_fd, status_fd, pagemap_fd, mem_fd;
static int child_mem_fd = -1; /* of the child that lives now */

static char file_text[65536];

/* All of a file of /proc that is open already, from its start; in pieces, as it comes. */
static const char *reread(int fd)
{
	size_t used = 0;
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) != 0)
		return "";
	while (used < sizeof(file_text) - 1) {
		n = read(fd, file_text + used, sizeof(file_text) - 1 - used);
		if (n <= 0)
			break;
		used += n;
	}
	file_text[used] = '\0';
	return file_text;
}

static const char *hex(const char *at, unsigned long *value)
{
	unsigned long v = 0;

	for (;; at++) {
		if (*at >= '0' && *at <= '9')
			v = v << 4 | (*at - '0');
		else if (*at >= 'a' && *at <= 'f')
			v = v << 4 | (*at - 'a' + 10);
		else
			break;
	}
	*value = v;
	return at;
}

/*
 * Inodes have other numbers in every kernel and every run. Here they are counted as they come up:
 * files when they are made, what is behind shared anonymous memory when it is first seen in the
 * list of areas.
 */
static unsigned int number_of_inode(uint64_t device, uint64_t inode)
{
	static struct {
		uint64_t device, inode;
	} known[2048];
	static unsigned int count;
	unsigned int i = 0;

	while (i < count && (known[i].inode != inode || known[i].device != device))
		i++;
	if (i < count)
		return i + 1;
	if (count == sizeof(known) / sizeof(known[0]))
		return -1;
	known[count].device = device;
	known[count].inode = inode;
	return ++count;
}

/* The rest of a line of /proc/self/maps: " OFFSET MAJOR:MINOR INODE". */
static void read_backing(struct area *area, const char *at)
{
	unsigned long offset, major, minor, inode;

	at = hex(at + 1, &offset);
	at = hex(at + 1, &major);
	at = hex(at + 1, &minor);
	inode = strtoul(at, (char **)&at, 10);
	at += strspn(at, " ");
	/* A System V segment's inode has its identifier's number, which another may have too. */
	if (strncmp(at, "/SYSV", 5) == 0)
		major |= 1UL << 31;
	area->pgoff = offset / PAGE;
	area->file = inode ? number_of_inode(major << 32 | minor, inode) : 0;
	state.areas_hash = hash_number(state.areas_hash, offset);
	state.areas_hash = hash_number(state.areas_hash, area->file);
}

static void add_area(unsigned long start, unsigned long end, const char *perms)
{
	struct area *area = &state.areas[state.count];

	if (state.count == MAX_AREAS)
		return;
	state.count++;
	area->start = (start - REGION) / PAGE;
	area->end = (end - REGION) / PAGE;
	memcpy(area->perms, perms, 4);
	area->perms[4] = '\0';
	state.areas_hash = hash_number(state.areas_hash, area->start);
	state.areas_hash = hash_number(state.areas_hash, area->end);
	state.areas_hash = hash_bytes(state.areas_hash, perms, 4);
	read_backing(area, perms + 4);
}

static void read_areas(void)
{
	const char *line = reread(maps_fd);
	size_t heap_used = 0;

	state.count = 0;
	state.areas_hash = HASH_START;
	state.heap[0] = '\0';
	while (*line) {
		const char *next = strchr(line, '\n'), *at;
		unsigned long start, end;

		if (!next)
			break;
		at = hex(line, &start);
		at = hex(at + 1, &end);
		if (start >= REGION && end <= REGION + REGION_PAGES * PAGE) {
			add_area(start, end, at + 1);
		} else if (end > heap_base && start < heap_base + (1UL << 30) &&
			   heap_used < sizeof(state.heap) - 40) {
			/* The bss may be one area with the heap. */
			if (start < heap_base)
				start = heap_base;
			heap_used +=
				snprintf(state.heap + heap_used, sizeof(state.heap) - heap_used,
					 " %lu-%lu%.4s", (start - heap_base) / PAGE,
					 (end - heap_base) / PAGE, at + 1);
		}
		line = next + 1;
	}
}

static long kilobytes(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtol(at + strlen(name), NULL, 10) : -4;
}

static void read_status(void)
{
	const char *text = reread(status_fd);

	state.size = kilobytes(text, "\nVmSize:") / 4 - own_size;
	state.locked = kilobytes(text, "\nVmLck:") / 4 - own_locked;
	state.data = kilobytes(text, "\nVmData:") / 4 - own_data;
}

/* present, file or shared, exclusive, soft-dirty */
#define PAGE_BITS (1UL << 63 | 1UL << 62 | 1UL << 61 | 1UL << 56)

/*
 * The near part page by page. A page that is present and readable is read: what is there can't
 * fault. Reading is also what finds a page that went to the wrong place.
 */
static void read_pages(void)
{
	uint64_t pages = HASH_START, contents = HASH_START;
	int area = 0;

	memset(state.pages, 0, sizeof(state.pages));
	if (pread(pagemap_fd, state.pages, sizeof(state.pages), REGION / PAGE * 8) < 0)
		state.pages[0] = 1;
	state.present = 0;
	for (unsigned long i = 0; i < NEAR_PAGES; i++) {
		pages = hash_number(pages, state.pages[i] & PAGE_BITS);
		if (!(state.pages[i] >> 63))
			continue;
		state.present++;
		while (area < state.count && state.areas[area].end <= i)
			area++;
		if (area < state.count && state.areas[area].start <= i &&
		    state.areas[area].perms[0] == 'r')
			contents = hash_number(contents,
					       *(volatile uint64_t *)(REGION + i * PAGE) ^ i);
	}
	state.pages_hash = pages;
	state.contents_hash = contents;
}

/* What is cached of the files whose areas are in the near part. */
static void read_cached(void)
{
	static unsigned char vec[NEAR_PAGES];

	state.cached_hash = HASH_START;
	for (int i = 0; i < state.count && state.areas[i].start < NEAR_PAGES; i++) {
		const struct area *area = &state.areas[i];
		unsigned long end = area->end < NEAR_PAGES ? area->end : NEAR_PAGES;
		long ret;

		if (!area->file)
			continue;
		ret = syscall(SYS_mincore, REGION + area->start * PAGE, (end - area->start) * PAGE,
			      vec);
		state.cached_hash = hash_number(state.cached_hash, ret);
		state.cached_hash = hash_bytes(state.cached_hash, vec, end - area->start);
	}
}

/* In twin_file.h. */
static void read_files(void);

static void read_state(void)
{
	read_areas();
	read_status();
	read_pages();
	if (!with_files)
		return;
	read_cached();
	read_files();
}

/* --- the full text, for people ---------------------------------------------------------------- */

static void dump_areas(void)
{
	char line[128];

	for (int i = 0; i < state.count; i++) {
		const struct area *area = &state.areas[i];
		int n = snprintf(line, sizeof(line), "  %5lu-%-5lu %s", area->start, area->end,
				 area->perms);

		if (area->file)
			n += snprintf(line + n, sizeof(line) - n, " file %u from %lu", area->file,
				      area->pgoff);
		line[n++] = '\n';
		emit(line, n);
	}
	if (state.heap[0])
		emit(line, snprintf(line, sizeof(line), "  heap%s\n", state.heap));
}

/* Each present page of the near part with its first word: "12:5a,x" is exclusive, "f" a file's. */
static void dump_pages(void)
{
	char line[128];
	int area = 0;

	for (unsigned long i = 0; i < NEAR_PAGES; i++) {
		uint64_t bits = state.pages[i];
		uint64_t word = 0;

		while (area < state.count && state.areas[area].end <= i)
			area++;
		if (!(bits & PAGE_BITS))
			continue;
		if (bits >> 63 && area < state.count && state.areas[area].start <= i &&
		    state.areas[area].perms[0] == 'r')
			word = *(volatile uint64_t *)(REGION + i * PAGE);
		emit(line, snprintf(line, sizeof(line), "  page %lu%s%s%s%s holds %lx\n", i,
				    bits >> 63 ? " present" : "", bits >> 62 & 1 ? " swap" : "",
				    bits >> 61 & 1 ? " file" : "",
				    bits >> 56 & 1 ? " exclusive" : "", (unsigned long)word));
	}
}

/*
 * What smaps says of an area of the region, as far as it is exact in both kernels. LazyFree is not: in Linux
 * a page becomes so when a batch of them is full. Nor is Referenced, which the lists of pages change.
 * Whether private pages are clean is not either: a page that is in one of those batches is copied where
 * another would become its last owner's, and a copy that wasn't made for a write is clean.
 */
static const char *const sizes[] = { "Rss:",	       "Pss:",		"Anonymous:",
				     "Locked:",	       "Shared_Clean:", "Shared_Dirty:",
				     "Private_Clean:", "Private_Dirty:" };
enum {
	RSS,
	PSS,
	ANONYMOUS,
	LOCKED,
	SHARED_CLEAN,
	SHARED_DIRTY,
	PRIVATE_CLEAN,
	PRIVATE_DIRTY,
	SIZES
};

static void emit_sizes(const long *size)
{
	char out[160];

	emit(out, snprintf(out, sizeof(out), " Rss:%ld Pss:%ld Anonymous:%ld Locked:%ld shared:%ld",
			   size[RSS], size[PSS], size[ANONYMOUS], size[LOCKED],
			   size[SHARED_CLEAN] + size[SHARED_DIRTY]));
	if (!size[ANONYMOUS])
		emit(out, snprintf(out, sizeof(out), " dirty:%ld,%ld", size[SHARED_DIRTY],
				   size[PRIVATE_DIRTY]));
}

/* But for those that not all kernels of 6.1 have: soft-dirty, and what belongs to userfaultfd. */
static void emit_flags(const char *at, const char *end)
{
	static const char *const ignored[] = { "sd", "ht", "um", "uw" };
	char out[8];

	for (; at + 2 <= end; at += 3) {
		bool skip = false;

		for (size_t k = 0; k < sizeof(ignored) / sizeof(ignored[0]); k++)
			skip |= strncmp(at, ignored[k], 2) == 0;
		if (!skip)
			emit(out, snprintf(out, sizeof(out), " %.2s", at));
	}
	emit("\n", 1);
}

static void dump_smaps(void)
{
	int fd = open("/proc/self/smaps", O_RDONLY);
	long size[SIZES] = { 0 };
	bool inside = false;
	char out[32];

	if (fd < 0) {
		emit("  no smaps\n", 11);
		return;
	}
	for (const char *line = reread(fd), *next; (next = strchr(line, '\n')); line = next + 1) {
		unsigned long start;

		if (!(*line >= 'A' && *line <= 'Z')) {
			hex(line, &start);
			inside = start >= REGION && start < REGION + REGION_PAGES * PAGE;
			if (inside)
				emit(out,
				     snprintf(out, sizeof(out), "  %lu:", (start - REGION) / PAGE));
		}
		for (int i = 0; inside && i < SIZES; i++)
			if (strncmp(line, sizes[i], strlen(sizes[i])) == 0)
				size[i] = strtol(line + strlen(sizes[i]), NULL, 10);
		if (inside && strncmp(line, "VmFlags:", 8) == 0) {
			emit_sizes(size);
			emit_flags(line + 9, next);
		}
	}
	close(fd);
}

#endif
