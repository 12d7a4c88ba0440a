/* SPDX-License-Identifier: MIT */
/*
 * /dev/ram0, a disk made of memory. Its store is what a disk's platters are: nobody sees it but by
 * read_page and write_page, which copy between it and the page cache. So what is written, by write(2)
 * or through a mapping, is in the cache first and reaches the store by write-back: when somebody asks
 * (fsync, msync, sync), or with the last close. /proc/diskstats counts what moved.
 *
 *	write(2), mappings      read(2), mappings
 *	        |                      ^
 *	        v                      |
 *	     pages of disk.mapping: one cache, whoever opened the device by whatever node
 *	        |                      ^
 *	        | write_page           | read_page
 *	        v                      |
 *	     disk.store[]: NULL where there are zeros, so that an unused disk costs nothing
 *
 * Locks: open_mutex for the count of openings, and what the last one does; direct_mutex for who goes
 * around the cache (O_DIRECT, holes); store_lock, innermost, for the store's pages and their bytes.
 */
#include <arch/uaccess.h>

#include "kernel/abi/ioctl.h"
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/fs/namei.h"
#include "kernel/fs/ramdisk.h"
#include "kernel/fs/seq.h"
#include "kernel/sched/sched.h"
#include "mm/filemap.h"
#include "mm/vma.h"

#define DISK_PAGES   512UL
#define DISK_SIZE    (DISK_PAGES * PAGE_SIZE)
#define SECTOR_SHIFT 9
#define SECTOR_SIZE  (1UL << SECTOR_SHIFT)

#define RAMDISK_MAJOR 1
#define DISK_GROUP    6 /* "disk", by custom */

static struct ramdisk {
	struct address_space mapping;
	struct mutex open_mutex, direct_mutex;
	spinlock_t store_lock;
	unsigned int openings;
	struct page *store[DISK_PAGES];
	atomic_long_t read_ios, read_sectors, write_ios, written_sectors;
} disk = {
	.open_mutex = MUTEX_INIT(disk.open_mutex),
	.direct_mutex = MUTEX_INIT(disk.direct_mutex),
	.store_lock = SPINLOCK_INIT,
};

/* --- the store ----------------------------------------------------------------------------- */

static bool is_zero(const void *mem)
{
	const u64 *words = mem;

	for (size_t i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		if (words[i])
			return false;
	return true;
}

/* n bytes inside one page. */
static void store_read(u64 pos, void *buf, size_t n)
{
	const struct page *page;

	spin_lock(&disk.store_lock);
	page = disk.store[pos >> PAGE_SHIFT];
	if (page)
		memcpy(buf, (char *)page_address(page) + (pos & ~PAGE_MASK), n);
	else
		memset(buf, 0, n);
	spin_unlock(&disk.store_lock);
	atomic_long_inc(&disk.read_ios);
	atomic_long_add(&disk.read_sectors, (long)(n >> SECTOR_SHIFT));
}

/* => store_lock; the slot has a page. Returns the page if it holds nothing any more, and is let go of. */
static struct page *change_page(struct page **slot, size_t offset, const void *buf, size_t n)
{
	struct page *page = *slot;
	char *mem = page_address(page);

	if (buf)
		memcpy(mem + offset, buf, n);
	else
		memset(mem + offset, 0, n);
	if (!is_zero(mem))
		return NULL;
	*slot = NULL;
	return page;
}

/* The same; buf NULL: zeros. 0, or -ENOSPC when there is no memory to keep them in. */
static int store_write(u64 pos, const void *buf, size_t n)
{
	struct page **slot = &disk.store[pos >> PAGE_SHIFT];
	struct page *spare = NULL, *empty = NULL;

	spin_lock(&disk.store_lock);
	while (buf && !*slot && !spare) {
		spin_unlock(&disk.store_lock);
		spare = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!spare)
			return -ENOSPC;
		spin_lock(&disk.store_lock);
	}
	if (!*slot) {
		*slot = spare;
		spare = NULL;
	}
	if (*slot)
		empty = change_page(slot, pos & ~PAGE_MASK, buf, n);
	spin_unlock(&disk.store_lock);
	if (spare)
		put_page(spare);
	if (empty)
		put_page(empty);
	atomic_long_inc(&disk.write_ios);
	atomic_long_add(&disk.written_sectors, (long)(n >> SECTOR_SHIFT));
	return 0;
}

static int disk_read_page(struct address_space *mapping, struct page *page)
{
	store_read((u64)page->index << PAGE_SHIFT, page_address(page), PAGE_SIZE);
	page_set_flag(page, PG_uptodate);
	return 0;
}

static int disk_write_page(struct address_space *mapping, struct page *page)
{
	return store_write((u64)page->index << PAGE_SHIFT, page_address(page), PAGE_SIZE);
}

static const struct address_space_operations disk_a_ops = {
	.read_page = disk_read_page,
	.write_page = disk_write_page,
};

/* --- around the cache: O_DIRECT, and holes --------------------------------------------------- */

/*
 * What is changed in the store must not come back from the cache, nor be hidden by it: its pages go, from
 * every mapping too. Who writes to them meanwhile may lose that.
 */
