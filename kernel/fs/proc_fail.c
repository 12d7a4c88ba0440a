/* SPDX-License-Identifier: MIT */
/*
 * /proc/self/fail-nth of a debug kernel, as in a Linux with fault injection: N written, the Nth
 * allocation from then on that the kernel makes for this thread fails. Read, it says how many are
 * still to come before that one: 0 when it has failed. Only a thread itself may use its own.
 */
#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"

#ifdef CONFIG_DEBUG

bool proc_has_fail_nth(void)
{
	return true;
}

/* The running thread's share of mm, or NULL when the file is another's. */
static struct task_mm *own_part(const struct file *file)
{
	const struct proc_file *pf = file->private_data;

	return pf->pid == proc_tasks->current_pid() ? current_mm_task() : NULL;
}

static ssize_t fail_nth_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	struct task_mm *task = own_part(file);
	char text[16];
	size_t len, n;

	if (!task)
		return -EPERM;
	len = (size_t)scnprintf(text, sizeof(text), "%u\n", task->fail_nth);
	if ((u64)*pos >= len)
		return 0;
	n = min(len - (size_t)*pos, to->count);
	if (copy_to_iter(text + *pos, n, to) != n)
		return -EFAULT;
	*pos += (loff_t)n;
	return (ssize_t)n;
}

static ssize_t fail_nth_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	struct task_mm *task = own_part(file);
	size_t n = from->count;
	unsigned long nth;
	char text[16];

	if (!task)
		return -EPERM;
	if (n == 0 || n >= sizeof(text))
		return -EINVAL;
	if (copy_from_iter(text, n, from) != n)
		return -EFAULT;
	text[n - (text[n - 1] == '\n')] = '\0';
	if (kstrtoul(text, 10, &nth) || nth > UINT32_MAX)
		return -EINVAL;
	task->fail_nth = (unsigned int)nth;
	return (ssize_t)n;
}

const struct file_operations proc_fail_nth_fops = {
	.llseek = llseek_no_end,
	.read_iter = fail_nth_read,
	.write_iter = fail_nth_write,
	.open = proc_open,
	.release = proc_release,
};

#else

const struct file_operations proc_fail_nth_fops;

bool proc_has_fail_nth(void)
{
	return false;
}

#endif
