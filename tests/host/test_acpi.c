/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables, whole and damaged. Physical memory is a few tables; each mapping the parser asks for
 * is a heap block of exactly the bytes asked for, so the address sanitizer sees a read of one more.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/low/acpi.c"
#include "tests/host/tap.h"

/* Simulated memory. */

#define RSDP 0x000f5a40UL
#define XSDT 0x07fe0000UL
#define RSDT 0x07fe1000UL
#define MADT 0x07fe2003UL /* nothing promises alignment */
#define FADT 0x07fe3000UL
#define DSDT 0x07fe4000UL
#define BIOS 0x000e0000UL
#define BDA  0x00000400UL
#define EBDA 0x0009fc00UL

struct blob {
	u64 phys;
	u32 len;
	u8 *data;
};

#define MAX_BLOBS    16
#define MAX_MAPPINGS 4096

static struct blob blobs[MAX_BLOBS];
static unsigned int nr_blobs;
static void *mappings[MAX_MAPPINGS];
static unsigned int nr_mappings;

static const void *test_map(u64 phys, size_t len)
{
	unsigned int i;
	u8 *copy;

	for (i = 0; i < nr_blobs; i++) {
		struct blob *b = &blobs[i];

		if (phys < b->phys || phys - b->phys > b->len || len > b->len - (phys - b->phys))
			continue;
		if (nr_mappings == MAX_MAPPINGS)
			abort();
		copy = malloc(len ? len : 1);
		memcpy(copy, b->data + (phys - b->phys), len);
		mappings[nr_mappings++] = copy;
		return copy;
	}
	return NULL;
}

static void put(u8 *p, u64 value, unsigned int bytes)
{
	while (bytes-- > 0) {
		*p++ = (u8)value;
		value >>= 8;
	}
}

static void fix_sum(u8 *data, u32 len, u32 sum_at)
{
	u8 sum = 0;
	u32 i;

	data[sum_at] = 0;
	for (i = 0; i < len; i++)
		sum += data[i];
	data[sum_at] = (u8)-sum;
}

static struct blob *blob_at(u64 phys)
{
	unsigned int i;

	for (i = 0; i < nr_blobs; i++)
		if (blobs[i].phys == phys)
			return &blobs[i];
	return NULL;
}

static u8 *add_blob(u64 phys, const void *data, u32 len)
{
	struct blob *b = blob_at(phys);

	if (!b)
		b = &blobs[nr_blobs++];
	else
		free(b->data);
	b->phys = phys;
	b->len = len;
	b->data = calloc(1, len ? len : 1);
	if (data)
		memcpy(b->data, data, len);
	return b->data;
}

/* A table with this body after its header, replacing the one that was there. */
static void add_table(u64 phys, const char *signature, const void *body, u32 body_len)
{
	u32 len = HEADER_SIZE + body_len;
	u8 *t = add_blob(phys, NULL, len);

	memcpy(t, signature, 4);
	put(t + 4, len, 4);
	memcpy(t + HEADER_SIZE, body, body_len);
	fix_sum(t, len, 9);
}

static void make_rsdp(u8 *rsdp, u8 revision, u64 rsdt, u64 xsdt)
{
	memset(rsdp, 0, ACPI_RSDP_SIZE);
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = revision;
	put(rsdp + 16, rsdt, 4);
	put(rsdp + 20, ACPI_RSDP_SIZE, 4);
	put(rsdp + 24, xsdt, 8);
	fix_sum(rsdp, RSDP_V1_SIZE, 8);
	fix_sum(rsdp, ACPI_RSDP_SIZE, 32);
}

static void add_rsdp(u64 phys, u8 revision)
{
	make_rsdp(add_blob(phys, NULL, ACPI_RSDP_SIZE), revision, RSDT, XSDT);
}

