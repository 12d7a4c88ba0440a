/* SPDX-License-Identifier: MIT */
/* Extended attributes: setxattr(2), xattr(7). */
#ifndef ABI_XATTR_H
#define ABI_XATTR_H

#define XATTR_CREATE  1
#define XATTR_REPLACE 2

#define XATTR_NAME_MAX 255   /* bytes of a name, without its terminator */
#define XATTR_SIZE_MAX 65536 /* bytes of a value */

#endif
