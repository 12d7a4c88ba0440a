/* SPDX-License-Identifier: MIT */
/*
 * Making allocations fail on purpose, so that tests can walk every way out of a failure: a debug
 * kernel lets a program say that the nth allocation from now on, of those made in its own name, is to
 * fail. It says so in /proc/self/fail-nth. What is done in an interrupt is in nobody's name.
 *
 * All that allocates counts, each call once for what the caller wanted and once for each part that
 * gets it: an object from a slab may need a page as well.
 */
#include "mm/fault_inject.h"

#include "kernel/base/context.h"
#include "kernel/base/string.h"
#include "mm/vmalloc.h"

#ifdef CONFIG_FAIL_SITES

extern struct fail_site __start_fail_sites[], __stop_fail_sites[];
extern char __text_start[], __text_end[], __entry_text_start[], __entry_text_end[];

const struct fail_site *fail_site(unsigned int n)
{
	return &__start_fail_sites[n] < __stop_fail_sites ? &__start_fail_sites[n] : NULL;
}

/* --- ways ------------------------------------------------------------------------------------------- */

#define MAX_PATHS 4096 /* a power of two */

/* By their hash. None is ever taken out, and its site comes last: nobody who looks needs a lock. */
static struct fail_path paths[MAX_PATHS];
static unsigned int nr_paths;
static spinlock_t paths_lock = SPINLOCK_INIT;

/* Follows the frame pointers until the kernel's entry, below which they are the program's. */
static unsigned long take_path(struct fail_path *path, const struct fail_site *site)
{
	const unsigned long *frame = __builtin_frame_address(0);
	unsigned long hash = (unsigned long)site;

	path->site = site;
	for (unsigned int i = 0; i < FAIL_PATH_DEPTH; i++) {
		const unsigned long *next = (const unsigned long *)frame[0];
		unsigned long ret = frame[1];

		if (ret < (unsigned long)__text_start || ret >= (unsigned long)__text_end ||
		    (ret >= (unsigned long)__entry_text_start &&
		     ret < (unsigned long)__entry_text_end))
			break;
		path->caller[i] = (u32)(ret - (unsigned long)__text_start);
		hash = hash * 31 + path->caller[i];
		if (next <= frame || next > frame + THREAD_SIZE / sizeof(*frame))
			break;
		frame = next;
	}
	return hash * 0x9e3779b97f4a7c15UL >> 52;
}

static bool same_path(const struct fail_path *a, const struct fail_path *b)
{
	for (unsigned int i = 0; i < FAIL_PATH_DEPTH; i++)
		if (a->caller[i] != b->caller[i])
			return false;
	return a->site == b->site;
}

/* The recorded way that is this one; a new one if there is none; NULL when the table is full. */
static struct fail_path *find_path(const struct fail_path *path, unsigned long hash)
{
	struct fail_path *p = NULL;
	unsigned long flags = spin_lock_irqsave(&paths_lock);

	for (unsigned int i = 0; i < MAX_PATHS; i++) {
		p = &paths[(hash + i) % MAX_PATHS];
		if (!p->site && nr_paths < MAX_PATHS * 7 / 8) {
			memcpy(p->caller, path->caller, sizeof(p->caller));
			__atomic_store_n(&p->site, path->site, __ATOMIC_RELEASE);
			nr_paths++;
		}
		if (!p->site || same_path(p, path))
			break;
	}
	spin_unlock_irqrestore(&paths_lock, flags);
	return p && p->site ? p : NULL;
}

static void count_path(const struct fail_site *site, bool failed)
{
	struct fail_path path = { .site = site }, *known;
	unsigned long hash = take_path(&path, site);

	known = find_path(&path, hash);
	if (!known)
		return;
	__atomic_fetch_add(&known->reached, 1, __ATOMIC_RELAXED);
	if (failed)
		__atomic_fetch_add(&known->failed, 1, __ATOMIC_RELAXED);
}

bool fail_path(unsigned int n, struct fail_path *path)
{
	for (unsigned int i = 0; i < MAX_PATHS; i++) {
		if (!__atomic_load_n(&paths[i].site, __ATOMIC_ACQUIRE) || n--)
			continue;
		*path = paths[i];
		return true;
	}
	return false;
}

/* --- failing ---------------------------------------------------------------------------------------- */

/* One less; true when that was the last. The file may be written meanwhile: then the new number holds. */
static bool task_countdown(struct task_mm *task)
{
	unsigned int n = READ_ONCE(task->fail_nth);

	if (likely(!n))
		return false;
	WRITE_ONCE(task->fail_nth, n - 1);
	return n == 1;
}

bool should_fail_alloc(struct fail_site *site)
{
	struct task_mm *task = current_mm_task();
	bool fail;

	if (!task || !task->mm || !in_task())
		return false;
	fail = task_countdown(task);
	__atomic_fetch_add(&site->reached, 1, __ATOMIC_RELAXED);
	count_path(site, fail);
	if (likely(!fail))
		return false;
	__atomic_fetch_add(&site->failed, 1, __ATOMIC_RELAXED);
	task->fail_injected = true;
	return true;
}

bool fault_was_injected(void)
{
	struct task_mm *task = current_mm_task();
	bool injected = task && task->fail_injected;

	if (injected)
		task->fail_injected = false;
	return injected;
}

#endif
