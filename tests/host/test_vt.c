/* SPDX-License-Identifier: MIT */
/*
 * The terminal's screen: what each sequence does to cells and cursor, that the display shows just
 * what the cells hold, and that nothing a program may send leaves the grid.
 */
#include "kernel/lib/vt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/host/tap.h"

#define COLS 10
#define ROWS 5

static vt_cell cells[COLS * ROWS], shown[COLS * ROWS], display[COLS * ROWS];
static int cursor_at; /* on the display; -1: hidden */
static unsigned int draws;

static void draw(struct vt *vt, unsigned int x, unsigned int y, vt_cell cell)
{
	if (x >= COLS || y >= ROWS)
		abort();
	display[y * vt->cols + x] = cell;
	draws++;
}

static void cursor(struct vt *vt, unsigned int x, unsigned int y, bool on)
{
	if (x >= COLS || y >= ROWS)
		abort();
	cursor_at = on ? (int)(y * vt->cols + x) : -1;
}

static struct vt vt = {
	.cols = COLS,
	.rows = ROWS,
	.cells = cells,
	.shown = shown,
	.draw = draw,
	.cursor = cursor,
};

static void start(void)
{
	for (int i = 0; i < COLS * ROWS; i++)
		display[i] = VT_CELL(' ', VT_NORMAL);
	vt_init(&vt);
}

static void put(const char *text)
{
	vt_write(&vt, text, strlen(text));
}

/* The rows, each without the blanks at its end, with | between them. */
static const char *screen(void)
{
	static char text[COLS * ROWS + ROWS + 1];
	char *to = text;

	for (int y = 0; y < ROWS; y++) {
		int len = COLS;

		while (len && (display[y * COLS + len - 1] & 0xff) == ' ')
			len--;
		for (int x = 0; x < len; x++)
			*to++ = (char)display[y * COLS + x];
		*to++ = '|';
	}
	to[-1] = '\0';
	return text;
}

/* On a fresh screen, `text` gives `want`, with the cursor at (x, y). */
static void gives(const char *text, const char *want, int x, int y, const char *name)
{
	bool good;

	start();
	put(text);
	good = !strcmp(screen(), want) && cursor_at == y * COLS + x &&
	       !memcmp(display, cells, sizeof(cells));
	ok(good, "%s", name);
	if (!good)
		diag("the screen is \"%s\", the cursor at %d,%d", screen(), cursor_at % COLS,
		     cursor_at / COLS);
}

static void text(void)
{
	gives("hello", "hello||||", 5, 0, "text");
	gives("a\r\nb\nc", "a|b| c||", 2, 2, "\\n goes down, \\r to the line's begin");
	gives("0123456789", "0123456789||||", 9, 0, "a full line doesn't wrap yet");
	gives("0123456789\r\nx", "0123456789|x|||", 1, 1, "and takes one row");
	gives("0123456789x", "0123456789|x|||", 1, 1, "one more character wraps");
	gives("\033[?7l0123456789xy", "012345678y||||", 9, 0, "unless wrapping is off");
	gives("abc\b\bX", "aXc||||", 2, 0, "\\b moves back");
	gives("\b\bX", "X||||", 1, 0, "but not beyond the line");
	gives("a\tb", "a       b||||", 9, 0, "a tab");
	gives("a\t\t\tb", "a        b||||", 9, 0, "tabs end at the last column");
	gives("1\r\n2\r\n3\r\n4\r\n5\r\n6", "2|3|4|5|6", 1, 4, "the last line scrolls");
	gives("na\303\257ve \342\202\254", "na?ve ?||||", 7, 0, "what isn't ASCII is one ?");
	gives("a\001\002\007b\177c", "abc||||", 3, 0, "other control characters do nothing");
}

static void moving(void)
{
	gives("\033[3;4Hx", "||   x||", 4, 2, "CUP");
	gives("abc\033[Hx", "xbc||||", 1, 0, "CUP without numbers is home");
	gives("\033[99;99Hx", "||||         x", 9, 4, "CUP beyond the screen");
	gives("\033[0;0Hx", "x||||", 1, 0, "0 means 1");
	gives("\033[3;3f\033[A\033[2Cx", "|    x|||", 5, 1, "HVP, CUU, CUF");
	gives("\033[3;3H\033[2B\033[Dx", "|||| x", 2, 4, "CUD, CUB");
	gives("\033[9A\033[99Dx", "x||||", 1, 0, "they end at the edge");
	gives("ab\033[3Gx\033[3dy", "abx||   y||", 4, 2, "CHA and VPA");
	gives("abc\033[2Ex\033[Fy", "abc|y|x||", 1, 1, "CNL and CPL");
	gives("\033[2;3H\033[1m\0337\033[0m\033[Hx\0338y", "x|  y|||", 3, 1, "DECSC and DECRC");
	gives("\033[2;3H\033[s\033[Hx\033[uy", "x|  y|||", 3, 1, "so by CSI s and u");
	gives("0123456789\033[Dx", "01234567x9||||", 9, 0, "back from a full line");
	gives("\033[3g\033[1;3H\033H\033[H\tx", "  x||||", 3, 0, "tab stops are cleared and set");
	gives("\033[;5Hx", "    x||||", 5, 0, "a parameter left out");
}

