# SPDX-License-Identifier: MIT
"""Object caches: which objects of a kind there are, and which of them are in use."""
from tessera import kernel, memory, process

FREE_BYTE = 0x6B
STATE_SHIFT = 32
STATE_FREE = 0xF4EEF4EE
STATE_INUSE = 0xA110CEDA
MAG_SIZE = 16


class Cache:
    """A struct kmem_cache. `slabs` are its slabs as Frames, where a Snapshot was given."""

    def __init__(self, object_):
        self.object = object_
        self.address = object_._address
        self.name = kernel.string(object_.name)
        self.object_size = object_.object_size
        self.stride = object_.stride
        self.lead = object_.lead
        self.order = object_.order
        self.objs_per_slab = object_.objs_per_slab
        self.nr_slabs = object_.nr_slabs
        self.nr_used = object_.nr_used
        self.slabs = []

    @property
    def partial_head(self):
        return self.object.address_of("partial")

    @property
    def has_debug_word(self):
        """In debug builds a word behind each object says whether it is out."""
        return "zaps_begun" in kernel.struct_layout("mm_struct").fields

    def magazine(self, cpu):
        """The objects in a CPU's magazine: free, but out of the slab's sight."""
        mag = self.object.mags[cpu]
        return [mag.objs[i] for i in range(min(mag.count, MAG_SIZE))]

    def cached(self):
        """What /proc/slabinfo takes off: objects in magazines, no more than are out."""
        n = sum(self.object.mags[cpu].count for cpu in process.online_cpus())
        return min(n, self.nr_used)

    def base(self, slab):
        """The first object of a slab."""
        return kernel.to_virt(slab.pfn << memory.PAGE_SHIFT) + self.lead

    def is_object(self, slab, address):
        offset = address - self.base(slab)
        return 0 <= offset < self.stride * self.objs_per_slab and offset % self.stride == 0

    def free_chain(self, slab):
        """The free objects of a slab as they are chained; a damaged chain ends with what doesn't fit."""
        chain, seen = [], set()
        obj = slab.index
        while obj:
            chain.append(obj)
            if obj in seen or not self.is_object(slab, obj):
                break
            seen.add(obj)
            obj = kernel.u64(obj)
        return chain

    def all_objects(self, slab):
        base = self.base(slab)
        return range(base, base + self.stride * self.objs_per_slab, self.stride)

    def in_use(self):
        """The addresses of all objects that somebody has. Needs `slabs`."""
        free = {obj for cpu in range(kernel.NR_CPUS) for obj in self.magazine(cpu)}
        used = set()
        for slab in self.slabs:
            used.update(self.all_objects(slab))
            free.update(self.free_chain(slab))
        return used - free

    def state_word(self, obj):
        """A debug build's word behind an object: its state, how often it was handed out, the size asked for."""
        return kernel.u64(obj + self.stride - 8)

    def state(self, obj):
        return self.state_word(obj) >> STATE_SHIFT


def caches(snapshot=None):
    """All of them; with their slabs, if there is a Snapshot."""
    count = kernel.variable("nr_caches")
    every = kernel.variable("caches")
    found = [Cache(every[i]) for i in range(min(count, len(every)))]
    if snapshot is not None:
        by_address = {cache.address: cache for cache in found}
        for pfn in snapshot.with_flag("PG_slab"):
            slab = snapshot.get(pfn)
            owner = by_address.get(slab.mapping)
            if owner is not None:
                owner.slabs.append(slab)
    return found


def prefetch(snapshot):
    """Reads the contents of all slabs and page tables together."""
    wanted = list(snapshot.with_flag("PG_table"))
    for pfn in snapshot.with_flag("PG_slab"):
        slab = snapshot.get(pfn)
        wanted.extend(range(pfn, pfn + (1 << min(slab_order(slab), 3))))
    memory.prefetch(wanted)


def slab_order(slab):
    """The order of a slab's block, by its cache."""
    try:
        return kernel.struct("kmem_cache", slab.mapping).order
    except memory.Unreadable:
        return 0


def object_at(address):
    """(Cache, object's address, its offset) of what lies at a kernel address; None if no slab is there."""
    from tessera import frames
    try:
        pfn = kernel.virt_to_pfn(address)
    except memory.Unreadable:
        return None
    if not kernel.PAGE_OFFSET <= address < kernel.PAGE_OFFSET_END:
        return None
    frame = frames.frame(pfn)
    if frame is not None and frame.has("PG_tail"):
        frame = frames.frame(kernel.pfn_of(frame.mapping))
    if frame is None or not frame.has("PG_slab"):
        return None
    cache = Cache(kernel.struct("kmem_cache", frame.mapping))
    offset = address - cache.base(frame)
    if not 0 <= offset < cache.stride * cache.objs_per_slab:
        return None
    return cache, cache.base(frame) + offset // cache.stride * cache.stride, offset % cache.stride
