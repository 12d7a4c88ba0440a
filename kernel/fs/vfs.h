/* SPDX-License-Identifier: MIT */
/*
 * Files and names: the structures every file system here is made of.
 *
 * An inode is a file, a dentry is a name for it in a directory, a struct file is one opening of
 * it. Names of tmpfs live in memory for as long as they exist: each dentry in the tree holds a
 * reference on itself. Names of proc are made at lookup, are not in the tree, and go with their
 * last user.
 *
 * Locks, in the order in which they are taken:
 *   file->f_pos_lock	 the file position, for files that have one
 *   rename_mutex	 (namespace.c) makes renames between directories one at a time
 *   inode->i_rwsem	 a directory: its entries. A file: size changes and writes. Parent before
 *			 child; two directories without that relation: lower address first
 *   pipe->mutex	 (pipe.c) what is in a pipe and who has it open; never two at once
 *   mm->mmap_lock	 because copying to and from a program may fault
 *   dcache_lock	 (dentry.c) spinlock: the tree's links, names, hash table, mounts
 *   files->lock, fs->lock  spinlocks: a descriptor table; a root and a current directory
 */
#ifndef KERNEL_FS_VFS_H
#define KERNEL_FS_VFS_H

#include "kernel/abi/fcntl.h"
#include "kernel/abi/stat.h"
#include "kernel/base/errno.h"
#include "kernel/fs/groups.h"
#include "kernel/fs/iter.h"
#include "kernel/lib/list.h"
#include "mm/types.h"

typedef u32 umode_t;

struct dentry;
struct file;
struct inode;
struct pipe_inode_info;
struct poll_table;
struct seq_text;
struct super_block;

/* For whom a permission is checked. */
struct cred_view {
	u32 uid, gid;
	bool privileged;		 /* may do what the mode bits deny */
	bool admin;			 /* CAP_SYS_ADMIN: may know of physical addresses */
	const struct group_info *groups; /* further ones, while the call lasts that it was made for */
	u64 caps;			 /* bit n: capability n of capabilities(7) */
};
/* The kernel itself. */
extern const struct cred_view kernel_cred;

#define CAP_CHOWN	    0
#define CAP_DAC_OVERRIDE    1
#define CAP_DAC_READ_SEARCH 2
#define CAP_FOWNER	    3
#define CAP_FSETID	    4
#define CAP_SETUID	    7
#define CAP_SETPCAP	    8
#define CAP_LINUX_IMMUTABLE 9
#define CAP_SYS_CHROOT	    18
#define CAP_SYS_PTRACE	    19
#define CAP_SYS_ADMIN	    21
#define CAP_SYS_RESOURCE    24
#define CAP_MKNOD	    27

static inline bool cred_capable(const struct cred_view *cred, int cap)
{
	return cred->caps & BIT(cap);
}
bool cred_in_group(const struct cred_view *cred, u32 gid);

/* --- file systems -------------------------------------------------------------------------- */

/* How full a file system is, in blocks of a page. */
struct kstatfs {
	u64 blocks, bfree; /* both 0: it has no size of its own */
	u64 files, ffree;
};

struct super_operations {
	/* The inode's last reference is gone: frees what the file system hung on it. Optional. */
	void (*evict)(struct inode *inode);
	/* Optional; *stat is all zeros before. */
	void (*statfs)(const struct super_block *sb, struct kstatfs *stat);
	/* It goes: frees s_fs_info. For what can be unmounted. */
	void (*put_super)(struct super_block *sb);
	/* What /proc/mounts shows of its settings, each after a comma. Optional. */
	void (*show_options)(const struct super_block *sb, struct seq_text *seq);
	/* A change of settings, as in mount(2). 0 or -EINVAL. Optional: there are none. */
	int (*remount)(struct super_block *sb, char *data);
};

