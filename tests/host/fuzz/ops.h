/* SPDX-License-Identifier: MIT */
/* What the bytes of an input stand for: calls and accesses, each made by mm/ and by the model. */
#ifndef TESTS_HOST_FUZZ_OPS_H
#define TESTS_HOST_FUZZ_OPS_H

#include "tests/host/fuzz/model.h"

static const u8 *input;
static size_t input_left;

static unsigned int byte(void)
{
	if (!input_left)
		return 0;
	input_left--;
	return *input++;
}

__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(call_text, sizeof(call_text), fmt, args);
	va_end(args);
	if (show)
		fprintf(stderr, "%u: program %td: %s%s\n", step, prog - programs, call_text,
			may_fail ? " (may fail)" : "");
}

static void read_range(unsigned int *first, unsigned int *end)
{
	*first = byte() % WINDOW_CELLS;
	*end = min(*first + 1 + byte() % 12, WINDOW_CELLS);
	touch_range(*first, *end);
}

/* Mostly all bytes of these pages, for calls that round up. */
static unsigned long length_of(unsigned int first, unsigned int end, unsigned int odd)
{
	return (end - first) * PAGE_SIZE - (odd % 8 == 7 ? 1 + odd : 0);
}

static unsigned int area_end(unsigned int i)
{
	const struct vm_area_struct *vma = find_vma(prog->mm, cell_addr(i));

	return (unsigned int)((vma->vm_end - WINDOW) / PAGE_SIZE);
}

static bool any_mapped(unsigned int first, unsigned int end)
{
	for (; first < end; first++)
		if (prog->cells[first].mapped)
			return true;
	return false;
}

static bool any_locked(unsigned int first, unsigned int end)
{
	for (; first < end; first++)
		if (prog->cells[first].locked)
			return true;
	return false;
}

static void clear_cells(unsigned int first, unsigned int end)
{
	for (; first < end; first++)
		clear_cell(&prog->cells[first]);
}

/* The first page of the range that isn't mapped, or its end. */
static unsigned int first_hole(unsigned int first, unsigned int end)
{
	while (first < end && prog->cells[first].mapped)
		first++;
	return first;
}

/* --- mmap, munmap, mprotect, brk --------------------------------------------------------------------- */

enum { NOREPLACE = 1, LOCKED = 2, POPULATE = 4, NORESERVE = 8 };

static void model_mmap(unsigned int first, unsigned int end, unsigned int prot, bool shared,
		       struct object *object, unsigned int index, bool locked)
{
	clear_cells(first, end);
	if (shared && !object)
		object = new_object(end - first);
	for (unsigned int i = first; i < end; i++) {
		prog->cells[i] = (struct cell){
			.mapped = true,
			.shared = shared,
			.prot = (u8)prot,
			.locked = locked || prog->lock_future,
			.onfault = prog->lock_future && prog->lock_onfault,
			.object = object,
			.index = object ? index + i - first : 0,
		};
		if (object)
			object->refs++;
	}
}

static void op_mmap(void)
{
	unsigned int kind = byte() % 5, prot = byte() % 8, opts = byte(), first, end, index;
	unsigned int f = kind >= 2 ? byte() % FILES : 0;
	bool shared = kind == 1 || kind == 4;
	unsigned long flags = shared ? MAP_SHARED : MAP_PRIVATE, got;
	long expected;

	read_range(&first, &end);
	index = kind >= 2 ? byte() % (FILE_PAGES + 2) : 0;
	flags |= opts & NOREPLACE && opts & 64 ? MAP_FIXED_NOREPLACE : MAP_FIXED;
	flags |= (opts & LOCKED && opts & 128 ? MAP_LOCKED : 0) |
		 (opts & POPULATE ? MAP_POPULATE : 0);
	flags |= (opts & NORESERVE ? MAP_NORESERVE : 0) | (kind < 2 ? MAP_ANONYMOUS : 0);
	say("mmap %u-%u prot %u flags %#lx kind %u file %u at %u", first, end, prot, flags, kind, f,
	    index);
	expected = (long)cell_addr(first);
	if (flags & MAP_FIXED_NOREPLACE && any_mapped(first, end))
		expected = -EEXIST;
	got = vm_mmap(kind < 2 ? NULL : files[f], cell_addr(first), length_of(first, end, opts),
		      prot, flags, (unsigned long)index << PAGE_SHIFT);
	if (as_expected((long)got, expected) && expected > 0)
		model_mmap(first, end, prot, shared, kind < 2 ? NULL : &objects[f], index,
			   flags & MAP_LOCKED);
}

