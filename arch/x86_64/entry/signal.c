/* SPDX-License-Identifier: MIT */
/*
 * Calling a handler, and coming back from it.
 *
 * A handler runs on the user's stack above a frame that holds all that the program had before, and
 * "returns" to sa_restorer, which is a call of rt_sigreturn(2). From the higher addresses down:
 *
 *	the red zone	128 bytes that a leaf function may use below its stack pointer (System V ABI)
 *	fpstate		the vector registers as XSAVE (or FXSAVE) writes them, 64-byte aligned
 *	siginfo		what si_* say
 *	ucontext	the registers, the old mask, the alternate stack as it was
 *	return address	sa_restorer; rsp points here, so rsp + 8 is 16-byte aligned as after a call
 *
 * The layout is Linux x86-64's; C libraries and debuggers know it by heart. Whatever rt_sigreturn
 * reads has been in the hands of the program: nothing of it is believed.
 */
#include <arch/asm.h>
#include <arch/cpu.h>
#include <arch/fpu.h>
#include <arch/signal.h>
#include <arch/uaccess.h>

#include "kernel/base/errno.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/process/task.h"

#define RED_ZONE	    128
#define SYS_restart_syscall 219
#define SYSCALL_INSN_SIZE   2

/* What a program may set in its flags: the rest is the kernel's. */
#define USER_EFLAGS                                                                             \
	(BIT(0) | BIT(2) | BIT(4) | BIT(6) | BIT(7) | X86_EFLAGS_TF | X86_EFLAGS_DF | BIT(11) | \
	 X86_EFLAGS_RF | X86_EFLAGS_AC)

/* uc_flags */
#define UC_FP_XSTATE	     1 /* fpstate is XSAVE's */
#define UC_SIGCONTEXT_SS     2 /* ss is saved */
#define UC_STRICT_RESTORE_SS 4 /* and must be what it was */

struct sigcontext {
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 di, si, bp, bx, dx, ax, cx, sp, ip, flags;
	u16 cs, gs, fs, ss;
	u64 err, trapno, oldmask, cr2;
	u64 fpstate;
	u64 reserved[8];
};

struct ucontext {
	u64 uc_flags, uc_link;
	struct sigaltstack_kernel uc_stack;
	struct sigcontext uc_mcontext;
	u64 uc_sigmask;
};

struct rt_sigframe {
	u64 return_address;
	struct ucontext uc;
	union {
		struct siginfo_kernel info;
		u8 info_bytes[SIGINFO_SIZE];
	};
};
_Static_assert(sizeof(struct sigcontext) == 256, "sigcontext");
_Static_assert(sizeof(struct ucontext) == 304, "ucontext");
_Static_assert(sizeof(struct rt_sigframe) == RT_SIGFRAME_SIZE, "rt_sigframe");

/*
 * What tells a program that fpstate is XSAVE's: in the last 48 of the first 512 bytes, which the
 * processor leaves to software, and a second magic number behind the area.
 */
struct fpx_sw_bytes {
	u32 magic1;
	u32 extended_size; /* with magic2 */
	u64 xfeatures;
	u32 xstate_size;
	u32 padding[7];
};
_Static_assert(sizeof(struct fpx_sw_bytes) == 48, "fpx_sw_bytes");

#define FPX_SW_OFFSET	 464
#define XSTATE_BV_OFFSET 512
#define XSTATE_MIN_SIZE	 (512 + 64)
#define XFEATURES_FPSSE	 3UL
#define FP_XSTATE_MAGIC1 0x46505853U
#define FP_XSTATE_MAGIC2 0x46505845U

/* --- the vector registers in the frame ---------------------------------------------------------- */

/* => fp is FPU_ALIGN-aligned. */
static int save_fpstate(u8 __user *fp)
{
	const struct fpx_sw_bytes sw = {
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = (u32)fpu_user_size() + sizeof(u32),
		.xfeatures = cpu_features.xsave ? cpu_features.xcr0 : XFEATURES_FPSSE,
		.xstate_size = (u32)fpu_user_size(),
	};
	u64 present;

	if (fpu_save_user(fp) || copy_to_user(user_at(fp, FPX_SW_OFFSET), &sw, sizeof(sw)))
		return -EFAULT;
	if (!cpu_features.xsave)
		return 0;
	if (put_user(FP_XSTATE_MAGIC2, (u32 __user *)user_at(fp, fpu_user_size())) ||
	    get_user(present, (u64 __user *)user_at(fp, XSTATE_BV_OFFSET)))
		return -EFAULT;
	/* Handlers that know FXSAVE only change the first part without marking it as present. */
	return put_user(present | XFEATURES_FPSSE, (u64 __user *)user_at(fp, XSTATE_BV_OFFSET));
}

