/* SPDX-License-Identifier: MIT */
/* What can only be checked from inside the kernel, as TAP on the console. */
#include <arch/asm.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/mmu.h>
#include <arch/smp.h>
#include <arch/switch.h>

#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/init/init.h"
#include "kernel/process/task.h"
#include "kernel/sched/timer.h"
#include "kernel/sync/rcu.h"
#include "mm/calls.h"
#include "mm/init.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

static int nr_tests, nr_failed;

static bool ok(bool cond, const char *what)
{
	printk("%sok %d - %s\n", cond ? "" : "not ", ++nr_tests, what);
	nr_failed += !cond;
	return cond;
}

static void skip(const char *what, const char *why)
{
	printk("ok %d - %s # SKIP %s\n", ++nr_tests, what, why);
}

/* --- page tables ----------------------------------------------------------------------------------- */

unsigned long __copy_user(void *to, const void *from, unsigned long len);

/* Whether a write to kernel memory is refused by the processor. */
static bool write_refused(const void *addr)
{
	char byte = *(const char *)addr;

	return __copy_user((void *)addr, &byte, 1) == 1;
}

static const char constant[] = "constant";
static char variable[] = "variable";

static void test_kernel_map(void)
{
	if (cpu_features.nx)
		ok(mm_count_kernel_wx_pages() == 0,
		   "no page of the kernel is writable and executable");
	else
		skip("no page of the kernel is writable and executable",
		     "this processor has no NX");
	ok(write_refused(constant), "read-only data refuses a write (CR0.WP)");
	ok(write_refused((const void *)(unsigned long)test_kernel_map), "code refuses a write");
	ok(!write_refused(variable), "data takes a write");
	ok(pgd_none(kernel_pgd[0]), "nothing is mapped at 0 any more");
}

static void test_features(void)
{
	const struct cpu_features *f = &cpu_features;
	unsigned long cr4 = read_cr4();

	ok(read_cr0() & X86_CR0_WP, "CR0.WP is on");
	ok(!!(cr4 & X86_CR4_SMEP) == f->smep, "SMEP is on where there is one");
	ok(!!(cr4 & X86_CR4_SMAP) == f->smap, "SMAP likewise");
	ok(!!(cr4 & X86_CR4_UMIP) == f->umip, "UMIP likewise");
	ok(!!(cr4 & X86_CR4_PGE) == f->pge, "PGE likewise");
	ok(!!(cr4 & X86_CR4_FSGSBASE) == f->fsgsbase, "FSGSBASE likewise");
	ok(!!(rdmsr(MSR_EFER) & EFER_NX) == f->nx, "NX likewise");
	ok(!f->pat || rdmsr(MSR_IA32_CR_PAT) == PAT_VALUE, "PAT holds what entries choose from");
}

/* --- pages ------------------------------------------------------------------------------------------- */

static void test_page_alloc(void)
{
	struct page *pages[MAX_ORDER + 1];
	unsigned long free;
	bool aligned = true, all = true;

	drain_all_pages();
	free = nr_free_pages();
	for (unsigned int o = 0; o <= MAX_ORDER; o++) {
		pages[o] = alloc_pages(GFP_KERNEL, o);
		all &= pages[o] != NULL;
		if (pages[o])
			aligned &= !(page_to_pfn(pages[o]).v & ((1UL << o) - 1));
	}
	ok(all, "a block of each order");
	ok(aligned, "each aligned to its size");
	ok(nr_free_pages() == free - ((2UL << MAX_ORDER) - 1), "free pages are counted");
	page_alloc_audit();
	for (unsigned int o = 0; o <= MAX_ORDER; o++)
		if (pages[o])
			free_pages(pages[o], o);
	drain_all_pages();
	page_alloc_audit();
	ok(nr_free_pages() == free, "all of them came back");
	page_alloc_fail_nth(1);
	ok(alloc_page(GFP_KERNEL) == NULL, "an allocation fails when it is told to");
	free_page(alloc_page(GFP_KERNEL));
}

