/* SPDX-License-Identifier: MIT */
/*
 * memfd_create(2): a file without a name, that goes with its last descriptor and mapping. And seals,
 * by which whoever shares such a file can be sure of what the others can't do to it any more; they are
 * never taken off. Every regular file of a tmpfs has them (fcntl(2)), but named ones are sealed against
 * seals from the start.
 */
#include "kernel/fs/memfd.h"

#include <arch/clock.h>

#include "kernel/abi/mman.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/timer.h"
#include "mm/filemap.h"

struct file *memfd_open(const char *name, unsigned int flags)
{
	unsigned int huge = flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
	struct file *file;

	/* Pages of 2 MiB and 1 GiB there would be, if there were huge pages at all. */
	if (flags & MFD_HUGETLB)
		return ERR_PTR(!huge || huge == 21 || huge == 30 ? -ENOSYS : -ENODEV);
	file = tmpfs_file_setup(name, 0, VM_NORESERVE, O_LARGEFILE);
	if (!IS_ERR(file) && (flags & MFD_ALLOW_SEALING))
		file->f_inode->i_data.shmem->seals &= ~(unsigned int)F_SEAL_SEAL;
	return file;
}

/* --- seals --------------------------------------------------------------------------------- */

/* How often, and how long at first, a transfer that is still going on is waited for. */
#define PIN_WAITS   4
#define PIN_WAIT_NS 10000000UL

/*
 * Who has taken hold of a page to write it later, by whatever way, must be done before it can be said
 * that nobody writes. 0 or -EBUSY.
 */
static int wait_for_pins(struct address_space *mapping)
{
	for (unsigned int scan = 0; shmem_has_pins(mapping); scan++) {
		if (scan == PIN_WAITS || sched_kill_pending())
			return -EBUSY;
		sleep_until(clock_ns() + (PIN_WAIT_NS << scan));
	}
	return 0;
}

/* => i_rwsem held for writing */
static int add_seals(struct inode *inode, unsigned int seals)
{
	struct shmem_info *info = inode->i_data.shmem;
	int err;

	if (info->seals & F_SEAL_SEAL)
		return -EPERM;
	if (seals & ~info->seals & F_SEAL_WRITE) {
		err = mapping_deny_writable(&inode->i_data);
		if (err)
			return err;
		err = wait_for_pins(&inode->i_data);
		if (err) {
			mapping_allow_writable(&inode->i_data);
			return err;
		}
	}
	WRITE_ONCE(info->seals, info->seals | seals);
	return 0;
}

int memfd_add_seals(struct file *file, unsigned long seals)
{
	struct inode *inode = file->f_inode;
	int err = -EINVAL;

	if (seals >> 32)
		return -EINVAL;
	if (!(file->f_mode & FMODE_WRITE))
		return -EPERM;
	if (seals & ~(unsigned long)F_ALL_SEALS)
		return -EINVAL;
	down_write(&inode->i_rwsem);
	if (is_tmpfs_file(inode))
		err = add_seals(inode, (unsigned int)seals);
	up_write(&inode->i_rwsem);
	return err;
}

int memfd_get_seals(const struct file *file)
{
	const struct inode *inode = file->f_inode;

	return is_tmpfs_file(inode) ? (int)READ_ONCE(inode->i_data.shmem->seals) : -EINVAL;
}
