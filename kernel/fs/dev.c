/* SPDX-License-Identifier: MIT */
/* /dev: a tmpfs of its own with the character devices that every program expects. */
#include "kernel/base/panic.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/fs/dev.h"
#include "kernel/fs/namei.h"
#include "kernel/fs/tty.h"
#include "mm/shmem.h"
#include "mm/vma.h"

static loff_t null_llseek(struct file *file, loff_t offset, int whence)
{
	return file->f_pos = 0;
}

static ssize_t null_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	return 0;
}

static ssize_t null_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	return (ssize_t)from->count;
}

static ssize_t zero_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	size_t wanted = to->count, done = zero_iter(wanted, to);

	return done || !wanted ? (ssize_t)done : -EFAULT;
}

/* Anonymous memory by another name: shared, or (with no operations) private. */
static int zero_mmap(struct file *file, struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_SHARED ? shmem_zero_setup(vma) : 0;
}

static ssize_t full_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	return from->count ? -ENOSPC : 0;
}

static loff_t random_llseek(struct file *file, loff_t offset, int whence)
{
	return file->f_pos;
}

static ssize_t random_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	size_t wanted = to->count, done = 0;
	u8 chunk[256];

	while (done < wanted) {
		size_t n = min(wanted - done, sizeof(chunk)), got;

		get_random_bytes(chunk, n);
		got = copy_to_iter(chunk, n, to);
		done += got;
		if (got < n)
			break;
	}
	memset(chunk, 0, sizeof(chunk));
	return done || !wanted ? (ssize_t)done : -EFAULT;
}

static const struct file_operations null_fops = {
	.llseek = null_llseek,
	.read_iter = null_read,
	.write_iter = null_write,
};

static const struct file_operations zero_fops = {
	.llseek = null_llseek,
	.read_iter = zero_read,
	.write_iter = null_write,
	.mmap = zero_mmap,
};

static const struct file_operations full_fops = {
	.llseek = null_llseek,
	.read_iter = zero_read,
	.write_iter = full_write,
};

/* What is written is taken, and adds nothing: the generator needs no help that can't be trusted. */
static const struct file_operations random_fops = {
	.llseek = random_llseek,
	.read_iter = random_read,
	.splice = true,
	.write_iter = null_write,
};

/* Numbers as in Linux's list of devices. */
static const struct device {
	const char *path;
	u32 major, minor;
	umode_t mode;
	const struct file_operations *fops;
} devices[] = {
	{ "/dev/null", 1, 3, 0666, &null_fops },
	{ "/dev/zero", 1, 5, 0666, &zero_fops },
	{ "/dev/full", 1, 7, 0666, &full_fops },
	{ "/dev/random", 1, 8, 0666, &random_fops },
	{ "/dev/urandom", 1, 9, 0666, &random_fops },
	{ "/dev/ttyS0", TTYS0_MAJOR, TTYS0_MINOR, 0600, &tty_fops },
	{ "/dev/tty", TTYAUX_MAJOR, TTY_MINOR, 0666, &tty_fops },
	{ "/dev/console", TTYAUX_MAJOR, CONSOLE_MINOR, 0600, &tty_fops },
	{ "/dev/memdemo", MEMDEMO_MAJOR, MEMDEMO_MINOR, 0666, &memdemo_fops },
	{ "/dev/fb0", FB_MAJOR, FB_MINOR, 0600, &fb_fops },
};

/* What a shell and its scripts expect to find by these names. */
static const struct {
	const char *path, *target;
} links[] = {
	{ "/dev/fd", "/proc/self/fd" },
	{ "/dev/stdin", "/proc/self/fd/0" },
	{ "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" },
};

static bool device_exists(const struct device *dev)
{
	return dev->fops != &fb_fops || fb_exists();
}

static int chrdev_open(struct inode *inode, struct file *file)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(devices); i++) {
		if (makedev(devices[i].major, devices[i].minor) != inode->i_rdev ||
		    !device_exists(&devices[i]))
			continue;
		file->f_op = devices[i].fops;
		return file->f_op->open ? file->f_op->open(inode, file) : 0;
	}
	return -ENXIO;
}

const struct file_operations chrdev_fops = {
	.open = chrdev_open,
};

void dev_init(void)
{
	const struct lookup_at at = { .fs = kernel_fs_context(), .cred = kernel_cred };
	struct super_block *sb = tmpfs_super("devtmpfs", 0755);

	if (!sb || vfs_mount("/dev", sb))
		panic("cannot mount /dev");
	/* Where shm_open(3) makes its files. */
	sb = tmpfs_super("tmpfs", S_ISVTX | 0777);
	if (!sb || vfs_mount("/dev/shm", sb))
		panic("cannot mount /dev/shm");
	for (unsigned int i = 0; i < ARRAY_SIZE(devices); i++)
		if (device_exists(&devices[i]) &&
		    path_mknod(&at, devices[i].path, S_IFCHR | devices[i].mode,
			       makedev(devices[i].major, devices[i].minor)))
			panic("cannot make %s", devices[i].path);
	for (unsigned int i = 0; i < ARRAY_SIZE(links); i++)
		if (path_symlink(&at, links[i].target, links[i].path))
			panic("cannot make %s", links[i].path);
}
