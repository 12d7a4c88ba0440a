/* SPDX-License-Identifier: MIT */
/*
 * The machine that mm/ runs on with a thread of the host program for each processor, at the same time, under
 * ThreadSanitizer. It is the one of tests/host/sim.h but for this:
 *
 *	a processor     is a thread. It can be interrupted (smp_call_function_many) when its interrupts are
 *	                on and it is not in the middle of an access: then the sender calls the function in
 *	                its name
 *	sleeping        really waits; the kernel's own mutexes, semaphores and wait queues do it
 *	MMU             each processor has a TLB of its own that forgets only what it must. An access walks
 *	                and reads or writes in one step, as far as interrupts see
 *
 * ThreadSanitizer complains of two accesses to the same place, one of them a write and one not atomic, that
 * nothing orders. Here that is, besides what it finds in mm/ itself, a page that goes to its next user
 * while a program still reaches it.
 */
#ifndef TESTS_HOST_THREADS_H
#define TESTS_HOST_THREADS_H

#include "kernel/abi/mman.h"
#include "tests/host/sim.h"

/* Calls fn(cpu) on each processor at once, the caller's included, and waits until all have returned. */
void on_all_cpus(void (*fn)(unsigned int cpu));
/* The processor runs a thread of mm from now on; NULL: none. => mm stays until it is left */
void enter_mm(struct mm_struct *mm);

/* A word that the program reads or writes at addr, which is aligned. */
enum fault_verdict load_word(unsigned long addr, u64 *value);
enum fault_verdict store_word(unsigned long addr, u64 value);

/* --- between the machine's own files -------------------------------------------------------------- */

/* The processor's interrupts, by number: held when they are off, and by who interrupts it. */
void sim_irq_hold(unsigned int cpu);
void sim_irq_release(unsigned int cpu);
/* One turn outside of the kernel: nothing of what was read under RCU is still in hand. => nothing held */
void sim_quiescent(void);

#endif
