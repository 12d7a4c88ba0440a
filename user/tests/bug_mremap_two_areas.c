/* SPDX-License-Identifier: MIT */
/*
 * Bug: mremap(2) looks at the first area of its range only, and moves the pages of the next one along,
 * with the first one's rights, file and account. Linux refuses what isn't in one area (EFAULT).
 */
#include "vm.h"
#include <sys/mman.h>

int main(void)
{
	char *p = island(8, RW), *to = hole(8);
	unsigned long at = (unsigned long)p;
	int fd = syscall(SYS_memfd_create, "f", 0);

	is(ftruncate(fd, 2 * PAGE), 0, "a file");
	touch(p, 8);
	raw_mprotect(at + 2 * PAGE, 2 * PAGE, PROT_READ);
	raw_mmap(at + 4 * PAGE, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
	for (unsigned long first = 0; first < 6; first += 2) {
		is(raw_mremap(at + first * PAGE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			      (unsigned long)to),
		   -EFAULT, "from page %lu: two areas", first);
		is(raw_mremap(at + first * PAGE, 3 * PAGE, 8 * PAGE, MREMAP_MAYMOVE, 0), -EFAULT,
		   "... growing");
	}
	is_str(layout(to, 8), "", "nothing has arrived");
	is(p[0] + p[PAGE] + p[2 * PAGE] + p[3 * PAGE] + p[6 * PAGE], 5,
	   "what was written is there");
	is(raw_munmap(at + 3 * PAGE, PAGE), 0, "a hole");
	is(raw_mremap(at + 2 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		      (unsigned long)to),
	   -EFAULT, "an area and a hole");
	return done_testing();
}
