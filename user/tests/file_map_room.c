/* SPDX-License-Identifier: MIT */
/*
 * Room that fallocate(2) makes in a file of tmpfs is no contents yet: mincore doesn't see it, nor does
 * SEEK_DATA, nor is it mapped around a fault. Who may see it: the file's owner, also with a descriptor
 * that is for reading only.
 */
#include "filemap.h"

#define KEEP 1 /* FALLOC_FL_KEEP_SIZE */

static int fd;

static const char *in_memory(const char *addr, unsigned long pages)
{
	static unsigned char vec[16];
	static char text[17];

	memset(vec, 0, sizeof(vec));
	if (syscall(SYS_mincore, addr, pages * PAGE, vec) != 0)
		return "failed";
	for (unsigned long i = 0; i < pages; i++)
		text[i] = '0' + (vec[i] & 1);
	text[pages] = '\0';
	return text;
}

static void room(void)
{
	char *s = map_file(fd, 8, PROT_READ | PROT_WRITE, MAP_SHARED);
	char byte;

	is(ftruncate(fd, 8 * PAGE), 0, "a longer file");
	is(fallocate(fd, 0, 2 * PAGE, 3 * PAGE), 0, "gets room");
	is_str(in_memory(s, 8), "11000000", "which isn't in memory");
	is(lseek(fd, 2 * PAGE, SEEK_DATA), -1, "it isn't data");
	is(lseek(fd, 0, SEEK_HOLE), 2 * PAGE, "but a hole");
	is(pread(fd, &byte, 1, 2 * PAGE), 1, "it is read");
	is_str(in_memory(s, 8), "11000000", "... and stays as it is");
	peek(s);
	is_str(present(s, 8), "11000000", "a fault beside it doesn't map it");
	peek(s + 3 * PAGE);
	is_str(in_memory(s, 8), "11010000", "a fault on it makes it contents");
	is(pwrite(fd, "x", 1, 4 * PAGE + 5), 1, "so does a write");
	is_str(in_memory(s, 8), "11011000", "... of one byte");
	is(fallocate(fd, KEEP, 2 * PAGE, 4 * PAGE), 0, "room is made once more");
	is_str(in_memory(s, 8), "11111000", "what was made before is contents now, the new isn't");
	is(lseek(fd, 0, SEEK_HOLE), 5 * PAGE, "so it is to SEEK_HOLE");
	unmap(s, 8);
}

static void owner(void)
{
	int ro = open(in_dir("room"), O_RDONLY);
	char *p;

	is(fchmod(fd, 0444), 0, "a file that its owner may only read");
	p = map_file(ro, 8, PROT_READ, MAP_PRIVATE);
	is_str(in_memory(p, 8), "11111000", "its owner is told what is in memory");
	unmap(p, 8);
	close(ro);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "room", NULL };

	tap_start(argc, argv, NULL);
	make_dir("file_map_room");
	fd = pages_file("room", 2);
	room();
	owner();
	close(fd);
	clean_dir(names);
	return done_testing();
}
