/* SPDX-License-Identifier: MIT */
/*
 * Signals, from the sender to the moment a handler is to be called; the frame that calls it is the
 * architecture's (arch/x86_64/entry/signal.c). signal(7) is what all this follows, and where that
 * is vague, what Linux does.
 *
 * A signal for a process is taken by one of its threads that doesn't block it. The sender picks
 * which one to wake; when that one ends, or blocks it first, another is picked.
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

/* Another thread may be changing them. */
static void copy_actions(struct sighand *to, struct sighand *from)
{
	unsigned long flags = spin_lock_irqsave(&from->lock);

	memcpy(to->action, from->action, sizeof(to->action));
	spin_unlock_irqrestore(&from->lock, flags);
}

struct sighand *sighand_alloc(struct sighand *old)
{
	struct sighand *sighand = kmem_cache_zalloc(sighand_cache, GFP_KERNEL);

	if (!sighand)
		return NULL;
	atomic_set(&sighand->count, 1);
	spin_lock_init(&sighand->lock);
	if (old)
		copy_actions(sighand, old);
	return sighand;
}

void sighand_put(struct sighand *sighand)
{
	if (atomic_dec_and_test(&sighand->count))
		kmem_cache_free(sighand_cache, sighand);
}

void sighand_keep_ignored(struct sighand *sighand, const struct sighand *old)
{
	for (int i = 0; i < NR_SIGNALS; i++)
		if (old->action[i].handler == SIG_IGN)
			sighand->action[i].handler = SIG_IGN;
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
	if ((task->signal->flags & SIGNAL_UNKILLABLE) && handler == SIG_DFL)
		return true;
	return handler_ignores(handler, sig);
}

/* What makes a thread leave the kernel to look after signals, besides the signals themselves. */
#define SIGNAL_NEWS (SIGNAL_GROUP_EXIT | SIGNAL_TELL_STOPPED | SIGNAL_TELL_CONTINUE)

/* => sighand->lock. Whether there is something to look after. */
static bool has_news(const struct task_struct *task)
{
	const struct signal_struct *process = task->signal;
	u64 signals = READ_ONCE(task->pending.signals) | READ_ONCE(process->shared_pending.signals);

	return (signals & ~task->sig_blocked) || READ_ONCE(task->stop_pending) ||
	       task->mm_part.kill_pending || (READ_ONCE(process->flags) & SIGNAL_NEWS);
}

/*
 * Not the queues themselves are asked: a signal to the process is seen by one thread, which was told.
 * Another that gave up its call because of it would not come by get_signal(), which makes of such a
 * call what the program may see.
 */
bool signal_pending(const struct task_struct *task)
{
	return READ_ONCE(task->se.work) & WORK_SIGNAL;
}

bool signal_unhandled(int sig)
{
	const struct task_struct *task = current;
	unsigned long handler = action_of(task, sig)->handler;

	return handler == SIG_DFL || handler == SIG_IGN || (task->sig_blocked & sig_bit(sig));
}

/* --- sending ------------------------------------------------------------------------------------------ */

/* => sighand->lock. Whether the signal, which is not blocked, can only end the process. */
static bool is_fatal(const struct task_struct *task, int sig)
{
	if (task->sig_real_blocked & sig_bit(sig))
		return false;
	/* The thread that it was sent to blocks it, so it was kept; but pid 1 has others. */
	if (task->signal->flags & SIGNAL_UNKILLABLE)
		return false;
	return sig == SIGKILL ||
	       (action_of(task, sig)->handler == SIG_DFL &&
		!(sig_bit(sig) & (IGNORED_BY_DEFAULT | STOP_SIGNALS | CORE_SIGNALS)));
}

/* => sighand->lock. Makes a thread look: it wakes from a sleep that signals may end. */
static void notify_thread(struct task_struct *task, bool to_die)
{
	const u32 to_wake =
		BIT(TASK_INTERRUPTIBLE) | (to_die ? BIT(TASK_KILLABLE) | BIT(TASK_STOPPED) : 0);

	se_set_work(&task->se, WORK_SIGNAL);
	sched_notify(&task->se, to_wake);
}

