/* SPDX-License-Identifier: MIT */
/*
 * soak_memory.h: a worker and its own region. It knows of each page whether it is mapped, what may
 * be done there, and what is in it; others only ever write to a page's last word.
 */
#ifndef USER_SOAK_MEMORY_H
#define USER_SOAK_MEMORY_H

#include "soak.h"

#define LAST (WORDS - 1)

/* Looks at some words of a page: there must be this, or a fault. */
static void check_page(struct worker *w, unsigned long page)
{
	volatile unsigned long *at = (void *)page_of(w, page);
	bool readable = w->prot[page] > 0;
	unsigned long value;
	long sig;

	for (int i = 0; i < 6; i++) {
		unsigned long word = i == 0 ? 0 : i == 1 ? LAST - 1 : below(w, LAST);

		sig = probe_load(at + word, &value);
		if (sig != (readable ? 0 : SIGSEGV))
			wrong("worker %d, page %lu of protection %d: reading gives signal %ld",
			      w->index, page, w->prot[page], sig);
		else if (!sig && value != w->value[page])
			wrong("worker %d, page %lu, word %lu: 0x%lx, wanted 0x%lx", w->index, page,
			      word, value, w->value[page]);
	}
	if (!probe_load(at + LAST, &value) && !has_tag(value, w->index))
		wrong("worker %d, page %lu, last word: 0x%lx", w->index, page, value);
}

static void write_page(struct worker *w, unsigned long page)
{
	volatile unsigned long *at = (void *)page_of(w, page);
	unsigned long value = tag_of(w->index) + ++w->round % 0xffffffff;
	long sig = probe_store(at, value);

	if (sig != (w->prot[page] == RW ? 0 : SIGSEGV))
		wrong("worker %d, page %lu of protection %d: writing gives signal %ld", w->index,
		      page, w->prot[page], sig);
	if (sig)
		return;
	for (unsigned long i = 1; i < LAST; i++)
		at[i] = value;
	w->value[page] = value;
}

static void set_pages(struct worker *w, unsigned long page, unsigned long pages, int prot,
		      bool empty)
{
	for (unsigned long i = page; i < page + pages; i++) {
		w->prot[i] = prot;
		if (empty)
			w->value[i] = 0;
	}
}

static bool all_mapped(struct worker *w, unsigned long page, unsigned long pages)
{
	for (unsigned long i = page; i < page + pages; i++)
		if (w->prot[i] < 0)
			return false;
	return true;
}

/* Some pages that follow each other; most often few. */
static unsigned long some_pages(struct worker *w, unsigned long *page)
{
	unsigned long most = below(w, 8) ? 6 : REGION;

	*page = below(w, REGION);
	if (most > REGION - *page)
		most = REGION - *page;
	return 1 + below(w, most);
}

static int some_prot(struct worker *w)
{
	static const int prots[] = { PROT_NONE, PROT_READ, RW, RW, RW };

	return prots[below(w, COUNT(prots))];
}

static void op_map(struct worker *w)
{
	unsigned long page, pages = some_pages(w, &page);
	int prot = some_prot(w), flags = ANON | MAP_FIXED | (below(w, 4) ? 0 : MAP_POPULATE);

	if (!got(raw(SYS_mmap, page_of(w, page), pages * PAGE, prot, flags, -1, 0),
		 (long)page_of(w, page), "mmap"))
		return;
	set_pages(w, page, pages, prot, true);
	for (unsigned long i = page; i < page + pages; i++) {
		check_page(w, i);
		if (below(w, 2))
			write_page(w, i);
	}
}

static void op_unmap(struct worker *w)
{
	unsigned long page, pages = some_pages(w, &page);

	if (!got(raw(SYS_munmap, page_of(w, page), pages * PAGE), 0, "munmap"))
		return;
	set_pages(w, page, pages, -1, true);
	check_page(w, page);
	check_page(w, page + pages - 1);
}

static void op_protect(struct worker *w)
{
	unsigned long page, pages = some_pages(w, &page);
	int prot = some_prot(w);

	if (!all_mapped(w, page, pages) ||
	    !got(raw(SYS_mprotect, page_of(w, page), pages * PAGE, prot), 0, "mprotect"))
		return;
	set_pages(w, page, pages, prot, false);
	for (unsigned long i = page; i < page + pages; i++)
		write_page(w, i);
}

/* Pages of one area: mremap takes no more at a time. */
static void op_move(struct worker *w)
{
	unsigned long from, to, pages = some_pages(w, &from);
	bool same = true;
	long moved;

	to = below(w, REGION - pages + 1);
	for (unsigned long i = from; i < from + pages; i++)
		same &= w->prot[i] >= 0 && w->prot[i] == w->prot[from];
	if (!same || (to < from + pages && from < to + pages))
		return;
	moved = raw(SYS_mremap, page_of(w, from), pages * PAGE, pages * PAGE,
		    MREMAP_MAYMOVE | MREMAP_FIXED, page_of(w, to));
	/* More than one area after all, as those that were moved before don't always merge. */
	if (moved == -EFAULT) {
		/* What was in the way may be gone. */
		raw(SYS_munmap, page_of(w, to), pages * PAGE);
		set_pages(w, to, pages, -1, true);
		return;
	}
	if (!got(moved, (long)page_of(w, to), "mremap")) {
		raw(SYS_munmap, page_of(w, to), pages * PAGE);
		set_pages(w, to, pages, -1, true);
		return;
	}
	for (unsigned long i = 0; i < pages; i++) {
		w->prot[to + i] = w->prot[from + i];
		w->value[to + i] = w->value[from + i];
	}
	set_pages(w, from, pages, -1, true);
	for (unsigned long i = 0; i < pages; i++) {
		check_page(w, to + i);
		check_page(w, from + i);
	}
}

