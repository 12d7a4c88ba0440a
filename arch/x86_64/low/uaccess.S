/* SPDX-License-Identifier: MIT */
/*
 * Copying between kernel and user memory. REP MOVSB keeps in rcx what is left to do, so a fault
 * anywhere leaves the answer ready. SMAP (where the processor has it) is lifted only in between.
 */
#include <arch/uaccess_asm.h>

	.text
/* unsigned long __copy_user(void *to, const void *from, unsigned long len): bytes not copied */
	.globl	__copy_user
	.type	__copy_user, @function
__copy_user:
	USER_ACCESS_BEGIN
	movq	%rdx, %rcx
	shrq	$3, %rcx
	andl	$7, %edx
1:	rep movsq
	movl	%edx, %ecx
2:	rep movsb
3:	movq	%rcx, %rax
	USER_ACCESS_END
	ret
/* A word faulted: its last bytes may reach into a page that is not there, so go on by bytes. */
4:	leaq	(%rdx, %rcx, 8), %rcx
	jmp	2b
	.size	__copy_user, . - __copy_user
	EX_TABLE(1b, 4b)
	EX_TABLE(2b, 3b)

/* unsigned long __clear_user(void *to, unsigned long len): bytes not cleared */
	.globl	__clear_user
	.type	__clear_user, @function
__clear_user:
	USER_ACCESS_BEGIN
	movq	%rsi, %rcx
	xorl	%eax, %eax
1:	rep stosb
2:	USER_ACCESS_END
	movq	%rcx, %rax
	ret
	.size	__clear_user, . - __clear_user
	EX_TABLE(1b, 2b)

/* long __strncpy_user(char *to, const char *from, long size): length, size, or -EFAULT (-14) */
	.globl	__strncpy_user
	.type	__strncpy_user, @function
__strncpy_user:
	USER_ACCESS_BEGIN
	xorl	%eax, %eax
1:	cmpq	%rdx, %rax
	jae	3f
2:	movb	(%rsi, %rax), %cl
	movb	%cl, (%rdi, %rax)
	testb	%cl, %cl
	jz	3f
	incq	%rax
	jmp	1b
4:	movq	$-14, %rax
3:	USER_ACCESS_END
	ret
	.size	__strncpy_user, . - __strncpy_user
	EX_TABLE(2b, 4b)

/*
 * long __cmpxchg_user(u32 *old, u32 *addr, u32 new): 0 or -EFAULT. *old becomes what was there; where
 * that is what *old said, `new` is there now.
 */
	.globl	__cmpxchg_user
	.type	__cmpxchg_user, @function
__cmpxchg_user:
	USER_ACCESS_BEGIN
	movl	(%rdi), %eax
1:	lock cmpxchgl %edx, (%rsi)
	movl	%eax, (%rdi)
	xorl	%eax, %eax
2:	USER_ACCESS_END
	ret
3:	movq	$-14, %rax
	jmp	2b
	.size	__cmpxchg_user, . - __cmpxchg_user
	EX_TABLE_NO_FAULT(1b, 3b)

/* long __read_user(u32 *val, const u32 *addr): 0 or -EFAULT */
	.globl	__read_user
	.type	__read_user, @function
__read_user:
	USER_ACCESS_BEGIN
	xorl	%eax, %eax
1:	movl	(%rsi), %edx
	movl	%edx, (%rdi)
2:	USER_ACCESS_END
	ret
3:	movq	$-14, %rax
	jmp	2b
	.size	__read_user, . - __read_user
	EX_TABLE_NO_FAULT(1b, 3b)

	.section .note.GNU-stack, "", @progbits
