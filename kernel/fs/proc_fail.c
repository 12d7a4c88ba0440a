/* SPDX-License-Identifier: MIT */
/*
 * What a debug kernel has for tests of failing allocations.
 *
 * /proc/PID/fail-nth, also in task/TID, as in a Linux with fault injection: N written, the Nth
 * allocation from then on that the kernel makes for this thread fails. Read, it says how many are
 * still to come up to that one: 0 when it has failed. /proc/self is the process's first thread,
 * /proc/thread-self the one that asks. Which text is a number, and what comes of one that is cut or
 * too large, is as in Linux's kstrtouint_from_user().
 *
 * Linux has not: /proc/fail-sites, each place in the source that allocates; /proc/fail-paths, each way
 * that led to one of them; /proc/leakcheck, what is allocated just now, when all that is only kept at
 * hand was given back, and everything was found in order.
 */
#include "kernel/base/ksyms.h"
#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"
#include "kernel/fs/socket.h"
#include "kernel/sync/rcu.h"
#include "mm/fault_inject.h"
#include "mm/slab.h"
#include "mm/vma.h"
#include "mm/vmalloc.h"

#ifdef CONFIG_FAIL_SITES

bool proc_has_fail_nth(void)
{
	return true;
}

static ssize_t fail_nth_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	const struct proc_file *pf = file->private_data;
	long left = proc_tasks->fail_nth(pf->pid, -1);
	char text[16];
	size_t len, n;

	if (left < 0)
		return left;
	len = (size_t)scnprintf(text, sizeof(text), "%ld\n", left);
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
	const struct proc_file *pf = file->private_data;
	size_t count = from->count, n;
	unsigned long nth;
	char text[67]; /* a number in base 2, a sign, a newline */
	long was;
	int err;

	n = min(count, sizeof(text) - 1);
	if (copy_from_iter(text, n, from) != n)
		return -EFAULT;
	text[n] = '\0';
	err = kstrtoul(text, 0, &nth);
	if (err)
		return err;
	if (nth > UINT32_MAX)
		return -ERANGE;
	was = proc_tasks->fail_nth(pf->pid, (long)nth);
	return was < 0 ? was : (ssize_t)count;
}

const struct file_operations proc_fail_nth_fops = {
	.llseek = llseek_no_end,
	.read_iter = fail_nth_read,
	.write_iter = fail_nth_write,
	.open = proc_open,
	.release = proc_release,
};

/* --- where ---------------------------------------------------------------------------------------- */

static void show_site(const struct fail_site *site, unsigned int reached, unsigned int failed,
		      struct seq_text *seq)
{
	seq_printf(seq, "%u %u %s %s:%u %s", reached, failed, site->what, site->file, site->line,
		   site->function);
}

/* A line each: how often it was come to, how often made to fail, what is called, file:line, function. */
int proc_show_fail_sites(struct proc_file *pf, struct seq_text *seq)
{
	const struct fail_site *site;

	for (unsigned int i = 0; (site = fail_site(i)); i++) {
		show_site(site, site->reached, site->failed, seq);
		seq_printf(seq, "\n");
	}
	return 0;
}

/* The same for each way, and behind it who called that function, from there outwards. */
int proc_show_fail_paths(struct proc_file *pf, struct seq_text *seq)
{
	extern char __text_start[];
	struct fail_path path;

	for (unsigned int i = 0; fail_path(i, &path); i++) {
		show_site(path.site, path.reached, path.failed, seq);
		for (unsigned int c = 0; c < FAIL_PATH_DEPTH && path.caller[c]; c++) {
			unsigned long at = (unsigned long)__text_start + path.caller[c] - 1, offset;
			const char *name = ksym_lookup(at, &offset);

			if (name)
				seq_printf(seq, " %s+%#lx", name, offset);
		}
		seq_printf(seq, "\n");
	}
	return 0;
}

/* --- how much ------------------------------------------------------------------------------------- */

/*
 * Sockets may wait to be found; slabs hold stacks' descriptors and stacks hold pages: so in this order,
 * and slabs once more.
 */
static void give_back_all(void)
{
	socket_collect();
	rcu_barrier();
	slab_drain();
	vmalloc_drain();
	slab_drain();
	drain_all_pages();
}

static void audit_all(void)
{
	struct mm_struct *mm = current_mm_task()->mm;

	slab_audit();
	page_alloc_audit();
	if (!mm)
		return;
	down_write(&mm->mmap_lock);
	audit_mm(mm);
	up_write(&mm->mmap_lock);
}

/* Pages that are allocated but not for slabs, then each cache's objects: "what number". */
int proc_show_leakcheck(struct proc_file *pf, struct seq_text *seq)
{
	unsigned long pages, in_slabs = 0;
	struct slab_info info;

	give_back_all();
	audit_all();
	pages = totalram_pages() - nr_free_pages();
	for (unsigned int i = 0; slab_cache_info(i, &info); i++)
		in_slabs += info.num_slabs * info.pages_per_slab;
	seq_printf(seq, "pages %lu\n", pages - in_slabs);
	for (unsigned int i = 0; slab_cache_info(i, &info); i++)
		seq_printf(seq, "%s %lu\n", info.name, info.active_objs);
	return 0;
}

#else

const struct file_operations proc_fail_nth_fops;

bool proc_has_fail_nth(void)
{
	return false;
}

int proc_show_fail_sites(struct proc_file *pf, struct seq_text *seq)
{
	return -EINVAL;
}

int proc_show_fail_paths(struct proc_file *pf, struct seq_text *seq)
{
	return -EINVAL;
}

int proc_show_leakcheck(struct proc_file *pf, struct seq_text *seq)
{
	return -EINVAL;
}

#endif
