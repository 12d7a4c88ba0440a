/* SPDX-License-Identifier: MIT */
/*
 * /proc/trace: the kernel's trace (kernel/base/trace.h) as text, and what it is switched by. The directory
 * itself can be read, too, as directories could be in the first Unix. Addresses of the kernel are in it:
 * all of it is root's.
 */
#include "kernel/fs/proc_trace.h"

#include <arch/clock.h>
#include <arch/debugcon.h>
#include <arch/smp.h>

#include "kernel/base/cmdline.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/base/trace.h"
#include "kernel/fs/proc_internal.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

#define SIZE_DEFAULT 4096UL
#define SIZE_LIMIT   ((PAGE_SIZE << MAX_ORDER) / sizeof(struct trace_event))

/* Whoever reads the rings has it, and whoever exchanges or switches them. */
static struct mutex trace_mutex = MUTEX_INIT(trace_mutex);
static unsigned long ring_size; /* in events; 0: there are none. Written => trace_mutex */

/* --- rings ------------------------------------------------------------------------------------------- */

static unsigned int ring_order(unsigned long size)
{
	unsigned int order = 0;

	while (PAGE_SIZE << order < size * sizeof(struct trace_event))
		order++;
	return order;
}

static void free_rings(struct trace_event *rings[NR_CPUS], unsigned long size)
{
	for (int cpu = 0; cpu < NR_CPUS; cpu++)
		if (rings[cpu])
			free_pages(virt_to_page(rings[cpu]), ring_order(size));
}

/* One for each processor that runs and has none in `rings`. 0, or -ENOMEM with some made. */
static int alloc_rings(struct trace_event *rings[NR_CPUS], unsigned long size)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
	{
		struct page *page =
			rings[cpu] ? NULL :
				     alloc_pages(GFP_KERNEL | __GFP_NOWARN, ring_order(size));

		if (!rings[cpu] && !page)
			return -ENOMEM;
		if (page)
			rings[cpu] = page_address(page);
	}
	return 0;
}

static void drop_ring(void *unused)
{
	trace_set_ring(smp_processor_id(), NULL, 0);
}

/* Takes all rings away, for who then frees them: each processor its own, where it isn't recording. */
static void take_rings(struct trace_event *rings[NR_CPUS])
{
	unsigned long flags;

	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		rings[cpu] = trace_rings[cpu].events;
	flags = local_irq_save();
	drop_ring(NULL);
	local_irq_restore(flags);
	smp_call_function_many(cpumask_bits(&cpu_online_mask), drop_ring, NULL);
}

static void in_no_record(void *unused)
{
}

/* From now on only these kinds are recorded: who has answered is no longer in the middle of another. */
static void set_mask(unsigned int mask)
{
	trace_set_mask(mask);
	smp_call_function_many(cpumask_bits(&cpu_online_mask), in_no_record, NULL);
}

/* Other rings, empty, or none. 0 or -ENOMEM. => trace_mutex */
static int resize(unsigned long size)
{
	struct trace_event *new[NR_CPUS] = { NULL }, *old[NR_CPUS];

	if (size && alloc_rings(new, size)) {
		free_rings(new, size);
		return -ENOMEM;
	}
	if (!size)
		set_mask(0);
	trace_export_flush(false);
	take_rings(old);
	free_rings(old, ring_size);
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		if (new[cpu])
			trace_set_ring(cpu, new[cpu], size);
	WRITE_ONCE(ring_size, size);
	return 0;
}

/* --- the text ------------------------------------------------------------------------------------------ */

/*
 * A copy of all that is recorded, in order, with the processor in the place of the sequence: making text
 * of it takes long, and memory, both of which would be recorded meanwhile. NULL: no memory.
 * => trace_mutex
 */
static struct trace_event *copy_events(size_t *nr)
{
	const size_t max = num_online_cpus() * (ring_size + 1);
	struct trace_reader *reader = kmalloc(sizeof(*reader), GFP_KERNEL);
	struct trace_event *copy = vmalloc(max * sizeof(*copy));
	unsigned int cpu;

	*nr = 0;
	if (reader && copy) {
		trace_read_begin(reader);
		while (*nr < max && trace_read_next(reader, &copy[*nr], &cpu))
			copy[(*nr)++].seq = cpu;
	} else if (copy) {
		vfree(copy);
		copy = NULL;
	}
	kfree(reader);
	return copy;
}

int proc_show_trace(struct proc_file *pf, struct seq_text *seq)
{
	struct trace_event *copy;
	size_t nr;

	mutex_lock(&trace_mutex);
	copy = copy_events(&nr);
	mutex_unlock(&trace_mutex);
	if (!copy)
		return -ENOMEM;
	seq_printf(seq, "#          time cpu thread event\n");
	for (size_t i = 0; i < nr && !seq->failed; i++) {
		char *room = seq_room(seq, TRACE_LINE_MAX);

		if (room)
			seq->len +=
				(size_t)trace_format(room, TRACE_LINE_MAX, &copy[i], copy[i].seq);
	}
	vfree(copy);
	return 0;
}

/* --- switches ------------------------------------------------------------------------------------------ */

static int show_events(struct proc_file *pf, struct seq_text *seq)
{
	const unsigned int mask = READ_ONCE(trace_mask);

	for (unsigned int k = TRACE_LOST + 1; k < NR_TRACE_KINDS; k++)
		seq_printf(seq, "%c%s\n", mask >> k & 1 ? '+' : '-', trace_kinds[k].name);
	return 0;
}

static int set_events(const char *text)
{
	unsigned int mask = trace_mask;
	int err = trace_parse(text, &mask);

	if (!err && mask && !ring_size)
		err = resize(SIZE_DEFAULT);
	if (!err)
		set_mask(mask);
	return err;
}

