/* SPDX-License-Identifier: MIT */
/* The files of /proc that are about the machine as a whole. */
#include <arch/clock.h>
#include <arch/smp.h>
#include <arch/tlb.h>

#include "kernel/base/cmdline.h"
#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"
#include "kernel/fs/ramdisk.h"
#include "kernel/sched/timer.h"
#include "mm/filemap.h"
#include "mm/page.h"
#include "mm/shmem.h"
#include "mm/slab.h"
#include "mm/sysctl.h"
#include "mm/vmstat.h"

#define KB(pages) ((pages) << (PAGE_SHIFT - 10))

static unsigned long slab_pages(void)
{
	struct slab_info info;
	unsigned long pages = 0;

	for (unsigned int n = 0; slab_cache_info(n, &info); n++)
		pages += info.num_slabs * info.pages_per_slab;
	return pages;
}

static unsigned long read_count(const atomic_long_t *count)
{
	long n = atomic_long_read(count);

	return n > 0 ? (unsigned long)n : 0;
}

/* What a program could have: free, but for the reserve; and pages of files that are elsewhere as well. */
static unsigned long available_pages(void)
{
	unsigned long pages = nr_free_pages(), file = read_count(&nr_file_pages),
		      kept = read_count(&nr_shmem_pages) + read_count(&nr_dirty_pages);

	pages -= min(pages, nr_reserve_pages());
	return pages + (file > kept ? file - kept : 0);
}

static int show_meminfo(struct proc_file *pf, struct seq_text *seq)
{
	const struct {
		const char *name;
		unsigned long kb;
	} lines[] = {
		{ "MemTotal:", KB(totalram_pages()) },
		{ "MemFree:", KB(nr_free_pages()) },
		{ "MemAvailable:", KB(available_pages()) },
		/* The disk there is counts as a file; there is no swap. */
		{ "Buffers:", 0 },
		{ "Cached:", KB(read_count(&nr_file_pages)) },
		{ "SwapCached:", 0 },
		{ "SwapTotal:", 0 },
		{ "SwapFree:", 0 },
		{ "Dirty:", KB(read_count(&nr_dirty_pages)) },
		{ "Writeback:", KB(read_count(&nr_writeback_pages)) },
		{ "Shmem:", KB(read_count(&nr_shmem_pages)) },
		{ "Slab:", KB(slab_pages()) },
		{ "KernelStack:", read_count(&kernel_stack_bytes) >> 10 },
		{ "PageTables:", KB(read_count(&nr_page_table_pages)) },
		{ "CommitLimit:", KB(vm_commit_limit()) },
		{ "Committed_AS:", KB((unsigned long)max(vm_committed_pages(), 0L)) },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++)
		seq_printf(seq, "%-15s %8lu kB\n", lines[i].name, lines[i].kb);
	return 0;
}

static int show_vmstat(struct proc_file *pf, struct seq_text *seq)
{
	const struct {
		const char *name;
		unsigned long value;
	} now[] = {
		{ "nr_free_pages", nr_free_pages() },
		{ "nr_slab_unreclaimable", slab_pages() },
		{ "nr_file_pages", read_count(&nr_file_pages) },
		{ "nr_shmem", read_count(&nr_shmem_pages) },
		{ "nr_dirty", read_count(&nr_dirty_pages) },
		{ "nr_writeback", read_count(&nr_writeback_pages) },
		{ "nr_written", read_count(&nr_written_pages) },
		{ "nr_kernel_stack", read_count(&kernel_stack_bytes) >> 10 },
		{ "nr_page_table_pages", read_count(&nr_page_table_pages) },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(now); i++)
		seq_printf(seq, "%s %lu\n", now[i].name, now[i].value);
	for (int e = 0; e < NR_VM_EVENTS; e++)
		seq_printf(seq, "%s %lu\n", vm_event_name((enum vm_event)e),
			   vm_event_count((enum vm_event)e));
	for (int e = 0; e < NR_TLB_EVENTS; e++)
		seq_printf(seq, "%s %lu\n", tlb_event_name((enum tlb_event)e),
			   tlb_event_count((enum tlb_event)e));
	return 0;
}

static int show_diskstats(struct proc_file *pf, struct seq_text *seq)
{
	ramdisk_show_stats(seq);
	return 0;
}

