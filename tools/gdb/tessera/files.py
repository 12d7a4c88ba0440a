# SPDX-License-Identifier: MIT
"""What file a page cache belongs to, by name."""
from tessera import frames, kernel, memory, slab

MAX_DEPTH = 64


def dentries():
    """{inode: one of its names, a struct dentry} of all names in memory."""
    snapshot = frames.Snapshot()
    cache = next((c for c in slab.caches(snapshot) if c.name == "dentry"), None)
    if cache is None:
        return {}
    found = {}
    for address in sorted(cache.in_use()):
        dentry = kernel.struct("dentry", address)
        found.setdefault(dentry.d_inode, dentry)
    return found


def path(dentry):
    """The name of a dentry, from the root on; across mounts."""
    parts = []
    for _ in range(MAX_DEPTH):
        if dentry.d_parent != dentry._address:
            parts.append(kernel.string(dentry.d_name))
            dentry = kernel.struct("dentry", dentry.d_parent)
            continue
        sb = kernel.struct("super_block", dentry.d_sb)
        if not sb.s_covered:
            break
        dentry = kernel.struct("dentry", sb.s_covered)
    return "/" + "/".join(reversed(parts)) if parts else kernel.string(dentry.d_name)


def name_of(mapping):
    """The name of the file that a struct address_space is the page cache of."""
    try:
        dentry = dentries().get(kernel.struct("address_space", mapping).host)
        if dentry is None:
            return "a file without a name"
        return path(dentry) + (" (deleted)" if dentry.d_deleted else "")
    except memory.Unreadable:
        return "a file that can't be read"
