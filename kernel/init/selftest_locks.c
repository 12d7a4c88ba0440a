/* SPDX-License-Identifier: MIT */
/* Mistakes with locks, made on purpose: "selftest=lock-..." on the debug kernel's command line. */
#include <arch/cpu.h>

#include "kernel/base/string.h"
#include "kernel/init/init.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/rcu.h"

static spinlock_t lock_a = SPINLOCK_INIT, lock_b = SPINLOCK_INIT, lock_c = SPINLOCK_INIT;
static struct mutex mutex_a = MUTEX_INIT(mutex_a);

static noinline void take_a_then_b(void)
{
	spin_lock(&lock_a);
	spin_lock(&lock_b);
	spin_unlock(&lock_b);
	spin_unlock(&lock_a);
}

static noinline void take_b_then_c(void)
{
	spin_lock(&lock_b);
	spin_lock(&lock_c);
	spin_unlock(&lock_c);
	spin_unlock(&lock_b);
}

static noinline void take_c_then_a(void)
{
	spin_lock(&lock_c);
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
	spin_unlock(&lock_c);
}

/* Nobody waits for anybody: three steps after each other, which three processors could take at once. */
static void wrong_order(void)
{
	take_a_then_b();
	take_b_then_c();
	take_c_then_a();
}

static void recursive(void)
{
	spin_lock(&lock_a);
	spin_lock(&lock_a);
}

static void not_held(void)
{
	spin_unlock(&lock_a);
}

static void sleep_atomic(void)
{
	spin_lock(&lock_a);
	mutex_lock(&mutex_a);
}

static void sleep_reader(void)
{
	rcu_read_lock();
	schedule();
}

static void in_interrupt(void)
{
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
	/* What handle_irq() does around a handler. */
	local_irq_disable();
	irq_enter();
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
	irq_exit();
	local_irq_enable();
}

bool selftest_locks(const char *which)
{
	static const struct {
		const char *name;
		void (*make)(void);
	} mistakes[] = {
		{ "lock-order", wrong_order },	 { "lock-recursive", recursive },
		{ "lock-not-held", not_held },	 { "lock-sleep", sleep_atomic },
		{ "lock-reader", sleep_reader }, { "lock-interrupt", in_interrupt },
	};

	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++)
		if (!strcmp(which, mistakes[i].name)) {
			mistakes[i].make();
			return true;
		}
	return false;
}
