/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own mapped area: stretches of virtual addresses, each followed by an unmapped guard
 * page, in one list by address. An allocation takes the first gap that fits.
 *
 * What is unmapped is flushed on all processors before its pages are freed, and before its addresses are
 * in the list of free ones again.
 *
 * Locks: vm_lock for the list. Page tables below VMALLOC_START are made on the way and stay until
 * vmalloc_drain(), so that mapping a stretch that was in use before mostly allocates nothing.
 */
#include "mm/vmalloc.h"

#include "mm/internal.h"
#include "mm/kasan.h"

struct vm_struct {
	struct list_head link;
	unsigned long addr;  /* of what is mapped */
	unsigned long size;  /* bytes mapped; guards come on top */
	unsigned long below; /* bytes of guard below addr */
	bool ram;	     /* pages are ours and are freed with it */
};

static struct list_head vm_list = LIST_HEAD_INIT(vm_list);
static struct mutex vm_lock = MUTEX_INIT(vm_lock);
static struct kmem_cache *vm_cache;
static unsigned long vm_top = VMALLOC_START; /* nothing was ever mapped from here on */

/*
 * Kernel stacks are kept mapped for the next thread. When there are too many, some go, together: to flush
 * means to interrupt every processor.
 */
#define STACK_CACHE 16
#define STACK_BATCH 8
static void *stack_cache[STACK_CACHE];
static unsigned int nr_stacks_cached;
static spinlock_t stack_cache_lock = SPINLOCK_INIT;
atomic_long_t kernel_stack_bytes;

/* => vm_lock. Finds room and links vm there. */
static int vm_insert(struct vm_struct *vm)
{
	/* With a sanitizer only a part has shadow: RAM goes there, and all else behind. */
	unsigned long pos =
		vm->ram || kasan_vmalloc_end() == VMALLOC_END ? VMALLOC_START : kasan_vmalloc_end();
	unsigned long end = vm->ram ? kasan_vmalloc_end() : VMALLOC_END;
	unsigned long need = vm->below + vm->size + PAGE_SIZE;
	struct vm_struct *next;

	list_for_each_entry(next, &vm_list, link)
	{
		if (pos + need <= next->addr - next->below)
			break;
		pos = max(pos, next->addr + next->size + PAGE_SIZE);
	}
	if (pos + need > end)
		return -ENOMEM;
	vm->addr = pos + vm->below;
	vm_top = max(vm_top, pos + need);
	list_add_tail(&vm->link, &next->link);
	return 0;
}

static struct vm_struct *vm_reserve(size_t size, size_t below, bool ram)
{
	struct vm_struct *vm = kmem_cache_zalloc(vm_cache, GFP_KERNEL);

	if (!vm)
		return NULL;
	vm->size = ALIGN_UP(size, PAGE_SIZE);
	vm->below = below;
	vm->ram = ram;
	mutex_lock(&vm_lock);
	if (vm_insert(vm)) {
		kmem_cache_free(vm_cache, vm);
		vm = NULL;
	}
	mutex_unlock(&vm_lock);
	return vm;
}

/* All of a stretch, its guards with it, is nobody's. */
static void kasan_poison_area(const struct vm_struct *vm)
{
	kasan_poison((void *)(vm->addr - vm->below), vm->below + vm->size + PAGE_SIZE,
		     KASAN_VMALLOC);
}

static void vm_release(struct vm_struct *vm)
{
	kasan_poison_area(vm);
	mutex_lock(&vm_lock);
	list_del(&vm->link);
	mutex_unlock(&vm_lock);
	kmem_cache_free(vm_cache, vm);
}

/* Stretches that go together, with one flush. */
struct vm_batch {
	unsigned long start, end; /* what is to be flushed */
	struct list_head pages;	  /* what is to be freed after that */
};

#define VM_BATCH_INIT(name)                                                  \
	{                                                                    \
		.start = ~0UL, .end = 0, .pages = LIST_HEAD_INIT(name.pages) \
	}

/* Unmaps the first `mapped` bytes. Their pages, if they are ours, are the batch's. */
static void vm_unmap(struct vm_batch *batch, struct vm_struct *vm, unsigned long mapped)
{
	for (unsigned long a = vm->addr; vm->ram && a < vm->addr + mapped; a += PAGE_SIZE) {
		pmd_t *pmd = pmd_lookup(kernel_pgd, a);

		list_add(&pfn_to_page(pte_pfn(ptep_get(pte_offset(pmdp_get(pmd), a))))->lru,
			 &batch->pages);
	}
	if (!mapped)
		return;
	unmap_kernel_range(vm->addr, mapped);
	batch->start = min(batch->start, vm->addr);
	batch->end = max(batch->end, vm->addr + mapped);
}

static void vm_finish(struct vm_batch *batch)
{
	struct page *page, *next;

	if (batch->start < batch->end)
		tlb_flush_kernel_range(batch->start, batch->end);
	list_for_each_entry_safe(page, next, &batch->pages, lru)
	{
		list_del(&page->lru);
		free_page(page);
	}
}

/* Takes back the first `mapped` bytes of a stretch, and the stretch itself. */
static void vm_undo(struct vm_struct *vm, unsigned long mapped)
{
	struct vm_batch batch = VM_BATCH_INIT(batch);

	vm_unmap(&batch, vm, mapped);
	vm_finish(&batch);
	vm_release(vm);
}

/* 0, or -ENOMEM and the stretch is no more. */
static int vm_populate(struct vm_struct *vm)
{
	kasan_poison_area(vm);
	for (unsigned long off = 0; off < vm->size; off += PAGE_SIZE) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (page && !map_kernel_range(vm->addr + off, pfn_to_phys(page_to_pfn(page)),
					      PAGE_SIZE, PAGE_KERNEL, true))
			continue;
		if (page)
			free_page(page);
		vm_undo(vm, off);
		return -ENOMEM;
	}
	return 0;
}

