/* SPDX-License-Identifier: MIT */
/*
 * twin_file.h: a few small files of a seed, and the operations on them: mapping, cutting, filling,
 * reading and writing, also with a buffer that is a mapping of the same file. A file can lose its
 * name and its descriptors while it is mapped; then a new one takes its place here.
 *
 * They lie in /tmp, which is a tmpfs in both kernels, or have no name and can be sealed.
 */
#ifndef USER_TWIN_FILE_H
#define USER_TWIN_FILE_H

#include "twin_map.h"
#include <sys/sysmacros.h>

#define FILES	       4
#define MAX_FILE_PAGES 24 /* when it is new */
#define SHOWN_PAGES    32 /* of its contents */
#define SAMPLES	       8  /* pages that are looked at after each operation */

enum access { READ_WRITE, READ_ONLY, WRITE_ONLY, ACCESSES };

static const char *const access_names[ACCESSES] = { "rw", "ro", "wo" };

static struct file {
	int fd[ACCESSES];
	unsigned int number; /* as areas have it */
	bool named;	     /* by this process: it removes the name */
	char path[48];
	unsigned long size, blocks;
} files[FILES];

/* --- making and losing ------------------------------------------------------------------------ */

/* Some pages have a word at their start, the others are holes. */
static void fill_file(const struct file *file, unsigned long pages)
{
	for (unsigned long i = 0; i < pages; i++) {
		uint64_t word = tag(file->number * 16 + i, i);

		if (chance(60))
			pwrite(file->fd[READ_WRITE], &word, sizeof(word), i * PAGE);
	}
}

/* With a name in /tmp, or without one. */
static bool open_file(struct file *file)
{
	static const int flags[ACCESSES] = { O_RDWR, O_RDONLY, O_WRONLY };
	static unsigned int made;

	file->named = chance(70);
	if (file->named) {
		snprintf(file->path, sizeof(file->path), "/tmp/twin.%d.%u",
			 (int)syscall(SYS_getpid), made++);
		file->fd[0] = open(file->path, flags[0] | O_CREAT | O_EXCL, 0600);
	} else {
		file->fd[0] = syscall(SYS_memfd_create, "twin", chance(80) ? MFD_ALLOW_SEALING : 0);
		snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd[0]);
	}
	for (int i = 1; i < ACCESSES; i++)
		file->fd[i] = file->fd[0] < 0 ? -1 : open(file->path, flags[i]);
	return file->fd[0] >= 0 && file->fd[1] >= 0 && file->fd[2] >= 0;
}

static bool make_file(struct file *file)
{
	unsigned long pages = below(MAX_FILE_PAGES + 1);
	struct stat st;

	if (!open_file(file))
		return false;
	if (fstat(file->fd[READ_WRITE], &st) != 0)
		return false;
	file->number =
		number_of_inode((uint64_t)major(st.st_dev) << 32 | minor(st.st_dev), st.st_ino);
	fill_file(file, pages);
	if (pages && chance(30))
		pages = pages * PAGE - below(PAGE);
	else
		pages *= PAGE;
	return ftruncate(file->fd[READ_WRITE], pages) == 0;
}

static void remove_name(struct file *file)
{
	if (file->named)
		unlink(file->path);
	file->named = false;
}

static int zero_fd;

static bool make_files(void)
{
	zero_fd = open("/dev/zero", O_RDWR);
	if (zero_fd < 0)
		return false;
	for (int i = 0; i < FILES; i++)
		if (!make_file(&files[i]))
			return false;
	return true;
}

static void remove_files(void)
{
	for (int i = 0; i < FILES; i++)
		remove_name(&files[i]);
}

/* The names are the parent's. */
static void inherit_files(void)
{
	for (int i = 0; i < FILES; i++)
		files[i].named = false;
}

static void close_file(struct file *file)
{
	for (int i = 0; i < ACCESSES; i++)
		close(file->fd[i]);
}

