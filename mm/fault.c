/* SPDX-License-Identifier: MIT */
/*
 * Page faults, from the address to the entry that makes it work:
 *
 *	do_user_fault        find the area, let a stack grow, check the access
 *	  handle_mm_fault      make the tables down to the entry
 *	    do_anonymous_page    nothing there: the zero page to read, a page of zeros to write
 *	    do_fault             nothing there, but a file behind it:
 *	      do_read_fault        its page, and those beside it that are in memory
 *	      do_cow_fault         a private write: a copy
 *	      do_shared_fault      a shared write: its page, after page_mkwrite
 *	    do_wp_page           there, but read-only: reuse or copy (cow.c)
 *
 * Locks: the area's own for reading throughout, so it stays and nothing waits for what happens to
 * others (vma_lock.c). What that doesn't do for is done under mmap_lock for reading: an area's first
 * write, which looks at its neighbours; and for writing while a stack grows. The page table's lock only
 * around looking at an entry and changing it: pages are allocated before, and the entry is looked at
 * again under the lock, since another thread may have been faster.
 */
#include "kernel/abi/mman.h"
#include "mm/internal.h"

void page_make_anon(struct page *page, const struct vm_area_struct *vma, unsigned long addr)
{
	page->mapping = (struct address_space *)((unsigned long)vma->anon_vma | PAGE_MAPPING_ANON);
	page->index = linear_page_index(vma, addr);
	/* What it holds can't be had from anywhere else. Nobody knows the page yet: no need to lock. */
	__page_set_flags(page, page_flags(page) | BIT(PG_swapbacked) | BIT(PG_anon_exclusive));
}

/*
 * Whether the area's memory is being taken from a process that ends: a page of zeros instead of what was
 * there would let it go on with something wrong. What others share is left alone (oom_reap_mm()).
 */
static bool is_taken(const struct vm_area_struct *vma)
{
	return unlikely(READ_ONCE(vma->vm_mm->unstable)) && !(vma->vm_flags & VM_SHARED);
}

/* Sets an empty entry, if it still is empty, and may be set; true then. */
static bool install_at(struct vm_fault *vmf, unsigned long addr, pte_t *ptep, pte_t pte,
		       struct page *page)
{
	bool empty;

	spin_lock(vmf->ptl);
	empty = pte_none(ptep_get(ptep)) && !is_taken(vmf->vma);
	if (empty) {
		if (page) {
			page_add_first_map(page);
			add_mm_counter(vmf->vma->vm_mm, page_rss_kind(page), 1);
		}
		set_pte(ptep, pte);
		trace(PTE_SET, vmf->vma->vm_mm, addr, LEVEL_PTE, 0, pte.v);
	}
	spin_unlock(vmf->ptl);
	return empty;
}

static bool install_pte(struct vm_fault *vmf, pte_t pte, struct page *page)
{
	bool done = install_at(vmf, vmf->address, vmf->pte, pte, page);

	if (unlikely(!done))
		note_fault_step(STEP_ENTRY_CHANGED);
	return done;
}

/* How a fault ends that didn't set the entry: another was faster, or the memory is taken. */
static unsigned int not_installed(const struct vm_fault *vmf)
{
	return is_taken(vmf->vma) ? VM_FAULT_SIGBUS : 0;
}

static pte_t writable(pte_t pte, const struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_WRITE ? pte_mkwrite(pte_mkdirty(pte)) : pte;
}

static unsigned int do_anonymous_page(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned int ret;
	struct page *page;
	pte_t pte;

	if (!(vmf->flags & FAULT_FLAG_WRITE)) {
		note_fault_step(STEP_ZERO_PAGE);
		pte = pte_mkspecial(pte_mkyoung(mk_pte(zero_page, vma->vm_page_prot)));
		return install_pte(vmf, pte, NULL) ? 0 : not_installed(vmf);
	}
	note_fault_step(STEP_FRESH_PAGE);
	ret = vmf_anon_prepare(vmf);
	if (ret)
		return ret;
	page = alloc_page(GFP_USER | __GFP_ZERO);
	if (!page)
		return VM_FAULT_OOM;
	page_make_anon(page, vma, vmf->address);
	pte = writable(pte_mkyoung(mk_pte(page, vma->vm_page_prot)), vma);
	if (!install_pte(vmf, pte, page)) {
		page->mapping = NULL;
		put_page(page);
		return not_installed(vmf);
	}
	return 0;
}

