/* SPDX-License-Identifier: MIT */
	.text
	.globl	__switch_to
	.type	__switch_to, @function
__switch_to:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	.size	__switch_to, . - __switch_to

/* Where a new thread's first switch returns to: switch_prepare() left the call in rbx and r12. */
	.globl	switch_first
	.type	switch_first, @function
switch_first:
	.cfi_startproc
	.cfi_undefined rip
	movq	%r12, %rdi
	xorl	%ebp, %ebp
	call	*%rbx
	ud2
	.cfi_endproc
	.size	switch_first, . - switch_first
	.section .note.GNU-stack, "", @progbits
