/* SPDX-License-Identifier: MIT */
/*
 * A graph of classes: an edge from A to B says that a B has been waited for while an A was held. A cycle
 * is a deadlock that can happen, and is found when its last edge is about to be added. The usual case,
 * an edge that is known, is one bit for each lock held.
 *
 * The same for interrupts. A class is used `in_irq` when an interrupt handler has waited for it, and with
 * `irqs_on` when it was held while an interrupt could come. No way may lead from one of the first to one
 * of the second: the handler would wait for what it has interrupted, or for who waits for that.
 *
 * A semaphore that is taken for reading counts like one that is written, since a writer that waits
 * keeps readers out.
 */
#include "kernel/sync/lockdep.h"

#include <arch/irqflags.h>

#include "kernel/base/cpumask.h"
#include "kernel/base/ksyms.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"

#ifdef CONFIG_LOCKDEP

#define NR_CLASSES   256 /* 0 is none */
#define CLASS_WORDS  (NR_CLASSES / 64)
#define MAX_EDGES    1024
#define TRACE_DEPTH  8
#define MAX_SUBCLASS 2
/* linker.ld's limit. */
#define PERCPU_MAX 65536

struct trace {
	unsigned long ips[TRACE_DEPTH];
};

struct class_set {
	unsigned long bits[CLASS_WORDS];
};

enum usage {
	IN_IRQ,
	IRQS_ON,
	NR_USAGES,
};

struct lock_class {
	const void *key;
	const char *name;
	lock_class_t nested[MAX_SUBCLASS];
	struct class_set after; /* taken while one of this class was held */
	struct trace used[NR_USAGES];
};

struct edge {
	lock_class_t from, to;
	struct trace trace; /* where the first time was */
};

/* All of it only grows. => graph_lock to change */
static struct lock_class classes[NR_CLASSES] = {
	[LOCK_CLASS_WAIT] = { .key = &classes[LOCK_CLASS_WAIT], .name = "wait_lock" },
};
static unsigned int nr_classes = LOCK_CLASS_WAIT + 1;
static struct edge edges[MAX_EDGES];
static unsigned int nr_edges;
static struct class_set usages[NR_USAGES];

static bool graph_locked;

static DEFINE_PER_CPU(struct held_locks, spin_held);
static DEFINE_PER_CPU(struct held_locks, boot_held);
static DEFINE_PER_CPU(struct held_locks *, thread_held);

/* --- small parts ------------------------------------------------------------------------------------- */

/* Not a spinlock: those come here. => interrupts off */
static void lock_graph(void)
{
	while (__atomic_test_and_set(&graph_locked, __ATOMIC_ACQUIRE))
		cpu_relax();
}

static void unlock_graph(void)
{
	__atomic_clear(&graph_locked, __ATOMIC_RELEASE);
}

static bool in_set(const struct class_set *set, lock_class_t class)
{
	return __atomic_load_n(&set->bits[class / 64], __ATOMIC_RELAXED) & BIT(class % 64);
}

static void add_to_set(struct class_set *set, lock_class_t class)
{
	__atomic_fetch_or(&set->bits[class / 64], BIT(class % 64), __ATOMIC_RELAXED);
}

static bool checks_locks(void)
{
	return __atomic_load_n(&lock_checks, __ATOMIC_RELAXED);
}

void lockdep_off(void)
{
	stop_context_checks();
}

static void __printf(1, 2) overflow(const char *what, ...)
{
	lockdep_off();
	pr_warn("lockdep: too many %s: locks are not checked any more\n", what);
}

static void save_trace(struct trace *trace, unsigned long ip)
{
	const unsigned long *frame = __builtin_frame_address(0);
	unsigned long offset;
	bool found = false;
	unsigned int n = 0;

	memset(trace, 0, sizeof(*trace));
	/* From the one that takes the lock on; the frames before are this file's. */
	while (n < TRACE_DEPTH && ksym_lookup(frame[1], &offset)) {
		found |= frame[1] == ip;
		if (found)
			trace->ips[n++] = frame[1];
		if (frame[0] <= (unsigned long)frame || frame[0] - (unsigned long)frame > 4096)
			break;
		frame = (const unsigned long *)frame[0];
	}
	if (n == 0)
		trace->ips[0] = ip;
}