static void forget_cached(u64 pos, u64 n)
{
	truncate_pagecache_range(&disk.mapping, pos >> PAGE_SHIFT, (pos + n - 1) >> PAGE_SHIFT);
}

/* One stretch inside a page between the store and the program; bytes moved, or -errno. */
static ssize_t move_direct(struct io_iter *iter, u64 pos, size_t n, bool write, void *buf)
{
	size_t got;
	int err;

	if (!write) {
		store_read(pos, buf, n);
		got = copy_to_iter(buf, n, iter);
		return got ? (ssize_t)got : -EFAULT;
	}
	got = copy_from_iter(buf, n, iter);
	if (got < n)
		return -EFAULT;
	err = store_write(pos, buf, n);
	return err ? err : (ssize_t)n;
}

static ssize_t direct_io(struct io_iter *iter, loff_t *pos, size_t wanted, bool write)
{
	struct page *bounce;
	size_t done = 0;
	ssize_t got = 0;

	if ((*pos | (loff_t)wanted) & (loff_t)(SECTOR_SIZE - 1))
		return -EINVAL;
	if (!wanted)
		return 0;
	bounce = alloc_page(GFP_KERNEL);
	if (!bounce)
		return -ENOMEM;
	mutex_lock(&disk.direct_mutex);
	got = filemap_write_and_wait_range(&disk.mapping, (u64)*pos, (u64)*pos + wanted - 1);
	while (!got && done < wanted) {
		u64 at = (u64)*pos + done;
		size_t n = min(PAGE_SIZE - (at & ~PAGE_MASK), wanted - done);

		got = move_direct(iter, at, n, write, page_address(bounce));
		if (got > 0)
			done += (size_t)got;
		if (got == (ssize_t)n)
			got = 0;
		cond_resched();
	}
	if (write)
		forget_cached((u64)*pos, wanted);
	mutex_unlock(&disk.direct_mutex);
	put_page(bounce);
	*pos += (loff_t)done;
	return done ? (ssize_t)done : got;
}

static void store_zeros(u64 from, u64 to)
{
	while (from < to) {
		size_t n = min(PAGE_SIZE - (from & ~PAGE_MASK), to - from);

		store_write(from, NULL, n);
		from += n;
	}
}

/* Only what Linux can do with a disk: zeros for a range of whole sectors. */
static int disk_fallocate(struct file *file, unsigned int mode, loff_t offset, loff_t len)
{
	u64 from = (u64)offset, to = from + (u64)len;

	if (from >= DISK_SIZE)
		return -EINVAL;
	if (to > DISK_SIZE) {
		if (!(mode & FALLOC_FL_KEEP_SIZE))
			return -EINVAL;
		to = DISK_SIZE;
	}
	if ((from | to) & (SECTOR_SIZE - 1))
		return -EINVAL;
	if (!(mode & FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	mutex_lock(&disk.direct_mutex);
	store_zeros(from, to);
	punch_pagecache(&disk.mapping, from, to);
	/* Write-back may have been faster with a page that has gone since. */
	store_zeros(from, to);
	mutex_unlock(&disk.direct_mutex);
	return 0;
}

/* --- as a file ------------------------------------------------------------------------------- */

static ssize_t disk_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	size_t done = 0, wanted = 0;

	if ((u64)*pos < DISK_SIZE)
		wanted = min(to->count, (size_t)(DISK_SIZE - (u64)*pos));
	if (!(file->f_flags & O_NOATIME))
		touch_atime(file->f_inode);
	if (file->f_flags & O_DIRECT)
		return direct_io(to, pos, wanted, false);
	for (; done < wanted; cond_resched()) {
		u64 at = (u64)*pos + done;
		size_t n = min(PAGE_SIZE - (at & ~PAGE_MASK), wanted - done), got;
		struct page *page = read_cache_page(&disk.mapping, at >> PAGE_SHIFT);

		if (IS_ERR(page))
			return done ? (ssize_t)done : PTR_ERR(page);
		got = copy_to_iter((char *)page_address(page) + (at & ~PAGE_MASK), n, to);
		put_page(page);
		done += got;
		*pos += (loff_t)got;
		if (got < n)
			return done ? (ssize_t)done : -EFAULT;
	}
	return (ssize_t)done;
}

static ssize_t write_cached(struct io_iter *from, loff_t *pos, size_t wanted)
{
	size_t done = 0;

	for (; done < wanted; cond_resched()) {
		u64 at = (u64)*pos;
		size_t n = min(PAGE_SIZE - (at & ~PAGE_MASK), wanted - done), got;
		struct page *page = read_cache_page(&disk.mapping, at >> PAGE_SHIFT);

		if (IS_ERR(page))
			return done ? (ssize_t)done : PTR_ERR(page);
		got = copy_from_iter((char *)page_address(page) + (at & ~PAGE_MASK), n, from);
		/* After the bytes: who cleans it in between writes it once more. */
		if (got)
			set_page_dirty(page);
		put_page(page);
		done += got;
		*pos += (loff_t)got;
		if (got < n)
			return done ? (ssize_t)done : -EFAULT;
	}
	return (ssize_t)done;
}

static ssize_t disk_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	struct inode *inode = file->f_inode;
	loff_t start = *pos;
	size_t wanted;
	ssize_t done;
	int err;

	if (!from->count)
		return 0;
	if ((u64)*pos >= DISK_SIZE)
		return -ENOSPC;
	wanted = min(from->count, (size_t)(DISK_SIZE - (u64)*pos));
	done = file->f_flags & O_DIRECT ? direct_io(from, pos, wanted, true) :
					  write_cached(from, pos, wanted);
	if (done <= 0)
		return done;
	inode->i_mtime = inode->i_ctime = current_time();
	if (file->f_flags & O_DSYNC) {
		err = vfs_fsync_range(file, start, *pos - 1);
		if (err)
			return err;
	}
	return done;
}

