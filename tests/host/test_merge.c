/* SPDX-License-Identifier: MIT */
/*
 * Merging and splitting of areas, drawn. One letter is one page, '|' stands between two areas that
 * touch, '.' is nothing:
 *
 *	r w x n   anonymous: read-only, read-write, executable, PROT_NONE
 *	R N       the same two, but written once: they have memory promised to them
 *	f F       a private file: read-only, read-write; page i of the picture is page i of the file
 *	g         the same file, but other pages of it
 *	c         memory whose owner wants to know of the end of each area
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/abi/mman.h"
#include "mm/internal.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"

#define BASE	  0x40000000UL
#define MAX_PAGES 32
#define OTHER	  50 /* how far on in the file g's pages are */

static struct mm_struct *mm;
static struct sim_file file, other_file, closing_file;

/* --- a file whose areas say when they end ---------------------------------------------------------- */

static int closed;

static void count_close(struct vm_area_struct *vma)
{
	closed++;
}

static int closing_mmap(struct vm_file *f, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .close = count_close };

	vma->vm_ops = &ops;
	return 0;
}

static void init_files(void)
{
	static struct vm_file_operations closing_ops;

	sim_file_init(&file, "/file", 100 * PAGE_SIZE);
	sim_file_init(&other_file, "/other", 100 * PAGE_SIZE);
	sim_file_init(&closing_file, "/closing", 100 * PAGE_SIZE);
	closing_ops = *closing_file.file.vm_fops;
	closing_ops.mmap = closing_mmap;
	closing_file.file.vm_fops = &closing_ops;
}

/* --- letters ------------------------------------------------------------------------------------------ */

static unsigned long prot_of(char c)
{
	switch (c) {
	case 'w':
	case 'F':
		return PROT_READ | PROT_WRITE;
	case 'x':
		return PROT_READ | PROT_EXEC;
	case 'n':
	case 'N':
		return PROT_NONE;
	}
	return PROT_READ;
}

static char letter(const struct vm_area_struct *vma)
{
	u64 f = vma->vm_flags;
	unsigned long i = (vma->vm_start - BASE) >> PAGE_SHIFT;

	if (vma->vm_file == &closing_file.file)
		return 'c';
	if (vma->vm_file)
		return vma->vm_pgoff == i + OTHER ? 'g' :
		       vma->vm_pgoff != i	  ? '?' :
		       f & VM_WRITE		  ? 'F' :
						    'f';
	if (vma->vm_pgoff != vma->vm_start >> PAGE_SHIFT)
		return '?';
	if (f & VM_EXEC)
		return 'x';
	if (f & VM_WRITE)
		return 'w';
	if (f & VM_READ)
		return f & VM_ACCOUNT ? 'R' : 'r';
	return f & VM_ACCOUNT ? 'N' : 'n';
}

static void map_letter(char c, unsigned long first, unsigned long n)
{
	struct vm_file *f = c == 'c' ? &closing_file.file : strchr("fFg", c) ? &file.file : NULL;
	unsigned long addr = BASE + first * PAGE_SIZE;
	unsigned long prot = c == 'R' || c == 'N' ? PROT_READ | PROT_WRITE : prot_of(c);

	vm_mmap(f, addr, n * PAGE_SIZE, prot, MAP_FIXED | MAP_PRIVATE | (f ? 0 : MAP_ANONYMOUS),
		f ? (first + (c == 'g' ? OTHER : 0)) << PAGE_SHIFT : 0);
	if (c == 'R' || c == 'N')
		vm_mprotect(addr, n * PAGE_SIZE, prot_of(c));
}

static void draw(char *out)
{
	const struct vm_area_struct *vma;
	unsigned long at = BASE;

	for_each_vma(mm, vma)
	{
		for (; at < vma->vm_start; at += PAGE_SIZE)
			*out++ = '.';
		if (vma->vm_prev && vma->vm_prev->vm_end == vma->vm_start)
			*out++ = '|';
		for (; at < vma->vm_end; at += PAGE_SIZE)
			*out++ = letter(vma);
	}
	*out = '\0';
}

/* Makes the areas of a picture; what stands between '|' or where letters change is one. */
static void build(const char *picture)
{
	unsigned long i = 0;

	while (*picture) {
		unsigned long n = 1;
		char c = *picture++;

		if (c == '|')
			continue;
		while (*picture == c) {
			picture++;
			n++;
		}
		if (c != '.')
			map_letter(c, i, n);
		i += n;
	}
}

static void trim(char *picture)
{
	for (size_t n = strlen(picture); n > 0 && picture[n - 1] == '.'; n--)
		picture[n - 1] = '\0';
}

/* --- pictures drawn by hand ------------------------------------------------------------------------------ */

/*
 * The second line is what is done: letters map that; '-' unmaps; '=' followed by the protection's
 * letter in `to` changes the protection.
 */
struct drawing {
	const char *name, *before, *op, *after;
	char to;
};

