/* SPDX-License-Identifier: MIT */
#include <arch/extable.h>
#include <arch/ptrace.h>

/* Both addresses relative to where they stand: half the size, and nothing to relocate. */
struct extable_entry {
	s32 insn;
	s32 fixup;
	s32 no_fault;
};

extern const struct extable_entry __start___ex_table[], __stop___ex_table[];

static const struct extable_entry *find_entry(unsigned long ip)
{
	for (const struct extable_entry *e = __start___ex_table; e < __stop___ex_table; e++)
		if ((unsigned long)&e->insn + (unsigned long)e->insn == ip)
			return e;
	return NULL;
}

bool extable_may_fault(unsigned long ip)
{
	const struct extable_entry *e = find_entry(ip);

	return e && !e->no_fault;
}

bool fixup_exception(struct pt_regs *regs)
{
	const struct extable_entry *e = find_entry(regs->ip);

	if (!e)
		return false;
	regs->ip = (unsigned long)&e->fixup + (unsigned long)e->fixup;
	return true;
}
