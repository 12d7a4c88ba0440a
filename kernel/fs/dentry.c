/* SPDX-License-Identifier: MIT */
/*
 * The tree of names.
 *
 * dcache_lock, a spinlock, protects every link of it: the hash table, the lists of children,
 * d_parent, names (a rename changes them) and mounts. It is innermost and held for a few loads, but
 * for umount(2), which looks at every name of a file system.
 * A dentry in the tree holds a reference on itself, so the hash table never shows one that is
 * about to be freed, and dropping a last reference needs no lock.
 *
 * Lists of children change only under their directory's i_rwsem as well; whoever holds that may
 * walk the list without dcache_lock, and sleep meanwhile.
 */
#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/hash.h"
#include "mm/slab.h"

#define DCACHE_BITS 10

static spinlock_t dcache_lock = SPINLOCK_INIT;
static struct hlist_head dentry_hash[1 << DCACHE_BITS];
static struct kmem_cache *dentry_cache;
static struct dentry *the_root;
static LIST_HEAD(mounts);   /* changes => mount_mutex and dcache_lock */
static LIST_HEAD(detached); /* unmounted and still used. => dcache_lock */
static struct mutex mount_mutex = MUTEX_INIT(mount_mutex);

void dentry_cache_init(void)
{
	dentry_cache = kmem_cache_create("dentry", sizeof(struct dentry), 0);
}

static u32 name_hash(const char *name, size_t len)
{
	return (u32)(hash_bytes(FNV1A_INIT, name, len) >> 16);
}

static struct hlist_head *hash_chain(const struct dentry *parent, u32 hash)
{
	return &dentry_hash[hash_u64((u64)(uintptr_t)parent ^ hash, DCACHE_BITS)];
}

static void dentry_free(struct dentry *dentry)
{
	iput(dentry->d_inode);
	if (dentry->d_name != dentry->d_inline)
		kfree(dentry->d_name);
	kmem_cache_free(dentry_cache, dentry);
}

static void dput_one(struct dentry *dentry)
{
	/* A loop, as the parent's last reference may go with the child. */
	while (dentry && atomic_dec_and_test(&dentry->d_count)) {
		struct dentry *parent = dentry->d_parent;

		DEBUG_ON(!hlist_unhashed(&dentry->d_hash_link));
		if (parent == dentry)
			parent = NULL;
		dentry_free(dentry);
		dentry = parent;
	}
}

void dput(struct dentry *dentry)
{
	const struct super_block *sb = dentry ? dentry->d_sb : NULL;

	dput_one(dentry);
	/* It may have been the last of what was unmounted before. */
	if (unlikely(!list_empty(&detached)) && sb)
		dcache_reap(sb);
}

struct dentry *d_alloc(struct dentry *parent, const char *name, size_t len)
{
	struct dentry *dentry = kmem_cache_zalloc(dentry_cache, GFP_KERNEL);

	if (!dentry)
		return NULL;
	dentry->d_name = dentry->d_inline;
	if (len >= DNAME_INLINE) {
		dentry->d_name = kmalloc(len + 1, GFP_KERNEL);
		if (!dentry->d_name) {
			kmem_cache_free(dentry_cache, dentry);
			return NULL;
		}
	}
	memcpy(dentry->d_name, name, len);
	dentry->d_name[len] = '\0';
	dentry->d_len = (u32)len;
	dentry->d_hash = name_hash(name, len);
	atomic_set(&dentry->d_count, 1);
	INIT_LIST_HEAD(&dentry->d_children);
	INIT_LIST_HEAD(&dentry->d_sibling);
	dentry->d_parent = parent ? dget(parent) : dentry;
	dentry->d_sb = parent ? parent->d_sb : NULL;
	return dentry;
}

struct dentry *d_alloc_root(struct super_block *sb, struct inode *inode)
{
	struct dentry *dentry = d_alloc(NULL, "/", 1);