/* What of the area is to be loaded; with a magic number missing it is the first 512 bytes. */
static int read_sw_bytes(const u8 __user *fp, u64 *features, bool *fx_only)
{
	struct fpx_sw_bytes sw;
	u32 magic2;

	*features = XFEATURES_FPSSE;
	*fx_only = true;
	if (!cpu_features.xsave)
		return 0;
	if (copy_from_user(&sw, user_at(fp, FPX_SW_OFFSET), sizeof(sw)))
		return -EFAULT;
	if (sw.magic1 != FP_XSTATE_MAGIC1 || sw.xstate_size < XSTATE_MIN_SIZE ||
	    sw.xstate_size > fpu_user_size() || sw.xstate_size > sw.extended_size)
		return 0;
	if (get_user(magic2, (u32 __user *)user_at(fp, sw.xstate_size)))
		return -EFAULT;
	if (magic2 == FP_XSTATE_MAGIC2) {
		*features = sw.xfeatures;
		*fx_only = false;
	}
	return 0;
}

static int restore_fpstate(const u8 __user *fp)
{
	u64 features;
	bool fx_only;

	if (!fp) {
		fpu_reset();
		return 0;
	}
	if (read_sw_bytes(fp, &features, &fx_only)) {
		fpu_reset();
		return -EFAULT;
	}
	return fpu_restore_user(fp, features, fx_only);
}

/* --- making a frame ------------------------------------------------------------------------------- */

/* The places of frame and fpstate, or false where the alternate stack is too small for them. */
static bool place_frame(const struct sigaction_kernel *action, const struct pt_regs *regs,
			unsigned long *frame, unsigned long *fp)
{
	unsigned long sp = regs->sp - RED_ZONE;
	bool on_it = altstack_state(sp) == SS_ONSTACK;

	if ((action->flags & SA_ONSTACK) && altstack_state(sp) == 0) {
		sp = current->altstack.sp + current->altstack.size;
		on_it = true;
	}
	*fp = ALIGN_DOWN(sp - signal_fpstate_size(), FPU_ALIGN);
	*frame = ALIGN_DOWN(*fp - sizeof(struct rt_sigframe), 16UL) - 8;
	return !on_it || on_altstack_range(*frame);
}

static void fill_sigcontext(struct sigcontext *sc, const struct pt_regs *regs)
{
	const struct trap_info *trap = &current->last_trap;

	*sc = (struct sigcontext){
		.r8 = regs->r8,
		.r9 = regs->r9,
		.r10 = regs->r10,
		.r11 = regs->r11,
		.r12 = regs->r12,
		.r13 = regs->r13,
		.r14 = regs->r14,
		.r15 = regs->r15,
		.di = regs->di,
		.si = regs->si,
		.bp = regs->bp,
		.bx = regs->bx,
		.dx = regs->dx,
		.ax = regs->ax,
		.cx = regs->cx,
		.sp = regs->sp,
		.ip = regs->ip,
		.flags = regs->flags,
		.cs = (u16)regs->cs,
		.ss = (u16)regs->ss,
		.err = trap->error,
		.trapno = trap->nr,
		.cr2 = trap->cr2,
	};
}

static int make_frame(const struct ksignal *ks, struct pt_regs *regs)
{
	struct rt_sigframe f;
	unsigned long frame, fp;
	size_t size = sizeof(f);

	/* Linux can do without on other architectures, never on this one. */
	if (!(ks->action.flags & SA_RESTORER))
		return -EFAULT;
	if (!place_frame(&ks->action, regs, &frame, &fp) || save_fpstate((u8 __user *)fp))
		return -EFAULT;
	memset(&f, 0, sizeof(f));
	f.return_address = ks->action.restorer;
	f.uc.uc_flags =
		UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (cpu_features.xsave ? UC_FP_XSTATE : 0);
	f.uc.uc_stack = (struct sigaltstack_kernel){
		.ss_sp = current->altstack.sp,
		.ss_flags = current->altstack.flags,
		.ss_size = current->altstack.size,
	};
	fill_sigcontext(&f.uc.uc_mcontext, regs);
	f.uc.uc_mcontext.oldmask = f.uc.uc_sigmask = sigmask_to_save();
	f.uc.uc_mcontext.fpstate = fp;
	if (ks->action.flags & SA_SIGINFO)
		f.info = ks->info;
	else
		size = offsetof(struct rt_sigframe, info);
	if (copy_to_user((void __user *)frame, &f, size))
		return -EFAULT;

	regs->di = (unsigned long)ks->sig;
	regs->si = frame + offsetof(struct rt_sigframe, info);
	regs->dx = frame + offsetof(struct rt_sigframe, uc);
	regs->ax = 0; /* as for a function without a prototype: no vector arguments */
	regs->ip = ks->action.handler;
	regs->sp = frame;
	regs->cs = USER_CS;
	regs->ss = USER_DS;
	regs->flags &= ~(X86_EFLAGS_DF | X86_EFLAGS_RF | X86_EFLAGS_TF);
	fpu_reset();
	return 0;
}