/* clang-format off */
static const struct drawing drawings[] = {
	/* The eight merges. */
	{ "new memory, both neighbours take it", "wwww....wwww",
						 "    wwww    ",
						 "wwwwwwwwwwww", 0 },
	{ "new memory, the one before",		 "wwww.......w",
						 "    wwww    ",
						 "wwwwwwww...w", 0 },
	{ "new memory, the one behind",		 "w.......wwww",
						 "    wwww    ",
						 "w...wwwwwwww", 0 },
	{ "all of an area, both",		 "RRRR|wwww|RRRR",
						 "    ====    ",
						 "RRRRRRRRRRRR", 'r' },
	{ "all of an area, the one before",	 "RRRR|wwww|xxxx",
						 "    ====    ",
						 "RRRRRRRR|xxxx", 'r' },
	{ "all of an area, the one behind",	 "xxxx|wwww|RRRR",
						 "    ====    ",
						 "xxxx|RRRRRRRR", 'r' },
	{ "an area's first part, the one before", "RRRR|wwwwwwww",
						 "    ====    ",
						 "RRRRRRRR|wwww", 'r' },
	{ "an area's last part, the one behind", "wwwwwwww|RRRR",
						 "    ====    ",
						 "wwww|RRRRRRRR", 'r' },
	/* Splits. */
	{ "the middle of an area",		 "wwwwwwwwwwww",
						 "    ====    ",
						 "wwww|RRRR|wwww", 'r' },
	{ "its first part, nobody before",	 "wwwwwwwwwwww",
						 "====        ",
						 "RRRR|wwwwwwww", 'r' },
	{ "its last part, nobody behind",	 "wwwwwwwwwwww",
						 "        ====",
						 "wwwwwwww|RRRR", 'r' },
	{ "back again: one area",		 "wwww|RRRR|wwww",
						 "    ====    ",
						 "wwwwwwwwwwww", 'w' },
	{ "a hole in the middle",		 "wwwwwwwwwwww",
						 "    ----    ",
						 "wwww....wwww", 0 },
	{ "a part of an area beside one alike",	 "RRRR|wwwwwwww",
						 "      ====  ",
						 "RRRR|ww|RRRR|ww", 'r' },
	/* What doesn't fit. */
	{ "other rights",			 "rrrr....xxxx",
						 "    wwww    ",
						 "rrrr|wwww|xxxx", 0 },
	{ "a gap is no neighbour",		 "www......www",
						 "    wwww    ",
						 "www.wwww.www", 0 },
	{ "never written is not once written",	 "rrrr|wwww|rrrr",
						 "    ====    ",
						 "rrrr|RRRR|rrrr", 'r' },
	/* Files: the pages must go on. */
	{ "a file goes on, both",		 "ffff....ffff",
						 "    ffff    ",
						 "ffffffffffff", 0 },
	{ "another part of the file",		 "ffff....ffff",
						 "    gggg    ",
						 "ffff|gggg|ffff", 0 },
	{ "never written is not once written, of a file", "ffff|FFFF|ffff",
						 "    ====    ",
						 "ffff|ffff|ffff", 'r' },
	{ "a file does not join memory",	 "rrrr....rrrr",
						 "    ffff    ",
						 "rrrr|ffff|rrrr", 0 },
	/* Owners who want to know. */
	{ "areas with a close operation stay",	 "cccc....cccc",
						 "    cccc    ",
						 "cccc|cccc|cccc", 0 },
	/* Over several areas at once. */
	{ "three areas become one",		 "RRRR|wwww|NNNN",
						 "============",
						 "RRRRRRRRRRRR", 'r' },
	{ "mapped over three",			 "rrrr|xxxx|nnnn",
						 "  wwwwwwww  ",
						 "rr|wwwwwwww|nn", 0 },
	{ "mapped over all, joins both sides",	 "ww|xxxx.nn|ww",
						 "  wwwwwww  ",
						 "wwwwwwwwwww", 0 },
};
/* clang-format on */

static void operate(const char *op, char to)
{
	for (size_t i = 0; op[i]; i++) {
		size_t n = 1;
		unsigned long addr = BASE + i * PAGE_SIZE;
		char c = op[i];

		if (c == ' ')
			continue;
		while (op[i + n] == c)
			n++;
		if (c == '-')
			vm_munmap(addr, n * PAGE_SIZE);
		else if (c == '=')
			vm_mprotect(addr, n * PAGE_SIZE, prot_of(to));
		else
			map_letter(c, i, n);
		i += n - 1;
	}
}

static void test_drawing(const struct drawing *d)
{
	char before[2 * MAX_PAGES], after[2 * MAX_PAGES];

	mm = sim_new_mm();
	build(d->before);
	draw(before);
	operate(d->op, d->to);
	audit_mm(mm);
	draw(after);
	if (!ok(!strcmp(before, d->before) && !strcmp(after, d->after), "%s", d->name)) {
		diag("before   %s", before);
		diag("op       %s", d->op);
		diag("after    %s", after);
		diag("expected %s", d->after);
	}
	sim_exit_mm();
}

/* --- every overlap ------------------------------------------------------------------------------------------ */

