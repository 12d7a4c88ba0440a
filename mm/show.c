/* SPDX-License-Identifier: MIT */
/* Address spaces as text: lines of /proc/pid/maps, pagemap entries, a page walk in words. */
#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "mm/internal.h"

/* --- /proc/pid/maps ------------------------------------------------------------------------------ */

#define NAME_COLUMN 73

static const char *special_name(const struct vm_area_struct *vma)
{
	const struct mm_struct *mm = vma->vm_mm;

	if (vma->vm_ops && vma->vm_ops->name)
		return vma->vm_ops->name((struct vm_area_struct *)vma);
	if (vma->vm_file)
		return NULL;
	if (vma->vm_start <= mm->brk && vma->vm_end >= mm->start_brk)
		return "[heap]";
	if (vma->vm_start <= mm->start_stack && vma->vm_end >= mm->start_stack)
		return "[stack]";
	return NULL;
}

int show_map_vma(const struct vm_area_struct *vma, char *buf, size_t size)
{
	const struct vm_file *file = vma->vm_file;
	u64 flags = vma->vm_flags;
	const char *name = special_name(vma);
	int n;

	n = scnprintf(buf, size, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", vma->vm_start,
		      vma->vm_end, flags & VM_READ ? 'r' : '-', flags & VM_WRITE ? 'w' : '-',
		      flags & VM_EXEC ? 'x' : '-', flags & VM_MAYSHARE ? 's' : 'p',
		      file ? vma->vm_pgoff << PAGE_SHIFT : 0, file ? file->dev_major : 0,
		      file ? file->dev_minor : 0, file ? (unsigned long)file->ino : 0);
	if (name || file)
		while (n < NAME_COLUMN && (size_t)n + 1 < size)
			buf[n++] = ' ';
	if (name)
		n += scnprintf(buf + n, size - (size_t)n, "%s", name);
	else if (file)
		n += file->vm_fops->path(vma->vm_file, buf + n, size - (size_t)n);
	n += scnprintf(buf + n, size - (size_t)n, "\n");
	return n;
}

/* --- /proc/pid/pagemap ------------------------------------------------------------------------------ */

#define PM_PRESENT    BIT(63)
#define PM_FILE	      BIT(61)
#define PM_EXCLUSIVE  BIT(56)
#define PM_SOFT_DIRTY BIT(55)

/* => the table's lock */
static u64 pagemap_of_pte(pte_t pte, bool frames)
{
	struct page *page;
	u64 entry;

	if (!pte_present(pte))
		return 0;
	entry = PM_PRESENT | (pte_soft_dirty(pte) ? PM_SOFT_DIRTY : 0);
	if (frames)
		entry |= pte_pfn(pte).v;
	page = vm_normal_page(pte);
	if (!page)
		return entry;
	if (!page_is_anon(page))
		entry |= PM_FILE;
	if (page_mapcount(page) == 1)
		entry |= PM_EXCLUSIVE;
	return entry;
}

u64 pagemap_entry(struct mm_struct *mm, unsigned long addr, bool frames)
{
	struct vm_area_struct *vma = find_vma_intersection(mm, addr, addr + PAGE_SIZE);
	u64 entry = vma && (vma->vm_flags & VM_SOFTDIRTY) ? PM_SOFT_DIRTY : 0;
	spinlock_t *lock;
	pmd_t *pmd;

	/* Where no area is, munmap may just be freeing the tables. */
	if (!vma || (vma->vm_flags & VM_PFNMAP))
		return entry;
	pmd = pmd_lookup(mm->context.pgd, addr);
	if (!pmd || !pmd_table(pmdp_get(pmd)))
		return entry;
	/* While somebody changes an entry there is none for a moment; and a page that is mapped stays. */
	lock = pte_lockptr(pmd);
	spin_lock(lock);
	entry |= pagemap_of_pte(ptep_get(pte_offset(pmdp_get(pmd), addr)), frames);
	spin_unlock(lock);
	return entry;
}

/* --- a page walk in words ----------------------------------------------------------------------------- */

struct text {
	char *buf;
	size_t size;
	int len;
};

#define add(t, ...) \
	((t)->len += scnprintf((t)->buf + (t)->len, (t)->size - (size_t)(t)->len, __VA_ARGS__))

