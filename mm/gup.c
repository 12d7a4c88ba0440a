/* SPDX-License-Identifier: MIT */
/*
 * Pages of an address space without the program touching them: to lock or populate an area, to read and
 * write another program's memory.
 *
 *	__get_user_pages      page by page, area by area
 *	  check_vma_flags       may it be done at all? With force, what a debugger may
 *	  follow_page           the page that the entry maps, if that will do
 *	  handle_mm_fault       if not; and then follow_page again
 *
 * The loop between the last two is where force has to take care. A write into memory that the program
 * may not write can't end with a writable entry, so the entry can't tell that the fault made a copy. And
 * between fault and look another thread may throw the copy away and read: then the entry maps the
 * file's own page. So nothing is remembered of what a fault did: each look asks for all that it needs to
 * see, which is an anonymous page that is this area's alone (PG_anon_exclusive). Whoever finds anything
 * else goes round again, as a writer. (That a reader's right was enough the second time made a famous
 * hole in Linux: CVE-2016-5195, "Dirty COW".)
 */
#include "kernel/base/string.h"
#include "kernel/sched/sched.h"
#include "mm/gup.h"
#include "mm/internal.h"
#include "mm/oom.h"

/* --- references and pins -------------------------------------------------------------------------------- */

static void grab_page(struct page *page, unsigned int flags)
{
	if (flags & FOLL_PIN)
		atomic_long_add(&page->counts, GUP_PIN_COUNTING_BIAS * PAGE_ONE_REF);
	else
		get_page(page);
}

bool page_maybe_dma_pinned(const struct page *page)
{
	return page_count(page) >= GUP_PIN_COUNTING_BIAS;
}

static void unpin_page(struct page *page)
{
	DEBUG_ON(!page_maybe_dma_pinned(page));
	/* All but one: the last one may be the last of all. */
	atomic_long_add(&page->counts, -(GUP_PIN_COUNTING_BIAS - 1) * PAGE_ONE_REF);
	put_page(page);
}

/* Who writes a page by its reference does so when its entry may be clean again already. */
static void note_written(struct page *page)
{
	/* Locked, a file's page keeps its file. */
	lock_page(page);
	set_page_dirty(page);
	unlock_page(page);
}

void unpin_user_pages(struct page **pages, unsigned long nr, bool dirty)
{
	for (unsigned long i = 0; i < nr; i++) {
		if (dirty)
			note_written(pages[i]);
		unpin_page(pages[i]);
	}
}

/* --- one page ------------------------------------------------------------------------------------------- */

/* Rights as they are, or with force as they might be made: a debugger's view of private memory. */
static int check_vma_flags(const struct vm_area_struct *vma, unsigned int flags)
{
	u64 vm_flags = vma->vm_flags;

	if (vm_flags & (VM_IO | VM_PFNMAP))
		return -EFAULT;
	if ((flags & FOLL_ANON) && !vma_is_anonymous(vma))
		return -EFAULT;
	if (flags & FOLL_WRITE) {
		if (!(vm_flags & VM_WRITE) && !((flags & FOLL_FORCE) && is_cow_mapping(vm_flags)))
			return -EFAULT;
	} else if (!(vm_flags & VM_READ)) {
		if (!((flags & FOLL_FORCE) && (vm_flags & VM_MAYREAD)))
			return -EFAULT;
	}
	return 0;
}

/* Whether a write may go to what the entry maps. => the table's lock */
static bool can_follow_write_pte(pte_t pte, const struct page *page,
				 const struct vm_area_struct *vma, unsigned int flags)
{
	if (pte_write(pte))
		return true;
	/* In an area that can be written, a fault makes the entry writable. */
	if (!(flags & FOLL_FORCE) || (vma->vm_flags & VM_WRITE))
		return false;
	return is_cow_mapping(vma->vm_flags) && page && page_is_anon(page) &&
	       page_flag(page, PG_anon_exclusive);
}

/* => the table's lock; as follow_page() */
static int follow_page_pte(struct vm_area_struct *vma, pte_t *ptep, unsigned int flags,
			   struct page **found)
{
	pte_t pte = ptep_get(ptep);
	struct page *page = pte_present(pte) ? vm_normal_page(pte) : NULL;

