/* SPDX-License-Identifier: MIT */
/*
 * ELF programs: where one goes, with its interpreter if it has one, and what it finds on its stack.
 *
 *			without an interpreter		with one
 *	fixed		where it says			the same; the interpreter where mmap(2) puts it
 *	movable		among the mappings, its heap	from ELF_ET_DYN_BASE up; the interpreter where
 *			from ELF_ET_DYN_BASE up		mmap(2) puts it
 *
 * A movable program without an interpreter may be one itself, run by hand with the name of a program that
 * it then maps: that is why it leaves the usual place free.
 */
#include <arch/cpu.h>
#include <arch/signal.h>
#include <arch/uaccess.h>

#include "kernel/abi/mman.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/process/elf_image.h"
#include "kernel/process/exec.h"
#include "mm/calls.h"
#include "mm/slab.h"
#include "mm/sysctl.h"

/* Two thirds up: far from what programs at fixed addresses use, and from the mappings. */
#define ELF_ET_DYN_BASE (TASK_SIZE / 3 * 2)

struct program {
	struct elf_image image, interp; /* interp.file is NULL without one */
	unsigned long phdr_addr; /* of the program headers in memory, 0 when no segment holds them */
	unsigned long start_code, end_code, start_data, end_data, brk;
};

static int read_headers(const struct binprm *bprm, struct elf_image *image)
{
	image->file = bprm->file;
	memcpy(&image->ehdr, bprm->buf, sizeof(image->ehdr));
	if (!elf_is_ours(&image->ehdr) ||
	    (image->ehdr.e_type != ET_EXEC && image->ehdr.e_type != ET_DYN))
		return -ENOEXEC;
	return elf_read_phdrs(image);
}

static void note_segment(struct program *prog, const struct elf64_phdr *ph)
{
	unsigned long start = ph->p_vaddr + prog->image.bias, file_end = start + ph->p_filesz;
	unsigned long phoff = prog->image.ehdr.e_phoff;

	if (phoff >= ph->p_offset && phoff < ph->p_offset + ph->p_filesz)
		prog->phdr_addr = phoff - ph->p_offset + start;
	if ((ph->p_flags & PF_X) && start < prog->start_code)
		prog->start_code = start;
	if ((ph->p_flags & PF_X) && file_end > prog->end_code)
		prog->end_code = file_end;
	prog->start_data = max(prog->start_data, start);
	prog->end_data = max(prog->end_data, file_end);
	prog->brk = max(prog->brk, start + ph->p_memsz);
}

/* The largest alignment that a segment asks for, a whole number of pages. */
static unsigned long largest_alignment(const struct elf_image *image)
{
	unsigned long align = PAGE_SIZE;

	for (int i = 0; i < image->ehdr.e_phnum; i++) {
		const struct elf64_phdr *ph = &image->phdrs[i];

		if (ph->p_type == PT_LOAD && !(ph->p_align & (ph->p_align - 1)))
			align = max(align, ph->p_align);
	}
	return align;
}

/*
 * Where a movable program's first segment `ph` goes: 0 leaves it to mmap(2). *flags: how it is to be mapped
 * there. Or -errno.
 */
static unsigned long choose_place(const struct program *prog, const struct elf64_phdr *ph,
				  bool randomize, unsigned long total, unsigned long *flags)
{
	unsigned long align = largest_alignment(&prog->image), place = 0;

	if (prog->interp.file) {
		place = ELF_ET_DYN_BASE + (randomize ? exec_mmap_random() : 0);
	} else if (align > PAGE_SIZE) {
		/* What mmap(2) would choose shows where there is room; aligned, it is elsewhere. */
		place = elf_map_segment(&prog->image, ph, 0, *flags, total);
		if (IS_ERR_VALUE(place))
			return place;
		vm_munmap(place, total);
	} else {
		return 0;
	}
	*flags |= MAP_FIXED_NOREPLACE;
	return ALIGN_DOWN(place, align);
}

/* Maps the first segment, which decides where the others are. Its address or -errno. */
static unsigned long map_first(struct program *prog, const struct elf64_phdr *ph, bool randomize)
{
	struct elf_image *image = &prog->image;
	unsigned long flags = MAP_PRIVATE, total, place, map;

	if (image->ehdr.e_type == ET_EXEC)
		return elf_map_segment(image, ph, ph->p_vaddr, flags | MAP_FIXED_NOREPLACE, 0);
	total = elf_total_size(image);
	if (!total)
		return -EINVAL;
	place = choose_place(prog, ph, randomize, total, &flags);
	if (IS_ERR_VALUE(place))
		return place;
	/* Its addresses are only those of its parts to each other. */
	image->bias = ALIGN_DOWN(place - ph->p_vaddr, PAGE_SIZE);
	map = elf_map_segment(image, ph, image->bias + ph->p_vaddr, flags, total);
	if (!IS_ERR_VALUE(map))
		image->bias += map - ALIGN_DOWN(image->bias + ph->p_vaddr, PAGE_SIZE);
	return map;
}