	if (!dentry)
		return NULL;
	dentry->d_sb = sb;
	dentry->d_inode = inode;
	return dentry;
}

void d_instantiate(struct dentry *dentry, struct inode *inode)
{
	DEBUG_ON(dentry->d_inode);
	dentry->d_inode = inode;
}

void d_name_tmpfile(struct dentry *dentry)
{
	/* Fits: "#", twenty digits. */
	dentry->d_len = (u32)scnprintf(dentry->d_inline, DNAME_INLINE, "#%lu",
				       (unsigned long)dentry->d_inode->i_ino);
	dentry->d_deleted = true;
}

struct dentry *d_alloc_pseudo(struct super_block *sb, const char *what, umode_t mode,
			      const struct file_operations *fops, const struct cred_view *cred)
{
	struct inode *inode = inode_alloc(sb, mode);
	struct dentry *dentry;
	char name[DNAME_INLINE];
	int len;

	if (!inode)
		return NULL;
	inode->i_uid = cred->uid;
	inode->i_gid = cred->gid;
	inode->i_fop = fops;
	len = scnprintf(name, sizeof(name), "%s:[%lu]", what, (unsigned long)inode->i_ino);
	dentry = d_alloc(NULL, name, (size_t)len);
	if (!dentry) {
		iput(inode);
		return NULL;
	}
	dentry->d_sb = sb;
	d_instantiate(dentry, inode);
	return dentry;
}

/* => dcache_lock; i_rwsem of the parent held for writing */
static void tree_insert(struct dentry *dentry)
{
	struct dentry *parent = dentry->d_parent;

	dentry->d_seq = ++parent->d_inode->i_dir_seq;
	hlist_add_head(&dentry->d_hash_link, hash_chain(parent, dentry->d_hash));
	list_add(&dentry->d_sibling, &parent->d_children);
}

static void tree_remove(struct dentry *dentry)
{
	hlist_del_init(&dentry->d_hash_link);
	list_del_init(&dentry->d_sibling);
}

void d_add(struct dentry *dentry)
{
	dget(dentry);
	spin_lock(&dcache_lock);
	tree_insert(dentry);
	spin_unlock(&dcache_lock);
}

void d_delete(struct dentry *dentry)
{
	spin_lock(&dcache_lock);
	tree_remove(dentry);
	dentry->d_deleted = true;
	spin_unlock(&dcache_lock);
	dput(dentry);
}

struct dentry *d_lookup(struct dentry *parent, const char *name, size_t len)
{
	u32 hash = name_hash(name, len);
	struct dentry *dentry;

	spin_lock(&dcache_lock);
	hlist_for_each_entry(dentry, hash_chain(parent, hash), d_hash_link)
	{
		if (dentry->d_hash == hash && dentry->d_parent == parent && dentry->d_len == len &&
		    memcmp(dentry->d_name, name, len) == 0) {
			dget(dentry);
			break;
		}
	}
	spin_unlock(&dcache_lock);
	return dentry;
}

/* => dcache_lock */
static void swap_names(struct dentry *a, struct dentry *b)
{
	char inline_name[DNAME_INLINE];
	char *a_name = a->d_name == a->d_inline ? b->d_inline : a->d_name;
	char *b_name = b->d_name == b->d_inline ? a->d_inline : b->d_name;
	u32 len = a->d_len, hash = a->d_hash;

	memcpy(inline_name, a->d_inline, DNAME_INLINE);
	memcpy(a->d_inline, b->d_inline, DNAME_INLINE);
	memcpy(b->d_inline, inline_name, DNAME_INLINE);
	a->d_name = b_name;
	b->d_name = a_name;
	a->d_len = b->d_len;
	a->d_hash = b->d_hash;
	b->d_len = len;
	b->d_hash = hash;
}

