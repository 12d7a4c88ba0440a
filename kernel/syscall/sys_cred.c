/* SPDX-License-Identifier: MIT */
/* User and group ids: setresuid(2), credentials(7), and what root's going does to capabilities(7). */
#include <arch/uaccess.h>

#include "kernel/abi/prctl.h"
#include "kernel/process/current.h"
#include "kernel/syscall/sys.h"

#define CAP_SETGID 6
#define KEEP	   0xffffffffU

long sys_getuid(void)
{
	return current->cred.uid;
}

long sys_geteuid(void)
{
	return current->cred.euid;
}

long sys_getgid(void)
{
	return current->cred.gid;
}

long sys_getegid(void)
{
	return current->cred.egid;
}

/* Without the privilege, a new id must be one of the three that are there. */
static bool id_allowed(u32 id, u32 a, u32 b, u32 c)
{
	return id == KEEP || id == a || id == b || id == c;
}

static bool is_root(const struct cred *c)
{
	return c->uid == 0 || c->euid == 0 || c->suid == 0;
}

static void adjust_capabilities(struct cred *c, bool was_root, u32 old_euid)
{
	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (was_root && !is_root(c)) {
		if (!(c->securebits & SECBIT_KEEP_CAPS)) {
			c->cap_permitted = 0;
			c->cap_effective = 0;
		}
		c->cap_ambient = 0;
	}
	if (old_euid == 0 && c->euid != 0)
		c->cap_effective = 0;
	if (old_euid != 0 && c->euid == 0)
		c->cap_effective = c->cap_permitted;
}

/* => allowed */
static long set_uids(u32 uid, u32 euid, u32 suid)
{
	struct cred new = current->cred, *c = &new;
	bool was_root = is_root(c);
	u32 old_euid = c->euid;

	if (uid != KEEP && uid != c->uid) {
		int err = task_set_user(uid);

		if (err)
			return err;
	}

	if (uid != KEEP)
		c->uid = uid;
	if (euid != KEEP)
		c->euid = euid;
	if (suid != KEEP)
		c->suid = suid;
	c->fsuid = c->euid;
	adjust_capabilities(c, was_root, old_euid);
	commit_creds(c);
	/* It can't fail for this, since programs don't expect that; the next exec will: setresuid(2). */
	current->nproc_exceeded = task_over_nproc(current);
	return 0;
}

static long set_gids(u32 gid, u32 egid, u32 sgid)
{
	struct cred new = current->cred, *c = &new;

	if (gid != KEEP)
		c->gid = gid;
	if (egid != KEEP)
		c->egid = egid;
	if (sgid != KEEP)
		c->sgid = sgid;
	c->fsgid = c->egid;
	commit_creds(c);
	return 0;
}

long sys_setresuid(u32 uid, u32 euid, u32 suid)
{
	const struct cred *c = &current->cred;

	if (!capable(CAP_SETUID) && (!id_allowed(uid, c->uid, c->euid, c->suid) ||
				     !id_allowed(euid, c->uid, c->euid, c->suid) ||
				     !id_allowed(suid, c->uid, c->euid, c->suid)))
		return -EPERM;
	return set_uids(uid, euid, suid);
}

long sys_setresgid(u32 gid, u32 egid, u32 sgid)
{
	const struct cred *c = &current->cred;

	if (!capable(CAP_SETGID) && (!id_allowed(gid, c->gid, c->egid, c->sgid) ||
				     !id_allowed(egid, c->gid, c->egid, c->sgid) ||
				     !id_allowed(sgid, c->gid, c->egid, c->sgid)))
		return -EPERM;
	return set_gids(gid, egid, sgid);
}

static long put_three(u32 __user *a, u32 va, u32 __user *b, u32 vb, u32 __user *c, u32 vc)
{
	return put_user(va, a) || put_user(vb, b) || put_user(vc, c) ? -EFAULT : 0;
}

long sys_getresuid(u32 __user *uid, u32 __user *euid, u32 __user *suid)
{
	const struct cred *c = &current->cred;

	return put_three(uid, c->uid, euid, c->euid, suid, c->suid);
}

long sys_getresgid(u32 __user *gid, u32 __user *egid, u32 __user *sgid)
{
	const struct cred *c = &current->cred;

	return put_three(gid, c->gid, egid, c->egid, sgid, c->sgid);
}

