/* SPDX-License-Identifier: MIT */
/*
 * A file that is mapped, read, written back, cut and lengthened at once. Byte i of a page that was read from
 * where it is kept is a function of i and of how often the page was written there: so what is seen is known
 * to be the file's, or a zero behind where it ended.
 */
#include "mm/internal.h"
#include "mm/shmem.h"
#include "mm/vma.h"
#include "tests/host/tap.h"
#include "tests/host/threads/threads.h"

#define RW	   (PROT_READ | PROT_WRITE)
#define BASE	   0x40000000UL
#define FILE_PAGES 16
#define ROUNDS	   1000

static struct mm_struct *mm;
static struct sim_file file;
static atomic_long_t wrong, beyond, cuts, written;
static struct mutex file_lock; /* what i_rwsem is to a file system: who changes the size */

static u64 word_of(unsigned long index)
{
	return 0xf11e000000000000UL | index;
}

/* --- where the file is kept: one word of each page --------------------------------------------------- */

static u64 disk[FILE_PAGES];

static int disk_read(struct address_space *mapping, struct page *page)
{
	u64 *mem = page_address(page);

	clear_page(mem);
	if (page->index < FILE_PAGES)
		*mem = __atomic_load_n(&disk[page->index], __ATOMIC_RELAXED);
	page_set_flag(page, PG_uptodate);
	return 0;
}

static int disk_write(struct address_space *mapping, struct page *page)
{
	const u64 *mem = page_address(page);

	if (page->index < FILE_PAGES)
		__atomic_store_n(&disk[page->index], __atomic_load_n(mem, __ATOMIC_RELAXED),
				 __ATOMIC_RELAXED);
	atomic_long_inc(&written);
	return 0;
}

static const struct address_space_operations disk_ops = { .read_page = disk_read,
							  .write_page = disk_write };

static void set_size(u64 size)
{
	mutex_lock(&file_lock);
	WRITE_ONCE(file.mapping.size, size);
	truncate_pagecache(&file.mapping, size);
	mutex_unlock(&file_lock);
	atomic_long_inc(&cuts);
}

/* --- who uses it ------------------------------------------------------------------------------------- */

static void check_word(u64 value, unsigned long index)
{
	if (value && value != word_of(index))
		atomic_long_inc(&wrong);
}

static void read_mapped(unsigned long base)
{
	unsigned long index = test_random() % FILE_PAGES;
	u64 value;

	if (load_word(base + index * PAGE_SIZE, &value) == FAULT_HANDLED)
		check_word(value, index);
	else
		atomic_long_inc(&beyond);
}

static void write_mapped(unsigned long base)
{
	unsigned long index = test_random() % FILE_PAGES;

	if (store_word(base + index * PAGE_SIZE, word_of(index)) != FAULT_HANDLED)
		atomic_long_inc(&beyond);
}

/* As read(2) does. */
static void read_cached(void)
{
	unsigned long index = test_random() % FILE_PAGES;
	struct page *page;

	if (index >= DIV_ROUND_UP(READ_ONCE(file.mapping.size), PAGE_SIZE))
		return;
	page = read_cache_page(&file.mapping, index);
	if (IS_ERR(page))
		return;
	check_word(__atomic_load_n((u64 *)page_address(page), __ATOMIC_RELAXED), index);
	put_page(page);
}

/* As write(2) does, within the file. */
static void write_cached(void)
{
	unsigned long index = test_random() % FILE_PAGES;
	struct page *page;

	mutex_lock(&file_lock);
	if (index < file.mapping.size / PAGE_SIZE) {
		page = read_cache_page(&file.mapping, index);
		if (!IS_ERR(page)) {
			lock_page(page);
			__atomic_store_n((u64 *)page_address(page), word_of(index),
					 __ATOMIC_RELAXED);
			set_page_dirty(page);
			unlock_page(page);
			put_page(page);
		}
	}
	mutex_unlock(&file_lock);
}

static unsigned long shared_base(void)
{
	return BASE;
}

static unsigned long private_base(unsigned int cpu)
{
	return BASE + (1 + cpu) * FILE_PAGES * PAGE_SIZE;
}

static void map_private(unsigned int cpu)
{
	vm_mmap(&file.file, private_base(cpu), FILE_PAGES * PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED,
		0);
}