static void must_die(struct task_struct *task)
{
	task->mm_part.kill_pending = true;
	task->stop_pending = false;
	task->stop_asked = false;
	notify_thread(task, true);
}

void zap_other_threads(struct task_struct *task)
{
	struct task_struct *t;

	task->signal->stop_count = 0;
	for_each_thread(task->signal, t)
	{
		if (t != task && !t->exiting)
			must_die(t);
	}
}

void begin_group_exit(struct signal_struct *process, int code)
{
	/* Nobody hears any more that it stopped or went on. */
	process->flags = SIGNAL_GROUP_EXIT;
	process->group_exit_code = code;
	process->stop_count = 0;
}

/* => sighand->lock. Whether the thread would take the signal now. */
static bool wants_signal(const struct task_struct *task, int sig)
{
	if (task->exiting || (task->sig_blocked & sig_bit(sig)))
		return false;
	return sig == SIGKILL || READ_ONCE(task->se.state) != TASK_STOPPED;
}

/* => sighand->lock. Which thread of a process is to take a signal: the one it was sent to by preference. */
static struct task_struct *choose_thread(struct task_struct *task, int sig)
{
	struct task_struct *t;

	if (wants_signal(task, sig))
		return task;
	for_each_thread(task->signal, t)
	{
		if (wants_signal(t, sig))
			return t;
	}
	return NULL;
}

/* => sighand->lock. A signal has been put into a queue: who is to know? */
static void complete_signal(struct task_struct *task, int sig, bool to_thread)
{
	struct signal_struct *process = task->signal;
	struct task_struct *t =
		to_thread ? (wants_signal(task, sig) ? task : NULL) : choose_thread(task, sig);

	if (!t)
		return; /* whoever unblocks it will see it */
	/* Nothing can come in between any more: all threads go at once, out of any long work. */
	if (is_fatal(t, sig) && !(process->flags & SIGNAL_GROUP_EXIT)) {
		begin_group_exit(process, sig);
		zap_other_threads(t);
		must_die(t);
		return;
	}
	notify_thread(t, sig == SIGKILL);
}

/* => sighand->lock. */
static int send_locked(struct task_struct *task, const struct siginfo_kernel *info, bool to_thread,
		       bool limited)
{
	int sig = info->si_signo, err;

	if (task->signal->flags & SIGNAL_GROUP_EXIT)
		return 0; /* it is gone, as far as anybody can tell */
	stop_prepare(task, sig);
	if (sig_ignored(task, sig))
		return 0;
	err = sigpending_add(to_thread ? &task->pending : &task->signal->shared_pending, task, info,
			     limited);
	if (!err)
		complete_signal(task, sig, to_thread);
	return err;
}

int send_signal_locked(struct task_struct *task, const struct siginfo_kernel *info)
{
	return send_locked(task, info, false, false);
}

void send_timer_signal(struct task_struct *task, struct sigqueue *q, bool to_thread)
{
	int sig = q->info.si_signo;

	if (task->signal->flags & SIGNAL_GROUP_EXIT)
		return;
	stop_prepare(task, sig);
	if (sig_ignored(task, sig))
		return;
	sigpending_add_queue(to_thread ? &task->pending : &task->signal->shared_pending, q);
	complete_signal(task, sig, to_thread);
}

