/* SPDX-License-Identifier: MIT */
/*
 * The page cache of a file that is kept somewhere else: writes through mappings are noticed and written
 * back, failures told, and pages leave by way of the reverse map when the file is cut or punched.
 */
#include <stdlib.h>

#include "mm/filemap.h"
#include "tests/host/family.h"
#include "tests/host/tap.h"

#define STORE_PAGES 40U

/* The store: pages are read from it and written to it whole. */
static u8 store[STORE_PAGES][PAGE_SIZE];
static unsigned int reads, writes, fail_writes, asked;
static bool was_writable; /* through some mapping, while it was written */
static struct sim_file disk;
static struct vm_file_operations disk_fops;
static struct mm_struct *child;

/* Called when a shared area is about to change the file: what another CPU may do right then. */
static void (*meanwhile)(void);

static int disk_read(struct address_space *mapping, struct page *page)
{
	memcpy(page_address(page), store[page->index], PAGE_SIZE);
	reads++;
	page_set_flag(page, PG_uptodate);
	return 0;
}

static bool look(struct page *page, struct vm_area_struct *vma, unsigned long addr, void *arg)
{
	spinlock_t *ptl;
	pte_t *pte = page_vma_mapped(page, vma, addr, &ptl);

	if (pte) {
		was_writable |= pte_write(*pte) || pte_dirty(*pte);
		spin_unlock(ptl);
	}
	return true;
}

static int disk_write(struct address_space *mapping, struct page *page)
{
	if (!page_flag(page, PG_locked) || !page_flag(page, PG_writeback) ||
	    page_flag(page, PG_dirty))
		panic("a page is written that isn't locked, under write-back and clean");
	if (!radix_tree_tag_get(&mapping->pages, page->index, RADIX_TAG_WRITEBACK))
		panic("who wants to wait for a page that is being written can't find it");
	rmap_walk(page, &(struct rmap_walk_control){ .rmap_one = look });
	if (fail_writes) {
		fail_writes--;
		return -EIO;
	}
	memcpy(store[page->index], page_address(page), PAGE_SIZE);
	writes++;
	return 0;
}

static const struct address_space_operations disk_ops = { .read_page = disk_read,
							  .write_page = disk_write };

static int disk_fsync(struct vm_file *f, u64 start, u64 end)
{
	return file_write_and_wait_range(f, start, end);
}

static int disk_punch(struct vm_file *f, unsigned long first, unsigned long last)
{
	punch_pagecache(f->mapping, first << PAGE_SHIFT, (last + 1) << PAGE_SHIFT);
	return 0;
}

static void disk_changes(struct vm_file *f)
{
	asked++;
	if (meanwhile) {
		void (*once)(void) = meanwhile;

		meanwhile = NULL;
		once();
	}
}

static void begin_disk(void)
{
	begin();
	sim_file_init(&disk, "/disk", STORE_PAGES * PAGE_SIZE);
	disk.mapping.a_ops = &disk_ops;
	disk_fops = *disk.file.vm_fops;
	disk_fops.fsync = disk_fsync;
	disk_fops.punch_hole = disk_punch;
	disk_fops.update_time = disk_changes;
	disk.file.vm_fops = &disk_fops;
	for (unsigned int i = 0; i < STORE_PAGES; i++)
		memset(store[i], 'a' + (int)i % 26, PAGE_SIZE);
	reads = writes = fail_writes = asked = 0;
	was_writable = false;
}

static void end_disk(void)
{
	end();
	ok(!atomic_long_read(&nr_writeback_pages) &&
		   !radix_tree_tagged(&disk.mapping.pages, RADIX_TAG_WRITEBACK),
	   "nothing is on its way");
	truncate_pagecache(&disk.mapping, 0);
	is(atomic_long_read(&nr_dirty_pages), 0, "nothing is left to be written");
	sim_file_destroy(&disk);
}

