/* SPDX-License-Identifier: MIT */
/* ioctl(2) requests of files and terminals, and what they carry: Linux x86-64's values. */
#ifndef KERNEL_ABI_IOCTL_H
#define KERNEL_ABI_IOCTL_H

#include <stdint.h>

#define TCGETS	   0x5401
#define TCSETS	   0x5402
#define TCSETSW	   0x5403
#define TCSETSF	   0x5404
#define TCSBRK	   0x5409
#define TCXONC	   0x540a
#define TCFLSH	   0x540b
#define TIOCSCTTY  0x540e
#define TIOCGPGRP  0x540f
#define TIOCSPGRP  0x5410
#define TIOCOUTQ   0x5411
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414
#define FIONREAD   0x541b /* TIOCINQ is another name for it */
#define FIONBIO	   0x5421
#define TIOCNOTTY  0x5422
#define TCSBRKP	   0x5425
#define TIOCGSID   0x5429
#define FIONCLEX   0x5450
#define FIOCLEX	   0x5451

#define BLKROGET     0x125e
#define BLKGETSIZE   0x1260 /* sectors of 512 bytes */
#define BLKFLSBUF    0x1261
#define BLKSSZGET    0x1268
#define BLKPBSZGET   0x127b
#define BLKGETSIZE64 0x80081272 /* bytes */

#define FS_IOC_GETFLAGS 0x80086601U /* both of an int, whatever the number says */
#define FS_IOC_SETFLAGS 0x40086602U

#define TCIFLUSH  0
#define TCOFLUSH  1
#define TCIOFLUSH 2

#define TCOOFF 0
#define TCOON  1
#define TCIOFF 2
#define TCION  3

struct winsize {
	uint16_t ws_row, ws_col, ws_xpixel, ws_ypixel;
};

#define NCCS_KERNEL 19

struct kernel_termios {
	uint32_t c_iflag;
	uint32_t c_oflag;
	uint32_t c_cflag;
	uint32_t c_lflag;
	uint8_t c_line;
	uint8_t c_cc[NCCS_KERNEL];
};
_Static_assert(sizeof(struct kernel_termios) == 36, "the kernel's struct termios has 36 bytes");

/* Indices into c_cc. */
#define VINTR	 0
#define VQUIT	 1
#define VERASE	 2
#define VKILL	 3
#define VEOF	 4
#define VTIME	 5
#define VMIN	 6
#define VSTART	 8
#define VSTOP	 9
#define VSUSP	 10
#define VEOL	 11
#define VREPRINT 12
#define VDISCARD 13
#define VWERASE	 14
#define VLNEXT	 15
#define VEOL2	 16

/* c_iflag */
#define ISTRIP 0000040
#define INLCR  0000100
#define IGNCR  0000200
#define ICRNL  0000400
#define IXON   0002000
#define IXANY  0004000
#define IUTF8  0040000

/* c_oflag */
#define OPOST  0000001
#define OLCUC  0000002
#define ONLCR  0000004
#define OCRNL  0000010
#define ONOCR  0000020
#define ONLRET 0000040
#define TABDLY 0014000
#define XTABS  0014000

/* c_cflag */
#define B38400 0000017
#define CS8    0000060
#define CREAD  0000200
#define HUPCL  0002000

/* c_lflag */
#define ISIG	0000001
#define ICANON	0000002
#define ECHO	0000010
#define ECHOE	0000020
#define ECHOK	0000040
#define ECHONL	0000100
#define NOFLSH	0000200
#define TOSTOP	0000400
#define ECHOCTL 0001000
#define ECHOKE	0004000
#define IEXTEN	0100000

#endif