/* clang-format off */
static const u8 good_madt[] = {
	0x00, 0x00, 0xe0, 0xfe, 1, 0, 0, 0,			      /* APIC at 0xfee00000 */
	0, 8, 0, 0, 1, 0, 0, 0,					      /* processor 0 */
	0, 8, 1, 4, 1, 0, 0, 0,					      /* 4 */
	0, 8, 2, 9, 0, 0, 0, 0,					      /* 9: not usable */
	0, 8, 3, 6, 2, 0, 0, 0,					      /* 6: may come */
	1, 12, 7, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,		      /* IO-APIC, lines from 0 */
	1, 12, 8, 0, 0, 0x10, 0xc0, 0xfe, 24, 0, 0, 0,		      /* another, from 24 */
	2, 10, 0, 0, 2, 0, 0, 0, 0, 0,				      /* ISA 0 is line 2 */
	2, 10, 0, 9, 20, 0, 0, 0, 0x0f, 0,			      /* 9 is 20, level, low */
	2, 10, 0, 5, 5, 0, 0, 0, 0x0d, 0,			      /* 5: level, high */
	9, 16, 0, 0, 0x00, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,	      /* x2APIC id 256 */
	5, 12, 0, 0, 0x00, 0x00, 0xd0, 0xfe, 1, 0, 0, 0,	      /* APIC at 0x1fed00000 */
};
/* clang-format on */

static void make_fadt(u8 *body, u32 len)
{
	u8 fadt[276] = { 0 };

	put(fadt + 40, DSDT, 4);
	put(fadt + 48, 0xb2, 4);
	fadt[52] = 0xf1;
	put(fadt + 64, 0x604, 4);
	put(fadt + 68, 0x704, 4);
	fadt[108] = 0x32;
	put(fadt + 112, 1U << 10, 4);
	memcpy(fadt + 116, (u8[]){ 1, 8, 0, 1, 0xf9, 0x0c }, 6);
	fadt[128] = 0x0f;
	put(fadt + 140, DSDT, 8);
	memcpy(body, fadt + HEADER_SIZE, len);
}

#define FADT_BODY (276 - HEADER_SIZE)

static void add_fadt(u32 body_len)
{
	u8 body[FADT_BODY];

	make_fadt(body, FADT_BODY);
	add_table(FADT, "FACP", body, body_len);
}

/* As in QEMU's tables: Name (_S5, Package (4) { 5, 6, 0, 0 }), after a bit of other AML. */
static const u8 good_dsdt[] = { 0x10, 0x06, '_', 'S',  '3', '_',  0x08, '_',  'S',  '5', '_',
				0x12, 0x08, 4,	 0x0a, 5,   0x0a, 6,	0x00, 0x00, 0xa4 };

static void good_machine(void)
{
	u8 pointers[24];

	while (nr_blobs > 0)
		free(blobs[--nr_blobs].data);
	add_rsdp(RSDP, 2);
	put(pointers, FADT, 8);
	put(pointers + 8, 0, 8);
	put(pointers + 16, MADT, 8);
	add_table(XSDT, "XSDT", pointers, 24);
	put(pointers, MADT, 4);
	put(pointers + 4, FADT, 4);
	add_table(RSDT, "RSDT", pointers, 8);
	add_table(MADT, "APIC", good_madt, sizeof(good_madt));
	add_fadt(FADT_BODY);
	add_table(DSDT, "DSDT", good_dsdt, sizeof(good_dsdt));
}

static struct acpi_info fallback;

/* What no input may break. */
static bool sane(int result)
{
	const struct acpi_info *a = &acpi_info;

	return (result == 0 || result == -ENOENT) && a->present == (result == 0) &&
	       a->nr_cpus >= 1 && a->nr_cpus <= ACPI_MAX_CPUS && a->nr_ioapics >= 1 &&
	       a->nr_ioapics <= ACPI_MAX_IOAPICS && a->slp_typa <= 7 && a->slp_typb <= 7 &&
	       (!a->has_reset || a->reset_port != 0);
}

static int init_from(u64 rsdp, const u8 *copy)
{
	int result;

	acpi_info = fallback;
	result = acpi_init(rsdp, copy, test_map);
	while (nr_mappings > 0)
		free(mappings[--nr_mappings]);
	return result;
}

static int init(void)
{
	return init_from(RSDP, NULL);
}