static int show_size(struct proc_file *pf, struct seq_text *seq)
{
	seq_printf(seq, "%lu\n", READ_ONCE(ring_size));
	return 0;
}

static int set_size(const char *text)
{
	unsigned long want, size = TRACE_SIZE_MIN;

	if (kstrtoul(text, 10, &want) || want > SIZE_LIMIT)
		return -EINVAL;
	while (size < want)
		size *= 2;
	return resize(want ? size : 0);
}

static int set_clear(const char *text)
{
	trace_export_flush(false);
	trace_clear();
	return 0;
}

static int show_pid(struct proc_file *pf, struct seq_text *seq)
{
	seq_printf(seq, "%u\n", READ_ONCE(trace_pid));
	return 0;
}

static int set_pid(const char *text)
{
	unsigned long pid;

	if (kstrtoul(text, 10, &pid) || pid > PROC_MAX_PID)
		return -EINVAL;
	WRITE_ONCE(trace_pid, (unsigned int)pid);
	return 0;
}

static int show_export(struct proc_file *pf, struct seq_text *seq)
{
	seq_printf(seq, "%s\n", trace_exporting() ? "debugcon" : "none");
	return 0;
}

static int set_export(const char *text)
{
	if (!strcmp(text, "none")) {
		trace_export_to(NULL);
		return 0;
	}
	if (strcmp(text, "debugcon"))
		return -EINVAL;
	if (!debugcon_present())
		return -ENODEV;
	if (trace_exporting())
		trace_export_flush(false);
	else
		trace_export_to(debugcon_write);
	return 0;
}

/* What a write of the file does, by all of its text without the newline at its end. => trace_mutex */
typedef int set_fn(const char *text);

static ssize_t control_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	const struct proc_file *pf = file->private_data;
	set_fn *const *set = pf->entry->data;
	size_t n = from->count;
	char *text;
	int err = 0;

	if (n >= PAGE_SIZE)
		return -EINVAL;
	text = kmalloc(n + 1, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	if (copy_from_iter(text, n, from) != n)
		err = -EFAULT;
	text[n - (n && text[n - 1] == '\n')] = '\0';
	if (!err) {
		mutex_lock(&trace_mutex);
		err = (*set)(text);
		mutex_unlock(&trace_mutex);
	}
	kfree(text);
	return err ? err : (ssize_t)n;
}

static int control_open(struct inode *inode, struct file *file)
{
	const struct proc_entry *entry = inode->i_private;

	if ((file->f_mode & FMODE_READ) && !entry->show)
		return -EACCES;
	return proc_open(inode, file);
}

static const struct file_operations control_fops = {
	.llseek = llseek_no_end,
	.read_iter = proc_text_read,
	.splice = true,
	.write_iter = control_write,
	.open = control_open,
	.release = proc_release,
};

#define CONTROL(n, m, show_fn, set)                                                           \
	{                                                                                     \
		.name = (n), .mode = S_IFREG | (m), .show = (show_fn), .fops = &control_fops, \
		.iops = &proc_setting_iops, .data = &(set_fn *const){ set },                  \
	}

static const struct proc_entry entries[] = {
	CONTROL("clear", 0200, NULL, set_clear),
	CONTROL("events", 0600, show_events, set_events),
	CONTROL("export", 0600, show_export, set_export),
	CONTROL("pid", 0600, show_pid, set_pid),
	CONTROL("size", 0600, show_size, set_size),
	{ .name = "trace", .mode = S_IFREG | 0400, .show = proc_show_trace },
};
const struct proc_dir proc_trace_dir = { entries, ARRAY_SIZE(entries), 0x5000 };

const struct file_operations proc_trace_dir_fops = {
	.llseek = llseek_no_end,
	.iterate = proc_dir_iterate,
	.read_iter = proc_text_read,
	.open = proc_open,
	.release = proc_release,
};

/* --- from the command line ------------------------------------------------------------------------------ */

/* Does what a word of the command line says, of which cmdline_get() found len; what can't be done is told. */
static void set_by_word(int len, const char *text, set_fn *set, const char *wrong)
{
	int err;

	if (len == -ENAMETOOLONG)
		pr_warn("trace: a word of the command line is too long\n");
	if (len <= 0)
		return;
	err = set(text);
	if (err)
		pr_warn("trace: \"%s\": %s\n", text,
			err == -ENOMEM ? "there is no memory for it" : wrong);
}

/* => nothing else runs */
void trace_boot(void)
{
	char text[256];
	int len;

	trace_khz = tsc_khz;
	len = cmdline_get("trace_size", text, sizeof(text));
	set_by_word(len, text, set_size, "no number of events there can be");
	len = cmdline_get("trace", text, sizeof(text));
	set_by_word(len, text, set_events, "there are other events");
	len = cmdline_get("trace_export", text, sizeof(text));
	set_by_word(len, text, set_export, "there is no such port");
}

void trace_boot_others(void)
{
	struct trace_event *rings[NR_CPUS] = { NULL };
	bool had[NR_CPUS];

	if (!ring_size)
		return;
	mutex_lock(&trace_mutex);
	for (int cpu = 0; cpu < NR_CPUS; cpu++) {
		rings[cpu] = trace_rings[cpu].events;
		had[cpu] = rings[cpu];
	}
	if (alloc_rings(rings, ring_size))
		pr_warn("no memory for the trace of all processors\n");
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		if (rings[cpu] && !had[cpu])
			trace_set_ring(cpu, rings[cpu], ring_size);
	mutex_unlock(&trace_mutex);
}
