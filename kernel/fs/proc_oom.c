/* SPDX-License-Identifier: MIT */
/*
 * /proc/pid/oom_score, oom_score_adj and oom_adj: how likely the process goes when memory is used up, and
 * what whoever may has to say about it: proc(5). oom_adj is oom_score_adj on an older scale.
 */
#include "kernel/abi/oom.h"
#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"

static int to_legacy(int adj)
{
	return adj == OOM_SCORE_ADJ_MAX ? OOM_ADJUST_MAX : adj * -OOM_DISABLE / OOM_SCORE_ADJ_MAX;
}

static int from_legacy(int adj)
{
	return adj == OOM_ADJUST_MAX ? OOM_SCORE_ADJ_MAX : adj * OOM_SCORE_ADJ_MAX / -OOM_DISABLE;
}

static bool is_legacy(const struct proc_file *pf)
{
	return strcmp(pf->entry->name, "oom_adj") == 0;
}

int proc_show_oom_score(struct proc_file *pf, struct seq_text *seq)
{
	struct proc_oom_info info;

	if (!proc_tasks->get_oom(pf->pid, &info))
		return -ESRCH;
	seq_printf(seq, "%ld\n", info.score);
	return 0;
}

int proc_show_oom_adj(struct proc_file *pf, struct seq_text *seq)
{
	struct proc_oom_info info;

	if (!proc_tasks->get_oom(pf->pid, &info))
		return -ESRCH;
	seq_printf(seq, "%d\n", is_legacy(pf) ? to_legacy(info.adj) : info.adj);
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* One number with a sign or without, in any base that C has, and white space around it. 0 or -EINVAL. */
static int parse_adj(char *text, size_t len, int *adj)
{
	unsigned long value;
	bool negative;

	while (len && is_blank(text[len - 1]))
		len--;
	text[len] = '\0';
	while (is_blank(*text))
		text++;
	negative = *text == '-';
	if (*text == '-' || *text == '+')
		text++;
	if (*text < '0' || *text > '9' || kstrtoul(text, 0, &value))
		return -EINVAL;
	if (value > 0x7fffffffUL + negative)
		return -ERANGE;
	if (value > OOM_SCORE_ADJ_MAX)
		return -EINVAL;
	*adj = negative ? -(int)value : (int)value;
	return 0;
}

#define ADJ_TEXT_MAX 12 /* as much as Linux takes at a time */

static ssize_t oom_adj_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	const struct proc_file *pf = file->private_data;
	const size_t len = min(from->count, (size_t)ADJ_TEXT_MAX);
	const bool legacy = is_legacy(pf);
	char text[ADJ_TEXT_MAX + 1];
	int adj, err;

	if (copy_from_iter(text, len, from) != len)
		return -EFAULT;
	err = parse_adj(text, len, &adj);
	if (err)
		return err;
	if (legacy) {
		if ((adj < OOM_ADJUST_MIN || adj > OOM_ADJUST_MAX) && adj != OOM_DISABLE)
			return -EINVAL;
		adj = from_legacy(adj);
	}
	err = proc_tasks->set_oom_adj(pf->pid, adj, legacy);
	return err ? err : (ssize_t)len;
}

const struct file_operations proc_oom_adj_fops = {
	.llseek = llseek_no_end,
	.read_iter = proc_text_read,
	.write_iter = oom_adj_write,
	.open = proc_open,
	.release = proc_release,
};