/* What the good machine's tables say, by whichever way they were found. */
static bool all_found(int result)
{
	const struct acpi_info *a = &acpi_info;

	return result == 0 && a->present && a->nr_cpus == 4 && a->nr_ioapics == 2 && a->has_s5 &&
	       a->pm1a_cnt == 0x604;
}

static bool is_fallback(int result)
{
	acpi_info.damaged = false;
	return result == -ENOENT && memcmp(&acpi_info, &fallback, sizeof(fallback)) == 0;
}

/* The tests. */

static void test_good(void)
{
	const struct acpi_info *a = &acpi_info;
	int result;

	good_machine();
	result = init();
	ok(result == 0 && a->present && !a->damaged, "whole tables are taken as whole");
	ok(a->lapic_phys == 0x1fed00000, "the local APIC's 64-bit address overrides the other");
	ok(a->nr_cpus == 4 && a->cpus[0].apic_id == 0 && a->cpus[1].apic_id == 4 &&
		   a->cpus[1].enabled && a->cpus[2].apic_id == 6 && !a->cpus[2].enabled &&
		   a->cpus[3].apic_id == 256,
	   "processors: enabled, to be plugged in, by x2APIC id; unusable ones left out");
	ok(a->nr_ioapics == 2 && a->ioapics[0].phys == 0xfec00000 && a->ioapics[0].id == 7 &&
		   a->ioapics[1].phys == 0xfec01000 && a->ioapics[1].gsi_base == 24,
	   "IO-APICs");
	ok(a->isa_irq[0].gsi == 2 && a->isa_irq[0].flags == 0 && a->isa_irq[9].gsi == 20 &&
		   a->isa_irq[9].flags == (IRQ_LEVEL | IRQ_LOW) &&
		   a->isa_irq[5].flags == IRQ_LEVEL && a->isa_irq[4].gsi == 4 &&
		   a->isa_irq[4].flags == 0,
	   "overrides of ISA lines");
	ok(a->pm1a_cnt == 0x604 && a->pm1b_cnt == 0x704 && a->smi_cmd == 0xb2 &&
		   a->acpi_enable == 0xf1 && a->century_reg == 0x32,
	   "ports of the FADT");
	ok(a->has_reset && a->reset_port == 0xcf9 && a->reset_value == 0x0f, "reset register");
	ok(a->has_s5 && a->slp_typa == 5 && a->slp_typb == 6, "sleep types from the DSDT");
}

static void test_root(void)
{
	u8 copy[ACPI_RSDP_SIZE];
	u8 *area;

	good_machine();
	make_rsdp(copy, 2, RSDT, XSDT);
	blob_at(RSDP)->phys = 0; /* gone */
	ok(is_fallback(init()), "no root pointer: the fallback");
	ok(all_found(init_from(0, copy)), "root pointer from a copy");
	make_rsdp(add_blob(BIOS, NULL, BIOS_SIZE) + 0x1fff0 - 0x20, 2, RSDT, XSDT);
	ok(all_found(init_from(0, NULL)), "found in the BIOS area");
	ok(all_found(init_from(0xdead0000, NULL)), "found there when the address given is wrong");
	area = add_blob(BIOS, NULL, BIOS_SIZE);
	make_rsdp(area + 0x108, 2, RSDT, XSDT);
	ok(is_fallback(init_from(0, NULL)), "not found off a 16-byte boundary");
	put(add_blob(BDA, NULL, 256) + 0xe, EBDA >> 4, 2);
	make_rsdp(add_blob(EBDA, NULL, 1024) + 0x40, 0, RSDT, 0);
	ok(all_found(init_from(0, NULL)), "found in the extended BIOS data area, revision 0");

	good_machine();
	blob_at(RSDP)->data[30] ^= 0x40;
	ok(all_found(init()) && acpi_info.damaged, "wrong extended checksum: the RSDT is used");
	blob_at(RSDP)->data[8]++;
	ok(is_fallback(init()), "wrong checksum: no root pointer");
	good_machine();
	blob_at(XSDT)->data[8]++;
	ok(all_found(init()) && acpi_info.damaged, "wrong checksum of the XSDT: the RSDT is used");
	add_table(XSDT, "XSDX", "", 0);
	ok(all_found(init()), "wrong signature of the XSDT: the RSDT is used");
	blob_at(RSDT)->data[8]++;
	ok(is_fallback(init()), "neither of the two: the fallback");
}

