# SPDX-License-Identifier: MIT
"""Functions for expressions: print $pte(0x400000), break ... if $walk($rdi) == 0x1234."""
import gdb

from tessera import areas, kernel, memory, paging, process, pte
from tessera.cmd_ptdump import no_paging_yet
from tessera.command import plain, senseless

functions = []  # all that are registered: (how it is called, the first line of its help)


class Function(gdb.Function):
    """A function of gdb's. The subclass's docstring is its help, call how it is called, and most
    tells how many arguments it takes at most (least: 1 unless said)."""

    call = None
    least = most = 1

    def __init__(self):
        super().__init__(self.call[1:].partition("(")[0])
        functions.append((self.call, self.__doc__.strip().split("\n")[0]))

    def of(self, *values):
        raise NotImplementedError

    def invoke(self, *values):
        if not self.least <= len(values) <= self.most:
            raise gdb.GdbError(f"Usage: {self.call}")
        if not memory._depth or memory.away:
            # In a breakpoint's condition: gdb doesn't announce that the guest ran in between.
            memory.forget()
        try:
            values = [plain(value) for value in values]
        except gdb.error as error:
            raise gdb.GdbError(f"That is no number or address: {error}") from None
        return quietly(self.of, *values)


def quietly(what, *values):
    """what(*values), which reads the guest's memory: gdb may be amid reading by virtual addresses,
    and goes on so afterwards."""
    with memory.session():
        before = bool(memory._physical)
        try:
            return what(*values)
        except memory.Unreadable as error:
            raise gdb.GdbError(f"{error}: damaged, or not set up yet?") from None
        except (gdb.GdbError, gdb.error):
            raise
        except Exception as error:
            raise gdb.GdbError(senseless(error)) from None
        finally:
            memory._set_mode(before)


def pointer(name, address):
    return gdb.Value(address).cast(gdb.lookup_type(f"struct {name}").pointer())


def the_walk(address):
    no_paging_yet()
    root, _ = process.current_root(address)
    return paging.Walk(root, address)


def task_of(pid=None):
    if pid is None:
        process.current_mm()
        return process.current()
    if not process.is_up():
        raise gdb.GdbError("The kernel has no processes yet.")
    task = process.find(pid)
    if task is None:
        raise gdb.GdbError(f"There is no process {pid}: `ps` lists them.")
    return task


class WalkFunction(Function):
    """The physical address that an address leads to, by the tables of the process.

$walk(ADDR): an error says what is missing when it leads nowhere. `walk ADDR` shows the way."""

    call = "$walk(ADDR)"

    def of(self, address):
        return gdb.Value(physical(address))


def physical(address):
    walk = the_walk(address)
    if walk.physical is not None:
        return walk.physical
    if walk.last is None:
        raise gdb.GdbError(f"{address:#x} is not canonical.")
    raise gdb.GdbError(f"{address:#x} leads nowhere: its {pte.NAMES[walk.last.level]} entry is "
                       f"{walk.entry:#x}, {pte.bits(walk.entry, walk.last.level)}.")


class PfnFunction(Function):
    """The number of the frame that an address leads to, by the tables of the process.

$pfn(ADDR)"""

    call = "$pfn(ADDR)"

    def of(self, address):
        return gdb.Value(physical(address) >> pte.PAGE_SHIFT)


class PteFunction(Function):
    """The last page-table entry on the way to an address: a pte_t, or pmd_t and so on.

$pte(ADDR): where a table is missing it is the entry of the level above, which is none. The number is
in its field v."""

    call = "$pte(ADDR)"

    def of(self, address):
        walk = the_walk(address)
        if walk.last is None:
            raise gdb.GdbError(f"{address:#x} is not canonical.")
        kind = gdb.lookup_type(f"{pte.NAMES[walk.last.level].lower()}_t")
        return gdb.Value(walk.entry.to_bytes(8, "little"), kind)


class PageFunction(Function):
    """The struct page of a frame: a pointer.

$page(PFN): a frame's number; or an address in the kernel's half, whose frame is meant; or what is
too much for a frame's number, which is taken for a physical address."""

    call = "$page(PFN)"

    def of(self, number):
        if kernel.kernel_half(number):
            pfn = kernel.translate(number) >> pte.PAGE_SHIFT
        elif kernel.page_of(number) is None:
            pfn = number >> pte.PAGE_SHIFT
        else:
            pfn = number
        if kernel.page_of(pfn) is None:
            raise gdb.GdbError(f"Frame {pfn:#x} has no struct page: it is no memory, or a "
                               "device's.")
        return pointer("page", kernel.page_address(pfn))


class VmaFunction(Function):
    """The area that an address of the process is in: a pointer to struct vm_area_struct, or 0.

$vma(ADDR)"""

    call = "$vma(ADDR)"

    def of(self, address):
        area = areas.find(process.current_mm(), address)
        return pointer("vm_area_struct", area.address if areas.covers(area, address) else 0)


class TaskFunction(Function):
    """The task of a process or thread id: a pointer to struct task_struct.

$task([PID]): without one it is the one that commands speak of."""

    call = "$task([PID])"
    least = 0

    def of(self, pid=None):
        return pointer("task_struct", task_of(pid)._address)


class MmFunction(Function):
    """The address space of a process: a pointer to struct mm_struct, or 0 for a kernel thread.

$mm([PID]): without one it is that of the process that commands speak of."""

    call = "$mm([PID])"
    least = 0

    def of(self, pid=None):
        mm = process.mm_of(task_of(pid))
        return pointer("mm_struct", mm._address if mm else 0)


class VmflagsFunction(Function):
    """vm_flags of an area, as text.

$vmflags(X): of a number; or of a pointer to struct vm_area_struct, that area's."""

    call = "$vmflags(X)"

    def of(self, flags):
        if kernel.kernel_half(flags):
            flags = areas.at(flags).vm_flags
        return " ".join(areas.flag_names(flags)) or "none"


class PteflagsFunction(Function):
    """The bits of a page-table entry, as text.

$pteflags(X[, LEVEL]): the level is 1 for a PTE, as when it isn't given, 2 for a PMD, 3 for a PUD,
4 for a PGD entry."""

    call = "$pteflags(X[, LEVEL])"
    most = 2

    def of(self, entry, level=1):
        if level not in pte.NAMES:
            raise gdb.GdbError("The level is 1, 2, 3 or 4.")
        return pte.bits(entry, level)


class PageflagsFunction(Function):
    """The flags of a struct page, as text.

$pageflags(X): of a pointer to struct page, or of the number in its field flags."""

    call = "$pageflags(X)"

    def of(self, value):
        if kernel.VMEMMAP_START <= value < kernel.VMEMMAP_END:
            value = kernel.struct("page", value).flags
        names = kernel.enum_names("pageflags")
        return " ".join(name[3:] for bit, name in sorted(names.items())
                        if name != "NR_PAGEFLAGS" and value >> bit & 1) or "none"


class VirtFunction(Function):
    """Where the kernel sees physical memory: an address in the direct map.

$virt(PHYS)"""

    call = "$virt(PHYS)"

    def of(self, phys):
        if phys >= kernel.PAGE_OFFSET_END - kernel.PAGE_OFFSET:
            raise gdb.GdbError(f"{phys:#x} is too much for a physical address.")
        return gdb.Value(kernel.to_virt(phys))


for _function in (WalkFunction, PfnFunction, PteFunction, PageFunction, VmaFunction, TaskFunction,
                  MmFunction, VmflagsFunction, PteflagsFunction, PageflagsFunction, VirtFunction):
    _function()