/* Where the kernel chooses, it grows, moves and shrinks. */
static void op_grow(struct worker *w)
{
	unsigned long pages = 1 + below(w, 20), more = pages + 1 + below(w, 600), moved;
	volatile unsigned long *p = (void *)raw(SYS_mmap, 0, pages * PAGE, RW, ANON, -1, 0);
	unsigned long value = tag_of(w->index) + pages;

	if (is_error((long)p)) {
		got((long)p, 0, "mmap");
		return;
	}
	for (unsigned long i = 0; i < pages * WORDS; i += 16) {
		if (p[i])
			wrong("new memory has 0x%lx", p[i]);
		p[i] = value;
	}
	moved = raw(SYS_mremap, p, pages * PAGE, more * PAGE, MREMAP_MAYMOVE);
	if (is_error((long)moved)) {
		got((long)moved, 0, "mremap");
		more = pages;
	} else {
		p = (void *)moved;
	}
	for (unsigned long i = 0; i < pages * WORDS; i += 16)
		if (p[i] != value)
			wrong("after mremap 0x%lx, wanted 0x%lx", p[i], value);
	for (unsigned long i = pages * WORDS; i < more * WORDS; i += 16 * WORDS)
		if (p[i])
			wrong("what was added has 0x%lx", p[i]);
	got(raw(SYS_mremap, p, more * PAGE, PAGE, 0), (long)p, "mremap that shrinks");
	got(raw(SYS_munmap, p, PAGE), 0, "munmap");
}

static void op_look(struct worker *w)
{
	for (int i = 0; i < 4; i++)
		check_page(w, below(w, REGION));
}

static void op_write(struct worker *w)
{
	for (int i = 0; i < 4; i++) {
		unsigned long page = below(w, REGION);

		write_page(w, page);
		check_page(w, page);
	}
}

/* Goes to another thread's region and back: what is read there is the other's, or a fault. */
static void op_visit(struct worker *w)
{
	int index = my_slot * THREADS_MAX + below(w, shared->threads);

	for (int i = 0; i < 16; i++) {
		volatile unsigned long *at = (void *)(region(index) + below(w, REGION) * PAGE);
		unsigned long word = below(w, WORDS), value;

		if (!probe_load(at + word, &value) && !has_tag(value, index))
			wrong("worker %d visits %d: 0x%lx", w->index, index, value);
		if (w->alone)
			continue;
		probe_store(at + LAST, tag_of(index) + i);
	}
}

static void op_advise(struct worker *w)
{
	static const int advice[] = { MADV_DONTNEED, MADV_DONTNEED,	  MADV_FREE,
				      MADV_WILLNEED, MADV_COLD,		  MADV_PAGEOUT,
				      MADV_NORMAL,   MADV_POPULATE_WRITE, MADV_POPULATE_READ };
	unsigned long page, pages = some_pages(w, &page);
	int which = advice[below(w, COUNT(advice))];
	long ret;

	if (!all_mapped(w, page, pages))
		return;
	for (unsigned long i = page; i < page + pages; i++)
		if (w->prot[i] != RW)
			return;
	ret = raw(SYS_madvise, page_of(w, page), pages * PAGE, which);
	if (ret)
		got(ret, 0, "madvise");
	for (unsigned long i = page; i < page + pages; i++) {
		/* Freed pages may keep what they had until somebody writes. */
		if (which == MADV_FREE)
			write_page(w, i);
		else if (which == MADV_DONTNEED)
			w->value[i] = 0;
		check_page(w, i);
	}
}

static void op_lock(struct worker *w)
{
	unsigned long page, pages = some_pages(w, &page);
	unsigned char vec[REGION];
	long ret;

	if (!all_mapped(w, page, pages))
		return;
	ret = below(w, 2) ? raw(SYS_mlock, page_of(w, page), pages * PAGE) :
			    raw(SYS_mlock2, page_of(w, page), pages * PAGE, MLOCK_ONFAULT);
	if (ret && ret != -ENOMEM && ret != -EAGAIN)
		wrong("mlock: %ld", ret);
	got(raw(SYS_mincore, page_of(w, page), pages * PAGE, vec), 0, "mincore");
	check_page(w, page);
	got(raw(SYS_munlock, page_of(w, page), pages * PAGE), 0, "munlock");
	got(raw(SYS_msync, page_of(w, page), pages * PAGE, MS_SYNC), 0, "msync");
}

/* More than a page table's worth, that goes again at once. */
static void op_big(struct worker *w)
{
	unsigned long len = (2 + below(w, 4)) * MIB, step = (1 + below(w, 64)) * PAGE;
	volatile unsigned long *p = (void *)raw(SYS_mmap, 0, len, RW, ANON, -1, 0);

	if (is_error((long)p)) {
		got((long)p, 0, "mmap");
		return;
	}
	for (unsigned long at = 0; at < len; at += step) {
		if (p[at / 8 + 3])
			wrong("new memory has 0x%lx", p[at / 8 + 3]);
		p[at / 8 + 3] = tag_of(w->index) + at;
	}
	raw(SYS_mprotect, (char *)p + len / 4, len / 4, PROT_READ);
	for (unsigned long at = 0; at < len; at += step)
		if (p[at / 8 + 3] != tag_of(w->index) + at)
			wrong("big memory has 0x%lx", p[at / 8 + 3]);
	got(raw(SYS_munmap, p, len), 0, "munmap");
}

#endif