static void test_lengths(void)
{
	static const u32 bad[] = { 0, 1, 35, MAX_TABLE + 1, 0x7fffffff, 0xffffffff };
	bool passed = true;
	unsigned int i;
	struct blob *b;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		good_machine();
		put(blob_at(MADT)->data + 4, bad[i], 4);
		passed &= init() == 0 && acpi_info.damaged && acpi_info.nr_cpus == 1 &&
			  acpi_info.has_s5;
	}
	ok(passed, "a MADT of impossible length is left out, the FADT is not");
	good_machine();
	b = blob_at(MADT);
	put(b->data + 4, b->len + 1, 4);
	fix_sum(b->data, b->len, 9);
	ok(init() == 0 && acpi_info.damaged && acpi_info.nr_cpus == 1,
	   "so is one that is a byte longer than what can be mapped");
	good_machine();
	blob_at(DSDT)->data[40]++;
	ok(init() == 0 && acpi_info.damaged && !acpi_info.has_s5 && acpi_info.pm1a_cnt == 0x604,
	   "a DSDT of wrong checksum is left out");
	good_machine();
	add_table(XSDT, "XSDT", "\0\0\0", 3);
	ok(init() == 0 && acpi_info.nr_cpus == 1, "a root table of less than one pointer is empty");
}

static bool init_madt(const u8 *entries, u32 len)
{
	u8 body[2048] = { 0, 0, 0xe0, 0xfe };

	memcpy(body + 8, entries, len);
	good_machine();
	add_table(MADT, "APIC", body, 8 + len);
	return sane(init()) && acpi_info.present;
}

/* The last entry is a byte shorter than its type must be, and full of 1s. */
static bool short_entries(void)
{
	static const u8 types[][2] = { { 0, 8 }, { 1, 12 }, { 2, 10 }, { 5, 12 }, { 9, 16 } };
	bool passed = true;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		u8 entry[16];

		memset(entry, 1, sizeof(entry));
		entry[0] = types[i][0];
		entry[1] = types[i][1] - 1;
		entry[2] = 0;
		passed &= init_madt(entry, entry[1]);
		passed &= acpi_info.nr_cpus == 1 && acpi_info.cpus[0].apic_id == 0 &&
			  acpi_info.ioapics[0].phys == IOAPIC_DEFAULT &&
			  acpi_info.isa_irq[1].gsi == 1 && acpi_info.lapic_phys == LAPIC_DEFAULT;
	}
	return passed;
}

