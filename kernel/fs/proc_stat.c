/* SPDX-License-Identifier: MIT */
/* /proc/pid/stat: the line of 52 numbers that ps and top read. proc_pid_stat(5) names them. */
#include "kernel/fs/proc_internal.h"
#include "mm/calls.h"

#define NS_PER_TICK 10000000UL /* times are in hundredths of a second */

#define PF_EXITING    0x00000004U
#define PF_FORKNOEXEC 0x00000040U
#define PF_KTHREAD    0x00200000U

static unsigned int task_flags(const struct proc_task_info *info)
{
	return (info->exiting ? PF_EXITING : 0) | (info->never_execed ? PF_FORKNOEXEC : 0) |
	       (info->kernel_thread ? PF_KTHREAD : 0);
}

/* The lower, the sooner: 0 to 39 by nice value, below 0 what runs in real time. */
static int priority(const struct proc_task_info *info)
{
	return info->rt_priority ? -1 - (int)info->rt_priority : 20 + info->nice;
}

/* What the numbers tell of an address space; addresses only to who might trace the process. */
struct stat_mm {
	unsigned long vsize, rss; /* bytes, pages */
	unsigned long start_code, end_code, start_stack;
	unsigned long start_data, end_data, start_brk;
	unsigned long arg_start, arg_end, env_start, env_end;
};

static void look_at_mm(struct mm_struct *mm, bool may_trace, struct stat_mm *m)
{
	down_read(&mm->mmap_lock);
	m->vsize = mm->total_vm << PAGE_SHIFT;
	m->rss = get_mm_rss(mm);
	m->start_code = m->end_code = 1; /* there is one */
	if (may_trace) {
		m->start_code = mm->start_code;
		m->end_code = mm->end_code;
		m->start_stack = mm->start_stack;
		m->start_data = mm->start_data;
		m->end_data = mm->end_data;
		m->start_brk = mm->start_brk;
		m->arg_start = mm->arg_start;
		m->arg_end = mm->arg_end;
		m->env_start = mm->env_start;
		m->env_end = mm->env_end;
	}
	up_read(&mm->mmap_lock);
}

/* Of signals only the first 31 fit: status tells of all. */
static u64 low_signals(u64 mask)
{
	return mask & 0x7fffffff;
}

int proc_show_stat(struct proc_file *pf, struct seq_text *seq)
{
	struct proc_task_info info;
	struct stat_mm m = { 0 };
	const struct proc_usage *used;

	if (!proc_get_task(pf->pid, &info))
		return -ESRCH;
	used = pf->thread ? &info.own : &info.whole;
	if (info.mm) {
		look_at_mm(info.mm, info.may_trace, &m);
		mmput(info.mm);
	}
	/* From pid to cmajflt. */
	seq_printf(seq, "%d (%s) %c %d %d %d %u %d %u %lu %lu %lu %lu", info.pid, info.comm,
		   info.state, info.ppid, info.group, info.session, info.tty_nr, info.tty_group,
		   task_flags(&info), used->min_flt, info.children.min_flt, used->maj_flt,
		   info.children.maj_flt);
	/* From utime to starttime; there is no interval timer to tell of, as in Linux. */
	seq_printf(seq, " %lu %lu %lu %lu %d %d %u 0 %lu", used->user_ns / NS_PER_TICK,
		   used->system_ns / NS_PER_TICK, info.children.user_ns / NS_PER_TICK,
		   info.children.system_ns / NS_PER_TICK, priority(&info), info.nice, info.threads,
		   info.start_ns / NS_PER_TICK);
	/* From vsize to startstack; then kstkesp and kstkeip, which Linux doesn't tell either. */
	seq_printf(seq, " %lu %lu %lu %lu %lu %lu 0 0", m.vsize, m.rss, info.rlim[RLIMIT_RSS].cur,
		   m.start_code, m.end_code, m.start_stack);
	/* Signals; no wchan file, no swap; on which processor it runs, and how; no disk. */
	seq_printf(seq, " %lu %lu %lu %lu 0 0 0 %d %u %u %u 0 0 0", low_signals(info.sig_pending),
		   low_signals(info.sig_blocked), low_signals(info.sig_ignored),
		   low_signals(info.sig_caught), info.exit_signal, info.cpu, info.rt_priority,
		   info.policy);
	seq_printf(seq, " %lu %lu %lu %lu %lu %lu %lu %d\n", m.start_data, m.end_data, m.start_brk,
		   m.arg_start, m.arg_end, m.env_start, m.env_end,
		   info.may_trace ? info.exit_code : 0);
	return 0;
}
