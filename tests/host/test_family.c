/* SPDX-License-Identifier: MIT */
/*
 * Programs that fork and end at random, and in between map, write, move and give back memory, against
 * a model that knows for every page of every program which frame it should be, who else has it, and
 * whether it may be written without asking. After each step every frame must be the model's, each
 * count exact, and each page's reverse map complete (audit_mm).
 */
#include "tests/host/family.h"
#include "tests/host/tap.h"

#define NR_PROGRAMS 8U
#define NR_CELLS    40U
#define NR_FRAMES   (NR_PROGRAMS * NR_CELLS + 1)
#define NR_OBJECTS  (NR_PROGRAMS * NR_CELLS + 1)

/* A private page with content; several programs may have it. Frame 0 is none. */
static struct frame {
	unsigned int refs;
	bool exclusive;
	u8 value;
	const struct page *page; /* which it is, once seen */
} frames[NR_FRAMES];

/* An object of shared memory. Object 0 is none: the memory is private. */
static struct object {
	unsigned int refs, pages;
	u8 values[NR_CELLS];
} objects[NR_OBJECTS];

/* One page of one program. */
struct cell {
	bool mapped, writable, accounted, dontfork, wipe;
	unsigned int frame;	    /* private: what was written there, or 0 */
	unsigned int object, index; /* shared: which page of which object */
};

static struct program {
	struct mm_struct *mm;
	struct cell cells[NR_CELLS];
} programs[NR_PROGRAMS];
static unsigned int nr_programs;

static bool failed;
static unsigned int step;
static const char *what;

