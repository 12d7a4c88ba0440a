# SPDX-License-Identifier: MIT
"""on-map: to be there when an area is inserted, removed or changed."""
import gdb

from tessera import command, faults, kernel, process, stops, vma
from tessera.cmd_why import who
from tessera.command import Command, address_range

# Of a system call, in this order: struct pt_regs.
ARGUMENTS = ("di", "si", "dx", "r10", "r8", "r9")
ARGUMENT_COUNTS = {"mmap": 6, "munmap": 2, "mprotect": 3, "mremap": 5, "brk": 1, "madvise": 3,
                   "mlock": 2, "munlock": 2, "mlock2": 3, "mlockall": 1, "munlockall": 0,
                   "shmat": 3, "shmdt": 1, "remap_file_pages": 5, "fork": 0, "vfork": 0, "execve": 3}


def system_call(task):
    """The system call that a task is in, with its arguments; None if it is in none."""
    regs = kernel.struct("pt_regs", task.se.stack_top - kernel.struct_layout("pt_regs").size)
    table = kernel.variable("sys_call_table")
    if regs.orig_ax >= len(table):
        return None
    name = kernel.function_at(table[regs.orig_ax]) or f"call {regs.orig_ax}"
    for prefix in ("sys_", "entry_"):
        name = name[len(prefix):] if name.startswith(prefix) else name
    shown = ARGUMENTS[:ARGUMENT_COUNTS.get(name, 3)]
    return f"{name}({', '.join(f'{getattr(regs, field):#x}' for field in shown)})"


class MapStop(stops.Stop):
    """Stops where a function changes areas within [low, high): of one address space, or of any."""

    function = None

    def __init__(self, low, high, task):
        self.low, self.high = low, high
        # Another process may get the structures' memory, or the number, later.
        self.owner = (task._address, task.pid, task.mm_part.mm) if task is not None else None
        self.family = []
        self.dead = False  # one of the family was deleted
        super().__init__(self.function)

    def change(self):
        """(the address space, start, end, what happens in words), by the function's arguments."""
        raise NotImplementedError

    def stop(self):
        return not self.dead and super().stop()

    def wanted(self):
        mm, start, end, _ = self.change()
        return start < self.high and end > self.low and (self.owner is None or self.is_owners(mm))

    def is_owners(self, mm):
        if mm != self.owner[2]:
            return False
        task = process.find(self.owner[1])
        return task is not None and (task._address, task.pid, task.mm_part.mm) == self.owner

    def tell(self):
        mm, _, _, words = self.change()
        task = stops.running_task()
        by, call = "the kernel", None
        if task is not None:
            by = who(task)
            call = system_call(task) or "a page fault"
        whose = ""
        if task is None or task.mm_part.mm != mm:
            owner = next((t for t in process.tasks() if t.mm_part.mm == mm), None)
            whose = ", of " + (who(owner) if owner is not None else "a process that is being made")
        yield f"{call or 'The kernel'}, by {by} on CPU {process.selected_cpu()}{whose}:"
        yield from faults.wrapped("  " + words, 4)

    @staticmethod
    def line(area):
        return vma.line(area, kernel.struct("mm_struct", area.vm_mm))


class Inserted(MapStop):
    function = "link_in_mm"

    def change(self):
        area = vma.get(process.register("rsi"))
        return process.register("rdi"), area.vm_start, area.vm_end, f"inserts {self.line(area)}"


class Removed(MapStop):
    function = "vma_unlink"

    def change(self):
        area = vma.get(process.register("rsi"))
        return process.register("rdi"), area.vm_start, area.vm_end, f"removes {self.line(area)}"


class Moved(MapStop):
    """Its ends: it grows, shrinks, or is joined or split."""
    function = "vma_set_range"

    def change(self):
        area, start, end = (vma.get(process.register("rdi")), process.register("rsi"),
                            process.register("rdx"))
        # What changes is what it gains or loses.
        low = min(start, area.vm_start) if start != area.vm_start else min(end, area.vm_end)
        high = max(end, area.vm_end) if end != area.vm_end else max(start, area.vm_start)
        return area.vm_mm, low, high, \
            f"{self.how(area, start, end)} {self.line(area)} to {start:#x}-{end:#x}"

    @staticmethod
    def how(area, start, end):
        less = start > area.vm_start or end < area.vm_end
        more = start < area.vm_start or end > area.vm_end
        return "changes" if less and more else "shrinks" if less else "extends" if more else "keeps"


class Changed(MapStop):
    """Its flags: mprotect, madvise, mlock."""
    function = "vma_change_flags"

    def change(self):
        area = vma.get(kernel.u64(process.register("rdi")))
        start, end, flags = (process.register(name) for name in ("rsi", "rdx", "rcx"))
        return area.vm_mm, start, end, \
            f"gives {start:#x}-{end:#x} the flags {vma.flag_words(flags)}: " \
            f"of {self.line(area)}, {vma.flag_words(area.vm_flags)}"


class OnMapCommand(Command):
    """Stop when an area is inserted, removed or changed, and say by whom and by which call.

Usage: on-map RANGE
RANGE is START-END, START+LENGTH, or an address for its page: in any process's address space; after
`proc PID`, in that one alone. These are breakpoints, one where areas are inserted, one where they
are removed, one where their ends move, and one where their flags change; nothing of it is done yet
when they stop. Deleting one deletes all four. A process that ends takes all its areas along, and
stops at none."""

    name = "on-map"

    def run(self, argv):
        if len(argv) != 1:
            raise self.usage()
        if not process.is_up():
            raise gdb.GdbError("The kernel has no processes yet.")
        low, high = address_range(argv[0])
        if high <= low:
            raise gdb.GdbError(f"`{argv[0]}` is an empty range.")
        task = None
        if process.chosen is not None:
            process.current_mm()
            task = process.current()
        family = [kind(low, high, task) for kind in (Inserted, Removed, Moved, Changed)]
        for stop in family:
            stop.family = family
        whose = f" of {who(task)}" if task is not None else ""
        print(f"Breakpoints {family[0].number}-{family[-1].number}: areas in "
              f"{low:#x}-{high:#x}{whose}")

    def completions(self, before, word):
        return command.ADDRESS_WORDS if not before else []


_doomed = []  # whose family has lost one; gdb mustn't lose them while it is about that one


def _deleted(stop):
    if not isinstance(stop, MapStop) or stop.dead:
        return
    for other in stop.family:
        other.dead = True
        if other is not stop and other.is_valid():
            other.enabled = False
            _doomed.append(other)
    gdb.post_event(_bury)


def _bury(_event=None):
    """Deletes them, when gdb is at rest and the guest stands still."""
    if any(thread.is_running() for thread in gdb.selected_inferior().threads()):
        return  # the next stop will do
    while _doomed:
        stop = _doomed.pop()
        if stop.is_valid():
            stop.delete()


gdb.events.breakpoint_deleted.connect(_deleted)
gdb.events.stop.connect(_bury)

OnMapCommand()
