/* SPDX-License-Identifier: MIT */
/*
 * System V shared memory: segments with a number, which programs that know it attach.
 *
 *	shm_ids            by place (number modulo IPCMNI)
 *	  shmid_kernel       key, owner, mode, times, how often it is attached
 *	    file               a file of shared memory without a name (mm/shmem.h): the contents
 *	      shm_file_data      one opening of it for each shmat(), which the areas hold (sysv_shm_map.c)
 *
 * A segment is attached as often as there are areas that show it: each is counted by its open and close
 * operations, whether it comes by shmat(), fork, mremap() or by being cut. After IPC_RMID the last one
 * to go takes the segment along.
 *
 * Locks: shm_ids.lock covers it all; it nests inside mmap_lock, as areas go. Files are put without it.
 */
#include "kernel/process/sysv_shm.h"

#include "kernel/abi/mman.h"
#include "kernel/base/printf.h"
#include "kernel/fs/proc.h"
#include "kernel/fs/seq.h"
#include "kernel/lib/radix_tree.h"
#include "kernel/process/current.h"
#include "mm/shmem.h"
#include "mm/slab.h"
#include "mm/sysctl.h"

#define CAP_IPC_OWNER 15

struct shmid_kernel {
	int key, id;
	u32 uid, gid, cuid, cgid;
	unsigned int mode; /* permissions, SHM_DEST, SHM_LOCKED */
	u64 size;
	unsigned long nattch;
	s64 atime, dtime, ctime; /* ns since 1970 */
	int cpid, lpid;
	struct file *file;
	const struct task_struct *creator; /* NULL: it has ended */
	struct user_struct *locker;	   /* whose locked memory it is, with a reference */
};

static void *node_alloc(void)
{
	return kzalloc(RADIX_TREE_NODE_SIZE, GFP_KERNEL);
}

static void node_free(void *node)
{
	kfree(node);
}

static const struct radix_tree_ops node_ops = { .alloc = node_alloc, .free = node_free };

static struct {
	struct mutex lock;
	struct radix_tree_root places;
	unsigned int in_use;
	unsigned long pages; /* of all segments */
	unsigned long next;  /* where the search for a free place begins */
	long last;
	int seq;
} shm_ids = { .lock = MUTEX_INIT(shm_ids.lock), .places = { NULL, &node_ops }, .last = -1 };

static u64 segment_pages(u64 size)
{
	return (size >> PAGE_SHIFT) + !!(size & ~PAGE_MASK);
}

static struct address_space *contents(const struct shmid_kernel *shp)
{
	return shp->file->vm_file.mapping;
}

/* --- numbers -------------------------------------------------------------------------------------- */

/* => lock held, these three. */
static struct shmid_kernel *find_place(int id)
{
	return radix_tree_lookup(&shm_ids.places, (unsigned int)id % IPCMNI);
}

static struct shmid_kernel *find_id(int id)
{
	struct shmid_kernel *shp = id < 0 ? NULL : find_place(id);

	return shp && shp->id == id ? shp : NULL;
}

static struct shmid_kernel *find_key(int key)
{
	struct shmid_kernel *shp;

	for (unsigned long i = 0; (shp = radix_tree_next(&shm_ids.places, &i)); i++)
		if (shp->key == key)
			return shp;
	return NULL;
}

#define MIN_CYCLE 64UL /* so many places are used before the first is used again */

static long free_place(void)
{
	unsigned long end = min(max(shm_ids.in_use * 3UL / 2, MIN_CYCLE), (unsigned long)IPCMNI);
	unsigned long start = shm_ids.next < end ? shm_ids.next : 0;

	for (unsigned long i = 0; i < end; i++) {
		unsigned long place = (start + i) % end;

		if (!radix_tree_lookup(&shm_ids.places, place))
			return (long)place;
	}
	return -ENOSPC;
}

/*
 * Gives a segment its number: a place, in turn, and a sequence number that grows whenever the turn begins
 * anew, so that no number comes again soon. 0, -ENOSPC, -ENOMEM. => lock held
 */