struct super_block {
	const char *s_type;
	u64 s_magic;
	u32 s_dev; /* minor number; the major is 0, as for every file system without a disk */
	bool s_noexec, s_rdonly, s_nosuid, s_nodev;
	u32 s_flags;		  /* MS_* it was mounted with */
	int s_id;		  /* of the mount, as mountinfo shows it */
	u64 s_fsid;		  /* statfs(2)'s: a tmpfs has one at random */
	char *s_source;		  /* what mount(2) called it; NULL: as the type */
	atomic_t s_writers;	  /* files of it that are open for writing: see sb_start_write() */
	bool s_detached;	  /* unmounted, and not yet unused */
	unsigned int s_crossings; /* how often a path led into it. => dcache_lock */
	unsigned int s_expiry;	  /* s_crossings when MNT_EXPIRE marked it, or 0. => mount_mutex */
	bool s_pseudo;		  /* has no tree: its files are named by themselves, like pipes */
	bool s_has_flags;	  /* of its files and directories: see vfs_set_flags() */
	bool s_fixed_attrs;	  /* owners, modes and times can't be set: -EPERM */
	const struct super_operations *s_op;
	struct dentry *s_root;
	struct dentry *s_covered; /* the directory it is mounted on; NULL for the root */
	void *s_fs_info;	  /* the file system's own */
	atomic_long_t s_next_ino;
	struct list_head s_link; /* in mount order. => dcache_lock */
};

/* --- inodes -------------------------------------------------------------------------------- */

/* What a symbolic link says; one of text and jump is set. */
struct link_body {
	const char *text;    /* stays while the link's inode is referenced, unless owned */
	char *owned;	     /* to be freed with kfree() after use */
	struct dentry *jump; /* a place instead of a name for it; carries a reference */
	int follow_err;	     /* it can be read and not followed: -errno; or 0 */
};

struct inode_operations {
	/*
	 * Only where names are made at lookup: gives `dentry` the inode of its name. 0 or -ENOENT...
	 */
	int (*lookup)(struct inode *dir, struct dentry *dentry);
	/* Where a symbolic link leads, for `cred`. */
	int (*get_link)(struct inode *inode, const struct cred_view *cred, struct link_body *body);
	/*
	 * Changes of a directory's entries. => i_rwsem of dir held for writing, permissions
	 * checked, the name is free (or taken, for unlink and rmdir). `dentry` of the first five
	 * has a name but no inode; on success it is in the tree.
	 */
	int (*create)(struct inode *dir, struct dentry *dentry, umode_t mode,
		      const struct cred_view *cred);
	int (*mkdir)(struct inode *dir, struct dentry *dentry, umode_t mode,
		     const struct cred_view *cred);
	int (*mknod)(struct inode *dir, struct dentry *dentry, umode_t mode, u64 rdev,
		     const struct cred_view *cred);
	int (*symlink)(struct inode *dir, struct dentry *dentry, const char *target,
		       const struct cred_view *cred);
	int (*link)(struct inode *inode, struct inode *dir, struct dentry *dentry);
	int (*unlink)(struct inode *dir, struct dentry *dentry);
	int (*rmdir)(struct inode *dir, struct dentry *dentry);
	/*
	 * Moves `old` to where `to` says, which has a name and a parent but no inode; `victim` (or
	 * NULL) is the entry that now has that name and gives way. With `whiteout` the old name gets
	 * a character device 0:0 that belongs to those.
	 */
	int (*rename)(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		      struct dentry *to, struct dentry *victim, const struct cred_view *whiteout);
	/* Each gets the other's name and directory. */
	int (*exchange)(struct inode *a_dir, struct dentry *a, struct inode *b_dir,
			struct dentry *b);
	/* A file without a name; `dentry` will stay outside the tree. NULL: -EOPNOTSUPP. */
	int (*tmpfile)(struct inode *dir, struct dentry *dentry, umode_t mode,
		       const struct cred_view *cred);
	/*
	 * Instead of what the mode bits say, which generic_permission() tells. 0 or -EACCES. Optional.
	 */
	int (*permission)(const struct inode *inode, const struct cred_view *cred,
			  unsigned int mask);
	/* A new size in bytes. => i_rwsem held for writing. NULL: can't be truncated. */
	int (*truncate)(struct inode *inode, u64 size);
};

/* The size of a file is i_data.size, in bytes; see i_size_read(). Times are ns since 1970. */
/* A second directory of a rename; what a directory loses, and is locked with it. */
#define I_RWSEM_SECOND 1
#define I_RWSEM_GONE   2