/* The bits of an entry by their Intel names; a dash where one is clear. */
static void add_bits(struct text *t, unsigned long e, bool leaf)
{
	add(t, "  %c %c %c%s%s %s %s%s%s %s", e & _PAGE_PRESENT ? 'P' : '-',
	    e & _PAGE_RW ? 'W' : '-', e & _PAGE_USER ? 'U' : '-', e & _PAGE_PWT ? " PWT" : "",
	    e & _PAGE_PCD ? " PCD" : "", e & _PAGE_ACCESSED ? "A" : "-",
	    leaf && (e & _PAGE_DIRTY) ? "D" : "-", leaf && (e & _PAGE_GLOBAL) ? " G" : "",
	    e & _PAGE_SPECIAL && leaf ? " special" : "", e & _PAGE_NX ? "NX" : "-");
}

static void add_level(struct text *t, const char *name, unsigned int index, phys_addr_t table,
		      unsigned long e, bool leaf)
{
	add(t, "%s[%3u] at %#014lx: %#018lx", name, index, table.v + index * 8UL, e);
	if (e) {
		add_bits(t, e, leaf);
		add(t, leaf ? "  frame %#lx\n" : "  table %#lx\n",
		    (e & _PAGE_PFN_MASK) >> (leaf ? PAGE_SHIFT : 0));
	} else {
		add(t, "  empty\n");
	}
}

static const char *special_text(unsigned long e)
{
	if (!(e & _PAGE_SPECIAL))
		return "";
	return pte_maps_zero_page(__pte(e)) ? " (the shared page of zeros)" : " (a device's)";
}

static int add_result(struct text *t, unsigned long addr, unsigned long e, unsigned long size,
		      const char *size_name)
{
	unsigned long phys = (e & _PAGE_PFN_MASK & ~(size - 1)) | (addr & (size - 1));

	if (e & _PAGE_PRESENT)
		add(t, "=> physical %#lx, in a page of %s%s\n", phys, size_name, special_text(e));
	else
		add(t, "=> a frame that no access may reach (PROT_NONE)\n");
	return t->len;
}

static int add_end(struct text *t, const char *what)
{
	add(t, "=> %s\n", what);
	return t->len;
}

int show_page_walk(const pgd_t *pgd_table_ptr, unsigned long addr, char *buf, size_t size)
{
	struct text t = { buf, size, 0 };
	phys_addr_t table = virt_to_phys(pgd_table_ptr);
	pgd_t pgd = pgdp_get(pgd_table_ptr + pgd_index(addr));
	pud_t pud;
	pmd_t pmd;
	pte_t pte;

	if (!size)
		return 0;
	add(&t, "address %#lx, CR3 %#lx\n", addr, table.v);
	if (!addr_is_canonical(addr))
		return add_end(&t, fault_step_text[STEP_NOT_CANONICAL]);
	add_level(&t, "PGD", pgd_index(addr), table, pgd.v, false);
	if (!pgd_table(pgd))
		return add_end(&t, "nothing in these 512 GiB");

	table = pfn_to_phys(pgd_pfn(pgd));
	pud = pudp_get(pud_offset(pgd, addr));
	add_level(&t, "PUD", pud_index(addr), table, pud.v, pud_leaf(pud));
	if (pud_leaf(pud))
		return add_result(&t, addr, pud.v, PUD_SIZE, "1 GiB");
	if (!pud_table(pud))
		return add_end(&t, "nothing in this GiB");

	table = pfn_to_phys(pud_pfn(pud));
	pmd = pmdp_get(pmd_offset(pud, addr));
	add_level(&t, "PMD", pmd_index(addr), table, pmd.v, pmd_leaf(pmd));
	if (pmd_leaf(pmd))
		return add_result(&t, addr, pmd.v, PMD_SIZE, "2 MiB");
	if (!pmd_table(pmd))
		return add_end(&t, "nothing in these 2 MiB");

	table = pfn_to_phys(pmd_pfn(pmd));
	pte = ptep_get(pte_offset(pmd, addr));
	add_level(&t, "PTE", pte_index(addr), table, pte.v, true);
	if (pte_present(pte))
		return add_result(&t, addr, pte.v, PAGE_SIZE, "4 KiB");
	return add_end(&t,
		       pte_none(pte) ? "no page here yet" : "no frame, but something to remember");
}
