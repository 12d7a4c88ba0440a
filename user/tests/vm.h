/* SPDX-License-Identifier: MIT */
/*
 * vm.h: the memory calls without a C library between, and what /proc says of the result: fields
 * of /proc/self/status and smaps, files of /proc/sys, limits, identity.
 */
#ifndef USER_TESTS_VM_H
#define USER_TESTS_VM_H

#include "areas.h"
#include <sys/prctl.h>

#define MIB (1UL << 20)
#define GIB (1UL << 30)

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif
#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif
#ifndef MADV_COLD
#define MADV_COLD    20
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif
#define MADV_DONTNEED_LOCKED_ 24
#define MADV_COLLAPSE_	      25

#define NOBODY 65534

/* --- the calls; -errno on failure ------------------------------------------------------------- */

TAP_FN long raw_mremap(unsigned long old, unsigned long old_len, unsigned long new_len, long flags,
		       unsigned long new)
{
	return result(syscall(SYS_mremap, old, old_len, new_len, flags, new));
}

TAP_FN long raw_mlock(unsigned long addr, unsigned long len)
{
	return result(syscall(SYS_mlock, addr, len));
}

TAP_FN long raw_mlock2(unsigned long addr, unsigned long len, long flags)
{
	return result(syscall(SYS_mlock2, addr, len, flags));
}

TAP_FN long raw_munlock(unsigned long addr, unsigned long len)
{
	return result(syscall(SYS_munlock, addr, len));
}

TAP_FN long raw_mlockall(long flags)
{
	return result(syscall(SYS_mlockall, flags));
}

TAP_FN long raw_munlockall(void)
{
	return result(syscall(SYS_munlockall));
}

TAP_FN long raw_madvise(unsigned long addr, unsigned long len, long advice)
{
	return result(syscall(SYS_madvise, addr, len, advice));
}

TAP_FN long raw_mincore(unsigned long addr, unsigned long len, unsigned long vec)
{
	return result(syscall(SYS_mincore, addr, len, vec));
}

TAP_FN long raw_msync(unsigned long addr, unsigned long len, long flags)
{
	return result(syscall(SYS_msync, addr, len, flags));
}

TAP_FN unsigned long raw_brk(unsigned long addr)
{
	return (unsigned long)syscall(SYS_brk, addr);
}

TAP_FN bool is_error(long value)
{
	return value < 0 && value >= -4095;
}

/* Maps pages at that very place, replacing what is there. */
TAP_FN long fix(const void *addr, unsigned long pages, int prot)
{
	return raw_mmap((unsigned long)addr, pages * PAGE, prot, ANON | MAP_FIXED, -1, 0);
}

TAP_FN void touch(void *addr, unsigned long pages)
{
	for (unsigned long i = 0; i < pages; i++)
		((volatile char *)addr)[i * PAGE] = 1;
}

TAP_FN int peek(const void *addr)
{
	return *(const volatile char *)addr;
}

/*
 * A hole of that many pages between two areas of PROT_NONE that no merge can bridge: a place for
 * fixed mappings whose neighbours are known.
 */
TAP_FN char *hole(unsigned long pages)
{
	char *p = fresh(pages + 2, PROT_NONE);

	raw_munmap((unsigned long)p + PAGE, pages * PAGE);
	return p + PAGE;
}

/* mincore of the pages as text: "1" present, "0" not; from the error on "E" and its number. */
TAP_FN const char *vector(const void *addr, unsigned long pages)
{
	static unsigned char vec[128];
	static char text[160];
	long err;

	if (pages > sizeof(vec))
		pages = sizeof(vec);
	err = raw_mincore((unsigned long)addr, pages * PAGE, (unsigned long)vec);
	if (err) {
		snprintf(text, sizeof(text), "E%ld", -err);
		return text;
	}
	for (unsigned long i = 0; i < pages; i++)
		text[i] = vec[i] == 1 ? '1' : vec[i] == 0 ? '0' : '?';
	text[pages] = '\0';
	return text;
}

/* --- /proc ------------------------------------------------------------------------------------ */

static char proc_text[65536];

/* Reads a whole file into proc_text; false when that is not possible. */
TAP_FN bool proc_read(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t used = 0;
	ssize_t n = -1;

	proc_text[0] = '\0';
	if (fd < 0)
		return false;
	while (used < sizeof(proc_text) - 1) {
		n = read(fd, proc_text + used, sizeof(proc_text) - 1 - used);
		if (n <= 0)
			break;
		used += n;
	}
	close(fd);
	proc_text[used] = '\0';
	return n >= 0 && used > 0;
}