/* A child that maps it, too, while others cut it. */
static void fork_and_read(unsigned int cpu)
{
	struct mm_struct *child = dup_mm(mm);

	if (IS_ERR(child)) {
		atomic_long_inc(&wrong);
		return;
	}
	enter_mm(child);
	for (unsigned int n = 0; n < 8; n++) {
		read_mapped(shared_base());
		read_mapped(private_base(cpu));
		write_mapped(private_base(cpu));
	}
	enter_mm(mm);
	mmput(child);
}

static void use_file(unsigned int cpu)
{
	test_random_seed(cpu);
	enter_mm(mm);
	map_private(cpu);
	for (unsigned int n = 0; n < ROUNDS; n++) {
		read_mapped(shared_base());
		write_mapped(shared_base());
		read_mapped(private_base((unsigned int)(test_random() % SIM_NR_CPUS)));
		write_mapped(private_base(cpu));
		read_cached();
		write_cached();
		switch (test_random() % 24) {
		case 0:
		case 8:
			set_size(test_random() % (FILE_PAGES * PAGE_SIZE) & ~7UL);
			break;
		case 1:
		case 9:
			set_size(FILE_PAGES * PAGE_SIZE);
			break;
		case 2:
			if (filemap_write_and_wait_range(&file.mapping, 0, ~0UL))
				atomic_long_inc(&wrong);
			break;
		case 3:
			invalidate_mapping_pages(&file.mapping, 0, ~0UL);
			break;
		case 4:
			map_private(cpu);
			break;
		case 5:
			vm_munmap(private_base(cpu), FILE_PAGES * PAGE_SIZE / 2);
			break;
		case 6:
			vm_msync(shared_base(), FILE_PAGES * PAGE_SIZE, MS_SYNC);
			break;
		case 7:
			punch_pagecache(&file.mapping, PAGE_SIZE * (test_random() % 4),
					PAGE_SIZE * (4 + test_random() % 4));
			break;
		case 10:
			fork_and_read(cpu);
			break;
		default:
			break;
		}
	}
	enter_mm(NULL);
}

/* Nothing of the file may be left behind its end: not in the cache, not in a page table. */
static void check_end(void)
{
	unsigned long last = DIV_ROUND_UP(file.mapping.size, PAGE_SIZE), index = last;
	struct page *page;

	page = find_get_next(&file.mapping, &index, ~0UL);
	if (page) {
		is(page_mapcount(page), 0, "page %lu behind the end at %lu isn't mapped", index,
		   last);
		put_page(page);
	}
	for (unsigned long i = 0; i < FILE_PAGES; i++) {
		u64 value;

		if (i >= last && load_word(shared_base() + i * PAGE_SIZE, &value) != FAULT_BUS)
			atomic_long_inc(&wrong);
	}
}

static void run_program(const char *what)
{
	mm = mm_alloc();
	enter_mm(mm);
	vm_mmap(&file.file, shared_base(), FILE_PAGES * PAGE_SIZE, RW, MAP_SHARED | MAP_FIXED, 0);
	on_all_cpus(use_file);
	enter_mm(mm);
	check_end();
	down_write(&mm->mmap_lock);
	audit_mm(mm);
	up_write(&mm->mmap_lock);
	enter_mm(NULL);
	mmput(mm);
	is(atomic_long_read(&wrong), 0, "%s: nobody saw what is not the file's", what);
	diag("%ld cuts, %ld accesses behind the end, %ld pages written", atomic_long_read(&cuts),
	     atomic_long_read(&beyond), atomic_long_read(&written));
	sim_file_destroy(&file);
}

int main(void)
{
	struct sim_usage start, end;

	sim_boot_default();
	mutex_init(&file_lock);
	start = sim_usage();

	sim_file_init(&file, "/stored", FILE_PAGES * PAGE_SIZE);
	file.mapping.a_ops = &disk_ops;
	run_program("a file with a place to be kept");
	is(atomic_long_read(&nr_dirty_pages), 0, "no page is counted as dirty");
	is(atomic_long_read(&nr_writeback_pages), 0, "nor as on its way");

	sim_file_init(&file, "/memory", FILE_PAGES * PAGE_SIZE);
	file.mapping.a_ops = NULL;
	run_program("a file in memory");

	page_alloc_audit();
	end = sim_usage();
	ok(sim_usage_same(&start, &end, false), "everything came back");
	return done_testing();
}
