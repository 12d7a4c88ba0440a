/* SPDX-License-Identifier: MIT */
/* User and group ids: setresuid(2), credentials(7), and what root's going does to capabilities(7). */
#include <arch/uaccess.h>

#include "kernel/process/current.h"
#include "kernel/syscall/sys.h"

#define CAP_SETGID 6
#define CAP_SETUID 7
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
	if (was_root && !is_root(c)) {
		c->cap_permitted = 0;
		c->cap_effective = 0;
	}
	if (old_euid == 0 && c->euid != 0)
		c->cap_effective = 0;
	if (old_euid != 0 && c->euid == 0)
		c->cap_effective = c->cap_permitted;
}

long sys_setresuid(u32 uid, u32 euid, u32 suid)
{
	struct cred *c = &current->cred;
	bool was_root = is_root(c);
	u32 old_euid = c->euid;

	if (!capable(CAP_SETUID) && (!id_allowed(uid, c->uid, c->euid, c->suid) ||
				     !id_allowed(euid, c->uid, c->euid, c->suid) ||
				     !id_allowed(suid, c->uid, c->euid, c->suid)))
		return -EPERM;
	if (uid != KEEP)
		c->uid = uid;
	if (euid != KEEP)
		c->euid = euid;
	if (suid != KEEP)
		c->suid = suid;
	c->fsuid = c->euid;
	adjust_capabilities(c, was_root, old_euid);
	return 0;
}

long sys_setresgid(u32 gid, u32 egid, u32 sgid)
{
	struct cred *c = &current->cred;

	if (!capable(CAP_SETGID) && (!id_allowed(gid, c->gid, c->egid, c->sgid) ||
				     !id_allowed(egid, c->gid, c->egid, c->sgid) ||
				     !id_allowed(sgid, c->gid, c->egid, c->sgid)))
		return -EPERM;
	if (gid != KEEP)
		c->gid = gid;
	if (egid != KEEP)
		c->egid = egid;
	if (sgid != KEEP)
		c->sgid = sgid;
	c->fsgid = c->egid;
	return 0;
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
	const struct cred *c = &current->cred;

	if (size < 0)
		return -EINVAL;
	if (size && (unsigned int)size < c->ngroups)
		return -EINVAL;
	if (size && copy_to_user(list, c->groups, c->ngroups * sizeof(u32)))
		return -EFAULT;
	return c->ngroups;
}

long sys_setgroups(unsigned int size, const u32 __user *list)
{
	struct cred *c = &current->cred;
	u32 groups[NGROUPS_MAX_TASK];

	if (!capable(CAP_SETGID))
		return -EPERM;
	if (size > NGROUPS_MAX_TASK)
		return -EINVAL;
	if (copy_from_user(groups, list, size * sizeof(u32)))
		return -EFAULT;
	for (unsigned int i = 0; i < size; i++)
		c->groups[i] = groups[i];
	c->ngroups = size;
	return 0;
}
