/* SPDX-License-Identifier: MIT */
/* /proc/pid/status, statm and limits: what a process has, holds and may have. */
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"
#include "mm/calls.h"

/* --- memory -------------------------------------------------------------------------------- */

struct mem_counts {
	unsigned long size, peak, locked, data, stack; /* pages */
	unsigned long anon, file, shmem, swap, peak_rss;
	unsigned long text, exec; /* bytes */
	unsigned long tables;	  /* bytes */
};

static unsigned long rss_part(const struct mm_struct *mm, enum rss_kind kind)
{
	long pages = atomic_long_read(&mm->rss_stat[kind]);

	return pages > 0 ? (unsigned long)pages : 0;
}

static void count_mm(struct mm_struct *mm, struct mem_counts *c)
{
	unsigned long rss;

	down_read(&mm->mmap_lock);
	c->size = mm->total_vm;
	c->peak = max(mm->hiwater_vm, mm->total_vm);
	c->locked = mm->locked_vm;
	c->data = mm->data_vm;
	c->stack = mm->stack_vm;
	c->anon = rss_part(mm, MM_ANONPAGES);
	c->file = rss_part(mm, MM_FILEPAGES);
	c->shmem = rss_part(mm, MM_SHMEMPAGES);
	c->swap = rss_part(mm, MM_SWAPENTS);
	rss = c->anon + c->file + c->shmem;
	c->peak_rss = max(mm->hiwater_rss, rss);
	c->exec = mm->exec_vm << PAGE_SHIFT;
	c->text = ALIGN_UP(mm->end_code, PAGE_SIZE) - ALIGN_DOWN(mm->start_code, PAGE_SIZE);
	c->tables = (unsigned long)atomic_long_read(&mm->pgtables_bytes);
	up_read(&mm->mmap_lock);
}

#define PAGES_KB(pages) ((pages) << (PAGE_SHIFT - 10))

static void show_status_mm(struct mm_struct *mm, struct seq_text *seq)
{
	struct mem_counts c;
	unsigned long text;

	count_mm(mm, &c);
	text = min(c.text, c.exec);
	const struct {
		const char *name;
		unsigned long kb;
	} lines[] = {
		{ "VmPeak", PAGES_KB(c.peak) },
		{ "VmSize", PAGES_KB(c.size) },
		{ "VmLck", PAGES_KB(c.locked) },
		{ "VmPin", 0 }, /* nothing pins pages for longer than a call */
		{ "VmHWM", PAGES_KB(c.peak_rss) },
		{ "VmRSS", PAGES_KB(c.anon + c.file + c.shmem) },
		{ "RssAnon", PAGES_KB(c.anon) },
		{ "RssFile", PAGES_KB(c.file) },
		{ "RssShmem", PAGES_KB(c.shmem) },
		{ "VmData", PAGES_KB(c.data) },
		{ "VmStk", PAGES_KB(c.stack) },
		{ "VmExe", text >> 10 },
		{ "VmLib", (c.exec - text) >> 10 },
		{ "VmPTE", c.tables >> 10 },
		{ "VmSwap", PAGES_KB(c.swap) },
		{ "HugetlbPages", 0 }, /* there is no pool of huge pages */
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++)
		seq_printf(seq, "%s:\t%8lu kB\n", lines[i].name, lines[i].kb);
}

/* --- status -------------------------------------------------------------------------------- */

static const char *state_text(char state)
{
	static const char *const states[] = {
		"R (running)",	    "S (sleeping)", "D (disk sleep)", "T (stopped)",
		"t (tracing stop)", "X (dead)",	    "Z (zombie)",     "I (idle)",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(states); i++)
		if (states[i][0] == state)
			return states[i];
	return "R (running)";
}

/* A name's newlines and backslashes are escaped: lines stay lines. */
static void show_name(struct seq_text *seq, const char *comm)
{
	seq_printf(seq, "Name:\t");
	for (; *comm; comm++) {
		if (*comm == '\n')
			seq_printf(seq, "\\n");
		else if (*comm == '\\')
			seq_printf(seq, "\\\\");
		else
			seq_write(seq, comm, 1);
	}
	seq_printf(seq, "\n");
}

/* With a space at the end, as in Linux. */
static void show_groups(struct seq_text *seq, int pid)
{
	struct group_info *groups = proc_tasks->get_groups(pid);

	seq_printf(seq, "Groups:\t");
	for (unsigned int i = 0; groups && i < groups->count; i++)
		seq_printf(seq, i ? " %u" : "%u", groups->gids[i]);
	seq_printf(seq, " \n");
	groups_put(groups);
}

static void show_ids(struct seq_text *seq, const struct proc_task_info *info)
{
	seq_printf(seq, "Uid:\t%u\t%u\t%u\t%u\n", info->uid[0], info->uid[1], info->uid[2],
		   info->uid[3]);
	seq_printf(seq, "Gid:\t%u\t%u\t%u\t%u\n", info->gid[0], info->gid[1], info->gid[2],
		   info->gid[3]);
	seq_printf(seq, "FDSize:\t%u\n", info->fdsize);
	show_groups(seq, info->pid);
	/* There is one space of process ids. */
	seq_printf(seq, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", info->tgid, info->pid,
		   info->group, info->session);
}

