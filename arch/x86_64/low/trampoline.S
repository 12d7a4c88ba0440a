/* SPDX-License-Identifier: MIT */
/*
 * Where another processor starts: in real mode, at the beginning of a page below 1 MiB. This is copied
 * there, so it is written for no particular address; ebx holds the one it finds itself at. Through
 * protected mode it comes to long mode with the tables it is given, which show this page at its
 * physical address, and calls the entry. Everything the page holds is only read from then on.
 *
 * Intel SDM volume 3A, sections 8.4.4 (starting processors), 9.8.5 (entering long mode).
 */
#include <arch/asm.h>

#define MSR_EFER    0xc0000080
#define MSR_GS_BASE 0xc0000101
#define CR4_PAE	    (1 << 5)
#define CR0_PG	    (1 << 31)
#define CR0_CD	    (1 << 30)
#define CR0_NW	    (1 << 29)
#define CR0_WP	    (1 << 16)
#define CR0_PE	    (1 << 0)
#define CODE32	    0x08

#define OFFSET(sym) ((sym) - trampoline_start)

	.section .trampoline, "a"
	.balign 16
	.globl	trampoline_start
trampoline_start:
	.code16
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	movzwl	%ax, %ebx
	shll	$4, %ebx
	addl	%ebx, OFFSET(gdt_base)
	addl	%ebx, OFFSET(protected_mode_ptr)
	addl	%ebx, OFFSET(long_mode_ptr)
	lgdtl	OFFSET(gdt_ptr)
	movl	%cr0, %eax
	andl	$~(CR0_CD | CR0_NW), %eax	/* which INIT leaves as they were */
	orl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	*OFFSET(protected_mode_ptr)

	.code32
protected_mode:
	movl	$KERNEL_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	OFFSET(arg_pgd)(%ebx), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	OFFSET(arg_efer)(%ebx), %eax
	xorl	%edx, %edx
	wrmsr
	movl	%cr0, %eax
	orl	$(CR0_PG | CR0_WP), %eax
	movl	%eax, %cr0
	ljmpl	*OFFSET(long_mode_ptr)(%ebx)

	.code64
long_mode:
	movl	%ebx, %ebx			/* the upper half is undefined after the change of mode */
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movq	OFFSET(arg_gs_base)(%rbx), %rax
	movq	%rax, %rdx
	shrq	$32, %rdx
	movl	$MSR_GS_BASE, %ecx
	wrmsr
	movq	OFFSET(arg_stack)(%rbx), %rsp
	xorl	%ebp, %ebp
	call	*OFFSET(arg_entry)(%rbx)
	ud2

	.balign 8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff		/* CODE32 */
	.quad	0x00af9b000000ffff		/* KERNEL_CS */
	.quad	0x00cf93000000ffff		/* KERNEL_DS */
gdt_ptr:
	.short	gdt_ptr - gdt - 1
gdt_base:
	.long	OFFSET(gdt)
protected_mode_ptr:
	.long	OFFSET(protected_mode)
	.short	CODE32
long_mode_ptr:
	.long	OFFSET(long_mode)
	.short	KERNEL_CS

	/* struct trampoline_args */
	.balign 8
	.globl	trampoline_args
trampoline_args:
arg_efer:
	.quad	0
arg_pgd:
	.quad	0
arg_gs_base:
	.quad	0
arg_stack:
	.quad	0
arg_entry:
	.quad	0
	.globl	trampoline_end
trampoline_end:

	.section .note.GNU-stack, "", @progbits
