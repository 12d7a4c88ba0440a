# SPDX-License-Identifier: MIT
"""What an access would do: the processor's rules, and the way of the kernel's fault handler.

Here is what mm/fault.c, cow.c, filemap.c, pfnmap.c and special_mapping.c decide, in the same order,
by looking at memory only. A fault's path is a list of the steps in mm/fault_steps.h, by name; it is
the one that the kernel's record of the fault will show.
"""
import array

from tessera import kernel, paging, process, pte, vma
from tessera.faults import PF_INSTR, PF_PRESENT, PF_RSVD, PF_USER, PF_WRITE

PAGE_SIZE, PAGE_SHIFT, PAGE_MASK = 4096, 12, ~4095
STACK_GAP = 256 << PAGE_SHIFT
FAULT_AROUND = 16 << PAGE_SHIFT
RLIMIT_STACK, RLIMIT_MEMLOCK, RLIMIT_AS = 3, 8, 9
CAP_IPC_LOCK, CAP_SYS_ADMIN = 14, 21
OVERCOMMIT_GUESS, OVERCOMMIT_NEVER = 0, 2
ANON = 1  # in page->mapping

# How a path ends that doesn't lead to a page: the signal and its si_code.
SIGNALS = {"SEGV_MAPERR": (11, 1), "SEGV_ACCERR": (11, 2), "SEGV_KERNEL": (11, 128),
           "BUS_ADRERR": (7, 2), "KILLED": (9, 128)}
ENDS = set(SIGNALS) | {"EFAULT", "PANIC"}

MAX_FAULTS = 4  # one access leads to two at most; more would be a mistake here


class Access:
    """kind: r, w or x; by the program (user) or by the kernel."""

    def __init__(self, kind="r", user=True):
        self.kind = kind
        self.user = user

    @property
    def error(self):
        return {"r": 0, "w": PF_WRITE, "x": PF_INSTR}[self.kind] | (PF_USER if self.user else 0)

    @property
    def words(self):
        return {"r": "read", "w": "write", "x": "execute"}[self.kind]


# --- the processor --------------------------------------------------------------------------------

class Processor:
    """What its control registers say of access rights."""

    def __init__(self):
        cr0, cr4, efer = (process.register(name) for name in ("cr0", "cr4", "efer"))
        self.wp = bool(cr0 >> 16 & 1)
        self.smep = bool(cr4 >> 20 & 1)
        self.smap = bool(cr4 >> 21 & 1)
        self.nx = bool(efer >> 11 & 1)
        self.limits = process.cpu_limits()


class Way:
    """The entries that an address leads through; of a page that a fault will map, too."""

    def __init__(self, root, address):
        self.walk = paging.Walk(root, address)
        # (level, entry), as far as the processor looks.
        self.entries = [(step.level, step.entry) for step in self.walk.steps]
        self.frame = True  # whether the frame in the last entry is known

    @property
    def missing(self):
        """How many tables are missing."""
        level, entry = self.entries[-1]
        return level - 1 if level > 1 and not entry & pte.PRESENT else 0

    @property
    def entry(self):
        """The last level's, or None if the way doesn't lead there."""
        level, entry = self.entries[-1]
        return entry if level == 1 else None

    def becomes(self, fault):
        """The tables are there, with the last entry that a fault left."""
        known = {level: e for level, e in self.entries if e & pte.PRESENT}
        table = pte.PRESENT | pte.RW | pte.USER
        self.entries = [(level, known.get(level, table)) for level in (4, 3, 2)]
        self.entries.append((1, fault.after))
        self.frame = fault.frame


class Refusal:
    """Why the processor faults: the error code, the level, and a sentence."""

    def __init__(self, error, level, words):
        self.error = error
        self.level = level
        self.words = words


