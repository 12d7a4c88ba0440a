/* SPDX-License-Identifier: MIT */
/*
 * The format of page-table entries: Intel SDM volume 3A, section 4.5 (4-level paging), tables 4-15
 * to 4-20. Pure C without a register in it, so that the host's tests use the same file.
 *
 * An entry of the lowest level is in one of four states, and every walker handles all of them:
 *
 *   none      all bits clear: never mapped, or unmapped
 *   present   P is set: the processor uses it
 *   protnone  P clear, PROTNONE set: a frame that no access may reach (PROT_NONE); all other bits
 *             mean what they mean in a present entry, so mprotect() can give the frame back
 *   entry     P and PROTNONE clear, not none: no frame, but something to remember: which swap slot,
 *             which marker. Type in bits 58-62 (never 0), offset in bits 12-57.
 *
 * In the last three states bits 9-11 are the software bits below.
 */
#ifndef ARCH_PTE_H
#define ARCH_PTE_H

#include "kernel/base/compiler.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1UL << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define PMD_SHIFT   21
#define PUD_SHIFT   30
#define PGDIR_SHIFT 39
#define PMD_SIZE    (1UL << PMD_SHIFT)
#define PUD_SIZE    (1UL << PUD_SHIFT)
#define PGDIR_SIZE  (1UL << PGDIR_SHIFT)
#define PMD_MASK    (~(PMD_SIZE - 1))
#define PUD_MASK    (~(PUD_SIZE - 1))
#define PGDIR_MASK  (~(PGDIR_SIZE - 1))

#define PTRS_PER_TABLE 512

/* User space ends one page short of the canonical hole: no instruction can run into it. */
#define TASK_SIZE 0x7ffffffff000UL

#define _PAGE_PRESENT	 BIT(0)
#define _PAGE_RW	 BIT(1)
#define _PAGE_USER	 BIT(2)
#define _PAGE_PWT	 BIT(3)
#define _PAGE_PCD	 BIT(4)
#define _PAGE_ACCESSED	 BIT(5)
#define _PAGE_DIRTY	 BIT(6)
#define _PAGE_PSE	 BIT(7) /* in a PMD or PUD: this is a leaf */
#define _PAGE_PAT	 BIT(7) /* in a PTE */
#define _PAGE_GLOBAL	 BIT(8)
#define _PAGE_PROTNONE	 BIT(8)	 /* where P is clear */
#define _PAGE_SPECIAL	 BIT(9)	 /* software: no struct page counts this mapping */
#define _PAGE_UFFD_WP	 BIT(10) /* software: write-protected for userfaultfd */
#define _PAGE_SOFT_DIRTY BIT(11) /* software: written since somebody last asked */
#define _PAGE_NX	 BIT(63)

#define _PAGE_PFN_MASK	 0x000ffffffffff000UL
#define _PAGE_PKEY_SHIFT 59
#define _PAGE_PKEY_MASK	 (0xfUL << _PAGE_PKEY_SHIFT)

#define _PAGE_TABLE   (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY)
#define _KERNPG_TABLE (_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY)

/* How the processor may cache what a PTE maps: an index into IA32_PAT (SDM volume 3A, 12.12.3). */
#define _PAGE_CACHE_MASK (_PAGE_PWT | _PAGE_PCD | _PAGE_PAT)

/* What mprotect() keeps of an entry when it changes the protection. */
#define _PAGE_CHG_MASK                                                                      \
	(_PAGE_PFN_MASK | _PAGE_CACHE_MASK | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_SPECIAL | \
	 _PAGE_UFFD_WP | _PAGE_SOFT_DIRTY)

typedef struct {
	unsigned long v;
} pte_t;
typedef struct {
	unsigned long v;
} pmd_t;
typedef struct {
	unsigned long v;
} pud_t;
typedef struct {
	unsigned long v;
} pgd_t;
/* The bits of an entry that are not the frame: what vm_page_prot holds. */
typedef struct {
	unsigned long v;
} pgprot_t;

#define __pte(x)    ((pte_t){ (x) })
#define __pmd(x)    ((pmd_t){ (x) })
#define __pud(x)    ((pud_t){ (x) })
#define __pgd(x)    ((pgd_t){ (x) })
#define __pgprot(x) ((pgprot_t){ (x) })

/* __supported bits: cleared of _PAGE_NX at boot where the processor lacks it. */
extern unsigned long pte_supported_mask;

#define PAGE_NONE	   __pgprot(_PAGE_PROTNONE | _PAGE_ACCESSED)
#define PAGE_READONLY	   __pgprot(_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED | _PAGE_NX)
#define PAGE_READONLY_EXEC __pgprot(_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED)
#define PAGE_SHARED	   __pgprot(_PAGE_PRESENT | _PAGE_USER | _PAGE_RW | _PAGE_ACCESSED | _PAGE_NX)
#define PAGE_SHARED_EXEC   __pgprot(_PAGE_PRESENT | _PAGE_USER | _PAGE_RW | _PAGE_ACCESSED)

