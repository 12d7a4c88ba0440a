/* SPDX-License-Identifier: MIT */
/*
 * The interpreter of an ELF program, which its PT_INTERP header names: for programs with shared libraries,
 * ld.so. It is mapped beside the program and runs first; the auxiliary vector tells it where both are.
 */
#include <arch/uaccess.h>

#include "kernel/abi/mman.h"
#include "kernel/base/string.h"
#include "kernel/process/elf_image.h"
#include "kernel/process/exec.h"
#include "mm/slab.h"

/* The file that a PT_INTERP header names, or ERR_PTR. */
static struct file *open_named(struct file *program, const struct elf64_phdr *ph)
{
	struct file *interp;
	char *name;
	int err;

	if (ph->p_filesz > PATH_MAX || ph->p_filesz < 2)
		return ERR_PTR(-ENOEXEC);
	name = kmalloc(ph->p_filesz, GFP_KERNEL);
	if (!name)
		return ERR_PTR(-ENOMEM);
	err = elf_read(program, name, ph->p_filesz, ph->p_offset);
	if (!err && name[ph->p_filesz - 1])
		err = -ENOEXEC;
	interp = err ? ERR_PTR(err) : open_interpreter(name);
	kfree(name);
	return interp;
}

/* Reads the headers of an interpreter that has just been opened. */
static int read_headers(struct elf_image *interp)
{
	int err = elf_read(interp->file, &interp->ehdr, sizeof(interp->ehdr), 0);

	if (err)
		return err;
	/* Whether its type is one that can be loaded is found out later: there is no error for it. */
	if (!elf_is_ours(&interp->ehdr))
		return -ELIBBAD;
	err = elf_read_phdrs(interp);
	return err == -ENOEXEC ? -ELIBBAD : err;
}

int elf_find_interpreter(const struct elf_image *program, struct elf_image *interp)
{
	const struct elf64_phdr *ph = program->phdrs, *end = ph + program->ehdr.e_phnum;
	struct file *file;
	int err;

	while (ph < end && ph->p_type != PT_INTERP)
		ph++;
	if (ph == end)
		return 0;
	file = open_named(program->file, ph);
	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	interp->file = file;
	err = read_headers(interp);
	if (err)
		elf_put_interpreter(interp);
	return err;
}

/*
 * The memory behind all segments, which begins where the last part of the file ends. Of a segment that is
 * followed by others only what the file has is mapped.
 */
static int map_bss(const struct elf_image *interp)
{
	unsigned long file_end = 0, end = 0, page;
	bool exec = false;

	for (int i = 0; i < interp->ehdr.e_phnum; i++) {
		const struct elf64_phdr *ph = &interp->phdrs[i];
		unsigned long start = interp->bias + ph->p_vaddr;

		if (ph->p_type != PT_LOAD)
			continue;
		file_end = max(file_end, start + ph->p_filesz);
		if (start + ph->p_memsz > end) {
			end = start + ph->p_memsz;
			exec = ph->p_flags & PF_X;
		}
	}
	page = ALIGN_UP(file_end, PAGE_SIZE);
	/* ld.so takes what is behind its data in the page for fresh memory. */
	if (clear_user((void __user *)file_end, page - file_end))
		return -EFAULT;
	return elf_map_anonymous(page, ALIGN_UP(end, PAGE_SIZE), exec);
}

static int map_segments(struct elf_image *interp, unsigned long near, unsigned long total)
{
	bool fixed = interp->ehdr.e_type == ET_EXEC, first = true;

	for (int i = 0; i < interp->ehdr.e_phnum; i++) {
		const struct elf64_phdr *ph = &interp->phdrs[i];
		unsigned long map;

		if (ph->p_type != PT_LOAD)
			continue;
		/* Beside a program at fixed addresses, those of the interpreter mean nothing. */
		if (first && !fixed && !near)
			interp->bias = -ph->p_vaddr;
		map = elf_map_file_part(interp->file, ph, interp->bias + ph->p_vaddr,
					MAP_PRIVATE | (fixed || !first ? MAP_FIXED : 0), total);
		if (IS_ERR_VALUE(map))
			return (int)map;
		/* The first segment holds the place for all of them. */
		if (first && !fixed)
			interp->bias = map - ALIGN_DOWN(ph->p_vaddr, PAGE_SIZE);
		first = false;
		total = 0;
		if (!elf_segment_is_sane(ph, interp->bias + ph->p_vaddr))
			return -ENOMEM;
	}
	return 0;
}

int elf_map_interpreter(struct elf_image *interp, unsigned long near)
{
	unsigned long total = elf_total_size(interp);
	int err;

	if (interp->ehdr.e_type != ET_EXEC && interp->ehdr.e_type != ET_DYN)
		return -ENOEXEC;
	if (!total)
		return -EINVAL;
	err = map_segments(interp, near, total);
	if (!err)
		err = map_bss(interp);
	if (!err && !elf_is_good_address(interp->bias + interp->ehdr.e_entry))
		err = -EINVAL;
	return err;
}

void elf_put_interpreter(struct elf_image *interp)
{
	kfree(interp->phdrs);
	interp->phdrs = NULL;
	if (interp->file) {
		/* Its areas keep it open, but only the program itself is protected while it runs. */
		allow_write_access(interp->file);
		fput(interp->file);
	}
	interp->file = NULL;
}
