/* SPDX-License-Identifier: MIT */
/*
 * All the ways into the kernel and back.
 *
 * GS. In user mode the GS base is the program's; in the kernel it is this CPU's variables.
 * SWAPGS exchanges the two and can't be asked which is which, so each path must know:
 *   - SYSCALL comes from user mode always.
 *   - An exception or interrupt came from user mode when the saved CS says so (RPL 3), and from
 *     the kernel with the kernel's GS otherwise; with one exception: IRETQ on its way out faults in
 *     kernel mode with the user's GS already loaded (bad_iret below).
 *   - NMI, #DF, #MC and #DB can hit between any two instructions, the ones before SWAPGS included,
 *     whatever CS says; and with WRGSBASE a program can hold any value there, a kernel's too. They
 *     run on stacks of their own (IST), which know this CPU's base: they set it, and put back
 *     whatever was there.
 *
 * Registers. struct pt_regs lies at the top of the kernel stack. rbx, rbp and r12-r15 belong to
 * whoever calls a C function, so on the way in from user mode their places are only left free; they
 * are filled in by the slow paths that look at them, at a moment when C has brought back the values.
 */
#include <arch/asm.h>

#define EFLAGS_IF 0x200
#define MSR_GS_BASE 0xc0000101
#define ENOSYS 38

/*
 * What the interrupted code had in RFLAGS must not reach C: the direction, and AC, with which SMAP does
 * not protect. (SYSCALL clears both by IA32_FMASK.)
 */
.macro KERNEL_FLAGS
	cld
	cmpb	$0, uaccess_smap(%rip)
	je	.Lno_smap\@
	clac
.Lno_smap\@:
.endm

.macro SAVE_CALLEE off=0
	movq	%r15, PT_R15+\off(%rsp)
	movq	%r14, PT_R14+\off(%rsp)
	movq	%r13, PT_R13+\off(%rsp)
	movq	%r12, PT_R12+\off(%rsp)
	movq	%rbp, PT_BP+\off(%rsp)
	movq	%rbx, PT_BX+\off(%rsp)
.endm

.macro RESTORE_CALLEE off=0
	movq	PT_R15+\off(%rsp), %r15
	movq	PT_R14+\off(%rsp), %r14
	movq	PT_R13+\off(%rsp), %r13
	movq	PT_R12+\off(%rsp), %r12
	movq	PT_BP+\off(%rsp), %rbp
	movq	PT_BX+\off(%rsp), %rbx
.endm

/* With rdi in its place already. */
.macro PUSH_SCRATCH_BUT_DI
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	subq	$48, %rsp
.endm

.macro POP_SCRATCH
	addq	$48, %rsp
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
.endm

	.section .entry.text, "ax"

/* ---- system calls ------------------------------------------------------------------------- */

/*
 * SYSCALL: rip is in rcx, flags in r11, everything else is the program's. Number in rax, arguments
 * in rdi rsi rdx r10 r8 r9. Interrupts are off (IA32_FMASK) until the stack is ours.
 */
	.globl	entry_syscall
	.type	entry_syscall, @function
entry_syscall:
	.cfi_startproc
	.cfi_undefined rip
	swapgs
	movq	%rsp, %gs:cpu_user_sp
	movq	%gs:cpu_kernel_sp, %rsp
	pushq	$USER_DS
	pushq	%gs:cpu_user_sp
	pushq	%r11
	pushq	$USER_CS
	pushq	%rcx
	pushq	%rax				/* orig_ax */
	pushq	%rdi
	PUSH_SCRATCH_BUT_DI
	sti
	movq	%gs:current_se, %r11
	movq	$-ENOSYS, PT_AX(%rsp)
	testl	$WORK_TRACE, (%r11)		/* work is the first member */
	jnz	.Ltraced
	testl	$TRACE_SYSCALLS, trace_mask
	jnz	.Ltraced
	cmpl	$NR_SYSCALLS, %eax		/* the number is an int: its upper half is ignored */
	jae	.Lsyscall_done
	movl	%eax, %eax
	movq	%r10, %rcx
	call	*sys_call_table(, %rax, 8)
	movq	%rax, PT_AX(%rsp)
