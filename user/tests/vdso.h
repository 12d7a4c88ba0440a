/* SPDX-License-Identifier: MIT */
/*
 * vdso.h: the vdso as a C library finds it: from the auxiliary vector to the ELF header, by PT_DYNAMIC to
 * the symbols, and there by name and version.
 */
#ifndef USER_TESTS_VDSO_H
#define USER_TESTS_VDSO_H

#include "vm.h"
#include <elf.h>
#include <sys/auxv.h>
#include <sys/time.h>
#include <time.h>

struct vdso {
	const char *base; /* the ELF header; addresses in the file are from here */
	const Elf64_Phdr *load, *dynamic, *unwind;
	const Elf64_Sym *symbols;
	const char *strings;
	const Elf64_Half *versions;
	const char *verdef, *gnu_hash;
	const Elf64_Word *hash; /* nbucket, nchain: as many as there are symbols */
	const char *soname;
};

static int (*vdso_clock_gettime)(int clock, struct timespec *ts);
static int (*vdso_clock_getres)(int clock, struct timespec *ts);
static int (*vdso_gettimeofday)(struct timeval *tv, struct timezone *tz);
static long (*vdso_time)(long *t);
static int (*vdso_getcpu)(unsigned int *cpu, unsigned int *node, void *unused);

TAP_FN bool vdso_open(struct vdso *v, unsigned long base)
{
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)base;
	const Elf64_Phdr *ph;
	Elf64_Addr soname = 0;

	memset(v, 0, sizeof(*v));
	if (!base || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0 || e->e_type != ET_DYN)
		return false;
	v->base = (const char *)base;
	ph = (const Elf64_Phdr *)(base + e->e_phoff);
	for (int i = 0; i < e->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD)
			v->load = &ph[i];
		if (ph[i].p_type == PT_DYNAMIC)
			v->dynamic = &ph[i];
		if (ph[i].p_type == PT_GNU_EH_FRAME)
			v->unwind = &ph[i];
	}
	if (!v->load || !v->dynamic)
		return false;
	for (const Elf64_Dyn *d = (const Elf64_Dyn *)(base + v->dynamic->p_offset);
	     d->d_tag != DT_NULL; d++) {
		const char *at = v->base + d->d_un.d_ptr - v->load->p_vaddr;

		switch (d->d_tag) {
		case DT_SYMTAB:
			v->symbols = (const Elf64_Sym *)at;
			break;
		case DT_STRTAB:
			v->strings = at;
			break;
		case DT_HASH:
			v->hash = (const Elf64_Word *)at;
			break;
		case DT_GNU_HASH:
			v->gnu_hash = at;
			break;
		case DT_VERSYM:
			v->versions = (const Elf64_Half *)at;
			break;
		case DT_VERDEF:
			v->verdef = at;
			break;
		case DT_SONAME:
			soname = d->d_un.d_val;
			break;
		}
	}
	if (v->strings)
		v->soname = v->strings + soname;
	return v->symbols && v->strings && v->hash;
}

/* Whether a symbol's version has that name. */
TAP_FN bool vdso_version_is(const struct vdso *v, int version, const char *name)
{
	const char *at = v->verdef;

	for (;;) {
		const Elf64_Verdef *def = (const Elf64_Verdef *)at;
		const Elf64_Verdaux *aux = (const Elf64_Verdaux *)(at + def->vd_aux);

		if (!(def->vd_flags & VER_FLG_BASE) && def->vd_ndx == (version & 0x7fff))
			return strcmp(v->strings + aux->vda_name, name) == 0;
		if (!def->vd_next)
			return false;
		at += def->vd_next;
	}
}

/* A function by name, of version LINUX_2.6; NULL when there is none. */
TAP_FN void *vdso_sym(const struct vdso *v, const char *name)
{
	for (Elf64_Word i = 0; i < v->hash[1]; i++) {
		const Elf64_Sym *s = &v->symbols[i];

		if (ELF64_ST_TYPE(s->st_info) != STT_FUNC || s->st_shndx == SHN_UNDEF ||
		    strcmp(v->strings + s->st_name, name) != 0)
			continue;
		if (v->versions && v->verdef && !vdso_version_is(v, v->versions[i], "LINUX_2.6"))
			continue;
		return (void *)(v->base + s->st_value - v->load->p_vaddr);
	}
	return NULL;
}

/* Finds the functions in the vdso at that address; false when one is missing. */
TAP_FN bool vdso_bind(unsigned long base)
{
	struct vdso v;

	if (!vdso_open(&v, base))
		return false;
	vdso_clock_gettime = vdso_sym(&v, "__vdso_clock_gettime");
	vdso_clock_getres = vdso_sym(&v, "__vdso_clock_getres");
	vdso_gettimeofday = vdso_sym(&v, "__vdso_gettimeofday");
	vdso_time = vdso_sym(&v, "__vdso_time");
	vdso_getcpu = vdso_sym(&v, "__vdso_getcpu");
	return vdso_clock_gettime && vdso_clock_getres && vdso_gettimeofday && vdso_time &&
	       vdso_getcpu;
}

/* A clock's time in ns by system call and by the vdso; -errno. */
TAP_FN long sys_ns(int clock)
{
	struct timespec ts = { 0, -1 };
	long err = result(syscall(SYS_clock_gettime, clock, &ts));

	return err ? err : ts.tv_sec * 1000000000L + ts.tv_nsec;
}

TAP_FN long vdso_ns(int clock)
{
	struct timespec ts = { 0, -1 };
	long err = vdso_clock_gettime(clock, &ts);

	return err ? err : ts.tv_sec * 1000000000L + ts.tv_nsec;
}

/* Whether the vdso's clock lies between two readings by system call. */
TAP_FN bool vdso_agrees(int clock)
{
	long before = sys_ns(clock), now = vdso_ns(clock), after = sys_ns(clock);

	if (before > 0 && before <= now && now <= after)
		return true;
	diag("clock %d: %ld by system call, %ld by vdso, %ld by system call", clock, before, now,
	     after);
	return false;
}

#endif
