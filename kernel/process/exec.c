/* SPDX-License-Identifier: MIT */
/*
 * execve(2): a new address space is built beside the old one, with the argument strings on its stack;
 * then the task changes over, and there is no way back.
 */
#include <arch/fpu.h>
#include <arch/cpu.h>
#include <arch/switch.h>
#include <arch/uaccess.h>

#include "kernel/abi/fcntl.h"
#include "kernel/abi/personality.h"
#include "kernel/abi/prctl.h"
#include "kernel/base/printf.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/process/current.h"
#include "kernel/process/exec.h"
#include "kernel/fs/fdtable.h"
#include "kernel/fs/namei.h"
#include "mm/calls.h"
#include "mm/gup.h"
#include "mm/slab.h"
#include "mm/sysctl.h"

#define MAX_ARG_STRLEN	(32 * PAGE_SIZE)
#define MAX_ARG_STRINGS 0x7fffffff
/* Arguments may take a quarter of the stack, but never more than three quarters of 8 MiB. */
#define ARG_SPACE_MAX (6UL << 20)
#define ARG_SPACE_MIN (32 * PAGE_SIZE)
/* What a stack may have at most in a program with more rights than its caller's. */
#define SECURE_STACK (8UL << 20)
/* A script may be read by a script, and so on. */
#define MAX_SCRIPTS 5

/* Strings that come from a program, or from the kernel itself. */
struct strings {
	const char __user *const __user *user;
	const char *const *kernel;
};

/* The nth pointer: NULL at the end. */
static int string_at(const struct strings *s, int n, const char **str)
{
	unsigned long offset = (unsigned long)n * sizeof(*str);

	if (s->kernel) {
		*str = s->kernel[n];
		return 0;
	}
	if (!s->user) {
		*str = NULL;
		return 0;
	}
	return get_user(*str, user_at(s->user, offset));
}

static int count_strings(const struct strings *s)
{
	const char *str;

	for (int n = 0; n < MAX_ARG_STRINGS; n++) {
		cond_resched();
		if (sched_kill_pending())
			return -EINTR;
		if (string_at(s, n, &str))
			return -EFAULT;
		if (!str)
			return n;
	}
	return -E2BIG;
}

static unsigned long arg_limit(int nptrs)
{
	unsigned long limit = min(current->signal->rlim[RLIMIT_STACK].cur / 4, ARG_SPACE_MAX);
	unsigned long pointers = (unsigned long)nptrs * sizeof(void *);

	limit = max(limit, (unsigned long)ARG_SPACE_MIN);
	return limit > pointers ? limit - pointers : 0;
}

/* Writes a kernel string with its terminator below bprm->p. */
static int push_string(struct binprm *bprm, const char *str)
{
	size_t len = strlen(str) + 1;

	if (bprm->p - len < bprm->argmin)
		return -E2BIG;
	bprm->p -= len;
	/* Linux has no other word for a page of the new stack that can't be had. */
	if (access_remote_vm(bprm->mm, bprm->p, (void *)str, len, FOLL_WRITE) != len)
		return -E2BIG;
	return 0;
}

/* The same for strings of either kind, the last first, through a buffer of MAX_ARG_STRLEN. */
static int push_strings(struct binprm *bprm, const struct strings *s, int n, char *buf)
{
	for (; n-- > 0; cond_resched()) {
		const char *str;
		int err = string_at(s, n, &str);
		long len;

		if (err)
			return err;
		if (s->user) {
			len = strncpy_from_user(buf, str, MAX_ARG_STRLEN);
			if (len < 0)
				return (int)len;
			if (len >= (long)MAX_ARG_STRLEN)
				return -E2BIG;
			str = buf;
		}
		err = push_string(bprm, str);
		if (err)
			return err;
	}
	return 0;
}

int bprm_push_arg(struct binprm *bprm, const char *str)
{
	int err = push_string(bprm, str);

	bprm->argc += !err;
	bprm->arg_start = bprm->p;
	return err;
}

int bprm_pop_arg(struct binprm *bprm)
{
	char piece[64];
	size_t size, len;

	do {
		size = min(sizeof(piece), bprm->arg_end - bprm->p);
		if (access_remote_vm(bprm->mm, bprm->p, piece, size, 0) != size)
			return -EFAULT;
		len = strnlen(piece, size);
		bprm->p += len;
	} while (len == size);
	bprm->arg_start = ++bprm->p;
	bprm->argc--;
	return 0;
}