static bool map_disk(unsigned int first, unsigned int n, unsigned long prot, unsigned long flags,
		     unsigned int pgoff)
{
	return vm_mmap(&disk.file, page(first), n * PAGE_SIZE, prot, MAP_FIXED | flags,
		       pgoff * PAGE_SIZE) == page(first);
}

/* Faults of either kind that one byte's write costs; -1 when the program would have been stopped. */
static long faults_of_write(unsigned long addr, u8 value)
{
	unsigned long before = sim_task.min_flt + sim_task.maj_flt;

	return sim_poke(addr, value) ? (long)(sim_task.min_flt + sim_task.maj_flt - before) : -1;
}

static int sync_disk(void)
{
	return filemap_write_and_wait_range(&disk.mapping, 0, ~0UL);
}

static bool cached(unsigned int index)
{
	struct page *p = find_get_page(&disk.mapping, index);

	if (p)
		put_page(p);
	return p;
}

static bool dirty(unsigned int index)
{
	struct page *p = find_get_page(&disk.mapping, index);
	bool is_dirty = p && page_flag(p, PG_dirty);

	if (p)
		put_page(p);
	return is_dirty;
}

/* --- writes are noticed --------------------------------------------------------------------------- */

static void test_tracking(void)
{
	begin_disk();
	ok(map_disk(0, 20, RW, MAP_SHARED, 0), "a shared area over a file that is kept elsewhere");
	is(sim_peek(page(3)), 'd', "it reads");
	is((long)sim_task.maj_flt, 1, "... by a major fault");
	ok(!pte_write(pte_at(mm, page(3))), "... mapped read-only");
	is(asked, 0, "... which changes nothing");
	is(faults_of_write(page(3), 'X'), 1, "the first write faults");
	is(asked, 1, "... and the file learns of it");
	ok(dirty(3) && atomic_long_read(&nr_dirty_pages) == 1, "... the page is dirty");
	is(faults_of_write(page(3) + 1, 'Y'), 0, "the second write doesn't");
	is(store[3][0], 'd', "nothing is written yet");
	is(sync_disk(), 0, "write-back");
	ok(store[3][0] == 'X' && store[3][1] == 'Y', "... brings it there");
	is(writes, 1, "... in one page");
	ok(!was_writable, "... which nobody could write meanwhile");
	ok(!dirty(3) && atomic_long_read(&nr_dirty_pages) == 0, "... it is clean");
	ok(!pte_write(pte_at(mm, page(3))) && !pte_dirty(pte_at(mm, page(3))),
	   "... read-only again");
	is(sync_disk(), 0, "once more");
	is(writes, 1, "... has nothing to do");
	is(faults_of_write(page(3), 'Z'), 1, "the next write is noticed again");
	ok(dirty(3), "... dirty");
	is(faults_of_write(page(5), 'P'), 1, "a page that is written first has one fault");
	is(asked, 3, "... that the file learns of as well");
	run_on(mm, 1);
	is(faults_of_write(page(5), 'Q'), 0, "another CPU may write now");
	run_on(mm, 0);
	is(filemap_write_and_wait_range(&disk.mapping, 4 * PAGE_SIZE, 6 * PAGE_SIZE - 1), 0,
	   "write-back of a range");
	ok(store[5][0] == 'Q' && store[3][0] == 'X', "... writes that range");
	run_on(mm, 1);
	is(faults_of_write(page(5), 'R'), 1, "... and the other CPU's next write is noticed");
	run_on(mm, 0);
	vm_mprotect(page(3), PAGE_SIZE, PROT_READ);
	vm_mprotect(page(3), PAGE_SIZE, RW);
	is(faults_of_write(page(3), 'S'), 0, "mprotect and back: a dirty page needs no fault");
	sync_disk();
	vm_mprotect(page(3), PAGE_SIZE, PROT_READ);
	vm_mprotect(page(3), PAGE_SIZE, RW);
	is(faults_of_write(page(3), 'T'), 1, "... a clean one does");
	ok(map_disk(20, 5, RW, MAP_SHARED, 20) && mm->map_count == 1, "areas that go on merge");
	is(faults_of_write(page(21), 'U'), 1, "... and are still watched");
	vm_munmap(page(0), 25 * PAGE_SIZE);
	ok(dirty(3) && !dirty(5) && dirty(21), "unmapped, they are still dirty");
	sync_disk();
	ok(store[3][0] == 'T' && store[5][0] == 'R' && store[21][0] == 'U', "... and written");
	end_disk();
}

