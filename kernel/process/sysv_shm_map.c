/* SPDX-License-Identifier: MIT */
/*
 * System V shared memory in address spaces: shmat(2) and shmdt(2). Each shmat() opens the segment's file
 * anew, with operations that count the areas over it.
 */
#include "kernel/abi/mman.h"
#include "kernel/process/current.h"
#include "kernel/process/sysv_shm.h"
#include "mm/calls.h"
#include "mm/fault.h"
#include "mm/slab.h"
#include "mm/vma.h"

/* What stands behind the areas of one shmat(): an opening of the segment's file. */
struct shm_file_data {
	int id;
	struct file *base; /* the segment's; tells it from another that has the number later */
	const struct vm_operations_struct *vm_ops; /* the file's own */
};

static struct shm_file_data *data_of(const struct vm_area_struct *vma)
{
	return file_of(vma->vm_file)->private_data;
}

static void shm_open(struct vm_area_struct *vma)
{
	const struct shm_file_data *sfd = data_of(vma);
	int err = shm_count_area(sfd->id, sfd->base);

	BUG_ON(err); /* the area that this one is a copy of keeps it */
}

static void shm_close(struct vm_area_struct *vma)
{
	const struct shm_file_data *sfd = data_of(vma);

	shm_uncount_area(sfd->id, sfd->base);
}

static unsigned int shm_fault(struct vm_fault *vmf)
{
	return data_of(vmf->vma)->vm_ops->fault(vmf);
}

/* No map_pages: as on Linux, each page is mapped by a fault of its own. */
static const struct vm_operations_struct shm_vm_ops = {
	.open = shm_open,
	.close = shm_close,
	.fault = shm_fault,
};

static int shm_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct shm_file_data *sfd = file->private_data;
	int err = shm_count_area(sfd->id, sfd->base);

	if (err)
		return err;
	err = sfd->base->f_op->mmap(sfd->base, vma);
	if (err) {
		shm_close(vma);
		return err;
	}
	sfd->vm_ops = vma->vm_ops;
	vma->vm_ops = &shm_vm_ops;
	return 0;
}

static void shm_release(struct file *file)
{
	struct shm_file_data *sfd = file->private_data;

	fput(sfd->base);
	kfree(sfd);
}

static int shm_fallocate(struct file *file, unsigned int mode, loff_t offset, loff_t len)
{
	struct shm_file_data *sfd = file->private_data;

	if (!sfd->base->f_op->fallocate)
		return -EOPNOTSUPP;
	return sfd->base->f_op->fallocate(sfd->base, mode, offset, len);
}

static int shm_fsync(struct file *file)
{
	struct shm_file_data *sfd = file->private_data;

	return sfd->base->f_op->fsync ? sfd->base->f_op->fsync(sfd->base) : -EINVAL;
}

static const struct file_operations shm_file_ops = {
	.fsync = shm_fsync,
	.mmap = shm_mmap,
	.release = shm_release,
	.fallocate = shm_fallocate,
};

/* Another opening of a segment's file. Takes over the reference on base. */
static struct file *open_segment(struct file *base, int id, unsigned int f_flags)
{
	const struct cred_view cred = current_cred_view();
	struct shm_file_data *sfd = kzalloc(sizeof(*sfd), GFP_KERNEL);
	struct file *file = sfd ? file_alloc(f_flags, &cred) : ERR_PTR(-ENOMEM);
	int err;

	if (IS_ERR(file))
		goto free;
	err = file_bind(file, base->f_dentry);
	if (err) {
		fput(file);
		file = ERR_PTR(err);
		goto free;
	}
	*sfd = (struct shm_file_data){ .id = id, .base = base };
	file->private_data = sfd;
	file->f_op = &shm_file_ops;
	return file;
free:
	kfree(sfd);
	fput(base);
	return file;
}

/* --- shmat ----------------------------------------------------------------------------------------------- */

/* What shmat()'s flags mean. */
struct attach {
	unsigned long addr, prot, map_flags;
	int access;	      /* permissions that are needed */
	unsigned int f_flags; /* of the opening */
};

