/* SPDX-License-Identifier: MIT */
/* Text that grows as it is written: what a file of /proc is read from. */
#ifndef KERNEL_FS_SEQ_H
#define KERNEL_FS_SEQ_H

#include "kernel/base/compiler.h"

/* All zero is an empty text. Once memory has run out, `failed` is set and writing does nothing. */
struct seq_text {
	char *buf;
	size_t len, size;
	bool failed;
};

void seq_printf(struct seq_text *seq, const char *fmt, ...) __printf(2, 3);
void seq_write(struct seq_text *seq, const void *data, size_t len);
/*
 * Room for `len` more bytes behind the text, or NULL. The caller writes there and adds to seq->len
 * what it wrote.
 */
char *seq_room(struct seq_text *seq, size_t len);
/* Forgets the text but keeps its memory; and frees that too. */
void seq_reset(struct seq_text *seq);
void seq_free(struct seq_text *seq);

#endif