static void test_slab(void)
{
	static void *objs[300];
	bool distinct = true, zero = true;
	unsigned long free;

	slab_drain();
	drain_all_pages();
	free = nr_free_pages();
	for (size_t i = 0; i < ARRAY_SIZE(objs); i++) {
		objs[i] = kzalloc(200, GFP_KERNEL);
		for (size_t b = 0; objs[i] && b < 200; b++)
			zero &= ((char *)objs[i])[b] == 0;
		if (objs[i])
			memset(objs[i], (int)i, 200);
	}
	for (size_t i = 0; i < ARRAY_SIZE(objs); i++)
		distinct &= objs[i] && *(u8 *)objs[i] == (u8)i && ((u8 *)objs[i])[199] == (u8)i;
	ok(zero, "zeroed objects are zero");
	ok(distinct, "300 objects do not overlap");
	for (size_t i = 0; i < ARRAY_SIZE(objs); i++)
		kfree(objs[i]);
	slab_drain();
	drain_all_pages();
	ok(nr_free_pages() == free, "drained slabs give their pages back");
}

static void test_vmalloc(void)
{
	char *p = vmalloc(3 * PAGE_SIZE), *big = kmalloc(100000, GFP_KERNEL);

	if (!ok(p && big, "vmalloc and a large kmalloc"))
		return;
	memset(p, 1, 3 * PAGE_SIZE);
	memset(big, 1, 100000);
	kfree(big);
	ok(__copy_user(p + 3 * PAGE_SIZE, p, 1) == 1, "the page behind is a guard");
	vfree(p);
	ok(__copy_user(p, variable, 1) == 1, "and what was freed is gone");
}

/* --- read-copy-update -------------------------------------------------------------------------------- */

static struct rcu_head heads[200];
static size_t nr_called;
static bool in_order = true;

static void count_callback(struct rcu_head *head)
{
	in_order &= head == &heads[nr_called] && irqs_disabled();
	nr_called++;
}

static void give_calls(size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		call_rcu(&heads[i], count_callback);
}

static void test_rcu(void)
{
	/* What each of them waited for has been, whether or not the tick came in between. */
	give_calls(0, 100);
	rcu_barrier();
	ok(nr_called == 100, "rcu_barrier() waits until all has been called");
	rcu_read_lock();
	give_calls(100, 200);
	udelay(100000);
	ok(nr_called == 100, "nothing is called while somebody reads");
	rcu_read_unlock();
	synchronize_rcu();
	/* The tick does it, sooner or later. */
	while (READ_ONCE(nr_called) < ARRAY_SIZE(heads))
		sleep_until(clock_ns() + TICK_NS);
	ok(in_order, "calls come in order, with interrupts off");
}

/* --- ways out of the kernel ------------------------------------------------------------------------- */

static const struct pt_regs bad_frames[] = {
	/* IRETQ refuses the address. */
	{ .ip = 0x800000000000, .cs = USER_CS, .ss = USER_DS, .flags = X86_EFLAGS_IF },
	/* And a code segment that is data. */
	{ .ip = 0x400000, .cs = USER_DS, .ss = USER_DS, .flags = X86_EFLAGS_IF },
	/* And a stack segment that isn't there. */
	{ .ip = 0x400000, .cs = USER_CS, .ss = 0x7b, .flags = X86_EFLAGS_IF },
};

static int enter_bad_frame(void *frame)
{
	struct mm_struct *mm = mm_alloc();

	if (!mm)
		return 1;
	task_switch_mm(mm);
	*task_pt_regs(current) = *(const struct pt_regs *)frame;
	return_to_user();
}

static void test_bad_frames(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_frames); i++) {
		struct wait_result res = { .status = 0 };
		int pid = kernel_thread(enter_bad_frame, (void *)&bad_frames[i], "bad frame");

		ok(pid > 0 &&
			   do_wait(&(struct wait_opts){ .type = WAIT_PID,
							.nr = pid,
							.options = WEXITED },
				   &res) == pid &&
			   (res.status == SIGSEGV || res.status == SIGBUS),
		   "a frame that IRETQ refuses ends its program, not the kernel");
	}
}

/* --- other processors ------------------------------------------------------------------------------ */

struct call_count {
	cpumask_t cpus;	    /* who was called */
	atomic_t calls;	    /* how often */
	atomic_t misplaced; /* of these, with interrupts on */
};

