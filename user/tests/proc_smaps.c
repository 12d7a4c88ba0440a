/* SPDX-License-Identifier: MIT */
/* /proc/self/smaps and pagemap: the order of the fields, their exact values, the flags. */
#include "vm.h"

static void order(void)
{
	static const char *const fields[] = {
		"Size",
		"KernelPageSize",
		"MMUPageSize",
		"Rss",
		"Pss",
		"Pss_Dirty",
		"Shared_Clean",
		"Shared_Dirty",
		"Private_Clean",
		"Private_Dirty",
		"Referenced",
		"Anonymous",
		"LazyFree",
		"AnonHugePages",
		"ShmemPmdMapped",
		"FilePmdMapped",
		"Shared_Hugetlb",
		"Private_Hugetlb",
		"Swap",
		"SwapPss",
		"Locked",
		"THPeligible",
		"VmFlags",
	};
	char *p = hole(2);
	const char *text, *last;

	fix(p, 2, RW);
	touch(p, 2);
	text = last = smaps_at(p);
	if (!ok(text != NULL, "smaps has an entry for an area"))
		return;
	for (size_t i = 0; i < COUNT(fields); i++) {
		char line[32];
		const char *at;

		snprintf(line, sizeof(line), "\n%s:", fields[i]);
		at = strstr(text, line);
		if (!at) {
			diag("no %s", fields[i]);
			continue;
		}
		ok(at >= last, "%s stands in its place", fields[i]);
		last = at;
	}
	is(strstr(text, "\nRss:                   8 kB\n") != NULL, 1, "a field's columns");
	is(strncmp(last, "\nVmFlags: rd wr mr mw me ac ", 28), 0, "VmFlags of plain memory");
	raw_munmap((unsigned long)p, 2 * PAGE);
}

static void counts(void)
{
	char *p = hole(8);
	unsigned long at = (unsigned long)p;

	fix(p, 8, RW);
	is(smaps(p, "Size"), 32, "Size");
	is(smaps(p, "KernelPageSize"), 4, "KernelPageSize");
	is(smaps(p, "MMUPageSize"), 4, "MMUPageSize");
	is(smaps(p, "Rss"), 0, "Rss: nothing is there");
	(void)peek(p);
	is(smaps(p, "Rss"), 0, "a page that was read is the zero page: not in Rss");
	touch(p, 3);
	is(smaps(p, "Rss"), 12, "Rss: three pages written");
	is(smaps(p, "Pss"), 12, "Pss");
	is(smaps(p, "Private_Dirty"), 12, "Private_Dirty");
	is(smaps(p, "Private_Clean"), 0, "Private_Clean");
	is(smaps(p, "Shared_Dirty"), 0, "Shared_Dirty");
	is(smaps(p, "Anonymous"), 12, "Anonymous");
	is(smaps(p, "Swap"), 0, "Swap");
	is(smaps(p, "Locked"), 0, "Locked");
	raw_mprotect(at, 8 * PAGE, PROT_NONE);
	is(smaps(p, "Rss"), 12, "PROT_NONE keeps its pages");
	raw_mprotect(at, 8 * PAGE, RW);
	raw_mlock(at, 8 * PAGE);
	is(smaps(p, "Locked"), 32, "Locked: all are there and locked");
	raw_munlock(at, 8 * PAGE);
	raw_madvise(at, 5 * PAGE, MADV_DONTNEED);
	is(smaps(p, "Rss"), 12, "Rss after MADV_DONTNEED of five");
	raw_munmap(at + 2 * PAGE, 4 * PAGE);
	is(smaps(p, "Rss"), 0, "munmap of the middle: the first part has none left");
	is(smaps(p + 6 * PAGE, "Rss"), 8, "the other two");
	raw_munmap(at, 8 * PAGE);
}

