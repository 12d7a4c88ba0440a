/* SPDX-License-Identifier: MIT */
/* Brings the machine's devices up, each with the memory it is mapped at. */
#include <arch/acpi.h>
#include <arch/asm.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/fbcon.h>
#include <arch/ioapic.h>
#include <arch/keyboard.h>
#include <arch/lapic.h>
#include <arch/power.h>
#include <arch/serial.h>
#include <arch/smp.h>
#include <arch/trap.h>
#include <arch/vga.h>

#include "kernel/base/cmdline.h"
#include "kernel/base/errno.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/fs/dev.h"
#include "kernel/fs/tty.h"
#include "kernel/fs/vfs.h"
#include "kernel/init/init.h"
#include "kernel/sched/timer.h"
#include "mm/vmalloc.h"

static void *must_map(u64 phys, size_t size)
{
	void *ptr = ioremap(phys, size, true);

	if (!ptr)
		panic("cannot map the device at %#lx", (unsigned long)phys);
	return ptr;
}

/* PVH says nothing of a screen; started by QEMU on a PC there is a VGA in text mode. */
static bool has_vga_text(const struct boot_info *info)
{
	return info->fb.type == BOOT_FB_TEXT ||
	       (info->fb.type == BOOT_FB_NONE && info->loader[0] == 'p');
}

static void screen_init(const struct boot_info *info)
{
	const struct boot_framebuffer *fb = &info->fb;

	if (fb->type == BOOT_FB_RGB) {
		void *pixels = ioremap(fb->addr, (size_t)fb->pitch * fb->height, true);

		int err = pixels ? fbcon_init(fb, pixels) : -ENOMEM;

		if (!err)
			register_console(&fbcon_console);
		/* Without a font there is no console, but a screen. */
		if (!err || err == -ENOENT)
			fb_register(fb, pixels);
		else if (pixels)
			iounmap(pixels);
	} else if (has_vga_text(info)) {
		vga_init(must_map(VGA_TEXT_PHYS, VGA_TEXT_SIZE));
		register_console(&vga_console);
	}
}

/* --- ACPI: tables lie anywhere, and are looked at once ------------------------------------------- */

#define MAX_TABLE_MAPS 64
static void *table_maps[MAX_TABLE_MAPS];
static unsigned int nr_table_maps;

static const void *map_table(u64 phys, size_t len)
{
	void *ptr;

	if (nr_table_maps == MAX_TABLE_MAPS)
		return NULL;
	ptr = ioremap(phys, len, false);
	if (ptr)
		table_maps[nr_table_maps++] = ptr;
	return ptr;
}

static void read_acpi(const struct boot_info *info)
{
	unsigned long rsdp = info->rsdp;
	char text[24];

	if (cmdline_get("acpi_rsdp", text, sizeof(text)) > 0 && kstrtoul(text, 16, &rsdp))
		pr_warn("acpi_rsdp=%s is no address\n", text);
	if (acpi_init(rsdp, info->has_rsdp_copy ? info->rsdp_copy : NULL, map_table))
		pr_info("no ACPI tables: one processor, interrupts as on an old PC\n");
	while (nr_table_maps > 0)
		iounmap(table_maps[--nr_table_maps]);
}

/* --- interrupts ------------------------------------------------------------------------------------ */

static void timer_irq(void)
{
	lapic_eoi();
	timers_run();
	sched_tick(this_cpu_read(irq_from_user));
}

static void keyboard_line(void)
{
	keyboard_irq();
	lapic_eoi();
}

static void serial_line(void)
{
	serial_irq();
	lapic_eoi();
}

static void spurious_irq(void)
{
	/* By definition nothing to do, and no end of interrupt to send: SDM volume 3A, 11.9. */
}

static void route_isa(unsigned int irq, u8 vector, void (*handler)(void))
{
	set_irq_handler(vector, handler);
	if (ioapic_route(acpi_info.isa_irq[irq].gsi, vector, lapic_id(),
			 acpi_info.isa_irq[irq].flags))
		pr_warn("interrupt line %u has no IO-APIC\n", irq);
}

/* Where the old interrupt controllers' spurious interrupts would arrive. */
#define PIC_BASE 0x30

static void interrupts_init(void)
{
	pic_disable(PIC_BASE);
	set_irq_handler(PIC_BASE + 7, spurious_irq);
	set_irq_handler(PIC_BASE + 15, spurious_irq);
	set_irq_handler(VECTOR_SPURIOUS, spurious_irq);
	if (lapic_init(must_map(lapic_base_phys(), LAPIC_MMIO_SIZE)))
		panic("this processor has no local APIC");
	lapic_enable(VECTOR_SPURIOUS);
	smp_set_apic_id(0, lapic_id());
	set_irq_handler(VECTOR_RESCHED, smp_resched_irq);
	set_irq_handler(VECTOR_CALL, smp_call_irq);
	for (unsigned int i = 0; i < acpi_info.nr_ioapics; i++)
		if (ioapic_init(must_map(acpi_info.ioapics[i].phys, IOAPIC_MMIO_SIZE),
				acpi_info.ioapics[i].gsi_base))
			pr_warn("IO-APIC %u is not usable\n", i);
}

static void input_init(void)
{
	set_console_input(tty_input);
	if (keyboard_init() == 0)
		route_isa(KEYBOARD_ISA_IRQ, VECTOR_KEYBOARD, keyboard_line);
	route_isa(SERIAL_ISA_IRQ, VECTOR_SERIAL, serial_line);
	serial_enable_rx();
}

void devices_init(const struct boot_info *info)
{
	screen_init(info);
	read_acpi(info);
	timers_set_realtime(rtc_read_unix() * NS_PER_SEC);
	interrupts_init();
	set_irq_handler(VECTOR_TIMER, timer_irq);
	lapic_timer_init(VECTOR_TIMER);
	lapic_timer_start(TICK_NS);
	input_init();
}
