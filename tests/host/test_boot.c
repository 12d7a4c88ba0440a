/* SPDX-License-Identifier: MIT */
/*
 * Boot information: good tables are read rightly, and damaged ones never lead out of them. Every
 * table is parsed in memory of just its size, so that the sanitizer sees a step beyond it.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/base/boot_info.h"
#include "kernel/base/cmdline.h"
#include "kernel/base/errno.h"
#include "tests/host/tap.h"

static struct boot_info info;

/* A table under construction. */
static u8 table[8192];
static size_t table_size;

static void put(const void *data, size_t len)
{
	memcpy(table + table_size, data, len);
	table_size += len;
}

static void put8(u8 v)
{
	put(&v, sizeof(v));
}

static void put32(u32 v)
{
	put(&v, sizeof(v));
}

static void put64(u64 v)
{
	put(&v, sizeof(v));
}

static void set32(size_t at, u32 v)
{
	memcpy(table + at, &v, sizeof(v));
}

/* ---- Multiboot2 ---- */

static size_t tag_at;

static void begin_tag(u32 type)
{
	while (table_size % 8)
		put8(0xee);
	tag_at = table_size;
	put32(type);
	put32(0);
}

static void end_tag(void)
{
	set32(tag_at + 4, (u32)(table_size - tag_at));
}

static void begin_info(void)
{
	table_size = 0;
	put32(0);
	put32(0);
}

static void end_info(void)
{
	begin_tag(0);
	end_tag();
	set32(0, (u32)table_size);
}

static void put_string_tag(u32 type, const char *text)
{
	begin_tag(type);
	put(text, strlen(text) + 1);
	end_tag();
}

static void put_module_tag(u32 start, u32 end, const char *text)
{
	begin_tag(3);
	put32(start);
	put32(end);
	put(text, strlen(text) + 1);
	end_tag();
}

static void put_meminfo_tag(u32 lower, u32 upper)
{
	begin_tag(4);
	put32(lower);
	put32(upper);
	end_tag();
}

/* `padding` is how much longer than the 24 bytes we know an entry is. */
static void put_mmap_tag(const struct boot_mem *mem, size_t n, u32 padding)
{
	begin_tag(6);
	put32(24 + padding);
	put32(0);
	for (size_t i = 0; i < n; i++) {
		put64(mem[i].start);
		put64(mem[i].size);
		put32(mem[i].type);
		put32(0);
		for (u32 p = 0; p < padding; p++)
			put8(0xcc);
	}
	end_tag();
}

static void put_framebuffer_tag(u64 addr, u32 pitch, u32 width, u32 height, u8 bpp, u8 type)
{
	static const u8 rgb[] = { 16, 8, 8, 8, 0, 8 };

	begin_tag(8);
	put64(addr);
	put32(pitch);
	put32(width);
	put32(height);
	put8(bpp);
	put8(type);
	put8(0);
	put8(0);
	if (type == 1)
		put(rgb, sizeof(rgb));
	end_tag();
}

static void put_rsdp_tag(u32 type, size_t size, u8 revision)
{
	u8 rsdp[36] = "RSD PTR ", sum = 0;

	rsdp[15] = revision;
	for (size_t i = 0; i < 20; i++)
		sum += rsdp[i];
	rsdp[8] = (u8)-sum;
	rsdp[24] = 0x12;
	rsdp[32] = (u8)-0x12;
	begin_tag(type);
	put(rsdp, size);
	end_tag();
}

static const struct boot_mem good_map[] = {
	{ 0, 0x9fc00, BOOT_MEM_RAM }, /* as QEMU gives it */
	{ 0x9fc00, 0x400, BOOT_MEM_RESERVED },
	{ 0x100000, 0x1fee0000, BOOT_MEM_RAM },
	{ 0x1ffe0000, 0x20000, BOOT_MEM_ACPI },
	{ 0x100000000, 0x40000000, 12 }, /* but for this type */
};

