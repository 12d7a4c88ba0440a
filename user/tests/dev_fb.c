/* SPDX-License-Identifier: MIT */
/* runs as root */
/*
 * /dev/fb0, where the machine was started with a framebuffer. As "dev_fb draw" it paints a rectangle into
 * the lower right corner, for who looks at the screen.
 */
#include "forks.h"
#include "kernel/abi/fb.h"
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static struct fb_fix_screeninfo finfo;
static struct fb_var_screeninfo now;
static int fd;
static char *screen; /* all of it, mapped */

static bool open_device(void)
{
	const char *node = "/tmp/fb0";

	fd = open("/dev/fb0", O_RDWR);
	if (fd >= 0)
		return true;
	/* A reference without /dev. */
	unlink(node);
	if (mknod(node, S_IFCHR | 0600, makedev(29, 0)) != 0)
		return false;
	fd = open(node, O_RDWR);
	unlink(node);
	return fd >= 0;
}

static bool get_ready(void)
{
	if (!open_device() || ioctl(fd, FBIOGET_FSCREENINFO, &finfo) != 0 ||
	    ioctl(fd, FBIOGET_VSCREENINFO, &now) != 0)
		return false;
	screen = (char *)raw_mmap(0, finfo.smem_len, RW, MAP_SHARED, fd, 0);
	return !is_error((long)screen);
}

/* --- draw ------------------------------------------------------------------------------------ */

#define DRAWN_WIDTH  64U
#define DRAWN_HEIGHT 32U

static uint32_t scaled(unsigned int value, const struct fb_bitfield *field)
{
	return value >> (8 - field->length) << field->offset;
}

/* Each pixel's colour tells where it is. */
static int draw(int argc, char **argv)
{
	unsigned int bytes;

	if (!get_ready())
		return 1;
	bytes = now.bits_per_pixel / 8;
	for (unsigned int y = 0; y < DRAWN_HEIGHT; y++)
		for (unsigned int x = 0; x < DRAWN_WIDTH; x++) {
			uint32_t pixel = scaled(x * 4, &now.red) | scaled(y * 8, &now.green) |
					 scaled(128, &now.blue);
			char *at = screen + (now.yres - DRAWN_HEIGHT + y) * finfo.line_length +
				   (now.xres - DRAWN_WIDTH + x) * bytes;

			memcpy(at, &pixel, bytes);
		}
	printf("drawn %ux%u at %u bits, map flags %s\n", now.xres, now.yres, now.bits_per_pixel,
	       vm_flags(screen, "sd ar"));
	return 0;
}

static const struct mode modes[] = { { "draw", draw }, { NULL, NULL } };

/* --- checks ---------------------------------------------------------------------------------- */

static void modes_and_requests(void)
{
	struct fb_var_screeninfo other = now;
	long no = 1;

	ok(now.xres && now.yres, "a screen of %u x %u", now.xres, now.yres);
	ok(now.bits_per_pixel >= 15 && now.bits_per_pixel <= 32, "%u bits a pixel",
	   now.bits_per_pixel);
	ok(finfo.line_length >= now.xres * (now.bits_per_pixel / 8), "a line is %u bytes long",
	   finfo.line_length);
	ok(finfo.smem_len >= finfo.line_length * now.yres, "there is memory for all lines");
	is(result(ioctl(fd, FBIOPUT_VSCREENINFO, &other)), 0, "the mode it has can be set");
	other.xres = 17;
	is(result(ioctl(fd, FBIOPUT_VSCREENINFO, &other)), 0, "another, too");
	is(other.xres, now.xres, "... but it stays what it is");
	other.yoffset = 1;
	is(result(ioctl(fd, FBIOPAN_DISPLAY, &other)), -EINVAL, "there is nothing to pan to");
	is(result(ioctl(fd, 0x46ff, &no)), -ENOTTY, "an unknown request");
	is(result(ioctl(fd, FBIOGET_VSCREENINFO, NULL)), -EFAULT, "nowhere to answer to");
	is(result(ioctl(fd, FBIOGET_FSCREENINFO, NULL)), -EFAULT, "... in either way");
	is(result(ioctl(fd, FBIOPUT_VSCREENINFO, NULL)), -EFAULT, "nothing to set");
}

static void mappings(void)
{
	const unsigned long end = (finfo.smem_len + PAGE - 1) & -PAGE;
	char *other = (char *)raw_mmap(0, PAGE, RW, MAP_SHARED, fd, end - PAGE), *copy;
	int got;

	is_str(vm_flags(screen, "sd ar"), "rd wr sh mr mw me ms pf io de dd", "its area");
	is(raw_mmap(0, PAGE, RW, MAP_SHARED, fd, end), -EINVAL, "mmap behind the end");
	is(raw_mmap(0, 2 * PAGE, RW, MAP_SHARED, fd, end - PAGE), -EINVAL, "... beyond it");
	ok(!is_error((long)other), "up to the end");
	is(faults_of_read(screen + end - PAGE, &got), 0, "it is mapped at once");
	screen[end - PAGE] = 12;
	is(peek(other), 12, "two mappings show the same");
	other[1] = 34;
	is(peek(screen + end - PAGE + 1), 34, "... both ways");
	copy = (char *)raw_mmap(0, PAGE, RW, MAP_PRIVATE, fd, end - PAGE);
	is(peek(copy), 12, "a private one shows it, too");
	is(faults_of_write(copy, 56), 1, "... and a write there");
	is(peek(other), 12, "... is a copy's");
	is(peek(copy + 1), 34, "... of all of the page");
	raw_munmap((unsigned long)copy, PAGE);
	raw_mprotect((unsigned long)other, PAGE, PROT_READ);
	is(peek(other), 12, "mprotect");
	raw_munmap((unsigned long)other, PAGE);
}

static void bytes(void)
{
	const long size = finfo.smem_len;
	char buf[8] = "abcdefg", back[8];

	is(pwrite(fd, buf, 8, size - 8), 8, "pwrite");
	ok(memcmp(screen + size - 8, buf, 8) == 0, "... is seen in memory");
	screen[size - 8] = 'X';
	is(pread(fd, back, 8, size - 8), 8, "pread");
	is(back[0], 'X', "... sees what memory has");
	is(pread(fd, back, 8, size - 4), 4, "... up to the end");
	is(pread(fd, back, 8, size), 0, "... which is the end");
	is(pread(fd, back, 8, size + 4), 0, "... also from behind");
	is(pwrite(fd, buf, 8, size - 4), 4, "pwrite up to the end");
	is(result(pwrite(fd, buf, 8, size)), -ENOSPC, "... at the end");
	is(result(pwrite(fd, buf, 8, size + 1)), -EFBIG, "... behind it");
	is(pwrite(fd, buf, 0, size), 0, "... nothing, at the end");
	is(lseek(fd, 5, SEEK_END), 5, "lseek: its end is its start");
	is(lseek(fd, size + 5, SEEK_SET), size + 5, "... and anything goes");
	is(result(lseek(fd, -1, SEEK_SET)), -EINVAL, "... that isn't negative");
	is(lseek(fd, size - 8, SEEK_SET), size - 8, "from there");
	is(read(fd, back, 4), 4, "... read");
	is(lseek(fd, 0, SEEK_CUR), size - 4, "... goes on");
	is(result(pread(fd, (void *)1, 8, 0)), -EFAULT, "nowhere to read to");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	if (!get_ready())
		skip_all("there is no framebuffer, or only for root");
	modes_and_requests();
	mappings();
	bytes();
	return done_testing();
}
