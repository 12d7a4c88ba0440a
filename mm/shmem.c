/* SPDX-License-Identifier: MIT */
/*
 * Shared anonymous memory: pages that belong to no file and to no program, but to an object that areas
 * show. mmap(MAP_SHARED | MAP_ANONYMOUS) makes one; fork, a split, and mremap of length 0 show it a
 * second time; with the last area it goes. To the rest of mm it looks like a file, which it has to
 * be: pages are found by their index, whoever faults.
 *
 *	vma --> vm_file   ]
 *	vma -->  "        ] shmem_object
 *	        mapping   ]---> pages
 *
 * The whole is promised when it is made, or page by page as they come (MAP_NORESERVE).
 *
 * Locks: what the page cache needs (filemap.c); `refs` and `charged` are atomic.
 */
#include "kernel/base/printf.h"
#include "mm/internal.h"
#include "mm/shmem.h"

struct shmem_object {
	struct vm_file file; /* what areas know of it, and hold by references */
	struct address_space mapping;
	atomic_t refs;
	atomic_long_t charged; /* pages promised */
	bool noreserve;
};

const struct shmem_ops *shmem_ops;

static struct kmem_cache *shmem_cache;
static atomic_long_t last_ino;

static struct shmem_object *object_of(struct vm_file *file)
{
	return container_of(file, struct shmem_object, file);
}

static int shmem_charge(struct shmem_object *shmem, unsigned long pages)
{
	if (vm_enough_memory(current_mm_task()->mm, pages))
		return -ENOMEM;
	atomic_long_add(&shmem->charged, (long)pages);
	return 0;
}

static void shmem_uncharge(struct shmem_object *shmem, unsigned long pages)
{
	atomic_long_add(&shmem->charged, -(long)pages);
	vm_unacct_memory(pages);
}

/* --- as a file ---------------------------------------------------------------------------------- */

static void shmem_get(struct vm_file *file)
{
	atomic_inc(&object_of(file)->refs);
}

static void shmem_put(struct vm_file *file)
{
	struct shmem_object *shmem = object_of(file);

	if (!atomic_dec_and_test(&shmem->refs))
		return;
	truncate_pagecache(&shmem->mapping, 0);
	vm_unacct_memory((unsigned long)atomic_long_read(&shmem->charged));
	kmem_cache_free(shmem_cache, shmem);
}

static int shmem_path(struct vm_file *file, char *buf, size_t size)
{
	return scnprintf(buf, size, "/dev/zero (deleted)");
}

static int shmem_punch_hole(struct vm_file *file, unsigned long first, unsigned long last)
{
	struct shmem_object *shmem = object_of(file);
	unsigned long dropped = truncate_pagecache_range(&shmem->mapping, first, last);

	if (shmem->noreserve)
		shmem_uncharge(shmem, dropped);
	return 0;
}

static const struct vm_file_operations shmem_file_ops = {
	.get = shmem_get,
	.put = shmem_put,
	.mmap = generic_file_mmap,
	.path = shmem_path,
	.punch_hole = shmem_punch_hole,
};

/* A new page is one of zeros. What can't be promised any more is no memory to its program: SIGBUS. */
static int shmem_read_page(struct address_space *mapping, struct page *page)
{
	struct shmem_object *shmem = mapping->host;

	if (shmem->noreserve && shmem_charge(shmem, 1))
		return -ENOSPC;
	clear_page(page_address(page));
	page_set_flag(page, PG_uptodate);
	return 0;
}

static const struct address_space_operations shmem_a_ops = { .read_page = shmem_read_page };

/* --- the call -------------------------------------------------------------------------------------- */

int shmem_zero_setup(struct vm_area_struct *vma)
{
	struct shmem_object *shmem = kmem_cache_zalloc(shmem_cache, GFP_KERNEL);

	if (!shmem)
		return -ENOMEM;
	shmem->noreserve = vma->vm_flags & VM_NORESERVE;
	if (!shmem->noreserve && shmem_charge(shmem, vma_pages(vma))) {
		kmem_cache_free(shmem_cache, shmem);
		return -ENOMEM;
	}
	address_space_init(&shmem->mapping, shmem, &shmem_a_ops);
	shmem->mapping.size = vma->vm_end - vma->vm_start;
	shmem->mapping.shmem = true;
	shmem->file.vm_fops = &shmem_file_ops;
	shmem->file.mapping = &shmem->mapping;
	shmem->file.vm_mode = VM_FILE_READ | VM_FILE_WRITE;
	shmem->file.ino = (u64)atomic_long_add_return(&last_ino, 1);
	shmem->file.dev_minor = 1;
	atomic_set(&shmem->refs, 1);
	vma->vm_file = &shmem->file;
	return generic_file_mmap(vma->vm_file, vma);
}

void shmem_init(void)
{
	shmem_cache = kmem_cache_create("shmem_object", sizeof(struct shmem_object), 0);
}
