/* SPDX-License-Identifier: MIT */
/*
 * The initial file system: a cpio archive of format newc, as cpio(5) describes it. Each member is
 * a header of 110 characters (a magic number and 13 fields of 8 hexadecimal digits), the name with
 * its terminator, and the contents; name and contents are each padded to a multiple of 4 bytes.
 *
 * The archive may be damaged or hostile: every length is checked against what is left before it
 * is used. An unreadable header ends the archive, as nothing tells where the next one is; anything
 * else costs its own member.
 */
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/fs/namei.h"
#include "mm/slab.h"

#define HEADER_SIZE 110
#define TRAILER	    "TRAILER!!!"

enum field {
	F_INO,
	F_MODE,
	F_UID,
	F_GID,
	F_NLINK,
	F_MTIME,
	F_FILESIZE,
	F_MAJOR,
	F_MINOR,
	F_RMAJOR,
	F_RMINOR,
	F_NAMESIZE,
	F_CHECK,
	NR_FIELDS,
};

struct member {
	u32 field[NR_FIELDS];
	const char *name; /* terminated, in the archive */
	const char *data; /* field[F_FILESIZE] bytes */
};

/* The first name of a file that has several. */
struct hard_link {
	struct list_head link;
	u32 major, minor, ino;
	struct dentry *dentry;
};

struct unpacking {
	struct lookup_at at;
	const char *start, *next, *end;
	struct list_head hard_links;
	int errors;
};

static void complain(struct unpacking *u, const char *name, const char *what, int err)
{
	u->errors++;
	pr_err("initramfs: %s at byte %lu: %s (%d)\n", name, (unsigned long)(u->next - u->start),
	       what, err);
}

/* --- the format ---------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_fields(const char *header, struct member *m)
{
	if (memcmp(header, "070701", 6) != 0 && memcmp(header, "070702", 6) != 0)
		return false;
	header += 6;
	for (int i = 0; i < NR_FIELDS; i++) {
		m->field[i] = 0;
		for (int j = 0; j < 8; j++) {
			int digit = hex_digit(*header++);

			if (digit < 0)
				return false;
			m->field[i] = m->field[i] << 4 | (u32)digit;
		}
	}
	return true;
}

/*
 * Takes `len` bytes and the padding to 4 behind them, counted from the archive's start; NULL when
 * there are not so many. Padding may be missing at the very end.
 */
static const char *take_bytes(struct unpacking *u, size_t len)
{
	const char *at = u->next;
	size_t used;

	if (len > (size_t)(u->end - at))
		return NULL;
	used = ALIGN_UP((size_t)(at - u->start) + len, 4);
	u->next = used < (size_t)(u->end - u->start) ? u->start + used : u->end;
	return at;
}

/* The next member. False at the end, and after what can't be read. */
static bool next_member(struct unpacking *u, struct member *m)
{
	const char *header;
	u32 name_size;

	/* Archives may follow each other, with zeros between. */
	while (u->next < u->end && !*u->next)
		u->next++;
	if (u->next == u->end)
		return false;
	if (u->end - u->next < HEADER_SIZE || !parse_fields(u->next, m)) {
		complain(u, "header", "no cpio header of format newc", -EINVAL);
		return false;
	}
	header = u->next;
	u->next += HEADER_SIZE;
	name_size = m->field[F_NAMESIZE];
	m->name = name_size ? take_bytes(u, name_size) : NULL;
	if (!m->name || m->name[name_size - 1]) {
		u->next = header;
		complain(u, "header", "the name is cut off", -EINVAL);
		return false;
	}
	m->data = take_bytes(u, m->field[F_FILESIZE]);
	if (!m->data) {
		complain(u, m->name, "the contents are cut off", -EINVAL);
		return false;
	}
	return true;
}

/* --- hard links ---------------------------------------------------------------------------- */

static struct hard_link *find_link(struct unpacking *u, const struct member *m)
{
	struct hard_link *l;

	list_for_each_entry(l, &u->hard_links, link) if (l->ino == m->field[F_INO] &&
							 l->major == m->field[F_MAJOR] &&
							 l->minor == m->field[F_MINOR]) return l;
	return NULL;
}

static int remember_link(struct unpacking *u, const struct member *m, struct dentry *dentry)
{
	struct hard_link *l = kmalloc(sizeof(*l), GFP_KERNEL);

	if (!l)
		return -ENOMEM;
	l->major = m->field[F_MAJOR];
	l->minor = m->field[F_MINOR];
	l->ino = m->field[F_INO];
	l->dentry = dget(dentry);
	list_add_tail(&l->link, &u->hard_links);
	return 0;
}

static void forget_links(struct unpacking *u)
{
	struct hard_link *l, *next;

	list_for_each_entry_safe(l, next, &u->hard_links, link)
	{
		dput(l->dentry);
		kfree(l);
	}
	INIT_LIST_HEAD(&u->hard_links);
}

/* --- members ------------------------------------------------------------------------------- */