static int give_number(struct shmid_kernel *shp)
{
	long place;

	if (shm_ids.in_use >= (unsigned int)min(sysctl_shmmni, IPCMNI))
		return -ENOSPC;
	place = free_place();
	if (place < 0)
		return (int)place;
	if (radix_tree_insert(&shm_ids.places, (unsigned long)place, shp))
		return -ENOMEM;
	if (place <= shm_ids.last && ++shm_ids.seq >= 0x7fffffff / IPCMNI)
		shm_ids.seq = 0;
	shm_ids.last = place;
	shm_ids.next = (unsigned long)place + 1;
	shm_ids.in_use++;
	shp->id = shm_ids.seq * IPCMNI + (int)place;
	return 0;
}

static int highest_place(void)
{
	int highest = 0;

	for (unsigned long i = 0; radix_tree_next(&shm_ids.places, &i); i++)
		highest = (int)i;
	return highest;
}

/* --- rights ------------------------------------------------------------------------------------------ */

/* 0, or -EACCES when the mode doesn't give all that flag asks for, in whichever of its three places. */
static int check_perms(const struct shmid_kernel *shp, int flag)
{
	const struct cred_view cred = current_cred_view();
	unsigned int wanted = (unsigned int)(flag >> 6 | flag >> 3 | flag), granted = shp->mode;

	if (current->cred.euid == shp->cuid || current->cred.euid == shp->uid)
		granted >>= 6;
	else if (cred_in_group(&cred, shp->cgid) || cred_in_group(&cred, shp->gid))
		granted >>= 3;
	return (wanted & ~granted & 7) && !capable(CAP_IPC_OWNER) ? -EACCES : 0;
}

static bool is_owner(const struct shmid_kernel *shp)
{
	return current->cred.euid == shp->cuid || current->cred.euid == shp->uid;
}

/* --- the end of one ------------------------------------------------------------------------------------ */

static void unlock_memory(struct shmid_kernel *shp)
{
	if (!(shp->mode & SHM_LOCKED))
		return;
	shp->mode &= ~(unsigned int)SHM_LOCKED;
	atomic_long_add(&shp->locker->locked_shm, -(long)segment_pages(shp->size));
	user_put(shp->locker);
	shp->locker = NULL;
}

/* Takes a segment away. Its file, for the caller to put when the lock is dropped. => lock held */
static struct file *destroy(struct shmid_kernel *shp)
{
	struct file *file = shp->file;

	radix_tree_delete(&shm_ids.places, (unsigned int)shp->id % IPCMNI);
	shm_ids.in_use--;
	shm_ids.pages -= segment_pages(shp->size);
	unlock_memory(shp);
	kfree(shp);
	return file;
}

/* Nobody has it attached, and nobody is to any more. => lock held */
static bool may_destroy(const struct shmid_kernel *shp)
{
	return !shp->nattch && ((shp->mode & SHM_DEST) || sysctl_shm_rmid_forced);
}

static struct file *destroy_if_unused(struct shmid_kernel *shp)
{
	return may_destroy(shp) ? destroy(shp) : NULL;
}

static void unlock_and_put(struct file *file)
{
	mutex_unlock(&shm_ids.lock);
	if (file)
		fput(file);
}

/*
 * With shm_rmid_forced: ends what nobody has attached of what `creator` made, who has ended now; NULL: of
 * what those made who have ended before.
 */
static void destroy_orphans(const struct task_struct *creator)
{
	struct shmid_kernel *shp;
	unsigned long i = 0;

	mutex_lock(&shm_ids.lock);
	for (; (shp = radix_tree_next(&shm_ids.places, &i)); i++) {
		struct file *file = NULL;

		if (shp->creator != creator)
			continue;
		shp->creator = NULL;
		if (sysctl_shm_rmid_forced)
			file = destroy_if_unused(shp);
		if (!file)
			continue;
		unlock_and_put(file);
		mutex_lock(&shm_ids.lock);
	}
	mutex_unlock(&shm_ids.lock);
}

void exit_shm(struct task_struct *task)
{
	if (task->made_shm)
		destroy_orphans(task);
}

/* --- shmget ---------------------------------------------------------------------------------------------- */

