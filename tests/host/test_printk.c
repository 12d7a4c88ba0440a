/* SPDX-License-Identifier: MIT */
/*
 * The kernel log: replay, quiet, texts that arrive while a console is busy, and the way out in a
 * panic. Then names for addresses. The kernel's sources are compiled into this program; the library
 * of stand-ins has functions of the same names, so these get others.
 */
#define _GNU_SOURCE
#define vsnprintf	    k_vsnprintf
#define snprintf	    k_snprintf
#define scnprintf	    k_scnprintf
#define printk		    k_printk
#define vprintk		    k_vprintk
#define printk_quiet	    k_printk_quiet
#define printk_set_quiet    k_printk_set_quiet
#define printk_log_only	    k_printk_log_only
#define console_write	    k_console_write
#define panic		    k_panic
#define panic_regs	    k_panic_regs
#define warn_at		    k_warn_at
#define register_panic_hook k_register_panic_hook
#define machine_halt_hook   k_machine_halt_hook
#include "kernel/base/printf.c"
#include "kernel/base/printk.c"
#include "kernel/base/panic.c"
#include "kernel/base/ksyms.c"
#undef vsnprintf
#undef snprintf
#undef scnprintf

#include <setjmp.h>
#include <string.h>

#include "tests/host/tap.h"

/* A console that keeps what it is given, and may do something in the middle of it. */
struct recorder {
	struct console con;
	char text[256 * 1024];
	size_t len;
	void (*meanwhile)(void);
};

static void record(struct console *con, const char *text, size_t len)
{
	struct recorder *rec = container_of(con, struct recorder, con);
	void (*meanwhile)(void) = rec->meanwhile;

	if (meanwhile) {
		rec->meanwhile = NULL;
		meanwhile();
	}
	/* Of the kernel's lines; the tests' own text has none. */
	for (; len; len--, text++)
		if (*text != '\r')
			rec->text[rec->len++] = *text;
	rec->text[rec->len] = '\0';
}

static struct recorder first = { .con = { .name = "first", .write = record } };
static struct recorder second = { .con = { .name = "second", .write = record } };
static struct recorder third = { .con = { .name = "third", .write = record } };

/* Whether the console got just this since it was asked last. */
static bool got(struct recorder *rec, const char *text)
{
	bool same = !strcmp(rec->text, text);

	if (!same)
		diag("%s got \"%.200s\"", rec->con.name, rec->text);
	rec->len = 0;
	rec->text[0] = '\0';
	return same;
}

static void replay(void)
{
	printk("one %d\n", 1);
	printk_log_only("secret\n");
	printk("two\n");
	register_console(&first.con);
	ok(got(&first, "one 1\ntwo\n"), "the first console is shown what came before it");
	printk("three\n");
	ok(got(&first, "three\n"), "and what comes after");
	register_console(&second.con);
	ok(got(&second, "one 1\ntwo\nthree\n") && got(&first, ""), "so is the next, it alone");
	pr_info("info\n");
	printk_set_quiet(true);
	pr_info("quiet info\n");
	pr_warn("still\n");
	printk_set_quiet(false);
	ok(got(&first, "info\nwarning: still\n"), "quiet holds back information, not warnings");
	ok(got(&second, "info\nwarning: still\n"), "from every console");
	ok(memmem(log_buf, sizeof(log_buf), "quiet info\n", 11), "but not from the log");
}

static void user_text(void)
{
	char bytes[3000];

	console_write("a\016b\017c\n", 6);
	ok(got(&first, "a\016b\017c\n") && got(&second, "a\016b\017c\n"),
	   "users' text goes out as it is");
	memset(bytes, 'u', sizeof(bytes));
	for (int i = 0; i < 20; i++)
		console_write(bytes, sizeof(bytes));
	is((long)first.len, 20 * 3000, "all of it, however long");
	register_console(&third.con);
	ok(got(&third, "one 1\ntwo\nthree\ninfo\nwarning: still\n"), "and is not replayed");
	unregister_console(&second.con);
	unregister_console(&third.con);
	printk("%s", "x\016y\017z\n");
	first.len = second.len = third.len = 0;
	printk("gone\n");
	ok(got(&first, "gone\n") && !second.len && !third.len, "a console can be taken out");
	printk("a\016name\n");
	ok(got(&first, "a?name\n"), "a formatted name cannot hide what follows it");
}

static void interrupt(void)
{
	printk("interrupt\n");
	printk_log_only("hidden interrupt\n");
	console_write("echo\n", 5);
}

/* More from users than the ring holds, while nobody can show it. */
static void much_interrupt(void)
{
	for (int i = 0; i < 3 * USER_SIZE / 4; i++)
		console_write("e\n!!", 4);
}

