/* SPDX-License-Identifier: MIT */
/*
 * /dev/fb0: the screen's memory, when the machine was started with a linear framebuffer. Programs map it,
 * or read and write it; its mode is what the boot loader set, for ever. The kernel's console goes on
 * drawing there as well.
 */
#include <arch/uaccess.h>

#include "kernel/abi/fb.h"
#include "kernel/base/string.h"
#include "kernel/fs/dev.h"
#include "mm/mapping.h"

static struct boot_framebuffer screen;
static char *pixels;

void fb_register(const struct boot_framebuffer *fb, void *mem)
{
	screen = *fb;
	pixels = mem;
}

bool fb_exists(void)
{
	return pixels;
}

static u64 screen_bytes(void)
{
	return (u64)screen.pitch * screen.height;
}

/* --- bytes ---------------------------------------------------------------------------------------- */

static ssize_t fb_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	const u64 size = screen_bytes();
	size_t n, got;

	if ((u64)*pos >= size)
		return 0;
	n = min(to->count, (size_t)(size - (u64)*pos));
	got = copy_to_iter(pixels + *pos, n, to);
	*pos += (loff_t)got;
	return got || !n ? (ssize_t)got : -EFAULT;
}

/* As Linux has it: EFBIG for more than a screen, ENOSPC for what goes beyond its end. */
static ssize_t fb_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	const u64 size = screen_bytes();
	size_t n = from->count, got;
	ssize_t err = 0;

	if ((u64)*pos > size)
		return -EFBIG;
	if (n > size) {
		err = -EFBIG;
		n = size;
	}
	if (n > size - (u64)*pos) {
		err = err ? err : -ENOSPC;
		n = size - (u64)*pos;
	}
	got = copy_from_iter(pixels + *pos, n, from);
	*pos += (loff_t)got;
	if (got < n)
		err = -EFAULT;
	return got ? (ssize_t)got : err;
}

/* The node's size is 0: SEEK_END counts from there. */
static loff_t fb_llseek(struct file *file, loff_t offset, int whence)
{
	return generic_llseek(file, offset, whence, 0, MAX_FILE_SIZE);
}

/* --- the mode ------------------------------------------------------------------------------------- */

static int get_fix(struct fb_fix_screeninfo __user *to)
{
	const struct fb_fix_screeninfo fix = {
		.id = "boot",
		.smem_start = screen.addr,
		.smem_len = (u32)screen_bytes(),
		.type = FB_TYPE_PACKED_PIXELS,
		.visual = FB_VISUAL_TRUECOLOR,
		.line_length = screen.pitch,
		.accel = FB_ACCEL_NONE,
	};

	return copy_to_user(to, &fix, sizeof(fix)) ? -EFAULT : 0;
}

static int get_var(struct fb_var_screeninfo __user *to)
{
	const struct fb_var_screeninfo var = {
		.xres = screen.width,
		.yres = screen.height,
		.xres_virtual = screen.width,
		.yres_virtual = screen.height,
		.bits_per_pixel = screen.bpp,
		.red = { screen.red_pos, screen.red_size, 0 },
		.green = { screen.green_pos, screen.green_size, 0 },
		.blue = { screen.blue_pos, screen.blue_size, 0 },
		.height = ~0U, /* unknown */
		.width = ~0U,
	};

	return copy_to_user(to, &var, sizeof(var)) ? -EFAULT : 0;
}

/* There is one mode: who asks for another gets it told which. */
static int put_var(struct fb_var_screeninfo __user *arg)
{
	struct fb_var_screeninfo wanted;

	if (copy_from_user(&wanted, arg, sizeof(wanted)))
		return -EFAULT;
	return get_var(arg);
}

static int pan_display(const struct fb_var_screeninfo __user *arg)
{
	struct fb_var_screeninfo wanted;

	/* There is nothing beside what is shown. */
	return copy_from_user(&wanted, arg, sizeof(wanted)) ? -EFAULT : -EINVAL;
}

static long fb_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case FBIOGET_FSCREENINFO:
		return get_fix((void __user *)arg);
	case FBIOGET_VSCREENINFO:
		return get_var((void __user *)arg);
	case FBIOPUT_VSCREENINFO:
		return put_var((void __user *)arg);
	case FBIOPAN_DISPLAY:
		return pan_display((void __user *)arg);
	case FBIOBLANK:
		return -EINVAL; /* it can't be switched off */
	}
	return -ENOTTY;
}

/* --- mmap ----------------------------------------------------------------------------------------- */

static int fb_mmap(struct file *file, struct vm_area_struct *vma)
{
	const u64 first = screen.addr >> PAGE_SHIFT;
	const u64 end = ALIGN_UP(screen.addr + screen_bytes(), PAGE_SIZE) >> PAGE_SHIFT;
	const u64 pages = end - first;

	if (vma->vm_pgoff > pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	return remap_pfn_range(vma, vma->vm_start, make_pfn(first + vma->vm_pgoff),
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

const struct file_operations fb_fops = {
	.llseek = fb_llseek,
	.read_iter = fb_read,
	.write_iter = fb_write,
	.ioctl = fb_ioctl,
	.mmap = fb_mmap,
};