#define CHECK(cond, ...)                                                                       \
	do {                                                                                   \
		if (!failed && !(cond)) {                                                      \
			failed = true;                                                         \
			diag("step %u, %s, %s:%d: %s", step, what, __FILE__, __LINE__, #cond); \
			diag("  " __VA_ARGS__);                                                \
		}                                                                              \
	} while (0)

/* --- the model ------------------------------------------------------------------------------------- */

static unsigned int new_frame(u8 value)
{
	unsigned int i = 1;

	while (frames[i].refs)
		i++;
	frames[i] = (struct frame){ .refs = 1, .exclusive = true, .value = value };
	return i;
}

static unsigned int new_object(unsigned int pages)
{
	unsigned int i = 1;

	while (objects[i].refs)
		i++;
	objects[i] = (struct object){ .pages = pages };
	return i;
}

static void drop_frame(struct cell *c)
{
	if (c->frame)
		frames[c->frame].refs--;
	c->frame = 0;
}

static void clear_cell(struct cell *c)
{
	drop_frame(c);
	if (c->object)
		objects[c->object].refs--;
	memset(c, 0, sizeof(*c));
}

static void model_write(struct cell *c, u8 value)
{
	struct frame *f = &frames[c->frame];

	if (c->object) {
		objects[c->object].values[c->index] = value;
		return;
	}
	if (!c->frame || (!f->exclusive && f->refs > 1)) {
		drop_frame(c);
		c->frame = new_frame(value);
		return;
	}
	f->exclusive = true;
	f->value = value;
}

static u8 model_value(const struct cell *c)
{
	return c->object ? objects[c->object].values[c->index] : frames[c->frame].value;
}

static void model_fork(struct program *child, const struct program *parent)
{
	memset(child->cells, 0, sizeof(child->cells));
	for (unsigned int i = 0; i < NR_CELLS; i++) {
		struct cell *c = &child->cells[i];

		if (!parent->cells[i].mapped || parent->cells[i].dontfork)
			continue;
		*c = parent->cells[i];
		if (c->wipe)
			c->frame = 0;
		if (c->frame) {
			frames[c->frame].refs++;
			frames[c->frame].exclusive = false;
		}
		if (c->object)
			objects[c->object].refs++;
	}
}

/* --- against the machine ------------------------------------------------------------------------------ */

static void check_private(struct mm_struct *m, const struct cell *c, unsigned long addr)
{
	struct page *p = page_at(m, addr);
	struct frame *f = &frames[c->frame];

	if (!c->frame) {
		CHECK(!p || p == zero_page, "a page at %#lx, where nobody wrote", addr);
		return;
	}
	CHECK(p && page_is_anon(p), "no page at %#lx", addr);
	if (failed)
		return;
	if (!f->page)
		f->page = p;
	CHECK(f->page == p, "another frame at %#lx", addr);
	CHECK(page_mapcount(p) == (int)f->refs && page_count(p) == (int)f->refs,
	      "%#lx counts %d mappings, %d references, expected %u", addr, page_mapcount(p),
	      page_count(p), f->refs);
	CHECK(page_flag(p, PG_anon_exclusive) == f->exclusive, "%#lx: exclusive should be %d", addr,
	      f->exclusive);
	CHECK(*(u8 *)page_address(p) == f->value, "%#lx: not what was written there", addr);
}

static void check_program(const struct program *prog, long *committed)
{
	long anon = 0, total = 0;

	audit_mm(prog->mm);
	for (unsigned int i = 0; i < NR_CELLS && !failed; i++) {
		const struct cell *c = &prog->cells[i];
		const struct vm_area_struct *vma =
			find_vma_intersection(prog->mm, page(i), page(i + 1));

		CHECK(c->mapped == (vma != NULL), "page %u", i);
		if (!c->mapped || failed)
			continue;
		total++;
		anon += c->frame != 0;
		*committed += c->accounted;
		CHECK(!!(vma->vm_flags & VM_WRITE) == c->writable, "page %u", i);
		CHECK(!!(vma->vm_flags & VM_ACCOUNT) == c->accounted, "page %u", i);
		if (!c->object)
			check_private(prog->mm, c, page(i));
		else
			CHECK(linear_page_index(vma, page(i)) == c->index, "page %u", i);
	}
	CHECK(rss_of(prog->mm, MM_ANONPAGES) == anon);
	CHECK((long)prog->mm->total_vm == total);
}

static void check_all(void)
{
	long committed = 0;

	for (unsigned int i = 0; i < nr_programs && !failed; i++)
		check_program(&programs[i], &committed);
	for (unsigned int i = 1; i < NR_OBJECTS; i++)
		if (objects[i].refs)
			committed += objects[i].pages;
	CHECK(vm_committed_pages() == committed, "committed %ld, expected %ld",
	      vm_committed_pages(), committed);
	sim_check_tlb();
}

/* --- operations -------------------------------------------------------------------------------------------- */

static void random_range(unsigned int *first, unsigned int *end)
{
	*first = (unsigned int)(test_random() % NR_CELLS);
	*end = *first + 1 + (unsigned int)(test_random() % 10);
	*end = min(*end, NR_CELLS);
}

static void op_mmap(struct program *prog)
{
	bool shared = test_random() % 4 == 0, writable = test_random() % 4;
	unsigned int first, end, object = 0;
	unsigned long got;

	what = "mmap";
	random_range(&first, &end);
	got = vm_mmap(NULL, page(first), (end - first) * PAGE_SIZE, writable ? RW : PROT_READ,
		      MAP_FIXED | MAP_ANONYMOUS | (shared ? MAP_SHARED : MAP_PRIVATE), 0);
	CHECK(got == page(first));
	for (unsigned int i = first; i < end; i++)
		clear_cell(&prog->cells[i]);
	if (shared)
		object = new_object(end - first);
	for (unsigned int i = first; i < end; i++) {
		prog->cells[i] = (struct cell){ .mapped = true,
						.writable = writable,
						.accounted = writable && !shared,
						.object = object,
						.index = i - first };
		objects[object].refs += shared;
	}
}

static void op_munmap(struct program *prog)
{
	unsigned int first, end;

	what = "munmap";
	random_range(&first, &end);
	CHECK(!vm_munmap(page(first), (end - first) * PAGE_SIZE));
	for (unsigned int i = first; i < end; i++)
		clear_cell(&prog->cells[i]);
}

static void op_mprotect(struct program *prog)
{
	bool writable = test_random() % 2;
	unsigned int first, end;

	what = "mprotect";
	random_range(&first, &end);
	vm_mprotect(page(first), (end - first) * PAGE_SIZE, writable ? RW : PROT_READ);
	for (unsigned int i = first; i < end && prog->cells[i].mapped; i++) {
		prog->cells[i].writable = writable;
		prog->cells[i].accounted |= writable && !prog->cells[i].object;
	}
}

static void op_madvise(struct program *prog)
{
	static const int advice[] = { MADV_DONTNEED,   MADV_DONTFORK,	MADV_DOFORK,
				      MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_REMOVE };
	unsigned int i = (unsigned int)(test_random() % NR_CELLS);
	int a = advice[test_random() % ARRAY_SIZE(advice)], expected = 0, err;
	struct cell *c = &prog->cells[i];

	what = "madvise";
	if (!c->mapped)
		expected = -ENOMEM;
	else if (a == MADV_WIPEONFORK && c->object)
		expected = -EINVAL;
	else if (a == MADV_REMOVE && !c->object)
		expected = -EINVAL;
	err = vm_madvise(page(i), PAGE_SIZE, a);
	CHECK(err == expected, "advice %d gives %d, expected %d", a, err, expected);
	if (expected)
		return;
	if (a == MADV_DONTNEED)
		drop_frame(c);
	else if (a == MADV_REMOVE)
		objects[c->object].values[c->index] = 0;
	else if (a == MADV_DONTFORK || a == MADV_DOFORK)
		c->dontfork = a == MADV_DONTFORK;
	else
		c->wipe = a == MADV_WIPEONFORK;
}

/* Part of one area to anywhere else. */
static void op_mremap(struct program *prog)
{
	unsigned int first = (unsigned int)(test_random() % NR_CELLS), n, to;
	struct vm_area_struct *vma;
	struct cell moved[NR_CELLS];

	what = "mremap";
	if (!prog->cells[first].mapped)
		return;
	vma = find_vma(prog->mm, page(first));
	n = 1 + (unsigned int)(test_random() % ((vma->vm_end - page(first)) >> PAGE_SHIFT));
	to = (unsigned int)(test_random() % (NR_CELLS - n + 1));
	if (to < first + n && first < to + n)
		return;
	CHECK(vm_mremap(page(first), n * PAGE_SIZE, n * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
			page(to)) == page(to));
	memcpy(moved, &prog->cells[first], n * sizeof(moved[0]));
	memset(&prog->cells[first], 0, n * sizeof(moved[0]));
	for (unsigned int i = 0; i < n; i++) {
		clear_cell(&prog->cells[to + i]);
		prog->cells[to + i] = moved[i];
	}
}

static void op_fork(struct program *prog)
{
	struct program *child = &programs[nr_programs];

	what = "fork";
	if (nr_programs == NR_PROGRAMS)
		return;
	child->mm = fork_of(prog->mm);
	CHECK(child->mm);
	if (failed)
		return;
	model_fork(child, prog);
	nr_programs++;
}

static void op_exit(struct program *prog)
{
	what = "exit";
	if (nr_programs == 1)
		return;
	finish(prog->mm, prog == programs ? programs[1].mm : programs[0].mm);
	for (unsigned int i = 0; i < NR_CELLS; i++)
		clear_cell(&prog->cells[i]);
	*prog = programs[--nr_programs];
}

static void op_access(struct program *prog)
{
	unsigned int i = (unsigned int)(test_random() % NR_CELLS);
	struct cell *c = &prog->cells[i];
	u8 value = (u8)test_random();
	int got;

	if (test_random() % 3) {
		what = "write";
		CHECK(sim_poke(page(i), value) == (c->mapped && c->writable), "page %u", i);
		if (c->mapped && c->writable)
			model_write(c, value);
		return;
	}
	what = "read";
	got = sim_peek(page(i));
	CHECK(got == (c->mapped ? model_value(c) : -1), "page %u: %d", i, got);
}

static void random_step(void)
{
	struct program *prog = &programs[test_random() % nr_programs];
	unsigned int choice = (unsigned int)(test_random() % 100);

	run_on(prog->mm, (unsigned int)(test_random() % SIM_NR_CPUS));
	if (choice < 10)
		op_mmap(prog);
	else if (choice < 14)
		op_munmap(prog);
	else if (choice < 24)
		op_mprotect(prog);
	else if (choice < 36)
		op_madvise(prog);
	else if (choice < 46)
		op_mremap(prog);
	else if (choice < 54)
		op_fork(prog);
	else if (choice < 60)
		op_exit(prog);
	else
		for (int i = 0; i < 6; i++)
			op_access(prog);
}

int main(void)
{
	struct sim_usage start, left;
	unsigned int most = 0;

	sim_boot_default();
	start = sim_usage();
	for (int round = 0; round < 4 && !failed; round++) {
		memset(frames, 0, sizeof(frames));
		memset(objects, 0, sizeof(objects));
		memset(programs, 0, sizeof(programs));
		programs[0].mm = sim_new_mm();
		nr_programs = 1;
		for (step = 0; step < 3000 && !failed; step++) {
			random_step();
			check_all();
			most = max(most, nr_programs);
		}
		ok(!failed, "3,000 random steps of up to %u programs", most);
		while (nr_programs > 1)
			op_exit(&programs[0]);
		run(programs[0].mm);
		check_all();
		ok(!failed, "... and what is left when the others have ended");
		sim_exit_mm();
		left = sim_usage();
		ok(sim_usage_same(&start, &left, true), "everything is given back");
	}
	page_alloc_audit();
	return done_testing();
}
