/* SPDX-License-Identifier: MIT */
/* For assembly that touches user memory: what to do when an instruction faults, and SMAP. */
#ifndef ARCH_UACCESS_ASM_H
#define ARCH_UACCESS_ASM_H

/* clang-format off */
#define __EX_TABLE(insn, fixup, no_fault)		\
	.pushsection __ex_table, "a";			\
	.balign 4;					\
	.long	(insn) - .;				\
	.long	(fixup) - .;				\
	.long	no_fault;				\
	.popsection
/* A fault is handled like the program's own first, if it can be. */
#define EX_TABLE(insn, fixup) __EX_TABLE(insn, fixup, 0)
/* Whoever does this can't sleep: every fault goes to the fixup at once. */
#define EX_TABLE_NO_FAULT(insn, fixup) __EX_TABLE(insn, fixup, 1)

.macro USER_ACCESS_BEGIN
	cmpb	$0, uaccess_smap(%rip)
	je	.Lstac\@
	stac
.Lstac\@:
.endm

.macro USER_ACCESS_END
	cmpb	$0, uaccess_smap(%rip)
	je	.Lclac\@
	clac
.Lclac\@:
.endm

#endif
