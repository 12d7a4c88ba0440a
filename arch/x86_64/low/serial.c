/* SPDX-License-Identifier: MIT */
/*
 * COM1, by polling for output and by interrupt for input. Register names and bits are those of the
 * PC16550D data sheet (National Semiconductor), section 8.
 *
 * Nothing here may hang a machine that has no UART, or whose UART never sends: every wait counts.
 */
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/keyboard.h>
#include <arch/serial.h>
#include "kernel/base/errno.h"

#define COM1 0x3f8

#define UART_DATA (COM1 + 0) /* receive and transmit buffer; divisor low when DLAB */
#define UART_IER  (COM1 + 1) /* interrupt enable; divisor high when DLAB */
#define UART_FCR  (COM1 + 2) /* FIFO control, on write */
#define UART_IIR  (COM1 + 2) /* interrupt identification, on read */
#define UART_LCR  (COM1 + 3) /* line control */
#define UART_MCR  (COM1 + 4) /* modem control */
#define UART_LSR  (COM1 + 5) /* line status */
#define UART_SCR  (COM1 + 7) /* scratch */

#define IER_RX	       0x01
#define FCR_ENABLE     0x01
#define FCR_CLEAR      0x06 /* both FIFOs */
#define FCR_TRIGGER_1  0x00 /* interrupt on the first byte received */
#define IIR_FIFO_ON    0xc0
#define LCR_8N1	       0x03
#define LCR_DLAB       0x80
#define MCR_DTR_RTS    0x03
#define MCR_OUT2       0x08 /* on a PC this gates the interrupt line */
#define MCR_LOOP       0x10
#define LSR_DATA_READY 0x01
#define LSR_TX_EMPTY   0x20 /* the holding register, or the whole transmit FIFO */
#define LSR_TX_IDLE    0x40 /* and the shift register too */

#define FIFO_SIZE 16

/*
 * How often the status is read before a byte is given up. A port read takes about a microsecond
 * and a full FIFO at 115200 baud 1.4 ms, so this is some fifty times what a working chip needs.
 */
#define TX_POLLS 100000
/* A device that always has a byte ready is broken; no burst between two interrupts is this long. */
#define RX_BURST 1024

static bool present;
static bool tx_stuck;
static unsigned int fifo_size = 1; /* bytes the chip takes when it says "empty" */
static unsigned int tx_room;	   /* of those, how many may still follow without asking */
static u8 early[FIFO_SIZE];	   /* received before anyone could take it */
static unsigned int nr_early;

static bool wait_lsr(u8 bits, unsigned int polls)
{
	while (!(inb(UART_LSR) & bits)) {
		if (polls-- == 0)
			return false;
		cpu_relax();
	}
	return true;
}

static bool scratch_works(void)
{
	outb(UART_SCR, 0x5a);
	if (inb(UART_SCR) != 0x5a)
		return false;
	outb(UART_SCR, 0xa5);
	return inb(UART_SCR) == 0xa5;
}

/* The first chips have no scratch register, but all can hear themselves. */
static bool loopback_works(void)
{
	bool heard;

	outb(UART_MCR, MCR_LOOP);
	outb(UART_DATA, 0xae);
	heard = wait_lsr(LSR_DATA_READY, TX_POLLS) && inb(UART_DATA) == 0xae;
	outb(UART_MCR, 0);
	return heard;
}

int serial_init(void)
{
	present = false;
	if (inb(UART_LSR) == 0xff) /* a bus without a device reads as ones */
		return -ENODEV;

	outb(UART_IER, 0);
	outb(UART_LCR, LCR_DLAB);
	outb(UART_DATA, 1); /* the divisor: 115200 baud / 1 */
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_8N1);
	if (!scratch_works() && !loopback_works())
		return -ENODEV;
	/* Clearing the FIFO would eat what was typed, or piped in by a script, ahead of time. */
	for (nr_early = 0; nr_early < FIFO_SIZE && (inb(UART_LSR) & LSR_DATA_READY); nr_early++)
		early[nr_early] = inb(UART_DATA);
	outb(UART_FCR, FCR_ENABLE | FCR_CLEAR | FCR_TRIGGER_1);
	outb(UART_MCR, MCR_DTR_RTS | MCR_OUT2);

	/* An 8250 or 16450 has no FIFO, and the first 16550s have a broken one: bit 6 is clear. */
	fifo_size = (inb(UART_IIR) & IIR_FIFO_ON) == IIR_FIFO_ON ? FIFO_SIZE : 1;
	tx_room = 0;
	tx_stuck = false;
	present = true;
	return 0;
}

bool serial_present(void)
{
	return present;
}

static void put_byte(u8 byte)
{
	if (tx_room == 0) {
		if (!wait_lsr(LSR_TX_EMPTY, tx_stuck ? 0 : TX_POLLS)) {
			tx_stuck = true;
			return;
		}
		tx_stuck = false;
		tx_room = fifo_size;
	}
	tx_room--;
	outb(UART_DATA, byte);
}

static void serial_write(struct console *con, const char *text, size_t len)
{
	(void)con;
	if (!present)
		return;
	for (; len > 0; len--, text++)
		put_byte((u8)*text);
}

struct console serial_console = { .name = "serial", .write = serial_write };

void serial_flush(void)
{
	if (present && !tx_stuck)
		wait_lsr(LSR_TX_IDLE, TX_POLLS);
}

void serial_enable_rx(void)
{
	if (!present)
		return;
	console_input((const char *)early, nr_early, SEAT_SERIAL);
	nr_early = 0;
	outb(UART_IER, IER_RX);
	/*
	 * An edge that came before the line was routed is lost, and no other follows while a byte
	 * is waiting: fetch it.
	 */
	serial_irq();
}

void serial_irq(void)
{
	char text[FIFO_SIZE];
	unsigned int left = RX_BURST;

	while (present && left) {
		size_t len = 0;

		while (len < sizeof(text) && (inb(UART_LSR) & LSR_DATA_READY))
			text[len++] = (char)inb(UART_DATA);
		console_input(text, len, SEAT_SERIAL);
		left = len == sizeof(text) ? left - FIFO_SIZE : 0;
	}
}