void d_move(struct dentry *dentry, struct dentry *to, struct dentry *victim)
{
	struct dentry *old_parent = dentry->d_parent;

	spin_lock(&dcache_lock);
	if (victim) {
		tree_remove(victim);
		victim->d_deleted = true;
	}
	tree_remove(dentry);
	swap_names(dentry, to);
	/* The references on the parents change hands with the parents. */
	dentry->d_parent = to->d_parent;
	to->d_parent = old_parent;
	tree_insert(dentry);
	if (to->d_inode)
		tree_insert(dget(to));
	spin_unlock(&dcache_lock);
	dput(victim);
}

void d_exchange(struct dentry *a, struct dentry *b)
{
	struct dentry *a_parent = a->d_parent;

	spin_lock(&dcache_lock);
	tree_remove(a);
	tree_remove(b);
	swap_names(a, b);
	a->d_parent = b->d_parent;
	b->d_parent = a_parent;
	tree_insert(a);
	tree_insert(b);
	spin_unlock(&dcache_lock);
}

/* The directory it lies in, across mounts; NULL above the root of everything. => dcache_lock */
static struct dentry *parent_across(const struct dentry *dentry)
{
	while (d_is_root(dentry)) {
		dentry = dentry->d_sb->s_covered;
		if (!dentry)
			return NULL;
	}
	return dentry->d_parent;
}

bool d_is_ancestor(const struct dentry *ancestor, const struct dentry *dentry)
{
	spin_lock(&dcache_lock);
	while (dentry && dentry != ancestor)
		dentry = parent_across(dentry);
	spin_unlock(&dcache_lock);
	return dentry;
}

struct dentry *dget_parent(struct dentry *dentry)
{
	struct dentry *parent;

	spin_lock(&dcache_lock);
	parent = dget(dentry->d_parent);
	spin_unlock(&dcache_lock);
	return parent;
}

struct dentry *d_up(struct dentry *dentry, const struct dentry *root)
{
	struct dentry *parent = NULL;

	if (dentry == root)
		return dentry;
	spin_lock(&dcache_lock);
	parent = parent_across(dentry);
	if (parent)
		dget(parent);
	spin_unlock(&dcache_lock);
	if (!parent)
		return dentry;
	dput(dentry);
	return d_cross_mounts(parent);
}

struct dentry *d_cross_mounts(struct dentry *dentry)
{
	struct super_block *sb;

	while (READ_ONCE(dentry->d_mounted)) {
		struct dentry *root = NULL;

		spin_lock(&dcache_lock);
		sb = dentry->d_mounted;
		if (sb) {
			root = dget(sb->s_root);
			sb->s_crossings++;
		}
		spin_unlock(&dcache_lock);
		if (!root)
			break;
		dput(dentry);
		dentry = root;
	}
	return dentry;
}

/* Puts text in front of what stands at `at`; NULL when there is no room above `start`. */
static char *prepend(char *start, char *at, const char *text, size_t len)
{
	if (!at || (size_t)(at - start) < len)
		return NULL;
	return memcpy(at - len, text, len);
}

/*
 * The names from `root` (NULL: the root of everything) to dentry, in front of `at`; NULL when they
 * don't fit above `start`. *reached: the way led to the root. => dcache_lock
 */
static char *prepend_path(char *start, char *at, const struct dentry *dentry,
			  const struct dentry *root, bool *reached)
{
	const struct dentry *parent = parent_across(dentry);

	if (dentry == root || !parent)
		at = prepend(start, at, "/", 1);
	while (at && dentry != root && parent) {
		/* The name of a mount's root is that of the directory it covers. */
		while (d_is_root(dentry))
			dentry = dentry->d_sb->s_covered;
		at = prepend(start, at, dentry->d_name, dentry->d_len);
		at = prepend(start, at, "/", 1);
		dentry = parent;
		parent = parent_across(dentry);
	}
	*reached = dentry == root || !root;
	return at;
}

