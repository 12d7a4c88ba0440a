/* SPDX-License-Identifier: MIT */
/* System V shared memory: shmget(2), shmop(2), shmctl(2) as on Linux x86-64. */
#ifndef KERNEL_ABI_SHM_H
#define KERNEL_ABI_SHM_H

#include <stdint.h>

#define IPC_PRIVATE 0

/* shmget's flags, beside the mode. */
#define IPC_CREAT     00001000
#define IPC_EXCL      00002000
#define SHM_HUGETLB   00004000
#define SHM_NORESERVE 00010000

/* shmat's. */
#define SHM_RDONLY 010000
#define SHM_RND	   020000
#define SHM_REMAP  040000
#define SHM_EXEC   0100000

/* shmctl's commands. */
#define IPC_RMID     0
#define IPC_SET	     1
#define IPC_STAT     2
#define IPC_INFO     3
#define SHM_LOCK     11
#define SHM_UNLOCK   12
#define SHM_STAT     13
#define SHM_INFO     14
#define SHM_STAT_ANY 15

/* In a segment's mode. */
#define SHM_DEST   01000 /* ends with its last attachment */
#define SHM_LOCKED 02000

#define SHMMIN 1 /* bytes: a segment's smallest size */
#define IPCMNI \
	32768 /* numbers of all segments are a sequence number times this, and a place below */

struct ipc64_perm {
	int32_t key;
	uint32_t uid, gid;
	uint32_t cuid, cgid; /* of who made it */
	uint32_t mode;
	uint16_t seq;
	uint16_t pad;
	uint32_t pad2;
	uint64_t unused[2];
};

struct shmid64_ds {
	struct ipc64_perm shm_perm;
	uint64_t shm_segsz;			 /* bytes */
	int64_t shm_atime, shm_dtime, shm_ctime; /* seconds since 1970 */
	int32_t shm_cpid, shm_lpid;
	uint64_t shm_nattch;
	uint64_t unused[2];
};
_Static_assert(sizeof(struct shmid64_ds) == 112, "struct shmid64_ds has 112 bytes");

/* IPC_INFO: limits. */
struct shminfo64 {
	uint64_t shmmax, shmmin, shmmni, shmseg, shmall;
	uint64_t unused[4];
};

/* SHM_INFO: what there is, in pages. */
struct shm_info_kernel {
	int32_t used_ids;
	int32_t pad;
	uint64_t shm_tot, shm_rss, shm_swp;
	uint64_t swap_attempts, swap_successes;
};

#endif
