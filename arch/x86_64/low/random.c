/* SPDX-License-Identifier: MIT */
/*
 * Random numbers: RDRAND where there is one, always mixed with the time-stamp counter into a
 * generator's state (splitmix64: Steele, Lea, Flood 2014). Enough to scatter addresses; no cipher.
 */
#include "kernel/base/random.h"

#include <arch/cpu.h>

#include "kernel/base/string.h"

static u64 state;

static bool rdrand(u64 *v)
{
	bool ok;

	__asm__ volatile("rdrand %0; setc %1" : "=r"(*v), "=qm"(ok) : : "cc");
	return ok;
}

static u64 source(void)
{
	u32 a, b, c, d;
	u64 v = 0;

	cpuid(1, 0, &a, &b, &c, &d);
	if (c & BIT(30))
		rdrand(&v);
	return v ^ rdtsc();
}

static u64 next(void)
{
	u64 z = __atomic_add_fetch(&state, 0x9e3779b97f4a7c15UL, __ATOMIC_RELAXED);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
	return z ^ (z >> 31);
}

void get_random_bytes(void *buf, size_t len)
{
	u8 *p = buf;

	__atomic_fetch_xor(&state, source(), __ATOMIC_RELAXED);
	while (len > 0) {
		u64 v = next();
		size_t n = min(len, sizeof(v));

		memcpy(p, &v, n);
		p += n;
		len -= n;
	}
}
