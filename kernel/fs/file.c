/* SPDX-License-Identifier: MIT */
/* Open files: their life, and what mm sees of them. */
#include "kernel/fs/locks.h"
#include "mm/filemap.h"
#include "mm/page.h"
#include "mm/slab.h"

static struct kmem_cache *file_cache;
static atomic_long_t nr_files;
static long max_files;

void file_cache_init(void)
{
	file_cache = kmem_cache_create("filp", sizeof(struct file), 0);
	/* As on Linux: about a tenth of memory for open files, counted as one KiB each. */
	max_files = max((long)(totalram_pages() * (PAGE_SIZE / 1024) / 10), 8192L);
}

/* --- the view from mm ---------------------------------------------------------------------- */

static void vm_file_get(struct vm_file *vm_file)
{
	get_file(file_of(vm_file));
}

static void vm_file_put(struct vm_file *vm_file)
{
	fput(file_of(vm_file));
}

static int vm_file_mmap(struct vm_file *vm_file, struct vm_area_struct *vma)
{
	struct file *file = file_of(vm_file);

	return file->f_op->mmap(file, vma);
}

/* A driver may have a say in where its memory goes. */
static unsigned long vm_file_get_unmapped_area(struct vm_file *vm_file, unsigned long addr,
					       unsigned long len, unsigned long pgoff,
					       unsigned long flags)
{
	struct file *file = file_of(vm_file);
	struct mm_struct *mm = current_mm_task()->mm;

	if (file->f_op->get_unmapped_area)
		return file->f_op->get_unmapped_area(file, addr, len, pgoff, flags);
	return mm->get_unmapped_area(mm, addr, len, pgoff, flags);
}

/* A newline in a name would end the line of /proc/pid/maps: it is shown as \012. */
static int escape_newlines(const char *from, char *to, size_t size)
{
	size_t len = 0;

	for (; *from; from++) {
		const char *text = *from == '\n' ? "\\012" : (const char[]){ *from, '\0' };

		for (; *text; text++, len++)
			if (len + 1 < size)
				to[len] = *text;
	}
	if (size)
		to[min(len, size - 1)] = '\0';
	return (int)min(len, size ? size - 1 : 0);
}

static int vm_file_path(struct vm_file *vm_file, char *buf, size_t size)
{
	char *path_buf = kmalloc(PATH_MAX, GFP_KERNEL);
	const char *path;
	int len = 0;

	if (!path_buf) {
		if (size)
			buf[0] = '\0';
		return 0;
	}
	path = d_path(file_of(vm_file)->f_dentry, path_buf, PATH_MAX);
	len = escape_newlines(IS_ERR(path) ? "" : path, buf, size);
	kfree(path_buf);
	return len;
}

static int vm_file_punch_hole(struct vm_file *vm_file, unsigned long first, unsigned long last)
{
	return vfs_fallocate(file_of(vm_file), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			     (loff_t)(first << PAGE_SHIFT),
			     (loff_t)((last - first + 1) << PAGE_SHIFT));
}

static int vm_file_fsync(struct vm_file *vm_file, u64 start, u64 end)
{
	return vfs_fsync_range(file_of(vm_file), (loff_t)start, (loff_t)end);
}

/* => mmap_lock, which nests inside i_rwsem: so times are set without that, as by reading */
static void vm_file_update_time(struct vm_file *vm_file)
{
	struct inode *inode = file_of(vm_file)->f_inode;

	inode->i_mtime = inode->i_ctime = current_time();
}

static const struct vm_file_operations mappable = {
	.get = vm_file_get,
	.put = vm_file_put,
	.mmap = vm_file_mmap,
	.punch_hole = vm_file_punch_hole,
	.fsync = vm_file_fsync,
	.update_time = vm_file_update_time,
	.get_unmapped_area = vm_file_get_unmapped_area,
	.path = vm_file_path,
};

static const struct vm_file_operations not_mappable = {
	.get = vm_file_get,
	.put = vm_file_put,
	.path = vm_file_path,
};

/* Whether it is bytes from 0 to somewhere, which a program may count with a signed number. */
static bool has_size(umode_t mode)
{
	return S_ISREG(mode) || S_ISBLK(mode);
}

/* Whether mincore(2) may tell what of it is in memory: others' use is for who could change it. */
static bool may_be_asked(const struct file *file)
{
	const struct cred_view cred = vfs_current_cred();

	return inode_owner(file->f_inode, &cred) ||
	       inode_permission(file->f_inode, &cred, MAY_WRITE) == 0;
}