struct inode {
	atomic_t i_count;
	umode_t i_mode;
	u32 i_uid, i_gid;
	u32 i_nlink; /* a directory: => its i_rwsem. A file: changed atomically, by any directory */
	u64 i_ino;
	u64 i_rdev; /* makedev() of a device node */
	s64 i_atime, i_mtime, i_ctime;
	struct super_block *i_sb;
	const struct inode_operations *i_op;
	const struct file_operations *i_fop;
	struct rw_semaphore i_rwsem; /* of several the first is above the others: I_RWSEM_* */
	u32 i_flags;		     /* FS_*_FL, see vfs_set_flags(). => i_rwsem to change */
	bool i_dead;		     /* a directory that was removed: nothing may be made in it */
	atomic_t i_writecount;	     /* > 0: that many writers; < 0: that many programs run it */
	u64 i_dir_seq;		     /* a directory: numbers its entries in the order they came */
	u64 i_tag;		     /* the file system's own */
	bool i_linkable;	     /* made by O_TMPFILE: may get its first name */
	struct list_head i_locks;    /* locks.c: advisory locks */
	union {
		char *i_link;			/* a symbolic link's text */
		struct pipe_inode_info *i_pipe; /* of a pipe or FIFO while somebody has it open */
		const void *i_private;
	};
	struct address_space i_data;
};

static inline u64 i_size_read(const struct inode *inode)
{
	return READ_ONCE(inode->i_data.size);
}

/* => i_rwsem held for writing, or nobody else knows the inode */
static inline void i_size_write(struct inode *inode, u64 size)
{
	WRITE_ONCE(inode->i_data.size, size);
}

static inline u64 makedev(u32 major, u32 minor)
{
	return (u64)major << 32 | minor;
}

/* A device number as stat(2) shows it. */
static inline u64 encode_dev(u64 dev)
{
	u64 major = dev >> 32, minor = (u32)dev;

	return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffUL) << 12;
}

/* A new inode with one reference, the next number of sb, all times now; or NULL. */
struct inode *inode_alloc(struct super_block *sb, umode_t mode) __must_check;
static inline void ihold(struct inode *inode)
{
	atomic_inc(&inode->i_count);
}
/* Drops a reference; the last one frees the inode with its pages. May sleep. NULL is fine. */
void iput(struct inode *inode);
s64 current_time(void);
/* Notes a read, as mount option relatime has it, or what else the file system was mounted with. */
void touch_atime(struct inode *inode);

#define MAY_EXEC  1
#define MAY_WRITE 2
#define MAY_READ  4
/* 0 or -EACCES: the mode bits of owner, group or others, see path_resolution(7); or the inode's own. */
int inode_permission(const struct inode *inode, const struct cred_view *cred, unsigned int mask);
int generic_permission(const struct inode *inode, const struct cred_view *cred, unsigned int mask);
/* Whether `cred` owns the file, or may act as if. */
static inline bool inode_owner(const struct inode *inode, const struct cred_view *cred)
{
	return cred->uid == inode->i_uid || cred_capable(cred, CAP_FOWNER);
}
/*
 * A changed program is no longer what its owner lent rights to: takes set-user-ID away, and
 * set-group-ID where it means that. => i_rwsem held for writing
 */
void inode_remove_privs(struct inode *inode);
/* Counts a writer: 0, or -ETXTBSY while a program runs from the file. */
int get_write_access(struct inode *inode);
void put_write_access(struct inode *inode);
/*
 * The other side: keeps writers away until `file` is closed, which is when the last area and
 * mm->exe_file have let go of it. -ETXTBSY while somebody writes.
 */
int deny_write_access(struct file *file);
void allow_write_access(struct file *file);

struct kstat {
	u64 dev, ino, rdev; /* dev and rdev as makedev() */
	umode_t mode;
	u32 nlink, uid, gid;
	u64 size, blocks; /* bytes; units of 512 bytes */
	s64 atime, mtime, ctime;
	bool mount_root;
	bool has_flags;
	u32 flags; /* FS_*_FL */
};
void vfs_getattr(const struct dentry *dentry, struct kstat *stat);

/* What chattr(1) may have forbidden: FS_APPEND_FL, FS_IMMUTABLE_FL, whatever the caller's rights are. */
static inline bool inode_forbids(const struct inode *inode, u32 flags)
{
	return READ_ONCE(inode->i_flags) & flags;
}
/* Whether nothing of it may change, whoever asks. */
static inline bool inode_is_rdonly(const struct inode *inode)
{
	return READ_ONCE(inode->i_sb->s_rdonly);
}
static inline bool inode_has_flags(const struct inode *inode)
{
	return inode->i_sb->s_has_flags && (S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode));
}
/*
 * The flags of ioctl_iflags(2): FS_*_FL, or -ENOTTY where there are none; and a change of them. -EPERM,
 * -EOPNOTSUPP. May sleep.
 */