const char *lockdep_class_name(lock_class_t class)
{
	const char *name = class ? classes[class].name : NULL;

	if (!name)
		return "(a lock without a class)";
	return *name == '&' ? name + 1 : name;
}

void lockdep_show_ip(const char *before, unsigned long ip)
{
	unsigned long offset;
	const char *name = ksym_lookup(ip - 1, &offset);

	if (name)
		printk("%s%s+%#lx\n", before, name, offset);
	else
		printk("%s%#lx\n", before, ip);
}

static void show_trace(const struct trace *trace)
{
	for (unsigned int i = 0; i < TRACE_DEPTH && trace->ips[i]; i++)
		lockdep_show_ip("    ", trace->ips[i]);
}

/* --- classes ------------------------------------------------------------------------------------------- */

/* => graph_lock. 0 when there is no room. */
static lock_class_t find_or_add_class(const void *key, const char *name)
{
	unsigned int class;

	for (class = 1; class < nr_classes; class ++)
		if (classes[class].key == key)
			return (lock_class_t) class;
	if (class == NR_CLASSES)
		return 0;
	classes[class].key = key;
	classes[class].name = name;
	nr_classes++;
	return (lock_class_t) class;
}

static lock_class_t class_for(const void *key, const char *name)
{
	unsigned long flags = local_irq_save();
	lock_class_t class;

	lock_graph();
	class = find_or_add_class(key, name);
	unlock_graph();
	local_irq_restore(flags);
	if (!class && checks_locks())
		overflow("classes");
	return class;
}

lock_class_t lockdep_site_class(struct lock_site *site)
{
	if (unlikely(!site->class))
		site->class = class_for(site, site->name);
	return site->class;
}

extern char __data_start[], __kernel_end[];

/* A lock that nothing initialised: a static one is a class; all processors' copies of one are, too. */
static const void *static_key(const struct lock_use *use)
{
	unsigned long addr = (unsigned long)use->lock;

	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		if (addr - per_cpu_offset[cpu] < PERCPU_MAX)
			return (const void *)(addr - per_cpu_offset[cpu] + 1);
	if (addr >= (unsigned long)__data_start && addr < (unsigned long)__kernel_end)
		return use->lock;
	lockdep_off();
	panic("the lock %s at %p was never initialised", use->name, use->lock);
}

static lock_class_t nested_class(lock_class_t class, unsigned int subclass)
{
	lock_class_t *nested;

	BUG_ON(subclass > MAX_SUBCLASS);
	nested = &classes[class].nested[subclass - 1];
	if (unlikely(!*nested))
		*nested = class_for(nested, classes[class].name);
	return *nested;
}

static lock_class_t class_of(const struct lock_use *use)
{
	if (unlikely(!*use->class))
		*use->class = class_for(static_key(use), use->name);
	return use->subclass && *use->class ? nested_class(*use->class, use->subclass) :
					      *use->class;
}

/* --- ways through the graph ------------------------------------------------------------------------------ */

static lock_class_t came_from[NR_CLASSES]; /* => graph_lock; of the last search */

/*
 * => graph_lock. A class of `to` that can be reached from one of `from`, which may be that itself; or 0.
 * came_from leads back from it, to 0.
 */
static lock_class_t search(const struct class_set *from, const struct class_set *to)
{
	static lock_class_t queue[NR_CLASSES];
	struct class_set seen = *from;
	unsigned int head = 0, tail = 0, class;

	for (class = 1; class < nr_classes; class ++)
		if (in_set(from, (lock_class_t) class)) {
			came_from[class] = 0;
			queue[tail++] = (lock_class_t) class;
		}
	while (head < tail) {
		lock_class_t at = queue[head++];

		if (in_set(to, at))
			return at;
		for (class = 1; class < nr_classes; class ++)
			if (in_set(&classes[at].after, (lock_class_t) class) &&
			    !in_set(&seen, (lock_class_t) class)) {
				add_to_set(&seen, (lock_class_t) class);
				came_from[class] = at;
				queue[tail++] = (lock_class_t) class;
			}
	}
	return 0;
}

