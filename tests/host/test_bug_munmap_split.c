/* SPDX-License-Identifier: MIT */
/*
 * Bug: munmap(2) has to cut an area at either end of its range. The second cut fails for want of memory, when
 * half of the work is done, and the call says ENOMEM with half of the range gone. Or it fails since a
 * process may have no more areas, and who called it inside the kernel doesn't look (CVE-2004-0077).
 * Whatever fails, every page is there and holds what it held; the next try works.
 */
#include "tests/host/family.h"
#include "tests/host/tap.h"
#include "mm/sysctl.h"

#define N 12

static void build(void)
{
	begin();
	map(0, 6, RW, NULL, 0);
	map(6, 6, PROT_READ | PROT_EXEC | PROT_WRITE, NULL, 0);
	for (unsigned int i = 0; i < N; i++)
		sim_poke(page(i), (u8)('a' + i));
}

static unsigned int pages_there(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < N; i++)
		n += sim_peek(page(i)) == 'a' + (int)i;
	return n;
}

/* Each allocation fails in turn: object or page. */
static void each_fails(enum sim_fail how, unsigned int first, unsigned int nr, const char *name)
{
	unsigned int failed = 0;

	for (unsigned long n = 1;; n++) {
		int err;

		build();
		sim_fail(how, n);
		err = vm_munmap(page(first), nr * PAGE_SIZE);
		sim_fail(SIM_FAIL_NONE, 0);
		if (!err) {
			is(pages_there(), N - nr, "%s: %s %lu: it worked", name,
			   sim_fail_names[how], n);
			end();
			break;
		}
		failed++;
		is(err, -ENOMEM, "%s: %s %lu fails", name, sim_fail_names[how], n);
		is(pages_there(), N, "... and every page is there");
		is(vm_munmap(page(first), nr * PAGE_SIZE), 0, "... and may go next time");
		is(pages_there(), N - nr, "... which it does");
		end();
	}
	ok(failed > 0, "%s: something failed", name);
}

/* In the middle of an area, a hole makes one more: at the limit there is none. */
static void at_the_limit(void)
{
	int before = sysctl_max_map_count;

	build();
	sysctl_max_map_count = mm->map_count;
	is(vm_munmap(page(2), 2 * PAGE_SIZE), -ENOMEM, "no area more: no hole");
	is(pages_there(), N, "... and every page is there");
	is(vm_munmap(page(4), 4 * PAGE_SIZE), 0, "over the end of two it needs none");
	is(pages_there(), N - 4, "... and that is what goes");
	sysctl_max_map_count = before;
	end();
}

int main(void)
{
	sim_boot_default();
	each_fails(SIM_FAIL_OBJECT, 2, 3, "a hole in an area");
	each_fails(SIM_FAIL_OBJECT, 3, 6, "the ends of two areas");
	at_the_limit();
	return done_testing();
}