	if (!pte_present(pte) || (pte_protnone(pte) && !(flags & FOLL_FORCE)))
		return -EAGAIN;
	if (flags & FOLL_WRITE) {
		if (!can_follow_write_pte(pte, page, vma, flags))
			return -EAGAIN;
		/* The page, not the entry: mprotect will not take it for written, as in Linux. */
		if (page && !pte_dirty(pte))
			set_page_dirty(page);
	} else if ((flags & FOLL_PIN) && page && page_is_anon(page) &&
		   !page_flag(page, PG_anon_exclusive)) {
		/* The next write of the program would go to a copy, and the pin stay with the old page. */
		return -EMLINK;
	}
	if (!found)
		return 0;
	if (!page && pte_maps_zero_page(pte))
		page = zero_page;
	if (!page)
		return -EFAULT;
	grab_page(page, flags);
	*found = page;
	return 0;
}

/* Whether the entry alone shows that nothing is to be done, not even to a page behind it. */
static bool pte_will_do(pte_t pte, unsigned int flags)
{
	return pte_present(pte) && !pte_protnone(pte) &&
	       (!(flags & FOLL_WRITE) || (pte_write(pte) && pte_dirty(pte)));
}

/*
 * The page that is mapped at addr, with a reference or pin, if it will do for flags; `found` may be NULL.
 * 0; -EAGAIN when a fault must bring it; -EMLINK when one must make a copy of it for this area alone;
 * -EFAULT when no struct page is behind the entry. => mmap_lock held, so the tables stay
 */
static int follow_page(struct vm_area_struct *vma, unsigned long addr, unsigned int flags,
		       struct page **found)
{
	pmd_t *pmdp = pmd_lookup(vma->vm_mm->context.pgd, addr);
	pmd_t pmd = pmdp ? pmdp_get(pmdp) : __pmd(0);
	spinlock_t *lock;
	int err;

	if (!pmd_table(pmd))
		return -EAGAIN;
	if (!found && pte_will_do(ptep_get(pte_offset(pmd, addr)), flags))
		return 0;
	/* Who truncates a file takes pages away without mmap_lock. */
	lock = table_lockptr(pmd);
	spin_lock(lock);
	err = follow_page_pte(vma, pte_offset(pmd, addr), flags, found);
	spin_unlock(lock);
	return err;
}

static int fault_error(unsigned int ret)
{
	BUG_ON(ret & VM_FAULT_RETRY); /* nobody asks for it here */
	if (ret & VM_FAULT_OOM)
		return -ENOMEM;
	if (ret & VM_FAULT_ERROR)
		return -EFAULT;
	account_fault(current_mm_task(), ret);
	return 0;
}

/* The page at addr, which lies in the area, as follow_page() gives it. 0 or -errno. => mmap_lock held */
static int get_user_page(struct vm_area_struct *vma, unsigned long addr, unsigned int flags,
			 struct page **found)
{
	int err = check_vma_flags(vma, flags);

	if (err)
		return err;
	for (;;) {
		unsigned int fault = flags & FOLL_WRITE ? FAULT_FLAG_WRITE : 0;

		err = follow_page(vma, addr, flags, found);
		if (err != -EAGAIN && err != -EMLINK)
			return err;
		if (current_mm_task()->kill_pending)
			return -EINTR;
		if (err == -EMLINK)
			fault |= FAULT_FLAG_UNSHARE;
		err = fault_error(handle_mm_fault(vma, addr, fault));
		if (err)
			return err;
	}
}

int faultin_page(struct vm_area_struct *vma, unsigned long addr, bool write, bool force)
{
	return get_user_page(vma, addr, (write ? FOLL_WRITE : 0) | (force ? FOLL_FORCE : 0), NULL);
}

/* --- many --------------------------------------------------------------------------------------------- */

