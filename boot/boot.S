/* SPDX-License-Identifier: MIT */
/*
 * The first instructions: from what a boot loader leaves to boot_main() in the upper half.
 *
 * Two doors lead in, both in 32-bit protected mode with paging off:
 *   _start      multiboot2 (GRUB): eax holds the magic, ebx the information structure
 *   pvh_start   PVH (qemu -kernel): ebx holds hvm_start_info
 *
 * The tables made here are only a bridge: 2 MiB pages that show the first 4 GiB three times, at 0
 * (we run there), in the direct map, and at the kernel image's place (its first GiB, and the second).
 * mm/ builds the real ones.
 */
#define KERNEL_IMAGE_BASE 0xffffffff80000000
#define PHYS(sym) ((sym) - KERNEL_IMAGE_BASE)

/* Where the shadow of the image begins, by the sanitizer's rule (address / 8 + 0xdffffc0000000000). */
#define SHADOW_PGD_INDEX 503
#define SHADOW_PUD_INDEX 511
#define SHADOW_PMD_INDEX 384
#define SHADOW_PTE_INDEX 64

#define MB2_MAGIC	 0xe85250d6
#define MB2_BOOT_MAGIC	 0x36d76289
#define LOADER_MULTIBOOT2 1
#define LOADER_PVH	 2

#define MSR_EFER 0xc0000080
#define EFER_LME (1 << 8)
#define CR4_PAE	 (1 << 5)
#define CR0_PG	 (1 << 31)
#define CR0_WP	 (1 << 16)
#define CR0_PE	 (1 << 0)

	/* Multiboot2 specification 2.0, section 3.1. */
	.section .boot.header, "a"
	.balign 8
mb2_header:
	.long	MB2_MAGIC
	.long	0				/* architecture: i386 */
	.long	mb2_header_end - mb2_header
	.long	-(MB2_MAGIC + 0 + (mb2_header_end - mb2_header))
	.balign 8
	.short	5				/* framebuffer: any, and we can do without */
	.short	1
	.long	20
	.long	0, 0, 0
	.balign 8
	.short	6				/* modules page-aligned */
	.short	0
	.long	8
	.balign 8
	.short	0				/* end */
	.short	0
	.long	8
mb2_header_end:

	/* The PVH entry point, for QEMU and Xen: an ELF note of type 18. */
	.section .note.Xen, "a", @note
	.balign 4
	.long	4				/* name size */
	.long	8				/* description size */
	.long	18				/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.quad	pvh_start

	.section .boot.text, "ax"
	.code32
	.globl	_start
_start:
	cli
	cld
	movl	%eax, %edx
	movl	$PHYS(boot_stack_top), %esp
	movl	%ebx, boot_arg
	movl	$LOADER_MULTIBOOT2, boot_loader
	cmpl	$MB2_BOOT_MAGIC, %edx
	je	check_cpu
	movl	$msg_loader, %esi
	jmp	give_up

	.globl	pvh_start
pvh_start:
	cli
	cld
	movl	$PHYS(boot_stack_top), %esp
	movl	%ebx, boot_arg
	movl	$LOADER_PVH, boot_loader

check_cpu:
	/* CPUID exists when EFLAGS.ID (bit 21) can be changed. */
	pushfl
	popl	%eax
	movl	%eax, %ecx
	xorl	$(1 << 21), %eax
	pushl	%eax
	popfl
	pushfl
	popl	%eax
	pushl	%ecx
	popfl
	xorl	%ecx, %eax
	movl	$msg_cpuid, %esi
	jz	give_up

	movl	$0x80000000, %eax
	cpuid
	movl	$msg_long_mode, %esi
	cmpl	$0x80000001, %eax
	jb	give_up
	movl	$0x80000001, %eax
	cpuid
	btl	$29, %edx			/* LM */
	jnc	give_up
	movl	$1, %eax
	cpuid
	movl	$msg_sse2, %esi
	btl	$26, %edx			/* SSE2: every x86-64 processor has it */
	jnc	give_up

	/* Four page directories map 4 GiB in leaves of 2 MiB. */
	movl	$PHYS(boot_pd), %edi
	movl	$0x83, %eax			/* present, writable, leaf */
	movl	$2048, %ecx
