/* SPDX-License-Identifier: MIT */
/*
 * memset and memcpy by the processor's string instructions: these take the place of the portable ones
 * in kernel/base, which are weak.
 */
#ifdef CONFIG_KASAN
/* Those of that name look at the shadow first, and then call these. */
#define memset __memset
#define memcpy __memcpy
#endif
	.text
/* void *memset(void *dst, int c, size_t n) */
	.globl	memset
	.type	memset, @function
memset:
	movq	%rdi, %r8
	movzbl	%sil, %eax
	movabsq	$0x0101010101010101, %rcx
	imulq	%rcx, %rax
	movq	%rdx, %rcx
	shrq	$3, %rcx
	rep stosq
	movl	%edx, %ecx
	andl	$7, %ecx
	rep stosb
	movq	%r8, %rax
	ret
	.size	memset, . - memset

/* void *memcpy(void *dst, const void *src, size_t n) */
	.globl	memcpy
	.type	memcpy, @function
memcpy:
	movq	%rdi, %rax
	movq	%rdx, %rcx
	shrq	$3, %rcx
	rep movsq
	movl	%edx, %ecx
	andl	$7, %ecx
	rep movsb
	ret
	.size	memcpy, . - memcpy

	.section .note.GNU-stack, "", @progbits
