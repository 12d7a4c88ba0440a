/* SPDX-License-Identifier: MIT */
/*
 * What a report of the address sanitizer says. A report ends the machine by a panic, whose words are what
 * was done, and which then calls show_report() for the rest: so the other processors stand still and
 * no lock is in the way.
 */
#include "kernel/base/kasan_internal.h"

#ifdef CONFIG_KASAN

#include <arch/irqflags.h>

#include "kernel/base/ksyms.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"

bool kasan_go_on;
unsigned int kasan_reports;

/* The report that is made, and nobody makes another one meanwhile. */
static struct {
	unsigned long addr; /* of the access */
	unsigned long bad;  /* its first byte that may not be used */
	size_t size;
	bool write;
	bool free; /* not an access: kfree() and its like */
	u32 stack;
} report;
bool kasan_reporting;

/* --- the place ----------------------------------------------------------------------------------- */

/* The mark that explains the byte: behind an object's last, partly usable granule stands the next one. */
static u8 why_bad(unsigned long bad)
{
	u8 shadow = *kasan_shadow(bad);

	if (shadow && shadow < KASAN_GRANULE && kasan_has_shadow(bad + KASAN_GRANULE))
		shadow = *kasan_shadow(bad + KASAN_GRANULE);
	return shadow;
}

static const char *kind(unsigned long bad)
{
	struct kasan_object obj;

	switch (why_bad(bad)) {
	case KASAN_FREE_PAGE:
		return "use-after-free";
	case KASAN_PAGE_REDZONE:
		return "page-out-of-bounds";
	case KASAN_PERCPU_REDZONE:
		return "percpu-out-of-bounds";
	case KASAN_SLAB_REDZONE:
		return "slab-out-of-bounds";
	case KASAN_SLAB_FREE:
		return "slab-use-after-free";
	case KASAN_VMALLOC:
		return "vmalloc-out-of-bounds";
	case KASAN_GLOBAL_REDZONE:
		return "global-out-of-bounds";
	case KASAN_SCOPE:
		return "stack-use-after-scope";
	case KASAN_STACK_LEFT:
	case KASAN_STACK_MIDDLE:
	case KASAN_STACK_RIGHT:
		return "stack-out-of-bounds";
	}
	/* The end of an object whose neighbour is in use. */
	return kasan_find_object(bad, &obj) ? "slab-out-of-bounds" : "out-of-bounds";
}

static void show_object(void)
{
	struct kasan_object obj;
	unsigned long bad = report.bad;

	if (!kasan_find_object(bad, &obj))
		return;
	printk("Object of cache %s, %lu bytes at %016lx; the address is ", obj.cache, obj.size,
	       obj.start);
	if (bad < obj.start)
		printk("%lu bytes to its left.\n", obj.start - bad);
	else if (bad >= obj.start + obj.size)
		printk("%lu bytes to its right.\n", bad - obj.start - obj.size);
	else
		printk("its byte %lu.\n", bad - obj.start);
	if (obj.alloc_stack) {
		printk("Allocated by:\n");
		kasan_show_stack(obj.alloc_stack);
	}
	if (obj.free_stack) {
		printk("Freed by:\n");
		kasan_show_stack(obj.free_stack);
	}
}

static void show_global(void)
{
	const struct kasan_global *g = kasan_find_global(report.bad);

	if (g)
		printk("The address is %ld bytes to the right of the variable %s of %s, which has %lu.\n",
		       (long)(report.bad - (unsigned long)g->start - g->size), g->name, g->file,
		       g->size);
}

/* The compiler leaves at the left end of each frame that it marks: this word, a text, and the function. */
#define FRAME_MAGIC 0x41b58ab3UL

static unsigned long number(const char **s)
{
	unsigned long n = 0;

	while (**s == ' ')
		(*s)++;
	for (; **s >= '0' && **s <= '9'; (*s)++)
		n = n * 10 + (unsigned long)(**s - '0');
	return n;
}

/* "COUNT", and for each variable "OFFSET SIZE LENGTH NAME", in which LENGTH counts what follows. */
static void show_variables(const char *text, unsigned long at)
{
	for (unsigned long n = number(&text); n; n--) {
		unsigned long offset = number(&text), size = number(&text), len = number(&text);
		const char *name = ++text;

		text += len;
		len = strcspn(name, ": ") < len ? strcspn(name, ": ") : len;
		printk("  [%lu, %lu) %.*s\n", offset, offset + size, (int)len, name);
	}
	printk("The address is at %lu.\n", at);
}