/* 0 means the usual size. */
static int refuse_huge(int flags)
{
	const unsigned int shift = (unsigned int)flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
	const struct cred_view cred = current_cred_view();

	if (shift && shift != PMD_SHIFT && shift != PUD_SHIFT)
		return -EINVAL;
	/* There is no pool of huge pages. */
	return capable(CAP_IPC_LOCK) || cred_in_group(&cred, 0) ? -ENOMEM : -EPERM;
}

static struct file *new_contents(int key, u64 size, int flags)
{
	bool noreserve = (flags & SHM_NORESERVE) && sysctl_overcommit_memory != OVERCOMMIT_NEVER;
	struct vm_file *file;
	char name[16];
	int err;

	if (flags & SHM_HUGETLB) {
		err = refuse_huge(flags);
		return ERR_PTR(err);
	}
	scnprintf(name, sizeof(name), "SYSV%08x", (unsigned int)key);
	file = shmem_file_setup(name, size, noreserve ? VM_NORESERVE : 0);
	return IS_ERR(file) ? ERR_PTR(PTR_ERR(file)) : file_of(file);
}

static int check_new_size(u64 size)
{
	const u64 pages = segment_pages(size);

	if (size < SHMMIN || size > sysctl_shmmax)
		return -EINVAL;
	if (shm_ids.pages + pages < shm_ids.pages || shm_ids.pages + pages > sysctl_shmall)
		return -ENOSPC;
	return 0;
}

/* => lock held */
static int new_segment(int key, u64 size, int flags)
{
	const struct cred *cred = &current->cred;
	struct shmid_kernel *shp;
	int err = check_new_size(size);

	if (err)
		return err;
	shp = kzalloc(sizeof(*shp), GFP_KERNEL);
	if (!shp)
		return -ENOMEM;
	shp->key = key;
	shp->mode = flags & 0777;
	shp->uid = shp->cuid = cred->euid;
	shp->gid = shp->cgid = cred->egid;
	shp->size = size;
	shp->ctime = current_time();
	shp->cpid = current->tgid;
	shp->creator = current;
	shp->file = new_contents(key, size, flags);
	err = IS_ERR(shp->file) ? (int)PTR_ERR(shp->file) : give_number(shp);
	if (err) {
		if (!IS_ERR(shp->file))
			fput(shp->file);
		kfree(shp);
		return err;
	}
	/* What /proc/pid/maps shows. */
	shp->file->f_inode->i_ino = (u64)shp->id;
	shm_ids.pages += segment_pages(size);
	current->made_shm = true;
	return shp->id;
}

/* => lock held */
static int existing_segment(const struct shmid_kernel *shp, u64 size, int flags)
{
	int err;

	if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
		return -EEXIST;
	if (size > shp->size)
		return -EINVAL;
	err = check_perms(shp, flags);
	return err ? err : shp->id;
}

int shm_get(int key, u64 size, int flags)
{
	const struct shmid_kernel *shp;
	int ret;

	mutex_lock(&shm_ids.lock);
	shp = key == IPC_PRIVATE ? NULL : find_key(key);
	if (shp)
		ret = existing_segment(shp, size, flags);
	else if (key == IPC_PRIVATE || (flags & IPC_CREAT))
		ret = new_segment(key, size, flags);
	else
		ret = -ENOENT;
	mutex_unlock(&shm_ids.lock);
	return ret;
}

/* --- attachments ------------------------------------------------------------------------------------- */

int shm_count_area(int id, const struct file *base)
{
	struct shmid_kernel *shp;
	int err = -EINVAL;

	mutex_lock(&shm_ids.lock);
	shp = find_id(id);
	if (shp && shp->file == base) {
		shp->nattch++;
		shp->atime = current_time();
		shp->lpid = current->tgid;
		err = 0;
	}
	mutex_unlock(&shm_ids.lock);
	return err;
}

void shm_uncount_area(int id, const struct file *base)
{
	struct shmid_kernel *shp;

	mutex_lock(&shm_ids.lock);
	shp = find_id(id);
	BUG_ON(!shp || shp->file != base || !shp->nattch);
	shp->nattch--;
	shp->dtime = current_time();
	shp->lpid = current->tgid;
	unlock_and_put(destroy_if_unused(shp));
}