static void op_munmap(void)
{
	unsigned int first, end;

	read_range(&first, &end);
	say("munmap %u-%u", first, end);
	if (as_expected(vm_munmap(cell_addr(first), length_of(first, end, byte())), 0))
		clear_cells(first, end);
}

static void op_mprotect(void)
{
	unsigned int prot = byte() % 8, first, end, hole;

	read_range(&first, &end);
	say("mprotect %u-%u %u", first, end, prot);
	hole = first_hole(first, end);
	if (!as_expected(vm_mprotect(cell_addr(first), length_of(first, end, byte()), prot),
			 hole < end ? -ENOMEM : 0))
		return;
	for (unsigned int i = first; i < hole; i++)
		prog->cells[i].prot = (u8)prot;
}

static void op_brk(void)
{
	unsigned long old = prog->brk, want = HEAP + byte() % (HEAP_CELLS + 1) * PAGE_SIZE, got;
	unsigned int old_end =
		WINDOW_CELLS + (unsigned int)((ALIGN_UP(old, PAGE_SIZE) - HEAP) >> PAGE_SHIFT);
	unsigned int end = WINDOW_CELLS + (unsigned int)((want - HEAP) >> PAGE_SHIFT);

	touch_range(WINDOW_CELLS, CELLS);
	say("brk %#lx", want);
	got = vm_brk(want);
	if (got != want) {
		CHECK(may_fail && got == old, "%#lx", got);
		return;
	}
	prog->brk = want;
	if (end > old_end)
		model_mmap(old_end, end, RW, false, NULL, 0, false);
	else
		clear_cells(end, old_end);
}

/* --- mremap -------------------------------------------------------------------------------------------- */

static void model_move(unsigned int from, unsigned int old_n, unsigned int to, unsigned int new_n,
		       bool dontunmap)
{
	struct cell source[WINDOW_CELLS];

	memcpy(source, &prog->cells[from], max(old_n, 1U) * sizeof(source[0]));
	for (unsigned int i = 0; i < new_n; i++) {
		struct cell *c = &prog->cells[to + i];

		*c = i < old_n ? source[i] : source[0];
		if (i >= old_n)
			c->own = false;
		c->index = c->object ? source[0].index + i : 0;
		if (c->object)
			c->object->refs++;
	}
	for (unsigned int i = from; i < from + old_n; i++) {
		struct cell *c = &prog->cells[i];

		if (dontunmap) {
			c->own = c->locked = c->onfault = false;
			continue;
		}
		/* Without memory to cut the area, the source stays, though empty: as in Linux. */
		if (may_fail)
			c->own = false;
		if (may_fail)
			resync_cell(i);
		else
			clear_cell(c);
	}
}