bool map_file_page(struct vm_fault *vmf, struct page *page, unsigned long addr)
{
	const struct vm_area_struct *vma = vmf->vma;
	pte_t pte = pte_mkyoung(mk_pte(page, vma->vm_page_prot));
	pte_t *ptep = vmf->pte + ((long)(addr - vmf->address) >> PAGE_SHIFT);

	return install_at(vmf, addr, ptep, pte, page);
}

/* How much a read fault of a file looks at, in pages: a window of its size, aligned. */
#define FAULT_AROUND_PAGES 16UL

/*
 * Where one page of a file is read, those beside it will be, too: what of them is in memory is mapped
 * along with it, within the window, the area, and the page table.
 */
static unsigned int do_fault_around(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = ALIGN_DOWN(vmf->address, FAULT_AROUND_PAGES << PAGE_SHIFT);
	unsigned long start, end;

	addr = max(addr, vma->vm_start);
	start = linear_page_index(vma, addr);
	end = min(start + FAULT_AROUND_PAGES, start + PTRS_PER_TABLE - pte_index(addr));
	end = min(end, vma->vm_pgoff + vma_pages(vma));
	return vma->vm_ops->map_pages(vmf, start, end - 1);
}

/* The fault operation ended without a page. */
#define FAULT_NO_PAGE (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY)

/* The page that stands behind the address, locked and with a reference, in vmf->page; or FAULT_NO_PAGE. */
static unsigned int get_fault_page(struct vm_fault *vmf)
{
	unsigned int ret;

	if (!vmf->vma->vm_ops->fault) {
		note_fault_step(STEP_NO_PAGE_BEHIND);
		return VM_FAULT_SIGBUS;
	}
	ret = vmf->vma->vm_ops->fault(vmf);
	if (!(ret & (FAULT_NO_PAGE | VM_FAULT_LOCKED)))
		lock_page(vmf->page);
	return ret & ~(unsigned int)VM_FAULT_LOCKED;
}

static unsigned int do_read_fault(struct vm_fault *vmf)
{
	unsigned int ret;
	bool mapped;

	if (vmf->vma->vm_ops->map_pages) {
		ret = do_fault_around(vmf);
		if (ret) {
			note_fault_step(STEP_PAGE_CACHED);
			note_fault_step(STEP_MAP_AROUND);
			return ret;
		}
	}
	ret = get_fault_page(vmf);
	if (ret & FAULT_NO_PAGE)
		return ret;
	note_fault_step(vmf->vma->vm_ops->map_pages ? STEP_MAP_AROUND : STEP_MAP_PAGE);
	mapped = map_file_page(vmf, vmf->page, vmf->address);
	unlock_page(vmf->page);
	/* The reference that the fault operation gave becomes the mapping's. */
	if (!mapped) {
		note_fault_step(STEP_ENTRY_CHANGED);
		put_page(vmf->page);
		ret |= not_installed(vmf);
	}
	return ret;
}

/* A private write: a copy of the file's page, made before anyone could see that page here. */
static unsigned int do_cow_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned int ret = vmf_anon_prepare(vmf);
	bool mapped = false;
	struct page *new;
	pte_t pte;

	if (ret)
		return ret;
	new = alloc_page(GFP_USER);
	if (!new)
		return VM_FAULT_OOM;
	ret = get_fault_page(vmf);
	if (!(ret & FAULT_NO_PAGE)) {
		note_fault_step(STEP_COPY_FILE_PAGE);
		copy_page(page_address(new), page_address(vmf->page));
		page_make_anon(new, vma, vmf->address);
		/* The entry is dirty even if the program may not write: then who wrote was a debugger. */
		pte = pte_mkdirty(pte_mkyoung(mk_pte(new, vma->vm_page_prot)));
		mapped = install_pte(vmf, writable(pte, vma), new);
		unlock_page(vmf->page);
		put_page(vmf->page);
	}
	if (!mapped) {
		new->mapping = NULL;
		put_page(new);
		ret |= not_installed(vmf);
	}
	return ret;
}

