/* SPDX-License-Identifier: MIT */
/*
 * The regular files of tmpfs: their pages are the page cache itself.
 *
 * Sizes and contents change under the file's i_rwsem, and seals (memfd.c) that forbid it. Reading takes
 * no lock: it looks at the size for each page anew, and a page of the cache can't be freed while it is
 * copied from, because find_get_page() gives a reference.
 */
#include "kernel/fs/tmpfs.h"
#include "kernel/sched/sched.h"
#include "mm/filemap.h"
#include "mm/page.h"

static ssize_t tmpfs_read_iter(struct file *file, struct io_iter *to, loff_t *pos)
{
	struct inode *inode = file->f_inode;
	size_t wanted = to->count, done = 0;

	for (; done < wanted; cond_resched()) {
		u64 at = (u64)*pos + done, size = i_size_read(inode);
		size_t offset = at & (PAGE_SIZE - 1), n, got;
		struct page *page;

		if (at >= size)
			break;
		n = min(PAGE_SIZE - offset, min(wanted - done, (size_t)(size - at)));
		page = find_get_page(&inode->i_data, at >> PAGE_SHIFT);
		/* A hole stays one, and what fallocate() made room for is none yet. */
		if (page && page_flag(page, PG_uptodate))
			got = copy_to_iter((char *)page_address(page) + offset, n, to);
		else
			got = zero_iter(n, to);
		if (page)
			put_page(page);
		done += got;
		if (got < n) {
			if (!done)
				return -EFAULT;
			break;
		}
	}
	if (!(file->f_flags & O_NOATIME))
		touch_atime(inode);
	*pos += (loff_t)done;
	return (ssize_t)done;
}

static unsigned int seals_of(const struct inode *inode)
{
	return READ_ONCE(inode->i_data.shmem->seals);
}

/* Whether seals allow n bytes to be written at `at`: 0 or -EPERM. => i_rwsem held */
static int check_write_seals(const struct inode *inode, u64 at, size_t n)
{
	unsigned int seals = seals_of(inode);

	if (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	return (seals & F_SEAL_GROW) && at + n > i_size_read(inode) ? -EPERM : 0;
}

/* Copies into one page of the cache; the bytes copied, or -errno. => i_rwsem held for writing */
static ssize_t write_page(struct inode *inode, struct io_iter *from, u64 at, size_t n)
{
	struct page *page;
	size_t got;
	int err;

	if (!iter_fault_in_readable(from, n))
		return -EFAULT;
	err = check_write_seals(inode, at, n);
	if (err)
		return err;
	page = read_cache_page(&inode->i_data, at >> PAGE_SHIFT);
	if (IS_ERR(page))
		return PTR_ERR(page);
	got = copy_from_iter((char *)page_address(page) + (at & (PAGE_SIZE - 1)), n, from);
	if (got) {
		set_page_dirty(page);
		if (at + got > i_size_read(inode))
			i_size_write(inode, at + got);
	}
	put_page(page);
	return got ? (ssize_t)got : -EFAULT;
}

static ssize_t tmpfs_write_iter(struct file *file, struct io_iter *from, loff_t *pos)
{
	struct inode *inode = file->f_inode;
	size_t wanted, done = 0;
	ssize_t got = 0;

	down_write(&inode->i_rwsem);
	if (file->f_flags & O_APPEND)
		*pos = (loff_t)i_size_read(inode);
	wanted = from->count;
	if (wanted)
		got = limit_write((u64)*pos, &wanted);
	if (got) {
		up_write(&inode->i_rwsem);
		return got;
	}
	for (; done < wanted; cond_resched()) {
		u64 at = (u64)*pos + done;
		size_t n = min(PAGE_SIZE - (at & (PAGE_SIZE - 1)), wanted - done);

		/* A part of it may have made the file so long that the next can be read: a mapping of it. */
		got = write_page(inode, from, at, n);
		if (got < 0)
			break;
		done += (size_t)got;
	}
	if (done) {
		inode->i_mtime = inode->i_ctime = current_time();
		inode_remove_privs(inode);
	}
	up_write(&inode->i_rwsem);
	*pos += (loff_t)done;
	return done ? (ssize_t)done : min(got, (ssize_t)0);
}

static loff_t tmpfs_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file->f_inode;
	loff_t pos;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_llseek(file, offset, whence, i_size_read(inode), MAX_FILE_SIZE);
	if (offset < 0)
		return -ENXIO;
	down_read(&inode->i_rwsem);
	pos = shmem_seek(&inode->i_data, (u64)offset, whence == SEEK_DATA);
	up_read(&inode->i_rwsem);
	return pos < 0 ? pos : generic_llseek(file, pos, SEEK_SET, 0, MAX_FILE_SIZE);
}