static void op_mremap(void)
{
	unsigned int opts = byte(), from, from_end, to, to_end, old_n, new_n;
	bool dontunmap = opts % 4 == 1, again = opts % 4 == 2;
	long expected = 0, got;

	read_range(&from, &from_end);
	read_range(&to, &to_end);
	old_n = again ? 0 : from_end - from;
	new_n = opts & 4 && !again ? min(old_n, WINDOW_CELLS - to) : to_end - to;
	touch_range(to, to + new_n);
	if (dontunmap)
		old_n = new_n;
	touch_range(from, from + old_n);
	say("mremap %u+%u to %u+%u%s", from, old_n, to, new_n, dontunmap ? " dontunmap" : "");
	if (!prog->cells[from].mapped)
		expected = -EFAULT;
	else if (from + old_n > to && to + new_n > from)
		expected = -EINVAL;
	got = (long)vm_mremap(cell_addr(from), old_n * PAGE_SIZE, new_n * PAGE_SIZE,
			      MREMAP_MAYMOVE | MREMAP_FIXED | (dontunmap ? MREMAP_DONTUNMAP : 0),
			      cell_addr(to));
	if (expected) {
		as_expected(got, expected);
		return;
	}
	/* What is at the target goes even if the rest fails; so does what is cut off. */
	if (got == -EFAULT || got == -EINVAL) {
		clear_cells(to, to + new_n);
		if (old_n > new_n)
			clear_cells(from + new_n, from + old_n);
		CHECK(got == -EINVAL ? again && !prog->cells[from].shared :
				       !prog->cells[from].mapped ||
					       area_end(from) < from + min(old_n, new_n),
		      "%ld without reason", got);
		return;
	}
	if (!as_expected(got, (long)cell_addr(to)))
		return;
	clear_cells(to, to + new_n);
	if (old_n > new_n)
		clear_cells(from + new_n, from + old_n);
	model_move(from, min(old_n, new_n), to, new_n, dontunmap);
}

static void op_resize(void)
{
	unsigned int from, from_end, old_n, new_n, end;
	long expected, got;

	read_range(&from, &from_end);
	old_n = from_end - from;
	new_n = min(1 + byte() % 16, WINDOW_CELLS - from);
	touch_range(from, from + new_n);
	say("mremap %u+%u to +%u", from, old_n, new_n);
	expected = (long)cell_addr(from);
	end = prog->cells[from].mapped ? area_end(from) : 0;
	if (!prog->cells[from].mapped || (new_n > old_n && from + old_n > end))
		expected = -EFAULT;
	else if (new_n > old_n && (from + old_n != end || any_mapped(from + old_n, from + new_n)))
		expected = -ENOMEM;
	got = (long)vm_mremap(cell_addr(from), old_n * PAGE_SIZE, new_n * PAGE_SIZE, 0, 0);
	if (!as_expected(got, expected) || expected < 0)
		return;
	if (new_n < old_n)
		clear_cells(from + new_n, from + old_n);
	for (unsigned int i = old_n; i < new_n; i++) {
		struct cell *c = &prog->cells[from + i];

		*c = prog->cells[from];
		c->own = false;
		c->index += c->object ? i : 0;
		if (c->object)
			c->object->refs++;
	}
}

static void op_remap_file_pages(void)
{
	unsigned int first, end, index = byte() % FILE_PAGES;
	struct cell old;
	int err;

	read_range(&first, &end);
	say("remap_file_pages %u-%u from %u", first, end, index);
	old = prog->cells[first];
	if (!old.mapped || !old.shared || area_end(first) < end)
		return;
	err = vm_remap_file_pages(cell_addr(first), length_of(first, end, 0), 0, index, 0);
	if (as_expected(err, 0)) {
		old.object->refs++;
		model_mmap(first, end, old.prot, true, old.object, index, old.locked);
		old.object->refs--;
	}
}

/* --- locks and advice ------------------------------------------------------------------------------------ */

static bool can_populate(const struct cell *c)
{
	return c->prot && !beyond_end(c);
}

static void op_mlock(void)
{
	unsigned int how = byte() % 4, first, end, hole;
	bool lock = how != 0, onfault = how == 3, reach = true;
	int err;

	read_range(&first, &end);
	say("%s %u-%u%s", lock ? "mlock" : "munlock", first, end, onfault ? " onfault" : "");
	hole = first_hole(first, end);
	for (unsigned int i = first; i < hole; i++)
		reach &= can_populate(&prog->cells[i]);
	err = lock ? vm_mlock(cell_addr(first), length_of(first, end, 0),
			      onfault ? MLOCK_ONFAULT : 0) :
		     vm_munlock(cell_addr(first), length_of(first, end, 0));
	if (may_fail && err) {
		as_expected(err, -ENOMEM);
		return;
	}
	CHECK(err == 0 ? hole == end : err == -ENOMEM && (hole < end || (lock && !reach)),
	      "gives %d", err);
	for (unsigned int i = first; i < hole; i++) {
		prog->cells[i].locked = lock;
		prog->cells[i].onfault = onfault;
	}
}