/* How many pages were had; or, when there is none, why. => mmap_lock held for reading */
static long __get_user_pages(struct mm_struct *mm, unsigned long start, unsigned long nr,
			     unsigned int flags, struct page **pages)
{
	struct vm_area_struct *vma = NULL;
	unsigned long addr = start & PAGE_MASK, i;
	int err = 0;

	for (i = 0; i < nr; i++, addr += PAGE_SIZE) {
		if (!vma || addr >= vma->vm_end)
			vma = find_vma(mm, addr);
		err = !vma || vma->vm_start > addr ?
			      -EFAULT :
			      get_user_page(vma, addr, flags, pages ? pages + i : NULL);
		if (err)
			break;
		cond_resched();
	}
	return i ? (long)i : err;
}

long get_user_pages_remote(struct mm_struct *mm, unsigned long start, unsigned long nr,
			   unsigned int gup_flags, struct page **pages)
{
	return __get_user_pages(mm, start, nr, gup_flags & ~FOLL_PIN, pages);
}

long pin_user_pages_remote(struct mm_struct *mm, unsigned long start, unsigned long nr,
			   unsigned int gup_flags, struct page **pages)
{
	/* Before the first pin: fork, which looks at it, has the lock for writing. */
	WRITE_ONCE(mm->has_pinned, true);
	return __get_user_pages(mm, start, nr, gup_flags | FOLL_PIN, pages);
}

long pin_user_pages_unlocked(struct mm_struct *mm, unsigned long start, unsigned long nr,
			     unsigned int gup_flags, struct page **pages)
{
	unsigned int rounds = 0;
	long got;

	do {
		down_read(&mm->mmap_lock);
		got = pin_user_pages_remote(mm, start, nr, gup_flags, pages);
		up_read(&mm->mmap_lock);
	} while (got == -ENOMEM && rounds++ < OOM_KERNEL_ROUNDS && may_retry_oom());
	return got;
}

/* --- populate --------------------------------------------------------------------------------------- */

int populate_vma_page_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	/* Private writable memory is about to be written: it is copied now, not at the first write. */
	bool write = (vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE;
	/* What can be accessed in some way is brought in; what can't at all is an error. */
	bool force = vma->vm_flags & VM_ACCESS_FLAGS;

	if (vma->vm_flags & VM_LOCKONFAULT)
		return 0;
	for (; start < end; start += PAGE_SIZE) {
		int err = faultin_page(vma, start, write, force);

		if (err)
			return err;
	}
	return 0;
}

int __mm_populate(struct mm_struct *mm, unsigned long start, unsigned long len, bool ignore_errors)
{
	unsigned long addr = start, end = start + len;
	int err = 0;

	while (addr < end && !err) {
		struct vm_area_struct *vma;
		unsigned long stop, stop_of_area;

		down_read(&mm->mmap_lock);
		vma = find_vma_intersection(mm, addr, end);
		if (!vma) {
			up_read(&mm->mmap_lock);
			break;
		}
		addr = max(addr, vma->vm_start);
		stop = min(end, vma->vm_end);
		if (!(vma->vm_flags & (VM_IO | VM_PFNMAP))) {
			if (stop - addr > POPULATE_BATCH)
				stop = addr + POPULATE_BATCH;
			err = populate_vma_page_range(vma, addr, stop);
		}
		stop_of_area = vma->vm_end;
		up_read(&mm->mmap_lock);
		cond_resched();
		/* What is there already is passed over quickly the second time. */
		if (err == -ENOMEM && may_retry_oom()) {
			err = 0;
			continue;
		}
		if (err && err != -EINTR && ignore_errors) {
			stop = min(end, stop_of_area);
			err = 0;
		}
		addr = stop;
	}
	return err;
}

bool may_retry_oom(void)
{
	const struct task_mm *task = current_mm_task();

	/* Who is going to end needs no room, and nobody else has to end for it. */
	return !task->kill_pending && out_of_memory() && !task->kill_pending;
}

void mm_populate(struct mm_struct *mm, unsigned long start, unsigned long len)
{
	__mm_populate(mm, start, len, true);
}

/* --- another program's memory ------------------------------------------------------------------------- */