static void *vmalloc_guarded(size_t size, size_t below)
{
	struct vm_struct *vm = NULL;

	if (size && ALIGN_UP(size, PAGE_SIZE) >= size)
		vm = vm_reserve(size, below, true);
	if (!vm || vm_populate(vm))
		return NULL;
	kasan_unpoison((void *)vm->addr, size);
	return (void *)vm->addr;
}

void *(vmalloc)(size_t size)
{
	return vmalloc_guarded(size, 0);
}

static struct vm_struct *vm_find(const void *ptr)
{
	struct vm_struct *vm, *found = NULL;

	mutex_lock(&vm_lock);
	list_for_each_entry(vm, &vm_list, link) if (vm->addr == ((unsigned long)ptr & PAGE_MASK))
		found = vm;
	mutex_unlock(&vm_lock);
	if (!found)
		panic("vfree of %p, which vmalloc never gave", ptr);
	return found;
}

void vfree(void *ptr)
{
	struct vm_struct *vm;

	if (!ptr)
		return;
	vm = vm_find(ptr);
	vm_undo(vm, vm->size);
}

void *ioremap(u64 phys, size_t size, bool nocache)
{
	unsigned long offset = phys & ~PAGE_MASK;
	struct vm_struct *vm = vm_reserve(size + offset, 0, false);

	if (!vm)
		return NULL;
	if (map_kernel_range(vm->addr, make_phys(phys - offset), vm->size,
			     nocache ? PAGE_KERNEL_NOCACHE : PAGE_KERNEL, true)) {
		vm_undo(vm, vm->size);
		return NULL;
	}
	return (void *)(vm->addr + offset);
}

void iounmap(void *ptr)
{
	vfree(ptr);
}

/* Takes up to n stacks out of the cache. */
static unsigned int take_stacks(void **stacks, unsigned int n)
{
	unsigned long flags = spin_lock_irqsave(&stack_cache_lock);
	unsigned int taken = 0;

	while (taken < n && nr_stacks_cached)
		stacks[taken++] = stack_cache[--nr_stacks_cached];
	spin_unlock_irqrestore(&stack_cache_lock, flags);
	return taken;
}

static void free_stacks(void **stacks, unsigned int n)
{
	struct vm_batch batch = VM_BATCH_INIT(batch);
	struct vm_struct *vms[STACK_BATCH + 1];

	for (unsigned int i = 0; i < n; i++) {
		vms[i] = vm_find(stacks[i]);
		vm_unmap(&batch, vms[i], vms[i]->size);
	}
	vm_finish(&batch);
	while (n)
		vm_release(vms[--n]);
}

void *(alloc_kernel_stack)(void)
{
	void *stack = NULL;

	if (!take_stacks(&stack, 1))
		stack = vmalloc_guarded(THREAD_SIZE, PAGE_SIZE);
	if (!stack)
		return NULL;
	/* Of frames that were never left marks may be there. */
	kasan_unpoison(stack, THREAD_SIZE);
	atomic_long_add(&kernel_stack_bytes, THREAD_SIZE);
	return stack;
}

void free_kernel_stack(void *stack)
{
	void *stacks[STACK_BATCH + 1] = { stack };
	unsigned long flags = spin_lock_irqsave(&stack_cache_lock);
	bool kept = nr_stacks_cached < STACK_CACHE;

	kasan_poison(stack, THREAD_SIZE, KASAN_VMALLOC);
	atomic_long_add(&kernel_stack_bytes, -(long)THREAD_SIZE);
	if (kept)
		stack_cache[nr_stacks_cached++] = stack;
	spin_unlock_irqrestore(&stack_cache_lock, flags);
	if (!kept)
		free_stacks(stacks, 1 + take_stacks(stacks + 1, STACK_BATCH));
}

static void free_cached_stacks(void)
{
	void *stacks[STACK_BATCH];
	unsigned int n;

	while ((n = take_stacks(stacks, STACK_BATCH)))
		free_stacks(stacks, n);
}

/* Frees the tables in a gap between areas: where no area is, nobody maps. => vm_lock */
static void free_tables_between(unsigned long start, unsigned long end)
{
	for (start = ALIGN_UP(start, PMD_SIZE); start + PMD_SIZE <= end; start += PMD_SIZE)
		free_kernel_table(start);
}

void vmalloc_drain(void)
{
	unsigned long pos = VMALLOC_START;
	struct vm_struct *vm;

	free_cached_stacks();
	mutex_lock(&vm_lock);
	list_for_each_entry(vm, &vm_list, link)
	{
		free_tables_between(pos, vm->addr - vm->below);
		pos = vm->addr + vm->size + PAGE_SIZE;
	}
	free_tables_between(pos, ALIGN_UP(vm_top, PMD_SIZE));
	mutex_unlock(&vm_lock);
}

/*
 * Called on the way to a panic, wherever that was: so it waits for no lock. If somebody is changing the list
 * right now, nothing is said of the address.
 */
bool vmalloc_is_guard(unsigned long addr)
{
	struct vm_struct *vm;
	bool guard = false;

	if (!mutex_trylock(&vm_lock))
		return false;
	list_for_each_entry(vm, &vm_list, link) guard |=
		vm->below && addr < vm->addr && addr >= vm->addr - vm->below;
	mutex_unlock(&vm_lock);
	return guard;
}

void vmalloc_init(void)
{
	vm_cache = kmem_cache_create("vm_struct", sizeof(struct vm_struct), 0);
}