static void erasing(void)
{
	const char *all = "aaaa\r\nbbbb\r\ncccc\r\ndddd\r\neeee\033[3;3H";
	char line[128];

#define AFTER(seq, want, x, y, name)                      \
	snprintf(line, sizeof(line), "%s%s", all, (seq)); \
	gives(line, want, x, y, name)
	AFTER("\033[J", "aaaa|bbbb|cc||", 2, 2, "ED to the end");
	AFTER("\033[1J", "||   c|dddd|eeee", 2, 2, "ED to here");
	AFTER("\033[2J", "||||", 2, 2, "ED of all");
	AFTER("\033[K", "aaaa|bbbb|cc|dddd|eeee", 2, 2, "EL to the end");
	AFTER("\033[1K", "aaaa|bbbb|   c|dddd|eeee", 2, 2, "EL to here");
	AFTER("\033[2K", "aaaa|bbbb||dddd|eeee", 2, 2, "EL of all");
	AFTER("\033[X", "aaaa|bbbb|cc c|dddd|eeee", 2, 2, "ECH");
	AFTER("\033[99X", "aaaa|bbbb|cc|dddd|eeee", 2, 2, "ECH beyond the line");
	AFTER("\033[2@", "aaaa|bbbb|cc  cc|dddd|eeee", 2, 2, "ICH");
	AFTER("\033[P", "aaaa|bbbb|ccc|dddd|eeee", 2, 2, "DCH");
	AFTER("\033[99P", "aaaa|bbbb|cc|dddd|eeee", 2, 2, "DCH beyond the line");
	AFTER("\033[L", "aaaa|bbbb||cccc|dddd", 0, 2, "IL");
	AFTER("\033[2M", "aaaa|bbbb|eeee||", 0, 2, "DL");
	AFTER("\033[99M", "aaaa|bbbb|||", 0, 2, "DL of more than there are");
	AFTER("\033[4hXY\033[4lZ", "aaaa|bbbb|ccXYZc|dddd|eeee", 5, 2, "insert mode");
	AFTER("\033[S", "bbbb|cccc|dddd|eeee|", 2, 2, "SU");
	AFTER("\033[2T", "||aaaa|bbbb|cccc", 2, 2, "SD");
	AFTER("\033c", "||||", 0, 0, "RIS");
	AFTER("\033[2;4r\033[4;1H\nx", "aaaa|cccc|dddd|x|eeee", 1, 3, "a region scrolls alone");
	AFTER("\033[2;4r\033[2;1H\033Mx", "aaaa|x|bbbb|cccc|eeee", 1, 1, "down, by RI");
	AFTER("\033[2;4r\033[5;1H\nx", "aaaa|bbbb|cccc|dddd|xeee", 1, 4, "below it nothing does");
#undef AFTER
}

static void regions(void)
{
	gives("a\r\nb\r\nc\r\nd\r\ne\033[2;4r\033[L", "a|b|c|d|e", 0, 0, "IL outside the region");
	gives("a\r\nb\r\nc\r\nd\r\ne\033[2;4r\033[3;1H\033[L", "a|b||c|e", 0, 2, "IL inside");
	gives("\033[2;4r\033[?6h\033[Hx\033[9;1Hy", "|x||y|", 1, 3, "origin mode");
	gives("\033[4;2r\033[5;1Hx", "||||x", 1, 4, "a region upside down is none");
	gives("\033[2;4r\033[3;1H\033[9Ax\033[9By", "|x|| y|", 2, 3, "CUU and CUD stay inside");
}

static vt_cell cell(const char *text)
{
	start();
	put(text);
	return display[0];
}

static void looks(void)
{
	is(cell("a"), VT_CELL('a', 0x07), "grey on black");
	is(cell("\033[31ma"), VT_CELL('a', 0x04), "red is VGA's 4");
	is(cell("\033[34;43ma"), VT_CELL('a', 0x61), "blue on yellow");
	is(cell("\033[1;32ma"), VT_CELL('a', 0x0a), "bright");
	is(cell("\033[1;32m\033[22ma"), VT_CELL('a', 0x02), "and no longer");
	is(cell("\033[7ma"), VT_CELL('a', 0x70), "reverse");
	is(cell("\033[7;31;44ma"), VT_CELL('a', 0x41), "reverse, coloured");
	is(cell("\033[7m\033[27ma"), VT_CELL('a', 0x07), "and back");
	is(cell("\033[31m\033[ma"), VT_CELL('a', 0x07), "no number resets");
	is(cell("\033[31;1;39ma"), VT_CELL('a', 0x0f), "the usual colour");
	is(cell("\033[95ma"), VT_CELL('a', 0x0d), "bright by a number");
	is(cell("\033[38;5;9ma"), VT_CELL('a', 0x0c), "one of 256");
	is(cell("\033[38;5;196;1ma"), VT_CELL('a', 0x0c), "of the cube");
	is(cell("\033[38;2;0;0;255;44ma"), VT_CELL('a', 0x19), "of 24 bits, and on with the next");
	is(cell("\033[44m\033[2J"), VT_CELL(' ', 0x17), "what is erased has the ground's colour");
	is(cell("\033(0q"), VT_CELL('-', 0x07), "line drawing");
	is(cell("\033(0\033(Bq"), VT_CELL('q', 0x07), "and text again");
}