.Lsyscall_done:
	cli
	movq	%gs:current_se, %r11
	testl	$WORK_EXIT_MASK, (%r11)
	jnz	return_slow
	/*
	 * SYSRET with a non-canonical rcx faults in ring 0 on the user's stack: never let it see one.
	 */
	movq	PT_IP(%rsp), %rcx
	movq	%rcx, %r11
	shrq	$47, %r11
	jnz	return_slow
	addq	$48 + 8, %rsp			/* r11 comes from the flags */
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rdx				/* the place of cx */
	popq	%rdx
	popq	%rsi
	popq	%rdi
	movq	PT_FLAGS - PT_ORIG_AX(%rsp), %r11
	movq	PT_SP - PT_ORIG_AX(%rsp), %rsp
	swapgs
	.globl	entry_sysret_insn
entry_sysret_insn:
	sysretq

.Ltraced:
	SAVE_CALLEE
	movq	%rsp, %rdi
	call	syscall_traced			/* sets regs->ax, and others for exec */
	RESTORE_CALLEE
	jmp	.Lsyscall_done
	.cfi_endproc
	.size	entry_syscall, . - entry_syscall

/*
 * SYSCALL from 32-bit code, which has no place here: MSR_CSTAR must point somewhere all the same. Nothing
 * of the kernel's is touched before going back.
 */
	.globl	entry_syscall32
	.type	entry_syscall32, @function
entry_syscall32:
	movl	$-ENOSYS, %eax
	sysretl
	.size	entry_syscall32, . - entry_syscall32

/*
 * System calls that read or replace the caller's registers: the ones C keeps are put into pt_regs
 * first, and loaded from there afterwards. The frame lies above our return address.
 */
.macro FULL_REGS_CALL name
	.globl	entry_\name
	.type	entry_\name, @function
entry_\name:
	/* The tracer calls from C, with the registers in place already. */
	movq	%gs:cpu_kernel_sp, %rax
	subq	$(PT_SIZE + 8), %rax
	cmpq	%rax, %rsp
	jne	sys_\name
	SAVE_CALLEE 8
	call	sys_\name
	RESTORE_CALLEE 8
	ret
	.size	entry_\name, . - entry_\name
.endm
	FULL_REGS_CALL fork
	FULL_REGS_CALL clone
	FULL_REGS_CALL clone3
	FULL_REGS_CALL vfork
	FULL_REGS_CALL execve
	FULL_REGS_CALL rt_sigreturn

/*
 * The slow way back: C may deliver signals, switch tasks, or have changed any register.
 * => interrupts off, the frame at rsp.
 */
return_slow:
	.cfi_startproc
	.cfi_undefined rip
	SAVE_CALLEE
return_slow_saved:
	movq	%rsp, %rdi
	call	exit_to_user_mode_work
return_all:
	RESTORE_CALLEE
	POP_SCRATCH
	addq	$8, %rsp			/* orig_ax */
	swapgs
	.globl	native_iret
native_iret:
	iretq
	.cfi_endproc

/* A new program, or a new thread: its frame lies at the top of its stack. */
	.globl	return_to_user
	.type	return_to_user, @function
return_to_user:
	.cfi_startproc
	.cfi_undefined rip
	cli
	movq	%gs:cpu_kernel_sp, %rsp
	subq	$PT_SIZE, %rsp
	jmp	return_slow_saved
	.cfi_endproc
	.size	return_to_user, . - return_to_user

/* ---- exceptions and interrupts -------------------------------------------------------------- */

/*
 * On the stack: vector, error code, rip, cs, flags, rsp, ss. The vector moves into rdi and rdi into
 * its place in pt_regs.
 */
	.type	entry_common, @function
entry_common:
	.cfi_startproc
	.cfi_undefined rip
	KERNEL_FLAGS
	testb	$3, 24(%rsp)
	jz	.Lfrom_kernel
	swapgs
.Lfrom_user:
	xchgq	%rdi, (%rsp)
	PUSH_SCRATCH_BUT_DI
	movq	%rdi, %rsi
	movq	PT_ORIG_AX(%rsp), %rdx
	movq	$-1, PT_ORIG_AX(%rsp)		/* no system call: nothing to begin again */
	movq	%rsp, %rdi
	call	handle_trap
	cli
	movq	%gs:current_se, %r11
	testl	$WORK_EXIT_MASK, (%r11)
	jnz	return_slow
	POP_SCRATCH
	addq	$8, %rsp
	swapgs
	jmp	native_iret