static void op_replace_file(unsigned int number)
{
	struct file *file = &files[below(FILES)];

	(void)number;
	begin_op(C_REPLACE);
	say_op(" file %u", file->number);
	if (chance(50)) {
		remove_name(file);
		close_file(file);
	} else {
		close_file(file);
		remove_name(file);
	}
	if (!make_file(file))
		op.result = errno;
	say_op(" by %u", file->number);
}

/* --- what is compared ------------------------------------------------------------------------- */

/* The word at the start of a page, as read(2) has it; and whether the file goes so far. */
static uint64_t page_word(const struct file *file, unsigned long page)
{
	uint64_t word = 0;
	long n = pread(file->fd[READ_ONLY], &word, sizeof(word), page * PAGE);

	return hash_number(word, n);
}

/*
 * Size and blocks of each, and the words at some pages' start: other pages each time, as reading
 * them all would be most of what a run does.
 */
static void read_files(void)
{
	static unsigned long next;

	state.files_hash = HASH_START;
	for (int i = 0; i < FILES; i++) {
		struct stat st = { 0 };

		fstat(files[i].fd[READ_ONLY], &st);
		files[i].size = st.st_size;
		files[i].blocks = st.st_blocks;
		state.files_hash = hash_number(state.files_hash, st.st_size);
		state.files_hash = hash_number(state.files_hash, st.st_blocks);
	}
	for (int i = 0; i < SAMPLES; i++, next++) {
		unsigned long page = next / FILES % SHOWN_PAGES;

		if (page * PAGE < files[next % FILES].size)
			state.files_hash = hash_number(state.files_hash,
						       page_word(&files[next % FILES], page));
	}
}

/* Each page of the files: its first word, all of it as a hash, and whether it is a hole. */
static void dump_files(void)
{
	static unsigned char bytes[PAGE];
	char line[128];

	for (const struct file *file = files; file < files + FILES; file++) {
		emit(line, snprintf(line, sizeof(line), "  file %u: %lu bytes, %lu blocks\n",
				    file->number, file->size, file->blocks));
		for (unsigned long at = 0; at < file->size && at < SHOWN_PAGES * PAGE; at += PAGE) {
			bool data = lseek(file->fd[READ_ONLY], at, SEEK_DATA) == (off_t)at;
			uint64_t word;
			long n;

			memset(bytes, 0, sizeof(bytes));
			n = pread(file->fd[READ_ONLY], bytes, sizeof(bytes), at);
			memcpy(&word, bytes, sizeof(word));
			emit(line,
			     snprintf(line, sizeof(line),
				      "  file %u page %lu %s: %ld bytes %lx %08x\n", file->number,
				      at / PAGE, data ? "data" : "hole", n, (unsigned long)word,
				      (unsigned int)hash_bytes(HASH_START, bytes, PAGE)));
		}
	}
}

/* --- mapping ---------------------------------------------------------------------------------- */

/* Where the area would be one with another of that file. */
static void pick_adjacent(const struct file *file, unsigned long pages, unsigned long *addr,
			  unsigned long *offset)
{
	for (int tries = 0; tries < 8 && state.count; tries++) {
		const struct area *area = &state.areas[below(state.count)];

		if (area->file != file->number)
			continue;
		if (chance(60) && area->end + pages <= NEAR_PAGES) {
			*addr = page_addr(area->end);
			*offset = (area->pgoff + area->end - area->start) * PAGE;
			return;
		}
		if (area->start >= pages && area->pgoff >= pages) {
			*addr = page_addr(area->start - pages);
			*offset = (area->pgoff - pages) * PAGE;
			return;
		}
	}
}

static unsigned long file_map_flags(void)
{
	unsigned long flags = place_flags(pick_map_flags() & ~(unsigned long)MAP_ANONYMOUS);

	if (chance(60))
		flags ^= MAP_PRIVATE | MAP_SHARED;
	if (chance(10))
		flags = (flags & ~(unsigned long)MAP_TYPE) | MAP_SHARED_VALIDATE;
	if (chance(2))
		flags |= MAP_GROWSDOWN;
	if (chance(2))
		flags |= 0x80000; /* MAP_SYNC */
	return flags;
}

