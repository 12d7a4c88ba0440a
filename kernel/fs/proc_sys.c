/* SPDX-License-Identifier: MIT */
/*
 * /proc/sys: one number or word in each file. What a write may hold, and what it returns when it holds
 * more than a number, is Linux's: white space, a number as in C, then white space or the end. Who may
 * read and write is told by the mode bits alone, also to root.
 */
#include "kernel/abi/mman.h"
#include "kernel/abi/shm.h"
#include "kernel/abi/utsname.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"
#include "kernel/fs/ramdisk.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/sysctl.h"
#include "mm/vmalloc.h"

enum sysctl_type { CTL_TEXT, CTL_INT, CTL_ULONG };

struct sysctl {
	enum sysctl_type type;
	const char *text;      /* CTL_TEXT */
	int *i;		       /* CTL_INT */
	unsigned long *ul;     /* CTL_ULONG: never negative */
	int min, max;	       /* CTL_INT: -EINVAL beyond */
	int write_cap;	       /* capability to write, beside the mode bits; 0: none */
	void (*changed)(void); /* after a number was written, the same as before or not */
};

static int show_sysctl(struct proc_file *pf, struct seq_text *seq)
{
	const struct sysctl *ctl = pf->entry->data;

	switch (ctl->type) {
	case CTL_TEXT:
		seq_printf(seq, "%s\n", ctl->text);
		break;
	case CTL_INT:
		seq_printf(seq, "%d\n", READ_ONCE(*ctl->i));
		break;
	case CTL_ULONG:
		seq_printf(seq, "%lu\n", READ_ONCE(*ctl->ul));
		break;
	}
	return 0;
}

/* --- writing ------------------------------------------------------------------------------- */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct number {
	bool negative;
	unsigned long value;
};

/* Longer ones are refused, zeros in front or not; the sign counts. */
#define NUMBER_MAX 20

/* Reads the number that text begins with. How much it and the space around it take, or -EINVAL. */
static ssize_t parse_number(const char *text, size_t size, struct number *num)
{
	char digits[NUMBER_MAX + 1];
	size_t at = 0, len = 0;

	while (at < size && is_space(text[at]))
		at++;
	num->negative = at < size && text[at] == '-';
	if (num->negative)
		at++;
	for (; at < size && text[at] != ' ' && text[at] != '\t' && text[at] != '\n'; at++) {
		if (len + num->negative == NUMBER_MAX)
			return -EINVAL;
		digits[len++] = text[at];
	}
	digits[len] = '\0';
	if (strlen(digits) != len || digits[0] < '0' || digits[0] > '9' ||
	    kstrtoul(digits, 0, &num->value))
		return -EINVAL;
	while (at < size && is_space(text[at]))
		at++;
	return (ssize_t)at;
}

static int set_int(const struct sysctl *ctl, const struct number *num)
{
	long value;

	if (num->value > 0x7fffffffUL + num->negative)
		return -EINVAL;
	value = num->negative ? -(long)num->value : (long)num->value;
	if (value < ctl->min || value > ctl->max)
		return -EINVAL;
	WRITE_ONCE(*ctl->i, (int)value);
	return 0;
}

static int set_number(const struct sysctl *ctl, const struct number *num)
{
	int err = 0;

	if (ctl->type == CTL_INT)
		err = set_int(ctl, num);
	else if (num->negative)
		err = -EINVAL;
	else
		WRITE_ONCE(*ctl->ul, num->value);
	if (!err && ctl->changed)
		ctl->changed();
	return err;
}

static bool may_write(const struct sysctl *ctl)
{
	const struct task_mm *task = current_mm_task();

	return !ctl->write_cap || !task || !task->capable || task->capable(task, ctl->write_cap);
}

/* Only a write at the beginning counts; what a second one brings is dropped. */
static ssize_t sysctl_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	const struct proc_file *pf = file->private_data;
	const struct sysctl *ctl = pf->entry->data;
	size_t count = min(from->count, PAGE_SIZE);
	struct number num;
	char *text;
	ssize_t ret;
	int err;

	if (!may_write(ctl))
		return -EPERM;
	if (*pos || !count)
		return (ssize_t)from->count;
	text = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	ret = copy_from_iter(text, count, from) == count ? parse_number(text, count, &num) :
							   -EFAULT;
	kfree(text);
	if (ret < 0)
		return ret;
	err = set_number(ctl, &num);
	if (err)
		return err;
	*pos += ret;
	return ret;
}

/* --- files --------------------------------------------------------------------------------- */

static int sysctl_open(struct inode *inode, struct file *file)
{
	const umode_t mode = inode->i_mode;

	if (((file->f_mode & FMODE_READ) && !(mode & 0400)) ||
	    ((file->f_mode & FMODE_WRITE) && !(mode & 0200)))
		return -EACCES;
	return proc_open(inode, file);
}

static const struct file_operations sysctl_fops = {
	.llseek = llseek_no_end,
	.read_iter = proc_text_read,
	.splice = true,
	.write_iter = sysctl_write,
	.open = sysctl_open,
	.release = proc_release,
};

#define INT_LIMITS .min = -0x7fffffff - 1, .max = 0x7fffffff

/*
 * Bit 0 asks for the page cache, of which only a disk's pages have another home; bit 1 for the kernel's
 * caches.
 */
static int drop_caches;

static void drop_kernel_caches(void)
{
	if (drop_caches & 1)
		drop_block_caches();
	if (drop_caches & 2) {
		/* Slabs hold stacks' descriptors: so once more. */
		slab_drain();
		vmalloc_drain();
		slab_drain();
	}
	drain_all_pages();
}

