/* SPDX-License-Identifier: MIT */
/*
 * Signals, from the sender to the moment a handler is to be called; the frame that calls it is the
 * architecture's (arch/x86_64/entry/signal.c). signal(7) is what all this follows, and where that
 * is vague, what Linux does.
 *
 * Stop signals need job control to be of use; until then they do nothing, like SIGCONT.
 */
#include "kernel/base/string.h"
#include "kernel/process/task.h"
#include "mm/slab.h"

static struct kmem_cache *sighand_cache;

void signal_init(void)
{
	sighand_cache = kmem_cache_create("sighand", sizeof(struct sighand), 0);
	sigqueue_init();
}

void siginfo_init(struct siginfo_kernel *info, int sig, int code)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = sig;
	info->si_code = code;
}

/* --- what a task inherits and loses ------------------------------------------------------------- */

int task_init_signals(struct task_struct *task, const struct task_struct *parent)
{
	sigpending_init(&task->pending);
	sigpending_init(&task->shared_pending);
	task->altstack.flags = SS_DISABLE;
	task->sighand = kmem_cache_zalloc(sighand_cache, GFP_KERNEL);
	if (!task->sighand)
		return -ENOMEM;
	atomic_set(&task->sighand->count, 1);
	if (!parent)
		return 0;
	memcpy(task->sighand->action, parent->sighand->action, sizeof(task->sighand->action));
	task->sig_blocked = parent->sig_blocked;
	task->altstack = parent->altstack;
	task->last_trap = parent->last_trap;
	return 0;
}

void task_free_signals(struct task_struct *task)
{
	if (!task->sighand)
		return;
	sigpending_free(&task->pending, task);
	sigpending_free(&task->shared_pending, task);
	if (atomic_dec_and_test(&task->sighand->count))
		kmem_cache_free(sighand_cache, task->sighand);
	task->sighand = NULL;
}

/* What was to be ignored stays so; a handler's address means nothing in the new program. */
void exec_reset_signals(struct task_struct *task)
{
	unsigned long flags = spin_lock_irqsave(&task->sighand->lock);

	for (int i = 0; i < NR_SIGNALS; i++) {
		struct sigaction_kernel *a = &task->sighand->action[i];

		*a = (struct sigaction_kernel){ .handler =
							a->handler == SIG_IGN ? SIG_IGN : SIG_DFL };
	}
	spin_unlock_irqrestore(&task->sighand->lock, flags);
	task->altstack.sp = task->altstack.size = 0;
}

/* --- kinds of signals ----------------------------------------------------------------------------- */

#define STOP_SIGNALS (sig_bit(SIGSTOP) | sig_bit(SIGTSTP) | sig_bit(SIGTTIN) | sig_bit(SIGTTOU))
#define IGNORED_BY_DEFAULT \
	(sig_bit(SIGCONT) | sig_bit(SIGCHLD) | sig_bit(SIGWINCH) | sig_bit(SIGURG))
#define CORE_SIGNALS                                                                \
	(sig_bit(SIGQUIT) | sig_bit(SIGILL) | sig_bit(SIGTRAP) | sig_bit(SIGABRT) | \
	 sig_bit(SIGFPE) | sig_bit(SIGSEGV) | sig_bit(SIGBUS) | sig_bit(SIGSYS) |   \
	 sig_bit(SIGXCPU) | sig_bit(SIGXFSZ))

static struct sigaction_kernel *action_of(const struct task_struct *task, int sig)
{
	return &task->sighand->action[sig - 1];
}

static bool handler_ignores(unsigned long handler, int sig)
{
	return handler == SIG_IGN || (handler == SIG_DFL && (IGNORED_BY_DEFAULT & sig_bit(sig)));
}

/* => sighand->lock. A blocked signal is kept, since its handler may be another when it is unblocked. */
static bool sig_ignored(const struct task_struct *task, int sig)
{
	unsigned long handler = action_of(task, sig)->handler;

	if ((task->sig_blocked | task->sig_real_blocked) & sig_bit(sig))
		return false;
	/* pid 1 gets only what it asked for: it must not die by accident. */
	if (task->sig_unkillable && handler == SIG_DFL)
		return true;
	/* As long as nothing stops, a stop signal must not even end a sleep. */
	return handler_ignores(handler, sig) ||
	       (handler == SIG_DFL && (STOP_SIGNALS & sig_bit(sig)));
}