static loff_t disk_llseek(struct file *file, loff_t offset, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END)
		return -EINVAL;
	return generic_llseek(file, offset, whence, DISK_SIZE, DISK_SIZE);
}

static int disk_mmap(struct file *file, struct vm_area_struct *vma)
{
	touch_atime(file->f_inode);
	return generic_file_mmap(&file->vm_file, vma);
}

/* The store loses nothing: to be in it is enough. */
static int disk_fsync(struct file *file)
{
	return 0;
}

static int flush_buffers(void)
{
	const struct cred_view cred = fs_current_cred();

	if (!cred_capable(&cred, CAP_SYS_ADMIN))
		return -EACCES;
	filemap_write_and_wait_range(&disk.mapping, 0, DISK_SIZE - 1);
	invalidate_mapping_pages(&disk.mapping, 0, DISK_PAGES - 1);
	return 0;
}

static long disk_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case BLKROGET:
		return put_user(0, (int __user *)arg);
	case BLKGETSIZE:
		return put_user(DISK_SIZE >> SECTOR_SHIFT, (unsigned long __user *)arg);
	case BLKGETSIZE64:
		return put_user((u64)DISK_SIZE, (u64 __user *)arg);
	case BLKSSZGET:
		return put_user((int)SECTOR_SIZE, (int __user *)arg);
	case BLKPBSZGET:
		return put_user((u32)PAGE_SIZE, (u32 __user *)arg);
	case BLKFLSBUF:
		return flush_buffers();
	}
	return -ENOTTY;
}

/* --- opening and closing --------------------------------------------------------------------- */

static void disk_release(struct file *file)
{
	mutex_lock(&disk.open_mutex);
	if (!--disk.openings) {
		filemap_write_and_wait_range(&disk.mapping, 0, DISK_SIZE - 1);
		truncate_pagecache_range(&disk.mapping, 0, DISK_PAGES - 1);
	}
	mutex_unlock(&disk.open_mutex);
}

static const struct file_operations disk_fops = {
	.llseek = disk_llseek,
	.read_iter = disk_read,
	.splice = true,
	.write_iter = disk_write,
	.ioctl = disk_ioctl,
	.mmap = disk_mmap,
	.fallocate = disk_fallocate,
	.fsync = disk_fsync,
	.release = disk_release,
};

static int blkdev_open(struct inode *inode, struct file *file)
{
	if (inode->i_rdev != makedev(RAMDISK_MAJOR, 0))
		return -ENXIO;
	mutex_lock(&disk.open_mutex);
	disk.openings++;
	mutex_unlock(&disk.open_mutex);
	/* Whatever node it was opened by, the contents are the device's. */
	file->vm_file.mapping = &disk.mapping;
	file->f_op = &disk_fops;
	return 0;
}

const struct file_operations blkdev_fops = {
	.open = blkdev_open,
};

void sync_block_devices(void)
{
	filemap_write_and_wait_range(&disk.mapping, 0, DISK_SIZE - 1);
}

void drop_block_caches(void)
{
	invalidate_mapping_pages(&disk.mapping, 0, DISK_PAGES - 1);
}

/* Columns as in Linux's Documentation/admin-guide/iostats: nothing takes time, nothing is merged. */
void ramdisk_show_stats(struct seq_text *seq)
{
	seq_printf(seq, "%4d %7d ram0 %ld 0 %ld 0 %ld 0 %ld 0 0 0 0 0 0 0 0 0 0\n", RAMDISK_MAJOR,
		   0, atomic_long_read(&disk.read_ios), atomic_long_read(&disk.read_sectors),
		   atomic_long_read(&disk.write_ios), atomic_long_read(&disk.written_sectors));
}

void ramdisk_init(void)
{
	const struct lookup_at at = { .fs = kernel_fs_context(), .cred = kernel_cred };
	struct dentry *dentry;

	address_space_init(&disk.mapping, NULL, &disk_a_ops);
	disk.mapping.size = DISK_SIZE;
	if (path_mknod(&at, "/dev/ram0", S_IFBLK | 0660, makedev(RAMDISK_MAJOR, 0)) ||
	    path_lookup(&at, "/dev/ram0", 0, &dentry))
		panic("cannot make /dev/ram0");
	dentry->d_inode->i_gid = DISK_GROUP;
	dput(dentry);
}