static void op_mlockall(void)
{
	int flags = byte() % 8, err;
	bool unlock = flags == 7, refused = flags == 0 || flags == MCL_ONFAULT;

	touch_range(0, CELLS);
	say(unlock ? "munlockall" : "mlockall %d", flags);
	err = unlock ? vm_munlockall() : vm_mlockall(flags);
	if (!as_expected(err, refused ? -EINVAL : 0) || refused)
		return;
	prog->lock_future = !unlock && flags & MCL_FUTURE;
	prog->lock_onfault = !unlock && flags & MCL_ONFAULT;
	for (unsigned int i = 0; i < CELLS; i++) {
		struct cell *c = &prog->cells[i];

		/* It does as much as it can, and says that all is well. */
		if (may_fail)
			resync_cell(i);
		else if (flags & MCL_CURRENT) {
			c->locked = c->mapped && !unlock;
			c->onfault = c->locked && flags & MCL_ONFAULT;
		}
	}
}

static void op_dontneed(void)
{
	unsigned int first, end, i;
	bool locked_too = byte() % 4 == 0;
	int expected = 0, err;

	read_range(&first, &end);
	say("dontneed%s %u-%u", locked_too ? "-locked" : "", first, end);
	for (i = first; i < end; i++) {
		struct cell *c = &prog->cells[i];

		if (c->locked && !locked_too) {
			expected = -EINVAL;
			break;
		}
		if (!c->mapped)
			expected = -ENOMEM;
		c->own = false;
	}
	err = vm_madvise(cell_addr(first), length_of(first, end, 0),
			 locked_too ? MADV_DONTNEED_LOCKED : MADV_DONTNEED);
	CHECK(err == expected, "gives %d, not %d", err, expected);
}

static void op_advise_fork(void)
{
	static const int advice[] = { MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK,
				      MADV_KEEPONFORK };
	unsigned int a = byte() % 4, first, end, i;
	int expected = 0;

	read_range(&first, &end);
	say("advice %d %u-%u", advice[a], first, end);
	for (i = first; i < end; i++) {
		if (!prog->cells[i].mapped)
			expected = -ENOMEM;
		else if (a == 2 && prog->cells[i].object) {
			expected = -EINVAL;
			break;
		}
	}
	if (!as_expected(vm_madvise(cell_addr(first), length_of(first, end, 0), advice[a]),
			 expected))
		return;
	for (end = i, i = first; i < end; i++) {
		if (a < 2)
			prog->cells[i].dontfork = prog->cells[i].mapped && a == 0;
		else
			prog->cells[i].wipe = prog->cells[i].mapped && a == 2;
	}
}

/* Advice and questions that change nothing one could see. */
static void op_invisible(void)
{
	static const int advice[] = { MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_WILLNEED,
				      MADV_COLD,	  MADV_NORMAL,	       MADV_RANDOM };
	unsigned int a = byte() % 8, first, end, hole;
	int err;

	read_range(&first, &end);
	say("question %u %u-%u", a, first, end);
	hole = first_hole(first, end);
	if (a == 6) {
		CHECK(vm_msync(cell_addr(first), length_of(first, end, 0), MS_SYNC) ==
		      (hole < end ? -ENOMEM : 0));
		return;
	}
	if (a == 7) {
		const unsigned long to = cell_addr(byte() % WINDOW_CELLS);

		/* The answer is written where nobody looks, below PROBE. */
		err = vm_mincore(cell_addr(first), length_of(first, end, 0), (u8 *)to);
		CHECK(err == (hole < end ? -ENOMEM : 0) || err == -EFAULT ||
			      (may_fail && is_shortage(err)),
		      "gives %d", err);
		return;
	}
	err = vm_madvise(cell_addr(first), length_of(first, end, 0), advice[a]);
	if (a >= 2)
		CHECK(err == (hole < end ? -ENOMEM : 0) || (may_fail && is_shortage(err)) ||
			      (err == -EINVAL && a == 3 && any_locked(first, end)),
		      "gives %d", err);
	else if (!err)
		CHECK(hole == end);
}