1:	movl	%eax, (%edi)
	movl	$0, 4(%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	loop	1b

	movl	$PHYS(boot_pd) + 3, %eax
	movl	%eax, PHYS(boot_pdpt_low)
	movl	%eax, PHYS(boot_pdpt_high) + 510 * 8
	addl	$4096, %eax
	movl	%eax, PHYS(boot_pdpt_low) + 8
	movl	%eax, PHYS(boot_pdpt_high) + 511 * 8
	addl	$4096, %eax
	movl	%eax, PHYS(boot_pdpt_low) + 16
	addl	$4096, %eax
	movl	%eax, PHYS(boot_pdpt_low) + 24
	movl	$PHYS(boot_pdpt_low) + 3, PHYS(boot_pml4)
	movl	$PHYS(boot_pdpt_low) + 3, PHYS(boot_pml4) + 273 * 8
	movl	$PHYS(boot_pdpt_high) + 3, PHYS(boot_pml4) + 511 * 8

#ifdef CONFIG_KASAN
	/* The first function that the compiler made already marks its stack. */
	movl	$PHYS(__kasan_image_shadow) + 3, %eax
	movl	$PHYS(boot_shadow_pt) + SHADOW_PTE_INDEX * 8, %edi
	movl	$__kasan_image_pages, %ecx
1:	movl	%eax, (%edi)
	movl	$0, 4(%edi)
	addl	$4096, %eax
	addl	$8, %edi
	loop	1b
	movl	$PHYS(boot_shadow_pt) + 3, PHYS(boot_shadow_pd) + SHADOW_PMD_INDEX * 8
	movl	$PHYS(boot_shadow_pd) + 3, PHYS(boot_shadow_pdpt) + SHADOW_PUD_INDEX * 8
	movl	$PHYS(boot_shadow_pdpt) + 3, PHYS(boot_pml4) + SHADOW_PGD_INDEX * 8
#endif

	/* Intel SDM volume 3A, section 10.8.5: PAE, CR3, EFER.LME, then paging. */
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$PHYS(boot_pml4), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	$(CR0_PG | CR0_WP | CR0_PE), %eax
	movl	%eax, %cr0
	lgdt	boot_gdt_ptr
	ljmp	$0x10, $long_mode

/* Shows the text at esi on the serial line and at the top of a VGA text screen, and ends. */
give_up:
	movl	$0xb8000, %edi
2:	lodsb
	testb	%al, %al
	jz	4f
	movb	%al, (%edi)
	movb	$0x4f, 1(%edi)
	addl	$2, %edi
	movb	%al, %bl
	movl	$0x10000, %ecx			/* a missing UART must not stop us */
	movw	$0x3fd, %dx
3:	inb	%dx, %al
	testb	$0x20, %al
	loopz	3b
	movb	%bl, %al
	movw	$0x3f8, %dx
	outb	%al, %dx
	jmp	2b
4:	movl	$0x56, %eax			/* QEMU's isa-debug-exit, when it is there */
	movw	$0xf4, %dx
	outl	%eax, %dx
5:	hlt
	jmp	5b

	.code64
long_mode:
	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movabsq	$upper_half, %rax
	movl	boot_loader, %edi
	movl	boot_arg, %esi
	jmp	*%rax

	.section .boot.data, "aw"
	.balign 8
boot_gdt:
	.quad	0
	.quad	0
	.quad	0x00af9b000000ffff		/* 0x10: 64-bit code */
	.quad	0x00cf93000000ffff		/* 0x18: data */
boot_gdt_ptr:
	.short	boot_gdt_ptr - boot_gdt - 1
	.long	boot_gdt
boot_arg:
	.long	0
boot_loader:
	.long	0
msg_loader:
	.asciz	"Tessera: not started by a multiboot2 boot loader.\n"
msg_cpuid:
	.asciz	"Tessera: this processor is too old: it has no CPUID instruction.\n"
msg_long_mode:
	.asciz	"Tessera: this processor has no 64-bit long mode; an x86-64 processor is needed.\n"
msg_sse2:
	.asciz	"Tessera: this processor has no SSE2; an x86-64 processor is needed.\n"

	.text
upper_half:
	.cfi_startproc
	.cfi_undefined rip
	movq	$boot_stack_top, %rsp
	/* The boot processor's per-CPU variables are the image's own copy. */
	movl	$0xc0000101, %ecx		/* MSR_GS_BASE */
	movq	$__percpu_load, %rax
	movq	%rax, %rdx
	shrq	$32, %rdx
	wrmsr
	xorl	%ebp, %ebp
	call	boot_main
	ud2
	.cfi_endproc

	.bss
	.balign 4096
boot_pml4:
	.skip	4096
boot_pdpt_low:
	.skip	4096
boot_pdpt_high:
	.skip	4096
boot_pd:
	.skip	4096 * 4
#ifdef CONFIG_KASAN
boot_shadow_pdpt:
	.skip	4096
boot_shadow_pd:
	.skip	4096
boot_shadow_pt:
	.skip	4096
#endif
	.globl	boot_stack, boot_stack_top
boot_stack:
	.skip	16384
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
