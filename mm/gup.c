/* SPDX-License-Identifier: MIT */
/*
 * Pages of an address space without the program touching them: to lock or populate an area, to read and
 * write another program's memory.
 */
#include "kernel/base/string.h"
#include "kernel/sched/sched.h"
#include "mm/internal.h"
#include "mm/oom.h"

/* The entry that maps addr, or none. => mmap_lock held, so the tables stay. */
static pte_t lookup_pte(struct mm_struct *mm, unsigned long addr)
{
	pmd_t *pmd = pmd_lookup(mm->pgd, addr);

	if (!pmd || !pmd_table(pmdp_get(pmd)))
		return __pte(0);
	return ptep_get(pte_offset(pmdp_get(pmd), addr));
}

static bool pte_allows(pte_t pte, bool write)
{
	return pte_present(pte) && !pte_protnone(pte) && (!write || pte_write(pte));
}

/* Rights as they are, or with force as they might be made: a debugger's view of private memory. */
static bool area_allows(const struct vm_area_struct *vma, bool write, bool force)
{
	if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		return false;
	if (write)
		return (vma->vm_flags & VM_WRITE) ||
		       (force && (vma->vm_flags & (VM_MAYWRITE | VM_SHARED)) == VM_MAYWRITE);
	return (vma->vm_flags & VM_READ) || (force && (vma->vm_flags & VM_MAYREAD));
}

int faultin_page(struct vm_area_struct *vma, unsigned long addr, bool write, bool force)
{
	unsigned int flags = write ? FAULT_FLAG_WRITE : 0;

	if (!area_allows(vma, write, force))
		return -EFAULT;
	while (!pte_allows(lookup_pte(vma->vm_mm, addr), write)) {
		unsigned int ret;

		if (current_mm_task()->kill_pending)
			return -EINTR;
		ret = handle_mm_fault(vma, addr, flags);
		BUG_ON(ret & VM_FAULT_RETRY); /* nobody asks for it here */
		if (ret & VM_FAULT_OOM)
			return -ENOMEM;
		if (ret & VM_FAULT_ERROR)
			return -EFAULT;
		account_fault(current_mm_task(), ret);
	}
	return 0;
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

/*
 * A reference to the page that maps addr, if it still does: who truncates a file takes pages away
 * without mmap_lock.
 */
static struct page *get_mapped_page(struct mm_struct *mm, unsigned long addr, bool write)
{
	struct page *page = NULL;
	pte_t pte;

	spin_lock(&mm->page_table_lock);
	pte = lookup_pte(mm, addr);
	if (pte_allows(pte, write)) {
		page = pfn_to_page(pte_pfn(pte));
		get_page(page);
	}
	spin_unlock(&mm->page_table_lock);
	return page;
}

/* The page at addr with a reference; or -errno. => mmap_lock held for writing: a stack may grow. */
static struct page *get_user_page(struct mm_struct *mm, unsigned long addr, bool write)
{
	struct vm_area_struct *vma = find_vma(mm, addr);
	struct page *page = NULL;

	if (!vma ||
	    (vma->vm_start > addr && (!(vma->vm_flags & VM_GROWSDOWN) || expand_stack(vma, addr))))
		return ERR_PTR(-EFAULT);
	while (!page) {
		int err = faultin_page(vma, addr, write, false);

		if (err)
			return ERR_PTR(err);
		page = get_mapped_page(mm, addr, write);
	}
	return page;
}

size_t access_remote_vm(struct mm_struct *mm, unsigned long addr, void *buf, size_t len, bool write)
{
	unsigned int rounds = 0;
	size_t done = 0;

	mmap_write_lock(mm);
	while (done < len) {
		unsigned long offset = (addr + done) & ~PAGE_MASK;
		size_t n = min(len - done, PAGE_SIZE - offset);
		struct page *page = get_user_page(mm, addr + done, write);
		bool again = false;
		char *mem;

		if (PTR_ERR(page) == -ENOMEM) {
			/* The victim may need the lock to end. */
			mmap_write_unlock(mm);
			again = rounds++ < OOM_KERNEL_ROUNDS && may_retry_oom();
			mmap_write_lock(mm);
		}
		if (again)
			continue;
		if (IS_ERR(page))
			break;
		mem = (char *)page_address(page) + offset;
		if (write)
			memcpy(mem, (char *)buf + done, n);
		else
			memcpy((char *)buf + done, mem, n);
		put_page(page);
		done += n;
	}
	mmap_write_unlock(mm);
	return done;
}

/* --- which word it is: futexes ------------------------------------------------------------------------ */

/* What a mapped word belongs to; -EAGAIN when it must be brought in. => mmap_lock */
static int word_key(struct mm_struct *mm, unsigned long addr, bool write, struct futex_key *key)
{
	int err = 0;
	pte_t pte;

	/* With this, the page stays mapped, and so what its fields say. */
	spin_lock(&mm->page_table_lock);
	pte = lookup_pte(mm, addr);
	if (!pte_allows(pte, write)) {
		err = -EAGAIN;
	} else if (pte_special(pte)) {
		err = -EFAULT; /* the zero page, for ever */
	} else {
		const struct page *page = pfn_to_page(pte_pfn(pte));
		unsigned long mapping = (unsigned long)page->mapping;

		if (mapping & PAGE_MAPPING_ANON) {
			*key = (struct futex_key){ .mm = mm, .offset = addr };
			err = write ? 0 : -EFAULT; /* nobody can change it here */
		} else if (mapping) {
			*key = (struct futex_key){
				.mapping = page->mapping->id,
				.offset = (page->index << PAGE_SHIFT) + (addr & ~PAGE_MASK),
			};
		} else {
			err = -EFAULT;
		}
	}
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