static const struct trace *edge_trace(lock_class_t from, lock_class_t to)
{
	static const struct trace none;

	for (unsigned int i = 0; i < nr_edges; i++)
		if (edges[i].from == from && edges[i].to == to)
			return &edges[i].trace;
	return &none;
}

/* The way that search() found, its last step first. Returns where it begins. */
static lock_class_t show_way_to(lock_class_t to)
{
	for (; came_from[to]; to = came_from[to]) {
		printk("  earlier, with %s held, %s was taken at\n",
		       lockdep_class_name(came_from[to]), lockdep_class_name(to));
		show_trace(edge_trace(came_from[to], to));
	}
	return to;
}

/* --- reports -------------------------------------------------------------------------------------------- */

static const char *kind_word(u8 kind)
{
	static const char *const words[] = { "spinlock", "mutex", "for reading", "for writing" };

	return words[kind];
}

static void show_held(const struct held_locks *held)
{
	for (unsigned int i = 0; i < held->nr; i++) {
		printk("  %s (%s), taken at", lockdep_class_name(held->locks[i].class),
		       kind_word(held->locks[i].kind));
		lockdep_show_ip(" ", held->locks[i].ip);
	}
}

static struct held_locks *thread_locks(void)
{
	struct held_locks *held = this_cpu_read(thread_held);

	return held ? held : this_cpu_ptr(&boot_held);
}

static void begin_report(const char *what)
{
	lockdep_off();
	printk("lockdep: %s\nCPU %d holds, from the first on:\n", what, smp_processor_id());
	show_held(thread_locks());
	show_held(this_cpu_ptr(&spin_held));
}

static void show_taking(const struct lock_use *use, lock_class_t class)
{
	struct trace trace;

	save_trace(&trace, use->ip);
	printk("  and now %s (%s) is taken at\n", lockdep_class_name(class), kind_word(use->kind));
	show_trace(&trace);
}

static void __noreturn report_order(const struct held_lock *h, lock_class_t class,
				    const struct lock_use *use)
{
	begin_report("locks are taken in two orders");
	show_taking(use, class);
	show_way_to(h->class);
	panic("wrong order of locks: %s, then %s", lockdep_class_name(h->class),
	      lockdep_class_name(class));
}

static void __noreturn report_twice(const struct held_lock *h, lock_class_t class,
				    const struct lock_use *use)
{
	bool same = h->lock == use->lock;

	begin_report(same ? "a lock is taken by who holds it" : "two locks of a class are taken");
	show_taking(use, class);
	panic(same ? "recursive lock: %s" : "two of %s, in an order that nobody declared",
	      lockdep_class_name(class));
}

/* search() found a way from one that handlers take to one that is held where they come. */
static void __noreturn report_irq(const struct lock_use *use, lock_class_t class, lock_class_t to)
{
	lock_class_t from;

	begin_report("an interrupt handler may wait for what it has interrupted");
	show_taking(use, class);
	from = show_way_to(to);
	printk("  %s was taken by an interrupt handler at\n", lockdep_class_name(from));
	show_trace(&classes[from].used[IN_IRQ]);
	printk("  %s was taken with interrupts on at\n", lockdep_class_name(to));
	show_trace(&classes[to].used[IRQS_ON]);
	panic("interrupts and locks: %s is taken in an interrupt, %s with interrupts on",
	      lockdep_class_name(from), lockdep_class_name(to));
}

/* --- what is new ---------------------------------------------------------------------------------------- */

/* => graph_lock */
static void check_irqs(const struct lock_use *use, lock_class_t class)
{
	lock_class_t to = search(&usages[IN_IRQ], &usages[IRQS_ON]);

	if (unlikely(to))
		report_irq(use, class, to);
}

static noinline void new_edge(const struct held_lock *h, lock_class_t class,
			      const struct lock_use *use)
{
	struct class_set from = { { 0 } }, to = { { 0 } };
	struct edge *edge = NULL;

	add_to_set(&from, class);
	add_to_set(&to, h->class);
	lock_graph();
	if (unlikely(search(&from, &to)))
		report_order(h, class, use);
	if (nr_edges < MAX_EDGES) {
		edge = &edges[nr_edges];
		*edge = (struct edge){ .from = h->class, .to = class };
		save_trace(&edge->trace, use->ip);
		nr_edges++;
		add_to_set(&classes[h->class].after, class);
		check_irqs(use, class);
	}
	unlock_graph();
	if (!edge)
		overflow("pairs of locks");
}