/* The number after "name:" at the start of a line, from that place on; -1 when there is none. */
TAP_FN long field_from(const char *text, const char *name)
{
	size_t len = strlen(name);

	while (text && *text) {
		if (strncmp(text, name, len) == 0 && text[len] == ':')
			return strtol(text + len + 1, NULL, 10);
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return -1;
}

/* A field of /proc/self/status: for the Vm ones, kilobytes. */
TAP_FN long status(const char *name)
{
	if (!proc_read("/proc/self/status"))
		return -1;
	return field_from(proc_text, name);
}

/* /proc/self/smaps from the entry of the area at addr on; NULL when there is none. */
TAP_FN const char *smaps_at(const void *addr)
{
	static char text[8192];
	static char chunk[4096];
	int fd = open("/proc/self/smaps", O_RDONLY);
	bool inside = false;
	size_t used = 0, line = 0;
	ssize_t n;

	/* The file may be long: only the entry that is asked for is kept. */
	if (fd < 0)
		return NULL;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (used >= sizeof(text) - 1)
				used = line = 0;
			text[used++] = chunk[i];
			if (chunk[i] != '\n')
				continue;
			text[used] = '\0';
			if (strchr("0123456789abcdef", text[line])) {
				char *end;
				unsigned long lo = strtoul(text + line, &end, 16);
				unsigned long hi = strtoul(end + 1, NULL, 16);

				if (inside) {
					text[line] = '\0';
					close(fd);
					return text;
				}
				inside = (unsigned long)addr >= lo && (unsigned long)addr < hi;
				if (inside) {
					memmove(text, text + line, used - line);
					used -= line;
				}
			}
			if (!inside)
				used = 0;
			line = used;
		}
	}
	close(fd);
	text[used] = '\0';
	return inside ? text : NULL;
}

/* A field of the smaps entry of the area at addr, in kilobytes; -1 when there is none. */
TAP_FN long smaps(const void *addr, const char *name)
{
	return field_from(smaps_at(addr), name);
}

/* Whether VmFlags of the area at addr has that two-letter flag. */
TAP_FN bool vm_flag(const void *addr, const char *flag)
{
	const char *text = smaps_at(addr);
	char word[8];

	text = text ? strstr(text, "VmFlags:") : NULL;
	snprintf(word, sizeof(word), " %s ", flag);
	return text && strstr(text + strlen("VmFlags:"), word);
}

/* VmFlags of the area at addr, as printed, without the flags named in except. */
TAP_FN const char *vm_flags(const void *addr, const char *except)
{
	static char flags[128];
	const char *text = smaps_at(addr);
	size_t used = 0;

	flags[0] = '\0';
	text = text ? strstr(text, "VmFlags: ") : NULL;
	if (!text)
		return "no VmFlags";
	for (text += strlen("VmFlags: "); text[0] != '\n' && text[0] && used < sizeof(flags) - 4;
	     text += 3) {
		char word[3] = { text[0], text[1], '\0' };

		if (strstr(except, word))
			continue;
		if (used)
			flags[used++] = ' ';
		flags[used++] = word[0];
		flags[used++] = word[1];
		flags[used] = '\0';
		if (text[2] != ' ')
			break;
	}
	return flags;
}

/* The number in a file such as those of /proc/sys/vm; -1 when it can't be read. */
TAP_FN long number_in(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? strtol(text, NULL, 10) : -1;
}

/* Writes a number to such a file: 0 or -errno. */
TAP_FN long write_number(const char *path, long number)
{
	char text[32];
	int fd = open(path, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	snprintf(text, sizeof(text), "%ld", number);
	n = result(write(fd, text, strlen(text)));
	close(fd);
	return n < 0 ? n : 0;
}

/* --- limits and identity ---------------------------------------------------------------------- */

/* The soft limit of a resource, by prlimit64; -1 as on Linux is no limit. */
TAP_FN unsigned long soft_limit(int resource)
{
	struct rlimit limit = { 0, 0 };

	syscall(SYS_prlimit64, 0, resource, NULL, &limit);
	return limit.rlim_cur;
}

/* Sets the soft limit alone, so that it can be lifted again. */
TAP_FN long limit(int resource, unsigned long value)
{
	struct rlimit both = { 0, 0 };
	long err = result(syscall(SYS_prlimit64, 0, resource, NULL, &both));

	if (err)
		return err;
	both.rlim_cur = value;
	return result(syscall(SYS_prlimit64, 0, resource, &both, NULL));
}

TAP_FN bool am_root(void)
{
	return syscall(SYS_geteuid) == 0;
}

/* For a program that was started as root: from here on an ordinary user without capabilities. */
TAP_FN long become_nobody(void)
{
	long err;

	if (!am_root())
		return 0;
	err = result(syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY));
	if (!err)
		err = result(syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY));
	return err;
}

/*
 * Pages that the process has locked before a test began. Most tests want the difference: VmLck is
 * of the whole process.
 */
TAP_FN long locked_pages(void)
{
	long kb = status("VmLck");

	return kb < 0 ? -1 : kb / 4;
}

#endif
