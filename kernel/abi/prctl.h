/* SPDX-License-Identifier: MIT */
/* prctl(2): Linux's values. */
#ifndef ABI_PRCTL_H
#define ABI_PRCTL_H

#define PR_SET_PDEATHSIG       1
#define PR_GET_PDEATHSIG       2
#define PR_GET_DUMPABLE	       3
#define PR_SET_DUMPABLE	       4
#define PR_GET_KEEPCAPS	       7
#define PR_SET_KEEPCAPS	       8
#define PR_GET_TIMING	       13
#define PR_SET_TIMING	       14
#define PR_SET_NAME	       15
#define PR_GET_NAME	       16
#define PR_GET_SECCOMP	       21
#define PR_SET_SECCOMP	       22
#define PR_CAPBSET_READ	       23
#define PR_CAPBSET_DROP	       24
#define PR_GET_TSC	       25
#define PR_SET_TSC	       26
#define PR_GET_SECUREBITS      27
#define PR_SET_SECUREBITS      28
#define PR_SET_TIMERSLACK      29
#define PR_GET_TIMERSLACK      30
#define PR_MCE_KILL	       33
#define PR_MCE_KILL_GET	       34
#define PR_SET_MM	       35
#define PR_SET_CHILD_SUBREAPER 36
#define PR_GET_CHILD_SUBREAPER 37
#define PR_SET_NO_NEW_PRIVS    38
#define PR_GET_NO_NEW_PRIVS    39
#define PR_GET_TID_ADDRESS     40
#define PR_SET_THP_DISABLE     41
#define PR_GET_THP_DISABLE     42
#define PR_CAP_AMBIENT	       47

#define PR_TIMING_STATISTICAL 0
#define PR_TSC_ENABLE	      1

#define PR_MCE_KILL_CLEAR   0
#define PR_MCE_KILL_SET	    1
#define PR_MCE_KILL_LATE    0
#define PR_MCE_KILL_EARLY   1
#define PR_MCE_KILL_DEFAULT 2

#define PR_SET_MM_AUXV	   12
#define PR_SET_MM_MAP	   14
#define PR_SET_MM_MAP_SIZE 15

#define PR_CAP_AMBIENT_IS_SET	 1
#define PR_CAP_AMBIENT_RAISE	 2
#define PR_CAP_AMBIENT_LOWER	 3
#define PR_CAP_AMBIENT_CLEAR_ALL 4

/* Of PR_SET_SECUREBITS, each followed by the bit that locks it: capabilities(7). */
#define SECBIT_NOROOT		    0x01 /* user id 0 gives no capabilities by exec */
#define SECBIT_NO_SETUID_FIXUP	    0x04 /* changes of user ids leave them alone */
#define SECBIT_KEEP_CAPS	    0x10 /* the last user id of 0 that goes leaves the permitted ones */
#define SECBIT_NO_CAP_AMBIENT_RAISE 0x40
#define SECURE_ALL_BITS		    0x55
#define SECURE_ALL_LOCKS	    0xaa

/* Of PR_SET_DUMPABLE: whether its memory may be looked into by others of its user. */
#define SUID_DUMP_DISABLE 0
#define SUID_DUMP_USER	  1

#endif