/* --- system calls that were interrupted ------------------------------------------------------------ */

static void begin_again(struct pt_regs *regs, unsigned long nr)
{
	regs->ax = nr;
	regs->ip -= SYSCALL_INSN_SIZE;
}

/* What an interrupted call comes to: action is the handler's that will be called, or NULL. */
static void settle_syscall(struct pt_regs *regs, const struct sigaction_kernel *action)
{
	if ((int)regs->orig_ax == -1)
		return;
	switch ((long)regs->ax) {
	case -ERESTARTSYS:
		if (action && !(action->flags & SA_RESTART))
			regs->ax = (unsigned long)-EINTR;
		else
			begin_again(regs, regs->orig_ax);
		break;
	case -ERESTARTNOINTR:
		begin_again(regs, regs->orig_ax);
		break;
	case -ERESTARTNOHAND:
		if (action)
			regs->ax = (unsigned long)-EINTR;
		else
			begin_again(regs, regs->orig_ax);
		break;
	case -ERESTART_RESTARTBLOCK:
		if (action)
			regs->ax = (unsigned long)-EINTR;
		else
			begin_again(regs, SYS_restart_syscall);
		break;
	}
}

/*
 * At most one handler at a time: when others wait, exit_to_user_mode_work() comes again and puts
 * their frames above this one, so the last is the first to run.
 */
void do_signal(struct pt_regs *regs)
{
	struct ksignal ks;
	int err;

	if (!get_signal(&ks)) {
		settle_syscall(regs, NULL);
		restore_saved_sigmask();
		return;
	}
	settle_syscall(regs, &ks.action);
	err = make_frame(&ks, regs);
	signal_delivered(&ks, err);
}

/* --- coming back --------------------------------------------------------------------------------------- */

static void restore_registers(struct pt_regs *regs, const struct sigcontext *sc, u64 uc_flags)
{
	regs->r8 = sc->r8;
	regs->r9 = sc->r9;
	regs->r10 = sc->r10;
	regs->r11 = sc->r11;
	regs->r12 = sc->r12;
	regs->r13 = sc->r13;
	regs->r14 = sc->r14;
	regs->r15 = sc->r15;
	regs->di = sc->di;
	regs->si = sc->si;
	regs->bp = sc->bp;
	regs->bx = sc->bx;
	regs->dx = sc->dx;
	regs->ax = sc->ax;
	regs->cx = sc->cx;
	regs->sp = sc->sp;
	regs->ip = sc->ip;
	/*
	 * Ring 3, whatever they say. What the processor doesn't take for a ring 3 segment, and an
	 * address that isn't canonical, make IRETQ fault, which counts as a fault of the program's.
	 */
	regs->cs = sc->cs | 3;
	regs->ss = uc_flags & UC_STRICT_RESTORE_SS ? sc->ss | 3 : USER_DS;
	regs->flags = (regs->flags & ~USER_EFLAGS) | (sc->flags & USER_EFLAGS);
	regs->orig_ax = ~0UL; /* not a system call any more: ax is no result to act on */
}

/* By way of entry_rt_sigreturn, with all registers in pt_regs and loaded from there afterwards. */
long sys_rt_sigreturn(void)
{
	struct pt_regs *regs = task_pt_regs(current);
	const struct rt_sigframe __user *frame = (void __user *)(regs->sp - sizeof(u64));
	struct ucontext uc;

	if (copy_from_user(&uc, user_field(frame, uc), sizeof(uc)))
		goto bad_frame;
	current->restart.fn = NULL;
	set_current_blocked(uc.uc_sigmask);
	restore_registers(regs, &uc.uc_mcontext, uc.uc_flags);
	if (restore_fpstate((const u8 __user *)uc.uc_mcontext.fpstate))
		goto bad_frame;
	/* As Linux: what sigaltstack(2) would refuse is left as it is, without a word. */
	set_altstack(&uc.uc_stack, regs->sp);
	se_set_work(&current->se, WORK_IRET);
	return (long)regs->ax;

bad_frame:
	printk("%s[%d]: bad frame in rt_sigreturn: %p (ip %#lx sp %#lx)\n", current->comm,
	       current->pid, (const void *)frame, regs->ip, regs->sp);
	force_signal(SIGSEGV);
	se_set_work(&current->se, WORK_IRET);
	return 0;
}