static void strange(void)
{
	gives("a\033[?1049hb\033[>0cc", "abc||||", 3, 0, "private modes that mean nothing");
	gives("a\033]0;title\007b", "ab||||", 2, 0, "a string up to BEL");
	gives("a\033]0;title\033\\b", "ab||||", 2, 0, "a string up to ESC \\");
	gives("a\033P1$x\033\\b", "ab||||", 2, 0, "DCS");
	gives("a\033[1\030b", "ab||||", 2, 0, "CAN ends a sequence");
	gives("a\033[1\033[Cb", "a b||||", 3, 0, "ESC begins another");
	gives("ab\033[\b1Dc", "cb||||", 1, 0, "a control character within a sequence");
	gives("a\033[ qb\033[!pc", "abc||||", 3, 0, "intermediate characters");
	gives("\033[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18ma", "a||||", 1, 0,
	      "more parameters than there is room for");
	gives("\033[99999999999999999999Cx", "         x||||", 9, 0, "a giant number");
	gives("a\033#8b\033%Gc", "abc||||", 3, 0, "sequences of three bytes");
}

static void hidden_cursor(void)
{
	start();
	put("ab\033[?25l");
	is(cursor_at, -1, "the cursor is hidden");
	put("c");
	is(cursor_at, -1, "and stays so");
	put("\033[?25h");
	is(cursor_at, 3, "and is shown where it has got to");
}

static const char *answer(const char *question)
{
	static char got[VT_REPLY_SIZE + 1];

	put(question);
	got[vt_take_reply(&vt, got, VT_REPLY_SIZE)] = '\0';
	return got;
}

static void answers(void)
{
	char some[4];

	start();
	ok(!strcmp(answer("\033[3;4H\033[6n"), "\033[3;4R"), "where the cursor is");
	ok(!strcmp(answer("\033[99;99Hx\033[6n"), "\033[5;10R"), "on a full line: its last column");
	ok(!strcmp(answer("\033[5n"), "\033[0n"), "whether all is well");
	ok(!strcmp(answer("\033[c"), "\033[?6c"), "what it is");
	ok(!strcmp(answer("\033[2;4r\033[?6h\033[2;2H\033[6n"), "\033[2;2R"), "in origin mode");
	ok(!strcmp(answer("\033[?6n"), ""), "a private question gets no answer");
	put("\033[5n\033[5n");
	is(vt_take_reply(&vt, some, sizeof(some)), 4, "answers wait");
	is(vt_take_reply(&vt, some, sizeof(some)), 4, "for who takes them");
	is(vt_take_reply(&vt, some, sizeof(some)), 0, "and are gone then");
	for (int i = 0; i < 100; i++)
		put("\033[5n");
	is(strlen(answer("")) % 4, 0, "too many are dropped whole");
}

static void drawing(void)
{
	start();
	put("hello");
	draws = 0;
	put("\rhello");
	is(draws, 0, "what is there isn't drawn again");
	put("\rhallo");
	is(draws, 1, "only what differs is");
}

/* Whatever comes, cells and cursor stay inside (or ASan ends this), and the display is right. */
static void noise(void)
{
	static const char likely[] =
		"\033\033\033[[[;;0123456789?ABCDGHJKLMPSTX@cdfghlmnrsu78DEM\n\r\t\bab";
	bool good = true;

	start();
	for (int i = 0; i < 20000 && good; i++) {
		char burst[64];

		for (size_t k = 0; k < sizeof(burst); k++)
			burst[k] = test_random() % 16 ?
					   likely[test_random() % (sizeof(likely) - 1)] :
					   (char)test_random();
		vt_write(&vt, burst, sizeof(burst));
		good = !memcmp(display, cells, sizeof(cells)) && vt.at.x <= COLS &&
		       vt.at.y < ROWS && vt.top < vt.bottom && vt.bottom <= ROWS;
	}
	ok(good, "noise leaves a screen that is shown as it is");
}

int main(void)
{
	text();
	moving();
	erasing();
	regions();
	looks();
	strange();
	hidden_cursor();
	answers();
	drawing();
	noise();
	return done_testing();
}