#define PAGE_KERNEL \
	__pgprot(_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_GLOBAL | _PAGE_NX)
#define PAGE_KERNEL_RO	    __pgprot(_PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_GLOBAL | _PAGE_NX)
#define PAGE_KERNEL_ROX	    __pgprot(_PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_GLOBAL)
#define PAGE_KERNEL_NOCACHE __pgprot(PAGE_KERNEL.v | _PAGE_PCD | _PAGE_PWT)

/* The same rights to memory that isn't cached: for registers; and whose writes are gathered: a screen. */
static inline pgprot_t pgprot_noncached(pgprot_t prot)
{
	return __pgprot((prot.v & ~_PAGE_CACHE_MASK) | _PAGE_PCD);
}

static inline pgprot_t pgprot_writecombine(pgprot_t prot)
{
	return __pgprot((prot.v & ~_PAGE_CACHE_MASK) | _PAGE_PWT);
}

/* Other rights to the same memory. */
static inline pgprot_t pgprot_modify(pgprot_t old, pgprot_t rights)
{
	return __pgprot((old.v & _PAGE_CACHE_MASK) | (rights.v & ~_PAGE_CACHE_MASK));
}

/* The index of an address at each level, 0..511. */
static inline unsigned int pgd_index(unsigned long addr)
{
	return (addr >> PGDIR_SHIFT) & (PTRS_PER_TABLE - 1);
}

static inline unsigned int pud_index(unsigned long addr)
{
	return (addr >> PUD_SHIFT) & (PTRS_PER_TABLE - 1);
}

static inline unsigned int pmd_index(unsigned long addr)
{
	return (addr >> PMD_SHIFT) & (PTRS_PER_TABLE - 1);
}

static inline unsigned int pte_index(unsigned long addr)
{
	return (addr >> PAGE_SHIFT) & (PTRS_PER_TABLE - 1);
}

/* Where the entry after addr's begins, or `end` if that is nearer; right at the top of memory too. */
#define LEVEL_ADDR_END(addr, end, size)                                   \
	({                                                                \
		unsigned long lae_next = ((addr) + (size)) & ~((size)-1); \
		lae_next - 1 < (end)-1 ? lae_next : (end);                \
	})
#define pgd_addr_end(addr, end) LEVEL_ADDR_END(addr, end, PGDIR_SIZE)
#define pud_addr_end(addr, end) LEVEL_ADDR_END(addr, end, PUD_SIZE)
#define pmd_addr_end(addr, end) LEVEL_ADDR_END(addr, end, PMD_SIZE)

/* A canonical address repeats bit 47 in bits 48-63. */
static inline bool addr_is_canonical(unsigned long addr)
{
	return (unsigned long)((long)(addr << 16) >> 16) == addr;
}

/* --- the lowest level ----------------------------------------------------------------------- */

static inline bool pte_none(pte_t pte)
{
	return pte.v == 0;
}

/* Holds a frame: present to the processor, or kept for PROT_NONE. */
static inline bool pte_present(pte_t pte)
{
	return pte.v & (_PAGE_PRESENT | _PAGE_PROTNONE);
}

static inline bool pte_protnone(pte_t pte)
{
	return (pte.v & (_PAGE_PRESENT | _PAGE_PROTNONE)) == _PAGE_PROTNONE;
}

/* Not none and not a frame: a swap slot or a marker. */
static inline bool pte_is_entry(pte_t pte)
{
	return !pte_none(pte) && !pte_present(pte);
}

static inline bool pte_write(pte_t pte)
{
	return pte.v & _PAGE_RW;
}

static inline bool pte_dirty(pte_t pte)
{
	return pte.v & _PAGE_DIRTY;
}

static inline bool pte_young(pte_t pte)
{
	return pte.v & _PAGE_ACCESSED;
}

static inline bool pte_exec(pte_t pte)
{
	return !(pte.v & _PAGE_NX);
}

static inline bool pte_special(pte_t pte)
{
	return pte.v & _PAGE_SPECIAL;
}

static inline bool pte_soft_dirty(pte_t pte)
{
	return pte.v & _PAGE_SOFT_DIRTY;
}

static inline bool pte_uffd_wp(pte_t pte)
{
	return pte.v & _PAGE_UFFD_WP;
}

static inline bool pte_same(pte_t a, pte_t b)
{
	return a.v == b.v;
}

static inline unsigned int pte_pkey(pte_t pte)
{
	return (pte.v & _PAGE_PKEY_MASK) >> _PAGE_PKEY_SHIFT;
}

static inline pfn_t pte_pfn(pte_t pte)
{
	return make_pfn((pte.v & _PAGE_PFN_MASK) >> PAGE_SHIFT);
}

static inline pte_t pfn_pte(pfn_t pfn, pgprot_t prot)
{
	return __pte((pfn.v << PAGE_SHIFT) | (prot.v & pte_supported_mask));
}

static inline pte_t pte_mkwrite(pte_t pte)
{
	return __pte(pte.v | _PAGE_RW);
}