void fault_dirty_shared_page(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;

	set_page_dirty(vmf->page);
	unlock_page(vmf->page);
	if (!vma->vm_ops || !vma->vm_ops->page_mkwrite)
		file_update_time(vma->vm_file);
}

/* A write to what is shared: the file's own page, writable once the file has been asked. */
static unsigned int do_shared_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned int ret = get_fault_page(vmf), asked;
	pte_t pte;

	if (ret & FAULT_NO_PAGE)
		return ret;
	if (vma->vm_ops->page_mkwrite) {
		note_fault_step(STEP_MKWRITE);
		unlock_page(vmf->page);
		asked = vma->vm_ops->page_mkwrite(vmf);
		if (!(asked & VM_FAULT_LOCKED)) {
			note_fault_step(STEP_ENTRY_CHANGED);
			put_page(vmf->page);
			return ret | asked;
		}
	}
	note_fault_step(STEP_SHARED_WRITE);
	pte = writable(pte_mkyoung(mk_pte(vmf->page, vma->vm_page_prot)), vma);
	if (!install_pte(vmf, pte, vmf->page)) {
		unlock_page(vmf->page);
		put_page(vmf->page);
		return ret | not_installed(vmf);
	}
	/* Locked, it is in the cache, which keeps it even if it is unmapped again meanwhile. */
	fault_dirty_shared_page(vmf);
	return ret;
}

static unsigned int do_fault(struct vm_fault *vmf)
{
	if (!(vmf->flags & FAULT_FLAG_WRITE))
		return do_read_fault(vmf);
	if (!(vmf->vma->vm_flags & VM_SHARED))
		return do_cow_fault(vmf);
	return do_shared_fault(vmf);
}

static unsigned int handle_pte_fault(struct vm_fault *vmf)
{
	const pmd_t pmd = pmdp_get(vmf->pmd);

	vmf->pte = pte_offset(pmd, vmf->address);
	vmf->ptl = table_lockptr(pmd);
	vmf->orig_pte = ptep_get(vmf->pte);
	if (pte_none(vmf->orig_pte)) {
		note_fault_step(STEP_ENTRY_NONE);
		return vma_is_anonymous(vmf->vma) ? do_anonymous_page(vmf) : do_fault(vmf);
	}
	/* Nothing puts other entries into the tables yet. */
	if (pte_is_entry(vmf->orig_pte)) {
		note_fault_step(STEP_ENTRY_UNKNOWN);
		return VM_FAULT_SIGBUS;
	}

	spin_lock(vmf->ptl);
	if (!pte_same(ptep_get(vmf->pte), vmf->orig_pte)) {
		spin_unlock(vmf->ptl);
		note_fault_step(STEP_ENTRY_CHANGED);
		return 0;
	}
	if ((vmf->flags & (FAULT_FLAG_WRITE | FAULT_FLAG_UNSHARE)) && !pte_write(vmf->orig_pte)) {
		note_fault_step(STEP_ENTRY_READ_ONLY);
		return do_wp_page(vmf);
	}
	note_fault_step(STEP_ENTRY_FITS);
	/*
	 * All is well already: another thread was faster, or the TLB was stale. The entry is only touched if
	 * it gets both marks: else one that another processor sets right now would be lost.
	 */
	if (vmf->flags & FAULT_FLAG_WRITE) {
		set_pte(vmf->pte, pte_mkdirty(pte_mkyoung(vmf->orig_pte)));
		trace(PTE_SET, vmf->vma->vm_mm, vmf->address, LEVEL_PTE, vmf->orig_pte.v,
		      vmf->pte->v);
	}
	tlb_flush_page_local(vmf->address);
	spin_unlock(vmf->ptl);
	return 0;
}

/*
 * Whether it will turn out that mmap_lock is needed: known before anything is done, so that the way under
 * mmap_lock begins where this one did.
 */
