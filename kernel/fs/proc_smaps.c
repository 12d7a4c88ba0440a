/* SPDX-License-Identifier: MIT */
/* /proc/pid/smaps and smaps_rollup: each area's line of maps, and what of it is in memory. */
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"
#include "mm/calls.h"
#include "mm/vma.h"

static void line(struct seq_text *seq, const char *name, unsigned long bytes)
{
	seq_printf(seq, "%-16s%8lu kB\n", name, bytes >> 10);
}

static void share_line(struct seq_text *seq, const char *name, u64 share)
{
	line(seq, name, (unsigned long)(share >> PSS_SHIFT));
}

/* `rollup`: with the shares by kind, which only the sum of all areas has. */
static void show_counts(struct seq_text *seq, const struct mem_size_stats *mss, bool rollup)
{
	line(seq, "Rss:", mss->rss);
	share_line(seq, "Pss:", mss->pss);
	share_line(seq, "Pss_Dirty:", mss->pss_dirty);
	if (rollup) {
		share_line(seq, "Pss_Anon:", mss->pss_anon);
		share_line(seq, "Pss_File:", mss->pss_file);
		share_line(seq, "Pss_Shmem:", mss->pss_shmem);
	}
	line(seq, "Shared_Clean:", mss->shared_clean);
	line(seq, "Shared_Dirty:", mss->shared_dirty);
	line(seq, "Private_Clean:", mss->private_clean);
	line(seq, "Private_Dirty:", mss->private_dirty);
	line(seq, "Referenced:", mss->referenced);
	line(seq, "Anonymous:", mss->anonymous);
	line(seq, "LazyFree:", mss->lazyfree);
	line(seq, "AnonHugePages:", mss->anonymous_thp);
	/* There are no huge pages of files, no pool of huge pages, and no swap. */
	line(seq, "ShmemPmdMapped:", 0);
	line(seq, "FilePmdMapped:", 0);
	line(seq, "Shared_Hugetlb:", 0);
	line(seq, "Private_Hugetlb:", 0);
	line(seq, "Swap:", 0);
	line(seq, "SwapPss:", 0);
	share_line(seq, "Locked:", mss->pss_locked);
}

/* Two letters for each flag, in the order of their bits (proc(5)). */
static void show_flags(struct seq_text *seq, u64 flags)
{
	static const struct {
		u64 flag;
		const char *letters;
	} names[] = {
		{ VM_READ, "rd" },	 { VM_WRITE, "wr" },	   { VM_EXEC, "ex" },
		{ VM_SHARED, "sh" },	 { VM_MAYREAD, "mr" },	   { VM_MAYWRITE, "mw" },
		{ VM_MAYEXEC, "me" },	 { VM_MAYSHARE, "ms" },	   { VM_GROWSDOWN, "gd" },
		{ VM_PFNMAP, "pf" },	 { VM_LOCKED, "lo" },	   { VM_IO, "io" },
		{ VM_SEQ_READ, "sr" },	 { VM_RAND_READ, "rr" },   { VM_DONTCOPY, "dc" },
		{ VM_DONTEXPAND, "de" }, { VM_LOCKONFAULT, "??" }, { VM_ACCOUNT, "ac" },
		{ VM_NORESERVE, "nr" },	 { VM_HUGETLB, "ht" },	   { VM_SYNC, "sf" },
		{ VM_WIPEONFORK, "wf" }, { VM_DONTDUMP, "dd" },	   { VM_SOFTDIRTY, "sd" },
		{ VM_MIXEDMAP, "mm" },	 { VM_HUGEPAGE, "hg" },	   { VM_NOHUGEPAGE, "nh" },
		{ VM_MERGEABLE, "mg" },
	};

	seq_printf(seq, "VmFlags: ");
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			seq_printf(seq, "%s ", names[i].letters);
	seq_printf(seq, "\n");
}

void proc_show_smaps_area(struct seq_text *seq, struct vm_area_struct *vma)
{
	struct mem_size_stats mss = { 0 };

	smap_gather_stats(vma, &mss);
	line(seq, "Size:", vma->vm_end - vma->vm_start);
	line(seq, "KernelPageSize:", PAGE_SIZE);
	line(seq, "MMUPageSize:", PAGE_SIZE);
	show_counts(seq, &mss, false);
	seq_printf(seq, "THPeligible:    %d\n", 0);
	show_flags(seq, vma->vm_flags);
}

/* Where maps has its names. */
#define NAME_COLUMN 73

int proc_show_smaps_rollup(struct proc_file *pf, struct seq_text *seq)
{
	struct mm_struct *mm = proc_mm_get(pf);
	struct mem_size_stats mss = { 0 };
	struct vm_area_struct *vma;
	unsigned long start;

	if (!mm)
		return -ESRCH;
	down_read(&mm->mmap_lock);
	start = mm->mmap ? mm->mmap->vm_start : 0;
	for_each_vma(mm, vma) smap_gather_stats(vma, &mss);
	seq_printf(seq, "%08lx-%08lx ---p 00000000 00:00 0 ", start,
		   mm->mmap ? mm->highest_vm_end : 0);
	seq_printf(seq, "%*s[rollup]\n", (int)(NAME_COLUMN - seq->len), "");
	show_counts(seq, &mss, true);
	up_read(&mm->mmap_lock);
	mmput(mm);
	return 0;
}

/* --- clear_refs ---------------------------------------------------------------------------- */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* What the text asks for, or 0: one number, with white space around it. */
static int parse_what(char *text)
{
	size_t len = strlen(text);
	unsigned long what;

	while (len && is_space(text[len - 1]))
		text[--len] = '\0';
	while (is_space(*text))
		text++;
	if (kstrtoul(text, 10, &what) || what > CLEAR_REFS_PEAK)
		return 0;
	return (int)what;
}

static ssize_t clear_refs_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	struct proc_file *pf = file->private_data;
	size_t all = from->count, n;
	struct mm_struct *mm;
	char text[13];
	int what;

	n = min(all, sizeof(text) - 1);
	if (copy_from_iter(text, n, from) != n)
		return -EFAULT;
	text[n] = '\0';
	what = parse_what(text);
	if (!what)
		return -EINVAL;
	mm = proc_mm_get(pf);
	if (mm) {
		mm_clear_refs(mm, (enum clear_refs_what)what);
		mmput(mm);
	}
	return (ssize_t)all;
}

const struct file_operations proc_clear_refs_fops = {
	.llseek = llseek_no_end,
	.write_iter = clear_refs_write,
	.open = proc_open,
	.release = proc_release,
};