/* Who could write already may go on; his area may even be made longer: that never comes here. */
static int tmpfs_mmap(struct file *file, struct vm_area_struct *vma)
{
	if ((vma->vm_flags & VM_SHARED) && (seals_of(file->f_inode) & F_SEAL_FUTURE_WRITE)) {
		if (vma->vm_flags & VM_WRITE)
			return -EPERM;
		vma->vm_flags &= ~(u64)VM_MAYWRITE;
	}
	touch_atime(file->f_inode);
	return generic_file_mmap(&file->vm_file, vma);
}

static int tmpfs_truncate(struct inode *inode, u64 size)
{
	unsigned int seals = seals_of(inode);
	u64 old = i_size_read(inode);
	int err;

	if ((size < old && (seals & F_SEAL_SHRINK)) || (size > old && (seals & F_SEAL_GROW)))
		return -EPERM;
	err = shmem_resize(inode->i_data.shmem, size);
	if (err)
		return err;
	/* The size first, so that a fault meanwhile brings no page back. */
	i_size_write(inode, size);
	if (size <= old) /* also what fallocate() put behind the end */
		truncate_pagecache(&inode->i_data, size);
	inode->i_mtime = inode->i_ctime = current_time();
	return 0;
}

/* Room that was taken counts as written: nobody may take it for a page that could be read again. */
static void dirty_reserved(struct address_space *mapping, unsigned long index)
{
	struct page *page = find_get_page(mapping, index);

	if (!page)
		return;
	set_page_dirty(page);
	put_page(page);
}

/*
 * Takes room for all pages of a range. If that fails, what no fault or write has put to use is given
 * back. => i_rwsem held for writing
 */
static int tmpfs_reserve(struct inode *inode, u64 from, u64 to)
{
	unsigned long first = from >> PAGE_SHIFT, last = (to - 1) >> PAGE_SHIFT, index;
	struct shmem_sb_info *sb = inode->i_data.shmem->sb;
	int err = 0;

	if (sb && sb->max_blocks && last - first >= sb->max_blocks)
		return -ENOSPC;
	for (index = first; index <= last && !err; index++, cond_resched()) {
		err = sched_signal_pending() ? -EINTR : reserve_cache_page(&inode->i_data, index);
		if (err == -ENOMEM)
			err = -ENOSPC;
		if (!err)
			dirty_reserved(&inode->i_data, index);
	}
	if (err && index > first)
		drop_unfilled_pages(&inode->i_data, first, index - 1);
	return err;
}

/* => i_rwsem held for writing */
static int punch_hole(struct inode *inode, u64 from, u64 to)
{
	if (seals_of(inode) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	punch_pagecache(&inode->i_data, from, to);
	return 0;
}

/* => i_rwsem held for writing */
static int make_room(struct inode *inode, u64 from, u64 to, bool keep_size)
{
	u64 size = i_size_read(inode);
	int err = inode_newsize_ok(inode, to);

	if (err)
		return err;
	if ((seals_of(inode) & F_SEAL_GROW) && to > size)
		return -EPERM;
	err = tmpfs_reserve(inode, from, to);
	if (!err && !keep_size && to > size)
		i_size_write(inode, to);
	return err;
}

static int tmpfs_fallocate(struct file *file, unsigned int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file->f_inode;
	u64 from = (u64)offset, to = from + (u64)len;
	int err;

	if (mode & ~(unsigned int)(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	down_write(&inode->i_rwsem);
	if (mode & FALLOC_FL_PUNCH_HOLE)
		err = punch_hole(inode, from, to);
	else
		err = make_room(inode, from, to, mode & FALLOC_FL_KEEP_SIZE);
	if (!err) {
		inode->i_ctime = inode->i_mtime = current_time();
		inode_remove_privs(inode);
	}
	up_write(&inode->i_rwsem);
	return err;
}

/* Nothing is behind what is in memory. */
int tmpfs_fsync(struct file *file)
{
	return 0;
}

const struct file_operations tmpfs_file_fops = {
	.llseek = tmpfs_llseek,
	.read_iter = tmpfs_read_iter,
	.splice = true,
	.write_iter = tmpfs_write_iter,
	.mmap = tmpfs_mmap,
	.fallocate = tmpfs_fallocate,
	.fsync = tmpfs_fsync,
};

const struct inode_operations tmpfs_file_iops = {
	.truncate = tmpfs_truncate,
};
