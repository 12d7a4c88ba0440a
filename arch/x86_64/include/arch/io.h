/* SPDX-License-Identifier: MIT */
/* Port and memory-mapped input and output: one instruction each, kept in order by the compiler. */
#ifndef ARCH_IO_H
#define ARCH_IO_H

#include "kernel/base/compiler.h"

static inline void outb(u16 port, u8 val)
{
	__asm__ volatile("outb %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static inline void outw(u16 port, u16 val)
{
	__asm__ volatile("outw %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static inline void outl(u16 port, u32 val)
{
	__asm__ volatile("outl %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static inline u8 inb(u16 port)
{
	u8 val;

	__asm__ volatile("inb %1, %0" : "=a"(val) : "Nd"(port) : "memory");
	return val;
}

static inline u16 inw(u16 port)
{
	u16 val;

	__asm__ volatile("inw %1, %0" : "=a"(val) : "Nd"(port) : "memory");
	return val;
}

static inline u32 inl(u16 port)
{
	u32 val;

	__asm__ volatile("inl %1, %0" : "=a"(val) : "Nd"(port) : "memory");
	return val;
}

/* Many bytes to one port, by one instruction. */
static inline void outsb(u16 port, const void *data, size_t len)
{
	__asm__ volatile("rep outsb" : "+S"(data), "+c"(len) : "d"(port) : "memory");
}

/*
 * About a microsecond: what old ISA devices need between two accesses. Port 0x80 takes POST codes,
 * so a write there does nothing but take the time of a bus cycle.
 */
static inline void io_wait(void)
{
	outb(0x80, 0);
}

/* Device registers of 32 bits at a mapped, uncached, aligned address. */
static inline u32 mmio_read32(const volatile void *addr)
{
	u32 val;

	__asm__ volatile("movl %1, %0" : "=r"(val) : "m"(*(const volatile u32 *)addr) : "memory");
	return val;
}

static inline void mmio_write32(volatile void *addr, u32 val)
{
	__asm__ volatile("movl %1, %0" : "=m"(*(volatile u32 *)addr) : "r"(val) : "memory");
}

#endif