long sys_getgroups(int size, u32 __user *list)
{
	const struct group_info *groups = current->cred.groups;
	unsigned int count = groups ? groups->count : 0;

	if (size < 0 || (size && (unsigned int)size < count))
		return -EINVAL;
	if (size && count && copy_to_user(list, groups->gids, count * sizeof(u32)))
		return -EFAULT;
	return count;
}

/* Reads them one after the other: the first that is bad, or can't be read, says which error it is. */
static int read_groups(struct group_info *groups, const u32 __user *list)
{
	for (unsigned int i = 0; i < groups->count; i++) {
		if (get_user(groups->gids[i], user_at(list, i * sizeof(u32))))
			return -EFAULT;
		if (groups->gids[i] == KEEP)
			return -EINVAL;
	}
	return 0;
}

/* Others that look at the task find the old ones or the new ones. */
static void replace_groups(struct group_info *groups)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct group_info *old = current->cred.groups;

	current->cred.groups = groups;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	groups_put(old);
}

long sys_setgroups(unsigned int size, const u32 __user *list)
{
	struct group_info *groups = NULL;
	int err = 0;

	if (!capable(CAP_SETGID))
		return -EPERM;
	if (size > NGROUPS_MAX)
		return -EINVAL;
	if (size) {
		groups = groups_alloc(size);
		if (!groups)
			return -ENOMEM;
		err = read_groups(groups, list);
		if (err) {
			groups_put(groups);
			return err;
		}
		groups_sort(groups);
	}
	replace_groups(groups);
	return 0;
}

/* --- the older calls, in terms of the newest: setuid(2), setreuid(2) ------------------------------ */

long sys_setuid(u32 uid)
{
	struct cred *c = &current->cred;

	if (uid == KEEP)
		return -EINVAL;
	if (capable(CAP_SETUID))
		return sys_setresuid(uid, uid, uid);
	if (uid != c->uid && uid != c->suid)
		return -EPERM;
	return sys_setresuid(KEEP, uid, KEEP);
}

long sys_setgid(u32 gid)
{
	struct cred *c = &current->cred;

	if (gid == KEEP)
		return -EINVAL;
	if (capable(CAP_SETGID))
		return sys_setresgid(gid, gid, gid);
	if (gid != c->gid && gid != c->sgid)
		return -EPERM;
	return sys_setresgid(KEEP, gid, KEEP);
}

/* The saved id follows when the real one is set, or the effective one becomes other than the real. */
long sys_setreuid(u32 uid, u32 euid)
{
	struct cred *c = &current->cred;
	bool save = uid != KEEP || (euid != KEEP && euid != c->uid);

	if (!capable(CAP_SETUID) && ((uid != KEEP && uid != c->uid && uid != c->euid) ||
				     !id_allowed(euid, c->uid, c->euid, c->suid)))
		return -EPERM;
	return set_uids(uid, euid, save ? (euid != KEEP ? euid : c->euid) : KEEP);
}

long sys_setregid(u32 gid, u32 egid)
{
	struct cred *c = &current->cred;
	bool save = gid != KEEP || (egid != KEEP && egid != c->gid);

	if (!capable(CAP_SETGID) && ((gid != KEEP && gid != c->gid && gid != c->egid) ||
				     !id_allowed(egid, c->gid, c->egid, c->sgid)))
		return -EPERM;
	return set_gids(gid, egid, save ? (egid != KEEP ? egid : c->egid) : KEEP);
}

/* --- for files only: setfsuid(2), which can't say that it failed --------------------------------- */

/* What goes when the user of files ceases to be root: CHOWN to FSETID, IMMUTABLE, MKNOD, MAC_OVERRIDE. */
#define FS_CAPS (0x1fUL | BIT(9) | BIT(27) | BIT(32))

long sys_setfsuid(u32 uid)
{
	struct cred new = current->cred, *c = &new;
	const u32 old = c->fsuid;

	if (uid == KEEP || uid == old ||
	    (uid != c->uid && uid != c->euid && uid != c->suid && !capable(CAP_SETUID)))
		return old;
	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		;
	else if (old == 0)
		c->cap_effective &= ~FS_CAPS;
	else if (uid == 0)
		c->cap_effective |= c->cap_permitted & FS_CAPS;
	c->fsuid = uid;
	commit_creds(c);
	return old;
}