static bool must_retry(const struct vm_area_struct *vma, unsigned int flags)
{
	return (flags & FAULT_FLAG_VMA_LOCK) && (flags & FAULT_FLAG_WRITE) &&
	       !(vma->vm_flags & VM_SHARED) && !READ_ONCE(vma->anon_vma);
}

/* Makes the tables that are missing on the way to the entry. 0, VM_FAULT_OOM or VM_FAULT_RETRY. */
static noinline unsigned int make_tables(struct vm_area_struct *vma, unsigned long address,
					 unsigned int flags, pmd_t **pmd)
{
	struct mm_struct *mm = vma->vm_mm;
	const pgd_t pgd = pgdp_get(pgd_offset_pgd(mm->context.pgd, address));

	if (must_retry(vma, flags))
		return VM_FAULT_RETRY;
	if (pgd_none(pgd))
		note_fault_step(STEP_TABLES_3);
	else if (pud_none(pudp_get(pud_offset(pgd, address))))
		note_fault_step(STEP_TABLES_2);
	else
		note_fault_step(STEP_TABLES_1);
	*pmd = pmd_alloc(mm, address);
	return *pmd && !pte_alloc(mm, *pmd, address) ? 0 : VM_FAULT_OOM;
}

unsigned int __no_stack_protector handle_mm_fault(struct vm_area_struct *vma, unsigned long address,
						  unsigned int flags)
{
	struct fault_note *note = &current_mm_task()->fault;
	unsigned int ret = 0;
	struct vm_fault vmf; /* set field by field: there are many, and most are set on the way */

	vmf.vma = vma;
	vmf.address = address & PAGE_MASK;
	vmf.pgoff = linear_page_index(vma, vmf.address);
	vmf.flags = flags;
	vmf.page = NULL;
	vmf.pmd = pmd_lookup(vma->vm_mm->context.pgd, vmf.address);
	if (unlikely(!vmf.pmd || pmd_none(pmdp_get(vmf.pmd))))
		ret = make_tables(vma, vmf.address, flags, &vmf.pmd);
	if (likely(!ret)) {
		ret = handle_pte_fault(&vmf);
		note->pte_before = vmf.orig_pte.v;
		note->pte_after = ptep_get(vmf.pte).v;
	}
	if (unlikely(ret & VM_FAULT_OOM))
		note_fault_step(STEP_NO_MEMORY);
	return ret;
}

/* --- stacks ------------------------------------------------------------------------------------- */

/* Why a stack may not grow: the reason is noted, where it is a fault's. */
static int refuse(enum fault_step why, int err)
{
	note_fault_step(why);
	return err;
}

/* Whether there is room down to `start`: not below what may be mapped, and not into the guard gap. */
static int stack_has_room(const struct vm_area_struct *vma, unsigned long start)
{
	const struct vm_area_struct *prev = vma->vm_prev;
	const unsigned long gap = STACK_GUARD_GAP_PAGES << PAGE_SHIFT;

	if (start < sysctl_mmap_min_addr)
		return refuse(STEP_STACK_MIN_ADDR, -EPERM);
	if (!prev)
		return 0;
	if (start < prev->vm_end)
		return refuse(STEP_STACK_GAP, -ENOMEM);
	/* Another stack, or what nobody can access, may come close. */
	if (!(prev->vm_flags & VM_GROWSDOWN) && (prev->vm_flags & VM_ACCESS_FLAGS) &&
	    start - prev->vm_end < gap)
		return refuse(STEP_STACK_GAP, -ENOMEM);
	return 0;
}

/* Whether the limits allow it. */
static int stack_may_grow(const struct vm_area_struct *vma, unsigned long start)
{
	const struct mm_struct *mm = vma->vm_mm;
	unsigned long grow = (vma->vm_start - start) >> PAGE_SHIFT;

	/* One that was moved up here may not have room below in what its pages are numbered by. */
	if (grow > vma->vm_pgoff)
		return refuse(STEP_STACK_PGOFF, -ENOMEM);
	if (!may_expand_vm(mm, vma->vm_flags, grow))
		return refuse(STEP_STACK_AS, -ENOMEM);
	if (vma->vm_end - start > task_rlimit(MM_RLIMIT_STACK))
		return refuse(STEP_STACK_RLIMIT, -ENOMEM);
	if (mlock_future_check(mm, vma->vm_flags, grow << PAGE_SHIFT))
		return refuse(STEP_STACK_MEMLOCK, -ENOMEM);
	return 0;
}