static enum access pick_access(void)
{
	return chance(75) ? READ_WRITE : chance(85) ? READ_ONLY : WRITE_ONLY;
}

static void op_mmap_file(unsigned int number)
{
	const struct file *file = &files[below(FILES)];
	unsigned long flags = file_map_flags(), prot = pick_prot();
	unsigned long pages = 1 + below(chance(60) ? 6 : MAX_FILE_PAGES), len = pages * PAGE;
	unsigned long addr = page_addr(below(NEAR_PAGES - pages)), offset;
	enum access access = pick_access();
	bool zero = chance(6);
	int fd = zero ? zero_fd : file->fd[access];

	(void)number;
	offset = (chance(40) ? 0 : below(file->size < 40 * PAGE ? file->size / PAGE + 3 : 40)) *
		 PAGE;
	if (chance(25))
		pick_adjacent(file, pages, &addr, &offset);
	if (chance(3))
		len -= below(PAGE);
	if (chance(4)) {
		switch (below(4)) {
		case 0:
			offset += 1 + below(PAGE - 1);
			break;
		case 1:
			offset = -PAGE * (1 + below(30));
			break;
		case 2:
			fd = chance(50) ? -1 : 1000;
			break;
		case 3:
			spoil(&addr, &len, true);
			break;
		}
	}
	begin_op(C_MMAP);
	say_range(addr, len);
	say_prot(prot);
	say_map_flags(flags);
	if (zero || fd < 0 || fd == 1000)
		say_op(" of %s at ", fd == zero_fd ? "/dev/zero" : "no file");
	else
		say_op(" of file %u %s at ", file->number, access_names[access]);
	say_op(offset % PAGE || offset / PAGE > 1000 ? "0x%lx" : "%lu",
	       offset % PAGE || offset / PAGE > 1000 ? offset : offset / PAGE);
	call_mmap(addr, len, prot, flags, fd, offset);
}

/* --- cutting and filling ---------------------------------------------------------------------- */

/* A place in the file, or not far behind it: mostly where a page begins. */
static unsigned long pick_offset(const struct file *file)
{
	unsigned long pages = file->size / PAGE < SHOWN_PAGES ? file->size / PAGE : SHOWN_PAGES;
	unsigned long at = below(pages + 2) * PAGE;

	return chance(50) ? at : at + below(PAGE);
}

static void op_ftruncate(unsigned int number)
{
	const struct file *file = &files[below(FILES)];
	enum access access = chance(85) ? READ_WRITE : pick_access();
	unsigned long size = below(MAX_FILE_PAGES + 4) * PAGE;

	(void)number;
	if (chance(40))
		size = pick_offset(file);
	else if (chance(25))
		size += below(PAGE);
	if (chance(6))
		size = 0;
	if (chance(2))
		size = 1UL << 40;
	if (chance(3))
		size = chance(50) ? -1UL : 1UL << 63;
	begin_op(C_FTRUNCATE);
	say_op(" file %u %s to %lu.%lu", file->number, access_names[access], size / PAGE,
	       size % PAGE);
	kernel(SYS_ftruncate, file->fd[access], size, 0, 0, 0, 0);
}

