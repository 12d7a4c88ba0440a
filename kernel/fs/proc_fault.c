/* SPDX-License-Identifier: MIT */
/*
 * /proc/pid/fault, which Linux has not: the last page faults of a process, and in task/tid those of a
 * thread, newest first, each with the path that it took. It is there as long as the process is, so who
 * waits for a child may look first what ended it.
 */
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"
#include "mm/fault_record.h"
#include "mm/slab.h"

/* How many of a process are shown; of more than 32 threads not all, perhaps. */
#define MAX_RECORDS (32 * FAULT_RECORDS)

struct fault_list {
	struct fault_record of_thread[FAULT_RECORDS];
	unsigned int nr;
	struct fault_record record[MAX_RECORDS]; /* newest first */
};

/* False when it is older than all there is room for. */
static bool insert(struct fault_list *list, const struct fault_record *r)
{
	unsigned int at = list->nr;

	while (at > 0 && list->record[at - 1].tsc < r->tsc)
		at--;
	if (at == MAX_RECORDS)
		return false;
	if (list->nr < MAX_RECORDS)
		list->nr++;
	memmove(&list->record[at + 1], &list->record[at],
		(list->nr - 1 - at) * sizeof(list->record[0]));
	list->record[at] = *r;
	return true;
}

/* 0 or -errno: a thread that has ended meanwhile is -ESRCH. */
static int add_thread(struct fault_list *list, const struct mm_struct *mm, int tid)
{
	int n = proc_tasks->get_faults(tid, mm, list->of_thread);

	/* What follows an old one is older. */
	for (int i = 0; i < n; i++)
		if (!insert(list, &list->of_thread[i]))
			break;
	return min(n, 0);
}

static int add_process(struct fault_list *list, const struct mm_struct *mm, int pid)
{
	int tid = 0, ret = -ESRCH;

	while ((tid = proc_tasks->next_thread(pid, tid)) > 0) {
		int err = add_thread(list, mm, tid);

		/* One that has just ended is no reason to say nothing of the others. */
		if (err != -ESRCH)
			ret = err;
	}
	return ret;
}

int proc_show_fault(struct proc_file *pf, struct seq_text *seq)
{
	struct fault_list *list = kmalloc(sizeof(*list), GFP_KERNEL);
	int err;

	if (!list)
		return -ENOMEM;
	list->nr = 0;
	err = pf->thread ? add_thread(list, pf->mm, pf->pid) : add_process(list, pf->mm, pf->pid);
	for (unsigned int i = 0; !err && i < list->nr; i++) {
		char *room = seq_room(seq, FAULT_TEXT_MAX);

		if (!room)
			break;
		seq->len += (size_t)show_fault_record(&list->record[i], pf->frames, room,
						      FAULT_TEXT_MAX);
	}
	kfree(list);
	return err;
}
