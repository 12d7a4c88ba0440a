/* SPDX-License-Identifier: MIT */
/* An ELF file on its way into memory: what elf.c, elf_map.c and elf_interp.c share. */
#ifndef KERNEL_PROCESS_ELF_IMAGE_H
#define KERNEL_PROCESS_ELF_IMAGE_H

#include "kernel/abi/elf.h"
#include "kernel/process/task.h"

struct elf_image {
	struct file *file;
	struct elf64_ehdr ehdr;
	struct elf64_phdr *phdrs; /* kmalloc'd; NULL when they weren't read */
	unsigned long bias;	  /* what is added to every address of the file */
};

static inline bool elf_is_good_address(unsigned long addr)
{
	return addr < TASK_SIZE;
}

/* Whether the file calls itself an ELF file for this machine; its type isn't looked at. */
bool elf_is_ours(const struct elf64_ehdr *ehdr);

/*
 * Reads len bytes from pos on. 0; -EINVAL for a negative position, -EIO where the file is shorter, or
 * what reading gives.
 */
int elf_read(struct file *file, void *buf, size_t len, u64 pos);

/* Sets image->phdrs. 0; -ENOMEM; -ENOEXEC when the header or the file has none that make sense. */
int elf_read_phdrs(struct elf_image *image);

/*
 * From the first byte that is loaded to the last, in whole pages; 0 when nothing is to be loaded, or the
 * segments' addresses make no sense together.
 */
unsigned long elf_total_size(const struct elf_image *image);

/* Whether a segment that begins at start lies within the address space, and its file part in it. */
bool elf_segment_is_sane(const struct elf64_phdr *ph, unsigned long start);

/*
 * Maps what the file has of the segment ph, at addr, which the flags of mmap(2) make a wish or an order.
 * `total` isn't 0 for the first segment of what may lie anywhere: the place that is chosen has room for
 * all. The address of the segment's first page, or -errno.
 */
unsigned long elf_map_file_part(struct file *file, const struct elf64_phdr *ph, unsigned long addr,
				unsigned long flags, unsigned long total);

/* Anonymous memory for the pages [start, end), in place of what is there. 0 or -errno. */
int elf_map_anonymous(unsigned long start, unsigned long end, bool exec);

/* The whole segment: its part of the file as above, and the memory that it has beyond. */
unsigned long elf_map_segment(const struct elf_image *image, const struct elf64_phdr *ph,
			      unsigned long addr, unsigned long flags, unsigned long total);

/*
 * Looks for a program's interpreter among its program headers, opens it, and reads and checks its headers.
 * 0, with interp->file NULL when there is none; or the error of execve(2).
 */
int elf_find_interpreter(const struct elf_image *program, struct elf_image *interp);

/*
 * Maps the interpreter and sets interp->bias, which AT_BASE is. `near` is how far the program was moved.
 * 0 or -errno. => begin_new_exec() was called
 */
int elf_map_interpreter(struct elf_image *interp, unsigned long near);

/* Closes the interpreter's file and frees the headers. */
void elf_put_interpreter(struct elf_image *interp);

#endif