int vfs_get_flags(const struct inode *inode);
int vfs_set_flags(struct inode *inode, u32 flags, const struct cred_view *cred);

#define KEEP_ID 0xffffffffU /* chown(2): this id stays */
/* 0, or -EPERM, -EACCES; mode, owner and times of `inode`. May sleep. */
int vfs_chmod(struct inode *inode, umode_t mode, const struct cred_view *cred);
int vfs_chown(struct inode *inode, u32 uid, u32 gid, const struct cred_view *cred);
struct file_times {
	bool touch; /* both now, as by default */
	bool set_atime, set_mtime, atime_now, mtime_now;
	s64 atime, mtime; /* ns since 1970 */
};
int vfs_utimes(struct inode *inode, const struct file_times *times, const struct cred_view *cred);

/* --- dentries ------------------------------------------------------------------------------ */

#define DNAME_INLINE 32

struct dentry {
	atomic_t d_count;
	u32 d_hash;
	u32 d_len;
	char *d_name;		 /* terminated; d_inline or kmalloc'ed */
	struct dentry *d_parent; /* referenced; itself for a root */
	struct inode *d_inode;	 /* referenced; never NULL where somebody else can see it */
	struct super_block *d_sb;
	struct super_block *d_mounted; /* what covers it */
	struct hlist_node d_hash_link;
	struct list_head d_children; /* newest first */
	struct list_head d_sibling;
	u64 d_seq;	/* among its siblings: see i_dir_seq */
	bool d_deleted; /* its name is gone */
	char d_inline[DNAME_INLINE];
};

static inline struct dentry *dget(struct dentry *dentry)
{
	atomic_inc(&dentry->d_count);
	return dentry;
}
/* Drops a reference. May sleep. NULL is fine. */
void dput(struct dentry *dentry);
/* A dentry of that name, outside the tree, without an inode; or NULL. Holds `parent`. */
struct dentry *d_alloc(struct dentry *parent, const char *name, size_t len) __must_check;
/* The root of a file system, taking over the caller's reference on the inode; or NULL. */
struct dentry *d_alloc_root(struct super_block *sb, struct inode *inode) __must_check;
/*
 * Of what has no tree: a dentry with a new inode of that type and permissions, which is cred's. Its name,
 * "what:[number]", is what /proc shows. NULL: no memory.
 */
struct dentry *d_alloc_pseudo(struct super_block *sb, const char *what, umode_t mode,
			      const struct file_operations *fops,
			      const struct cred_view *cred) __must_check;
/* Gives a dentry its inode, taking over the caller's reference. => not in the tree */
void d_instantiate(struct dentry *dentry, struct inode *inode);
/* Names it after its inode, as a file that has no name: "#number", and deleted. => not in the tree */
void d_name_tmpfile(struct dentry *dentry);
/* Puts a dentry with an inode into the tree, or takes it out. => i_rwsem of the parent, writing */
void d_add(struct dentry *dentry);
void d_delete(struct dentry *dentry);
/* The child of that name in the tree with a new reference, or NULL. */
struct dentry *d_lookup(struct dentry *parent, const char *name, size_t len);
/*
 * Moves `dentry` in the tree to the parent and name of `to`; `victim`, which has that name now, or NULL, goes out
 * of it at the same time. If `to` has an inode, it gets the old parent and name. => i_rwsem of both parents,
 * writing
 */
void d_move(struct dentry *dentry, struct dentry *to, struct dentry *victim);
/* Two in the tree change places. => i_rwsem of both parents, writing */
void d_exchange(struct dentry *a, struct dentry *b);
bool d_is_ancestor(const struct dentry *ancestor, const struct dentry *dentry);
struct dentry *dget_parent(struct dentry *dentry);
/* Up one directory and out of mounts; stays at `root`. Takes over and returns a reference. */
struct dentry *d_up(struct dentry *dentry, const struct dentry *root);
/* Down into whatever is mounted there. Takes over and returns a reference. */
struct dentry *d_cross_mounts(struct dentry *dentry);
/*
 * The path from the root of everything, at the end of buf: a pointer into buf, terminated, or
 * ERR_PTR(-ENAMETOOLONG). " (deleted)" follows when the name is gone.
 */