long sys_setfsgid(u32 gid)
{
	struct cred new = current->cred, *c = &new;
	const u32 old = c->fsgid;

	if (gid == KEEP ||
	    (gid != c->gid && gid != c->egid && gid != c->sgid && !capable(CAP_SETGID)))
		return old;
	c->fsgid = gid;
	commit_creds(c);
	return old;
}

/* --- capabilities: capget(2) -------------------------------------------------------------------------- */

#define CAP_VERSION_1 0x19980330
#define CAP_VERSION_2 0x20071026
#define CAP_VERSION_3 0x20080522

struct cap_header {
	u32 version;
	int pid;
};

struct cap_data {
	u32 effective, permitted, inheritable;
};

/*
 * Reads the header; *words is how many cap_data its version has. An unknown version gives 0, and the
 * header is told the newest. 0 or -EFAULT.
 */
static int read_cap_header(struct cap_header __user *uhead, struct cap_header *head,
			   unsigned int *words)
{
	if (copy_from_user(head, uhead, sizeof(*head)))
		return -EFAULT;
	*words = head->version == CAP_VERSION_1					  ? 1 :
		 head->version == CAP_VERSION_2 || head->version == CAP_VERSION_3 ? 2 :
										    0;
	return *words ? 0 : put_user((u32)CAP_VERSION_3, user_field(uhead, version));
}

long sys_capget(struct cap_header __user *uhead, struct cap_data __user *udata)
{
	struct cap_data data[2] = { { 0 } };
	struct task_struct *task;
	unsigned long flags;
	struct cap_header head;
	unsigned int words;
	u64 eff, perm, inh;

	if (read_cap_header(uhead, &head, &words))
		return -EFAULT;
	if (!words)
		return udata ? -EINVAL : 0;
	if (head.pid < 0)
		return -EINVAL;
	flags = spin_lock_irqsave(&tasklist_lock);
	task = head.pid ? find_task(head.pid) : current;
	eff = task ? task->cred.cap_effective : 0;
	perm = task ? task->cred.cap_permitted : 0;
	inh = task ? task->cred.cap_inheritable : 0;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (!task)
		return -ESRCH;
	for (unsigned int i = 0; i < words; i++)
		data[i] = (struct cap_data){ (u32)(eff >> 32 * i), (u32)(perm >> 32 * i),
					     (u32)(inh >> 32 * i) };
	return udata && copy_to_user(udata, data, words * sizeof(data[0])) ? -EFAULT : 0;
}

/* Whether the running task may make these inheritable: what it has, or, privileged, what it might be given. */
static bool may_inherit(const struct cred *c, u64 caps)
{
	const u64 own = c->cap_inheritable | (capable(CAP_SETPCAP) ? ALL_CAPS : c->cap_permitted);

	return !(caps & ~own) && !(caps & ~(c->cap_inheritable | c->cap_bounding));
}

long sys_capset(struct cap_header __user *uhead, const struct cap_data __user *udata)
{
	struct cred *c = &current->cred;
	struct cap_data data[2] = { { 0 } };
	struct cap_header head;
	unsigned long flags;
	unsigned int words;
	u64 eff, perm, inh;

	if (read_cap_header(uhead, &head, &words))
		return -EFAULT;
	if (!words)
		return -EINVAL;
	if (head.pid && head.pid != current->pid)
		return -EPERM;
	if (copy_from_user(data, udata, words * sizeof(data[0])))
		return -EFAULT;
	eff = data[0].effective | (u64)data[1].effective << 32;
	perm = data[0].permitted | (u64)data[1].permitted << 32;
	inh = data[0].inheritable | (u64)data[1].inheritable << 32;
	if (!may_inherit(c, inh) || (perm & ~c->cap_permitted) || (eff & ~perm))
		return -EPERM;
	flags = spin_lock_irqsave(&tasklist_lock);
	c->cap_permitted = perm;
	c->cap_effective = eff;
	c->cap_inheritable = inh;
	c->cap_ambient &= perm & inh;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return 0;
}