bool signal_pending(const struct task_struct *task)
{
	u64 signals = READ_ONCE(task->pending.signals) | READ_ONCE(task->shared_pending.signals);

	return signals & ~task->sig_blocked;
}

bool signal_unhandled(int sig)
{
	const struct task_struct *task = current;
	unsigned long handler = action_of(task, sig)->handler;

	return handler == SIG_DFL || handler == SIG_IGN || (task->sig_blocked & sig_bit(sig));
}

/* --- sending ------------------------------------------------------------------------------------------ */

/* => sighand->lock. Stopping and continuing undo each other while they wait. */
static void cancel_opposite(struct task_struct *task, int sig)
{
	u64 opposite = 0;

	if (sig_bit(sig) & STOP_SIGNALS)
		opposite = sig_bit(SIGCONT);
	else if (sig == SIGCONT)
		opposite = STOP_SIGNALS;
	sigpending_flush(&task->pending, task, opposite);
	sigpending_flush(&task->shared_pending, task, opposite);
}

/* => sighand->lock. Whether the signal, which is not blocked, can only end the process. */
static bool is_fatal(const struct task_struct *task, int sig)
{
	if (task->sig_real_blocked & sig_bit(sig))
		return false;
	return sig == SIGKILL ||
	       (action_of(task, sig)->handler == SIG_DFL &&
		!(sig_bit(sig) & (IGNORED_BY_DEFAULT | STOP_SIGNALS | CORE_SIGNALS)));
}

/* => sighand->lock. */
static int send_locked(struct task_struct *task, const struct siginfo_kernel *info, bool to_thread,
		       bool limited)
{
	struct sigpending *queue = to_thread ? &task->pending : &task->shared_pending;
	int sig = info->si_signo, err;

	cancel_opposite(task, sig);
	if (sig_ignored(task, sig))
		return 0;
	err = sigpending_add(queue, task, info, limited);
	if (err || (task->sig_blocked & sig_bit(sig)))
		return err;
	/* Nothing can come in between any more: long work in the kernel gives up. */
	if (!task->sig_fatal && is_fatal(task, sig)) {
		task->sig_fatal = sig;
		task->mm_part.kill_pending = true;
	}
	se_set_work(&task->se, WORK_SIGNAL);
	if (READ_ONCE(task->se.state) == TASK_INTERRUPTIBLE ||
	    (READ_ONCE(task->se.state) == TASK_KILLABLE && task->mm_part.kill_pending))
		sched_wake(&task->se);
	return 0;
}

int send_signal_info(struct task_struct *task, const struct siginfo_kernel *info, bool to_thread)
{
	/* Numbers below SIGRTMIN get their siginfo even beyond the limit, unless sigqueue() sends them. */
	bool limited = info->si_signo >= SIGRTMIN || info->si_code < 0;
	unsigned long flags;
	int err;

	if (task->zombie)
		return -ESRCH;
	flags = spin_lock_irqsave(&task->sighand->lock);
	err = send_locked(task, info, to_thread, limited);
	spin_unlock_irqrestore(&task->sighand->lock, flags);
	return err;
}

int send_signal(struct task_struct *task, int sig)
{
	struct siginfo_kernel info;

	siginfo_init(&info, sig, SI_KERNEL);
	return send_signal_info(task, &info, false);
}

/*
 * A signal that the running task can't put off. Blocked or ignored, or when it must not be handled
 * at all, it gets its default action back, which ends the task; pid 1 too.
 */
static void force_info(const struct siginfo_kernel *info, bool never_handled)
{
	struct task_struct *task = current;
	struct sigaction_kernel *action = action_of(task, info->si_signo);
	unsigned long flags = spin_lock_irqsave(&task->sighand->lock);
	bool blocked = task->sig_blocked & sig_bit(info->si_signo);

	if (blocked || action->handler == SIG_IGN || never_handled)
		action->handler = SIG_DFL;
	if (blocked)
		task->sig_blocked &= ~sig_bit(info->si_signo);
	if (action->handler == SIG_DFL)
		task->sig_unkillable = false;
	/* It may be waiting already, having been blocked: then the first one is delivered. */
	send_locked(task, info, true, false);
	se_set_work(&task->se, WORK_SIGNAL);
	spin_unlock_irqrestore(&task->sighand->lock, flags);
}