/*
 * All ranges of a picture, each with every operation, against a picture made page by page. This has
 * all sixteen ways in which a range and an area can lie to each other, many times over.
 */
static void expect(char *out, const char *pages, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && pages[i] != '.' && pages[i - 1] != '.' && pages[i] != pages[i - 1])
			*out++ = '|';
		*out++ = pages[i];
	}
	*out = '\0';
}

/* What becomes of one page; false when mprotect stops there. */
static bool change(char *page, char op)
{
	switch (op) {
	case '-':
		*page = '.';
		return true;
	case 'w': /* mprotect(READ | WRITE) */
		if (*page != '.')
			*page = *page == 'f' || *page == 'F' ? 'F' : 'w';
		break;
	case 'n':
		if (*page != '.')
			*page = *page == 'w' || *page == 'R' || *page == 'N' ? 'N' : 'n';
		break;
	default: /* mapped */
		*page = op == 'W' ? 'w' : op == 'P' ? 'r' : 'f';
		return true;
	}
	return *page != '.';
}

static void do_op(char op, unsigned long first, unsigned long n)
{
	unsigned long addr = BASE + first * PAGE_SIZE;

	if (op == '-')
		vm_munmap(addr, n * PAGE_SIZE);
	else if (op == 'w' || op == 'n')
		vm_mprotect(addr, n * PAGE_SIZE, prot_of(op));
	else
		map_letter(op == 'W' ? 'w' : op == 'P' ? 'r' : 'f', first, n);
}

static void test_all_ranges(const char *pages, const char *ops)
{
	const size_t len = strlen(pages);
	unsigned int tried = 0, wrong = 0;

	for (; *ops; ops++)
		for (size_t a = 0; a < len; a++)
			for (size_t b = a + 1; b <= len; b++) {
				char model[MAX_PAGES], expected[2 * MAX_PAGES], got[2 * MAX_PAGES];
				bool go_on = true;

				mm = sim_new_mm();
				build(pages);
				for (size_t i = 0; i < len; i++)
					if (pages[i] != '.')
						sim_peek(BASE + i * PAGE_SIZE);
				strcpy(model, pages);
				for (size_t i = a; i < b && go_on; i++)
					go_on = change(&model[i], *ops);
				do_op(*ops, a, b - a);
				audit_mm(mm);
				sim_check_tlb();
				expect(expected, model, len);
				trim(expected);
				draw(got);
				tried++;
				if (strcmp(got, expected) && wrong++ == 0)
					diag("%s: '%c' on %zu-%zu gives %s, expected %s", pages,
					     *ops, a, b, got, expected);
				sim_exit_mm();
			}
	is((long)wrong, 0, "%s: %u operations on all ranges", pages, tried);
}

/* --- counts ------------------------------------------------------------------------------------------------- */

static void test_close(void)
{
	mm = sim_new_mm();
	closed = 0;
	build("cccccc");
	is(closing_file.refs, 1, "one area, one reference");
	vm_munmap(BASE + 2 * PAGE_SIZE, 2 * PAGE_SIZE);
	is(closed, 1, "a hole: one part was closed");
	is(closing_file.refs, 2, "... two areas are left");
	sim_exit_mm();
	is(closed, 3, "both closed at the end");
	is(closing_file.refs, 0, "... and no reference");
}

static void test_max_map_count(void)
{
	unsigned int old = sysctl_max_map_count;

	mm = sim_new_mm();
	build("wwwwwwwwwwww");
	sysctl_max_map_count = 2;
	is(vm_munmap(BASE + 4 * PAGE_SIZE, PAGE_SIZE), 0, "a hole up to max_map_count");
	is(vm_munmap(BASE + 8 * PAGE_SIZE, PAGE_SIZE), -ENOMEM, "... not beyond");
	is(vm_mprotect(BASE, PAGE_SIZE, PROT_READ), -ENOMEM, "a split neither");
	is(vm_munmap(BASE + 11 * PAGE_SIZE, PAGE_SIZE), 0, "an end can always be cut off");
	is(vm_munmap(BASE, 4 * PAGE_SIZE), 0, "... or a whole area");
	is(mm->map_count, 1, "one is left");
	sysctl_max_map_count = old;
	sim_exit_mm();
}

int main(void)
{
	struct sim_usage start, end;

	sim_boot_default();
	init_files();
	start = sim_usage();
	for (size_t i = 0; i < ARRAY_SIZE(drawings); i++)
		test_drawing(&drawings[i]);
	test_all_ranges("rrr.www", "-wnWPF");
	test_all_ranges("wwwwwww", "-wnWP");
	test_all_ranges("RRwwNN.w", "-wnWP");
	test_all_ranges("..wrw..r", "-wnWPF");
	test_all_ranges("xfffx.ff", "-WPF");
	test_close();
	test_max_map_count();
	truncate_pagecache(&file.mapping, 0);
	truncate_pagecache(&closing_file.mapping, 0);
	end = sim_usage();
	ok(sim_usage_same(&start, &end, false), "everything is given back");
	return done_testing();
}
