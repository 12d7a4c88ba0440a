/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own page tables, in place of the bridge that boot.S built: all RAM in the direct map
 * with the largest leaves there are, struct pages in vmemmap, the image section by section with the
 * rights each needs, and the top entry for vmalloc space so that every address space shares it.
 */
#include "mm/init.h"

#include "mm/internal.h"
#include "mm/kasan.h"

static void must(int err)
{
	if (err)
		panic("no memory for the kernel's page tables");
}

/* Part of a range of RAM, as far as it lies in [from, to). */
static void map_direct_part(u64 start, u64 end, u64 from, u64 to, pgprot_t prot)
{
	start = max(start, from);
	end = min(end, to);
	if (start < end)
		must(map_kernel_range(PAGE_OFFSET + start, make_phys(start), end - start, prot,
				      false));
}

/* What the image maps read-only is so in the direct map too. */
static void map_direct(u64 start, u64 end, void *arg)
{
	const struct kernel_image *image = arg;
	u64 text = image->text - KERNEL_IMAGE_BASE, data = image->data - KERNEL_IMAGE_BASE;

	map_direct_part(start, end, 0, text, PAGE_KERNEL);
	map_direct_part(start, end, text, data, PAGE_KERNEL_RO);
	map_direct_part(start, end, data, ~0UL, PAGE_KERNEL);
}

void map_new_memory(unsigned long virt, unsigned long end)
{
	/* Leaves of 2 MiB need physical and virtual address to agree in their low 21 bits. */
	unsigned long offset = end - virt >= PMD_SIZE ? virt & ~PMD_MASK : 0;
	phys_addr_t phys =
		memblock_alloc(end - virt + offset, end - virt >= PMD_SIZE ? PMD_SIZE : PAGE_SIZE);

	must(map_kernel_range(virt, make_phys(phys.v + offset), end - virt, PAGE_KERNEL, false));
}

/* Struct pages come in pieces for one block of 4 MiB: that is what the buddy allocator looks at. */
#define BLOCK_SIZE    (PAGE_SIZE << MAX_ORDER)
#define BLOCK_STRUCTS (sizeof(struct page) << MAX_ORDER)

/* vmemmap for the blocks of a range of RAM; *arg is the end of what is mapped so far. */
static void map_structs(u64 start, u64 end, void *arg)
{
	unsigned long *done = arg;
	unsigned long virt = VMEMMAP_START + start / BLOCK_SIZE * BLOCK_STRUCTS;
	unsigned long virt_end = VMEMMAP_START + DIV_ROUND_UP(end, BLOCK_SIZE) * BLOCK_STRUCTS;

	virt = max(virt, *done);
	if (virt >= virt_end)
		return;
	*done = virt_end;
	map_new_memory(virt, virt_end);
}

static void map_section(unsigned long start, unsigned long end, pgprot_t prot)
{
	must(map_kernel_range(start, make_phys(start - KERNEL_IMAGE_BASE), end - start, prot,
			      true));
}

void mm_paging_init(const struct kernel_image *image)
{
	unsigned long structs_done = VMEMMAP_START;
	static const unsigned long shared[] = { VMALLOC_START };

	memblock_for_each_ram(map_direct, (void *)image);
	memblock_for_each_ram(map_structs, &structs_done);
	kasan_map_shadow();
	map_section(image->text, image->rodata, PAGE_KERNEL_ROX);
	map_section(image->rodata, image->data, PAGE_KERNEL_RO);
	map_section(image->data, image->end, PAGE_KERNEL);
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		kernel_pgd[pgd_index(shared[i])] = pgd_mktable(
			phys_to_pfn(memblock_alloc_low(PAGE_SIZE, PAGE_SIZE)), _KERNPG_TABLE);
	mmu_load_pgd(kernel_pgd);
	kasan_start();
	page_alloc_init();
	page_alloc_ready = true;
}

/* --- nothing writable and executable ------------------------------------------------------------- */

static int count_wx(unsigned long entry, struct mm_walk *walk)
{
	unsigned long *bad = walk->private;

	if ((entry & _PAGE_PRESENT) && (entry & walk->parent_flags & _PAGE_RW) &&
	    !((entry | walk->parent_flags) & _PAGE_NX))
		(*bad)++;
	return 0;
}

static int wx_pud(pud_t *pud, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	return count_wx(pud->v, walk);
}

static int wx_pmd(pmd_t *pmd, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	return count_wx(pmd->v, walk);
}

static int wx_pte(pte_t *pte, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	return count_wx(pte->v, walk);
}

static unsigned long count_wx_pages(pgd_t *pgd, unsigned long start, unsigned long end)
{
	static const struct mm_walk_ops ops = { .pud_leaf = wx_pud,
						.pmd_leaf = wx_pmd,
						.pte = wx_pte };
	unsigned long bad = 0;

	walk_page_range(pgd, start, end, &ops, &bad);
	return bad;
}

unsigned long mm_count_kernel_wx_pages(void)
{
	return count_wx_pages(kernel_pgd, PAGE_OFFSET, PAGE_OFFSET_END) +
	       count_wx_pages(kernel_pgd, VMALLOC_START, VMALLOC_END) +
	       count_wx_pages(kernel_pgd, VMEMMAP_START, VMEMMAP_END) +
	       count_wx_pages(kernel_pgd, KASAN_SHADOW_START, KASAN_SHADOW_END) +
	       count_wx_pages(kernel_pgd, KERNEL_IMAGE_BASE, 0);
}