/* What another CPU writes while the page is being unmapped is either noticed or not done. */
static void test_unmapped_meanwhile(void)
{
	struct mmu_gather tlb;

	begin_disk();
	map_disk(0, 4, RW, MAP_SHARED, 0);
	sim_poke(page(2), 'X');
	run_on(mm, 1);
	sim_poke(page(2), 'Y');
	run_on(mm, 0);
	down_read(&mm->mmap_lock);
	tlb_gather_mmu(&tlb, mm);
	unmap_page_range(&tlb, mm->mmap, page(0), page(4));
	is(sync_disk(), 0, "write-back of a page that is just being unmapped");
	is(store[2][0], 'Y', "... stores it");
	up_read(&mm->mmap_lock);
	run_on(mm, 1);
	sim_poke(page(2), 'Z');
	run_on(mm, 0);
	ok(dirty(2), "another CPU's write comes too late, and is noticed");
	tlb_finish_mmu(&tlb);
	sync_disk();
	is(store[2][0], 'Z', "... and stored");
	end_disk();
}

static void test_private(void)
{
	begin_disk();
	map_disk(0, 10, RW, MAP_PRIVATE, 0);
	sim_peek(page(0));
	is(faults_of_write(page(0), 'X'), 1, "a private write");
	is(faults_of_write(page(1), 'X'), 1, "... and one to a page that isn't there");
	ok(asked == 0 && !dirty(0) && !dirty(1), "... change nothing of the file");
	sync_disk();
	is(writes, 0, "... so there is nothing to write");
	end_disk();
}

/* A page at two addresses and in two programs: one page. */
static void test_coherence(void)
{
	begin_disk();
	map_disk(0, 4, RW, MAP_SHARED, 0);
	map_disk(10, 4, RW, MAP_SHARED, 0);
	map_disk(20, 4, PROT_READ, MAP_PRIVATE, 0);
	child = fork_of(mm);
	for (unsigned int i = 0; i < 8; i++) {
		u8 c = (u8)('A' + i);

		run_on(i & 1 ? child : mm, i & 1);
		ok(sim_poke(page(i & 2 ? 1 : 11), c), "write %u", i);
		ok(sim_peek(page(1)) == c && sim_peek(page(11)) == c && sim_peek(page(21)) == c,
		   "... is seen at each address by who wrote it");
		run_on(i & 1 ? mm : child, i & 1);
		ok(sim_peek(page(1)) == c && sim_peek(page(11)) == c && sim_peek(page(21)) == c,
		   "... and by the other");
		if (i & 4) {
			sync_disk();
			is(store[1][0], c, "... and stored");
		}
	}
	run(mm);
	is(mapcount_at(mm, page(1)), 6, "six entries map it");
	is(page_count_mappings(page_at(mm, page(1))), 6, "... and are found");
	ok(!was_writable, "none could be written during write-back");
	finish(child, mm);
	end_disk();
}

/* --- failures --------------------------------------------------------------------------------------- */