void force_signal(int sig)
{
	struct siginfo_kernel info;

	siginfo_init(&info, sig, SI_KERNEL);
	force_info(&info, false);
}

void force_fatal_signal(int sig)
{
	struct siginfo_kernel info;

	siginfo_init(&info, sig, SI_KERNEL);
	force_info(&info, true);
}

void force_signal_fault(int sig, int code, unsigned long addr)
{
	struct siginfo_kernel info;

	siginfo_init(&info, sig, code);
	info.fault.addr = addr;
	force_info(&info, false);
}

bool notify_parent(struct task_struct *task)
{
	struct task_struct *parent = task->parent;
	const struct sigaction_kernel *action;
	struct siginfo_kernel info;
	int sig = task->exit_signal;
	bool nobody_waits = false;

	if (sig > 0 && sig <= NR_SIGNALS) {
		siginfo_init(&info, sig, task->exit_code & 0x7f ? CLD_KILLED : CLD_EXITED);
		info.child.pid = task->pid;
		info.child.uid = task->cred.uid;
		info.child.status =
			task->exit_code & 0x7f ? task->exit_code & 0x7f : task->exit_code >> 8;
		info.child.utime = (s64)(task->se.sum_exec / 10000000);
		action = action_of(parent, sig);
		nobody_waits = sig == SIGCHLD &&
			       (action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT));
		if (!nobody_waits || action->handler != SIG_IGN)
			send_signal_info(parent, &info, false);
	}
	wake_up(&parent->child_wait);
	return nobody_waits;
}

/* --- actions and masks ----------------------------------------------------------------------------------- */

int do_sigaction(int sig, const struct sigaction_kernel *new, struct sigaction_kernel *old)
{
	struct task_struct *task = current;
	struct sigaction_kernel *action;
	unsigned long flags;

	if (sig < 1 || sig > NR_SIGNALS || (new && (SIG_UNBLOCKABLE & sig_bit(sig))))
		return -EINVAL;
	action = action_of(task, sig);
	flags = spin_lock_irqsave(&task->sighand->lock);
	*old = *action;
	if (new) {
		*action = *new;
		action->flags &= SA_KNOWN;
		action->mask &= ~SIG_UNBLOCKABLE;
		/* POSIX: what is ignored from now on doesn't wait either, blocked or not. */
		if (handler_ignores(action->handler, sig)) {
			sigpending_flush(&task->pending, task, sig_bit(sig));
			sigpending_flush(&task->shared_pending, task, sig_bit(sig));
		}
	}
	spin_unlock_irqrestore(&task->sighand->lock, flags);
	return 0;
}

void set_current_blocked(u64 mask)
{
	struct task_struct *task = current;
	unsigned long flags = spin_lock_irqsave(&task->sighand->lock);

	task->sig_blocked = mask & ~SIG_UNBLOCKABLE;
	if (signal_pending(task))
		se_set_work(&task->se, WORK_SIGNAL);
	spin_unlock_irqrestore(&task->sighand->lock, flags);
}

void set_temporary_sigmask(u64 mask)
{
	struct task_struct *task = current;

	task->sig_saved = task->sig_blocked;
	task->sig_restore = true;
	set_current_blocked(mask);
}

void restore_sigmask_unless(bool interrupted)
{
	/* Interrupted: the mask goes back when the handler, which the temporary one let in, returns. */
	if (!interrupted)
		restore_saved_sigmask();
}

void restore_saved_sigmask(void)
{
	struct task_struct *task = current;

	if (!task->sig_restore)
		return;
	task->sig_restore = false;
	set_current_blocked(task->sig_saved);
}

u64 sigmask_to_save(void)
{
	return current->sig_restore ? current->sig_saved : current->sig_blocked;
}

u64 sigpending_blocked(void)
{
	const struct task_struct *task = current;

	return (task->pending.signals | task->shared_pending.signals) & task->sig_blocked;
}

/* --- the other stack --------------------------------------------------------------------------------------- */

bool on_altstack_range(unsigned long sp)
{
	const struct altstack *alt = &current->altstack;

	return sp > alt->sp && sp - alt->sp <= alt->size;
}

u32 altstack_state(unsigned long sp)
{
	const struct altstack *alt = &current->altstack;

	if (!alt->size)
		return SS_DISABLE;
	return !(alt->flags & SS_AUTODISARM) && on_altstack_range(sp) ? SS_ONSTACK : 0;
}

