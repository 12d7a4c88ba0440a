/* SPDX-License-Identifier: MIT */
#include <arch/debugcon.h>

#include <arch/io.h>

#define DEBUGCON 0xe9

bool debugcon_present(void)
{
	return inb(DEBUGCON) == DEBUGCON;
}

void debugcon_write(const void *data, size_t len)
{
	outsb(DEBUGCON, data, len);
}