int send_signal_info(struct task_struct *task, const struct siginfo_kernel *info, bool to_thread)
{
	/* Numbers below SIGRTMIN get their siginfo even beyond the limit, unless sigqueue() sends them. */
	bool limited = info->si_signo >= SIGRTMIN || info->si_code < 0;
	unsigned long flags;
	int err;

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
		task->signal->flags &= ~SIGNAL_UNKILLABLE;
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

/* => tasklist_lock. What SIGCHLD says of the process. */
static struct siginfo_kernel child_info(const struct signal_struct *process, int sig, int code)
{
	struct siginfo_kernel info;
	struct cputime time = process->cputime;
	struct usage usage;

	process_usage(process, &usage);
	siginfo_init(&info, sig, code);
	info.child.pid = process->leader->pid;
	info.child.uid = process->leader->cred.uid;
	usage_divide(&usage, &time);
	info.child.utime = (s64)(time.user_ns / 10000000);
	info.child.stime = (s64)(time.system_ns / 10000000);
	return info;
}

/* => tasklist_lock. What the task does about a signal. */
static struct sigaction_kernel read_action(const struct task_struct *task, int sig)
{
	struct sigaction_kernel action;

	spin_lock(&task->sighand->lock);
	action = *action_of(task, sig);
	spin_unlock(&task->sighand->lock);
	return action;
}

bool notify_parent(struct signal_struct *process)
{
	struct task_struct *parent = process->parent->leader, *child = process->leader;
	struct sigaction_kernel action;
	struct siginfo_kernel info;
	int sig = child->exit_signal;
	bool nobody_waits = false;

	if (sig > 0 && sig <= NR_SIGNALS) {
		info = child_info(process, sig,
				  child->exit_code & 0x80 ? CLD_DUMPED :
				  child->exit_code & 0x7f ? CLD_KILLED :
							    CLD_EXITED);
		info.child.status =
			child->exit_code & 0x7f ? child->exit_code & 0x7f : child->exit_code >> 8;
		action = read_action(parent, sig);
		nobody_waits = sig == SIGCHLD &&
			       (action.handler == SIG_IGN || (action.flags & SA_NOCLDWAIT));
		if (!nobody_waits || action.handler != SIG_IGN)
			send_signal_info(parent, &info, false);
	}
	wake_up(&process->parent->wait_child);
	return nobody_waits;
}

void notify_parent_stop(struct task_struct *task, int why)
{
	struct signal_struct *process = task->signal;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task_struct *parent = process->parent ? process->parent->leader : NULL;
	struct sigaction_kernel action;
	struct siginfo_kernel info;

	if (parent) {
		info = child_info(process, SIGCHLD, why);
		info.child.status = why == CLD_CONTINUED ? SIGCONT : process->stop_code & 0x7f;
		action = read_action(parent, SIGCHLD);
		if (action.handler != SIG_IGN && !(action.flags & SA_NOCLDSTOP))
			send_signal_info(parent, &info, false);
		wake_up(&process->parent->wait_child);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
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
			struct task_struct *t;

			sigpending_flush(&task->signal->shared_pending, sig_bit(sig));
			for_each_thread(task->signal, t)
				sigpending_flush(&t->pending, sig_bit(sig));
		}
	}
	spin_unlock_irqrestore(&task->sighand->lock, flags);
	return 0;
}

/*
 * => sighand->lock. The running thread won't take these after all, though it may be the one that was
 * woken for them: others are.
 */
static void retarget_shared_pending(struct task_struct *task, u64 which)
{
	struct task_struct *t;

	which &= task->signal->shared_pending.signals;
	if (!which)
		return;
	for_each_thread(task->signal, t)
	{
		u64 takes = t == task || t->exiting ? 0 : which & ~t->sig_blocked;

		if (takes)
			notify_thread(t, false);
		which &= ~takes;
	}
}

void exit_signals(struct task_struct *task)
{
	unsigned long flags = spin_lock_irqsave(&task->sighand->lock);
	int why;

	task->exiting = true;
	why = stop_leave(task);
	retarget_shared_pending(task, ~task->sig_blocked);
	spin_unlock_irqrestore(&task->sighand->lock, flags);
	if (why)
		notify_parent_stop(task, why);
}