static inline pte_t pte_wrprotect(pte_t pte)
{
	return __pte(pte.v & ~_PAGE_RW);
}

static inline pte_t pte_mkdirty(pte_t pte)
{
	return __pte(pte.v | _PAGE_DIRTY | _PAGE_SOFT_DIRTY);
}

static inline pte_t pte_mkclean(pte_t pte)
{
	return __pte(pte.v & ~_PAGE_DIRTY);
}

static inline pte_t pte_mksoft_dirty(pte_t pte)
{
	return __pte(pte.v | _PAGE_SOFT_DIRTY);
}

static inline pte_t pte_clear_soft_dirty(pte_t pte)
{
	return __pte(pte.v & ~_PAGE_SOFT_DIRTY);
}

static inline pte_t pte_mkyoung(pte_t pte)
{
	return __pte(pte.v | _PAGE_ACCESSED);
}

static inline pte_t pte_mkold(pte_t pte)
{
	return __pte(pte.v & ~_PAGE_ACCESSED);
}

static inline pte_t pte_mkspecial(pte_t pte)
{
	return __pte(pte.v | _PAGE_SPECIAL);
}

static inline pte_t pte_modify(pte_t pte, pgprot_t prot)
{
	return __pte((pte.v & _PAGE_CHG_MASK) | (prot.v & pte_supported_mask & ~_PAGE_CHG_MASK) |
		     (prot.v & _PAGE_ACCESSED));
}

/* Entries: type 1..31, offset 0..2^46-1. */
#define PTE_ENTRY_TYPE_SHIFT  58
#define PTE_ENTRY_TYPE_MAX    31
#define PTE_ENTRY_OFFSET_MASK (((1UL << 46) - 1) << PAGE_SHIFT)

static inline pte_t make_pte_entry(unsigned int type, unsigned long offset)
{
	return __pte(((unsigned long)type << PTE_ENTRY_TYPE_SHIFT) |
		     ((offset << PAGE_SHIFT) & PTE_ENTRY_OFFSET_MASK));
}

static inline unsigned int pte_entry_type(pte_t pte)
{
	return (pte.v >> PTE_ENTRY_TYPE_SHIFT) & PTE_ENTRY_TYPE_MAX;
}

static inline unsigned long pte_entry_offset(pte_t pte)
{
	return (pte.v & PTE_ENTRY_OFFSET_MASK) >> PAGE_SHIFT;
}

/* --- the levels above: none, a table, or (PMD and PUD) a leaf -------------------------------- */

#define DEFINE_TABLE_ACCESSORS(lvl)                                                         \
	static inline bool lvl##_none(lvl##_t e)                                            \
	{                                                                                   \
		return e.v == 0;                                                            \
	}                                                                                   \
	static inline bool lvl##_present(lvl##_t e)                                         \
	{                                                                                   \
		return e.v & (_PAGE_PRESENT | _PAGE_PROTNONE);                              \
	}                                                                                   \
	static inline pfn_t lvl##_pfn(lvl##_t e)                                            \
	{                                                                                   \
		return make_pfn((e.v & _PAGE_PFN_MASK) >> PAGE_SHIFT);                      \
	}                                                                                   \
	/* The entry for a table of the next level at that frame; user and kernel alike. */ \
	static inline lvl##_t lvl##_mktable(pfn_t pfn, unsigned long flags)                 \
	{                                                                                   \
		return (lvl##_t){ (pfn.v << PAGE_SHIFT) | flags };                          \
	}
DEFINE_TABLE_ACCESSORS(pmd)
DEFINE_TABLE_ACCESSORS(pud)
DEFINE_TABLE_ACCESSORS(pgd)
#undef DEFINE_TABLE_ACCESSORS

/* Maps memory itself instead of pointing at a table. PSE survives PROT_NONE, as the frame does. */
static inline bool pmd_leaf(pmd_t pmd)
{
	return pmd_present(pmd) && (pmd.v & _PAGE_PSE);
}

static inline bool pud_leaf(pud_t pud)
{
	return pud_present(pud) && (pud.v & _PAGE_PSE);
}

static inline bool pmd_table(pmd_t pmd)
{
	return (pmd.v & _PAGE_PRESENT) && !(pmd.v & _PAGE_PSE);
}

static inline bool pud_table(pud_t pud)
{
	return (pud.v & _PAGE_PRESENT) && !(pud.v & _PAGE_PSE);
}

static inline bool pgd_table(pgd_t pgd)
{
	return pgd.v & _PAGE_PRESENT;
}

static inline pmd_t pfn_pmd(pfn_t pfn, pgprot_t prot)
{
	return __pmd((pfn.v << PAGE_SHIFT) | _PAGE_PSE | (prot.v & pte_supported_mask));
}

static inline pud_t pfn_pud(pfn_t pfn, pgprot_t prot)
{
	return __pud((pfn.v << PAGE_SHIFT) | _PAGE_PSE | (prot.v & pte_supported_mask));
}

#endif