def refusal(way, access, cpu, uaccess=False):
    """None if the access succeeds. uaccess: by a function that lifts SMAP while it is at work."""
    def because(bits, level, words):
        return Refusal(access.error | bits, level, f"{pte.INTEL_NAMES[level]}: {words}")

    for level, entry in way.entries:
        if not entry & pte.PRESENT:
            if pte.is_protnone(entry):
                return because(0, level, "P=0, it keeps a frame that no access may reach")
            return because(0, level, "P=0" + (", it is empty" if not entry else ""))
        bad = pte.reserved(entry, level, **cpu.limits)
        if bad:
            return because(PF_PRESENT | PF_RSVD, level, f"reserved bits {bad:#x} are set")

    def without(bit):
        return next((level for level, e in way.entries if not e & bit), None)

    supervisor, leaf = without(pte.USER), way.entries[-1][0]
    if access.user and supervisor:
        return because(PF_PRESENT, supervisor, "U=0, the page is the kernel's alone")
    if not access.user and not supervisor:
        if access.kind == "x" and cpu.smep:
            return because(PF_PRESENT, leaf, "U=1, and SMEP forbids the kernel to run a "
                           "program's page")
        if access.kind != "x" and cpu.smap and not uaccess:
            return because(PF_PRESENT, leaf, "U=1, and SMAP forbids the kernel a program's page, "
                           "but to the functions that lift it (copy_from_user and its like)")
    if access.kind == "w" and without(pte.RW) and (access.user or cpu.wp):
        return because(PF_PRESENT, without(pte.RW), "W=0, read-only"
                       + ("" if access.user else ", which holds for the kernel, too (CR0.WP=1)"))
    if access.kind == "x" and cpu.nx:
        level = next((level for level, e in way.entries if e & pte.NX), None)
        if level:
            return because(PF_PRESENT, level, "NX=1, not executable")
    return None


# --- the fault handler ----------------------------------------------------------------------------

class Fault:
    """One page fault, as it will be.

    steps     its path
    details   {step: what stands behind it here, in words}
    before    the last-level entry, and
    after     what it becomes; both 0 where the way doesn't lead there
    frame     False: the frame in `after` isn't known before it is allocated; likewise
              `before_frame`
    """

    def __init__(self, address, error):
        self.address = address
        self.error = error
        self.steps = []
        self.details = {}
        self.before = self.after = 0
        self.frame = self.before_frame = True

    @property
    def recorded_error(self):
        """The error code in the kernel's record, out of which no program is to learn what is mapped
        in the kernel's half."""
        hidden = self.error & PF_USER and self.address >= pte.TASK_SIZE
        return self.error | PF_PRESENT if hidden else self.error

    @property
    def end(self):
        """How it ends if it can't be resolved, else None."""
        return self.steps[-1] if self.steps and self.steps[-1] in ENDS else None

    def note(self, step, detail=None):
        self.steps.append(step)
        if detail:
            self.details[step] = detail


class Frames:
    """What is known of the frame behind an entry."""

    @staticmethod
    def words(pfn, page):
        if page is None:
            return f"frame {pfn:#x}, which has no struct page"
        mapped = page.counts >> 32
        flags = " ".join(kernel.page_flags(page)) or "no flags"
        count = page.counts & 0xFFFFFFFF
        return f"frame {pfn:#x}: {count} reference{'' if count == 1 else 's'}, of them {mapped} " \
            f"by page tables; {flags}"