static void test_errors(void)
{
	struct vm_file other, late;

	begin_disk();
	other = disk.file;
	map_disk(0, 4, RW, MAP_SHARED, 0);
	sim_poke(page(0), 'X');
	sim_poke(page(1), 'Y');
	fail_writes = 1;
	is(sync_disk(), -EIO, "write-back that fails says so");
	ok(!dirty(0) && store[0][0] == 'a', "... and doesn't try the page again");
	is(store[1][0], 'Y', "... but goes on with the others");
	late = disk.file;
	late.wb_seq = filemap_sample_wb_err(&disk.mapping);
	is(vm_msync(page(0), PAGE_SIZE, MS_ASYNC), 0, "MS_ASYNC doesn't ask");
	is(vm_msync(page(0), PAGE_SIZE, MS_SYNC), -EIO, "MS_SYNC is told");
	is(vm_msync(page(0), PAGE_SIZE, MS_SYNC), 0, "... once");
	is(file_write_and_wait_range(&other, 0, ~0UL), -EIO, "so is another who has it open");
	is(file_write_and_wait_range(&other, 0, ~0UL), 0, "... once");
	is(file_write_and_wait_range(&late, 0, ~0UL), -EIO,
	   "... and who opened it before anybody was told");
	late.wb_seq = filemap_sample_wb_err(&disk.mapping);
	is(file_write_and_wait_range(&late, 0, ~0UL), 0, "but not who opens it afterwards");
	is(sim_peek(page(0)), 'X', "in memory it is what was written");
	sim_poke(page(0), 'Z');
	is(vm_msync(page(0), PAGE_SIZE, MS_SYNC), 0, "the next write can be stored");
	is(store[0][0], 'Z', "... and is");
	end_disk();
}

/* --- pages that go -------------------------------------------------------------------------------- */

static void cut(u64 size)
{
	disk.mapping.size = size;
	truncate_pagecache(&disk.mapping, size);
}

static void test_truncate(void)
{
	begin_disk();
	map_disk(0, 10, RW, MAP_SHARED, 0);
	map_disk(10, 10, RW, MAP_PRIVATE, 0);
	for (unsigned int i = 0; i < 10; i++)
		sim_poke(page(i), 'X');
	sim_poke(page(12), 'P');
	sim_poke(page(15), 'P');
	sim_poke(page(14), 'P');
	sim_peek(page(16));
	cut(4 * PAGE_SIZE + 100);
	is((long)disk.mapping.nrpages, 5, "a file that was cut has fewer pages");
	is(atomic_long_read(&nr_dirty_pages), 5, "... and what went needn't be written");
	is(access_kind(page(5), SIM_READ), FAULT_BUS, "behind the end there is nothing");
	is(access_kind(page(15), SIM_READ), FAULT_BUS, "... no private copy either");
	is(sim_peek(page(12)), 'P', "a copy before it stays");
	is(sim_peek(page(14) + 200), 'e', "... as a whole");
	is(sim_peek(page(4)), 'X', "the last page stays");
	is(sim_peek(page(4) + 100), 0, "... with zeros behind the end");
	ok(rss(MM_FILEPAGES) == 8 && rss(MM_ANONPAGES) == 2, "as is counted");
	cut(10 * PAGE_SIZE);
	is(sim_peek(page(4) + 100), 0, "longer again: they stay zeros");
	ok(sim_poke(page(9), 1), "... and there is a page again");
	audit_mm(mm);
	end_disk();
}

static void test_punch(void)
{
	begin_disk();
	map_disk(0, 10, RW, MAP_SHARED, 0);
	map_disk(10, 10, RW, MAP_PRIVATE, 0);
	for (unsigned int i = 0; i < 10; i++)
		sim_poke(page(i), 'X');
	sim_poke(page(13), 'P');
	is(sim_peek(page(14)), 'X', "a private area shows the file");
	punch_pagecache(&disk.mapping, 2 * PAGE_SIZE + 10, 5 * PAGE_SIZE + 20);
	memset(store[3], 0, 2 * PAGE_SIZE);
	ok(!cached(3) && !cached(4), "a hole: pages that are mapped go, too");
	ok(!page_at(mm, page(3)) && !page_at(mm, page(4)), "... and so do their entries");
	ok(!page_at(mm, page(14)), "... those of the private area as well");
	is(sim_peek(page(13)), 'P', "... but not a copy");
	ok(sim_peek(page(3)) == 0 && sim_peek(page(14)) == 0, "there are zeros");
	ok(sim_peek(page(2) + 9) == 'b' + 1 && sim_peek(page(2) + 10) == 0, "the hole begins");
	ok(sim_peek(page(5) + 19) == 0 && sim_peek(page(5) + 20) == 'f',
	   "... and ends inside pages");
	punch_pagecache(&disk.mapping, 6 * PAGE_SIZE + 1, 6 * PAGE_SIZE + 3);
	ok(sim_peek(page(6)) == 'X' && sim_peek(page(6) + 1) == 0 && sim_peek(page(6) + 3) == 'g',
	   "one inside a page");
	is(vm_madvise(page(7), 2 * PAGE_SIZE, MADV_REMOVE), 0, "MADV_REMOVE");
	ok(!cached(7) && !cached(8) && cached(9), "... is a hole, too");
	is(vm_madvise(page(10), PAGE_SIZE, MADV_REMOVE), -EACCES, "... not in private areas");
	audit_mm(mm);
	end_disk();
}

