/* SPDX-License-Identifier: MIT */
/* System calls as text on the console, the names and kinds of arguments from table.h. */
#include <arch/uaccess.h>

#include "kernel/abi/mman.h"
#include "kernel/base/errno.h"
#include "kernel/base/printf.h"
#include "kernel/base/printk.h"
#include "kernel/base/trace.h"
#include "kernel/process/task.h"
#include "kernel/syscall/syscalls.h"

struct call_text {
	const char *name, *args;
};

static const struct call_text calls[] = {
#define SYSCALL(nr, name, args) [nr] = { #name, args },
#include "kernel/syscall/table.h"
#undef SYSCALL
};

struct flag_name {
	unsigned long bit;
	const char *name;
};

static const struct flag_name prot_names[] = {
	{ PROT_READ, "PROT_READ" },
	{ PROT_WRITE, "PROT_WRITE" },
	{ PROT_EXEC, "PROT_EXEC" },
	{ PROT_GROWSDOWN, "PROT_GROWSDOWN" },
};

static const struct flag_name map_names[] = {
	{ MAP_SHARED, "MAP_SHARED" },
	{ MAP_PRIVATE, "MAP_PRIVATE" },
	{ MAP_FIXED, "MAP_FIXED" },
	{ MAP_ANONYMOUS, "MAP_ANONYMOUS" },
	{ MAP_32BIT, "MAP_32BIT" },
	{ MAP_GROWSDOWN, "MAP_GROWSDOWN" },
	{ MAP_LOCKED, "MAP_LOCKED" },
	{ MAP_NORESERVE, "MAP_NORESERVE" },
	{ MAP_POPULATE, "MAP_POPULATE" },
	{ MAP_NONBLOCK, "MAP_NONBLOCK" },
	{ MAP_STACK, "MAP_STACK" },
	{ MAP_HUGETLB, "MAP_HUGETLB" },
	{ MAP_FIXED_NOREPLACE, "MAP_FIXED_NOREPLACE" },
};

const char *syscall_name(unsigned int nr)
{
	return nr < ARRAY_SIZE(calls) ? calls[nr].name : NULL;
}

void syscall_trace_names(void)
{
	static const char *const names[] = {
#define SYSCALL(nr, name, args) [nr] = #name,
#include "kernel/syscall/table.h"
#undef SYSCALL
	};

	trace_name_values(TRACE_TYPE_SYSCALL, names, ARRAY_SIZE(names));
}

struct line {
	char text[256];
	int len;
};

#define add(l, ...)  \
	((l)->len += \
	 scnprintf((l)->text + (l)->len, sizeof((l)->text) - (size_t)(l)->len, __VA_ARGS__))

static void add_flags(struct line *l, unsigned long v, const struct flag_name *names, size_t n,
		      const char *none)
{
	const char *sep = "";

	if (!v)
		add(l, "%s", none);
	for (size_t i = 0; i < n; i++) {
		if (v & names[i].bit) {
			add(l, "%s%s", sep, names[i].name);
			sep = "|";
			v &= ~names[i].bit;
		}
	}
	if (v)
		add(l, "%s%#lx", sep, v);
}

static void add_string(struct line *l, unsigned long addr)
{
	char text[64];
	long n = strncpy_from_user(text, (const char __user *)addr, sizeof(text) - 1);

	if (n < 0) {
		add(l, "%#lx", addr);
		return;
	}
	text[n] = '\0';
	add(l, "\"%s\"%s", text, n == sizeof(text) - 1 ? "..." : "");
}

static void add_arg(struct line *l, char kind, unsigned long v)
{
	switch (kind) {
	case 'd':
		add(l, "%d", (int)v);
		break;
	case 'u':
	case 'l':
		add(l, "%lu", v);
		break;
	case 's':
		add_string(l, v);
		break;
	case 'P':
		add_flags(l, v, prot_names, ARRAY_SIZE(prot_names), "PROT_NONE");
		break;
	case 'M':
		add_flags(l, v, map_names, ARRAY_SIZE(map_names), "0");
		break;
	default:
		if (v)
			add(l, "%#lx", v);
		else
			add(l, kind == 'p' ? "NULL" : "0");
	}
}

void strace_enter(unsigned int nr, const unsigned long args[6])
{
	const char *name = syscall_name(nr);
	struct line l = { .len = 0 };

	if (name) {
		add(&l, "[%d] %s(", current->pid, name);
		for (int i = 0; calls[nr].args[i]; i++) {
			add(&l, i ? ", " : "");
			add_arg(&l, calls[nr].args[i], args[i]);
		}
		add(&l, ")");
	} else {
		add(&l, "[%d] syscall_%u(%#lx, %#lx, %#lx)", current->pid, nr, args[0], args[1],
		    args[2]);
	}
	printk("%s\n", l.text);
}

void strace_exit(unsigned int nr, long ret)
{
	const char *name = syscall_name(nr);

	if (IS_ERR_VALUE((unsigned long)ret))
		printk("[%d] %s = -%ld\n", current->pid, name ? name : "syscall", -ret);
	else
		printk("[%d] %s = %#lx\n", current->pid, name ? name : "syscall",
		       (unsigned long)ret);
}
