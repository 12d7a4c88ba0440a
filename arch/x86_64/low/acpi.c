/* SPDX-License-Identifier: MIT */
/*
 * ACPI's static tables, read once. Section numbers are those of ACPI 6.5. Nothing in the tables is
 * believed before it is checked, and there is no interpreter for AML: the one value needed from
 * the DSDT, how to switch off, is found by its byte pattern.
 */
#include <arch/acpi.h>
#include <arch/ioapic.h>
#include "kernel/base/compiler.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"

#define HEADER_SIZE    36	  /* section 5.2.6 */
#define MAX_TABLE      (4U << 20) /* the largest DSDTs known are under 1 MiB */
#define RSDP_V1_SIZE   20
#define EBDA_POINTER   0x40e /* the BIOS data area's segment of the extended one */
#define BIOS_START     0xe0000UL
#define BIOS_SIZE      0x20000UL
#define LAPIC_DEFAULT  0xfee00000UL
#define IOAPIC_DEFAULT 0xfec00000UL

struct table {
	const u8 *data;
	u32 len; /* at least HEADER_SIZE, and all of it mapped */
};

static const void *(*map_phys)(u64 phys, size_t len);

struct acpi_info acpi_info = {
	.lapic_phys = LAPIC_DEFAULT,
	.nr_cpus = 1,
	.cpus = { { .apic_id = 0, .enabled = true } },
	.nr_ioapics = 1,
	.ioapics = { { .phys = IOAPIC_DEFAULT } },
	.isa_irq = { { 0, 0 },
		     { 1, 0 },
		     { 2, 0 },
		     { 3, 0 },
		     { 4, 0 },
		     { 5, 0 },
		     { 6, 0 },
		     { 7, 0 },
		     { 8, 0 },
		     { 9, 0 },
		     { 10, 0 },
		     { 11, 0 },
		     { 12, 0 },
		     { 13, 0 },
		     { 14, 0 },
		     { 15, 0 } },
};

/* Tables need not be aligned. */
static u16 read16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}

static u32 read32(const u8 *p)
{
	return read16(p) | (u32)read16(p + 2) << 16;
}

static u64 read64(const u8 *p)
{
	return read32(p) | (u64)read32(p + 4) << 32;
}

static bool sum_is_zero(const u8 *p, size_t len)
{
	u8 sum = 0;

	while (len-- > 0)
		sum += *p++;
	return sum == 0;
}

/* Fields past a table's end read as 0: later versions of ACPI made tables longer. */
static u8 field8(const struct table *t, u32 off)
{
	return off < t->len ? t->data[off] : 0;
}

static u32 field32(const struct table *t, u32 off)
{
	return off + 4 <= t->len ? read32(t->data + off) : 0;
}

static u64 field64(const struct table *t, u32 off)
{
	return off + 8 <= t->len ? read64(t->data + off) : 0;
}

/* Maps the table at `phys` if it is whole and its bytes sum to 0. */
static bool map_table(struct table *t, u64 phys)
{
	if (phys == 0)
		return false;
	t->data = map_phys(phys, HEADER_SIZE);
	if (!t->data)
		goto damaged;
	t->len = read32(t->data + 4);
	if (t->len < HEADER_SIZE || t->len > MAX_TABLE)
		goto damaged;
	t->data = map_phys(phys, t->len);
	if (t->data && sum_is_zero(t->data, t->len))
		return true;
damaged:
	acpi_info.damaged = true;
	return false;
}

static bool has_signature(const struct table *t, const char *signature)
{
	return memcmp(t->data, signature, 4) == 0;
}

/* MADT, section 5.2.12. Structures of a type byte, a length byte and their contents. */

#define MADT_LAPIC	    0
#define MADT_IOAPIC	    1
#define MADT_OVERRIDE	    2
#define MADT_LAPIC_ADDRESS  5
#define MADT_X2APIC	    9
#define MADT_ENTRIES	    44
#define MADT_ENABLED	    1U
#define MADT_ONLINE_CAPABLE 2U

static void add_cpu(u32 apic_id, u32 flags)
{
	unsigned int i;

	if (!(flags & (MADT_ENABLED | MADT_ONLINE_CAPABLE)))
		return;
	for (i = 0; i < acpi_info.nr_cpus; i++) {
		if (acpi_info.cpus[i].apic_id == apic_id)
			return;
	}
	if (i == ACPI_MAX_CPUS)
		return;
	acpi_info.cpus[i].apic_id = apic_id;
	acpi_info.cpus[i].enabled = flags & MADT_ENABLED;
	acpi_info.nr_cpus++;
}

static void add_ioapic(const u8 *entry)
{
	struct acpi_ioapic *io = &acpi_info.ioapics[acpi_info.nr_ioapics];

	if (acpi_info.nr_ioapics == ACPI_MAX_IOAPICS)
		return;
	io->id = entry[2];
	io->phys = read32(entry + 4);
	io->gsi_base = read32(entry + 8);
	acpi_info.nr_ioapics++;
}