/* More for the log than it holds, while nobody can show it. */
static void flood(void)
{
	for (int i = 0; i < LOG_SIZE / 8 + 1; i++)
		printk("flood %d\n", i % 10);
}

static void interrupted(void)
{
	first.meanwhile = interrupt;
	printk("outer\n");
	ok(got(&first, "outer\ninterrupt\necho\n"),
	   "text from an interrupt is shown after the text that it interrupted");
	printk("after\n");
	ok(got(&first, "after\n"), "once");
	first.meanwhile = much_interrupt;
	printk("outer\n");
	is((long)first.len, 6 + 3 * USER_SIZE, "no byte of users' text is lost to a full ring");
	first.len = 0;
	first.meanwhile = flood;
	printk("outer\n");
	ok(strstr(first.text, "[text lost]\n") && first.len == LOG_SIZE + 6 + 12,
	   "where the log overflows, the console says that text was lost");
	first.len = 0;
}

static void long_texts(void)
{
	static char much[2 * MESSAGE_MAX];
	bool whole = true;

	memset(much, 'm', sizeof(much) - 1);
	printk("%s\n", much);
	is((long)first.len, MESSAGE_MAX, "a message that is too long is cut");
	ok(!strcmp(first.text + MESSAGE_MAX - 5, "m...\n"), "visibly, and ends its line");
	first.len = 0;
	/* Several times around the ring. */
	for (int i = 0; i < 30000; i++) {
		char line[32];

		snprintf(line, sizeof(line), "line %d\n", i);
		printk("line %d\n", i);
		whole &= first.len == strlen(line) && !memcmp(first.text, line, first.len);
		first.len = 0;
	}
	ok(whole, "every line arrives when the log goes round");
	register_console(&second.con);
	ok(second.len == LOG_SIZE && strstr(second.text, "line 29999\n"),
	   "a new console gets as much as the log still has");
	unregister_console(&second.con);
	second.len = 0;
}

static jmp_buf halted;
static int halt_status, hook_calls;

static void halt(int status)
{
	halt_status = status;
	longjmp(halted, 1);
}

static void hook(const struct pt_regs *regs)
{
	hook_calls++;
	printk("hook %s registers\n", regs ? "with" : "without");
}

static void failing_hook(const struct pt_regs *regs)
{
	(void)regs;
	panic("in the hook");
}

static void fault_in_console(void)
{
	panic("at %s", "the console");
}

static void panics_in_console(void)
{
	static struct panic_hook good = { .show = hook };
	static struct panic_hook bad = { .show = failing_hook };

	machine_halt_hook = halt;
	register_panic_hook(&good);
	first.meanwhile = fault_in_console;
	if (!setjmp(halted))
		printk("being shown\n");
	ok(halt_status != 0, "a panic ends the machine with a status that says so");
	/* The console failed before it had shown its text, which is therefore shown by the panic. */
	ok(got(&first, "being shown\n\nKernel panic: at the console\nhook without registers\n"
		       "End of the panic report.\n"),
	   "a panic inside a console is told on it all the same");
	is(hook_calls, 1, "the hook was asked once");

	panics = 0;
	register_panic_hook(&bad);
	if (!setjmp(halted))
		panic_regs((const struct pt_regs *)&first, "outer");
	ok(got(&first, "\nKernel panic: outer\n\nKernel panic within the panic: in the hook\n"),
	   "a panic in a panic's hook says so, and asks no more hooks");
	if (!setjmp(halted))
		panic("third");
	ok(got(&first, ""), "one within that ends in silence");
}

/* The tables as the build makes them, for a text of 0x100 bytes. */
char __text_start[0x100];
const unsigned int ksyms_count = 3;
const unsigned int ksyms_offsets[] = { 0x10, 0x20, 0x80 };
const unsigned int ksyms_name_offsets[] = { 0, 6, 4 };
const char ksyms_names[] = "one\0b\0three";

static bool names(unsigned long at, const char *name, unsigned long offset)
{
	unsigned long got_offset = 12345;
	const char *got_name = ksym_lookup((unsigned long)__text_start + at, &got_offset);

	if (!name)
		return !got_name && got_offset == 12345;
	return got_name && !strcmp(got_name, name) && got_offset == offset;
}

static void symbols(void)
{
	ok(names(0x10, "one", 0) && names(0x1f, "one", 15), "the first symbol, to its last byte");
	ok(names(0x20, "three", 0) && names(0x50, "three", 0x30), "one in the middle");
	ok(names(0x80, "b", 0) && names(0xff, "b", 0x7f), "the last, to the end of the text");
	ok(names(0xf, NULL, 0) && names(-1UL, NULL, 0), "nothing before the first");
}

int main(void)
{
	replay();
	user_text();
	interrupted();
	long_texts();
	panics_in_console();
	symbols();
	return done_testing();
}
