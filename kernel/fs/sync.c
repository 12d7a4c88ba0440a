/* SPDX-License-Identifier: MIT */
/* What was written, to where it stays; what will be read, into memory. */
#include "kernel/fs/vfs.h"
#include "mm/filemap.h"
#include "mm/page.h"

int vfs_fsync_range(struct file *file, loff_t start, loff_t end)
{
	int err, fsync_err;

	if (!file->f_op->fsync)
		return -EINVAL;
	err = file_write_and_wait_range(&file->vm_file, (u64)start, (u64)end);
	fsync_err = file->f_op->fsync(file);
	return err ? err : fsync_err;
}

int vfs_sync_file_range(struct file *file, loff_t offset, loff_t nbytes, unsigned int flags)
{
	const umode_t type = file->f_inode->i_mode;
	u64 end = (u64)offset + (u64)nbytes;

	if (flags & ~(unsigned int)(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				    SYNC_FILE_RANGE_WAIT_AFTER))
		return -EINVAL;
	if (offset < 0 || (loff_t)end < 0 || end < (u64)offset)
		return -EINVAL;
	if (!S_ISREG(type) && !S_ISBLK(type) && !S_ISDIR(type) && !S_ISLNK(type))
		return -ESPIPE;
	end = nbytes ? end - 1 : (u64)MAX_FILE_SIZE;
	/* Who waits is told of failures; and to write is to wait for it here. */
	if (flags & (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER)) {
		if (!(flags & SYNC_FILE_RANGE_WRITE))
			return file_check_wb_err(&file->vm_file);
		return file_write_and_wait_range(&file->vm_file, (u64)offset, end);
	}
	if (flags & SYNC_FILE_RANGE_WRITE)
		filemap_write_and_wait_range(file->vm_file.mapping, (u64)offset, end);
	return 0;
}

/* Pages that nobody will need soon: those that lie in the range altogether. `end` is inclusive. */
static void advise_dontneed(struct address_space *mapping, u64 offset, u64 end)
{
	u64 first = DIV_ROUND_UP(offset, PAGE_SIZE), past = (end + 1) >> PAGE_SHIFT;

	filemap_write_and_wait_range(mapping, offset, end);
	/* What follows the file's end in its last page is nobody's. */
	if (end + 1 == READ_ONCE(mapping->size))
		past = DIV_ROUND_UP(end + 1, PAGE_SIZE);
	if (first < past)
		invalidate_mapping_pages(mapping, first, past - 1);
}

int vfs_fadvise(struct file *file, loff_t offset, loff_t len, int advice)
{
	struct address_space *mapping = file->vm_file.mapping;
	u64 end = (u64)offset + (u64)len;

	if (S_ISFIFO(file->f_inode->i_mode))
		return -ESPIPE;
	if (len < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE)
		return -EINVAL;
	if (!mapping_can_writeback(mapping))
		return 0; /* it is in memory, and has no other place */
	end = !len || end < (u64)len ? (u64)MAX_FILE_SIZE : end - 1;
	if (advice == POSIX_FADV_WILLNEED)
		page_cache_readahead(mapping, (u64)offset >> PAGE_SHIFT, end >> PAGE_SHIFT);
	else if (advice == POSIX_FADV_DONTNEED)
		advise_dontneed(mapping, (u64)offset, end);
	return 0;
}