static void show_frame(void)
{
	unsigned long addr = ALIGN_DOWN(report.bad, KASAN_GRANULE), offset;
	const unsigned long *frame;
	const char *name;

	if (!kasan_stack_end(addr))
		return;
	/* Down to the frame's left end: its first granules carry that mark. */
	while (kasan_has_shadow(addr) && *kasan_shadow(addr) != KASAN_STACK_LEFT)
		addr -= KASAN_GRANULE;
	while (kasan_has_shadow(addr) && *kasan_shadow(addr) == KASAN_STACK_LEFT)
		addr -= KASAN_GRANULE;
	frame = (const unsigned long *)(addr + KASAN_GRANULE);
	if (!kasan_stack_end((unsigned long)frame) || frame[0] != FRAME_MAGIC)
		return;
	name = ksym_lookup(frame[2], &offset);
	printk("The stack frame is that of %s, with the variables:\n", name ?: "?");
	show_variables((const char *)frame[1], report.bad - (unsigned long)frame);
}

/* Some lines of shadow, each for 128 bytes; > is at the line of the address. */
#define SHADOW_LINE 16
static void show_shadow(void)
{
	const unsigned long span = SHADOW_LINE * KASAN_GRANULE;
	const unsigned long middle = ALIGN_DOWN(report.bad, span);

	printk("Shadow around it (a byte for 8):\n");
	for (long line = -2; line <= 2; line++) {
		unsigned long at = middle + (unsigned long)line * span;

		if (!kasan_has_shadow(at))
			continue;
		printk("%c %016lx:", line ? ' ' : '>', at);
		for (unsigned long i = 0; i < span; i += KASAN_GRANULE)
			printk("%c%02x",
			       at + i == ALIGN_DOWN(report.bad, KASAN_GRANULE) ? '>' : ' ',
			       *kasan_shadow(at + i));
		printk("\n");
	}
}

static void show_report(const struct pt_regs *regs)
{
	if (!kasan_reporting)
		return;
	if (report.free)
		printk("The address freed is %016lx.\n", report.addr);
	else
		printk("%s of %lu bytes at %016lx; the first that may not be used is %016lx.\n",
		       report.write ? "Write" : "Read", report.size, report.addr, report.bad);
	printk("By:\n");
	kasan_show_stack(report.stack);
	show_object();
	show_global();
	show_frame();
	show_shadow();
}

/* --- the report ---------------------------------------------------------------------------------- */

static struct panic_hook report_hook = { .show = show_report };

/* Whether this is the one report that is told; the others' processors will be stopped. */
static bool begin(void)
{
	while (__atomic_exchange_n(&kasan_reporting, true, __ATOMIC_ACQUIRE)) {
		if (!kasan_go_on)
			return false;
		cpu_relax();
	}
	return true;
}

static void tell(const char *what, unsigned long ip)
{
	unsigned long offset = 0;
	const char *name = ksym_lookup(ip - 1, &offset);

	report.stack = kasan_save_stack();
	kasan_reports++;
	if (!kasan_go_on) {
		register_panic_hook(&report_hook);
		panic("KASAN: %s in %s+%#lx", what, name ?: "?", offset);
	}
	printk("KASAN: %s in %s+%#lx\n", what, name ?: "?", offset);
	show_report(NULL);
	printk("End of the KASAN report.\n");
	__atomic_store_n(&kasan_reporting, false, __ATOMIC_RELEASE);
}

void kasan_report(unsigned long addr, size_t size, bool write, unsigned long ip)
{
	unsigned long flags = local_irq_save();

	if (begin()) {
		report.addr = addr;
		report.size = size;
		report.write = write;
		report.free = false;
		/* A length that wraps is a negative one. */
		report.bad = addr + size > addr ? kasan_first_bad(addr, size) : addr;
		tell(addr + size > addr ? kind(report.bad) : "negative-size", ip);
	}
	local_irq_restore(flags);
}

void kasan_report_free(const void *addr, unsigned long ip)
{
	unsigned long flags = local_irq_save();

	if (begin()) {
		report.addr = report.bad = (unsigned long)addr;
		report.size = 0;
		report.free = true;
		tell(kasan_why(addr) == KASAN_SLAB_FREE ? "double-free" : "invalid-free", ip);
	}
	local_irq_restore(flags);
}

#endif