static void cut_to_2(void)
{
	cut(2 * PAGE_SIZE);
}

static void unmap_all(void)
{
	unmap_mapping_pages(&disk.mapping, 0, ~0UL, true);
}

static void write_back(void)
{
	sync_disk();
}

/* What another CPU does between a fault's look at the page and the right to write it. */
static void test_races(void)
{
	begin_disk();
	map_disk(0, 10, RW, MAP_SHARED, 0);
	sim_peek(page(3));
	meanwhile = cut_to_2;
	is(access_kind(page(3), SIM_WRITE), FAULT_BUS, "the file is cut before the write: SIGBUS");
	ok(!page_at(mm, page(3)) && !cached(3), "... and nothing is left of the page");
	cut(10 * PAGE_SIZE);
	meanwhile = cut_to_2;
	is(access_kind(page(4), SIM_WRITE), FAULT_BUS, "the same when the page wasn't mapped");
	ok(!page_at(mm, page(4)) && !cached(4), "... nothing is left");
	cut(10 * PAGE_SIZE);
	sim_peek(page(5));
	meanwhile = unmap_all;
	ok(sim_poke(page(5), 'X'), "the entry is taken away: the write goes on");
	ok(dirty(5) && mapcount_at(mm, page(5)) == 1, "... mapped once, dirty");
	sync_disk();
	meanwhile = write_back;
	ok(sim_poke(page(5), 'Y'), "write-back right before the write");
	ok(dirty(5), "... which is dirty after it");
	sync_disk();
	is(store[5][0], 'Y', "... and not lost");
	audit_mm(mm);
	end_disk();
}

/* A file far larger than memory that is mapped here and there: to go over each page took for ever. */
static void test_sparse(void)
{
	const unsigned long len = 100UL << 40;
	unsigned long addr;

	begin_disk();
	sim_file_destroy(&disk);
	sim_file_init(&disk, "/sparse", len);
	addr = vm_mmap(&disk.file, 0, len, RW, MAP_SHARED, 0);
	for (unsigned long i = 0; i < 8; i++)
		sim_poke(addr + i * (len / 8), (u8)i);
	is((long)disk.mapping.nrpages, 8, "100 TiB, of which eight pages are there");
	cut(len / 2);
	is((long)disk.mapping.nrpages, 4, "... cut in half");
	is(vm_madvise(addr, len / 4, MADV_DONTNEED), 0, "... a quarter unmapped");
	is(rss(MM_FILEPAGES), 2, "... two pages are mapped now");
	punch_pagecache(&disk.mapping, PAGE_SIZE, len / 2);
	is((long)disk.mapping.nrpages, 1, "... a hole up to the end");
	is(rss(MM_FILEPAGES), 0, "... none is mapped");
	end_disk();
}

/* --- coming and going ------------------------------------------------------------------------------- */