static void op_fallocate(unsigned int number)
{
	static const struct {
		int mode;
		const char *name;
	} modes[] = {
		{ 3, "punch" }, { 3, "punch" },	   { 3, "punch" },	 { 3, "punch" },
		{ 3, "punch" }, { 3, "punch" },	   { 0, "fill" },	 { 0, "fill" },
		{ 1, "keep" },	{ 1, "keep" },	   { 2, "punch alone" }, { 8, "collapse" },
		{ 16, "zero" }, { 64, "unshare" }, { 0x100, "unknown" },
	};
	const struct file *file = &files[below(FILES)];
	enum access access = chance(90) ? READ_WRITE : pick_access();
	size_t i = below(sizeof(modes) / sizeof(modes[0]));
	unsigned long from = pick_offset(file), len = (1 + below(8)) * PAGE;

	(void)number;
	if (chance(40))
		len = 1 + below(4 * PAGE);
	/*
	 * A hole inside the first page makes Linux unmap the whole file, by accident: it ends at
	 * page -1.
	 */
	if (from + len < PAGE)
		len = PAGE;
	if (chance(5)) {
		switch (below(4)) {
		case 0:
			len = 0;
			break;
		case 1:
			len = -PAGE;
			break;
		case 2:
			from = -PAGE;
			break;
		case 3:
			from = (1UL << 63) - PAGE;
			break;
		}
	}
	begin_op(C_FALLOCATE);
	say_op(" file %u %s %s 0x%lx+0x%lx", file->number, access_names[access], modes[i].name,
	       from, len);
	kernel(SYS_fallocate, file->fd[access], modes[i].mode, from, len, 0, 0);
}

/* --- reading and writing ---------------------------------------------------------------------- */

#define MAX_IO (3 * PAGE)

static unsigned long pick_io_size(void)
{
	return chance(40) ? 1 + below(64) : chance(30) ? PAGE : 1 + below(MAX_IO);
}

/* Letters, and a zero now and then: what is written can be a file's name. */
static unsigned long own_buffer(unsigned int number)
{
	static unsigned char bytes[MAX_IO];

	for (unsigned long i = 0; i < sizeof(bytes); i++)
		bytes[i] = i % 64 == 63 ? 0 : 'A' + (number + i + i / 64) % 26;
	return (unsigned long)bytes;
}

/* The memory of a read or write: the program's own, or some of the region. */
static unsigned long pick_buffer(unsigned int number)
{
	unsigned long addr;

	if (chance(40))
		return own_buffer(number);
	addr = page_addr(pick_page());
	if (chance(60))
		addr += below(PAGE);
	say_op(" buffer");
	say_addr(addr);
	return addr;
}

static void read_or_write(enum call call, unsigned int number)
{
	const struct file *file = &files[below(FILES)];
	enum access access = chance(92) ? READ_WRITE : call == C_PWRITE ? READ_ONLY : WRITE_ONLY;
	unsigned long at = pick_offset(file), len = pick_io_size(), buffer;
	long ret;

	/* Its mapping of the file reads and writes where the file does. */
	begin_op(call);
	say_op(" file %u %s %lu.%lu", file->number, access_names[access], at / PAGE, at % PAGE);
	buffer = pick_buffer(number);
	if (chance(2))
		at = -PAGE;
	else if (chance(2))
		len = chance(50) ? 0 : -1UL;
	say_op(len > MAX_IO ? " len 0x%lx" : " len %lu", len);
	ret = kernel(call == C_PWRITE ? SYS_pwrite64 : SYS_pread64, file->fd[access], buffer, len,
		     at, 0, 0);
	if (!op.result)
		snprintf(op.extra, sizeof(op.extra), " %ld", ret);
	if (call == C_PREAD && ret > 0 && buffer < REGION)
		snprintf(op.extra, sizeof(op.extra), " %ld %08x", ret,
			 (unsigned int)hash_bytes(HASH_START, (void *)buffer, ret));
}

static void op_pread(unsigned int number)
{
	read_or_write(C_PREAD, number);
}

static void op_pwrite(unsigned int number)
{
	read_or_write(C_PWRITE, number);
}

/*
 * The kernel reads or writes the region as a debugger would: what is not writable gets private
 * copies.
 */