int expand_stack(struct vm_area_struct *vma, unsigned long addr)
{
	struct mm_struct *mm = vma->vm_mm;
	unsigned long start = addr & PAGE_MASK;
	unsigned long grow;
	int err;

	if (start >= vma->vm_start)
		return 0;
	err = stack_has_room(vma, start);
	if (err)
		return err;
	/* In Linux growing needs it, so an area that tried to grow has it: that decides how it merges. */
	if (anon_vma_prepare(vma))
		return refuse(STEP_NO_MEMORY, -ENOMEM);
	err = stack_may_grow(vma, start);
	if (err)
		return err;
	grow = (vma->vm_start - start) >> PAGE_SHIFT;
	if ((vma->vm_flags & VM_ACCOUNT) && vm_enough_memory(mm, grow))
		return refuse(STEP_STACK_OVERCOMMIT, -ENOMEM);
	note_fault_step(STEP_STACK_GROWS);
	vma_set_range(vma, start, vma->vm_end);
	vm_stat_account(mm, vma->vm_flags, (long)grow);
	validate_change(mm, vma);
	return 0;
}

/* Where an address lies, for which find_vma() has found vma. */
static enum fault_step where(const struct vm_area_struct *vma, unsigned long addr)
{
	if (!vma)
		return STEP_NO_AREA;
	if (vma->vm_start <= addr)
		return STEP_AREA;
	return vma->vm_flags & VM_GROWSDOWN ? STEP_BELOW_STACK : STEP_NO_AREA;
}

struct vm_area_struct *find_or_grow(struct mm_struct *mm, unsigned long addr,
				    enum fault_verdict *why)
{
	struct vm_area_struct *vma = find_vma(mm, addr);
	enum fault_step step;

	*why = FAULT_NO_AREA;
	step = where(vma, addr);
	if (step != STEP_BELOW_STACK) {
		note_fault_step(step);
		return step == STEP_AREA ? vma : NULL;
	}
	/* Growing changes the area: take the lock for writing, and look again. */
	up_read(&mm->mmap_lock);
	mmap_write_lock(mm);
	vma = find_vma(mm, addr);
	step = where(vma, addr);
	note_fault_step(step);
	if (step == STEP_BELOW_STACK) {
		*why = FAULT_STACK_LIMIT;
		if (expand_stack(vma, addr))
			vma = NULL;
	}
	mmap_write_downgrade(mm);
	return step == STEP_NO_AREA ? NULL : vma;
}

/* --- the whole way ---------------------------------------------------------------------------------- */

void account_fault(struct task_mm *task, unsigned int ret)
{
	count_vm_event(PGFAULT);
	if (ret & VM_FAULT_MAJOR) {
		count_vm_event(PGMAJFAULT);
		task->maj_flt++;
	} else {
		task->min_flt++;
	}
}

/* The step that says whether the area allows the access: STEP_MAY_* if so. */
static enum fault_step check_access(const struct vm_area_struct *vma, unsigned int flags)
{
	if (flags & FAULT_FLAG_WRITE)
		return vma->vm_flags & VM_WRITE ? STEP_MAY_WRITE : STEP_NOT_WRITABLE;
	if (flags & FAULT_FLAG_EXEC)
		return vma->vm_flags & VM_EXEC ? STEP_MAY_EXEC : STEP_NOT_EXECUTABLE;
	/* Writable and executable memory can be read: the processor knows no other way. */
	return vma->vm_flags & VM_ACCESS_FLAGS ? STEP_MAY_READ : STEP_NOT_READABLE;
}