/* Parses table[0, size) in memory of its own, into an info full of rubbish. */
static int parse_mb2(size_t size)
{
	u8 *copy = malloc(size ? size : 1);
	int ret;

	memcpy(copy, table, size);
	memset(&info, 0xa5, sizeof(info));
	ret = boot_parse_multiboot2(&info, copy, size);
	free(copy);
	return ret;
}

static void make_good_mb2(void)
{
	begin_info();
	put_string_tag(1, "init=/sbin/init quiet");
	put_string_tag(2, "a boot loader");
	put_module_tag(0x800000, 0x900123, "initramfs");
	put_meminfo_tag(639, 523136);
	put_mmap_tag(good_map, ARRAY_SIZE(good_map), 0);
	put_framebuffer_tag(0xfd000000, 4096, 1024, 768, 32, 1);
	put_rsdp_tag(15, 36, 2);
	put_rsdp_tag(14, 20, 0);
	begin_tag(17); /* the EFI memory map, of which the loader knows more than we do */
	for (int i = 0; i < 20; i++)
		put8(0xff);
	end_tag();
	end_info();
}

static bool same_map(const struct boot_mem *map, size_t n)
{
	if (info.nr_mem != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (info.mem[i].start != map[i].start || info.mem[i].size != map[i].size ||
		    info.mem[i].type != (map[i].type <= 5 ? map[i].type : BOOT_MEM_RESERVED))
			return false;
	return true;
}

static void good_mb2(void)
{
	make_good_mb2();
	is(parse_mb2(table_size), 0, "multiboot2: good information is taken");
	ok(!info.truncated && !strcmp(info.loader, "multiboot2"), "without complaint");
	ok(!strcmp(info.cmdline, "init=/sbin/init quiet"), "command line");
	ok(info.nr_modules == 1 && info.modules[0].start == 0x800000 &&
		   info.modules[0].size == 0x100123 &&
		   !strcmp(info.modules[0].cmdline, "initramfs"),
	   "module");
	ok(same_map(good_map, ARRAY_SIZE(good_map)), "memory map, unknown types as reserved");
	ok(info.fb.type == BOOT_FB_RGB && info.fb.addr == 0xfd000000 && info.fb.pitch == 4096 &&
		   info.fb.width == 1024 && info.fb.height == 768 && info.fb.bpp == 32 &&
		   info.fb.red_pos == 16 && info.fb.green_pos == 8 && info.fb.blue_pos == 0 &&
		   info.fb.red_size == 8 && info.fb.green_size == 8 && info.fb.blue_size == 8,
	   "framebuffer");
	ok(info.has_rsdp_copy && info.rsdp_copy[15] == 2 && info.rsdp_copy[24] == 0x12 &&
		   !info.rsdp,
	   "the newer RSDP, though the older came last");
	is(parse_mb2(sizeof(table)), 0, "more readable memory than there is information");
	ok(!info.truncated, "is no reason to complain");
}

static void other_mb2(void)
{
	static const struct boot_mem odd_map[] = {
		{ 0x1000, 0, BOOT_MEM_RAM },
		{ ~0UL - 0x1000, 0x2000, BOOT_MEM_RAM },
		{ 0x200000, 0x100000, BOOT_MEM_RAM },
		{ 0x500000, 0x100000, 0 },
	};
	static const struct boot_mem wanted[] = { { 0x200000, 0x100000, BOOT_MEM_RAM },
						  { 0x500000, 0x100000, 6 } };

	begin_info();
	put_mmap_tag(good_map, ARRAY_SIZE(good_map), 16);
	put_framebuffer_tag(0xb8000, 160, 80, 25, 16, 2);
	put_rsdp_tag(14, 20, 0);
	end_info();
	is(parse_mb2(table_size), 0, "longer map entries than we know");
	ok(same_map(good_map, ARRAY_SIZE(good_map)) && !info.truncated, "are read");
	ok(info.fb.type == BOOT_FB_TEXT && info.fb.addr == 0xb8000 && info.fb.width == 80 &&
		   info.fb.height == 25 && info.fb.pitch == 160,
	   "text mode");
	ok(info.has_rsdp_copy && !info.rsdp_copy[24] && !info.cmdline[0] && !info.nr_modules,
	   "the older RSDP if it is the only one; no command line, no modules");

	begin_info();
	put_mmap_tag(odd_map, ARRAY_SIZE(odd_map), 0);
	put_framebuffer_tag(0xfd000000, 1024, 1024, 768, 8, 0);
	end_info();
	is(parse_mb2(table_size), 0, "a map with entries that make no sense");
	ok(same_map(wanted, 2) && info.truncated, "loses those, and says so");
	is(info.fb.type, BOOT_FB_NONE, "a framebuffer with a palette is not used");

	begin_info();
	put_meminfo_tag(639, 64512);
	end_info();
	is(parse_mb2(table_size), 0, "the two sizes do for a map");
	ok(info.nr_mem == 2 && info.mem[0].start == 0 && info.mem[0].size == 639 * 1024 &&
		   info.mem[1].start == 0x100000 && info.mem[1].size == 64512 * 1024,
	   "when there is none");
}

static void refused_mb2(void)
{
	static const struct boot_mem no_ram[] = { { 0, 0x100000, BOOT_MEM_RESERVED } };

	begin_info();
	put_string_tag(1, "no memory");
	end_info();
	is(parse_mb2(table_size), -EINVAL, "no memory map at all is refused");
	begin_info();
	put_mmap_tag(no_ram, 1, 0);
	end_info();
	is(parse_mb2(table_size), -EINVAL, "a map without RAM is refused");
	begin_info();
	put_mmap_tag(good_map, 3, 0);
	put_mmap_tag(good_map, 3, 0);
	set32(tag_at + 8, 23);
	end_info();
	ok(!parse_mb2(table_size) && info.truncated && info.nr_mem == 3,
	   "entries of less than 24 bytes are not read");
	is(parse_mb2(0), -EINVAL, "no bytes at all");
	is(parse_mb2(7), -EINVAL, "less than the header");
	is(parse_mb2(8), -EINVAL, "only the header");
}

static void bad_framebuffers(void)
{
	static const struct {
		u64 addr;
		u32 pitch, width, height;
		u8 bpp, type;
		const char *what;
	} bad[] = {
		{ 0, 4096, 1024, 768, 32, 1, "at address 0" },
		{ 0xfd000000, 4095, 1024, 768, 32, 1, "with lines shorter than their pixels" },
		{ 0xfd000000, 4096, 0, 768, 32, 1, "without width" },
		{ 0xfd000000, 4096, 1024, 0, 32, 1, "without height" },
		{ 0xfd000000, 4096, 1024, 768, 23, 1, "with colours outside the pixel" },
		{ 0xfd000000, 4096, 1024, 768, 33, 1, "of 33 bits" },
		{ 0xfd000000, 4096, 0xffffffff, 768, 32, 1, "with a width that overflows" },
		{ ~0UL - 4096, 4096, 1024, 768, 32, 1, "beyond the end of memory" },
		{ 0xb8000, 159, 80, 25, 16, 2, "of text with short lines" },
		{ 0xb8000, 160, 80, 0, 16, 2, "of text without rows" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		begin_info();
		put_mmap_tag(good_map, 3, 0);
		put_framebuffer_tag(bad[i].addr, bad[i].pitch, bad[i].width, bad[i].height,
				    bad[i].bpp, bad[i].type);
		end_info();
		ok(!parse_mb2(table_size) && info.fb.type == BOOT_FB_NONE && info.truncated,
		   "a framebuffer %s is not used", bad[i].what);
	}
}

static void full_mb2(void)
{
	static struct boot_mem map[BOOT_MEM_MAX + 9];
	char text[BOOT_CMDLINE_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		map[i] = (struct boot_mem){ i << 20, 1 << 20, BOOT_MEM_RAM };
	memset(text, 'x', sizeof(text));
	text[BOOT_CMDLINE_MAX] = '\0';
	begin_info();
	put_mmap_tag(map, ARRAY_SIZE(map), 0);
	end_info();
	ok(!parse_mb2(table_size) && info.truncated && same_map(map, BOOT_MEM_MAX),
	   "of a map that is too long, the first %d entries count", BOOT_MEM_MAX);

	begin_info();
	put_mmap_tag(map, BOOT_MEM_MAX, 0);
	put_string_tag(1, text + 1);
	end_info();
	ok(!parse_mb2(table_size) && !info.truncated && same_map(map, BOOT_MEM_MAX) &&
		   strlen(info.cmdline) == BOOT_CMDLINE_MAX - 1,
	   "a map and a command line that just fit");
	begin_info();
	put_mmap_tag(map, 1, 0);
	put_string_tag(1, text);
	end_info();
	ok(!parse_mb2(table_size) && info.truncated && strlen(info.cmdline) == BOOT_CMDLINE_MAX - 1,
	   "a command line that is one too long is cut");

	begin_info();
	put_mmap_tag(map, 1, 0);
	for (u32 i = 0; i < BOOT_MODULE_MAX; i++)
		put_module_tag(i << 20, (i + 1) << 20, "m");
	end_info();
	ok(!parse_mb2(table_size) && !info.truncated && info.nr_modules == BOOT_MODULE_MAX,
	   "as many modules as fit");
	begin_info();
	put_mmap_tag(map, 1, 0);
	put_module_tag(0x2000, 0x1000, "backwards");
	for (u32 i = 0; i < BOOT_MODULE_MAX + 1; i++)
		put_module_tag(i << 20, (i + 1) << 20, "m");
	end_info();
	ok(!parse_mb2(table_size) && info.truncated && info.nr_modules == BOOT_MODULE_MAX &&
		   info.modules[0].start == 0,
	   "one more, and one that ends before it begins, are left out");
}

/* What must hold of *info whatever it was made from. */
static bool sound(int ret)
{
	bool ram = false;

	if (info.nr_mem > BOOT_MEM_MAX || info.nr_modules > BOOT_MODULE_MAX ||
	    strnlen(info.cmdline, BOOT_CMDLINE_MAX) == BOOT_CMDLINE_MAX)
		return false;
	for (unsigned int i = 0; i < info.nr_mem; i++) {
		const struct boot_mem *mem = &info.mem[i];

		ram |= mem->type == BOOT_MEM_RAM;
		if (!mem->size || mem->start + mem->size < mem->start || mem->type < BOOT_MEM_RAM ||
		    mem->type > BOOT_MEM_BAD)
			return false;
	}
	for (unsigned int i = 0; i < info.nr_modules; i++) {
		const struct boot_module *module = &info.modules[i];

		if (module->start + module->size < module->start ||
		    strnlen(module->cmdline, sizeof(module->cmdline)) == sizeof(module->cmdline))
			return false;
	}
	if (info.fb.type == BOOT_FB_RGB &&
	    (u64)info.fb.pitch * 8 < (u64)info.fb.width * info.fb.bpp)
		return false;
	return ret == (ram ? 0 : -EINVAL);
}

typedef int (*parse_fn)(size_t size);

/* Every truncation, every bit flipped, every byte set to telling values, and random mixtures. */
static void damage(const char *what, parse_fn parse)
{
	static const u8 telling[] = { 0x00, 0x01, 0x07, 0x08, 0x7f, 0x80, 0xff };
	static u8 saved[sizeof(table)];
	size_t size = table_size;
	bool right = true;
	int variations = 0;

	memcpy(saved, table, size);
	for (size_t n = 0; n <= size; n++, variations++)
		right &= sound(parse(n));
	for (size_t at = 0; at < size; at++) {
		for (int bit = 0; bit < 8; bit++, variations++) {
			table[at] = saved[at] ^ (u8)(1 << bit);
			right &= sound(parse(size));
		}
		for (size_t i = 0; i < sizeof(telling); i++, variations++) {
			table[at] = telling[i];
			right &= sound(parse(size));
		}
		table[at] = saved[at];
	}
	for (size_t at = 0; at + 4 <= size; at += 4, variations++) {
		set32(at, (u32)size - (u32)at);
		right &= sound(parse(size));
		set32(at, 0xffffffff);
		right &= sound(parse(size));
		memcpy(table, saved, size);
	}
	for (int n = 0; n < 10000; n++, variations++) {
		for (unsigned long i = test_random() % 8; i; i--)
			table[test_random() % size] = (u8)test_random();
		right &= sound(parse(n % 4 ? size : test_random() % (size + 1)));
		memcpy(table, saved, size);
	}
	ok(right && variations > 10000, "%s: %d damaged variations stay within bounds", what,
	   variations);
}

/* ---- PVH ---- */

/* The guest's memory: the table at this address, in memory of its own, and nothing else. */
#define PVH_BASE 0x7000UL

static u8 *guest;
static size_t guest_size;

static const void *guest_map(u64 phys, size_t len)
{
	if (phys < PVH_BASE || phys - PVH_BASE > guest_size || len > guest_size - (phys - PVH_BASE))
		return NULL;
	return guest + (phys - PVH_BASE);
}

static int parse_pvh(size_t size)
{
	int ret;

	guest = malloc(size ? size : 1);
	guest_size = size;
	memcpy(guest, table, size);
	memset(&info, 0xa5, sizeof(info));
	ret = boot_parse_pvh(&info, PVH_BASE, guest_map);
	free(guest);
	return ret;
}

#define PVH_HEADER 56

/* Header, two modules, the map, then the strings: the last ends with the table. */
static void make_good_pvh(u32 version)
{
	static const char strings[] = "init=/bin/tour \"a b\"\0first\0second";
	const u64 modules = PVH_BASE + PVH_HEADER, map = modules + 2 * 32;
	const u64 text = map + ARRAY_SIZE(good_map) * 24;

	table_size = 0;
	put32(0x336ec578);
	put32(version);
	put32(0);
	put32(2);
	put64(modules);
	put64(text);
	put64(0xf5a20);
	put64(map);
	put32(ARRAY_SIZE(good_map));
	put32(0);
	for (u64 i = 0; i < 2; i++) {
		put64(0x1000000 * (i + 1));
		put64(0x1234 + i);
		put64(text + (i ? 27 : 21));
		put64(0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good_map); i++) {
		put64(good_map[i].start);
		put64(good_map[i].size);
		put32(good_map[i].type);
		put32(0);
	}
	put(strings, sizeof(strings));
}

static void good_pvh(void)
{
	make_good_pvh(1);
	is(parse_pvh(table_size), 0, "pvh: good information is taken");
	ok(!info.truncated && !strcmp(info.loader, "pvh") && info.rsdp == 0xf5a20 &&
		   !info.has_rsdp_copy && info.fb.type == BOOT_FB_NONE,
	   "without complaint");
	ok(!strcmp(info.cmdline, "init=/bin/tour \"a b\""), "command line");
	ok(info.nr_modules == 2 && info.modules[0].start == 0x1000000 &&
		   info.modules[1].start == 0x2000000 && info.modules[0].size == 0x1234 &&
		   info.modules[1].size == 0x1235,
	   "modules");
	ok(!strcmp(info.modules[0].cmdline, "first") && !strcmp(info.modules[1].cmdline, "second"),
	   "modules' command lines, one of them the last bytes there are");
	ok(same_map(good_map, ARRAY_SIZE(good_map)), "memory map");
	is(parse_pvh(table_size - 1), 0, "a string that does not end");
	ok(info.truncated && !strcmp(info.modules[1].cmdline, "second"), "is cut");

	make_good_pvh(2);
	is(parse_pvh(table_size), 0, "a later version is read as far as we know it");
	make_good_pvh(0);
	is(parse_pvh(table_size), -EINVAL, "version 0 has no memory map and is refused");
	make_good_pvh(1);
	table[0]++;
	is(parse_pvh(table_size), -EINVAL, "a wrong magic number is refused");
	make_good_pvh(1);
	set32(48, 0);
	is(parse_pvh(table_size), -EINVAL, "an empty map is refused");
	set32(48, 0xffffffff);
	ok(!parse_pvh(table_size) && info.truncated,
	   "a map beyond what can be read is read so far");
	make_good_pvh(1);
	set32(12, 0xffffffff);
	ok(!parse_pvh(table_size) && info.truncated && info.nr_modules <= BOOT_MODULE_MAX,
	   "and so are modules");
	make_good_pvh(1);
	set32(24, 0);
	set32(28, 0);
	ok(!parse_pvh(table_size) && !info.truncated && !info.cmdline[0],
	   "no command line is an empty one");
}

/* ---- The command line's words ---- */

static void command_line(void)
{
	char buf[32] = "as it was", text[2 * BOOT_CMDLINE_MAX];

	is(cmdline_get("init", buf, sizeof(buf)), -ENOENT, "before the start there are no words");
	cmdline_init("  quiet init=/bin/sh\ttitle=\"two words\" \"whole=in quotes\" empty= \"\" "
		     "initrd=x noquiet init=/bin/last path=a=b half=\"open end");
	ok(cmdline_has("quiet") && cmdline_has("noquiet") && !cmdline_has("init") &&
		   !cmdline_has("qui") && !cmdline_has("") && !cmdline_has("words"),
	   "words are found whole");
	is(cmdline_get("init", buf, sizeof(buf)), 9, "of two values");
	ok(!strcmp(buf, "/bin/last"), "the last counts");
	is(cmdline_get("title", buf, sizeof(buf)), 9, "quotes in a value");
	ok(!strcmp(buf, "two words"), "keep its blanks and go away");
	ok(cmdline_get("whole", buf, sizeof(buf)) == 9 && !strcmp(buf, "in quotes"),
	   "quotes around the whole word too");
	ok(cmdline_get("empty", buf, sizeof(buf)) == 0 && !buf[0], "a value can be empty");
	ok(cmdline_get("path", buf, sizeof(buf)) == 3 && !strcmp(buf, "a=b"),
	   "the first = ends the key");
	ok(cmdline_get("half", buf, sizeof(buf)) == 8 && !strcmp(buf, "open end"),
	   "a quote that is not closed lasts to the end");
	is(cmdline_get("quiet", buf, sizeof(buf)), -ENOENT, "a word alone has no value");
	is(cmdline_get("init", buf, 9), -ENAMETOOLONG, "a value that does not fit is not cut");
	ok(!strcmp(buf, "open end"), "and the buffer is as it was");
	is(cmdline_get("init", buf, 10), 9, "one that just fits is given");

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "a=1 ", 4);
	cmdline_init(text);
	ok(strlen(cmdline_text()) == BOOT_CMDLINE_MAX - 1 && cmdline_get("a", buf, 32) == 1,
	   "a line that is too long is cut");
	cmdline_init("\"\" \"\"");
	ok(!cmdline_has("") && !strcmp(cmdline_text(), "\"\" \"\""),
	   "a line of nothing but quotes");
}

int main(void)
{
	good_mb2();
	other_mb2();
	refused_mb2();
	bad_framebuffers();
	full_mb2();
	make_good_mb2();
	damage("multiboot2", parse_mb2);
	good_pvh();
	make_good_pvh(1);
	damage("pvh", parse_pvh);
	command_line();
	return done_testing();
}
