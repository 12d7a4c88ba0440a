/* SPDX-License-Identifier: MIT */
/* The options of a tmpfs: tmpfs(5). */
#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/seq.h"
#include "kernel/fs/tmpfs.h"
#include "mm/page.h"

/* Digits of base 8, 10 or 16; *end: what follows. */
static u64 read_number(const char *text, unsigned int base, const char **end)
{
	u64 value = 0;

	if (!base) {
		base = text[0] == '0' ? 8 : 10;
		if (text[0] == '0' && (text[1] | 0x20) == 'x') {
			base = 16;
			text += 2;
		}
	}
	for (;; text++) {
		unsigned int digit = (unsigned char)*text;

		digit = digit >= '0' && digit <= '9'		       ? digit - '0' :
			(digit | 0x20) >= 'a' && (digit | 0x20) <= 'f' ? (digit | 0x20) - 'a' + 10 :
									 16;
		if (digit >= base)
			break;
		value = value * base + digit;
	}
	*end = text;
	return value;
}

/* The same with a suffix: k, m, g, t, p, e. */
static u64 read_size(const char *text, const char **end)
{
	static const char suffixes[] = "kmgtpe";
	u64 value = read_number(text, 0, end);

	for (unsigned int i = 0; suffixes[i]; i++) {
		if ((**end | 0x20) == suffixes[i]) {
			(*end)++;
			return value << 10 * (i + 1);
		}
	}
	return value;
}

/* A number that is all there is. 0 or -EINVAL */
static int read_u32(const char *text, unsigned int base, u32 *value)
{
	const char *end;
	u64 number = read_number(text, base, &end);

	if (!*text || *end || number > 0xffffffffU)
		return -EINVAL;
	*value = (u32)number;
	return 0;
}

static int read_blocks(struct tmpfs_options *o, const char *value)
{
	const char *end;
	u64 size = read_size(value, &end);

	if (*end == '%') {
		size = size * totalram_pages() / 100 * PAGE_SIZE;
		end++;
	}
	o->max_blocks = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
	o->has_blocks = true;
	return *end ? -EINVAL : 0;
}

static int read_count(unsigned long *count, bool *given, const char *value)
{
	const char *end;

	*count = read_size(value, &end);
	*given = true;
	return *end || *count > ~0UL >> 1 ? -EINVAL : 0;
}

static int read_id(u32 *id, const char *value)
{
	int err = read_u32(value, 0, id);

	return !err && *id == KEEP_ID ? -EINVAL : err;
}

/* Those of any file system; the flags of mount(2) say the same. */
static bool is_general(const char *name)
{
	static const char *const names[] = { "rw",   "ro",     "async",	   "sync",	"dirsync",
					     "mand", "nomand", "lazytime", "nolazytime" };

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int parse_one(struct tmpfs_options *o, const char *name, const char *value)
{
	u32 mode = 0;
	int err;

	if (!value)
		return strcmp(name, "inode64") == 0 || is_general(name) ? 0 : -EINVAL;
	if (strcmp(name, "size") == 0)
		return read_blocks(o, value);
	if (strcmp(name, "nr_blocks") == 0)
		return read_count(&o->max_blocks, &o->has_blocks, value);
	if (strcmp(name, "nr_inodes") == 0)
		return read_count(&o->max_inodes, &o->has_inodes, value);
	if (strcmp(name, "uid") == 0)
		return read_id(&o->uid, value);
	if (strcmp(name, "gid") == 0)
		return read_id(&o->gid, value);
	if (strcmp(name, "huge") == 0)
		return strcmp(value, "never") == 0 ? 0 : -EINVAL;
	if (strcmp(name, "mode") != 0)
		return -EINVAL;
	err = read_u32(value, 8, &mode);
	o->mode = mode & S_IALLUGO;
	return err;
}

int tmpfs_parse_options(struct tmpfs_options *options, char *data)
{
	while (data && *data) {
		char *name = data, *value = NULL;
		size_t len = strcspn(data, ",");
		int err;

		data += len;
		if (*data)
			*data++ = '\0';
		if (!*name)
			continue;
		len = strcspn(name, "=");
		if (name[len]) {
			name[len] = '\0';
			value = name + len + 1;
		}
		err = parse_one(options, name, value);
		if (err)
			return err;
	}
	return 0;
}

/*
 * A limit that is taken away can't come back, as nothing is counted then; and there must be room for what is
 * there. 0 or -EINVAL
 */
static int check_limit(bool given, unsigned long new, unsigned long old, long used)
{
	if (!given || !new)
		return 0;
	return !old || (long)new < used ? -EINVAL : 0;
}

int tmpfs_remount(struct super_block *sb, char *data)
{
	struct tmpfs_sb_info *info = tmpfs_sb(sb);
	struct tmpfs_options o = { 0 };
	int err = tmpfs_parse_options(&o, data);

	if (!err)
		err = check_limit(o.has_blocks, o.max_blocks, info->blocks.max_blocks,
				  atomic_long_read(&info->blocks.used_blocks));
	if (!err)
		err = check_limit(o.has_inodes, o.max_inodes, info->max_inodes,
				  atomic_long_read(&info->used_inodes));
	if (err)
		return err;
	if (o.has_blocks)
		WRITE_ONCE(info->blocks.max_blocks, o.max_blocks);
	if (o.has_inodes)
		WRITE_ONCE(info->max_inodes, o.max_inodes);
	return 0;
}

void tmpfs_show_options(const struct super_block *sb, struct seq_text *seq)
{
	const struct tmpfs_sb_info *info = tmpfs_sb(sb);
	const unsigned long usual = totalram_pages() / 2;

	if (info->blocks.max_blocks != usual)
		seq_printf(seq, ",size=%luk", info->blocks.max_blocks * (PAGE_SIZE / 1024));
	if (info->max_inodes != usual)
		seq_printf(seq, ",nr_inodes=%lu", info->max_inodes);
	if (info->mode != (S_ISVTX | S_IRWXUGO))
		seq_printf(seq, ",mode=%03o", info->mode);
	if (info->uid)
		seq_printf(seq, ",uid=%u", info->uid);
	if (info->gid)
		seq_printf(seq, ",gid=%u", info->gid);
	seq_printf(seq, ",inode64");
}