static void op_mem(unsigned int number)
{
	static unsigned char bytes[MAX_IO];
	enum call call = chance(50) ? C_MEMREAD : C_MEMWRITE;
	unsigned long addr = page_addr(pick_page()), len = chance(70) ? 8 : pick_io_size();
	bool of_child = child_mem_fd >= 0 && chance(50);
	int fd = of_child ? child_mem_fd : mem_fd;
	uint64_t word = tag((addr - REGION) / PAGE, number);
	long ret;

	if (len != 8)
		addr += below(PAGE);
	begin_op(call);
	say_addr(addr);
	say_op(" len %lu%s", len, of_child ? " of the child" : "");
	if (call == C_MEMWRITE)
		ret = kernel(SYS_pwrite64, fd, len == 8 ? (unsigned long)&word : own_buffer(number),
			     len, addr, 0, 0);
	else
		ret = kernel(SYS_pread64, fd, (unsigned long)bytes, len, addr, 0, 0);
	if (!op.result)
		snprintf(op.extra, sizeof(op.extra), " %ld %08x", ret,
			 call == C_MEMREAD ? (unsigned int)hash_bytes(HASH_START, bytes, ret) : 0);
}

/* Pages of a shared file in another order, each change an area of its own. */
static void op_remap_file_pages(unsigned int number)
{
	unsigned long addr, len, pgoff = below(MAX_FILE_PAGES), prot = chance(95) ? 0 : PROT_READ;

	(void)number;
	pick_range(16, &addr, &len);
	for (int tries = 0; tries < 8 && state.count; tries++) {
		const struct area *area = &state.areas[below(state.count)];

		if (area->perms[3] != 's')
			continue;
		addr = page_addr(area->start + below(area->end - area->start));
		len = (1 + below(area->end - (addr - REGION) / PAGE)) * PAGE;
		break;
	}
	if (chance(8))
		spoil(&addr, &len, true);
	begin_op(C_REMAP);
	say_range(addr, len);
	say_op(" prot %lu from %lu", prot, pgoff);
	kernel(SYS_remap_file_pages, addr, len, prot, pgoff, chance(90) ? 0 : MAP_NONBLOCK, 0);
}

/* Only what memfd_create(2) made can be sealed. */
static void op_seal(unsigned int number)
{
	const struct file *file = &files[below(FILES)];
	enum access access = chance(90) ? READ_WRITE : pick_access();
	int seals = 1 << below(5);

	(void)number;
	for (int tries = 0; tries < 3 && file->path[1] != 'p'; tries++)
		file = &files[below(FILES)];
	if (chance(3))
		seals = 0x20;
	begin_op(C_SEAL);
	say_op(" file %u %s 0x%x", file->number, access_names[access], seals);
	kernel(SYS_fcntl, file->fd[access], F_ADD_SEALS, seals, 0, 0, 0);
	snprintf(op.extra, sizeof(op.extra), " now 0x%x", fcntl(file->fd[READ_ONLY], F_GET_SEALS));
}

static void op_copy(unsigned int number)
{
	const struct file *from = &files[below(FILES)], *to = &files[below(FILES)];
	off_t at = pick_offset(from), start = pick_offset(to);
	unsigned long len = pick_io_size();
	long ret;

	(void)number;
	begin_op(C_COPY);
	say_op(" %lu of file %u 0x%lx to file %u 0x%lx", len, from->number, (long)at, to->number,
	       (long)start);
	ret = kernel(SYS_copy_file_range, from->fd[READ_ONLY], (unsigned long)&at,
		     to->fd[READ_WRITE], (unsigned long)&start, len, 0);
	if (!op.result)
		snprintf(op.extra, sizeof(op.extra), " %ld 0x%lx 0x%lx", ret, (long)at,
			 (long)start);
}

static void op_fsync(unsigned int number)
{
	const struct file *file = &files[below(FILES)];

	(void)number;
	begin_op(C_FSYNC);
	say_op(" file %u", file->number);
	kernel(SYS_fsync, file->fd[pick_access()], 0, 0, 0, 0, 0);
}

#endif