static void test_ahead(void)
{
	begin_disk();
	map_disk(0, 30, RW, MAP_SHARED, 0);
	is(vm_madvise(page(2), 4 * PAGE_SIZE, MADV_WILLNEED), 0, "MADV_WILLNEED");
	ok(reads == 4 && cached(2) && cached(5) && !cached(6), "... reads what was named");
	is(rss(MM_FILEPAGES), 0, "... and maps nothing");
	is(sim_peek(page(3)), 'd', "a read there");
	is((long)sim_task.maj_flt, 0, "... is a minor fault");
	is(rss(MM_FILEPAGES), 4, "... which maps all that is there");
	page_cache_readahead(&disk.mapping, STORE_PAGES - 2, ~0UL);
	is(reads, 6, "no further than the file goes");
	map_disk(30, 1, PROT_READ, MAP_SHARED, 38);
	is(invalidate_mapping_pages(&disk.mapping, 0, ~0UL), 2, "what nobody uses can go");
	ok(!cached(38) && !cached(39) && cached(3), "... what is mapped stays");
	vm_munmap(page(0), 30 * PAGE_SIZE);
	map_disk(0, 30, RW, MAP_SHARED, 0);
	sim_poke(page(4), 'X');
	vm_munmap(page(0), 30 * PAGE_SIZE);
	is(invalidate_mapping_pages(&disk.mapping, 0, 4), 2, "... and what is dirty");
	ok(cached(4) && cached(5) && !cached(3), "... within the range");
	sync_disk();
	is(invalidate_mapping_pages(&disk.mapping, 0, ~0UL), 2, "written, it can go as well");
	is((long)disk.mapping.nrpages, 0, "... all are gone");
	map_disk(0, 10, RW, MAP_SHARED, 0);
	is(sim_peek(page(4)), 'X', "... and come back");
	end_disk();
}

/* --- memory that runs out ---------------------------------------------------------------------------- */

static bool touch_all(void)
{
	bool good = map_disk(0, 8, RW, MAP_SHARED, 0) && map_disk(8, 8, RW, MAP_PRIVATE, 0);

	for (unsigned int i = 0; i < 16; i++)
		good = sim_poke(page(i), (u8)(100 + i)) && good;
	vm_madvise(page(0), 8 * PAGE_SIZE, MADV_WILLNEED);
	good = !sync_disk() && good;
	cut(6 * PAGE_SIZE);
	punch_pagecache(&disk.mapping, PAGE_SIZE, 3 * PAGE_SIZE);
	memset(store[1], 0, 2 * PAGE_SIZE);
	return good;
}

static void test_no_memory(void)
{
	unsigned int failures = 0, wrong = 0;

	for (int how = SIM_FAIL_PAGE; how <= SIM_FAIL_ALL; how++) {
		bool good = false;

		for (unsigned long n = 1; !good && n < 500; n++) {
			begin_disk();
			sim_fail((enum sim_fail)how, n);
			good = touch_all();
			sim_fail(SIM_FAIL_NONE, 0);
			failures += !good;
			audit_mm(mm);
			cut(STORE_PAGES * PAGE_SIZE);
			sync_disk();
			touch_all();
			wrong += sim_peek(page(0)) != 100 || sim_peek(page(1)) != 0 ||
				 sim_peek(page(5)) != 105 || sim_peek(page(9)) != 109 ||
				 store[0][0] != 100 || sim_peek(page(14)) != -1;
			sim_exit_mm();
			cut(0);
			wrong += atomic_long_read(&nr_dirty_pages) != 0;
			sim_file_destroy(&disk);
			sim_file_destroy(&file);
		}
		ok(good, "%s: without a failure at last", sim_fail_names[how]);
	}
	ok(failures > 20, "an allocation failed %u times", failures);
	is(wrong, 0, "... and afterwards all went well");
}

int main(void)
{
	struct sim_usage start, left;

	sim_boot_default();
	start = sim_usage();
	test_tracking();
	test_unmapped_meanwhile();
	test_private();
	test_coherence();
	test_errors();
	test_truncate();
	test_punch();
	test_races();
	test_sparse();
	test_ahead();
	test_no_memory();
	left = sim_usage();
	ok(sim_usage_same(&start, &left, true), "all of it given back");
	page_alloc_audit();
	return done_testing();
}