static noinline void new_usage(lock_class_t class, enum usage usage, const struct lock_use *use)
{
	lock_graph();
	save_trace(&classes[class].used[usage], use->ip);
	add_to_set(&usages[usage], class);
	check_irqs(use, class);
	unlock_graph();
}

/* --- taking and releasing ------------------------------------------------------------------------------------ */

static void check_held(const struct held_locks *held, lock_class_t class,
		       const struct lock_use *use)
{
	for (unsigned int i = 0; i < held->nr; i++) {
		const struct held_lock *h = &held->locks[i];

		if (unlikely(h->lock == use->lock || h->class == class))
			report_twice(h, class, use);
		if (unlikely(!in_set(&classes[h->class].after, class)))
			new_edge(h, class, use);
	}
}

static struct held_locks *held_of(u8 kind)
{
	return kind == LOCK_SPIN ? this_cpu_ptr(&spin_held) : thread_locks();
}

static void push(const struct lock_use *use, lock_class_t class)
{
	struct held_locks *held = held_of(use->kind);

	if (held->nr == MAX_HELD_LOCKS) {
		overflow("locks held at once");
		return;
	}
	held->locks[held->nr++] = (struct held_lock){
		.lock = use->lock,
		.ip = use->ip,
		.class = class,
		.kind = use->kind,
	};
}

static void note_usage(lock_class_t class, const struct lock_use *use, bool irqs_on)
{
	if (this_cpu_read(irq_depth)) {
		if (!use->try && !in_set(&usages[IN_IRQ], class))
			new_usage(class, IN_IRQ, use);
	} else if (irqs_on && !in_set(&usages[IRQS_ON], class)) {
		new_usage(class, IRQS_ON, use);
	}
}

void lockdep_acquire(const struct lock_use *use)
{
	unsigned long flags;
	lock_class_t class;
	bool irqs_on;

	if (unlikely(!checks_locks()))
		return;
	irqs_on = !irqs_disabled();
	flags = local_irq_save();
	class = class_of(use);
	if (likely(class)) {
		if (use->kind == LOCK_SPIN)
			note_usage(class, use, irqs_on);
		if (!use->try) {
			check_held(thread_locks(), class, use);
			check_held(this_cpu_ptr(&spin_held), class, use);
		}
		push(use, class);
	}
	local_irq_restore(flags);
}

static struct held_lock *find_held(struct held_locks *held, const void *lock)
{
	for (unsigned int i = held->nr; i-- > 0;)
		if (held->locks[i].lock == lock)
			return &held->locks[i];
	return NULL;
}

static void __noreturn report_not_held(lock_class_t class, unsigned long ip)
{
	begin_report("a lock is released that isn't held");
	lockdep_show_ip("  and now one is released at ", ip);
	panic("%s is released by who does not hold it", lockdep_class_name(class));
}

void lockdep_release(const void *lock, lock_class_t class, enum lock_kind kind, unsigned long ip)
{
	struct held_locks *held;
	struct held_lock *h;
	unsigned long flags;

	if (unlikely(!checks_locks()))
		return;
	flags = local_irq_save();
	held = held_of((u8)kind);
	h = find_held(held, lock);
	if (unlikely(!h || h->kind != kind))
		report_not_held(class, ip);
	held->nr--;
	for (; h < &held->locks[held->nr]; h++)
		h[0] = h[1];
	local_irq_restore(flags);
}

void lockdep_downgrade(const void *lock, lock_class_t class, unsigned long ip)
{
	struct held_lock *h;

	if (!checks_locks())
		return;
	h = find_held(thread_locks(), lock);
	if (!h || h->kind != LOCK_WRITE)
		report_not_held(class, ip);
	h->kind = LOCK_READ;
}

void lockdep_set_thread(struct held_locks *held)
{
	this_cpu_write(thread_held, held);
}

unsigned long lockdep_spin_holder(unsigned int cpu, const void *lock)
{
	const struct held_lock *h = find_held(per_cpu_ptr(&spin_held, cpu), lock);

	return h ? h->ip : 0;
}

#endif