/* Section 5.2.12.5; polarity and trigger as in table 5.26, 0 being the bus's own: high and edge. */
static void add_override(const u8 *entry)
{
	u16 flags = read16(entry + 8);
	struct acpi_isa_irq *irq;

	if (entry[2] != 0 || entry[3] >= ARRAY_SIZE(acpi_info.isa_irq)) {
		acpi_info.damaged = true;
		return;
	}
	irq = &acpi_info.isa_irq[entry[3]];
	irq->gsi = read32(entry + 4);
	irq->flags = 0;
	if ((flags & 3) == 3)
		irq->flags |= IRQ_LOW;
	if ((flags >> 2 & 3) == 3)
		irq->flags |= IRQ_LEVEL;
}

/* `len` is the entry's own length; a type that is shorter than it must be is left out. */
static void madt_entry(const u8 *entry, u8 len)
{
	if (entry[0] == MADT_LAPIC && len >= 8)
		add_cpu(entry[3], read32(entry + 4));
	else if (entry[0] == MADT_IOAPIC && len >= 12)
		add_ioapic(entry);
	else if (entry[0] == MADT_OVERRIDE && len >= 10)
		add_override(entry);
	else if (entry[0] == MADT_LAPIC_ADDRESS && len >= 12)
		acpi_info.lapic_phys = read64(entry + 4);
	else if (entry[0] == MADT_X2APIC && len >= 16)
		add_cpu(read32(entry + 4), read32(entry + 8));
}

static void parse_madt(const struct table *t)
{
	const struct acpi_cpu first_cpu = acpi_info.cpus[0];
	const struct acpi_ioapic first_ioapic = acpi_info.ioapics[0];
	u32 off = MADT_ENTRIES;

	if (t->len < MADT_ENTRIES) {
		acpi_info.damaged = true;
		return;
	}
	acpi_info.lapic_phys = field32(t, 36);
	acpi_info.nr_cpus = acpi_info.nr_ioapics = 0;
	while (t->len - off >= 2) {
		u8 len = t->data[off + 1];

		if (len < 2 || len > t->len - off) {
			acpi_info.damaged = true;
			break;
		}
		madt_entry(t->data + off, len);
		off += len;
	}
	/* This runs on one processor at least; and an IO-APIC that isn't there doesn't answer. */
	if (acpi_info.nr_cpus == 0) {
		acpi_info.cpus[0] = first_cpu;
		acpi_info.nr_cpus = 1;
	}
	if (acpi_info.nr_ioapics == 0) {
		acpi_info.ioapics[0] = first_ioapic;
		acpi_info.nr_ioapics = 1;
	}
}

/* FADT, section 5.2.9, and generic addresses, section 5.2.3.2. */

#define GAS_SYSTEM_IO	1
#define GAS_SIZE	12
#define FADT_RESET_FLAG BIT(10)

/* The port a generic address at `off` names; 0 when it isn't one. */
static u16 gas_port(const struct table *t, u32 off)
{
	u64 address = field64(t, off + 4);

	if (off + GAS_SIZE > t->len || t->data[off] != GAS_SYSTEM_IO || address > 0xffff)
		return 0;
	return (u16)address;
}

/* A port in a 32-bit field, and since ACPI 2.0 also as a generic address, which then counts. */
static u16 fadt_port(const struct table *t, u32 off, u32 gas_off)
{
	u16 port = gas_off ? gas_port(t, gas_off) : 0;
	u32 old = field32(t, off);

	if (port == 0 && old <= 0xffff)
		port = (u16)old;
	return port;
}

/* One element of a package: ZeroOp, OneOp or a byte, word or double word constant (20.2.3). */
static bool aml_integer(const u8 **p, const u8 *end, u32 *value)
{
	static const u8 size_of[] = { [0x0a] = 1, [0x0b] = 2, [0x0c] = 4 };
	u8 op, size, i;

	if (*p == end)
		return false;
	op = *(*p)++;
	*value = op;
	if (op <= 1)
		return true;
	if (op < 0x0a || op > 0x0c)
		return false;
	size = size_of[op];
	if (end - *p < size)
		return false;
	for (*value = 0, i = 0; i < size; i++)
		*value |= (u32)(*p)[i] << (8 * i);
	*p += size;
	return true;
}

/*
 * Name (_S5_, Package () { SLP_TYPa, SLP_TYPb, … }), sections 7.4.2 and 20.2.5: after the name
 * PackageOp, the package's length in 1 to 4 bytes (the first one's upper two bits say how many
 * more), the number of elements, the elements.
 */
static bool parse_s5(const u8 *p, const u8 *end)
{
	u32 typa, typb;
	u8 elements;

	if (end - p < 3 || *p++ != 0x12)
		return false;
	if (end - p < 2 + (*p >> 6))
		return false;
	p += 1 + (*p >> 6);
	elements = *p++;
	if (elements < 1 || !aml_integer(&p, end, &typa) || typa > 7)
		return false;
	if (elements < 2 || !aml_integer(&p, end, &typb) || typb > 7)
		typb = typa;
	acpi_info.slp_typa = (u8)typa;
	acpi_info.slp_typb = (u8)typb;
	return true;
}

