/* SPDX-License-Identifier: MIT */
/* What is remembered of faults, and the words for it. */
#include "mm/fault_record.h"

#include "kernel/base/printf.h"
#include "mm/internal.h"

const char *const fault_step_text[NR_FAULT_STEPS] = { [STEP_NONE] = "",
#define FAULT_STEP(name, text) [STEP_##name] = text,
						      FAULT_STEPS
#undef FAULT_STEP
};

const char *const fault_step_name[NR_FAULT_STEPS] = { [STEP_NONE] = "",
#define FAULT_STEP(name, text) [STEP_##name] = #name,
						      FAULT_STEPS
#undef FAULT_STEP
};
_Static_assert(NR_FAULT_STEPS <= 256, "a step is a byte");

/* --- keeping --------------------------------------------------------------------------------- */

/* False when it was never written, or is being written, or was while we looked. */
static bool copy_record(struct fault_record *to, const struct fault_record *from)
{
	const u64 seq = __atomic_load_n(&from->seq, __ATOMIC_ACQUIRE);

	if (!seq || (seq & 1))
		return false;
	*to = *(const volatile struct fault_record *)from;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	to->seq = seq;
	return READ_ONCE(from->seq) == seq;
}

unsigned int fault_records(const struct task_mm *task, struct fault_record out[FAULT_RECORDS])
{
	const struct fault_ring *ring = &task->faults;
	const u64 count = READ_ONCE(ring->count);
	unsigned int n = 0;

	for (u64 nr = count; nr > 0 && count - nr < FAULT_RECORDS; nr--)
		if (copy_record(&out[n], &ring->records[(nr - 1) % FAULT_RECORDS]) &&
		    out[n].seq == 2 * nr)
			n++;
	return n;
}

void forget_faults(struct task_mm *task)
{
	WRITE_ONCE(task->faults.count, 0);
	for (unsigned int i = 0; i < FAULT_RECORDS; i++)
		WRITE_ONCE(task->faults.records[i].seq, 0);
}

/* --- telling --------------------------------------------------------------------------------- */

#define NAME_COLUMNS 17

int show_fault_path(u64 path, char *buf, size_t size)
{
	int len = 0;

	for (unsigned int i = 0; i < fault_path_len(path); i++) {
		enum fault_step step = fault_path_step(path, i);

		if (step >= NR_FAULT_STEPS)
			break;
		len += scnprintf(buf + len, size - (size_t)len, "  %-*s %s\n", NAME_COLUMNS,
				 fault_step_name[step], fault_step_text[step]);
	}
	return len;
}

static const char *access_name(const struct fault_record *r)
{
	return r->error & PF_INSTR ? "execute" : r->error & PF_WRITE ? "write" : "read";
}

int show_fault_record(const struct fault_record *r, bool frames, char *buf, size_t size)
{
	const u64 mask = frames ? ~0UL : ~_PAGE_PFN_MASK;
	int len = scnprintf(buf, size,
			    "fault %lu tid %d cpu %u tsc %lu error 0x%x %s %s 0x%lx ip 0x%lx\n",
			    (unsigned long)(r->seq / 2), r->tid, r->cpu, (unsigned long)r->tsc,
			    r->error, r->error & PF_USER ? "user" : "kernel", access_name(r),
			    (unsigned long)r->address, (unsigned long)r->ip);

	if (r->pte_before || r->pte_after)
		len += scnprintf(buf + len, size - (size_t)len, "  %-*s 0x%016lx -> 0x%016lx\n",
				 NAME_COLUMNS, "pte", (unsigned long)(r->pte_before & mask),
				 (unsigned long)(r->pte_after & mask));
	return len + show_fault_path(r->path, buf + len, size - (size_t)len);
}
