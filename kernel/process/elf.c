/* SPDX-License-Identifier: MIT */
/*
 * ELF programs. Segments are mapped, not read: their pages come from the page cache when they are
 * touched. Where a segment is larger in memory than in the file, the rest of its last page is
 * cleared and what is beyond is anonymous memory.
 */
#include <arch/cpu.h>
#include <arch/uaccess.h>

#include "kernel/abi/mman.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/process/exec.h"
#include "mm/calls.h"
#include "mm/vma.h"
#include "mm/sysctl.h"
#include "mm/slab.h"

/* Where position-independent programs without an interpreter would put their heap. */
#define ELF_ET_DYN_BASE (TASK_SIZE / 3 * 2)

struct image {
	const struct elf64_ehdr *ehdr;
	const struct elf64_phdr *phdr;
	unsigned long bias; /* what is added to every address of the file */
	bool exec_stack;
	unsigned long phdr_addr; /* of the program headers in memory, 0 when no segment holds them */
	unsigned long start_code, end_code, start_data, end_data, brk;
};

static const u8 elf_magic[] = { 0x7f, 'E', 'L', 'F' };

static int read_headers(const struct binprm *bprm, struct elf64_ehdr *ehdr,
			struct elf64_phdr **phdrs)
{
	size_t size;
	ssize_t n;

	memcpy(ehdr, bprm->buf, sizeof(*ehdr));
	if (memcmp(ehdr->e_ident, elf_magic, sizeof(elf_magic)) != 0)
		return -ENOEXEC;
	if ((ehdr->e_type != ET_EXEC && ehdr->e_type != ET_DYN) || ehdr->e_machine != EM_X86_64)
		return -ENOEXEC;
	size = ehdr->e_phnum * sizeof(struct elf64_phdr);
	if (ehdr->e_phentsize != sizeof(struct elf64_phdr) || size == 0 || size > 65536)
		return -ENOEXEC;
	*phdrs = kmalloc(size, GFP_KERNEL);
	if (!*phdrs)
		return -ENOMEM;
	n = kernel_read(bprm->file, *phdrs, size, (loff_t)ehdr->e_phoff);
	if (n == (ssize_t)size)
		return 0;
	kfree(*phdrs);
	*phdrs = NULL;
	return -ENOEXEC; /* whatever kept them from being read */
}

static unsigned long segment_prot(const struct elf64_phdr *ph)
{
	return (ph->p_flags & PF_R ? PROT_READ : 0) | (ph->p_flags & PF_W ? PROT_WRITE : 0) |
	       (ph->p_flags & PF_X ? PROT_EXEC : 0);
}