/* NameOp, perhaps a root prefix, _S5_. */
static void find_s5(const struct table *dsdt)
{
	const u8 *p = dsdt->data + HEADER_SIZE, *end = dsdt->data + dsdt->len;

	for (; end - p >= 6 && !acpi_info.has_s5; p++) {
		const u8 *name = p + 1;

		if (*p != 0x08)
			continue;
		if (*name == '\\')
			name++;
		if (memcmp(name, "_S5_", 4) == 0)
			acpi_info.has_s5 = parse_s5(name + 4, end);
	}
}

static void parse_fadt(const struct table *t)
{
	struct table dsdt;

	acpi_info.smi_cmd = fadt_port(t, 48, 0);
	acpi_info.acpi_enable = field8(t, 52);
	acpi_info.pm1a_cnt = fadt_port(t, 64, 172);
	acpi_info.pm1b_cnt = fadt_port(t, 68, 184);
	acpi_info.century_reg = field8(t, 108);
	if (field32(t, 112) & FADT_RESET_FLAG) {
		acpi_info.reset_port = gas_port(t, 116);
		acpi_info.reset_value = field8(t, 128);
		acpi_info.has_reset = acpi_info.reset_port != 0;
	}
	if ((map_table(&dsdt, field64(t, 140)) || map_table(&dsdt, field32(t, 40))) &&
	    has_signature(&dsdt, "DSDT"))
		find_s5(&dsdt);
}

/* The root: RSDP (5.2.5), then an XSDT of 64-bit (5.2.8) or an RSDT of 32-bit pointers (5.2.7). */

static bool valid_rsdp(const u8 *rsdp)
{
	return memcmp(rsdp, "RSD PTR ", 8) == 0 && sum_is_zero(rsdp, RSDP_V1_SIZE);
}

/* On a 16-byte boundary in [phys, phys + len). */
static const u8 *scan_for_rsdp(u64 phys, size_t len)
{
	const u8 *area = map_phys(phys, len);
	size_t off;

	if (!area)
		return NULL;
	for (off = 0; off + ACPI_RSDP_SIZE <= len; off += 16) {
		if (valid_rsdp(area + off))
			return area + off;
	}
	return NULL;
}

static const u8 *find_rsdp(u64 phys, const u8 *copy)
{
	const u8 *rsdp = phys ? map_phys(phys, ACPI_RSDP_SIZE) : NULL;
	const u8 *pointer;

	if (rsdp && valid_rsdp(rsdp))
		return rsdp;
	if (copy && valid_rsdp(copy))
		return copy;
	/* Section 5.2.5.1: the first KiB of the extended BIOS data area, then the BIOS itself. */
	pointer = map_phys(EBDA_POINTER, 2);
	rsdp = NULL;
	if (pointer && read16(pointer) != 0)
		rsdp = scan_for_rsdp((u64)read16(pointer) << 4, 1024);
	return rsdp ? rsdp : scan_for_rsdp(BIOS_START, BIOS_SIZE);
}

/* Finds the root table. *entry_size: the bytes of a pointer in it. */
static bool find_root(struct table *root, const u8 *rsdp, u32 *entry_size)
{
	bool extended = rsdp[15] >= 2;

	if (extended && !sum_is_zero(rsdp, ACPI_RSDP_SIZE)) {
		acpi_info.damaged = true;
		extended = false;
	}
	*entry_size = 8;
	if (extended && map_table(root, read64(rsdp + 24)) && has_signature(root, "XSDT"))
		return true;
	*entry_size = 4;
	return map_table(root, read32(rsdp + 16)) && has_signature(root, "RSDT");
}

int acpi_init(u64 rsdp_phys, const u8 *rsdp_copy, const void *(*map)(u64 phys, size_t len))
{
	bool have_madt = false, have_fadt = false;
	struct table root, t;
	u32 entry_size, off;
	const u8 *rsdp;

	map_phys = map;
	rsdp = find_rsdp(rsdp_phys, rsdp_copy);
	if (!rsdp || !find_root(&root, rsdp, &entry_size))
		return -ENOENT;
	acpi_info.present = true;
	for (off = HEADER_SIZE; root.len - off >= entry_size; off += entry_size) {
		const u8 *p = root.data + off;

		if (!map_table(&t, entry_size == 8 ? read64(p) : read32(p)))
			continue;
		/* The first of each counts, as the specification allows only one. */
		if (has_signature(&t, "APIC") && !have_madt) {
			have_madt = true;
			parse_madt(&t);
		} else if (has_signature(&t, "FACP") && !have_fadt) {
			have_fadt = true;
			parse_fadt(&t);
		}
	}
	return 0;
}