/* Owner, mode and time as the archive has them: a new file's were the kernel's choice. */
static void set_attributes(struct inode *inode, const struct member *m)
{
	inode->i_mode = (inode->i_mode & S_IFMT) | (m->field[F_MODE] & S_IALLUGO);
	inode->i_uid = m->field[F_UID];
	inode->i_gid = m->field[F_GID];
	inode->i_mtime = (s64)m->field[F_MTIME] * 1000000000L;
}

static int set_attributes_of(struct unpacking *u, const struct member *m)
{
	struct dentry *dentry;
	int err = path_lookup(&u->at, m->name, 0, &dentry);

	if (err)
		return err;
	/* What has been mounted meanwhile is not the archive's directory. */
	if (!d_is_root(dentry) || dentry == u->at.fs->root)
		set_attributes(dentry->d_inode, m);
	dput(dentry);
	return 0;
}

static int fill_file(struct file *file, const struct member *m)
{
	size_t size = m->field[F_FILESIZE], done = 0;
	ssize_t n;

	while (done < size) {
		n = kernel_write(file, m->data + done, size - done, (loff_t)done);
		if (n < 0)
			return (int)n;
		done += (size_t)n;
	}
	return 0;
}

static int unpack_file(struct unpacking *u, const struct member *m)
{
	struct hard_link *first = m->field[F_NLINK] > 1 ? find_link(u, m) : NULL;
	unsigned int flags = O_WRONLY | O_CREAT | O_NOFOLLOW;
	struct file *file;
	int err;

	if (first) {
		err = path_unlink(&u->at, m->name);
		if (!err || err == -ENOENT)
			err = path_link(first->dentry, &u->at, m->name);
		if (err)
			return err;
	}
	/* Of several names, one member carries the contents, mostly the last. */
	if (!first || m->field[F_FILESIZE])
		flags |= O_TRUNC;
	file = path_open(&u->at, m->name, flags, 0600);
	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	err = fill_file(file, m);
	if (!err && !first && m->field[F_NLINK] > 1)
		err = remember_link(u, m, file->f_dentry);
	set_attributes(file->f_inode, m);
	fput(file);
	return err;
}

static int unpack_dir(struct unpacking *u, const struct member *m)
{
	int err = path_mkdir(&u->at, m->name, 0755);

	return err && err != -EEXIST ? err : set_attributes_of(u, m);
}

static int unpack_symlink(struct unpacking *u, const struct member *m)
{
	size_t len = m->field[F_FILESIZE];
	char *target;
	int err;

	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	target = kmalloc(len + 1, GFP_KERNEL);
	if (!target)
		return -ENOMEM;
	memcpy(target, m->data, len);
	target[len] = '\0';
	err = path_unlink(&u->at, m->name);
	if (!err || err == -ENOENT)
		err = path_symlink(&u->at, target, m->name);
	kfree(target);
	return err ? err : set_attributes_of(u, m);
}

static int unpack_node(struct unpacking *u, const struct member *m)
{
	int err = path_unlink(&u->at, m->name);

	if (!err || err == -ENOENT)
		err = path_mknod(&u->at, m->name, m->field[F_MODE] & (S_IFMT | S_IALLUGO),
				 makedev(m->field[F_RMAJOR], m->field[F_RMINOR]));
	return err ? err : set_attributes_of(u, m);
}

/* What is there already, of another kind, gives way: a later archive may have a file for a link. */
static int make_way(struct unpacking *u, const struct member *m)
{
	struct dentry *dentry;
	int err = path_lookup(&u->at, m->name, 0, &dentry);
	umode_t old;

	if (err)
		return 0; /* what is wrong, if anything, is told when the member is made */
	old = dentry->d_inode->i_mode & S_IFMT;
	dput(dentry);
	if (old == (m->field[F_MODE] & S_IFMT))
		return 0;
	return S_ISDIR(old) ? path_rmdir(&u->at, m->name) : path_unlink(&u->at, m->name);
}

static int unpack_member(struct unpacking *u, const struct member *m)
{
	int err;

	if (strlen(m->name) >= PATH_MAX)
		return -ENAMETOOLONG;
	err = make_way(u, m);
	if (err)
		return err;
	switch (m->field[F_MODE] & S_IFMT) {
	case S_IFREG:
		return unpack_file(u, m);
	case S_IFDIR:
		return unpack_dir(u, m);
	case S_IFLNK:
		return unpack_symlink(u, m);
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return unpack_node(u, m);
	default:
		return -EINVAL;
	}
}

int initramfs_unpack(const void *data, size_t size)
{
	struct unpacking u = {
		.at = { .fs = kernel_fs_context(), .cred = kernel_cred },
		.start = data,
		.next = data,
		.end = (const char *)data + size,
	};
	struct member m;
	int err;

	INIT_LIST_HEAD(&u.hard_links);
	while (next_member(&u, &m)) {
		if (strcmp(m.name, TRAILER) == 0) {
			forget_links(&u);
			continue;
		}
		err = unpack_member(&u, &m);
		if (err)
			complain(&u, m.name, "cannot be unpacked", err);
	}
	forget_links(&u);
	return u.errors;
}