static void vm_file_init(struct file *file)
{
	struct vm_file *vm_file = &file->vm_file;
	const struct inode *inode = file->f_inode;

	vm_file->vm_fops = file->f_op && file->f_op->mmap ? &mappable : &not_mappable;
	/* A device that has contents of its own has said so when it was opened. */
	if (!vm_file->mapping)
		vm_file->mapping = &file->f_inode->i_data;
	vm_file->wb_seq = filemap_sample_wb_err(vm_file->mapping);
	vm_file->ino = inode->i_ino;
	vm_file->dev_major = 0;
	vm_file->dev_minor = inode->i_sb->s_dev;
	vm_file->vm_mode = (file->f_mode & FMODE_READ ? VM_FILE_READ : 0) |
			   (file->f_mode & FMODE_WRITE ? VM_FILE_WRITE : 0) |
			   (may_be_asked(file) ? VM_FILE_OWNER : 0) |
			   (inode->i_sb->s_noexec ? VM_FILE_NOEXEC : 0) |
			   (has_size(inode->i_mode) ? 0 : VM_FILE_SIZELESS);
}

/* --- opening and closing ------------------------------------------------------------------- */

struct file *file_alloc(unsigned int flags, const struct cred_view *cred)
{
	struct file *file;

	if (atomic_long_add_return(&nr_files, 1) > max_files && !cred->privileged) {
		atomic_long_dec(&nr_files);
		return ERR_PTR(-ENFILE);
	}
	file = kmem_cache_zalloc(file_cache, GFP_KERNEL);
	if (!file) {
		atomic_long_dec(&nr_files);
		return ERR_PTR(-ENOMEM);
	}
	atomic_set(&file->f_count, 1);
	file->f_flags = flags;
	file->f_cred = *cred;
	file->f_cred.groups = NULL; /* the caller's own, which may change */
	mutex_init(&file->f_pos_lock);
	return file;
}

static unsigned int mode_of(unsigned int flags)
{
	if (flags & O_PATH)
		return FMODE_PATH;
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return FMODE_READ;
	case O_WRONLY:
		return FMODE_WRITE;
	case O_RDWR:
		return FMODE_READ | FMODE_WRITE;
	default:
		return 0; /* neither, though both are checked: for ioctl only */
	}
}

int file_bind(struct file *file, struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;
	int err;

	file->f_mode |= mode_of(file->f_flags);
	if ((file->f_mode & (FMODE_WRITE | FMODE_NOCOUNT)) == FMODE_WRITE &&
	    S_ISREG(inode->i_mode)) {
		err = sb_start_write(inode->i_sb);
		if (err)
			return err;
		err = get_write_access(inode);
		if (err) {
			sb_end_write(inode->i_sb);
			return err;
		}
		file->f_mode |= FMODE_WRITER;
	}
	file->f_dentry = dget(dentry);
	file->f_inode = inode;
	if (!(file->f_mode & FMODE_PATH)) {
		file->f_op = inode->i_fop;
		if (!file->f_op) {
			err = -ENXIO;
			goto fail;
		}
		err = file->f_op->open ? file->f_op->open(inode, file) : 0;
		if (err)
			goto fail;
	}
	/* They told how to open it, and are no property of what is open. */
	file->f_flags &= ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC);
	vm_file_init(file);
	return 0;
fail:
	file->f_op = NULL; /* nothing to release */
	return err;
}

void file_bind_ops(struct file *file, struct dentry *dentry, const struct file_operations *fops)
{
	file->f_mode |= mode_of(file->f_flags);
	file->f_dentry = dget(dentry);
	file->f_inode = dentry->d_inode;
	file->f_op = fops;
	vm_file_init(file);
}

void fput(struct file *file)
{
	if (!atomic_dec_and_test(&file->f_count))
		return;
	locks_remove_file(file);
	if (file->f_op && file->f_op->release)
		file->f_op->release(file);
	if (file->f_mode & FMODE_WRITER) {
		put_write_access(file->f_inode);
		sb_end_write(file->f_inode->i_sb);
	}
	if (file->f_mode & FMODE_NOWRITE)
		allow_write_access(file);
	dput(file->f_dentry);
	kmem_cache_free(file_cache, file);
	atomic_long_dec(&nr_files);
}

int file_may_exec(struct file *file, const struct cred_view *cred)
{
	const struct inode *inode = file->f_inode;

	if (!S_ISREG(inode->i_mode) || inode->i_sb->s_noexec)
		return -EACCES;
	return inode_permission(inode, cred, MAY_EXEC);
}
