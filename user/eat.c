/* SPDX-License-Identifier: MIT */
/* Takes memory until there is none: what the kernel does then is what this is for. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define MIB (1UL << 20)

int main(void)
{
	for (unsigned long n = 0;; n++) {
		char *p = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (p == MAP_FAILED) {
			printf("mmap failed after %lu MiB\n", n);
			return 1;
		}
		memset(p, 1, MIB);
	}
}