char *d_path_from(const struct dentry *dentry, const struct dentry *root, char *buf, size_t size)
{
	char *at = size ? buf + size - 1 : NULL;
	bool reached;

	if (!at)
		return ERR_PTR(-ENAMETOOLONG);
	*at = '\0';
	/* Without a tree the name is all there is, and never changes. */
	if (dentry->d_sb->s_pseudo) {
		at = prepend(buf, at, dentry->d_name, dentry->d_len);
		return at ? at : ERR_PTR(-ENAMETOOLONG);
	}
	spin_lock(&dcache_lock);
	if (dentry->d_deleted)
		at = prepend(buf, at, " (deleted)", 10);
	at = prepend_path(buf, at, dentry, root, &reached);
	if (!reached)
		at = prepend(buf, at, "(unreachable)", 13);
	spin_unlock(&dcache_lock);
	return at ? at : ERR_PTR(-ENAMETOOLONG);
}

char *d_path(const struct dentry *dentry, char *buf, size_t size)
{
	return d_path_from(dentry, NULL, buf, size);
}

/* --- file systems and where they are mounted ----------------------------------------------- */

struct super_block *super_alloc(const char *type, u64 magic, const struct super_operations *op)
{
	static atomic_t next_dev;
	struct super_block *sb = kzalloc(sizeof(*sb), GFP_KERNEL);

	if (!sb)
		return NULL;
	sb->s_type = type;
	sb->s_magic = magic;
	sb->s_op = op;
	sb->s_dev = (u32)atomic_add_return(&next_dev, 1);
	INIT_LIST_HEAD(&sb->s_link);
	return sb;
}

void dcache_mount(struct super_block *sb, struct dentry *where)
{
	static int last_id;

	spin_lock(&dcache_lock);
	sb->s_id = ++last_id;
	sb->s_covered = where;
	if (where)
		WRITE_ONCE(where->d_mounted, sb);
	else
		the_root = sb->s_root;
	list_add_tail(&sb->s_link, &mounts);
	spin_unlock(&dcache_lock);
}

bool super_mounted(const struct super_block *sb)
{
	return !list_empty(&sb->s_link) && !sb->s_detached;
}

struct dentry *root_dentry(void)
{
	return the_root ? dget(the_root) : NULL;
}

int for_each_mount(const struct dentry *root,
		   int (*fn)(const struct super_block *sb, const char *path, void *arg), void *arg)
{
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL);
	struct super_block *sb;
	int ret = 0;

	if (!buf)
		return -ENOMEM;
	mount_lock();
	list_for_each_entry(sb, &mounts, s_link)
	{
		const char *path;

		if (!d_is_ancestor(root, sb->s_root))
			continue;
		path = d_path_from(sb->s_root, root, buf, PATH_MAX);
		ret = IS_ERR(path) ? (int)PTR_ERR(path) : fn(sb, path, arg);
		if (ret)
			break;
	}
	mount_unlock();
	kfree(buf);
	return ret;
}

void mount_lock(void)
{
	mutex_lock(&mount_mutex);
}

void mount_unlock(void)
{
	mutex_unlock(&mount_mutex);
}

int sb_start_write(struct super_block *sb)
{
	/* Counted first: who makes it read-only says so first and then looks at the count. */
	atomic_add_return(&sb->s_writers, 1);
	if (!__atomic_load_n(&sb->s_rdonly, __ATOMIC_SEQ_CST))
		return 0;
	sb_end_write(sb);
	return -EROFS;
}

/* --- unmounting ---------------------------------------------------------------------------- */

/* The next in a walk of the tree that shows each directory before what is in it. => dcache_lock */
static const struct dentry *next_in_tree(const struct dentry *dentry)
{
	if (!list_empty(&dentry->d_children))
		return list_first_entry(&dentry->d_children, struct dentry, d_sibling);
	for (; !d_is_root(dentry); dentry = dentry->d_parent)
		if (!list_is_last(&dentry->d_sibling, &dentry->d_parent->d_children))
			return list_next_entry(dentry, d_sibling);
	return NULL;
}