static void test_madt(void)
{
	u8 many[130 * 8 + 6 * 12];
	unsigned int i;

	ok(init_madt((u8[]){ 0, 8, 0, 3, 1, 0, 0, 0, 0, 0 }, 10) && acpi_info.damaged &&
		   acpi_info.cpus[0].apic_id == 3,
	   "an entry of length 0 ends the MADT");
	ok(init_madt((u8[]){ 0, 8, 0, 3, 1, 0, 0 }, 7) && acpi_info.damaged &&
		   acpi_info.cpus[0].apic_id == 0,
	   "so does one that is cut off");
	ok(short_entries(), "one too short for its type is left out");
	ok(init_madt((u8[]){ 0, 8, 0, 3, 1, 0, 0, 0, 0 }, 9) && acpi_info.nr_cpus == 1 &&
		   acpi_info.cpus[0].apic_id == 3,
	   "a single byte at the end is no entry");
	ok(init_madt((u8[]){ 0x7f, 4, 0, 0, 0, 8, 0, 3, 1, 0, 0, 0 }, 12) && !acpi_info.damaged &&
		   acpi_info.cpus[0].apic_id == 3,
	   "an unknown type is stepped over");
	ok(init_madt((u8[24]){ 0, 8, 0, 3, 1, 0, 0, 0, 9, 16, 0, 0, 3, 0, 0, 0, 1 }, 24) &&
		   acpi_info.nr_cpus == 1,
	   "a processor listed twice counts once");
	ok(init_madt((u8[]){ 2, 10, 0, 16, 2, 0, 0, 0, 0, 0, 2, 10, 1, 3, 7, 0, 0, 0, 0, 0 }, 20) &&
		   acpi_info.damaged && acpi_info.isa_irq[3].gsi == 3,
	   "overrides of line 16 and of another bus are left out");
	ok(init_madt((u8[]){ 0 }, 0) && acpi_info.nr_cpus == 1 && acpi_info.cpus[0].enabled &&
		   acpi_info.ioapics[0].phys == 0xfec00000,
	   "an empty MADT leaves one processor and the usual IO-APIC");
	good_machine();
	add_table(MADT, "APIC", "\0\0\xe0", 3);
	ok(sane(init()) && acpi_info.damaged && acpi_info.lapic_phys == LAPIC_DEFAULT,
	   "a MADT shorter than its fixed part is left out");

	for (i = 0; i < 130; i++)
		memcpy(many + 8 * i, (u8[]){ 0, 8, 0, (u8)i, 1, 0, 0, 0 }, 8);
	for (i = 0; i < 6; i++)
		memcpy(many + 130 * 8 + 12 * i,
		       (u8[12]){ 1, 12, (u8)i, 0, 0, 0, 0xc0, 0xfe, (u8)(24 * i) }, 12);
	ok(init_madt(many, sizeof(many)) && acpi_info.nr_cpus == 64 &&
		   acpi_info.cpus[63].apic_id == 63 && acpi_info.nr_ioapics == 4 &&
		   acpi_info.ioapics[3].gsi_base == 72,
	   "more processors and IO-APICs than there is room for");
}

static bool s5(const void *aml, u32 len)
{
	good_machine();
	add_table(DSDT, "DSDT", aml, len);
	return sane(init()) && acpi_info.has_s5;
}

#define S5(bytes) s5(bytes, sizeof(bytes) - 1)

static void test_s5(void)
{
	bool passed = true;
	u32 len;

	ok(S5("\x08_S5_\x12\x05\x02\x01\x00") && acpi_info.slp_typa == 1 && acpi_info.slp_typb == 0,
	   "_S5_ of ZeroOp and OneOp");
	ok(S5("\x08\\_S5_\x12\x06\x04\x0a\x07\x0a\x07\x00\x00") && acpi_info.slp_typa == 7,
	   "_S5_ with a root prefix");
	ok(S5("\x08_S5_\x12\x4a\x00\x04\x0b\x05\x00\x0c\x03\x00\x00\x00") &&
		   acpi_info.slp_typa == 5 && acpi_info.slp_typb == 3,
	   "_S5_ with a longer length, of a word and a double word");
	ok(S5("\x08_S5_\x12\x04\x01\x0a\x05") && acpi_info.slp_typa == 5 && acpi_info.slp_typb == 5,
	   "_S5_ of one element counts for both");
	ok(S5("\x08_S5_\x14\x08_S5_\x12\x05\x02\x0a\x02\x00") && acpi_info.slp_typa == 2,
	   "a name without a package is passed over");
	ok(!S5("\x08_S5_\x12\x05\x02\x0a\x08\x00"), "a type over 7 is none");
	ok(!S5("\x08_S5_\x12\x05\x02\xff\xff"), "nor is another kind of element");
	ok(!S5("\x08_S5_\x12\x05\x00\x0a\x05"), "nor an empty package");
	ok(!S5("_S5_\x12\x05\x02\x0a\x05\x00"), "nor a name that nothing defines");
	/* Up to and with the first element's value: 5 of name and its op, 2 + 1 of package, 2. */
	for (len = 0; len <= 13; len++)
		passed &= s5("\x08_S5_\x12\xc8\x00\x00\x00\x02\x0a\x05\x00", len) == (len >= 13);
	ok(passed, "a DSDT cut anywhere in _S5_ has none");
}