/* What doesn't go further than check_access(). */
static enum fault_verdict verdict_of_access(enum fault_step step)
{
	switch (step) {
	case STEP_NOT_READABLE:
		return FAULT_NOT_READABLE;
	case STEP_NOT_WRITABLE:
		return FAULT_NOT_WRITABLE;
	case STEP_NOT_EXECUTABLE:
		return FAULT_NOT_EXECUTABLE;
	default:
		return FAULT_HANDLED;
	}
}

/* What the entry is that may not be used: it stays so. => the area's lock held, or mmap_lock */
static noinline void note_entry(struct task_mm *task, unsigned long address)
{
	pmd_t *pmd = pmd_lookup(task->mm->context.pgd, address);

	if (pmd && pmd_table(pmdp_get(pmd)))
		task->fault.pte_before = task->fault.pte_after =
			ptep_get(pte_offset(pmdp_get(pmd), address)).v;
}

static enum fault_verdict verdict_of(unsigned int ret)
{
	if (ret & VM_FAULT_OOM)
		return FAULT_OOM;
	if (ret & VM_FAULT_SIGBUS)
		return FAULT_BUS;
	if (ret & VM_FAULT_SIGSEGV)
		return FAULT_NO_AREA;
	return FAULT_HANDLED;
}

/* => the area's lock held, or mmap_lock; where it was found is noted */
static enum fault_verdict fault_in_area(struct task_mm *task, struct vm_area_struct *vma,
					unsigned long address, unsigned int flags,
					unsigned int *ret)
{
	const enum fault_step step = check_access(vma, flags);
	const enum fault_verdict verdict = verdict_of_access(step);

	task->fault.path = fault_path_add(task->fault.path, step);
	if (verdict != FAULT_HANDLED) {
		note_entry(task, address);
		return verdict;
	}
	*ret = handle_mm_fault(vma, address, flags);
	return verdict_of(*ret);
}

static enum fault_verdict fault_under_mmap_lock(struct task_mm *task, unsigned long address,
						unsigned int flags, unsigned int *ret)
{
	struct mm_struct *mm = task->mm;
	struct vm_area_struct *vma;
	enum fault_verdict verdict;

	*ret = 0;
	task->fault = (struct fault_note){ 0 };
	down_read(&mm->mmap_lock);
	vma = find_or_grow(mm, address, &verdict);
	if (vma)
		verdict = fault_in_area(task, vma, address, flags, ret);
	up_read(&mm->mmap_lock);
	return verdict;
}

static enum fault_verdict fault_once(struct task_mm *task, unsigned long address,
				     unsigned int flags, unsigned int *ret)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(task->mm, address);
	enum fault_verdict verdict;

	if (unlikely(!vma))
		return fault_under_mmap_lock(task, address, flags, ret);
	*ret = 0;
	task->fault = (struct fault_note){ .path = STEP_AREA };
	verdict = fault_in_area(task, vma, address, flags | FAULT_FLAG_VMA_LOCK, ret);
	vma_end_read(vma);
	if (likely(!(*ret & VM_FAULT_RETRY))) {
		count_vm_event(VMA_LOCK_SUCCESS);
		return verdict;
	}
	count_vm_event(VMA_LOCK_RETRY);
	return fault_under_mmap_lock(task, address, flags, ret);
}

enum fault_verdict __no_stack_protector do_user_fault(unsigned long address, unsigned int flags)
{
	struct task_mm *task = current_mm_task();
	const unsigned int max_rounds = flags & FAULT_FLAG_USER ? ~0U : OOM_KERNEL_ROUNDS;
	enum fault_verdict verdict;
	unsigned int ret, rounds = 0;

	if (address >= TASK_SIZE) {
		task->fault = (struct fault_note){ .path = STEP_KERNEL_HALF };
		return FAULT_NO_AREA;
	}
	/* Another process may have to go for this one to go on; it may also be this one. */
	do {
		verdict = fault_once(task, address, flags, &ret);
	} while (unlikely(verdict == FAULT_OOM) && rounds++ < max_rounds && may_retry_oom());

	if (verdict == FAULT_HANDLED)
		account_fault(task, ret);
	return verdict;
}
