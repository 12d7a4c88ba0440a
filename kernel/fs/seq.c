/* SPDX-License-Identifier: MIT */
#include "kernel/fs/seq.h"

#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

/* Up to here kmalloc() is used: beyond, one needs memory that is contiguous only virtually. */
#define KMALLOC_LIMIT (16 * PAGE_SIZE)

static void buffer_free(char *buf, size_t size)
{
	if (size <= KMALLOC_LIMIT)
		kfree(buf);
	else
		vfree(buf);
}

char *seq_room(struct seq_text *seq, size_t len)
{
	size_t size = max(seq->size, PAGE_SIZE);
	char *buf;

	if (seq->failed)
		return NULL;
	while (size - seq->len < len)
		size *= 2;
	if (size == seq->size)
		return seq->buf + seq->len;
	buf = size <= KMALLOC_LIMIT ? kmalloc(size, GFP_KERNEL) : vmalloc(size);
	if (!buf) {
		seq->failed = true;
		return NULL;
	}
	if (seq->buf) {
		memcpy(buf, seq->buf, seq->len);
		buffer_free(seq->buf, seq->size);
	}
	seq->buf = buf;
	seq->size = size;
	return buf + seq->len;
}

void seq_printf(struct seq_text *seq, const char *fmt, ...)
{
	va_list args;
	char *room;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	room = seq_room(seq, (size_t)len + 1);
	if (!room)
		return;
	va_start(args, fmt);
	seq->len += (size_t)vsnprintf(room, (size_t)len + 1, fmt, args);
	va_end(args);
}

void seq_write(struct seq_text *seq, const void *data, size_t len)
{
	char *room = seq_room(seq, len);

	if (room) {
		memcpy(room, data, len);
		seq->len += len;
	}
}

void seq_reset(struct seq_text *seq)
{
	seq->len = 0;
	seq->failed = false;
}

void seq_free(struct seq_text *seq)
{
	if (seq->buf)
		buffer_free(seq->buf, seq->size);
	*seq = (struct seq_text){ 0 };
}