static int show_buddyinfo(struct proc_file *pf, struct seq_text *seq)
{
	struct buddy_info info;

	for (int zone = 0; zone < MAX_NR_ZONES; zone++) {
		if (!zone_buddy_info((enum zone_type)zone, &info))
			continue;
		seq_printf(seq, "Node 0, zone %8s ", info.name);
		for (int order = 0; order <= MAX_ORDER; order++)
			seq_printf(seq, "%6lu ", info.blocks[order]);
		seq_printf(seq, "\n");
	}
	return 0;
}

static int show_slabinfo(struct proc_file *pf, struct seq_text *seq)
{
	struct slab_info info;

	seq_printf(seq, "slabinfo - version: 2.1\n"
			"# name            <active_objs> <num_objs> <objsize> <objperslab> "
			"<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata "
			"<active_slabs> <num_slabs> <sharedavail>\n");
	for (unsigned int n = 0; slab_cache_info(n, &info); n++)
		seq_printf(seq,
			   "%-17s %6lu %6lu %6u %4u %4u : tunables %4u %4u %4u : slabdata "
			   "%6lu %6lu %6lu\n",
			   info.name, info.active_objs, info.num_objs, info.object_size,
			   info.objs_per_slab, info.pages_per_slab, 0U, 0U, 0U, info.num_slabs,
			   info.num_slabs, 0UL);
	return 0;
}

static int show_cmdline(struct proc_file *pf, struct seq_text *seq)
{
	seq_printf(seq, "%s\n", cmdline_text());
	return 0;
}

static int show_version(struct proc_file *pf, struct seq_text *seq)
{
	seq_printf(seq, "Tessera (" __VERSION__ ")\n");
	return 0;
}

static bool uptime_known(void)
{
	return proc_idle_ns;
}

static int show_uptime(struct proc_file *pf, struct seq_text *seq)
{
	u64 up = clock_ns() / 10000000, idle = proc_idle_ns() / 10000000;

	seq_printf(seq, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
	return 0;
}

static int show_filesystems(struct proc_file *pf, struct seq_text *seq)
{
	seq_printf(seq, "nodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\n");
	return 0;
}

/* Only what this kernel looks for and uses; other features a processor has are not listed. */
static int show_cpuinfo(struct proc_file *pf, struct seq_text *seq)
{
	const struct cpu_features *cpu = &cpu_features;
	const struct {
		const char *name;
		bool has;
	} flags[] = {
		{ "mce", cpu->mce },	       { "pge", cpu->pge },
		{ "pat", cpu->pat },	       { "nx", cpu->nx },
		{ "pdpe1gb", cpu->gbpages },   { "xsave", cpu->xsave },
		{ "fsgsbase", cpu->fsgsbase }, { "smep", cpu->smep },
		{ "erms", cpu->erms },	       { "smap", cpu->smap },
		{ "umip", cpu->umip },	       { "rdtscp", cpu->rdtscp },
	};
	unsigned int n;

	/* One may only come online that has what the first one has. */
	for_each_online_cpu(n)
	{
		seq_printf(seq, "processor\t: %u\nvendor_id\t: %s\nmodel name\t: %s\n", n,
			   cpu->vendor, cpu->brand);
		seq_printf(seq, "apicid\t\t: %u\nflags\t\t:", smp_apic_id(n));
		for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++)
			if (flags[i].has)
				seq_printf(seq, " %s", flags[i].name);
		seq_printf(seq, "\n\n");
	}
	return 0;
}

static int mounts_get_link(struct inode *inode, const struct cred_view *cred,
			   struct link_body *body)
{
	body->text = "self/mounts";
	return 0;
}

static const struct inode_operations mounts_iops = {
	.get_link = mounts_get_link,
};

/* --- time and tasks ------------------------------------------------------------------------ */

static bool tasks_known(void)
{
	return proc_tasks;
}

#define NS_PER_TICK 10000000UL

static void show_cpu_time(struct seq_text *seq, const struct proc_cpu_time *t)
{
	/* Nobody is nice, and no processor waits for disks, hypervisors or guests. */
	seq_printf(seq, " %lu 0 %lu %lu 0 0 0 0 0 0\n", t->user_ns / NS_PER_TICK,
		   t->system_ns / NS_PER_TICK, t->idle_ns / NS_PER_TICK);
}

static int show_stat(struct proc_file *pf, struct seq_text *seq)
{
	struct proc_counts c;
	unsigned int cpu;

	proc_tasks->counts(&c);
	seq_printf(seq, "cpu ");
	show_cpu_time(seq, &c.all);
	for_each_online_cpu(cpu)
	{
		seq_printf(seq, "cpu%u", cpu);
		show_cpu_time(seq, &c.cpu[cpu]);
	}
	seq_printf(seq, "ctxt %lu\nbtime %ld\nprocesses %lu\nprocs_running %u\nprocs_blocked %u\n",
		   c.switches, (long)(boot_time_ns / 1000000000), c.forks, c.running, c.blocked);
	return 0;
}