void get_altstack(struct sigaltstack_kernel *old, unsigned long sp)
{
	const struct altstack *alt = &current->altstack;

	*old = (struct sigaltstack_kernel){
		.ss_sp = alt->sp,
		.ss_flags = altstack_state(sp) | (alt->flags & SS_AUTODISARM),
		.ss_size = alt->size,
	};
}

int set_altstack(const struct sigaltstack_kernel *new, unsigned long sp)
{
	struct altstack next = { new->ss_sp, new->ss_size, new->ss_flags };
	u32 mode = new->ss_flags & ~SS_AUTODISARM;

	if (altstack_state(sp) == SS_ONSTACK)
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE)
		next.sp = next.size = 0;
	else if (next.size < MINSIGSTKSZ)
		return -ENOMEM;
	current->altstack = next;
	return 0;
}

/* --- delivering -------------------------------------------------------------------------------------------- */

/* => sighand->lock. Order: what an exception sent, then this thread's, then the process's. */
static int take_signal(struct task_struct *task, u64 wanted, struct siginfo_kernel *info)
{
	int sig = sigpending_take(&task->pending, task, wanted, info);

	return sig ? sig : sigpending_take(&task->shared_pending, task, wanted, info);
}

int take_wanted_signal(u64 wanted, struct siginfo_kernel *info)
{
	struct task_struct *task = current;
	unsigned long flags = spin_lock_irqsave(&task->sighand->lock);
	int sig = take_signal(task, wanted, info);

	spin_unlock_irqrestore(&task->sighand->lock, flags);
	return sig;
}

enum outcome { SIG_NOTHING, SIG_CALLS_HANDLER, SIG_ENDS };

/* => sighand->lock. */
static enum outcome decide(struct task_struct *task, struct ksignal *ks)
{
	struct sigaction_kernel *action = action_of(task, ks->sig);

	if (action->handler != SIG_DFL && action->handler != SIG_IGN) {
		ks->action = *action;
		if (action->flags & SA_RESETHAND)
			action->handler = SIG_DFL;
		return SIG_CALLS_HANDLER;
	}
	if (handler_ignores(action->handler, ks->sig) || (sig_bit(ks->sig) & STOP_SIGNALS))
		return SIG_NOTHING;
	if (task->sig_unkillable && !(SIG_UNBLOCKABLE & sig_bit(ks->sig)))
		return SIG_NOTHING;
	return SIG_ENDS;
}

bool get_signal(struct ksignal *ks)
{
	struct task_struct *task = current;
	unsigned long flags = spin_lock_irqsave(&task->sighand->lock);
	enum outcome outcome = SIG_NOTHING;

	se_clear_work(&task->se, WORK_SIGNAL);
	if (task->sig_fatal) {
		ks->sig = task->sig_fatal;
		outcome = SIG_ENDS;
	}
	while (outcome == SIG_NOTHING) {
		ks->sig = sigpending_take_trap(&task->pending, task, ~task->sig_blocked, &ks->info);
		if (!ks->sig)
			ks->sig = take_signal(task, ~task->sig_blocked, &ks->info);
		if (!ks->sig)
			break;
		outcome = decide(task, ks);
	}
	if (signal_pending(task))
		se_set_work(&task->se, WORK_SIGNAL);
	spin_unlock_irqrestore(&task->sighand->lock, flags);
	if (outcome == SIG_ENDS)
		do_exit(ks->sig);
	return outcome == SIG_CALLS_HANDLER;
}

void signal_delivered(const struct ksignal *ks, bool failed)
{
	struct task_struct *task = current;
	u64 mask;

	if (failed) {
		/* A handler for SIGSEGV itself is not asked a second time. */
		if (ks->sig == SIGSEGV)
			force_fatal_signal(SIGSEGV);
		else
			force_signal(SIGSEGV);
		return;
	}
	task->sig_restore = false;
	mask = task->sig_blocked | ks->action.mask;
	if (!(ks->action.flags & SA_NODEFER))
		mask |= sig_bit(ks->sig);
	set_current_blocked(mask);
	if (task->altstack.flags & SS_AUTODISARM)
		task->altstack = (struct altstack){ .flags = SS_DISABLE };
}
