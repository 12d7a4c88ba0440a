/* SPDX-License-Identifier: MIT */
/*
 * Shared memory: files whose pages are the page cache and nothing else. Those of a mounted tmpfs have
 * names; memfd_create(2) makes some without; and what mmap(MAP_SHARED | MAP_ANONYMOUS) shows is one too,
 * which fork, a split, and mremap of length 0 show a second time, until its last area goes.
 *
 *	vma --> vm_file   ]
 *	vma -->  "        ] inode: address_space ---> pages
 *	                           shmem -----------> shmem_info: what of it is promised, and seals
 *
 * The file system makes such files (shmem_ops), finds them by name, reads and writes them. Here is what
 * memory management has to say: what they may take. The whole size is promised when the file is made, or
 * each page as it comes (VM_NORESERVE), and a mount may have a limit of its own.
 *
 * Locks: what the page cache needs (filemap.c). Counts are atomic.
 */
#include "mm/shmem.h"

#include "kernel/abi/fcntl.h"
#include "mm/internal.h"

const struct shmem_ops *shmem_ops;
atomic_long_t nr_shmem_pages;

/* --- promises ------------------------------------------------------------------------------------ */

static const struct mm_struct *charged_mm(void)
{
	const struct task_mm *task = current_mm_task();

	return task ? task->mm : NULL;
}

static unsigned long size_pages(u64 size)
{
	return (unsigned long)DIV_ROUND_UP(size, PAGE_SIZE);
}

int shmem_info_init(struct shmem_info *info, struct shmem_sb_info *sb, u64 size, u64 vm_flags)
{
	*info = (struct shmem_info){
		.sb = sb,
		.noreserve = vm_flags & VM_NORESERVE,
		.seals = F_SEAL_SEAL,
	};
	return shmem_resize(info, size);
}

void shmem_info_destroy(struct shmem_info *info)
{
	vm_unacct_memory(info->reserved);
}

int shmem_resize(struct shmem_info *info, u64 size)
{
	unsigned long pages = size_pages(size);

	if (info->noreserve)
		return 0;
	if (pages > info->reserved && vm_enough_memory(charged_mm(), pages - info->reserved))
		return -ENOMEM;
	if (pages < info->reserved)
		vm_unacct_memory(info->reserved - pages);
	info->reserved = pages;
	return 0;
}

/* Takes one block of the mount's, which may have lost its limit. 0 or -ENOSPC. */
static int take_block(struct shmem_sb_info *sb)
{
	long max;

	if (!sb)
		return 0;
	max = (long)READ_ONCE(sb->max_blocks);
	if (atomic_long_add_return(&sb->used_blocks, 1) <= max || !max)
		return 0;
	atomic_long_dec(&sb->used_blocks);
	return -ENOSPC;
}

static int shmem_charge_page(struct address_space *mapping)
{
	struct shmem_info *info = mapping->shmem;

	if (info->noreserve && vm_enough_memory(charged_mm(), 1))
		return -ENOSPC;
	if (!take_block(info->sb)) {
		atomic_long_inc(&nr_shmem_pages);
		return 0;
	}
	if (info->noreserve)
		vm_unacct_memory(1);
	return -ENOSPC;
}

static void shmem_page_removed(struct address_space *mapping)
{
	struct shmem_info *info = mapping->shmem;

	atomic_long_dec(&nr_shmem_pages);
	if (info->sb)
		atomic_long_dec(&info->sb->used_blocks);
	if (info->noreserve)
		vm_unacct_memory(1);
}

const struct address_space_operations shmem_a_ops = {
	.charge_page = shmem_charge_page,
	.page_removed = shmem_page_removed,
};

/* --- what is there --------------------------------------------------------------------------------- */

/* Whether there is data at *index, which for data that isn't is set to where some is, or beyond all. */
static bool data_at(struct address_space *mapping, unsigned long *index)
{
	unsigned long next = *index;
	struct page *page;
	bool found;

	spin_lock(&mapping->lock);
	do {
		page = radix_tree_next(&mapping->pages, &next);
		/* Room that was made by fallocate() and not used is a hole. */
		found = page && page_flag(page, PG_uptodate);
	} while (page && !found && next++ != ~0UL);
	spin_unlock(&mapping->lock);
	if (found && next == *index)
		return true;
	*index = found ? next : ~0UL >> PAGE_SHIFT;
	return false;
}

s64 shmem_seek(struct address_space *mapping, u64 from, bool data)
{
	unsigned long index = from >> PAGE_SHIFT;
	u64 size = mapping->size, found;

	if (from >= size)
		return -ENXIO;
	if (data) {
		data_at(mapping, &index);
	} else {
		for (unsigned long next = index; next < size_pages(size) && data_at(mapping, &next);
		     next++)
			index = next + 1;
	}
	found = max(from, (u64)index << PAGE_SHIFT);
	if (found >= size)
		return data ? -ENXIO : (s64)size;
	return (s64)found;
}

bool shmem_has_pins(struct address_space *mapping)
{
	bool pinned = false;
	struct page *page;

	for (unsigned long index = 0; !pinned; index++) {
		spin_lock(&mapping->lock);
		page = radix_tree_next(&mapping->pages, &index);
		/* Both counts in one look: the cache's reference, and one for each mapping. */
		if (page) {
			u64 counts = (u64)atomic_long_read(&page->counts);

			pinned = (u32)counts - (u32)(counts >> 32) != 1;
		}
		spin_unlock(&mapping->lock);
		if (!page)
			break;
	}
	return pinned;
}

/* --- shared anonymous memory ---------------------------------------------------------------------- */

int shmem_zero_setup(struct vm_area_struct *vma)
{
	struct vm_file *file =
		shmem_file_setup("dev/zero", vma->vm_end - vma->vm_start, vma->vm_flags);

	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	if (vma->vm_file)
		vma->vm_file->vm_fops->put(vma->vm_file);
	vma->vm_file = file;
	return generic_file_mmap(file, vma);
}