static void flags(void)
{
	char *p = hole(2);
	unsigned long at = (unsigned long)p;

	fix(p, 1, PROT_NONE);
	is_str(vm_flags(p, "sd"), "mr mw me", "VmFlags of PROT_NONE");
	fix(p, 1, PROT_READ);
	is_str(vm_flags(p, "sd"), "rd mr mw me", "of read-only memory");
	fix(p, 1, PROT_WRITE);
	is_str(vm_flags(p, "sd"), "wr mr mw me ac", "of write-only memory");
	fix(p, 1, PROT_READ | PROT_EXEC);
	is_str(vm_flags(p, "sd"), "rd ex mr mw me", "of executable memory");
	fix(p, 1, RW | PROT_EXEC);
	is_str(vm_flags(p, "sd"), "rd wr ex mr mw me ac", "of all");
	raw_mmap(at, PAGE, RW, ANON | MAP_FIXED | MAP_NORESERVE, -1, 0);
	is_str(vm_flags(p, "sd"), "rd wr mr mw me nr", "MAP_NORESERVE");
	raw_mmap(at, PAGE, RW, ANON | MAP_FIXED | MAP_LOCKED, -1, 0);
	is_str(vm_flags(p, "sd"), "rd wr mr mw me lo ac", "MAP_LOCKED");
	raw_mmap(at, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	is_str(vm_flags(p, "sd"), "rd wr mr mw me gd ac", "MAP_GROWSDOWN");
	fix(p, 1, RW);
	raw_madvise(at, PAGE, MADV_SEQUENTIAL);
	is_str(vm_flags(p, "sd"), "rd wr mr mw me sr ac", "MADV_SEQUENTIAL");
	raw_madvise(at, PAGE, MADV_RANDOM);
	is_str(vm_flags(p, "sd"), "rd wr mr mw me rr ac", "MADV_RANDOM");
	raw_madvise(at, PAGE, MADV_DONTFORK);
	is_str(vm_flags(p, "sd"), "rd wr mr mw me rr dc ac", "and MADV_DONTFORK");
	raw_madvise(at, PAGE, MADV_DONTDUMP);
	is_str(vm_flags(p, "sd"), "rd wr mr mw me rr dc ac dd", "and MADV_DONTDUMP");
	raw_munmap(at, PAGE);
}

/* fallocate(2)'s pages are dirty before anybody wrote them, those that a fault made are not. */
static void file_room(void)
{
	int fd = syscall(SYS_memfd_create, "room", 0);
	char *p = hole(4);

	ftruncate(fd, 4 * PAGE);
	fallocate(fd, 0, 0, 2 * PAGE);
	raw_mmap((unsigned long)p, 4 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
	for (int i = 0; i < 4; i++)
		(void)peek(p + i * PAGE);
	is(smaps(p, "Private_Dirty"), 8, "a file's pages that fallocate made are dirty");
	is(smaps(p, "Private_Clean"), 8, "... and holes that were only read are clean");
	raw_munmap((unsigned long)p, 4 * PAGE);
	close(fd);
}

/* A page that was written through /proc/self/mem is given up by MADV_FREE like any other. */
static void written_from_outside(void)
{
	int fd = open("/proc/self/mem", O_RDWR), status;
	char *p = hole(2), *shared;
	pid_t pid;

	fix(p, 1, RW);
	is(pwrite(fd, "x", 1, (unsigned long)p), 1, "a write through /proc/self/mem");
	is(smaps(p, "Private_Dirty"), 4, "makes a page dirty");
	raw_madvise((unsigned long)p, PAGE, MADV_FREE);
	is(smaps(p, "Private_Clean"), 4, "... and MADV_FREE makes it clean");
	is(*p, 'x', "... with what it holds, for the time being");
	/* One that somebody else has as well stays as it is. */
	shared = p + PAGE;
	fix(shared, 1, RW);
	pwrite(fd, "y", 1, (unsigned long)shared);
	pid = fork();
	if (pid == 0) {
		raw_madvise((unsigned long)shared, PAGE, MADV_FREE);
		_exit(smaps(shared, "Shared_Dirty"));
	}
	waitpid(pid, &status, 0);
	is(status, 4 << 8, "... but not one that a parent has, too");
	raw_munmap((unsigned long)p, 2 * PAGE);
	close(fd);
}

static void pagemap_bits(void)
{
	const uint64_t present = PAGEMAP_PRESENT, file = PAGEMAP_FILE,
		       exclusive = PAGEMAP_EXCLUSIVE;
	const uint64_t soft_dirty = 1UL << 55;
	char *p = hole(8);
	unsigned long at = (unsigned long)p;

	is(pagemap(p), 0, "pagemap of a hole: 0");
	fix(p, 8, RW);
	is(pagemap(p), soft_dirty, "of an untouched page of a new area: soft-dirty alone");
	(void)peek(p);
	is(pagemap(p) & (present | file | exclusive), present,
	   "of one that was read: present, not exclusive, as the zero page is everybody's");
	p[0] = 1;
	is(pagemap(p) & (present | file | exclusive | soft_dirty), present | exclusive | soft_dirty,
	   "of one that was written: exclusive");
	raw_mprotect(at, PAGE, PROT_NONE);
	is(pagemap(p) & (present | exclusive), present | exclusive, "PROT_NONE: still");
	raw_mprotect(at, PAGE, RW);
	raw_madvise(at, PAGE, MADV_DONTNEED);
	is(pagemap(p) & (present | exclusive), 0, "after MADV_DONTNEED: neither");
	ok(pagemap((const void *)(unsigned long)pagemap_bits) & file,
	   "a page of the program's text is a file's");
	raw_munmap(at, 8 * PAGE);
}

/* Reading it in pieces: whole entries only, at multiples of eight. */
static void pagemap_reads(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	char *p = hole(4);
	unsigned long index = (unsigned long)p / PAGE;
	uint64_t entries[4] = { 0 };

	fix(p, 4, RW);
	touch(p + PAGE, 1);
	ok(fd >= 0, "/proc/self/pagemap");
	is(result(pread(fd, entries, 32, index * 8)), 32, "four entries at once");
	ok(!(entries[0] >> 63) && entries[1] >> 63 && !(entries[2] >> 63), "the second is present");
	is(result(pread(fd, entries, 8, index * 8 + 4)), -EINVAL, "an offset inside one: EINVAL");
	is(result(pread(fd, entries, 12, index * 8)), -EINVAL, "one and a half: EINVAL");
	is(result(pread(fd, entries, 0, index * 8)), 0, "no byte: 0");
	is(result(pread(fd, entries, 8, TASK_SIZE / PAGE * 8)), 0, "beyond user space: the end");
	is(result(pread(fd, entries, 16, TASK_SIZE / PAGE * 8 - 8)), 8, "across it: what is there");
	close(fd);
	raw_munmap((unsigned long)p, 4 * PAGE);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	counts();
	order();
	flags();
	file_room();
	written_from_outside();
	pagemap_bits();
	pagemap_reads();
	return done_testing();
}
