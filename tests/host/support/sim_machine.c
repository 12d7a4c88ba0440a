/* SPDX-License-Identifier: MIT */
/*
 * Physical memory, booting, and what stands between mm/ and its own allocators: the linker leads
 * calls across files (--wrap) through here, so that the machine learns of every freed frame and of
 * every call that may sleep, without a word of it in mm/.
 */
#include <sys/mman.h>

#include <stdlib.h>

#include <arch/cpu.h>
#include <arch/tlb.h>

#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/sync/rcu.h"
#include "mm/filemap.h"
#include "mm/init.h"
#include "mm/internal.h"
#include "tests/host/sim.h"

char *sim_ram;
struct page *sim_vmemmap;
static u64 ram_end; /* bytes, physical */

phys_addr_t virt_to_phys(const void *ptr)
{
	const char *p = ptr;

	if (p < sim_ram || p >= sim_ram + ram_end)
		panic("virt_to_phys(%p): not in the direct map", ptr);
	return make_phys((unsigned long)(p - sim_ram));
}

void clear_page(void *page)
{
	BUG_ON(virt_to_phys(page).v & ~PAGE_MASK);
	memset(page, 0, PAGE_SIZE);
}

void copy_page(void *to, const void *from)
{
	BUG_ON((virt_to_phys(to).v | virt_to_phys(from).v) & ~PAGE_MASK);
	memcpy(to, from, PAGE_SIZE);
}

/* --- power on -------------------------------------------------------------------------------------- */

/* Address space without memory behind it, and without access. */
static void *reserve_host(size_t size)
{
	void *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		panic("the host has no %zu bytes of addresses", size);
	return p;
}

static void open_host(void *start, size_t size)
{
	if (mprotect(start, size, PROT_READ | PROT_WRITE))
		panic("mprotect fails on the host");
}

static void open_ram(u64 start, u64 end, void *arg)
{
	open_host(sim_ram + start, end - start);
}

static int open_structs(unsigned long addr, unsigned long next)
{
	open_host((char *)sim_vmemmap + (addr - VMEMMAP_START), next - addr);
	return 0;
}

static int open_structs_pmd(pmd_t *pmd, unsigned long addr, unsigned long next,
			    struct mm_walk *walk)
{
	return open_structs(addr, next);
}

static int open_structs_pte(pte_t *pte, unsigned long addr, unsigned long next,
			    struct mm_walk *walk)
{
	return pte_present(*pte) ? open_structs(addr, next) : 0;
}

/* The kernel's tables are in force: struct pages can be touched where they map vmemmap. */
void sim_open_vmemmap(void)
{
	static const struct mm_walk_ops ops = { .pmd_leaf = open_structs_pmd,
						.pte = open_structs_pte };

	walk_page_range(kernel_pgd, VMEMMAP_START, VMEMMAP_END, &ops, NULL);
}

void sim_boot_memblock(const struct boot_mem *mem, unsigned int nr)
{
	static struct boot_info info;

	if (sim_ram)
		panic("a process can hold one machine only");
	BUG_ON(nr > BOOT_MEM_MAX);
	info.nr_mem = nr;
	memcpy(info.mem, mem, nr * sizeof(*mem));
	memblock_init(&info);
	ram_end = memblock_end_of_ram();
	sim_ram = reserve_host(ram_end);
	sim_vmemmap = reserve_host(ALIGN_UP(ram_end, PAGE_SIZE << MAX_ORDER) / PAGE_SIZE *
				   sizeof(struct page));
	memblock_for_each_ram(open_ram, NULL);
	/* What was there before is not zeros. */
	memset(sim_ram + ram_end - PAGE_SIZE, 0x5a, PAGE_SIZE);
}

/* A small kernel image where the real one lies, and the first MiB, which is left to firmware. */
#define IMAGE_PHYS (2UL << 20)

void sim_boot(const struct boot_mem *mem, unsigned int nr)
{
	const struct kernel_image image = {
		.text = KERNEL_IMAGE_BASE + IMAGE_PHYS,
		.rodata = KERNEL_IMAGE_BASE + IMAGE_PHYS + 0x3000,
		.data = KERNEL_IMAGE_BASE + IMAGE_PHYS + 0x5000,
		.end = KERNEL_IMAGE_BASE + IMAGE_PHYS + 0x9000,
	};

	sim_boot_memblock(mem, nr);
	memblock_reserve(0, 1UL << 20);
	memblock_reserve(IMAGE_PHYS, image.end - image.text);
	mm_paging_init(&image);
	mm_init();
	sim_shmem_init();
	for (unsigned int i = SIM_NR_CPUS; i-- > 0;) {
		sim_set_cpu(i);
		mmu_load_pgd(kernel_pgd);
	}
	sim_use_mm(NULL);
}

void sim_boot_default(void)
{
	static const struct boot_mem mem[] = {
		SIM_RAM(0, 0x9f000),
		SIM_RAM(1UL << 20, 14UL << 20),
		SIM_RAM(16UL << 20, 48UL << 20),
		SIM_RAM(4UL << 30, 32UL << 20),
	};

	sim_boot(mem, ARRAY_SIZE(mem));
}

/* --- memory that runs out -------------------------------------------------------------------------- */

