/* SPDX-License-Identifier: MIT */
/*
 * The PS/2 keyboard behind an 8042 controller (IBM PS/2 technical reference, keyboard and
 * auxiliary device controller), which translates to scan code set 1: one byte per key, bit 7 set
 * when it is released, 0xe0 before the keys that the first PC didn't have.
 */
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/keyboard.h>
#include "kernel/base/errno.h"
#include "kernel/base/string.h"

#define KBD_DATA    0x60
#define KBD_STATUS  0x64 /* on read */
#define KBD_COMMAND 0x64 /* on write */

#define STATUS_OUT_FULL 0x01 /* a byte waits for us */
#define STATUS_IN_FULL	0x02 /* ours has not been taken yet */
#define STATUS_AUX	0x20 /* the waiting byte is the mouse's */

#define CMD_READ_CONFIG	 0x20
#define CMD_WRITE_CONFIG 0x60
#define CONFIG_IRQ1	 0x01
#define CONFIG_KBD_OFF	 0x10
#define CONFIG_TRANSLATE 0x40
#define KBD_ENABLE_SCAN	 0xf4
#define KBD_ACK		 0xfa

/* A status read is about a microsecond; the controller answers within some milliseconds. */
#define KBD_POLLS 50000
/* More bytes than the controller and keyboard can have stored. */
#define KBD_BURST 64

#define SCAN_RELEASED	 0x80
#define SCAN_EXTENDED	 0xe0
#define SCAN_PAUSE	 0xe1 /* two more bytes belong to it */
#define SCAN_CTRL	 0x1d
#define SCAN_LEFT_SHIFT	 0x2a
#define SCAN_RIGHT_SHIFT 0x36
#define SCAN_CAPS	 0x3a
#define SCAN_ALT	 0x38
#define SCAN_NUM	 0x45
#define SCAN_TAB	 0x0f
#define SCAN_SPACE	 0x39
#define SCAN_ENTER	 0x1c
#define SCAN_SLASH	 0x35
#define SCAN_PAD_FIRST	 0x47
#define SCAN_PAD_LAST	 0x53

/* clang-format off */
static const char plain_map[SCAN_RELEASED] = {
	[0x01] = '\033', '1', '2', '3', '4', '5', '6', '7', '8', '9', '0', '-', '=', 0x7f,
	[0x0f] = '\t', 'q', 'w', 'e', 'r', 't', 'y', 'u', 'i', 'o', 'p', '[', ']', '\r',
	[0x1e] = 'a', 's', 'd', 'f', 'g', 'h', 'j', 'k', 'l', ';', '\'', '`',
	[0x2b] = '\\', 'z', 'x', 'c', 'v', 'b', 'n', 'm', ',', '.', '/',
	[0x37] = '*', [0x39] = ' ',
	[0x47] = '7', '8', '9', '-', '4', '5', '6', '+', '1', '2', '3', '0', '.',
	[0x56] = '\\',
};

static const char shift_map[SCAN_RELEASED] = {
	[0x01] = '\033', '!', '@', '#', '$', '%', '^', '&', '*', '(', ')', '_', '+', 0x7f,
	[0x0f] = '\t', 'Q', 'W', 'E', 'R', 'T', 'Y', 'U', 'I', 'O', 'P', '{', '}', '\r',
	[0x1e] = 'A', 'S', 'D', 'F', 'G', 'H', 'J', 'K', 'L', ':', '"', '~',
	[0x2b] = '|', 'Z', 'X', 'C', 'V', 'B', 'N', 'M', '<', '>', '?',
	[0x37] = '*', [0x39] = ' ',
	[0x47] = '7', '8', '9', '-', '4', '5', '6', '+', '1', '2', '3', '0', '.',
	[0x56] = '|',
};
/*
 * What keys send that are no characters, as TERM=linux has it: \033 and this. The grey keys have the
 * codes of those on the number pad whose second meaning they are.
 */
static const char *const key_sequences[SCAN_RELEASED] = {
	[0x3b] = "[[A", "[[B", "[[C", "[[D", "[[E", "[17~", "[18~", "[19~", "[20~", "[21~",
	[0x47] = "[1~", "[A", "[5~", NULL, "[D", "[G", "[C", NULL, "[4~", "[B", "[6~", "[2~", "[3~",
	[0x57] = "[23~", "[24~",
};
/* clang-format on */

static void (*input_fn)(const char *text, size_t len, enum console_seat seat);

static struct {
	bool left_shift, right_shift, left_ctrl, right_ctrl, left_alt, right_alt;
	bool caps;
	bool no_num;	   /* the number pad's keys have their second meaning */
	bool extended;	   /* 0xe0 came last */
	unsigned int skip; /* bytes of a sequence that means nothing here */
} keys;

void set_console_input(void (*fn)(const char *text, size_t len, enum console_seat seat))
{
	WRITE_ONCE(input_fn, fn);
}

void console_input(const char *text, size_t len, enum console_seat seat)
{
	void (*fn)(const char *text, size_t len, enum console_seat seat) = READ_ONCE(input_fn);

	if (fn)
		fn(text, len, seat);
}

static bool wait_status(u8 mask, u8 value)
{
	unsigned int polls;

	for (polls = 0; polls < KBD_POLLS; polls++) {
		if ((inb(KBD_STATUS) & mask) == value)
			return true;
		cpu_relax();
	}
	return false;
}