/*
 * Whether nobody holds a name of it but the tree: each dentry is held once by that, and by each that lies
 * in it. What has lost its name still holds its directory. `own`: references of the caller on the root.
 * => dcache_lock
 */
static bool super_unused(const struct super_block *sb, int own)
{
	const struct dentry *dentry, *child;

	for (dentry = sb->s_root; dentry; dentry = next_in_tree(dentry)) {
		int count = 1 + (dentry == sb->s_root ? own : 0);

		list_for_each_entry(child, &dentry->d_children, d_sibling) count++;
		if (atomic_read(&dentry->d_count) != count)
			return false;
	}
	return true;
}

void super_free(struct super_block *sb)
{
	if (sb->s_op && sb->s_op->put_super)
		sb->s_op->put_super(sb);
	kfree(sb->s_source);
	kfree(sb);
}

/* => nobody knows it any more */
static void kill_super(struct super_block *sb)
{
	struct dentry *dentry = sb->s_root;

	while (dentry) {
		struct dentry *parent = d_is_root(dentry) ? NULL : dentry->d_parent;

		if (!list_empty(&dentry->d_children)) {
			dentry = list_first_entry(&dentry->d_children, struct dentry, d_sibling);
			continue;
		}
		if (parent) {
			spin_lock(&dcache_lock);
			tree_remove(dentry);
			spin_unlock(&dcache_lock);
		}
		dput_one(dentry);
		dentry = parent;
		cond_resched();
	}
	super_free(sb);
}

/* Takes it out of the tree of names; the directory it was on. => mount_mutex, dcache_lock */
static struct dentry *unhook(struct super_block *sb)
{
	struct dentry *where = sb->s_covered;

	WRITE_ONCE(where->d_mounted, NULL);
	sb->s_covered = NULL;
	sb->s_detached = true;
	list_move_tail(&sb->s_link, &detached);
	return where;
}

/* One that is mounted in one that is detached, or NULL. => mount_mutex */
static struct super_block *find_below(void)
{
	struct super_block *sb;

	list_for_each_entry(sb, &mounts, s_link)
	{
		if (sb->s_covered && sb->s_covered->d_sb->s_detached)
			return sb;
	}
	return NULL;
}

int dcache_expire(struct dentry *root)
{
	struct super_block *sb = root->d_sb;
	unsigned int crossings;
	bool unused;

	spin_lock(&dcache_lock);
	unused = super_unused(sb, 1);
	crossings = sb->s_crossings;
	spin_unlock(&dcache_lock);
	if (!unused)
		return -EBUSY;
	/* The caller's own way into it is one. */
	if (sb->s_expiry && crossings == sb->s_expiry + 1)
		return 0;
	sb->s_expiry = crossings;
	return -EAGAIN;
}

int dcache_umount(struct dentry *root, bool detach)
{
	struct super_block *sb = root->d_sb;
	struct dentry *where = NULL;
	int err = -EBUSY;

	spin_lock(&dcache_lock);
	if (detach || super_unused(sb, 1))
		where = unhook(sb);
	spin_unlock(&dcache_lock);
	if (where) {
		err = 0;
		dput_one(where);
		while ((sb = find_below())) {
			spin_lock(&dcache_lock);
			where = unhook(sb);
			spin_unlock(&dcache_lock);
			dput_one(where);
		}
	}
	return err;
}

/* only: see dcache_reap() */
static struct super_block *take_unused(const struct super_block *only)
{
	struct super_block *sb;

	spin_lock(&dcache_lock);
	list_for_each_entry(sb, &detached, s_link)
	{
		if ((!only || sb == only) && super_unused(sb, 0))
			break;
	}
	if (&sb->s_link == &detached)
		sb = NULL;
	else
		list_del_init(&sb->s_link);
	spin_unlock(&dcache_lock);
	return sb;
}

void dcache_reap(const struct super_block *only)
{
	struct super_block *sb;

	while ((sb = take_unused(only)))
		kill_super(sb);
}
