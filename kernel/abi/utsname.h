/* SPDX-License-Identifier: MIT */
/* What uname(2) and /proc/sys/kernel say of the kernel. libc's look at the release. */
#ifndef ABI_UTSNAME_H
#define ABI_UTSNAME_H

#define UTS_SYSNAME    "Linux"
#define UTS_NODENAME   "tessera" /* there is nothing to change it by */
#define UTS_DOMAINNAME "(none)"
#define UTS_RELEASE    "6.1.0-tessera" /* what is here follows Linux 6.1 */
#define UTS_VERSION    "#1 Tessera"

#endif
