# SPDX-License-Identifier: MIT
"""What file a page cache belongs to, by name."""
from tessera import areas, frames, kernel, memory, slab


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


def name_of(mapping):
    """The name of the file that a struct address_space is the page cache of."""
    try:
        dentry = dentries().get(kernel.struct("address_space", mapping).host)
        if dentry is None:
            return "a file without a name"
        return areas.path(dentry._address)
    except memory.Unreadable:
        return "a file that can't be read"