/* Maps the part of a segment that is in the file. Its address or -errno. */
static unsigned long map_segment(struct file *file, const struct elf64_phdr *ph, unsigned long addr,
				 unsigned long flags, unsigned long total)
{
	unsigned long offset = ph->p_vaddr & ~PAGE_MASK;
	unsigned long size = ALIGN_UP(ph->p_filesz + offset, PAGE_SIZE);
	unsigned long map;

	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	if (!size)
		return addr;
	/* A position-independent program's first segment holds the place for all of them. */
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

/* The memory of a segment beyond what the file gives. [start, end) in bytes. */
static int map_bss(const struct file *file, const struct elf64_phdr *ph, unsigned long start,
		   unsigned long end)
{
	struct mm_struct *mm = current->mm_part.mm;
	unsigned long page = ALIGN_UP(start, PAGE_SIZE), page_end = ALIGN_UP(end, PAGE_SIZE);
	int err = 0;

	if (page_end > page) {
		/* As where a file is mapped, what was there gives way. */
		mmap_write_lock(mm);
		err = do_munmap(mm, page, page_end - page);
		if (!err)
			err = do_brk_flags(mm, page, page_end - page,
					   ph->p_flags & PF_X ? VM_EXEC : 0);
		mmap_write_unlock(mm);
	}
	if (!err && page > start && (ph->p_flags & PF_W) && !ends_behind(file, ph) &&
	    clear_user((void __user *)start, min(page, end) - start))
		err = -EFAULT;
	return err;
}

/* From the first loaded byte to the last, in whole pages; 0 when nothing is to be loaded. */
static unsigned long total_mapping_size(const struct image *im)
{
	unsigned long low = ~0UL, high = 0;

	for (int i = 0; i < im->ehdr->e_phnum; i++) {
		const struct elf64_phdr *ph = &im->phdr[i];

		if (ph->p_type != PT_LOAD)
			continue;
		low = min(low, ALIGN_DOWN(ph->p_vaddr, PAGE_SIZE));
		high = max(high, ph->p_vaddr + ph->p_memsz);
	}
	return high > low ? ALIGN_UP(high - low, PAGE_SIZE) : 0;
}

static void note_segment(struct image *im, const struct elf64_phdr *ph)
{
	unsigned long start = ph->p_vaddr + im->bias;
	unsigned long file_end = start + ph->p_filesz;
	const struct elf64_ehdr *e = im->ehdr;

	if (e->e_phoff >= ph->p_offset && e->e_phoff < ph->p_offset + ph->p_filesz)
		im->phdr_addr = e->e_phoff - ph->p_offset + start;
	if ((ph->p_flags & PF_X) && start < im->start_code)
		im->start_code = start;
	if ((ph->p_flags & PF_X) && file_end > im->end_code)
		im->end_code = file_end;
	im->start_data = max(im->start_data, start);
	im->end_data = max(im->end_data, file_end);
	im->brk = max(im->brk, start + ph->p_memsz);
}

static bool segment_is_sane(const struct elf64_phdr *ph, unsigned long bias)
{
	unsigned long start = ph->p_vaddr + bias;

	return ph->p_filesz <= ph->p_memsz && start < TASK_SIZE && ph->p_memsz <= TASK_SIZE &&
	       TASK_SIZE - ph->p_memsz >= start;
}

static int map_image(struct file *file, struct image *im)
{
	bool first = true;

	for (int i = 0; i < im->ehdr->e_phnum; i++) {
		const struct elf64_phdr *ph = &im->phdr[i];
		unsigned long flags = MAP_PRIVATE, total = 0, map;
		int err;

		if (ph->p_type != PT_LOAD)
			continue;
		if (!first) {
			flags |= MAP_FIXED;
		} else if (im->ehdr->e_type == ET_EXEC) {
			flags |= MAP_FIXED_NOREPLACE;
		} else {
			total = total_mapping_size(im);
			if (!total)
				return -EINVAL;
			/* Its addresses are only those of its parts to each other. */
			im->bias = -ALIGN_DOWN(ph->p_vaddr, PAGE_SIZE);
		}
		map = map_segment(file, ph, im->bias + ph->p_vaddr, flags, total);
		if (IS_ERR_VALUE(map))
			return (int)map;
		if (first && im->ehdr->e_type == ET_DYN)
			im->bias += map;
		first = false;
		if (!segment_is_sane(ph, im->bias))
			return -EINVAL;
		note_segment(im, ph);
		if (ph->p_memsz > ph->p_filesz) {
			err = map_bss(file, ph, im->bias + ph->p_vaddr + ph->p_filesz,
				      im->bias + ph->p_vaddr + ph->p_memsz);
			if (err)
				return err;
		}
	}
	return 0;
}

/* --- the initial stack --------------------------------------------------------------------------- */

/* Builds the vector in place; two words an entry. */
static unsigned int make_auxv(unsigned long *v, const struct image *im, const struct binprm *bprm,
			      unsigned long platform, unsigned long random)
{
	const struct cred *cred = &current->cred;
	unsigned int n = 0;
	u32 a, b, c, hwcap;

	cpuid(1, 0, &a, &b, &c, &hwcap);
#define AUX(type, value) (v[n++] = (type), v[n++] = (unsigned long)(value))
	AUX(AT_HWCAP, hwcap);
	AUX(AT_PAGESZ, PAGE_SIZE);
	AUX(AT_CLKTCK, 100);
	AUX(AT_PHDR, im->phdr_addr);
	AUX(AT_PHENT, sizeof(struct elf64_phdr));
	AUX(AT_PHNUM, im->ehdr->e_phnum);
	AUX(AT_BASE, 0);
	AUX(AT_FLAGS, 0);
	AUX(AT_ENTRY, im->ehdr->e_entry + im->bias);
	AUX(AT_UID, cred->uid);
	AUX(AT_EUID, cred->euid);
	AUX(AT_GID, cred->gid);
	AUX(AT_EGID, cred->egid);
	AUX(AT_SECURE, 0);
	AUX(AT_RANDOM, random);
	AUX(AT_HWCAP2, cpu_features.fsgsbase ? 2 : 0);
	AUX(AT_EXECFN, bprm->exec);
	AUX(AT_PLATFORM, platform);
	AUX(AT_NULL, 0);
#undef AUX
	return n;
}

static int put_word(unsigned long **sp, unsigned long word)
{
	return put_user(word, (unsigned long __user *)(*sp)++);
}

/* Pointers to the strings that lie one behind the other from *str on, and a NULL. */
static int put_strings(unsigned long **sp, int n, unsigned long *str)
{
	char c;

	while (n-- > 0) {
		if (put_word(sp, *str))
			return -EFAULT;
		do {
			if (get_user(c, (const char __user *)*str))
				return -EFAULT;
			(*str)++;
		} while (c);
	}
	return put_word(sp, 0);
}

/* argc, argv, envp, auxv, below the strings: System V ABI, AMD64, figure 3.9. Sets *sp. */
static int create_tables(const struct binprm *bprm, const struct image *im, unsigned long *sp)
{
	static const char platform_name[] = "x86_64";
	struct mm_struct *mm = current->mm_part.mm;
	unsigned long p = bprm->p, platform, random, *words, str = bprm->arg_start;
	unsigned int naux, items;
	u8 bytes[16];

	if (bprm->randomize)
		p -= get_random_u64() % 8192;
	p = ALIGN_DOWN(p, 16);
	get_random_bytes(bytes, sizeof(bytes));
	platform = p -= sizeof(platform_name);
	random = p -= sizeof(bytes);
	naux = make_auxv(mm->saved_auxv, im, bprm, platform, random);
	items = 1 + (unsigned int)bprm->argc + 1 + (unsigned int)bprm->envc + 1 + naux;
	p = ALIGN_DOWN(p - items * 8UL, 16);
	*sp = p;
	words = (unsigned long *)p;
	if (copy_to_user((void __user *)platform, platform_name, sizeof(platform_name)) ||
	    copy_to_user((void __user *)random, bytes, sizeof(bytes)) ||
	    put_word(&words, (unsigned long)bprm->argc) || put_strings(&words, bprm->argc, &str) ||
	    put_strings(&words, bprm->envc, &str) ||
	    copy_to_user(words, mm->saved_auxv, naux * 8UL))
		return -EFAULT;
	mm->start_stack = p;
	return 0;
}

/* --- all of it --------------------------------------------------------------------------------------- */

static void note_in_mm(struct mm_struct *mm, const struct image *im, const struct binprm *bprm)
{
	unsigned long brk = ALIGN_UP(im->brk, PAGE_SIZE);

	mm->start_code = im->start_code;
	mm->end_code = im->end_code;
	mm->start_data = im->start_data;
	mm->end_data = im->end_data;
	mm->arg_start = bprm->arg_start;
	mm->arg_end = mm->env_start = bprm->arg_end;
	mm->env_end = bprm->env_end;
	if (bprm->randomize && sysctl_randomize_va_space > 1) {
		/* A position-independent program lies among the mappings: its heap goes elsewhere. */
		if (im->ehdr->e_type == ET_DYN)
			brk = ALIGN_UP(ELF_ET_DYN_BASE, PAGE_SIZE);
		brk += (get_random_u64() % (1UL << 30)) & PAGE_MASK;
	}
	mm->start_brk = mm->brk = brk;
}

static int read_exactly(struct file *file, void *buf, size_t len, u64 pos)
{
	ssize_t n = (s64)pos < 0 ? -EINVAL : kernel_read(file, buf, len, (loff_t)pos);

	return n < 0 ? (int)n : (size_t)n == len ? 0 : -EIO;
}

/* Whether `file` can interpret programs, by how it begins. Of a good one: -ENOEXEC. */
static int check_interpreter(struct file *file)
{
	struct elf64_ehdr ehdr;
	int err = read_exactly(file, &ehdr, sizeof(ehdr), 0);

	if (err)
		return err;
	if (memcmp(ehdr.e_ident, elf_magic, sizeof(elf_magic)) != 0 || ehdr.e_machine != EM_X86_64)
		return -ELIBBAD;
	/* Dynamic programs are refused until there is what they need, shared file mappings first. */
	return -ENOEXEC;
}

static int find_interpreter(struct file *file, const struct elf64_phdr *ph)
{
	struct file *interpreter;
	char *name;
	int err;

	if (ph->p_filesz > PATH_MAX || ph->p_filesz < 2)
		return -ENOEXEC;
	name = kmalloc(ph->p_filesz, GFP_KERNEL);
	if (!name)
		return -ENOMEM;
	err = read_exactly(file, name, ph->p_filesz, ph->p_offset);
	if (!err && name[ph->p_filesz - 1])
		err = -ENOEXEC;
	if (!err) {
		interpreter = open_interpreter(name);
		err = IS_ERR(interpreter) ? (int)PTR_ERR(interpreter) : 0;
	}
	kfree(name);
	if (err)
		return err;
	err = check_interpreter(interpreter);
	fput(interpreter);
	return err;
}

static int check_program_headers(struct file *file, struct image *im)
{
	for (int i = 0; i < im->ehdr->e_phnum; i++) {
		if (im->phdr[i].p_type == PT_INTERP)
			return find_interpreter(file, &im->phdr[i]);
		if (im->phdr[i].p_type == PT_GNU_STACK)
			im->exec_stack = im->phdr[i].p_flags & PF_X;
	}
	return 0;
}

static int load_image(struct binprm *bprm, struct image *im, unsigned long *sp)
{
	int err = map_image(bprm->file, im);

	if (err)
		return err;
	note_in_mm(current->mm_part.mm, im, bprm);
	err = create_tables(bprm, im, sp);
	if (err)
		return err;
	mm_expand_stack_by(current->mm_part.mm, 131072);
	return 0;
}

int load_elf(struct binprm *bprm, unsigned long *entry, unsigned long *sp)
{
	struct elf64_phdr *phdrs = NULL;
	struct elf64_ehdr ehdr;
	struct image im = { .ehdr = &ehdr, .start_code = ~0UL };
	int err = read_headers(bprm, &ehdr, &phdrs);

	if (err)
		return err;
	im.phdr = phdrs;
	err = check_program_headers(bprm->file, &im);
	if (!err) {
		err = begin_new_exec(bprm);
		if (!err && im.exec_stack)
			err = vm_mprotect(ALIGN_DOWN(bprm->p, PAGE_SIZE),
					  bprm->stack_top - ALIGN_DOWN(bprm->p, PAGE_SIZE),
					  PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN);
		if (!err)
			err = load_image(bprm, &im, sp);
		*entry = ehdr.e_entry + im.bias;
	}
	kfree(phdrs);
	return err;
}
