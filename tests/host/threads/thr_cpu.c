/* SPDX-License-Identifier: MIT */
/* Processors that are threads: interrupts, sleeping, waking. */
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The C library has one, too. */
#define sched_yield kernel_sched_yield

#include <arch/cpu.h>
#include <arch/smp.h>

#include "kernel/base/panic.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/rcu.h"
#include "kernel/sync/sleep.h"
#include "tests/host/threads/threads.h"

struct cpu {
	pthread_mutex_t irqs; /* held with interrupts off, and by who interrupts */
	pthread_mutex_t lock; /* for what runs: whether it is awake */
	pthread_cond_t woken;
	struct sched_entity se;
	bool runs; /* a thread is this processor. => irqs */
} __aligned(64);

static struct cpu cpus[SIM_NR_CPUS] = { [0 ... SIM_NR_CPUS - 1] = {
						.irqs = PTHREAD_MUTEX_INITIALIZER,
						.lock = PTHREAD_MUTEX_INITIALIZER,
						.woken = PTHREAD_COND_INITIALIZER,
					} };

DEFINE_PER_CPU(struct sched_entity *, current_se) = &cpus[0].se;

__thread bool sim_irqs_off;
__thread unsigned int sim_spinlocks_held;

/* --- interrupts -------------------------------------------------------------------------------------- */

void sim_irq_hold(unsigned int cpu)
{
	pthread_mutex_lock(&cpus[cpu].irqs);
}

void sim_irq_release(unsigned int cpu)
{
	pthread_mutex_unlock(&cpus[cpu].irqs);
}

void sim_irq_disable(void)
{
	sim_irq_hold(sim_this_cpu);
	sim_irqs_off = true;
}

void sim_irq_enable(void)
{
	sim_irqs_off = false;
	sim_irq_release(sim_this_cpu);
}

void smp_call_function_many(cpu_bits_t others, void (*fn)(void *), void *arg)
{
	unsigned int back = sim_this_cpu, cpu;

	if (irqs_disabled())
		panic("another CPU is waited for with interrupts off");
	for_each_cpu_bit(cpu, others)
	{
		BUG_ON(cpu == back || cpu >= SIM_NR_CPUS);
		sim_irq_hold(cpu);
		sim_this_cpu = cpu;
		sim_irqs_off = true;
		fn(arg);
		sim_irqs_off = false;
		sim_this_cpu = back;
		sim_irq_release(cpu);
	}
}

void smp_send_reschedule(unsigned int cpu)
{
	BUG_ON(cpu >= SIM_NR_CPUS);
}

/* --- waiting ----------------------------------------------------------------------------------------- */

/* More than any of them takes, however busy the host is. */
#define MAX_SPINS (1UL << 26)

void sim_spin(void)
{
	static __thread unsigned long spins;

	if (++spins > MAX_SPINS)
		panic("a spinlock is waited for that nobody releases");
	syscall(SYS_sched_yield);
}

void sim_might_sleep(const char *what)
{
	if (sim_spinlocks_held || sim_irqs_off)
		panic("%s may sleep, but %u spinlocks are held and interrupts are %s", what,
		      sim_spinlocks_held, sim_irqs_off ? "off" : "on");
}

/* The timer interrupt of this processor, which was found outside of the kernel, or idle. */
static void tick(void)
{
	local_irq_disable();
	rcu_tick(true);
	local_irq_enable();
}

/* Where no thread is, the processor idles all the time: somebody else lends it his. */
static void tick_idle_cpus(void)
{
	unsigned int back = sim_this_cpu;

	for (unsigned int cpu = 0; cpu < SIM_NR_CPUS; cpu++) {
		if (cpu == back)
			continue;
		sim_irq_hold(cpu);
		sim_this_cpu = cpu;
		sim_irqs_off = true;
		if (!cpus[cpu].runs)
			rcu_tick(true);
		sim_irqs_off = false;
		sim_this_cpu = back;
		sim_irq_release(cpu);
	}
}

#define TICK_EVERY 16

