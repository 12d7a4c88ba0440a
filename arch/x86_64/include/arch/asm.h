/* SPDX-License-Identifier: MIT */
/* Numbers that assembly and C share. C checks the offsets where the structures are (cpu.c, sched). */
#ifndef ARCH_ASM_H
#define ARCH_ASM_H

/* Segment selectors, in Linux's order: SYSRET derives the user's two from one base. */
#define KERNEL_CS    0x10
#define KERNEL_DS    0x18
#define USER32_CS    0x23
#define USER_DS	     0x2b
#define USER_CS	     0x33
#define TSS_SELECTOR 0x40

/* struct pt_regs */
#define PT_R15	   0
#define PT_R14	   8
#define PT_R13	   16
#define PT_R12	   24
#define PT_BP	   32
#define PT_BX	   40
#define PT_R11	   48
#define PT_R10	   56
#define PT_R9	   64
#define PT_R8	   72
#define PT_AX	   80
#define PT_CX	   88
#define PT_DX	   96
#define PT_SI	   104
#define PT_DI	   112
#define PT_ORIG_AX 120
#define PT_IP	   128
#define PT_CS	   136
#define PT_FLAGS   144
#define PT_SP	   152
#define PT_SS	   160
#define PT_SIZE	   168

/* Interrupt vectors: the one that can't be masked, and those beyond the 32 exceptions. */
#define VECTOR_NMI	0x02
#define VECTOR_TIMER	0x20
#define VECTOR_KEYBOARD 0x21
#define VECTOR_SERIAL	0x24
/* From one processor to another. */
#define VECTOR_RESCHED	0xf0
#define VECTOR_CALL	0xf1
#define VECTOR_SPURIOUS 0xff

/* IST stacks, as numbered in a gate (1 is TSS.IST1). */
#define IST_DF	1
#define IST_NMI 2
#define IST_MCE 3
#define IST_DB	4
#define NR_IST	4

/* struct sched_entity->work: what must be done before going back to user mode. */
#define WORK_RESCHED 1 /* somebody else should run */
#define WORK_SIGNAL  2 /* a signal may be pending */
#define WORK_IRET    4 /* registers were changed: load all of them */
#define WORK_TRACE   8 /* system calls go through the tracer */
/* And for this, in trace_mask: the bits of TRACE_SYSCALL_IN and TRACE_SYSCALL_OUT. */
#define TRACE_SYSCALLS 6
#define WORK_EXIT_MASK (WORK_RESCHED | WORK_SIGNAL | WORK_IRET)

/* Entries of the system-call table: the numbers of Linux 6.1. */
#define NR_SYSCALLS 451

#endif