static void note_call(void *arg)
{
	struct call_count *count = arg;

	cpumask_set_cpu((unsigned int)smp_processor_id(), &count->cpus);
	atomic_inc(&count->calls);
	if (!irqs_disabled())
		atomic_inc(&count->misplaced);
}

/* Whether each of the others is called once, with interrupts off. Nothing between moves us elsewhere. */
static bool call_others(void)
{
	cpu_bits_t online = cpumask_bits(&cpu_online_mask);
	struct call_count count = { 0 };

	smp_call_function_many(online, note_call, &count);
	return cpumask_bits(&count.cpus) == (online & ~BIT((unsigned int)smp_processor_id())) &&
	       atomic_read(&count.calls) == (int)num_online_cpus() - 1 &&
	       !atomic_read(&count.misplaced);
}

#define STORM_CALLS 40
static atomic_t storm_threads, storm_wrong;

/* On each processor one, all at once: everybody calls everybody, and interrupts others in between. */
static int storm(void *arg)
{
	unsigned int cpu = (unsigned int)(unsigned long)arg;

	sched_set_allowed(&current->se, BIT(cpu));
	atomic_inc(&storm_threads);
	while (atomic_read(&storm_threads) != (int)num_online_cpus()) {
		cpu_relax();
		cond_resched();
	}
	for (unsigned int i = 0; i < STORM_CALLS; i++) {
		if ((unsigned int)smp_processor_id() != cpu || !call_others())
			atomic_inc(&storm_wrong);
		smp_send_reschedule(i % num_online_cpus());
	}
	return 0;
}

static void test_calls(void)
{
	struct wait_opts any = { .type = WAIT_ANY, .options = WEXITED | __WALL };
	struct wait_result res;
	unsigned int cpu, started = 0;

	ok(call_others(), "each other processor is called once, with interrupts off");
	for_each_online_cpu(cpu) started +=
		kernel_thread(storm, (void *)(unsigned long)cpu, "storm") > 0;
	ok(started == num_online_cpus(), "a thread for each processor");
	while (started == num_online_cpus() && do_wait(&any, &res) > 0)
		;
	ok(!atomic_read(&storm_wrong), "all call all at once, and all are answered");
}

int selftest_run(void)
{
	test_kernel_map();
	test_features();
	test_page_alloc();
	test_slab();
	test_vmalloc();
	test_rcu();
	test_bad_frames();
	test_calls();
	printk("1..%d\n", nr_tests);
	return nr_failed;
}

/* --- a bug ------------------------------------------------------------------------------------------ */

static noinline void follow_bad_pointer(volatile int *p)
{
	*p = 1;
	barrier();
}

static noinline void call_with_bad_pointer(unsigned long addr)
{
	follow_bad_pointer((volatile int *)addr);
	barrier();
}

/* On all other processors at the same moment. */
static void panic_here(void *arg)
{
	atomic_t *here = arg;

	atomic_inc(here);
	while (atomic_read(here) != (int)num_online_cpus() - 1)
		cpu_relax();
	panic("everybody at once, here CPU %d", smp_processor_id());
}

void selftest_panic(bool everywhere)
{
	static atomic_t here;

	if (everywhere) {
		smp_call_function_many(cpumask_bits(&cpu_online_mask), panic_here, &here);
		panic("the others came back from a panic");
	}
	call_with_bad_pointer(VMALLOC_END - PAGE_SIZE);
	panic("a write to nowhere went through");
}

/*
 * By an instruction that no checker of memory knows of. Beyond: up to the saved frame pointer, for a checker
 * may have put something of its own behind the array.
 */
static noinline void write_beyond_array(bool beyond)
{
	char array[24];
	void *to = array;
	unsigned long len =
		beyond ? (unsigned long)__builtin_frame_address(0) - (unsigned long)array :
			 sizeof(array);

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(len) : "a"(0x41) : "memory");
}

void selftest_stack(void)
{
	write_beyond_array(false);
	printk("an array was filled\n");
	write_beyond_array(true);
	panic("nobody noticed a write beyond an array");
}
