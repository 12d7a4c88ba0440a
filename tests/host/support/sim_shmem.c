/* SPDX-License-Identifier: MIT */
/* Shared memory's files without a file system: what shmem_file_setup() makes on the host. */
#include "kernel/base/printf.h"
#include "mm/filemap.h"
#include "mm/shmem.h"
#include "mm/slab.h"
#include "tests/host/sim.h"

struct sim_shmem {
	struct vm_file file;
	struct address_space mapping;
	struct shmem_info info;
	atomic_t refs;
	char name[32];
};

static struct sim_shmem *shmem_of(struct vm_file *file)
{
	return container_of(file, struct sim_shmem, file);
}

static void shmem_get(struct vm_file *file)
{
	atomic_inc(&shmem_of(file)->refs);
}

static void shmem_put(struct vm_file *file)
{
	struct sim_shmem *shmem = shmem_of(file);

	if (!atomic_dec_and_test(&shmem->refs))
		return;
	BUG_ON(atomic_read(&shmem->mapping.i_mmap_writable) > 0);
	truncate_pagecache(&shmem->mapping, 0);
	shmem_info_destroy(&shmem->info);
	kfree(shmem);
}

static int shmem_path(struct vm_file *file, char *buf, size_t size)
{
	return scnprintf(buf, size, "/%s (deleted)", shmem_of(file)->name);
}

static int shmem_punch_hole(struct vm_file *file, unsigned long first, unsigned long last)
{
	truncate_pagecache_range(file->mapping, first, last);
	return 0;
}

static const struct vm_file_operations shmem_fops = {
	.get = shmem_get,
	.put = shmem_put,
	.mmap = generic_file_mmap,
	.punch_hole = shmem_punch_hole,
	.path = shmem_path,
};

static struct vm_file *shmem_setup(const char *name, u64 size, u64 vm_flags)
{
	struct sim_shmem *shmem = kzalloc(sizeof(*shmem), GFP_KERNEL);
	static atomic_long_t last_ino;
	int err;

	if (!shmem)
		return ERR_PTR(-ENOMEM);
	err = shmem_info_init(&shmem->info, sim_shmem_limit, size, vm_flags);
	if (err) {
		kfree(shmem);
		return ERR_PTR(err);
	}
	address_space_init(&shmem->mapping, shmem, &shmem_a_ops);
	shmem->mapping.size = size;
	shmem->mapping.shmem = &shmem->info;
	shmem->file.vm_fops = &shmem_fops;
	shmem->file.mapping = &shmem->mapping;
	shmem->file.vm_mode = VM_FILE_READ | VM_FILE_WRITE;
	shmem->file.ino = (u64)atomic_long_add_return(&last_ino, 1);
	shmem->file.dev_minor = 1;
	scnprintf(shmem->name, sizeof(shmem->name), "%s", name);
	atomic_set(&shmem->refs, 1);
	return &shmem->file;
}

static const struct shmem_ops ops = { .file_setup = shmem_setup };

struct shmem_sb_info *sim_shmem_limit;

void sim_shmem_init(void)
{
	shmem_ops = &ops;
}