static void test_fadt(void)
{
	u8 body[FADT_BODY];

	good_machine();
	add_fadt(116 - HEADER_SIZE);
	ok(init() == 0 && acpi_info.pm1a_cnt == 0x604 && acpi_info.has_s5 && !acpi_info.has_reset,
	   "a FADT of ACPI 1.0 has no reset register");
	make_fadt(body, FADT_BODY);
	memcpy(body + 172 - HEADER_SIZE, (u8[]){ 1, 16, 0, 2, 0x04, 0x18 }, 6);
	memcpy(body + 184 - HEADER_SIZE, (u8[]){ 0, 16, 0, 2, 0x04, 0x19 }, 6);
	add_table(FADT, "FACP", body, FADT_BODY);
	ok(init() == 0 && acpi_info.pm1a_cnt == 0x1804 && acpi_info.pm1b_cnt == 0x704,
	   "a generic address counts when it is a port");
	put(body + 64 - HEADER_SIZE, 0x10604, 4);
	put(body + 172 - HEADER_SIZE + 4, 0x100001804, 8);
	body[116 - HEADER_SIZE] = 0;
	add_table(FADT, "FACP", body, FADT_BODY);
	ok(init() == 0 && acpi_info.pm1a_cnt == 0 && !acpi_info.has_reset,
	   "ports over 16 bits and a reset register in memory are left out");
	make_fadt(body, FADT_BODY);
	put(body + 140 - HEADER_SIZE, 0xdead0000, 8);
	add_table(FADT, "FACP", body, FADT_BODY);
	ok(init() == 0 && acpi_info.has_s5, "the DSDT's 32-bit address, when the other is wrong");
}

/* Damage with right checksums, so that it reaches the code behind them. */

static const u64 tables[] = { XSDT, RSDT, MADT, FADT, DSDT };

static void test_every_byte(void)
{
	static const u8 values[] = { 0x00, 0x01, 0x02, 0x0b, 0x7f, 0x80, 0xff };
	bool passed = true;
	unsigned int i, v;
	struct blob *b;
	u32 off;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		for (off = 0; off < blob_at(tables[i])->len; off++) {
			for (v = 0; v < ARRAY_SIZE(values); v++) {
				good_machine();
				b = blob_at(tables[i]);
				b->data[off] = values[v];
				fix_sum(b->data, b->len, 9);
				passed &= sane(init());
				add_rsdp(RSDP, 0); /* by way of the RSDT */
				passed &= sane(init());
			}
		}
	}
	ok(passed, "every byte of every table replaced");
}

static void test_every_length(void)
{
	bool passed = true;
	unsigned int i;
	u32 len, full;
	u8 *data;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		full = blob_at(tables[i])->len;
		for (len = 0; len < full; len++) {
			good_machine();
			data = blob_at(tables[i])->data;
			blob_at(tables[i])->len = len;
			put(data + 4, len, 4);
			if (len > 9)
				fix_sum(data, len, 9);
			passed &= sane(init());
			add_rsdp(RSDP, 0);
			passed &= sane(init());
		}
	}
	ok(passed, "every table cut at every length");
}

static void test_many_bytes(void)
{
	bool passed = true;
	unsigned int round, i, n;

	for (round = 0; round < 20000; round++) {
		good_machine();
		add_rsdp(RSDP, round % 2 ? 2 : 0);
		n = 1 + test_random() % 12;
		for (i = 0; i < n; i++) {
			struct blob *b = blob_at(tables[test_random() % ARRAY_SIZE(tables)]);

			b->data[HEADER_SIZE + test_random() % (b->len - HEADER_SIZE)] =
				(u8)test_random();
			fix_sum(b->data, b->len, 9);
		}
		passed &= sane(init());
	}
	ok(passed, "20,000 machines with random bytes in their tables");
}

int main(void)
{
	fallback = acpi_info;
	test_good();
	test_root();
	test_lengths();
	test_madt();
	test_s5();
	test_fadt();
	good_machine();
	test_every_byte();
	test_every_length();
	test_many_bytes();
	while (nr_blobs > 0)
		free(blobs[--nr_blobs].data);
	return done_testing();
}
