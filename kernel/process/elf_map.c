/* SPDX-License-Identifier: MIT */
/*
 * ELF files: headers and segments. Segments are mapped, not read: their pages come from the page cache
 * when they are touched. Where a segment is larger in memory than in the file, the rest of its last page
 * is cleared and what is beyond is anonymous memory.
 */
#include <arch/uaccess.h>

#include "kernel/abi/mman.h"
#include "kernel/base/string.h"
#include "kernel/process/current.h"
#include "kernel/process/elf_image.h"
#include "mm/calls.h"
#include "mm/slab.h"
#include "mm/vma.h"

bool elf_is_ours(const struct elf64_ehdr *ehdr)
{
	static const u8 magic[] = { 0x7f, 'E', 'L', 'F' };

	return memcmp(ehdr->e_ident, magic, sizeof(magic)) == 0 && ehdr->e_machine == EM_X86_64;
}

int elf_read(struct file *file, void *buf, size_t len, u64 pos)
{
	ssize_t n = (s64)pos < 0 ? -EINVAL : kernel_read(file, buf, len, (loff_t)pos);

	return n < 0 ? (int)n : (size_t)n == len ? 0 : -EIO;
}

int elf_read_phdrs(struct elf_image *image)
{
	size_t size = image->ehdr.e_phnum * sizeof(struct elf64_phdr);

	if (image->ehdr.e_phentsize != sizeof(struct elf64_phdr) || size == 0 || size > 65536)
		return -ENOEXEC;
	image->phdrs = kmalloc(size, GFP_KERNEL);
	if (!image->phdrs)
		return -ENOMEM;
	if (elf_read(image->file, image->phdrs, size, image->ehdr.e_phoff) == 0)
		return 0;
	kfree(image->phdrs);
	image->phdrs = NULL;
	return -ENOEXEC; /* whatever kept them from being read */
}

unsigned long elf_total_size(const struct elf_image *image)
{
	unsigned long low = ~0UL, high = 0;

	for (int i = 0; i < image->ehdr.e_phnum; i++) {
		const struct elf64_phdr *ph = &image->phdrs[i];

		if (ph->p_type != PT_LOAD)
			continue;
		low = min(low, ALIGN_DOWN(ph->p_vaddr, PAGE_SIZE));
		high = max(high, ph->p_vaddr + ph->p_memsz);
	}
	return high > low ? ALIGN_UP(high - low, PAGE_SIZE) : 0;
}

bool elf_segment_is_sane(const struct elf64_phdr *ph, unsigned long start)
{
	return ph->p_filesz <= ph->p_memsz && elf_is_good_address(start) &&
	       ph->p_memsz <= TASK_SIZE && TASK_SIZE - ph->p_memsz >= start;
}

static unsigned long segment_prot(const struct elf64_phdr *ph)
{
	return (ph->p_flags & PF_R ? PROT_READ : 0) | (ph->p_flags & PF_W ? PROT_WRITE : 0) |
	       (ph->p_flags & PF_X ? PROT_EXEC : 0);
}

unsigned long elf_map_file_part(struct file *file, const struct elf64_phdr *ph, unsigned long addr,
				unsigned long flags, unsigned long total)
{
	unsigned long offset = ph->p_vaddr & ~PAGE_MASK;
	unsigned long size = ALIGN_UP(ph->p_filesz + offset, PAGE_SIZE);
	unsigned long map;

	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	if (!size)
		return addr;
	map = vm_mmap(&file->vm_file, addr, total ? total : size, segment_prot(ph), flags,
		      ph->p_offset - offset);
	if (total > size && !IS_ERR_VALUE(map))
		vm_munmap(map + size, total - size);
	return map;
}

/* Whether nothing is in the file where the last page of what the segment takes from it would be. */
static bool ends_behind(const struct file *file, const struct elf64_phdr *ph)
{
	return ALIGN_DOWN(ph->p_offset + ph->p_filesz, PAGE_SIZE) >= i_size_read(file->f_inode);
}

int elf_map_anonymous(unsigned long start, unsigned long end, bool exec)
{
	struct mm_struct *mm = current->mm_part.mm;
	int err;

	if (start >= end)
		return 0;
	mmap_write_lock(mm);
	err = do_munmap(mm, start, end - start);
	if (!err)
		err = do_brk_flags(mm, start, end - start, exec ? VM_EXEC : 0);
	mmap_write_unlock(mm);
	return err;
}

/* The memory of a segment beyond what the file gives. [start, end) in bytes. */
static int map_bss(const struct file *file, const struct elf64_phdr *ph, unsigned long start,
		   unsigned long end)
{
	unsigned long page = ALIGN_UP(start, PAGE_SIZE);
	int err = elf_map_anonymous(page, ALIGN_UP(end, PAGE_SIZE), ph->p_flags & PF_X);

	/* To the end of the page: some take what is behind their data for fresh memory. */
	if (!err && page > start && (ph->p_flags & PF_W) && !ends_behind(file, ph) &&
	    clear_user((void __user *)start, page - start))
		err = -EFAULT;
	return err;
}

unsigned long elf_map_segment(const struct elf_image *image, const struct elf64_phdr *ph,
			      unsigned long addr, unsigned long flags, unsigned long total)
{
	unsigned long map = elf_map_file_part(image->file, ph, addr, flags, total), start;
	int err;

	if (IS_ERR_VALUE(map) || ph->p_memsz <= ph->p_filesz)
		return map;
	start = map + (ph->p_vaddr & ~PAGE_MASK);
	err = map_bss(image->file, ph, start + ph->p_filesz, start + ph->p_memsz);
	return err ? (unsigned long)err : map;
}
