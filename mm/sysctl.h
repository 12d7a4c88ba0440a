/* SPDX-License-Identifier: MIT */
/* What /proc/sys/vm can change: sysctl/vm. Each is read with no lock, as one word. */
#ifndef MM_SYSCTL_H
#define MM_SYSCTL_H

#include "kernel/base/types.h"

#define OVERCOMMIT_GUESS  0
#define OVERCOMMIT_ALWAYS 1
#define OVERCOMMIT_NEVER  2

extern int sysctl_max_map_count;
extern int sysctl_overcommit_memory;
extern int sysctl_overcommit_ratio; /* percent of RAM */
extern unsigned long sysctl_user_reserve_kbytes, sysctl_admin_reserve_kbytes;
extern unsigned long sysctl_mmap_min_addr; /* bytes */
extern int sysctl_legacy_va_layout;
extern unsigned long sysctl_overcommit_kbytes; /* instead of the ratio, unless 0 */
/* When memory is used up: whether to panic; whether who asked for it is to go, whatever he holds. */
extern int sysctl_panic_on_oom, sysctl_oom_kill_allocating_task;
/* What is put at random places: 0 nothing, 1 all but the heap, 2 the heap too. */
extern int sysctl_randomize_va_space;

/* Pages promised to all address spaces together, and how many mode 2 would allow. */
long vm_committed_pages(void);
unsigned long vm_commit_limit(void);

#endif