struct file *shm_hold(int id, int access)
{
	struct shmid_kernel *shp;
	struct file *base;
	int err = -EINVAL;

	mutex_lock(&shm_ids.lock);
	shp = find_id(id);
	if (shp)
		err = check_perms(shp, access);
	if (!err)
		shp->nattch++;
	base = err ? ERR_PTR(err) : get_file(shp->file);
	mutex_unlock(&shm_ids.lock);
	return base;
}

void shm_let_go(int id)
{
	struct shmid_kernel *shp;

	mutex_lock(&shm_ids.lock);
	shp = find_id(id);
	DEBUG_ON(!shp); /* what is attached stays */
	shp->nattch--;
	unlock_and_put(destroy_if_unused(shp));
}

/* --- shmctl ---------------------------------------------------------------------------------------------- */

static void describe(const struct shmid_kernel *shp, struct shmid64_ds *ds)
{
	*ds = (struct shmid64_ds){
		.shm_perm = {
			.key = shp->key,
			.uid = shp->uid,
			.gid = shp->gid,
			.cuid = shp->cuid,
			.cgid = shp->cgid,
			.mode = shp->mode,
			.seq = (u16)(shp->id / IPCMNI),
		},
		.shm_segsz = shp->size,
		.shm_atime = shp->atime / 1000000000,
		.shm_dtime = shp->dtime / 1000000000,
		.shm_ctime = shp->ctime / 1000000000,
		.shm_cpid = shp->cpid,
		.shm_lpid = shp->lpid,
		.shm_nattch = shp->nattch,
	};
}

int shm_stat(int id, int cmd, struct shmid64_ds *ds)
{
	const struct shmid_kernel *shp;
	int ret = -EINVAL;

	mutex_lock(&shm_ids.lock);
	shp = cmd == IPC_STAT ? find_id(id) : find_place(id);
	if (shp)
		ret = cmd == SHM_STAT_ANY ? 0 : check_perms(shp, 0444);
	if (!ret) {
		describe(shp, ds);
		ret = cmd == IPC_STAT ? 0 : shp->id;
	}
	mutex_unlock(&shm_ids.lock);
	return ret;
}

/* For who may change it; NULL, and *err says why not. => lock held */
static struct shmid_kernel *find_own(int id, int *err)
{
	struct shmid_kernel *shp = find_id(id);

	*err = -EINVAL;
	if (!shp)
		return NULL;
	*err = -EPERM;
	return is_owner(shp) || capable(CAP_SYS_ADMIN) ? shp : NULL;
}

int shm_set(int id, const struct shmid64_ds *ds)
{
	const struct ipc64_perm *perm = &ds->shm_perm;
	struct shmid_kernel *shp;
	int err;

	mutex_lock(&shm_ids.lock);
	shp = find_own(id, &err);
	if (shp)
		err = perm->uid == ~0U || perm->gid == ~0U ? -EINVAL : 0;
	if (!err) {
		shp->uid = perm->uid;
		shp->gid = perm->gid;
		shp->mode = (shp->mode & ~0777U) | (perm->mode & 0777);
		shp->ctime = current_time();
	}
	mutex_unlock(&shm_ids.lock);
	return err;
}

int shm_remove(int id)
{
	struct file *file = NULL;
	struct shmid_kernel *shp;
	int err;

	mutex_lock(&shm_ids.lock);
	shp = find_own(id, &err);
	if (shp) {
		err = 0;
		/* While it is attached it stays, but nobody finds it any more. */
		shp->mode |= SHM_DEST;
		shp->key = IPC_PRIVATE;
		file = destroy_if_unused(shp);
	}
	unlock_and_put(file);
	return err;
}

/* Whether locked memory of that size is within the limit: then it is counted. */
static bool charge_locked(struct user_struct *user, u64 pages)
{
	const unsigned long limit = current->signal->rlim[RLIMIT_MEMLOCK].cur;
	long now = atomic_long_add_return(&user->locked_shm, (long)pages);

	if (limit == ~0UL || (unsigned long)now <= limit >> PAGE_SHIFT || capable(CAP_IPC_LOCK))
		return true;
	atomic_long_add(&user->locked_shm, -(long)pages);
	return false;
}