char *d_path(const struct dentry *dentry, char *buf, size_t size);
/* The same from `root`; "(unreachable)" is in front when the way up doesn't lead there. */
char *d_path_from(const struct dentry *dentry, const struct dentry *root, char *buf, size_t size);

static inline bool d_is_dir(const struct dentry *dentry)
{
	return S_ISDIR(dentry->d_inode->i_mode);
}

/* Whether it is the root of what is mounted. */
static inline bool d_is_root(const struct dentry *dentry)
{
	return dentry->d_parent == dentry;
}

/* A file system without a root yet; type stays referenced. Or NULL. */
struct super_block *super_alloc(const char *type, u64 magic,
				const struct super_operations *op) __must_check;
/*
 * Mounts sb on the directory at `path` for ever; the first of all becomes "/". 0 or -errno.
 */
int vfs_mount(const char *path, struct super_block *sb);
/* Its core: `where` (NULL: none yet) is referenced, and nothing is mounted on it. => mount_lock() */
void dcache_mount(struct super_block *sb, struct dentry *where);
/*
 * Takes a file system out of the tree, if nobody uses it, or (detach) whoever does, with what is mounted
 * in it. `root` is its root, on which the caller has one reference, that goes last. 0 or -EBUSY.
 * => mount_lock(), mounted
 */
int dcache_umount(struct dentry *root, bool detach);
/* Whether it is in the tree: it was mounted, and not taken out since. => mount_lock() */
bool super_mounted(const struct super_block *sb);
/*
 * Frees those that were unmounted and are unused now; of one of them, if it is still there, or (NULL) of
 * all. May sleep.
 */
void dcache_reap(const struct super_block *only);
/*
 * MNT_EXPIRE of umount(2): 0 if nobody uses it or has come into it since the last call said so: -EAGAIN. Or
 * -EBUSY. `root` as above, found by a path. => mount_lock(), mounted
 */
int dcache_expire(struct dentry *root);
/* Held while file systems are mounted or unmounted. => no i_rwsem held */
void mount_lock(void);
void mount_unlock(void);
/* Frees one that was never mounted, but for its root. */
void super_free(struct super_block *sb);
/* Counts a file that is open for writing: 0 or -EROFS. */
int sb_start_write(struct super_block *sb);
static inline void sb_end_write(struct super_block *sb)
{
	atomic_dec(&sb->s_writers);
}
/* Calls fn for each mount at or below `root` in order with its path from there; stops when fn returns non-zero. */
int for_each_mount(const struct dentry *root,
		   int (*fn)(const struct super_block *sb, const char *path, void *arg), void *arg);
/* The root of everything, referenced. */
struct dentry *root_dentry(void);

/* --- open files ---------------------------------------------------------------------------- */

/* Takes the entries of a directory one by one. */
struct dir_context {
	/* False when it has no room: the entry is not taken and iteration ends. */
	bool (*take)(struct dir_context *ctx, const char *name, size_t len, u64 ino,
		     unsigned int dtype, loff_t next);
	loff_t pos; /* 0 first; set to `next` for each entry taken */
};
/* Hands out "." and ".." (positions 0 and 1); false when there was no room. */
bool dir_emit_dots(struct file *file, struct dir_context *ctx);
bool dir_emit(struct dir_context *ctx, const char *name, size_t len, u64 ino, umode_t mode,
	      loff_t next);