/* Loads are in 2^-11, and shown rounded to hundredths. */
static void show_load(struct seq_text *seq, unsigned long load)
{
	load += (1UL << 11) / 200;
	seq_printf(seq, "%lu.%02lu ", load >> 11, (load & ((1UL << 11) - 1)) * 100 >> 11);
}

static int show_loadavg(struct proc_file *pf, struct seq_text *seq)
{
	struct proc_counts c;

	proc_tasks->counts(&c);
	for (int i = 0; i < 3; i++)
		show_load(seq, c.load[i]);
	seq_printf(seq, "%u/%u %d\n", c.running, c.threads, c.last_pid);
	return 0;
}

static int show_shm(struct proc_file *pf, struct seq_text *seq)
{
	proc_sysv->show_shm(seq);
	return 0;
}

static bool sysv_known(void)
{
	return proc_sysv;
}

static const struct proc_entry sysvipc_entries[] = {
	{ .name = "shm", .mode = S_IFREG | 0444, .fops = &proc_sysvipc_fops, .show = show_shm },
};
static const struct proc_dir sysvipc_dir = { sysvipc_entries, ARRAY_SIZE(sysvipc_entries), 0x4000 };

const struct proc_entry proc_root_entries[] = {
	{ .name = "buddyinfo", .mode = S_IFREG | 0444, .show = show_buddyinfo },
	{ .name = "cmdline", .mode = S_IFREG | 0444, .show = show_cmdline },
	{ .name = "cpuinfo", .mode = S_IFREG | 0444, .show = show_cpuinfo },
	{ .name = "diskstats", .mode = S_IFREG | 0444, .show = show_diskstats },
	{ .name = "fail-paths",
	  .mode = S_IFREG | 0444,
	  .show = proc_show_fail_paths,
	  .exists = proc_has_fail_nth },
	{ .name = "fail-sites",
	  .mode = S_IFREG | 0444,
	  .show = proc_show_fail_sites,
	  .exists = proc_has_fail_nth },
	{ .name = "filesystems", .mode = S_IFREG | 0444, .show = show_filesystems },
	{ .name = "interrupts", .mode = S_IFREG | 0444, .show = proc_show_interrupts },
	{ .name = "leakcheck",
	  .mode = S_IFREG | 0444,
	  .show = proc_show_leakcheck,
	  .exists = proc_has_fail_nth },
	{ .name = "loadavg", .mode = S_IFREG | 0444, .show = show_loadavg, .exists = tasks_known },
	{ .name = "meminfo", .mode = S_IFREG | 0444, .show = show_meminfo },
	{ .name = "mounts", .mode = S_IFLNK | 0777, .iops = &mounts_iops },
	{ .name = "self", .mode = S_IFLNK | 0777, .iops = &proc_self_iops },
	{ .name = "slabinfo", .mode = S_IFREG | 0400, .show = show_slabinfo },
	{ .name = "stat", .mode = S_IFREG | 0444, .show = show_stat, .exists = tasks_known },
	{ .name = "sys",
	  .mode = S_IFDIR | 0555,
	  .iops = &proc_dir_iops,
	  .fops = &proc_dir_fops,
	  .data = &proc_sys_dir },
	{ .name = "sysvipc",
	  .mode = S_IFDIR | 0555,
	  .iops = &proc_dir_iops,
	  .fops = &proc_dir_fops,
	  .data = &sysvipc_dir,
	  .exists = sysv_known },
	{ .name = "thread-self", .mode = S_IFLNK | 0777, .iops = &proc_thread_self_iops },
	{ .name = "trace",
	  .mode = S_IFDIR | 0500,
	  .iops = &proc_dir_iops,
	  .fops = &proc_trace_dir_fops,
	  .show = proc_show_trace,
	  .data = &proc_trace_dir },
	{ .name = "uptime", .mode = S_IFREG | 0444, .show = show_uptime, .exists = uptime_known },
	{ .name = "version", .mode = S_IFREG | 0444, .show = show_version },
	{ .name = "vmstat", .mode = S_IFREG | 0444, .show = show_vmstat },
};
const unsigned int nr_proc_root_entries = ARRAY_SIZE(proc_root_entries);
