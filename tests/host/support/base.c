/* SPDX-License-Identifier: MIT */
/*
 * What kernel/base/ has and the C library lacks: strlcpy, kstrtoul and scnprintf, from the kernel's
 * own source. Everything else in there is renamed out of the library's way.
 */
#define memcpy	  unused_memcpy
#define memmove	  unused_memmove
#define memset	  unused_memset
#define memcmp	  unused_memcmp
#define memchr	  unused_memchr
#define strlen	  unused_strlen
#define strnlen	  unused_strnlen
#define strcmp	  unused_strcmp
#define strncmp	  unused_strncmp
#define strchr	  unused_strchr
#define strrchr	  unused_strrchr
#define strstr	  unused_strstr
#define strcspn	  unused_strcspn
#define vsnprintf unused_vsnprintf
#define snprintf  unused_snprintf

#include "kernel/base/string.c"
#include "kernel/base/printf.c"
