/* SPDX-License-Identifier: MIT */
/*
 * Files and descriptors that threads on different processors use at once: positions, appending, pipes,
 * numbers that are given out and closed.
 */
#include "smp_dir.h"

/* --- writers of one file, and of one pipe -------------------------------------------------------- */

#define RECORDS 200
#define WRITERS 4

struct record {
	int writer, number;
	char filling[92]; /* each byte is the writer's number */
};

static int fd_of[WRITERS];

static int write_records(struct member *m)
{
	struct record record = { .writer = m->number };

	memset(record.filling, m->number, sizeof(record.filling));
	for (; record.number < RECORDS; record.number++) {
		if (raw(SYS_write, fd_of[m->number], &record, sizeof(record)) != sizeof(record))
			complain("write: writer %d", m->number);
		breathe(record.number);
	}
	return 0;
}

static int next_of[WRITERS];

/* Each writer's records come whole and in order, but mixed with others'. */
static void check_record(const struct record *record)
{
	int writer = record->writer;

	if (writer < 0 || writer >= WRITERS || record->number != next_of[writer]) {
		complain("record %d of writer %d", record->number, writer);
		return;
	}
	next_of[writer]++;
	for (size_t i = 0; i < sizeof(record->filling); i++)
		if (record->filling[i] != writer)
			complain("record %d of writer %d is mixed", record->number, writer);
}

static void check_all_came(const char *name)
{
	for (int i = 0; i < WRITERS; i++) {
		if (next_of[i] != RECORDS)
			complain("%d records of writer %d", next_of[i], i);
		next_of[i] = 0;
	}
	nobody_complained(name);
}

static void check_file(int fd, const char *name)
{
	struct record record;

	raw(SYS_lseek, fd, 0, SEEK_SET);
	while (raw(SYS_read, fd, &record, sizeof(record)) == sizeof(record))
		check_record(&record);
	check_all_came(name);
}

static void write_together(void)
{
	int size = 0;

	team_add(&size, WRITERS, write_records);
	team_begin(size);
	team_join(0, size);
}

static int read_records(struct member *m)
{
	struct record record;

	for (int i = 0; i < RECORDS * 3; i++) {
		long n = raw(SYS_read, fd_of[3], &record, sizeof(record));

		if (n == sizeof(record))
			check_record(&record);
		else
			complain("read: %ld", n);
	}
	return 0;
}

static void pipes(void)
{
	int ends[2], size = 0;

	raw(SYS_pipe2, ends, 0);
	for (int i = 0; i < 3; i++)
		fd_of[i] = ends[1];
	fd_of[3] = ends[0];
	team_add(&size, 3, write_records);
	team_add(&size, 1, read_records);
	next_of[3] = RECORDS; /* which is no writer here */
	team_begin(size);
	team_join(0, size);
	raw(SYS_close, ends[0]);
	raw(SYS_close, ends[1]);
	check_all_came("three write to a pipe: each record whole and in order");
}

static void positions(void)
{
	int fd = open_in_dir("shared", O_RDWR | O_CREAT | O_TRUNC);

	for (int i = 0; i < WRITERS; i++)
		fd_of[i] = fd;
	write_together();
	check_file(fd, "four write by one descriptor: none over another's");
	raw(SYS_close, fd);
	for (int i = 0; i < WRITERS; i++)
		fd_of[i] = open_in_dir("appended", O_RDWR | O_CREAT | O_APPEND);
	write_together();
	check_file(fd_of[0], "four append by openings of their own");
	for (int i = 0; i < WRITERS; i++)
		raw(SYS_close, fd_of[i]);
}

/* --- numbers of descriptors ------------------------------------------------------------------------ */

static volatile int owner[256];

static int take_numbers(struct member *m)
{
	for (int i = 0; i < 300 * (int)times; i++) {
		int fd = raw(SYS_dup, 0), nobody = 0;

		if (fd < 0 || fd >= 256) {
			complain("dup: %d", fd);
			continue;
		}
		if (!__atomic_compare_exchange_n(&owner[fd], &nobody, m->number + 1, false,
						 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			complain("%d is given to two", fd);
		breathe(i);
		__atomic_store_n(&owner[fd], 0, __ATOMIC_SEQ_CST);
		if (raw(SYS_close, fd))
			complain("close");
	}
	return 0;
}

static int switched;

/* The number stands for one file or the other; now and then for none. */
static int exchange(struct member *m)
{
	int a = open_in_dir("a", O_RDONLY), b = open_in_dir("b", O_RDONLY);

	for (int i = 0; i < 400 * (int)times; i++) {
		raw(SYS_dup3, i & 1 ? a : b, switched, 0);
		if (i % 3 == 0)
			raw(SYS_close, switched);
		breathe(i);
	}
	raw(SYS_close, a);
	raw(SYS_close, b);
	stop_now = 1;
	return 0;
}

static int read_switched(struct member *m)
{
	char block[PAGE];

	while (!stop_now) {
		long n = raw(SYS_pread64, switched, block, sizeof(block), 0);

		m->count++;
		breathe(m->count);
		if (n == -EBADF)
			continue;
		if (n != sizeof(block)) {
			complain("pread: %ld", n);
			continue;
		}
		for (size_t i = 0; i < sizeof(block); i++)
			if (block[i] != block[0])
				complain("two files in one read");
	}
	return 0;
}

static void numbers(void)
{
	int size = 0;

	team_add(&size, 4, take_numbers);
	team_begin(size);
	team_join(0, size);
	nobody_complained("no descriptor is given to two");
	fill_file("a", 'a');
	fill_file("b", 'b');
	switched = 100;
	size = 0;
	team_add(&size, 1, exchange);
	team_add(&size, 3, read_switched);
	team_begin(size);
	team_join(0, size);
	raw(SYS_close, switched);
	stop_now = 0;
	nobody_complained("reading what another thread closes: the file, or EBADF");
}

int main(int argc, char **argv)
{
	static const char *const made[] = { "shared", "appended", "a", "b", NULL };

	smp_start(argc, argv, NULL);
	dir_make("smp_files");
	pipes();
	positions();
	numbers();
	dir_remove(made);
	return done_testing();
}