class Handler:
    """The fault handler at work for a task, in its address space. Changes nothing; a stack that has
    grown is remembered here."""

    def __init__(self, task, mm):
        self.task = task
        self.mm = mm
        self.grown = None  # (area's address, where it begins now)

    # --- which area

    def start(self, area):
        if self.grown and self.grown[0] == area.address:
            return self.grown[1]
        return area.vm_start

    def find_or_grow(self, fault):
        """The area, or None with the path at its end but for the end itself."""
        area = vma.find(self.mm, fault.address)
        if area is not None and self.start(area) <= fault.address:
            fault.note("AREA")
            return area
        if area is None or not area.vm_flags & vma.GROWSDOWN:
            fault.note("NO_AREA")
            return None
        fault.note("BELOW_STACK", vma.line(area, self.mm))
        return area if self.expand_stack(fault, area) else None

    def expand_stack(self, fault, area):
        start = fault.address & PAGE_MASK
        why = self.stack_has_no_room(area, start) or self.stack_may_not_grow(area, start)
        if why:
            fault.note(*why)
            return False
        fault.note("STACK_GROWS", f"from {area.vm_start:#x} to {start:#x}: by "
                   f"{(area.vm_start - start) >> 10} KiB, and is {(area.vm_end - start) >> 10} KiB "
                   "then")
        self.grown = (area.address, start)
        return True

    def stack_has_no_room(self, area, start):
        lowest = kernel.variable("sysctl_mmap_min_addr")
        if start < lowest:
            return "STACK_MIN_ADDR", f"which is {lowest:#x}"
        below = vma.get(area.vm_prev)
        if below is None:
            return None
        gap = start - below.vm_end
        if gap < 0 or (not below.vm_flags & vma.GROWSDOWN and below.vm_flags & vma.ACCESS
                       and gap < STACK_GAP):
            return "STACK_GAP", f"{max(gap, 0) >> 10} KiB would be left, {STACK_GAP >> 10} KiB " \
                f"must be, to {vma.line(below, self.mm)}"
        return None

    def stack_may_not_grow(self, area, start):
        grow = (area.vm_start - start) >> PAGE_SHIFT
        if grow > area.vm_pgoff:
            return "STACK_PGOFF", None
        limit = self.rlimit(RLIMIT_AS)
        if self.mm.total_vm + grow > limit >> PAGE_SHIFT:
            return "STACK_AS", f"{limit >> 10} KiB, of which {self.mm.total_vm << 2} are used"
        limit = self.rlimit(RLIMIT_STACK)
        if area.vm_end - start > limit:
            return "STACK_RLIMIT", f"it would be {(area.vm_end - start) >> 10} KiB, " \
                f"the limit is {limit >> 10} KiB"
        limit = self.rlimit(RLIMIT_MEMLOCK)
        if area.vm_flags & vma.LOCKED and self.mm.locked_vm + grow > limit >> PAGE_SHIFT \
                and not self.capable(CAP_IPC_LOCK):
            return "STACK_MEMLOCK", f"{limit >> 10} KiB, of which {self.mm.locked_vm << 2} are used"
        if area.vm_flags & vma.ACCOUNT and not self.enough_memory(grow):
            return "STACK_OVERCOMMIT", None
        return None

    def rlimit(self, kind):
        return kernel.struct("signal_struct", self.task.signal).rlim[kind].cur

    def capable(self, cap):
        return bool(self.task.cred.cap_effective >> cap & 1)

    def enough_memory(self, pages):
        """Whether so much can be promised: vm_enough_memory()."""
        mode = kernel.variable("sysctl_overcommit_memory")
        total = sum(zone.managed for zone in kernel.variable("zones"))
        if mode == OVERCOMMIT_GUESS:
            return pages <= total
        if mode != OVERCOMMIT_NEVER:
            return True
        allowed = total * (kernel.variable("sysctl_overcommit_ratio") & (1 << 64) - 1) // 100
        if not self.capable(CAP_SYS_ADMIN):
            allowed -= kernel.variable("sysctl_admin_reserve_kbytes") >> 2
        allowed -= min(self.mm.total_vm // 32, kernel.variable("sysctl_user_reserve_kbytes") >> 2)
        return kernel.variable("vm_committed") + pages < allowed

    # --- from the address to the entry

    def handle(self, address, error, way):
        """The fault that the kernel handles for the program: do_user_fault() and what it calls."""
        fault = Fault(address, error)
        fault.frame = fault.before_frame = way.frame
        by_kernel = not error & PF_USER
        if address >= pte.TASK_SIZE:
            fault.note("KERNEL_HALF")
            return self.ends(fault, "SEGV_MAPERR", by_kernel)
        area = self.find_or_grow(fault)
        if area is None:
            return self.ends(fault, "SEGV_MAPERR", by_kernel)
        if not self.allowed(fault, area):
            fault.before = fault.after = way.entry or 0
            return self.ends(fault, "SEGV_ACCERR", by_kernel)
        if way.missing:
            fault.note(f"TABLES_{way.missing}")
        fault.before = way.entry or 0
        fault.after = fault.before
        end = self.handle_entry(fault, area, fault.before)
        return self.ends(fault, end, by_kernel) if end else fault

    def ends(self, fault, end, by_kernel):
        fault.note("EFAULT" if by_kernel else end)
        return fault

    def allowed(self, fault, area):
        # A fetch from what isn't present is brought in as a read is, and refused when it is there.
        if fault.error & PF_WRITE:
            bits, word = vma.WRITE, "WRITABLE"
        elif fault.error & PF_INSTR and fault.error & PF_PRESENT:
            bits, word = vma.EXEC, "EXECUTABLE"
        else:
            bits, word = vma.ACCESS, "READABLE"
        good = bool(area.vm_flags & bits)
        may = {"WRITABLE": "MAY_WRITE", "EXECUTABLE": "MAY_EXEC", "READABLE": "MAY_READ"}[word]
        fault.note(may if good else "NOT_" + word)
        return good

    def handle_entry(self, fault, area, entry):
        """Returns how it ends, if badly."""
        write = fault.error & PF_WRITE
        if pte.is_none(entry):
            fault.note("ENTRY_NONE")
            if not area.vm_ops:
                return self.anonymous(fault, area, write)
            return self.from_behind(fault, area, write)
        if pte.is_swap_entry(entry):
            fault.note("ENTRY_UNKNOWN")
            return "BUS_ADRERR"
        if write and not entry & pte.RW:
            fault.note("ENTRY_READ_ONLY")
            self.write_protected(fault, area, entry)
            return None
        fault.note("ENTRY_FITS")
        if write:
            fault.after = entry | pte.ACCESSED | pte.DIRTY | pte.SOFT_DIRTY
        return None

    # --- nothing there yet

    def prot(self, area):
        return area.vm_page_prot & kernel.variable("pte_supported_mask") & (1 << 64) - 1

    def maps(self, fault, area, pfn, bits=0, written=False):
        """The entry becomes that, with the area's protection; pfn None: a frame not chosen yet."""
        entry = self.prot(area) | pte.ACCESSED | bits | ((pfn or 0) << PAGE_SHIFT)
        if written and area.vm_flags & vma.WRITE:
            entry |= pte.RW | pte.DIRTY | pte.SOFT_DIRTY
        fault.after, fault.frame = entry, pfn is not None

    def anonymous(self, fault, area, write):
        if write:
            fault.note("FRESH_PAGE")
            self.maps(fault, area, None, written=True)
            return None
        zero = kernel.pfn_of(kernel.variable("zero_page"))
        fault.note("ZERO_PAGE", f"frame {zero:#x}")
        self.maps(fault, area, zero, pte.SPECIAL)
        return None

    def from_behind(self, fault, area, write):
        operations = vma.ops(area)
        page = self.page_behind(fault, area, operations)
        if page.end or page.device:
            return page.end
        if not write:
            around = bool(operations.map_pages)
            fault.note("MAP_AROUND" if around else "MAP_PAGE",
                       self.around_words(area, fault.address) if around else None)
            self.maps(fault, area, page.pfn)
        elif not area.vm_flags & vma.SHARED:
            fault.note("COPY_FILE_PAGE")
            self.maps(fault, area, None, written=True)
        else:
            if operations.page_mkwrite:
                fault.note("MKWRITE")
            fault.note("SHARED_WRITE")
            self.maps(fault, area, page.pfn, written=True)
        return None

    def page_behind(self, fault, area, operations):
        """What vm_ops->fault will find: by which function it is, one after the other."""
        pgoff = vma.pgoff(area, fault.address & PAGE_MASK)
        if not operations.fault:
            fault.note("NO_PAGE_BEHIND")
            return Behind(end="BUS_ADRERR")
        is_a = self.function_is(operations.fault)
        if is_a("filemap_fault", "shm_fault"):
            return self.file_page(fault, area, pgoff)
        if is_a("special_mapping_fault"):
            return self.special_page(fault, area, pgoff)
        if is_a("memdemo_fault"):
            demo = kernel.variable("memdemo")
            memory, regs = kernel.pfn_of(demo.memory), kernel.pfn_of(demo.regs)
            return self.device_frame(fault, area, regs if pgoff == 1024 else memory + pgoff)
        # Of another driver's we know only what it can do.
        fault.note("MAP_DEVICE", f"by {kernel.function_at(operations.fault)}()")
        return Behind(device=True)

    @staticmethod
    def function_is(address):
        return lambda *names: any(kernel.has_symbol(name) and kernel.address_of(name) == address
                                  for name in names)

    def device_frame(self, fault, area, pfn):
        fault.note("MAP_DEVICE", f"frame {pfn:#x}")
        self.maps(fault, area, pfn, pte.SPECIAL)
        if not area.vm_flags & vma.SOFTDIRTY:  # somebody wants to see the first write
            fault.after &= ~pte.RW
        return Behind(device=True)

    def special_page(self, fault, area, pgoff):
        special = kernel.struct("vm_special_mapping", area.vm_private_data)
        if special.fault:
            # [vvar]: one page, which lies in the kernel's image.
            if pgoff == 0:
                data = kernel.address_of("vdso_data") - kernel.IMAGE_BASE
                return self.device_frame(fault, area, data >> PAGE_SHIFT)
        elif pgoff < special.nr_pages:
            pfn = kernel.pfn_of(kernel.u64(special.pages + 8 * pgoff))
            fault.note("KERNEL_PAGE",
                       f"page {pgoff} of {kernel.string(special.name)}, frame {pfn:#x}")
            return Behind(pfn=pfn)
        fault.note("NO_PAGE_BEHIND", f"page {pgoff:#x} of {kernel.string(special.name)}")
        return Behind(end="BUS_ADRERR")

    def file_page(self, fault, area, pgoff):
        mapping = mapping_of(area)
        if pgoff >= file_pages(mapping):
            fault.note("BEYOND_EOF", f"page {pgoff:#x} of a file of {mapping.size} bytes")
            return Behind(end="BUS_ADRERR")
        page = cached_page(mapping, pgoff)
        if page is not None and uptodate(page):
            pfn = kernel.pfn_of(page._address)
            fault.note("PAGE_CACHED", f"page {pgoff:#x} of the file, " + Frames.words(pfn, page))
            return Behind(pfn=pfn)
        operations = None
        if mapping.a_ops:
            operations = kernel.struct("address_space_operations", mapping.a_ops)
        read = operations is not None and operations.read_page
        fault.note("PAGE_READ" if read else "PAGE_ZEROS", f"page {pgoff:#x} of the file"
                   + (f", by {kernel.function_at(operations.read_page)}()" if read else ""))
        if page is not None:
            return Behind(pfn=kernel.pfn_of(page._address))
        if operations is not None and operations.charge_page and not self.has_room(mapping):
            fault.note("NO_ROOM")
            return Behind(end="BUS_ADRERR")
        return Behind()

    def has_room(self, mapping):
        """For one page more of shared memory: shmem_charge_page()."""
        if not mapping.shmem:
            return True
        info = kernel.struct("shmem_info", mapping.shmem)
        if info.noreserve and not self.enough_memory(1):
            return False
        sb = kernel.struct("shmem_sb_info", info.sb) if info.sb else None
        return sb is None or sb.used_blocks + 1 <= sb.max_blocks

    def around_words(self, area, address):
        """Which pages beside it are in memory and not mapped yet."""
        low, high = around(area, address)
        mapping, root = mapping_of(area), process.root_of(self.mm)
        others = 0
        for at in range(low, high, PAGE_SIZE):
            if at == address & PAGE_MASK or vma.pgoff(area, at) >= file_pages(mapping):
                continue
            page = cached_page(mapping, vma.pgoff(area, at))
            if page is None or not uptodate(page):
                continue
            walk = paging.Walk(root, at)
            others += walk.last.level > 1 or walk.entry == 0
        return f"{others} other{'' if others == 1 else 's'} within {low:#x}-{high:#x}"

    # --- there, but read-only

    def write_protected(self, fault, area, entry):
        pfn = pte.frame(entry) >> PAGE_SHIFT
        special = entry & pte.SPECIAL
        page = None if special else kernel.page_of(pfn)
        words = Frames.words(pfn, page) if not special else f"frame {pfn:#x}"
        if area.vm_flags & vma.SHARED:
            if page is not None and vma.ops(area) is not None and vma.ops(area).page_mkwrite:
                fault.note("MKWRITE")
            fault.note("SHARED_WRITABLE", words)
            return self.reuse(fault, area, entry)
        anon = page is not None and page.mapping & ANON
        if anon and "anon_exclusive" in kernel.page_flags(page):
            fault.note("REUSE_EXCLUSIVE", words)
            return self.reuse(fault, area, entry)
        if anon and page.counts & 0xFFFFFFFF == 1:
            fault.note("REUSE_LAST", words)
            return self.reuse(fault, area, entry)
        if page is not None:
            fault.note("COPY_ON_WRITE" if anon else "COPY_FROM_FILE", words)
        elif pfn == kernel.pfn_of(kernel.variable("zero_page")):
            fault.note("COPY_ZERO", words)
        else:
            fault.note("COPY_DEVICE", words)
        return self.maps(fault, area, None, written=True)

    def reuse(self, fault, area, entry):
        fault.after = entry | pte.ACCESSED | pte.DIRTY | pte.SOFT_DIRTY
        if area.vm_flags & vma.WRITE:
            fault.after |= pte.RW


class Behind:
    """What stands behind an area: a page (its frame, if it is in memory already), a driver that
    maps by itself, or the end."""

    def __init__(self, pfn=None, device=False, end=None):
        self.pfn = pfn
        self.device = device
        self.end = end


# --- the page cache -------------------------------------------------------------------------------

def mapping_of(area):
    """The address_space of the file an area shows."""
    return kernel.struct("address_space", kernel.struct("vm_file", area.vm_file).mapping)


def file_pages(mapping):
    return (mapping.size + PAGE_SIZE - 1) >> PAGE_SHIFT


def cached_page(mapping, index):
    """The page of a file in the page cache, or None."""
    node, shift = mapping.pages.node, 64
    while node:
        fields = kernel.struct("radix_tree_node", node)
        if fields.shift >= shift:
            return None  # damaged: each level looks at lower bits
        shift = fields.shift
        if fields.shift + 6 < 64 and fields.parent == 0 and index >> (fields.shift + 6):
            return None
        slot = fields.slots[index >> fields.shift & 63]
        if not fields.shift:
            return kernel.struct("page", slot) if slot else None
        node = slot
    return None


def uptodate(page):
    return "uptodate" in kernel.page_flags(page)


def around(area, address):
    """What a read of a file's page looks at: [low, high)."""
    low = max(address & ~(FAULT_AROUND - 1), area.vm_start)
    high = min(low + FAULT_AROUND, (low & ~((1 << 21) - 1)) + (1 << 21), area.vm_end)
    return low, high


# --- the kernel's own addresses -------------------------------------------------------------------

def is_guard(address):
    """Whether it is the guard page of a kernel stack."""
    return any(vm.below and vm.addr - vm.below <= address < vm.addr
               for vm in kernel.list_of("vm_struct", "link", kernel.address_of("vm_list")))


def kernel_fault(address, error, in_program, fixup=False):
    """A fault of the kernel's own that no area can help: it panics, but for instructions with a
    fixup."""
    fault = Fault(address, error)
    if error & PF_RSVD:
        fault.note("RESERVED_BITS")
    elif address < pte.TASK_SIZE:
        fault.note("NO_PROGRAM" if not in_program else "NO_WAIT" if fixup else "NOT_UACCESS")
    elif is_guard(address):
        fault.note("GUARD_PAGE")
    elif not error & PF_PRESENT:
        fault.note("NOT_MAPPED")
    elif error & PF_INSTR:
        fault.note("MAPPED_NO_EXEC")
    else:
        fault.note("MAPPED_READ_ONLY" if error & PF_WRITE else "MAPPED_WELL")
    fault.note("EFAULT" if fixup else "PANIC")
    return fault


# --- the whole access -----------------------------------------------------------------------------

class Prediction:
    """What an access comes to.

    faults     the page faults on the way, in order; none: it succeeds at once
    refusals   for each, why the processor makes it
    end        None if it succeeds at last; else the name of the step it ends in
    """

    def __init__(self, address, access):
        self.address = address
        self.access = access
        self.faults = []
        self.refusals = []
        self.end = None


def predict(address, access, root, task=None, mm=None, uaccess=True):
    """What the access does in the address space of a task; or, without one, in the kernel's half.
    By the kernel it is made by copy_from_user() and its like, unless uaccess is False."""
    prediction = Prediction(address, access)
    if not pte.is_canonical(address):
        prediction.end = "SEGV_KERNEL" if access.user else "EFAULT" if uaccess else "PANIC"
        return prediction
    cpu, way = Processor(), Way(root, address)
    handler = Handler(task, mm)
    for_program = access.user or (uaccess and mm is not None and address < pte.TASK_SIZE)
    while len(prediction.faults) < MAX_FAULTS:
        refused = refusal(way, access, cpu, uaccess)
        if refused is None:
            return prediction
        if for_program and not refused.error & PF_RSVD:
            fault = handler.handle(address, refused.error, way)
        else:
            fault = kernel_fault(address, refused.error, mm is not None)
        prediction.refusals.append(refused)
        prediction.faults.append(fault)
        prediction.end = fault.end
        if fault.end:
            return prediction
        way.becomes(fault)
    return prediction


def of_fault(address, error, root, task, mm, fixup=None):
    """A fault that has happened already, with this error code: what the handler does about it. By
    the kernel, fixup says what the instruction has: see FIXUP_*."""
    if not error & PF_RSVD and (error & PF_USER or (fixup == FIXUP_MAY_FAULT and mm is not None
                                                    and address < pte.TASK_SIZE)):
        return Handler(task, mm).handle(address, error, Way(root, address))
    return kernel_fault(address, error, mm is not None, fixup is not None and not error & PF_USER)


FIXUP_MAY_FAULT, FIXUP_NO_FAULT = "may fault", "no fault"


def fixup_of(ip):
    """What the kernel's exception table has for an instruction: FIXUP_* or None."""
    at, end = (kernel.address_of(f"__{edge}___ex_table") for edge in ("start", "stop"))
    table = array.array("i", kernel.read(at, end - at))
    for i in range(0, len(table) - 2, 3):
        if (at + 4 * i + table[i]) & (1 << 64) - 1 == ip:
            return FIXUP_NO_FAULT if table[i + 2] else FIXUP_MAY_FAULT
    return None