static int map_program(struct program *prog, bool randomize)
{
	struct elf_image *image = &prog->image;
	bool first = true;

	for (int i = 0; i < image->ehdr.e_phnum; i++) {
		const struct elf64_phdr *ph = &image->phdrs[i];
		unsigned long map;

		if (ph->p_type != PT_LOAD)
			continue;
		map = first ? map_first(prog, ph, randomize) :
			      elf_map_segment(image, ph, image->bias + ph->p_vaddr,
					      MAP_PRIVATE | MAP_FIXED, 0);
		if (IS_ERR_VALUE(map))
			return (int)map;
		first = false;
		if (!elf_segment_is_sane(ph, ph->p_vaddr))
			return -EINVAL;
		note_segment(prog, ph);
	}
	return 0;
}

/* --- the initial stack --------------------------------------------------------------------------- */

/* Builds the vector in place; two words an entry. */
static unsigned int make_auxv(unsigned long *v, const struct program *prog,
			      const struct binprm *bprm, unsigned long platform,
			      unsigned long random)
{
	const struct cred *cred = &current->cred;
	unsigned int n = 0;
	u32 a, b, c, hwcap;

	cpuid(1, 0, &a, &b, &c, &hwcap);
#define AUX(type, value) (v[n++] = (type), v[n++] = (unsigned long)(value))
	if (current->mm_part.mm->vdso)
		AUX(AT_SYSINFO_EHDR, current->mm_part.mm->vdso);
	AUX(AT_MINSIGSTKSZ, signal_frame_max());
	AUX(AT_HWCAP, hwcap);
	AUX(AT_PAGESZ, PAGE_SIZE);
	AUX(AT_CLKTCK, 100);
	AUX(AT_PHDR, prog->phdr_addr);
	AUX(AT_PHENT, sizeof(struct elf64_phdr));
	AUX(AT_PHNUM, prog->image.ehdr.e_phnum);
	AUX(AT_BASE, prog->interp.bias);
	AUX(AT_FLAGS, 0);
	AUX(AT_ENTRY, prog->image.ehdr.e_entry + prog->image.bias);
	AUX(AT_UID, cred->uid);
	AUX(AT_EUID, cred->euid);
	AUX(AT_GID, cred->gid);
	AUX(AT_EGID, cred->egid);
	AUX(AT_SECURE, bprm->secure);
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
	unsigned long __user *at = *sp;

	*sp += 1;
	return put_user(word, at);
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
static int create_tables(const struct binprm *bprm, const struct program *prog, unsigned long *sp)
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
	naux = make_auxv(mm->saved_auxv, prog, bprm, platform, random);
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

static unsigned long choose_brk(const struct program *prog, bool randomize)
{
	bool loader = prog->image.ehdr.e_type == ET_DYN && !prog->interp.file;
	unsigned long brk = ALIGN_UP(loader ? ELF_ET_DYN_BASE : prog->brk, PAGE_SIZE);

	if (!randomize || sysctl_randomize_va_space <= 1)
		return brk;
	/* Not right behind the program's own data. */
	if (!loader)
		brk += PAGE_SIZE;
	return brk + ((get_random_u64() % (1UL << 30)) & PAGE_MASK);
}

static void note_in_mm(struct mm_struct *mm, const struct program *prog, const struct binprm *bprm)
{
	mm->start_code = prog->start_code;
	mm->end_code = prog->end_code;
	mm->start_data = prog->start_data;
	mm->end_data = prog->end_data;
	mm->arg_start = bprm->arg_start;
	mm->arg_end = mm->env_start = bprm->arg_end;
	mm->env_end = bprm->env_end;
	mm->start_brk = mm->brk = choose_brk(prog, bprm->randomize);
}

/* What the PT_GNU_STACK headers say; the last one counts. */
static bool wants_exec_stack(const struct elf_image *image)
{
	bool exec = false;

	for (int i = 0; i < image->ehdr.e_phnum; i++) {
		if (image->phdrs[i].p_type == PT_GNU_STACK)
			exec = image->phdrs[i].p_flags & PF_X;
	}
	return exec;
}

/* From here on there is no way back: an error ends the process. */
static int load_program(struct binprm *bprm, struct program *prog, unsigned long *entry,
			unsigned long *sp)
{
	unsigned long stack = ALIGN_DOWN(bprm->p, PAGE_SIZE);
	int err = 0;

	if (wants_exec_stack(&prog->image))
		err = vm_mprotect(stack, bprm->stack_top - stack,
				  PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN);
	if (!err)
		err = map_program(prog, bprm->randomize);
	if (!err && prog->interp.file)
		err = elf_map_interpreter(&prog->interp, prog->image.bias);
	if (err)
		return err;
	*entry = prog->interp.file ? prog->interp.ehdr.e_entry + prog->interp.bias :
				     prog->image.ehdr.e_entry + prog->image.bias;
	note_in_mm(current->mm_part.mm, prog, bprm);
	err = map_vdso(bprm);
	if (!err)
		err = create_tables(bprm, prog, sp);
	if (err)
		return err;
	mm_expand_stack_by(current->mm_part.mm, 131072);
	return 0;
}

int load_elf(struct binprm *bprm, unsigned long *entry, unsigned long *sp)
{
	struct program prog = { .start_code = ~0UL };
	int err = read_headers(bprm, &prog.image);

	if (err)
		return err;
	err = elf_find_interpreter(&prog.image, &prog.interp);
	bprm->elf_interp = prog.interp.file;
	if (!err)
		err = begin_new_exec(bprm);
	if (!err)
		err = load_program(bprm, &prog, entry, sp);
	elf_put_interpreter(&prog.interp);
	kfree(prog.image.phdrs);
	return err;
}
