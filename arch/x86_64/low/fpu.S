/* SPDX-License-Identifier: MIT */
/*
 * Saving the vector registers to user memory and loading them from there. A page that isn't there is
 * brought in and the instruction begun again; what can't be brought in, or what the processor
 * refuses to load (#GP), makes the function return -1.
 *
 *	int __xsave_user(void *area, u64 features)	int __fxsave_user(void *area)
 *	int __xrstor_user(const void *area, u64 features)	int __fxrstor_user(const void *area)
 */
#include <arch/uaccess_asm.h>

.macro USER_FPU_OP name insn:vararg
	.globl	__\name
	.type	__\name, @function
__\name:
	movl	%esi, %eax
	movq	%rsi, %rdx
	shrq	$32, %rdx
	USER_ACCESS_BEGIN
.Lop\@:
	\insn
	xorl	%eax, %eax
.Ldone\@:
	USER_ACCESS_END
	ret
.Lfault\@:
	movl	$-1, %eax
	jmp	.Ldone\@
	.size	__\name, . - __\name
	EX_TABLE(.Lop\@, .Lfault\@)
.endm

	.text
	USER_FPU_OP xsave_user xsave64 (%rdi)
	USER_FPU_OP xrstor_user xrstor64 (%rdi)
	USER_FPU_OP fxsave_user fxsave64 (%rdi)
	USER_FPU_OP fxrstor_user fxrstor64 (%rdi)

	.section .note.GNU-stack, "", @progbits