#define STACK_RANDOM_MAX (0x3fffffUL << PAGE_SHIFT)
#define MMAP_RANDOM_BITS 28

static unsigned long random_pages(unsigned long mask)
{
	return (get_random_u64() << PAGE_SHIFT) & mask;
}

unsigned long exec_mmap_random(void)
{
	return random_pages(((1UL << MMAP_RANDOM_BITS) - 1) << PAGE_SHIFT);
}

/* The new address space with its stack and the strings on it. */
static int prepare_mm(struct binprm *bprm, const struct strings *argv, const struct strings *envp)
{
	unsigned long top = TASK_SIZE, limit, stack = current->signal->rlim[RLIMIT_STACK].cur;
	char *buf;
	int err;

	bprm->mm = mm_alloc();
	if (!bprm->mm)
		return -ENOMEM;
	bprm->mm->thp_disable = current->mm_part.mm && current->mm_part.mm->thp_disable;
	if (bprm->randomize)
		top -= random_pages(STACK_RANDOM_MAX);
	arch_pick_mmap_layout(bprm->mm, bprm->own_layout ? min(stack, SECURE_STACK) : stack,
			      bprm->randomize ? exec_mmap_random() : 0,
			      bprm->randomize ? STACK_RANDOM_MAX : 0);
	bprm->stack_top = top;
	err = mm_setup_stack(bprm->mm, top, 0);
	if (err)
		return err;
	bprm->argc = count_strings(argv);
	if (bprm->argc < 0)
		return bprm->argc;
	bprm->envc = count_strings(envp);
	if (bprm->envc < 0)
		return bprm->envc;
	limit = arg_limit(max(bprm->argc, 1) + bprm->envc);
	if (!limit)
		return -E2BIG;
	buf = kmalloc(MAX_ARG_STRLEN, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	bprm->p = top - sizeof(void *);
	bprm->argmin = bprm->p - limit;
	err = push_string(bprm, bprm->filename);
	bprm->exec = bprm->env_end = bprm->p;
	if (!err)
		err = push_strings(bprm, envp, bprm->envc, buf);
	bprm->arg_end = bprm->p;
	if (!err)
		err = push_strings(bprm, argv, bprm->argc, buf);
	if (!err && bprm->argc == 0) {
		/* No program is without a name: Linux gives it an empty one. */
		err = push_string(bprm, "");
		bprm->argc = 1;
	}
	bprm->arg_start = bprm->p;
	kfree(buf);
	return err;
}

static void set_comm(struct task_struct *task, const char *path)
{
	const char *slash = strrchr(path, '/');
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	strlcpy(task->comm, slash ? slash + 1 : path, sizeof(task->comm));
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

/* --- becoming the only thread -------------------------------------------------------------------- */

/* => tasklist_lock. The leader is a zombie: the running thread takes its number and its place. */
static void become_leader(struct task_struct *task)
{
	struct signal_struct *process = task->signal;
	struct task_struct *old = process->leader;
	struct pid *pid = old->thread_pid;
	struct signal_struct *child;
	struct usage used;

	list_for_each_entry(child, &process->children, sibling)
	{
		if (child->parent_tid == task->pid)
			child->parent_tid = pid->nr;
	}
	old->thread_pid = task->thread_pid;
	old->pid = task->pid;
	old->thread_pid->task = old;
	task->thread_pid = pid;
	task->pid = pid->nr;
	pid->task = task;
	process->leader = task;
	task->start_ns = old->start_ns;
	task->exit_signal = old->exit_signal;
	old->exit_signal = -1;
	task_usage(old, &used);
	usage_add(&process->dead_threads, &used);
	task_bury(old);
}

static bool others_gone(const struct task_struct *task)
{
	const struct signal_struct *process = task->signal;

	return process->nr_threads == 1 ||
	       (process->nr_threads == 2 && process->leader != task && process->leader->zombie);
}

int de_thread(void)
{
	struct task_struct *task = current;
	struct signal_struct *process = task->signal;
	unsigned long flags;
	int err;

	flags = spin_lock_irqsave(&task->sighand->lock);
	if ((process->flags & SIGNAL_GROUP_EXIT) || process->exec_task) {
		spin_unlock_irqrestore(&task->sighand->lock, flags);
		return -EAGAIN;
	}
	process->exec_task = task;
	zap_other_threads(task);
	spin_unlock_irqrestore(&task->sighand->lock, flags);

	err = wait_event_killable(process->exec_wait, others_gone(task)) ? -EAGAIN : 0;

	flags = spin_lock_irqsave(&tasklist_lock);
	if (!err && process->leader != task)
		become_leader(task);
	spin_lock(&task->sighand->lock);
	process->exec_task = NULL;
	spin_unlock(&task->sighand->lock);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	reap_dead_tasks();
	return err;
}

/* --- changing over ------------------------------------------------------------------------------- */

/* Handlers of our own. => all other threads are gone; `copy` is there if others may share ours. */
static void unshare_sighand(struct task_struct *task, struct sighand *copy)
{
	struct sighand *old = task->sighand;
	unsigned long flags;

	if (atomic_read(&old->count) == 1) {
		if (copy)
			sighand_put(copy);
		return;
	}
	flags = spin_lock_irqsave(&tasklist_lock);
	spin_lock(&old->lock);
	memcpy(copy->action, old->action, sizeof(copy->action));
	task->sighand = copy;
	spin_unlock(&old->lock);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	sighand_put(old);
}

/*
 * What the file's set-user-ID and set-group-ID bits say, and whether they say anything: then the caller has
 * no say in how the program's memory is laid out. Who has said that he wants no more rights, gets none
 * (prctl(2): PR_SET_NO_NEW_PRIVS).
 */
static void read_lent_ids(struct binprm *bprm)
{
	struct inode *inode = bprm->file->f_inode;

	bprm->euid = current->cred.euid;
	bprm->egid = current->cred.egid;
	bprm->lends = false;
	if (current->no_new_privs || inode->i_sb->s_nosuid)
		return;
	/* Bits and owner of the same moment: chown(2) takes the bits away. */
	down_read(&inode->i_rwsem);
	if (inode->i_mode & S_ISUID) {
		bprm->euid = inode->i_uid;
		bprm->lends = true;
	}
	/* Without the right to execute, set-group-ID once meant something else, about locks. */
	if ((inode->i_mode & S_ISGID) && (inode->i_mode & S_IXGRP)) {
		bprm->egid = inode->i_gid;
		bprm->lends = true;
	}
	up_read(&inode->i_rwsem);
}

/* Whether the caller has had a say in the layout that he mustn't have. */
static bool layout_is_led(const struct binprm *bprm)
{
	return bprm->lends && !bprm->own_layout &&
	       ((current->mm_part.personality & PER_CLEAR_ON_SETID) ||
		current->signal->rlim[RLIMIT_STACK].cur > SECURE_STACK);
}

/*
 * The ids and capabilities that the new program has. Who shares the working directory with others, or wants
 * no more rights, gets no more than there were, nor ids that had been lent before (execve(2)).
 * => the only thread
 */
static void lend_rights(struct binprm *bprm, struct cred *c)
{
	const u64 had = c->cap_permitted;
	bool shared = shared_with_others(&current->fs->count), refuse = current->no_new_privs;

	c->euid = bprm->euid;
	c->egid = bprm->egid;
	bprm->secure = c->euid != c->uid || c->egid != c->gid;
	if (bprm->secure && (refuse || (shared && !capable(CAP_SETUID)))) {
		c->euid = c->uid;
		c->egid = c->gid;
	}
	if (bprm->secure)
		c->cap_ambient = 0;
	cred_exec(c, refuse || shared ? had : ALL_CAPS);
}

/* A program with more rights than its caller's isn't to be led astray by what the caller leaves. */
static void secure_exec(struct task_struct *task)
{
	struct signal_struct *process = task->signal;

	task->pdeath_signal = 0;
	process->rlim[RLIMIT_STACK].cur = min(process->rlim[RLIMIT_STACK].cur, SECURE_STACK);
}

/* Changes the ids; whether others may look into the program is settled before they can ask. */
static void take_rights(struct binprm *bprm, bool dumpable)
{
	struct task_struct *task = current;
	struct cred cred = task->cred;

	lend_rights(bprm, &cred);
	if (bprm->secure)
		secure_exec(task);
	if (cred.uid != cred.euid || cred.gid != cred.egid)
		dumpable = false;
	WRITE_ONCE(task->mm_part.mm->dumpable, dumpable ? SUID_DUMP_USER : SUID_DUMP_DISABLE);
	commit_creds(&cred);
}

/* Whatever may fail, fails before other threads are told to go. */
int begin_new_exec(struct binprm *bprm)
{
	struct cred_view view = current_cred_view();
	/* Memory would tell what is in a file that the caller can't read. */
	bool dumpable =
		!inode_permission(bprm->file->f_inode, &view, MAY_READ) &&
		!(bprm->elf_interp && inode_permission(bprm->elf_interp->f_inode, &view, MAY_READ));
	struct task_struct *task = current;
	struct mm_struct *old = task->mm_part.mm;
	bool shared = atomic_read(&task->sighand->count) > 1;
	struct sighand *sighand = shared ? sighand_alloc(NULL) : NULL;
	int err = shared && !sighand ? -ENOMEM : unshare_files();

	read_lent_ids(bprm);
	bprm->again = layout_is_led(bprm);
	if (!err)
		err = bprm->again ? -EAGAIN : de_thread();
	if (err) {
		if (sighand)
			sighand_put(sighand);
		return err;
	}
	posix_timers_delete(task->signal);
	unshare_sighand(task, sighand);
	bprm->point_of_no_return = true;
	bprm->mm->exe_file = &get_file(bprm->file)->vm_file;
	if (old) {
		process_note_rss(task->signal, old);
		mm_release(task, old);
	}
	task_switch_mm(bprm->mm);
	forget_faults(&task->mm_part);
	bprm->mm = NULL;
	vfork_release(task);
	if (old)
		mmput(old);
	take_rights(bprm, dumpable);
	set_comm(task, bprm->filename);
	files_close_on_exec(task->files);
	exec_reset_signals(task);
	task->mm_part.personality &= ~(unsigned long)READ_IMPLIES_EXEC;
	task->set_child_tid = 0;
	task->clear_child_tid = 0;
	task->robust_list = 0;
	task->exit_signal = SIGCHLD;
	task->signal->did_exec = true;
	return 0;
}

/* The registers a program starts with: all zero but where it is. */
static void start_thread(unsigned long entry, unsigned long sp)
{
	struct task_struct *task = current;
	unsigned long flags;

	*task_pt_regs(task) = (struct pt_regs){
		.ip = entry,
		.cs = USER_CS,
		.flags = X86_EFLAGS_IF | X86_EFLAGS_FIXED,
		.sp = sp,
		.ss = USER_DS,
	};
	flags = local_irq_save();
	fpu_area_init(task->se.fpu);
	fpu_restore(task->se.fpu);
	clear_data_segments();
	wrmsr(MSR_FS_BASE, 0);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
	local_irq_restore(flags);
	se_set_work(&task->se, WORK_IRET);
}

static bool randomize_layout(void)
{
	return sysctl_randomize_va_space && !(current->mm_part.personality & ADDR_NO_RANDOMIZE);
}

struct file *open_interpreter(const char *name)
{
	const struct lookup_at at = { .fs = current->fs, .cred = current_cred_view() };

	/* Linux takes an empty name for the current directory. */
	return open_exec_at(&at, *name ? name : ".", true);
}

/* Loads bprm->file, or of a script the program that it leads to. */
static int load_binary(struct binprm *bprm, unsigned long *entry, unsigned long *sp)
{
	for (int scripts = 0;; scripts++) {
		ssize_t n;
		int err;

		if (scripts > MAX_SCRIPTS)
			return -ELOOP;
		memset(bprm->buf, 0, sizeof(bprm->buf));
		n = kernel_read(bprm->file, bprm->buf, sizeof(bprm->buf), 0);
		if (n < 0)
			return (int)n;
		if (!is_script(bprm))
			return load_elf(bprm, entry, sp);
		err = use_interpreter(bprm);
		if (err)
			return err;
	}
}

/* What execveat(2) names. Whether a script's interpreter can open the same is seen by the descriptor. */
static struct file *open_program(struct binprm *bprm)
{
	struct lookup_at at = { .fs = current->fs, .cred = current_cred_view() };
	struct file *dir = NULL, *file;

	if (bprm->at_flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return ERR_PTR(-EINVAL);
	if (bprm->filename != bprm->path) {
		dir = fget_raw(current->files, (unsigned int)bprm->dfd);
		if (!dir)
			return ERR_PTR(-EBADF);
		at.dir = dir->f_dentry;
	}
	if (dir && bprm->path[0] && !d_is_dir(at.dir))
		file = ERR_PTR(-ENOTDIR);
	else
		file = open_exec_at(&at, bprm->path, !(bprm->at_flags & AT_SYMLINK_NOFOLLOW));
	if (dir) {
		bprm->path_goes = fd_get_cloexec(current->files, (unsigned int)bprm->dfd) > 0;
		fput(dir);
	}
	return file;
}

static int try_execve(struct binprm *bprm, const struct strings *argv, const struct strings *envp)
{
	unsigned long entry, sp;
	int err;

	bprm->randomize = randomize_layout();
	err = prepare_mm(bprm, argv, envp);
	if (err)
		goto out;
	bprm->file = open_program(bprm);
	if (IS_ERR(bprm->file)) {
		err = (int)PTR_ERR(bprm->file);
		goto out;
	}
	err = load_binary(bprm, &entry, &sp);
	if (!err)
		start_thread(entry, sp);
	fput(bprm->file);
out:
	if (bprm->mm)
		mmput(bprm->mm);
	if (err && bprm->point_of_no_return)
		force_fatal_signal(SIGSEGV);
	return err;
}

static int do_execve(const struct binprm *request, const struct strings *argv,
		     const struct strings *envp)
{
	struct binprm bprm = *request;
	unsigned long personality = current->mm_part.personality;
	int err;

	if (current->nproc_exceeded && task_over_nproc(current))
		return -EAGAIN;
	current->nproc_exceeded = false;
	err = try_execve(&bprm, argv, envp);
	if (!bprm.again)
		return err;
	/* Only now it is known that the program lends rights: once more, with a layout of its own. */
	current->mm_part.personality &= ~(unsigned long)PER_CLEAR_ON_SETID;
	bprm = *request;
	bprm.own_layout = true;
	err = try_execve(&bprm, argv, envp);
	if (err)
		current->mm_part.personality = personality;
	return err;
}

/* How a file is called that a program names by a descriptor: it must be so for a script's interpreter. */
static char *name_by_fd(int dfd, const char *path)
{
	size_t size = strlen(path) + sizeof("/dev/fd/-2147483648/");
	char *name = kmalloc(size, GFP_KERNEL);

	if (name)
		snprintf(name, size, path[0] ? "/dev/fd/%d/%s" : "/dev/fd/%d%s", dfd, path);
	return name;
}

/* => a path of fewer than PATH_MAX characters */
static int execve_at(int dfd, const char *path, int flags, const struct strings *argv,
		     const struct strings *envp)
{
	struct binprm request = { .filename = path, .path = path, .dfd = dfd, .at_flags = flags };
	char *name = NULL;
	int err;

	if (dfd != AT_FDCWD && path[0] != '/') {
		name = name_by_fd(dfd, path);
		if (!name)
			return -ENOMEM;
		request.filename = name;
	}
	err = do_execve(&request, argv, envp);
	kfree(name);
	return err;
}

long sys_execveat(int dfd, const char __user *upath, const char __user *const __user *argv,
		  const char __user *const __user *envp, int flags)
{
	struct strings a = { .user = argv }, e = { .user = envp };
	char *path = kmalloc(PATH_MAX, GFP_KERNEL);
	long len, ret;

	if (!path)
		return -ENOMEM;
	len = strncpy_from_user(path, upath, PATH_MAX);
	ret = len < 0 ? len : len == PATH_MAX ? -ENAMETOOLONG : 0;
	if (!ret && len == 0 && !(flags & AT_EMPTY_PATH))
		ret = -ENOENT;
	if (!ret)
		ret = execve_at(dfd, path, flags, &a, &e);
	kfree(path);
	return ret;
}

long sys_execve(const char __user *upath, const char __user *const __user *argv,
		const char __user *const __user *envp)
{
	return sys_execveat(AT_FDCWD, upath, argv, envp, 0);
}

int kernel_execve(const char *path, const char *const *argv, const char *const *envp)
{
	struct strings a = { .kernel = argv }, e = { .kernel = envp };
	int err = execve_at(AT_FDCWD, path, 0, &a, &e);

	if (err)
		return err;
	enter_user_mode();
}
