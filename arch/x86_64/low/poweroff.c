/* SPDX-License-Identifier: MIT */
/* Off, out and again: each a list of ways, from the proper one to the one that always works. */
#include <arch/acpi.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/power.h>
#include <arch/serial.h>

#include "kernel/base/printk.h"
#include "kernel/base/trace.h"

/* PM1 control register, ACPI 6.5 section 4.8.3.2.1 */
#define PM1_SCI_EN	  BIT(0)
#define PM1_SLP_TYP_SHIFT 10
#define PM1_SLP_TYP_MASK  (7U << PM1_SLP_TYP_SHIFT)
#define PM1_SLP_EN	  BIT(13)

#define DEBUG_EXIT_PORT 0xf4
#define KBD_STATUS	0x64
#define KBD_COMMAND	0x64
#define KBD_IN_FULL	0x02
#define KBD_RESET_LINE	0xfe /* pulses the processor's reset line */

#define CPUID_HYPERVISOR BIT(31) /* leaf 1, ECX */

static void __noreturn halt_for_ever(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

#define LAST_TEXT_NS 5000000000UL

/* The last words, which another processor may be showing. => interrupts off: it waits for nobody */
static void finish_output(void)
{
	u64 start = clock_ns();

	trace_export_flush(true);
	while (printk_pending() && clock_ns() - start < LAST_TEXT_NS)
		cpu_relax();
	serial_flush();
}

/* Machines act on these writes a little later: time for it before the next way is tried. */
static void settle(void)
{
	udelay(20000);
}

/* Section 4.8.2.5: a legacy machine first hands the power registers over. */
static void enable_acpi_mode(void)
{
	unsigned int ms;

	if (acpi_info.smi_cmd == 0 || acpi_info.acpi_enable == 0)
		return;
	if (inw(acpi_info.pm1a_cnt) & PM1_SCI_EN)
		return;
	outb(acpi_info.smi_cmd, acpi_info.acpi_enable);
	for (ms = 0; ms < 300 && !(inw(acpi_info.pm1a_cnt) & PM1_SCI_EN); ms++)
		udelay(1000);
}

static void write_sleep(u16 port, u8 type)
{
	u16 val = inw(port);

	val &= (u16) ~(PM1_SLP_TYP_MASK | PM1_SLP_EN);
	val |= (u16)(type << PM1_SLP_TYP_SHIFT);
	outw(port, val);
	outw(port, (u16)(val | PM1_SLP_EN));
}

static void acpi_poweroff(void)
{
	if (!acpi_info.has_s5 || acpi_info.pm1a_cnt == 0)
		return;
	enable_acpi_mode();
	write_sleep(acpi_info.pm1a_cnt, acpi_info.slp_typa);
	if (acpi_info.pm1b_cnt != 0)
		write_sleep(acpi_info.pm1b_cnt, acpi_info.slp_typb);
	settle();
}

static bool on_hypervisor(void)
{
	u32 a, b, c, d;

	cpuid(1, 0, &a, &b, &c, &d);
	return c & CPUID_HYPERVISOR;
}

void machine_poweroff(void)
{
	local_irq_disable();
	finish_output();
	acpi_poweroff();
	/* Unknown ports are not to be written on a real machine; an emulator ignores them. */
	if (on_hypervisor()) {
		outw(0x604, 0x2000);  /* QEMU, q35 */
		outw(0xb004, 0x2000); /* QEMU, older pc; Bochs */
		outw(0x4004, 0x3400); /* VirtualBox */
		settle();
	}
	halt_for_ever();
}

void machine_exit(int status)
{
	local_irq_disable();
	finish_output();
	outl(DEBUG_EXIT_PORT, (u32)status);
	machine_poweroff();
}

/* An exception with no handler, in the handler for that, in that one's: the processor resets. */
static void triple_fault(void)
{
	const struct {
		u16 limit;
		u64 base;
	} __packed no_idt = { 0, 0 };

	__asm__ volatile("lidt %0\n\tint3" : : "m"(no_idt));
}

void machine_reboot(void)
{
	unsigned int i;

	local_irq_disable();
	finish_output();
	if (acpi_info.has_reset) { /* section 4.8.3.6 */
		outb(acpi_info.reset_port, acpi_info.reset_value);
		settle();
	}
	for (i = 0; i < 1000 && (inb(KBD_STATUS) & KBD_IN_FULL); i++)
		udelay(100);
	outb(KBD_COMMAND, KBD_RESET_LINE);
	settle();
	triple_fault();
	halt_for_ever();
}