.Lfrom_kernel:
	/* Did IRETQ fault? Only for the reasons that its frame can give it: #NP, #SS, #GP. */
	pushq	%rax
	leaq	native_iret(%rip), %rax
	cmpq	%rax, 24(%rsp)
	popq	%rax
	je	bad_iret
	xchgq	%rdi, (%rsp)
	PUSH_SCRATCH_BUT_DI
	SAVE_CALLEE
	movq	%rdi, %rsi
	movq	PT_ORIG_AX(%rsp), %rdx
	movq	%rsp, %rdi
	call	handle_trap
	RESTORE_CALLEE
	POP_SCRATCH
	addq	$8, %rsp
	iretq

/*
 * IRETQ could not load what the frame asked for. We run in kernel mode with the user's GS, on the
 * frame just under the one IRETQ read. Make it look as if the program itself had faulted: its frame
 * stays, with this exception's error code and vector below it.
 */
bad_iret:
	swapgs
	movq	%rax, %gs:entry_scratch
	movq	40(%rsp), %rax			/* rsp of IRETQ: the frame it read */
	pushq	8(%rsp)
	popq	-8(%rax)
	pushq	(%rsp)
	popq	-16(%rax)
	leaq	-16(%rax), %rsp
	movq	%gs:entry_scratch, %rax
	jmp	.Lfrom_user
	.cfi_endproc
	.size	entry_common, . - entry_common

/*
 * The paranoid way, on an IST stack: r12 and r14 keep the GS base as it was found. The word above the
 * frame is what it has to be.
 * #DB from user mode goes the normal way on the normal stack, since it may end in a signal.
 */
	.type	entry_paranoid, @function
entry_paranoid:
	.cfi_startproc
	.cfi_undefined rip
	KERNEL_FLAGS
	xchgq	%rdi, (%rsp)
	PUSH_SCRATCH_BUT_DI
	SAVE_CALLEE
	movq	%rdi, %r13
	movl	$MSR_GS_BASE, %ecx
	rdmsr
	movl	%eax, %r12d
	movl	%edx, %r14d
	movq	PT_SIZE(%rsp), %rax
	movq	%rax, %rdx
	shrq	$32, %rdx
	wrmsr
	movq	%rsp, %rdi
	movq	%r13, %rsi
	call	handle_paranoid_trap
	movl	$MSR_GS_BASE, %ecx
	movl	%r12d, %eax
	movl	%r14d, %edx
	wrmsr
	RESTORE_CALLEE
	POP_SCRATCH
	addq	$8, %rsp
	iretq
	.cfi_endproc
	.size	entry_paranoid, . - entry_paranoid

	.type	entry_debug, @function
entry_debug:
	.cfi_startproc
	.cfi_undefined rip
	testb	$3, 24(%rsp)
	jz	entry_paranoid
	swapgs
	/* Seven words move to the thread's own stack: vector, error, and the frame. */
	movq	%rax, %gs:entry_scratch
	movq	%gs:cpu_kernel_sp, %rax
	pushq	48(%rsp)
	popq	-8(%rax)
	pushq	40(%rsp)
	popq	-16(%rax)
	pushq	32(%rsp)
	popq	-24(%rax)
	pushq	24(%rsp)
	popq	-32(%rax)
	pushq	16(%rsp)
	popq	-40(%rax)
	pushq	8(%rsp)
	popq	-48(%rax)
	pushq	(%rsp)
	popq	-56(%rax)
	leaq	-56(%rax), %rsp
	movq	%gs:entry_scratch, %rax
	KERNEL_FLAGS
	jmp	.Lfrom_user
	.cfi_endproc
	.size	entry_debug, . - entry_debug

/*
 * One entry of 16 bytes for each vector. The processor pushes an error code for some exceptions
 * (SDM volume 3A, table 6-1); the others get a zero there, so that all frames look alike.
 */
	.balign 16
	.globl	entry_vectors
entry_vectors:
	vector = 0
	.rept 256
	.balign 16
	.if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
	.else
	pushq	$0
	.endif
	.if vector == 1
	pushq	$1
	jmp	entry_debug
	.elseif (vector == 2) || (vector == 8) || (vector == 18)
	pushq	$vector
	jmp	entry_paranoid
	.else
	pushq	$vector
	jmp	entry_common
	.endif
	vector = vector + 1
	.endr

	.section .note.GNU-stack, "", @progbits
