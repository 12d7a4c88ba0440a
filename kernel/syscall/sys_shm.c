/* SPDX-License-Identifier: MIT */
/* System V shared memory: what programs hand over and get back. */
#include <arch/uaccess.h>

#include "kernel/process/sysv_shm.h"
#include "kernel/syscall/sys.h"

long sys_shmget(int key, unsigned long size, int flags)
{
	return shm_get(key, size, flags);
}

long sys_shmat(int id, unsigned long addr, int flags)
{
	return shm_attach(id, addr, flags);
}

long sys_shmdt(unsigned long addr)
{
	return shm_detach(addr);
}

/* A result that is no error goes with what was asked for. */
static long answer(void __user *to, const void *from, size_t size, long ret)
{
	return ret >= 0 && copy_to_user(to, from, size) ? -EFAULT : ret;
}

static long set_segment(int id, const void __user *buf)
{
	struct shmid64_ds ds;

	return copy_from_user(&ds, buf, sizeof(ds)) ? -EFAULT : shm_set(id, &ds);
}

long sys_shmctl(int id, int cmd, void __user *buf)
{
	struct shm_info_kernel usage;
	struct shminfo64 limits;
	struct shmid64_ds ds;
	long ret;

	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
		ret = shm_limits(&limits);
		return answer(buf, &limits, sizeof(limits), ret);
	case SHM_INFO:
		ret = shm_usage(&usage);
		return answer(buf, &usage, sizeof(usage), ret);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		ret = shm_stat(id, cmd, &ds);
		return answer(buf, &ds, sizeof(ds), ret);
	case IPC_SET:
		return set_segment(id, buf);
	case IPC_RMID:
		return shm_remove(id);
	case SHM_LOCK:
		return shm_lock(id);
	case SHM_UNLOCK:
		return shm_unlock(id);
	}
	return -EINVAL;
}
