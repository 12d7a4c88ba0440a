/* SPDX-License-Identifier: MIT */
/*
 * Who called, remembered: for each object who allocated it, and who freed it. Equal stacks are kept once,
 * in a hash table of fixed size; one that finds no place is not known. Nothing is ever taken out.
 */
#include "kernel/base/kasan_internal.h"

#ifdef CONFIG_KASAN

#include "kernel/base/ksyms.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"

#define DEPTH	    8
#define SKIP	    2 /* who asks for a stack, and the allocator */
#define NR_STACKS   4096
#define MAX_PROBES  16
#define IMAGE_UPPER 0xffffffff00000000UL /* so the lower half of an address is enough */

enum {
	EMPTY,
	FILLING, /* by another processor: not looked at */
	FIRST_HASH,
};

static struct stack {
	u32 hash; /* or one of the above */
	u32 pc[DEPTH];
} stacks[NR_STACKS];

extern char __text_start[], __text_end[];

static bool is_text(unsigned long addr)
{
	return addr >= (unsigned long)__text_start && addr < (unsigned long)__text_end;
}

/*
 * Frames are linked by rbp, up to that of the program: it may be any number, so none is followed
 * that leads out of this stack.
 */
static noinline void walk(u32 pc[DEPTH])
{
	const unsigned long *frame = __builtin_frame_address(0);
	const unsigned long end = kasan_stack_end((unsigned long)frame);

	for (int i = -SKIP; i < DEPTH; i++) {
		const unsigned long *next;

		if ((unsigned long)frame % 8 || (unsigned long)(frame + 2) > end ||
		    !is_text(frame[1]))
			return;
		if (i >= 0)
			pc[i] = (u32)frame[1];
		next = (const unsigned long *)frame[0];
		if (next <= frame)
			return;
		frame = next;
	}
}

static u32 hash_of(const u32 pc[DEPTH])
{
	u32 hash = 2166136261U;

	for (int i = 0; i < DEPTH; i++)
		hash = (hash ^ pc[i]) * 16777619U;
	return hash < FIRST_HASH ? FIRST_HASH : hash;
}

static bool same(const u32 *a, const u32 *b)
{
	for (int i = 0; i < DEPTH; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

u32 kasan_save_stack(void)
{
	u32 pc[DEPTH] = { 0 }, hash;

	walk(pc);
	hash = hash_of(pc);
	for (u32 i = 0; i < MAX_PROBES; i++) {
		u32 n = (hash + i) % NR_STACKS, was = EMPTY;
		struct stack *s = &stacks[n];

		if (__atomic_compare_exchange_n(&s->hash, &was, FILLING, false, __ATOMIC_ACQUIRE,
						__ATOMIC_ACQUIRE)) {
			for (int k = 0; k < DEPTH; k++)
				s->pc[k] = pc[k];
			__atomic_store_n(&s->hash, hash, __ATOMIC_RELEASE);
			return n + 1;
		}
		if (was == hash && same(s->pc, pc))
			return n + 1;
	}
	return 0;
}

void kasan_show_stack(u32 stack)
{
	for (int i = 0; stack && i < DEPTH && stacks[stack - 1].pc[i]; i++) {
		unsigned long addr = (IMAGE_UPPER | stacks[stack - 1].pc[i]) - 1, offset;
		const char *name = ksym_lookup(addr, &offset);

		printk("  %016lx %s+%#lx\n", addr, name ?: "?", name ? offset : 0);
	}
}

#endif