static void show_signals(struct seq_text *seq, const struct proc_task_info *info)
{
	seq_printf(seq, "Threads:\t%u\n", info->threads);
	seq_printf(seq, "SigQ:\t%lu/%lu\n", info->sig_queued, info->rlim[RLIMIT_SIGPENDING].cur);
	seq_printf(seq, "SigPnd:\t%016lx\n", info->sig_pending);
	seq_printf(seq, "ShdPnd:\t%016lx\n", info->sig_shared_pending);
	seq_printf(seq, "SigBlk:\t%016lx\n", info->sig_blocked);
	seq_printf(seq, "SigIgn:\t%016lx\n", info->sig_ignored);
	seq_printf(seq, "SigCgt:\t%016lx\n", info->sig_caught);
}

static void show_capabilities(struct seq_text *seq, const struct proc_task_info *info)
{
	seq_printf(seq, "CapInh:\t%016lx\n", info->cap_inheritable);
	seq_printf(seq, "CapPrm:\t%016lx\n", info->cap_permitted);
	seq_printf(seq, "CapEff:\t%016lx\n", info->cap_effective);
	seq_printf(seq, "CapBnd:\t%016lx\n", info->cap_bounding);
	seq_printf(seq, "CapAmb:\t%016lx\n", info->cap_ambient);
}

/* In hexadecimal, a digit for each four there are; and as ranges. */
static void show_cpus(struct seq_text *seq, cpu_bits_t cpus)
{
	const char *sep = "";

	seq_printf(seq, "Cpus_allowed:\t%0*lx\nCpus_allowed_list:\t",
		   (int)(num_online_cpus() + 3) / 4, cpus);
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
		unsigned int first = cpu;

		if (!(cpus & BIT(cpu)))
			continue;
		while (cpu + 1 < NR_CPUS && (cpus & BIT(cpu + 1)))
			cpu++;
		seq_printf(seq, first == cpu ? "%s%u" : "%s%u-%u", sep, first, cpu);
		sep = ",";
	}
	seq_printf(seq, "\n");
}

/* Tracing, seccomp and balancing between nodes don't exist: what tells of them is 0 for everyone. */
int proc_show_status(struct proc_file *pf, struct seq_text *seq)
{
	struct proc_task_info info;

	if (!proc_get_task(pf->pid, &info))
		return -ESRCH;
	show_name(seq, info.comm);
	if (info.has_umask)
		seq_printf(seq, "Umask:\t%04o\n", info.umask);
	seq_printf(seq, "State:\t%s\n", state_text(info.state));
	seq_printf(seq, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", info.tgid,
		   info.pid, info.ppid);
	show_ids(seq, &info);
	if (info.mm) {
		show_status_mm(info.mm, seq);
		mmput(info.mm);
		seq_printf(seq, "CoreDumping:\t0\nTHP_enabled:\t0\n");
	}
	show_signals(seq, &info);
	show_capabilities(seq, &info);
	seq_printf(seq, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n", info.no_new_privs);
	show_cpus(seq, info.cpus_allowed & cpumask_bits(&cpu_online_mask));
	seq_printf(seq, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		   info.switches, info.forced_switches);
	return 0;
}

int proc_show_statm(struct proc_file *pf, struct seq_text *seq)
{
	struct proc_task_info info;
	struct mem_counts c = { 0 };

	if (!proc_get_task(pf->pid, &info))
		return -ESRCH;
	if (info.mm) {
		count_mm(info.mm, &c);
		mmput(info.mm);
	}
	seq_printf(seq, "%lu %lu %lu %lu 0 %lu 0\n", c.size, c.anon + c.file + c.shmem,
		   c.file + c.shmem, c.text >> PAGE_SHIFT, c.data + c.stack);
	return 0;
}

/* --- limits -------------------------------------------------------------------------------- */

static void show_limit(struct seq_text *seq, unsigned long limit)
{
	if (limit == RLIM_INFINITY)
		seq_printf(seq, "%-20s ", "unlimited");
	else
		seq_printf(seq, "%-20lu ", limit);
}

int proc_show_limits(struct proc_file *pf, struct seq_text *seq)
{
	static const struct {
		const char *name, *unit;
	} names[RLIM_NLIMITS] = {
		[RLIMIT_CPU] = { "Max cpu time", "seconds" },
		[RLIMIT_FSIZE] = { "Max file size", "bytes" },
		[RLIMIT_DATA] = { "Max data size", "bytes" },
		[RLIMIT_STACK] = { "Max stack size", "bytes" },
		[RLIMIT_CORE] = { "Max core file size", "bytes" },
		[RLIMIT_RSS] = { "Max resident set", "bytes" },
		[RLIMIT_NPROC] = { "Max processes", "processes" },
		[RLIMIT_NOFILE] = { "Max open files", "files" },
		[RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" },
		[RLIMIT_AS] = { "Max address space", "bytes" },
		[RLIMIT_LOCKS] = { "Max file locks", "locks" },
		[RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
		[RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" },
		[RLIMIT_NICE] = { "Max nice priority", NULL },
		[RLIMIT_RTPRIO] = { "Max realtime priority", NULL },
		[RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
	};
	struct proc_task_info info;

	if (!proc_get_task(pf->pid, &info))
		return -ESRCH;
	if (info.mm)
		mmput(info.mm);
	seq_printf(seq, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned int i = 0; i < RLIM_NLIMITS; i++) {
		seq_printf(seq, "%-25s ", names[i].name);
		show_limit(seq, info.rlim[i].cur);
		show_limit(seq, info.rlim[i].max);
		if (names[i].unit)
			seq_printf(seq, "%-10s", names[i].unit);
		seq_printf(seq, "\n");
	}
	return 0;
}