/* The pages go from the object, wherever it is mapped. */
static void forget(struct object *o, unsigned int index)
{
	if (index < OBJ_PAGES)
		o->values[index] = 0;
}

static void op_remove(void)
{
	unsigned int i = byte() % WINDOW_CELLS;
	struct cell *c = &prog->cells[i];
	int err;

	touch_range(i, i + 1);
	say("remove %u", i);
	err = vm_madvise(cell_addr(i), PAGE_SIZE, MADV_REMOVE);
	if (!err) {
		CHECK(c->mapped && c->shared && !c->locked);
		forget(c->object, c->index);
		return;
	}
	CHECK(err == (!c->mapped	      ? -ENOMEM :
		      c->locked || !c->object ? -EINVAL :
						-EACCES) ||
		      may_fail,
	      "gives %d", err);
	CHECK(may_fail || err != -EACCES || !c->shared, "gives %d", err);
}

/* --- programs ---------------------------------------------------------------------------------------------- */

static void op_fork(void)
{
	struct program *child = &programs[nr_programs];
	struct mm_struct *m;

	say("fork");
	if (nr_programs == PROGRAMS)
		return;
	m = fork_of(prog->mm);
	if (!m) {
		CHECK(may_fail);
		return;
	}
	*child = (struct program){ .mm = m, .brk = prog->brk };
	nr_programs++;
	for (unsigned int i = 0; i < CELLS; i++) {
		struct cell *c = &child->cells[i];

		if (!prog->cells[i].mapped || prog->cells[i].dontfork)
			continue;
		*c = prog->cells[i];
		c->locked = c->onfault = false;
		c->own = c->own && !c->wipe;
		if (c->object)
			c->object->refs++;
	}
}

static void op_exit(void)
{
	say("exit");
	if (nr_programs == 1)
		return;
	finish(prog->mm, prog == programs ? programs[1].mm : programs[0].mm);
	clear_cells(0, CELLS);
	*prog = programs[--nr_programs];
	prog = programs;
	run(prog->mm);
}

static void op_switch(void)
{
	unsigned int n = byte();

	prog = &programs[n % nr_programs];
	run_on(prog->mm, n / 16 % SIM_NR_CPUS);
	say("switch to %td", prog - programs);
}

/* --- accesses ------------------------------------------------------------------------------------------------ */

static enum fault_verdict expected_verdict(const struct cell *c, enum sim_kind kind)
{
	if (!c->mapped)
		return FAULT_NO_AREA;
	if (kind == SIM_WRITE && !(c->prot & PROT_WRITE))
		return FAULT_NOT_WRITABLE;
	if (kind == SIM_EXEC && !(c->prot & PROT_EXEC))
		return FAULT_NOT_EXECUTABLE;
	if (!c->prot)
		return FAULT_NOT_READABLE;
	return beyond_end(c) ? FAULT_BUS : FAULT_HANDLED;
}

static void model_write(struct cell *c, u8 value)
{
	if (c->shared) {
		c->object->values[c->index] = value;
		return;
	}
	c->own = true;
	c->value = value;
}

static void op_touch(void)
{
	unsigned int how = byte(), i = byte() % CELLS;
	struct cell *c = &prog->cells[i];
	enum sim_kind kind = how % 8 == 7 ? SIM_EXEC : how % 2 ? SIM_READ : SIM_WRITE;
	enum fault_verdict want = expected_verdict(c, kind), got;
	u8 value = (u8)(how | 1);

	say("access %d of page %u", kind, i);
	sim_set_cpu(how / 64);
	run_on(prog->mm, how / 64);
	got = sim_access(cell_addr(i) + PROBE, &value, 1, kind);
	if (may_fail && (want == FAULT_HANDLED || want == FAULT_BUS) &&
	    (got == FAULT_OOM || got == FAULT_BUS))
		return;
	CHECK(got == want, "verdict %d, not %d", got, want);
	if (got == FAULT_HANDLED && kind == SIM_WRITE)
		model_write(c, value);
	else if (got == FAULT_HANDLED)
		CHECK(value == value_of(c), "%#x is there, not %#x", value, value_of(c));
}