static void drain(void)
{
	unsigned int i;

	for (i = 0; i < KBD_BURST && (inb(KBD_STATUS) & STATUS_OUT_FULL); i++) {
		inb(KBD_DATA);
		io_wait();
	}
}

static bool send(u16 port, u8 byte)
{
	if (!wait_status(STATUS_IN_FULL, 0))
		return false;
	outb(port, byte);
	return true;
}

static bool receive(u8 *byte)
{
	if (!wait_status(STATUS_OUT_FULL, STATUS_OUT_FULL))
		return false;
	*byte = inb(KBD_DATA);
	return true;
}

int keyboard_init(void)
{
	u8 config, answer;

	if (inb(KBD_STATUS) == 0xff) /* a bus without a device reads as ones */
		return -ENODEV;
	drain();
	if (!send(KBD_COMMAND, CMD_READ_CONFIG) || !receive(&config))
		return -ENODEV;
	/* A BIOS leaves these as we want them; UEFI, which polls, need not. */
	config = (u8)((config | CONFIG_IRQ1 | CONFIG_TRANSLATE) & ~CONFIG_KBD_OFF);
	if (!send(KBD_COMMAND, CMD_WRITE_CONFIG) || !send(KBD_DATA, config))
		return -ENODEV;
	/* A controller with no keyboard plugged in doesn't acknowledge: one may come later. */
	if (send(KBD_DATA, KBD_ENABLE_SCAN) && receive(&answer) && answer != KBD_ACK)
		drain();
	return 0;
}

static void hold(bool *left, bool *right, bool extended, bool down)
{
	*(extended ? right : left) = down;
}

/* Follows the keys that change others. Returns whether this was one. */
static bool modifier(u8 code, bool extended, bool down)
{
	switch (code) {
	case SCAN_CTRL:
		hold(&keys.left_ctrl, &keys.right_ctrl, extended, down);
		return true;
	case SCAN_ALT:
		hold(&keys.left_alt, &keys.right_alt, extended, down);
		return true;
	case SCAN_LEFT_SHIFT:
		if (!extended) /* else a fake, sent around the grey keys */
			keys.left_shift = down;
		return true;
	case SCAN_RIGHT_SHIFT:
		if (!extended)
			keys.right_shift = down;
		return true;
	case SCAN_CAPS:
		if (down)
			keys.caps = !keys.caps;
		return true;
	case SCAN_NUM:
		if (down)
			keys.no_num = !keys.no_num;
		return true;
	}
	return false;
}

/* What a key sends behind ESC that stands for no character, or NULL. */
static const char *sequence_of(u8 code, bool extended)
{
	bool pad = code >= SCAN_PAD_FIRST && code <= SCAN_PAD_LAST;

	if (code == SCAN_TAB && (keys.left_shift || keys.right_shift))
		return "[Z";
	return pad && !extended && !keys.no_num ? NULL : key_sequences[code];
}

static char control_of(char c, u8 code)
{
	if (code == SCAN_SPACE || c == '@')
		return 0;
	if ((c >= '@' && c <= '_') || (c >= 'a' && c <= 'z'))
		return c & 0x1f;
	return c == '/' || c == '?' ? 0x1f : c;
}

static void key_pressed(u8 code, bool extended)
{
	bool shift = keys.left_shift || keys.right_shift;
	const char *sequence = sequence_of(code, extended);
	char text[8] = { '\033' };
	size_t len;
	char c;

	if (sequence) {
		len = strlcpy(text + 1, sequence, sizeof(text) - 1);
		console_input(text, 1 + len, SEAT_SCREEN);
		return;
	}
	/* Of the extended keys only the number pad's Enter and / are characters. */
	if (extended && code != SCAN_ENTER && code != SCAN_SLASH)
		return;
	c = extended ? plain_map[code] : shift ? shift_map[code] : plain_map[code];
	if (c == '\0')
		return;
	if (keys.caps && plain_map[code] >= 'a' && plain_map[code] <= 'z')
		c ^= 0x20;
	if (keys.left_ctrl || keys.right_ctrl)
		c = control_of(c, code);
	len = keys.left_alt || keys.right_alt;
	text[len++] = c;
	console_input(text, len, SEAT_SCREEN);
}

static void scan_byte(u8 byte)
{
	bool extended = keys.extended;
	bool down = !(byte & SCAN_RELEASED);
	u8 code = byte & (SCAN_RELEASED - 1);

	if (keys.skip > 0) {
		keys.skip--;
		return;
	}
	keys.extended = byte == SCAN_EXTENDED;
	if (byte == SCAN_EXTENDED)
		return;
	if (byte == SCAN_PAUSE)
		keys.skip = 2;
	else if (!modifier(code, extended, down) && down)
		key_pressed(code, extended);
}

void keyboard_irq(void)
{
	unsigned int i;

	for (i = 0; i < KBD_BURST; i++) {
		u8 status = inb(KBD_STATUS);
		u8 byte;

		if (status == 0xff || !(status & STATUS_OUT_FULL))
			break;
		byte = inb(KBD_DATA);
		if (!(status & STATUS_AUX))
			scan_byte(byte);
	}
}