void sim_quiescent(void)
{
	static __thread unsigned int turns;

	sim_might_sleep("a quiescent state");
	if (turns++ % TICK_EVERY)
		return;
	tick();
	if (turns % (TICK_EVERY * TICK_EVERY) == 1)
		tick_idle_cpus();
}

#define TICK_NS_ASLEEP 1000000L
/* Ticks: what is waited for comes sooner, however busy the host is. */
#define MAX_SLEEP 100000

static bool sleeps_on(struct cpu *cpu)
{
	bool asleep;

	pthread_mutex_lock(&cpu->lock);
	asleep = __atomic_load_n(&cpu->se.state, __ATOMIC_RELAXED) != TASK_RUNNING;
	if (asleep) {
		struct timespec limit;

		clock_gettime(CLOCK_REALTIME, &limit);
		limit.tv_nsec += TICK_NS_ASLEEP;
		limit.tv_sec += limit.tv_nsec / 1000000000;
		limit.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&cpu->woken, &cpu->lock, &limit);
	}
	pthread_mutex_unlock(&cpu->lock);
	return asleep;
}

void schedule(void)
{
	unsigned int ticks = 0;

	sim_might_sleep("schedule");
	rcu_note_context_switch();
	while (sleeps_on(&cpus[sim_this_cpu])) {
		tick();
		tick_idle_cpus();
		if (++ticks == MAX_SLEEP)
			panic("CPU %u sleeps, and nobody wakes it", sim_this_cpu);
	}
}

bool sched_wake(struct sched_entity *se)
{
	struct cpu *cpu = container_of(se, struct cpu, se);
	bool slept;

	pthread_mutex_lock(&cpu->lock);
	slept = __atomic_exchange_n(&se->state, TASK_RUNNING, __ATOMIC_SEQ_CST) != TASK_RUNNING;
	pthread_cond_signal(&cpu->woken);
	pthread_mutex_unlock(&cpu->lock);
	return slept;
}

void cond_resched(void)
{
	sim_might_sleep("cond_resched");
	sim_quiescent();
}

bool sched_signal_pending(void)
{
	return false;
}

bool sched_kill_pending(void)
{
	return false;
}

static void *current_thread(void)
{
	return this_cpu_read(current_se);
}

static void prepare_to_sleep(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
}

static void wake_thread(void *thread)
{
	sched_wake(thread);
}

static const struct sleep_ops thread_sleep_ops = {
	.current = current_thread,
	.prepare = prepare_to_sleep,
	.schedule = schedule,
	.wake = wake_thread,
};

static __attribute__((constructor)) void make_cpus(void)
{
	for (unsigned int cpu = 0; cpu < SIM_NR_CPUS; cpu++)
		*per_cpu_ptr(&current_se, cpu) = &cpus[cpu].se;
	cpus[0].runs = true;
	sleep_ops = &thread_sleep_ops;
}

/* --- running ----------------------------------------------------------------------------------------- */

static void (*to_run)(unsigned int cpu);
static pthread_barrier_t start;

static void set_running(unsigned int cpu, bool runs)
{
	sim_irq_hold(cpu);
	cpus[cpu].runs = runs;
	sim_irq_release(cpu);
}

static void *run_cpu(void *arg)
{
	sim_set_cpu((unsigned int)(unsigned long)arg);
	set_running(sim_this_cpu, true);
	pthread_barrier_wait(&start);
	to_run(sim_this_cpu);
	if (sim_this_cpu != 0)
		set_running(sim_this_cpu, false);
	return NULL;
}

void on_all_cpus(void (*fn)(unsigned int cpu))
{
	pthread_t threads[SIM_NR_CPUS];

	to_run = fn;
	pthread_barrier_init(&start, NULL, SIM_NR_CPUS);
	for (unsigned long cpu = 1; cpu < SIM_NR_CPUS; cpu++)
		pthread_create(&threads[cpu], NULL, run_cpu, (void *)cpu);
	run_cpu((void *)0UL);
	/* Until they end this one idles. */
	set_running(0, false);
	for (unsigned int cpu = 1; cpu < SIM_NR_CPUS; cpu++)
		pthread_join(threads[cpu], NULL);
	set_running(0, true);
	pthread_barrier_destroy(&start);
}