void set_current_blocked(u64 mask)
{
	struct task_struct *task = current;
	unsigned long flags = spin_lock_irqsave(&task->sighand->lock);

	mask &= ~SIG_UNBLOCKABLE;
	if (mask & ~task->sig_blocked)
		retarget_shared_pending(task, mask & ~task->sig_blocked);
	task->sig_blocked = mask;
	if (has_news(task))
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

	return (task->pending.signals | task->signal->shared_pending.signals) & task->sig_blocked;
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
	int sig = sigpending_take(&task->pending, wanted, info);

	return sig ? sig : sigpending_take(&task->signal->shared_pending, wanted, info);
}

int take_wanted_signal(u64 wanted, struct siginfo_kernel *info)
{
	struct task_struct *task = current;
	unsigned long flags = spin_lock_irqsave(&task->sighand->lock);
	int sig = take_signal(task, wanted, info);

	spin_unlock_irqrestore(&task->sighand->lock, flags);
	return sig;
}

enum outcome { SIG_NOTHING, SIG_CALLS_HANDLER, SIG_STOPS, SIG_ENDS };

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
	if (handler_ignores(action->handler, ks->sig))
		return SIG_NOTHING;
	if ((task->signal->flags & SIGNAL_UNKILLABLE) && ks->sig != SIGKILL)
		return SIG_NOTHING;
	return sig_bit(ks->sig) & STOP_SIGNALS ? SIG_STOPS : SIG_ENDS;
}

/* => sighand->lock. The next signal and what comes of it; *none: there is none. */
static enum outcome next_signal(struct task_struct *task, struct ksignal *ks, bool *none)
{
	ks->sig = sigpending_take_trap(&task->pending, ~task->sig_blocked, &ks->info);
	if (!ks->sig)
		ks->sig = take_signal(task, ~task->sig_blocked, &ks->info);
	*none = !ks->sig;
	return *none ? SIG_NOTHING : decide(task, ks);
}

/*
 * => sighand->lock, which it may drop for a while. All but SIGSTOP do nothing in a group that nobody
 * could make go on; and a SIGCONT that came while we asked wins.
 */
static void take_stop(struct task_struct *task, int sig, unsigned long *flags)
{
	bool orphaned;

	if (sig != SIGSTOP) {
		task->stop_asked = true;
		spin_unlock_irqrestore(&task->sighand->lock, *flags);
		*flags = spin_lock_irqsave(&tasklist_lock);
		orphaned = group_is_orphaned(task->signal->group, NULL);
		spin_unlock_irqrestore(&tasklist_lock, *flags);
		*flags = spin_lock_irqsave(&task->sighand->lock);
		if (!task->stop_asked)
			return;
		task->stop_asked = false;
		if (orphaned)
			return;
	}
	stop_begin(task, sig);
}

bool get_signal(struct ksignal *ks)
{
	struct task_struct *task = current;
	unsigned long flags = spin_lock_irqsave(&task->sighand->lock);
	enum outcome outcome = SIG_NOTHING;
	const struct task_struct *exec_task;
	bool none = false;

	se_clear_work(&task->se, WORK_SIGNAL);
	while (outcome == SIG_NOTHING && !none) {
		if (task->mm_part.kill_pending || (task->signal->flags & SIGNAL_GROUP_EXIT)) {
			ks->sig = SIGKILL;
			outcome = SIG_ENDS;
			break;
		}
		if (stop_here(task, &flags))
			continue;
		outcome = next_signal(task, ks, &none);
		if (outcome == SIG_STOPS) {
			take_stop(task, ks->sig, &flags);
			outcome = SIG_NOTHING;
		}
	}
	if (has_news(task))
		se_set_work(&task->se, WORK_SIGNAL);
	exec_task = task->signal->exec_task;
	spin_unlock_irqrestore(&task->sighand->lock, flags);
	/* A thread that only exec wants gone doesn't end the others. */
	if (outcome == SIG_ENDS && exec_task && exec_task != task)
		do_exit(SIGKILL);
	if (outcome == SIG_ENDS)
		do_group_exit(ks->sig);
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