/* One page's part of a transfer: bytes done, or -errno. => mmap_lock held */
static long access_page(struct mm_struct *mm, unsigned long addr, char *buf, size_t len,
			unsigned int flags)
{
	unsigned long offset = addr & ~PAGE_MASK;
	size_t n = min(len, PAGE_SIZE - offset);
	struct page *page;
	long got = get_user_pages_remote(mm, addr, 1, flags, &page);
	char *mem;

	if (got < 0)
		return got;
	mem = (char *)page_address(page) + offset;
	if (flags & FOLL_WRITE) {
		memcpy(mem, buf, n);
		note_written(page);
	} else {
		memcpy(buf, mem, n);
	}
	put_page(page);
	return (long)n;
}

size_t access_remote_vm(struct mm_struct *mm, unsigned long addr, void *buf, size_t len,
			unsigned int gup_flags)
{
	enum fault_verdict why;
	unsigned int rounds = 0;
	size_t done = 0;

	down_read(&mm->mmap_lock);
	while (done < len) {
		long n = -EFAULT;

		/* Each page may be one that a stack has to grow for. */
		if (find_or_grow(mm, addr + done, &why))
			n = access_page(mm, addr + done, (char *)buf + done, len - done, gup_flags);
		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		if (n != -ENOMEM)
			break;
		/* The victim may need the lock to end. */
		up_read(&mm->mmap_lock);
		if (rounds++ >= OOM_KERNEL_ROUNDS || !may_retry_oom())
			return done;
		down_read(&mm->mmap_lock);
	}
	up_read(&mm->mmap_lock);
	return done;
}

/* --- which word it is: futexes ------------------------------------------------------------------------ */

static bool pte_allows(pte_t pte, bool write)
{
	return pte_present(pte) && !pte_protnone(pte) && (!write || pte_write(pte));
}

/* What the word at addr belongs to, which lies in the page. => the page stays mapped */
static int page_key(const struct page *page, struct mm_struct *mm, unsigned long addr, bool write,
		    struct futex_key *key)
{
	unsigned long mapping = (unsigned long)page->mapping;

	if (mapping & PAGE_MAPPING_ANON) {
		*key = (struct futex_key){ .mm = mm, .offset = addr };
		return write ? 0 : -EFAULT; /* nobody can change it here */
	}
	if (!mapping)
		return -EFAULT;
	*key = (struct futex_key){
		.mapping = page->mapping->id,
		.offset = (page->index << PAGE_SHIFT) + (addr & ~PAGE_MASK),
	};
	return 0;
}

/* What a mapped word belongs to; -EAGAIN when it must be brought in. => mmap_lock */
static int word_key(struct mm_struct *mm, unsigned long addr, bool write, struct futex_key *key)
{
	int err = -EAGAIN;
	spinlock_t *ptl;
	pmd_t *pmd;
	pte_t pte;

	/* There may be no area at all, and then tables stay only with this. */
	spin_lock(&mm->page_table_lock);
	pmd = pmd_lookup(mm->context.pgd, addr);
	if (!pmd || !pmd_table(pmdp_get(pmd)))
		goto out;
	/* And with this the page stays mapped, and so what its fields say. */
	ptl = pte_lockptr(pmd);
	spin_lock(ptl);
	pte = ptep_get(pte_offset(pmdp_get(pmd), addr));
	if (pte_allows(pte, write)) /* the zero page is nobody's, for ever */
		err = pte_special(pte) ? -EFAULT :
					 page_key(pfn_to_page(pte_pfn(pte)), mm, addr, write, key);
	spin_unlock(ptl);
out:
	spin_unlock(&mm->page_table_lock);
	return err;
}

int mm_futex_key(unsigned long addr, bool write, struct futex_key *key)
{
	struct mm_struct *mm = current_mm_task()->mm;
	bool as_writer = true;

	for (;;) {
		enum fault_verdict verdict;
		int err;

		down_read(&mm->mmap_lock);
		err = word_key(mm, addr, as_writer, key);
		up_read(&mm->mmap_lock);
		if (err != -EAGAIN)
			return err;
		verdict = do_user_fault(addr, as_writer ? FAULT_FLAG_WRITE : 0);
		if (verdict == FAULT_NOT_WRITABLE && !write)
			as_writer = false;
		else if (verdict != FAULT_HANDLED)
			return verdict == FAULT_OOM ? -ENOMEM : -EFAULT;
	}
}