struct file_operations {
	/* NULL: -ESPIPE */
	loff_t (*llseek)(struct file *file, loff_t offset, int whence);
	/*
	 * From *pos on, which they advance. Bytes moved; -EFAULT and the like only when there are
	 * none. NULL: -EINVAL.
	 */
	ssize_t (*read_iter)(struct file *file, struct io_iter *to, loff_t *pos);
	ssize_t (*write_iter)(struct file *file, struct io_iter *from, loff_t *pos);
	bool splice; /* sendfile(2) may take bytes from it, by read_iter */
	/* 0 or an error; entries from ctx->pos on. => i_rwsem held for reading. NULL: -ENOTDIR */
	int (*iterate)(struct file *file, struct dir_context *ctx);
	/* NULL: -ENOTTY */
	long (*ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	/*
	 * Which of POLL* hold now; joins the queues that are woken when that changes, by poll_wait().
	 * NULL: always ready for reading and writing.
	 */
	u32 (*poll)(struct file *file, struct poll_table *pt);
	/* Sets up an area over the file. => mmap_lock held for writing. NULL: -ENODEV */
	int (*mmap)(struct file *file, struct vm_area_struct *vma);
	/* Optional: chooses the address of such an area. As in struct vm_file_operations. */
	unsigned long (*get_unmapped_area)(struct file *file, unsigned long addr, unsigned long len,
					   unsigned long pgoff, unsigned long flags);
	/*
	 * fallocate(2) with a mode that means something. NULL, and what the file doesn't know:
	 * -EOPNOTSUPP
	 */
	int (*fallocate)(struct file *file, unsigned int mode, loff_t offset, loff_t len);
	/*
	 * What there is to do, after the pages of the file's mapping were written, so that all stays. NULL:
	 * the file can't be synchronized, -EINVAL
	 */
	int (*fsync)(struct file *file);
	/* May change f_op and set private_data. Optional. */
	int (*open)(struct inode *inode, struct file *file);
	void (*release)(struct file *file);
	/* Lines of /proc/pid/fdinfo beside those of every file. Optional. */
	void (*show_fdinfo)(struct file *file, struct seq_text *seq);
};

/* Of device nodes: open() finds the driver by i_rdev; -ENXIO when there is none. */
extern const struct file_operations chrdev_fops;

/* file->f_mode */
#define FMODE_READ    BIT(0)
#define FMODE_WRITE   BIT(1)
#define FMODE_PATH    BIT(2) /* O_PATH: a place, not an open file */
#define FMODE_STREAM  BIT(3) /* has no position: a terminal */
#define FMODE_EXEC    BIT(4) /* opened by exec */
#define FMODE_WRITER  BIT(5) /* counted in i_writecount */
#define FMODE_NOWRITE BIT(6) /* keeps writers away: counted there too */
#define FMODE_NOCOUNT BIT(7) /* not to be counted, whatever it is open for */
/* Positions are addresses: those that are negative as a loff_t mean something. */
#define FMODE_UNSIGNED_OFFSET BIT(12)

struct file {
	struct vm_file vm_file; /* first: all that mm knows of it */
	atomic_t f_count;
	unsigned int f_flags; /* O_* */
	unsigned int f_mode;  /* FMODE_* */
	struct dentry *f_dentry;
	struct inode *f_inode; /* f_dentry's */
	const struct file_operations *f_op;
	struct mutex f_pos_lock;
	loff_t f_pos;
	struct cred_view f_cred; /* of who opened it */
	void *private_data;
};

static inline struct file *file_of(struct vm_file *vm_file)
{
	return container_of(vm_file, struct file, vm_file);
}

static inline struct file *get_file(struct file *file)
{
	atomic_inc(&file->f_count);
	return file;
}
/* Drops a reference; the last one closes the file. May sleep. */
void fput(struct file *file);
/* An opened nothing with one reference, to be bound by file_bind(). -ENFILE, -ENOMEM as ERR_PTR. */
struct file *file_alloc(unsigned int flags, const struct cred_view *cred) __must_check;
/*
 * Makes it an opening of `dentry` (referenced anew). On failure the caller's fput() cleans up.
 * => permissions checked
 */
int file_bind(struct file *file, struct dentry *dentry);
/* The same for what isn't opened by a name: with these operations, whatever the inode is. */
void file_bind_ops(struct file *file, struct dentry *dentry, const struct file_operations *fops);

/* Lengths beyond this are cut: what Linux moves at most by one call. */
#define MAX_RW_COUNT ((size_t)(0x7fffffff & ~0xfffUL))
/* The largest size of a file. */
#define MAX_FILE_SIZE ((loff_t)0x7fffffffffffffffL)

/* Move up to iter->count bytes at *pos and advance it. -EBADF when it isn't open for that. */
ssize_t vfs_read(struct file *file, struct io_iter *to, loff_t *pos);
ssize_t vfs_write(struct file *file, struct io_iter *from, loff_t *pos);
/* The same for memory of the kernel, whatever the file was opened for. */
ssize_t kernel_read(struct file *file, void *buf, size_t len, loff_t pos);
ssize_t kernel_write(struct file *file, const void *buf, size_t len, loff_t pos);
loff_t vfs_llseek(struct file *file, loff_t offset, int whence);
/* Brings the bytes [start, end] to where they stay, or says what kept others from it, once. 0 or -errno. */
int vfs_fsync_range(struct file *file, loff_t start, loff_t end);
/* What sync_file_range(2) and posix_fadvise(2) do. 0 or -errno. */
int vfs_sync_file_range(struct file *file, loff_t offset, loff_t nbytes, unsigned int flags);
int vfs_fadvise(struct file *file, loff_t offset, loff_t len, int advice);
int vfs_iterate(struct file *file, struct dir_context *ctx);
/* 0 or -errno; offsets from `limit` (bytes, exclusive) on are refused. */
loff_t generic_llseek(struct file *file, loff_t offset, int whence, u64 size, loff_t limit);
/* Seeks by SEEK_SET and SEEK_CUR only: files whose size isn't known. */
loff_t llseek_no_end(struct file *file, loff_t offset, int whence);
/* Sets the size in bytes; -EINVAL where there is none to set. */
int vfs_truncate(struct inode *inode, u64 size);

/*
 * How many of `count` bytes at pos may be written. 0, or -EFBIG when none may: by the largest file
 * there is, or by the task's RLIMIT_FSIZE, which sends it SIGXFSZ.
 */
int limit_write(u64 pos, size_t *count);
/* The same for a file that is to have `size` bytes: 0 or -EFBIG. => i_rwsem held */
int inode_newsize_ok(const struct inode *inode, u64 size);

/* Set by the process layer: for whom the kernel works. */
extern struct cred_view (*fs_current_cred)(void);
/* That, or the kernel itself before there are tasks. */
struct cred_view vfs_current_cred(void);
/* The running task's RLIMIT_FSIZE, and how it is told. */
extern u64 (*fs_size_limit)(void);
extern void (*fs_send_sigxfsz)(void);
/* fallocate(2). 0 or -errno. */
int vfs_fallocate(struct file *file, unsigned int mode, loff_t offset, loff_t len);
/* A descriptor's truncate(2). */
int file_truncate(struct file *file, loff_t size);
/* 0, or -EACCES when this may not be executed: no regular file, no x bit, a noexec mount. */
int file_may_exec(struct file *file, const struct cred_view *cred);

/* --- a process's view ---------------------------------------------------------------------- */

struct fs_context {
	atomic_t count;
	spinlock_t lock; /* what follows */
	struct dentry *root, *cwd;
	umode_t umask;
};
/* Root and current directory "/", umask 022; or NULL. */
struct fs_context *fs_context_alloc(void) __must_check;
/* A copy of its own (fork), or NULL. To share one (CLONE_FS), fs_context_get(). */
struct fs_context *fs_context_copy(struct fs_context *old) __must_check;
static inline struct fs_context *fs_context_get(struct fs_context *fs)
{
	atomic_inc(&fs->count);
	return fs;
}
void fs_context_put(struct fs_context *fs);
/* The current directory, referenced; and a change of it, which takes its own reference. */
struct dentry *fs_get_cwd(struct fs_context *fs);
void fs_set_cwd(struct fs_context *fs, struct dentry *dentry);
/* The same for the root. */
struct dentry *fs_get_root(struct fs_context *fs);
void fs_set_root(struct fs_context *fs, struct dentry *dentry);
/* The kernel's own: what resolves paths at boot. */
struct fs_context *kernel_fs_context(void);

/* --- once at boot -------------------------------------------------------------------------- */

/* Caches, the root tmpfs, /proc and /dev. => mm and sleeping locks work. Panics on failure. */
void fs_init(void);
/*
 * Unpacks a cpio archive of format newc (cpio(5)) into the root. Returns the number of errors, each
 * of which it has printed; what could be unpacked is there.
 */
int initramfs_unpack(const void *data, size_t size);

void inode_cache_init(void);
void dentry_cache_init(void);
void file_cache_init(void);
void files_cache_init(void);
/* One to be mounted, with its own limits; mode: the root's permissions. Or NULL. */
struct super_block *tmpfs_super(const char *type, umode_t mode);
struct super_block *proc_super(void);
void tmpfs_init(void);
void proc_init(void);
void dev_init(void);
void pipe_init(void);
void socket_init(void);
void tty_init(void);

#endif