/* 0, -EINVAL, -EPERM. => lock held */
static int check_lock(const struct shmid_kernel *shp, bool lock)
{
	if (!shp)
		return -EINVAL;
	if (capable(CAP_IPC_LOCK))
		return 0;
	if (!is_owner(shp))
		return -EPERM;
	return lock && !current->signal->rlim[RLIMIT_MEMLOCK].cur ? -EPERM : 0;
}

/* Nothing takes its pages away today; so all there is to it is who may, and how much. */
int shm_lock(int id)
{
	struct shmid_kernel *shp;
	int err;

	mutex_lock(&shm_ids.lock);
	shp = find_id(id);
	err = check_lock(shp, true);
	if (!err && !(shp->mode & SHM_LOCKED)) {
		if (charge_locked(current->user, segment_pages(shp->size))) {
			user_hold(current->user);
			shp->locker = current->user;
			shp->mode |= SHM_LOCKED;
		} else {
			err = -ENOMEM;
		}
	}
	mutex_unlock(&shm_ids.lock);
	return err;
}

int shm_unlock(int id)
{
	struct shmid_kernel *shp;
	int err;

	mutex_lock(&shm_ids.lock);
	shp = find_id(id);
	err = check_lock(shp, false);
	if (!err)
		unlock_memory(shp);
	mutex_unlock(&shm_ids.lock);
	return err;
}

int shm_limits(struct shminfo64 *info)
{
	int ret;

	mutex_lock(&shm_ids.lock);
	*info = (struct shminfo64){
		.shmmax = sysctl_shmmax,
		.shmmin = SHMMIN,
		.shmmni = (u64)sysctl_shmmni,
		.shmseg = (u64)sysctl_shmmni,
		.shmall = sysctl_shmall,
	};
	ret = highest_place();
	mutex_unlock(&shm_ids.lock);
	return ret;
}

int shm_usage(struct shm_info_kernel *info)
{
	const struct shmid_kernel *shp;
	int ret;

	mutex_lock(&shm_ids.lock);
	*info = (struct shm_info_kernel){ .used_ids = (int)shm_ids.in_use,
					  .shm_tot = shm_ids.pages };
	for (unsigned long i = 0; (shp = radix_tree_next(&shm_ids.places, &i)); i++)
		info->shm_rss += READ_ONCE(contents(shp)->nrpages);
	ret = highest_place();
	mutex_unlock(&shm_ids.lock);
	return ret;
}

/* --- /proc/sysvipc/shm ---------------------------------------------------------------------------------- */

static void show_segment(struct seq_text *seq, const struct shmid_kernel *shp)
{
	seq_printf(seq, "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u", shp->key, shp->id,
		   shp->mode, (unsigned long)shp->size, (unsigned int)shp->cpid,
		   (unsigned int)shp->lpid, shp->nattch, shp->uid, shp->gid, shp->cuid, shp->cgid);
	seq_printf(seq, " %10ld %10ld %10ld %21lu %21lu\n", (long)(shp->atime / 1000000000),
		   (long)(shp->dtime / 1000000000), (long)(shp->ctime / 1000000000),
		   READ_ONCE(contents(shp)->nrpages) << PAGE_SHIFT, 0UL);
}

static void show_segments(struct seq_text *seq)
{
	const struct shmid_kernel *shp;

	seq_printf(
		seq,
		"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  "
		"cuid  cgid      atime      dtime      ctime                   rss"
		"                  swap\n");
	mutex_lock(&shm_ids.lock);
	for (unsigned long i = 0; (shp = radix_tree_next(&shm_ids.places, &i)); i++)
		show_segment(seq, shp);
	mutex_unlock(&shm_ids.lock);
}

static void rmid_forced_changed(void)
{
	if (sysctl_shm_rmid_forced)
		destroy_orphans(NULL);
}

static const struct proc_sysv_ops proc_ops = {
	.show_shm = show_segments,
	.shm_rmid_forced_changed = rmid_forced_changed,
};

void sysv_shm_init(void)
{
	proc_sysv = &proc_ops;
}