static int parse_attach(struct attach *a, unsigned long addr, int flags)
{
	*a = (struct attach){ .addr = addr, .map_flags = MAP_SHARED };
	if (addr) {
		if (addr & ~PAGE_MASK) {
			if (!(flags & SHM_RND))
				return -EINVAL;
			a->addr = addr & PAGE_MASK;
			if (!a->addr && (flags & SHM_REMAP))
				return -EINVAL;
		}
		a->map_flags |= MAP_FIXED;
	} else if (flags & SHM_REMAP) {
		return -EINVAL;
	}
	a->prot = PROT_READ;
	a->access = 0444;
	a->f_flags = O_RDONLY;
	if (!(flags & SHM_RDONLY)) {
		a->prot |= PROT_WRITE;
		a->access |= 0222;
		a->f_flags = O_RDWR;
	}
	if (flags & SHM_EXEC) {
		a->prot |= PROT_EXEC;
		a->access |= 0111;
	}
	return 0;
}

/* The address or -errno. */
static unsigned long map_segment(struct file *file, const struct attach *a, bool remap)
{
	struct mm_struct *mm = current->mm_part.mm;
	unsigned long size = i_size_read(file->f_inode), addr = a->addr;
	bool populate;

	mmap_write_lock(mm);
	if (addr && !remap &&
	    (addr + size < addr || find_vma_intersection(mm, addr, addr + size))) {
		mmap_write_unlock(mm);
		return -EINVAL;
	}
	addr = do_mmap(mm, &file->vm_file, addr, size, a->prot, a->map_flags, 0);
	populate = mm->def_flags & VM_LOCKED;
	mmap_write_unlock(mm);
	if (populate && !IS_ERR_VALUE(addr))
		mm_populate(mm, addr, ALIGN_UP(size, PAGE_SIZE));
	return addr;
}

long shm_attach(int id, unsigned long addr, int flags)
{
	struct attach a;
	struct file *file;
	long ret;

	if (id < 0)
		return -EINVAL;
	ret = parse_attach(&a, addr, flags);
	if (ret)
		return ret;
	file = shm_hold(id, a.access);
	if (IS_ERR(file))
		return PTR_ERR(file);
	file = open_segment(file, id, a.f_flags);
	ret = PTR_ERR(file);
	if (!IS_ERR(file)) {
		ret = (long)map_segment(file, &a, flags & SHM_REMAP);
		fput(file);
	}
	shm_let_go(id);
	return ret;
}

/* --- shmdt ----------------------------------------------------------------------------------------------- */

/* Whether the area is a piece of what was attached at addr. */
static bool attached_at(const struct vm_area_struct *vma, unsigned long addr)
{
	return vma->vm_ops == &shm_vm_ops && (vma->vm_start - addr) >> PAGE_SHIFT == vma->vm_pgoff;
}

/* => mmap_lock held for writing. The first piece tells which segment it was and how large. */
static int detach_pieces(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(mm, addr), *next;
	const struct vm_file *file;
	unsigned long size;
	bool first = true;

	while (vma && !attached_at(vma, addr))
		vma = vma->vm_next;
	if (!vma)
		return -EINVAL;
	file = vma->vm_file;
	size = ALIGN_UP(i_size_read(file_of(vma->vm_file)->f_inode), PAGE_SIZE);
	for (; vma && (first || vma->vm_end - addr <= size); vma = next, first = false) {
		next = vma->vm_next;
		/* Of whole areas; and the file is only compared, it may be gone. */
		if (attached_at(vma, addr) && vma->vm_file == file)
			do_munmap(mm, vma->vm_start, vma->vm_end - vma->vm_start);
	}
	return 0;
}

int shm_detach(unsigned long addr)
{
	struct mm_struct *mm = current->mm_part.mm;
	int err;

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	mmap_write_lock(mm);
	err = detach_pieces(mm, addr);
	mmap_write_unlock(mm);
	return err;
}
