/* SPDX-License-Identifier: MIT */
/* A file whose contents are a function of the position, to stand behind areas. */
#include "kernel/base/errno.h"
#include "kernel/base/panic.h"
#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "mm/filemap.h"
#include "tests/host/sim.h"

static struct sim_file *sim_file_of(struct vm_file *file)
{
	return container_of(file, struct sim_file, file);
}

static void file_get(struct vm_file *file)
{
	__atomic_add_fetch(&sim_file_of(file)->refs, 1, __ATOMIC_SEQ_CST);
}

static void file_put(struct vm_file *file)
{
	BUG_ON(__atomic_sub_fetch(&sim_file_of(file)->refs, 1, __ATOMIC_SEQ_CST) < 0);
}

static int file_path(struct vm_file *file, char *buf, size_t size)
{
	return scnprintf(buf, size, "%s", sim_file_of(file)->name);
}

static const struct vm_file_operations file_ops = {
	.get = file_get, .put = file_put, .mmap = generic_file_mmap, .path = file_path
};

u8 sim_file_byte(u64 pos)
{
	return (u8)(pos * 31 + (pos >> PAGE_SHIFT) * 7 + 1);
}

static int read_page(struct address_space *mapping, struct page *page)
{
	struct sim_file *f = container_of(mapping, struct sim_file, mapping);
	u64 pos = (u64)page->index << PAGE_SHIFT;
	u8 *mem = page_address(page);

	if (f->fail_reads) {
		f->fail_reads--;
		return -EIO;
	}
	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		mem[i] = pos + i < mapping->size ? sim_file_byte(pos + i) : 0;
	__atomic_add_fetch(&f->reads, 1, __ATOMIC_RELAXED);
	page_set_flag(page, PG_uptodate);
	return 0;
}

static const struct address_space_operations a_ops = { .read_page = read_page };

void sim_file_init(struct sim_file *f, const char *name, u64 size)
{
	memset(f, 0, sizeof(*f));
	f->name = name;
	f->file.vm_fops = &file_ops;
	f->file.mapping = &f->mapping;
	f->file.vm_mode = VM_FILE_READ | VM_FILE_WRITE;
	f->file.ino = 42;
	f->file.dev_minor = 1;
	address_space_init(&f->mapping, f, &a_ops);
	f->mapping.size = size;
}

void sim_file_destroy(struct sim_file *f)
{
	BUG_ON(f->refs != 0);
	truncate_pagecache(&f->mapping, 0);
	BUG_ON(f->mapping.nrpages != 0);
	BUG_ON(atomic_read(&f->mapping.i_mmap_writable) != 0);
}