#define CTL(n, m, ...)                                                                         \
	{                                                                                      \
		.name = (n), .mode = S_IFREG | (m), .show = show_sysctl, .fops = &sysctl_fops, \
		.iops = &proc_setting_iops, .data = &(const struct sysctl){ __VA_ARGS__ },     \
	}
#define CTL_INT_FILE(n, var, ...)   CTL(n, 0644, .type = CTL_INT, .i = &(var), __VA_ARGS__)
#define CTL_ULONG_FILE(n, var, ...) CTL(n, 0644, .type = CTL_ULONG, .ul = &(var), __VA_ARGS__)
#define CTL_TEXT_FILE(n, t)	    CTL(n, 0444, .type = CTL_TEXT, .text = (t))

/* The limit of mode 2 is told in one way or in the other: the last one holds. */
static void overcommit_ratio_changed(void)
{
	sysctl_overcommit_kbytes = 0;
}

static void overcommit_kbytes_changed(void)
{
	sysctl_overcommit_ratio = 0;
}

static const struct proc_entry vm_entries[] = {
	CTL_ULONG_FILE("admin_reserve_kbytes", sysctl_admin_reserve_kbytes),
	CTL("drop_caches", 0200, .type = CTL_INT, .i = &drop_caches, .min = 1, .max = 4,
	    .changed = drop_kernel_caches),
	CTL_INT_FILE("legacy_va_layout", sysctl_legacy_va_layout, .max = 0x7fffffff),
	CTL_INT_FILE("max_map_count", sysctl_max_map_count, .max = 0x7fffffff),
	CTL_ULONG_FILE("mmap_min_addr", sysctl_mmap_min_addr, .write_cap = CAP_SYS_RAWIO),
	CTL_INT_FILE("oom_kill_allocating_task", sysctl_oom_kill_allocating_task, INT_LIMITS),
	CTL_ULONG_FILE("overcommit_kbytes", sysctl_overcommit_kbytes,
		       .changed = overcommit_kbytes_changed),
	CTL_INT_FILE("overcommit_memory", sysctl_overcommit_memory, .max = OVERCOMMIT_NEVER),
	CTL_INT_FILE("overcommit_ratio", sysctl_overcommit_ratio, INT_LIMITS,
		     .changed = overcommit_ratio_changed),
	CTL_INT_FILE("panic_on_oom", sysctl_panic_on_oom, .max = 2),
	CTL_ULONG_FILE("user_reserve_kbytes", sysctl_user_reserve_kbytes),
};

#define CTL_INT_CONST(n, var) CTL(n, 0444, .type = CTL_INT, .i = &(var))

int proc_pid_max = PID_MAX, proc_threads_max;
static int ngroups_max = NGROUPS_MAX;
static int cap_last_cap = 40;	/* CAP_CHECKPOINT_RESTORE */
static int tainted;		/* nothing foreign can be loaded, and what goes wrong is a panic */
static int overflow_id = 65534; /* there are no ids that don't fit */

const struct proc_sysv_ops *proc_sysv;
/* Linux's: as good as none, but far enough from the end of numbers that sums don't wrap. */
unsigned long sysctl_shmmax = ~0UL - (1UL << 24), sysctl_shmall = ~0UL - (1UL << 24);
int sysctl_shmmni = 4096, sysctl_shm_rmid_forced;

static void shm_rmid_forced_changed(void)
{
	if (proc_sysv)
		proc_sysv->shm_rmid_forced_changed();
}

static const struct proc_entry kernel_entries[] = {
	CTL_INT_CONST("cap_last_cap", cap_last_cap),
	CTL_TEXT_FILE("domainname", UTS_DOMAINNAME),
	CTL_TEXT_FILE("hostname", UTS_NODENAME),
	CTL_INT_CONST("ngroups_max", ngroups_max),
	CTL_TEXT_FILE("osrelease", UTS_RELEASE),
	CTL_TEXT_FILE("ostype", UTS_SYSNAME),
	CTL_INT_CONST("overflowgid", overflow_id),
	CTL_INT_CONST("overflowuid", overflow_id),
	/* Not so small that no id is left beside those that aren't used again. */
	CTL_INT_FILE("pid_max", proc_pid_max, .min = PID_RESERVED + 1, .max = PID_MAX),
	CTL_INT_FILE("randomize_va_space", sysctl_randomize_va_space, INT_LIMITS),
	CTL_INT_FILE("shm_rmid_forced", sysctl_shm_rmid_forced, .max = 1,
		     .changed = shm_rmid_forced_changed),
	CTL_ULONG_FILE("shmall", sysctl_shmall),
	CTL_ULONG_FILE("shmmax", sysctl_shmmax),
	CTL_INT_FILE("shmmni", sysctl_shmmni, .max = IPCMNI),
	CTL_INT_CONST("tainted", tainted),
	CTL_INT_CONST("threads-max", proc_threads_max),
	CTL_TEXT_FILE("version", UTS_VERSION),
};

/* Numbers of inodes: apart from those of the root's entries, and from each other's. */
static const struct proc_dir kernel_dir = { kernel_entries, ARRAY_SIZE(kernel_entries), 0x2000 };
static const struct proc_dir vm_dir = { vm_entries, ARRAY_SIZE(vm_entries), 0x3000 };

#define DIR_ENTRY(n, dir)                                                    \
	{                                                                    \
		.name = (n), .mode = S_IFDIR | 0555, .iops = &proc_dir_iops, \
		.fops = &proc_dir_fops, .data = &(dir),                      \
	}

static const struct proc_entry sys_entries[] = {
	DIR_ENTRY("kernel", kernel_dir),
	DIR_ENTRY("vm", vm_dir),
};

const struct proc_dir proc_sys_dir = { sys_entries, ARRAY_SIZE(sys_entries), 0x1000 };