/* As a debugger, or process_vm_readv(2). */
static void op_gup(void)
{
	unsigned int how = byte(), i = byte() % CELLS;
	struct program *of = &programs[how / 8 % nr_programs];
	struct cell *c = &of->cells[i];
	bool write = how & 1, force = how & 2, possible;
	u8 value = (u8)(how | 1);
	size_t done;

	say("remote %s of page %u of program %td%s", write ? "write" : "read", i, of - programs,
	    force ? ", by force" : "");
	possible = c->mapped && !beyond_end(c) &&
		   (write ? c->prot & PROT_WRITE || (force && !c->shared) :
			    c->prot & PROT_READ || force);
	done = access_remote_vm(of->mm, cell_addr(i) + PROBE, &value, 1,
				(write ? FOLL_WRITE : 0) | (force ? FOLL_FORCE : 0));
	if (may_fail && possible && !done)
		return;
	CHECK(done == possible, "%zu bytes, not %d", done, possible);
	if (!done)
		return;
	if (write)
		model_write(c, value);
	else
		CHECK(value == value_of(c), "%#x is there, not %#x", value, value_of(c));
}

/* --- files ------------------------------------------------------------------------------------------------------ */

static void op_truncate(void)
{
	unsigned int f = byte() % FILES, pages = byte() % (FILE_PAGES + 1);
	struct object *o = &objects[f];
	struct address_space *mapping = o->mapping;

	say("truncate file %u to %u pages", f, pages);
	if (shmem_resize(mapping->shmem, pages * PAGE_SIZE)) {
		CHECK(may_fail);
		return;
	}
	mapping->size = pages * PAGE_SIZE;
	truncate_pagecache(mapping, pages * PAGE_SIZE);
	o->pages = pages;
	for (unsigned int i = pages; i < FILE_PAGES; i++)
		forget(o, i);
	/* Private copies of what is behind the end go as well. */
	for (unsigned int p = 0; p < nr_programs; p++)
		for (unsigned int i = 0; i < CELLS; i++)
			if (programs[p].cells[i].object == o && programs[p].cells[i].index >= pages)
				programs[p].cells[i].own = false;
}

static void op_punch(void)
{
	unsigned int f = byte() % FILES, first = byte() % FILE_PAGES, n = 1 + byte() % 4;
	struct object *o = &objects[f];
	unsigned int odd = byte() % 4, end;

	say("hole in file %u, %u+%u, odd %u", f, first, n, odd);
	if (first >= o->pages)
		return;
	end = min(first + n, o->pages);
	punch_pagecache(o->mapping, first * PAGE_SIZE + (odd & 1 ? PROBE + 1 : 0),
			end * PAGE_SIZE - (odd & 2 ? 10 : 0));
	for (unsigned int i = first + (odd & 1); i < end; i++)
		forget(o, i);
}

/* By read(2) and write(2). */
static void op_file_io(void)
{
	unsigned int how = byte(), f = how / 2 % FILES, index = byte() % FILE_PAGES;
	struct object *o = &objects[f];
	struct page *page;
	u8 *bytes;

	say("%s file %u page %u", how & 1 ? "write" : "read", f, index);
	if (index >= o->pages)
		return;
	page = read_cache_page(o->mapping, index);
	if (IS_ERR(page)) {
		CHECK(may_fail);
		return;
	}
	bytes = page_address(page);
	CHECK(bytes[PROBE] == o->values[index]);
	if (how & 1)
		bytes[PROBE] = o->values[index] = (u8)how;
	put_page(page);
}

#endif