const char *const sim_fail_names[] = { "none", "page", "object", "everything from" };
static unsigned long left_before_all_fail; /* 0: they don't */

void sim_fail(enum sim_fail how, unsigned long n)
{
	page_alloc_fail_nth(how == SIM_FAIL_PAGE ? n : 0);
	slab_fail_nth(how == SIM_FAIL_OBJECT ? n : 0);
	left_before_all_fail = how == SIM_FAIL_ALL ? n : 0;
}

static bool no_memory_left(void)
{
	if (left_before_all_fail > 1)
		left_before_all_fail--;
	else
		return left_before_all_fail;
	return false;
}

/* --- between the files of mm/ ------------------------------------------------------------------------- */

struct page *__real_alloc_pages(gfp_t gfp, unsigned int order);
struct page *__wrap_alloc_pages(gfp_t gfp, unsigned int order);
void __real_free_pages(struct page *page, unsigned int order);
void __wrap_free_pages(struct page *page, unsigned int order);
void __real_put_page(struct page *page);
void __wrap_put_page(struct page *page);
void *__real_kmem_cache_alloc(struct kmem_cache *c, gfp_t gfp);
void *__wrap_kmem_cache_alloc(struct kmem_cache *c, gfp_t gfp);
void __real_down_read(struct rw_semaphore *sem);
void __wrap_down_read(struct rw_semaphore *sem);
void __real_down_write(struct rw_semaphore *sem);
void __wrap_down_write(struct rw_semaphore *sem);
void __real_mutex_lock(struct mutex *m);
void __wrap_mutex_lock(struct mutex *m);

bool __real_user_pages_are_free(void);
bool __wrap_user_pages_are_free(void);

/* While everything fails there is none, whatever the zones have: who asks would try again for ever. */
bool __wrap_user_pages_are_free(void)
{
	return left_before_all_fail != 1 && __real_user_pages_are_free();
}

struct page *__wrap_alloc_pages(gfp_t gfp, unsigned int order)
{
	if (gfp & __GFP_SLEEP)
		sim_might_sleep("alloc_pages");
	if (no_memory_left())
		return NULL;
	return __real_alloc_pages(gfp, order);
}

void __wrap_free_pages(struct page *page, unsigned int order)
{
	sim_frame_freed(page_to_pfn(page).v, 1UL << order);
	__real_free_pages(page, order);
}

void __wrap_put_page(struct page *page)
{
	struct page *head = compound_head(page);

	if (page_count(head) == 1)
		sim_frame_freed(page_to_pfn(head).v,
				page_flag(head, PG_head) ? 1UL << head->order : 1);
	__real_put_page(page);
}

void *__wrap_kmem_cache_alloc(struct kmem_cache *c, gfp_t gfp)
{
	if (gfp & __GFP_SLEEP)
		sim_might_sleep("kmem_cache_alloc");
	if (no_memory_left())
		return NULL;
	return __real_kmem_cache_alloc(c, gfp);
}

void __wrap_down_read(struct rw_semaphore *sem)
{
	sim_might_sleep("down_read");
	__real_down_read(sem);
}

void __wrap_down_write(struct rw_semaphore *sem)
{
	sim_might_sleep("down_write");
	__real_down_write(sem);
}

void __wrap_mutex_lock(struct mutex *m)
{
	sim_might_sleep("mutex_lock");
	__real_mutex_lock(m);
}

/* --- what is in use ------------------------------------------------------------------------------------- */

struct sim_usage sim_usage(void)
{
	struct sim_usage u = { 0 };
	struct buddy_info zone;
	struct slab_info slab;

	rcu_barrier();
	vmalloc_drain();
	slab_drain();
	drain_all_pages();
	u.free_pages = nr_free_pages();
	for (int t = 0; t < MAX_NR_ZONES; t++)
		if (zone_buddy_info((enum zone_type)t, &zone))
			memcpy(u.blocks[t], zone.blocks, sizeof(u.blocks[t]));
	for (unsigned int n = 0; slab_cache_info(n, &slab); n++)
		u.slab_objects += slab.active_objs;
	u.committed = vm_committed_pages();
	u.file_pages = atomic_long_read(&nr_file_pages);
	return u;
}

bool sim_usage_same(const struct sim_usage *a, const struct sim_usage *b, bool blocks)
{
	const struct {
		const char *what;
		long a, b;
	} pairs[] = {
		{ "free pages", (long)a->free_pages, (long)b->free_pages },
		{ "slab objects", (long)a->slab_objects, (long)b->slab_objects },
		{ "committed pages", a->committed, b->committed },
		{ "pages of files", a->file_pages, b->file_pages },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (pairs[i].a != pairs[i].b) {
			printk("# %s: %ld before, %ld after\n", pairs[i].what, pairs[i].a,
			       pairs[i].b);
			return false;
		}
	for (int t = 0; blocks && t < MAX_NR_ZONES; t++)
		for (int o = 0; o <= MAX_ORDER; o++)
			if (a->blocks[t][o] != b->blocks[t][o]) {
				printk("# zone %d, order %d: %lu blocks before, %lu after\n", t, o,
				       a->blocks[t][o], b->blocks[t][o]);
				return false;
			}
	return true;
}
