/* SPDX-License-Identifier: MIT */
/* For assembly that touches user memory: what to do when an instruction faults, and SMAP. */
#ifndef ARCH_UACCESS_ASM_H
#define ARCH_UACCESS_ASM_H

/* clang-format off */
#define EX_TABLE(insn, fixup)				\
	.pushsection __ex_table, "a";			\
	.balign 4;					\
	.long	(insn) - .;				\
	.long	(fixup) - .;				\
	.popsection

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
