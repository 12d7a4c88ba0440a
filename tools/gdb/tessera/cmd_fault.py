# SPDX-License-Identifier: MIT
"""on-fault, next-fault, step-fault: to be there when a page fault happens."""
import gdb

from tessera import command, faults, kernel, memory, paging, predict, process, pte, stops
from tessera.cmd_why import explain_fault, signal_words, who
from tessera.command import Command, address_range


class FaultStop(stops.Stop):
    """Stops at page faults: at addresses of [low, high), or of a thread, or at any."""

    def __init__(self, low=0, high=1 << 64, tid=None, internal=False):
        self.low, self.high, self.tid = low, high, tid
        super().__init__(stops.ENTRY, internal)

    def wanted(self):
        if not self.low <= process.register("cr2") < self.high:
            return False
        if self.tid is None:
            return True
        task = stops.running_task()
        return task is not None and self.tid in (task.pid, task.tgid)

    def tell(self):
        fault = stops.Fault()
        return explain_fault(fault.regs, fault.error, fault.at, fault.task, fault.mm, fault.root)


class OnFaultCommand(Command):
    """Stop when a page fault happens at an address, or to a process, and explain it.

Usage: on-fault ADDR|RANGE|PID
ADDR stands for its page; RANGE is START-END or START+LENGTH; PID is a process's or a thread's
number, if there is one. An address counts in whatever process it is accessed; after `proc PID`, in
that one alone. It is a breakpoint: `info breakpoints` lists it, `delete`, `disable`, `commands` and
the like work on it.
The stop is where the handler begins: nothing has been done about the fault yet."""

    name = "on-fault"

    def run(self, argv):
        if len(argv) != 1:
            raise self.usage()
        if not process.is_up():
            raise gdb.GdbError("The kernel has no processes yet.")
        tid = self.tid(argv[0])
        if tid is not None:
            stop = FaultStop(tid=tid)
            print(f"Breakpoint {stop.number}: page faults of {who(process.find(tid))}")
            return
        low, high = address_range(argv[0])
        if high <= low:
            raise gdb.GdbError(f"`{argv[0]}` is an empty range.")
        whose = f" by {who(process.current())}" if process.chosen is not None else ""
        stop = FaultStop(low, high, process.chosen)
        print(f"Breakpoint {stop.number}: page faults at {low:#x}-{high:#x}{whose}")

    def tid(self, text):
        """The thread of that number, if it is a plain number and there is one."""
        return int(text) if text.isdecimal() and process.find(int(text)) is not None else None

    def completions(self, before, word):
        return command.ADDRESS_WORDS + command.pids() if not before else []


def chosen_tid():
    """The thread that `proc` chose, which is still there; or None, for any."""
    return process.current().pid if process.chosen is not None else None


def to_next_fault(tid):
    """Runs to the next page fault, of a thread or of anybody; None if something else came first."""
    stop = FaultStop(tid=tid, internal=True)
    try:
        if not stops.resume() or stop.told is None:
            return None
        return stop.told
    finally:
        if stop.is_valid():
            stop.delete()


class NextFaultCommand(Command):
    """Run to the next page fault, and explain it.

Usage: next-fault [PID]
Of anybody; or of the process that `proc` chose or PID says. It stops where the handler begins."""

    name = "next-fault"

    def run(self, argv):
        if len(argv) > 1:
            raise self.usage()
        if not process.is_up():
            raise gdb.GdbError("The kernel has no processes yet.")
        tid = chosen_tid() if not argv else None
        if argv:
            tid = command.number(argv[0], "process id")
            if process.find(tid) is None:
                raise gdb.GdbError(f"There is no process {tid}: `ps` lists them.")
        told = to_next_fault(tid)
        print("Something else stopped the guest before a page fault did." if told is None else told)

    def completions(self, before, word):
        return command.pids() if not before else []


# --- step by step ---------------------------------------------------------------------------------

def source():
    """Where the selected CPU is, in the kernel's source; of what a header holds, who uses it."""
    with memory.virtually():
        frame = gdb.selected_frame()
        while frame.type() == gdb.INLINE_FRAME and in_header(frame):
            frame = frame.older()
        place = frame.find_sal()
        name = frame.name() or "?"
        return f"{name}() at {place.symtab.filename}:{place.line}" if place.symtab else f"{name}()"


def in_header(frame):
    place = frame.find_sal()
    return place.symtab is not None and place.symtab.filename.endswith(".h")


class Watch(gdb.Breakpoint):
    """Stops when a word of the kernel's memory has changed; by the thread whose fault it is, where
    that is said."""

    def __init__(self, at, task=None):
        with memory.virtually():  # gdb reads it, to see whether it has changed
            super().__init__(f"*(unsigned long *){at:#x}", gdb.BP_WATCHPOINT, gdb.WP_WRITE,
                             internal=True)
        self.silent = True
        self.whose = task
        self.reached = False

    def stop(self):
        with memory.at_breakpoint():
            running = stops.running_task()
        here = self.whose is None or (running is not None and running._address == self.whose)
        self.reached = self.reached or here
        return here


class At(gdb.Breakpoint):
    """Stops at an address when the thread whose fault it is gets there; with that stack pointer,
    where one is said."""

    def __init__(self, at, task, rsp=None):
        super().__init__(f"*{at:#x}", gdb.BP_HARDWARE_BREAKPOINT, internal=True)
        self.silent = True
        self.whose, self.rsp = task, rsp
        self.reached = False

    def stop(self):
        with memory.at_breakpoint():
            running = stops.running_task()
            here = running is not None and running._address == self.whose \
                and (self.rsp is None or process.register("rsp") == self.rsp)
        self.reached = self.reached or here
        return here


class Walker:
    """One fault on its way, from `exception` to the return."""

    def __init__(self):
        fault = stops.Fault()
        self.task = fault.task._address
        self.at, self.error, self.root = fault.at, fault.error, fault.root
        self.ip, self.user = fault.regs.ip, bool(fault.regs.cs & 3)
        self.regs = fault.regs_address
        self.stack = process.register("rsp")
        self.number = 1
        self.path = fault.task.mm_part.fault.path
        self.path_at = fault.task.address_of("mm_part") \
            + kernel.struct_layout("task_mm").fields["fault"][0] \
            + kernel.struct_layout("fault_note").fields["path"][0]
        self.begun = False
        self.over = False  # the handler has returned
        self.back = 0  # where the handler returns to
        self.way = paging.Walk(self.root, self.at) if self.at < pte.TASK_SIZE else None

    def say(self, title, *lines):
        for line in faults.wrapped(f"{self.number}. {title}", 3):
            print(line)
        for line in lines:
            if line:
                print("\n".join(faults.wrapped(f"   {line}", 5)))
        self.number += 1

    # --- the first step

    def exception(self, fault):
        self.back = kernel.u64(self.stack)
        task = who(fault.task)
        with memory.virtually():
            insn = disassemble(self.ip)
        mode = "in user mode" if self.user else "in the kernel"
        self.say(f"exception: {task}, {mode}, at ip {self.ip:#x}: {insn}",
                 f"The processor put the address into CR2: {self.at:#x}, and pushed an error code,",
                 f"{faults.error_words(self.error)}.",
                 f"It went by vector 14 of the IDT to {defined(stops.ENTRY)}.")

    # --- the others

    def next(self):
        """Runs to the next thing worth telling. False if something else stopped the guest."""
        if self.over:
            return self.to_return()
        while True:
            ours, end = self.run()
            told = self.path_changed() | self.entry_changed()
            if end:
                self.returned()
            if told or end or not ours:
                return told or end

    def run(self):
        """Runs until the path or the entry changes or the handler returns: (whether it was one of
        these, whether it was the return)."""
        watches = [Watch(self.path_at)]
        if self.way is not None:
            watches.append(Watch(kernel.to_virt(self.way.last.where), self.task))
        end = At(self.back, self.task, self.stack + 8)
        try:
            stops.resume()
            return end.reached or any(watch.reached for watch in watches), end.reached
        finally:
            for stop in watches + [end]:
                if stop.is_valid():
                    stop.delete()

    def path_changed(self):
        """Tells the steps that were noted since."""
        path = kernel.u64(self.path_at)
        if path == self.path and self.begun:
            return False
        steps, old = faults.steps(path), faults.steps(self.path)
        if self.begun and steps[:len(old)] == old:
            steps = steps[len(old):]
        elif self.begun and old:
            self.say("once more, from the start: what is to be done needs more than the area's own "
                     "lock", source())
        self.begun, self.path = True, path
        for name in steps:
            self.say(f"{name}: {faults.text(name)}", source())
        return bool(steps)

    def entry_changed(self):
        """Tells what became of the entry that was watched."""
        if self.way is None:
            return False
        old, self.way = self.way.last, paging.Walk(self.root, self.at)
        new = next((step for step in self.way.steps if step.level == old.level), None)
        if new is None or new.entry == old.entry:
            return False
        name = pte.INTEL_NAMES[old.level]
        if old.level > 1:
            self.say(f"a table is made: {name} entry {old.table:#x}[{old.index}] {old.entry:#x} -> "
                     f"{new.entry:#x}", f"It leads to a new {pte.INTEL_NAMES[old.level - 1]} at "
                     f"{new.entry & pte.PFN_MASK:#x}, all zeros.", source())
            return True
        if not new.entry:
            self.say(f"the entry is cleared: {name} {old.table:#x}[{old.index}] "
                     f"{old.entry:#x} -> 0",
                     "All processors forget it, before the new one is set: nobody may still read "
                     "the old page when the new one is written.", source())
            return True
        lines = [f"before: {pte.bits(old.entry, 1)}", f"after:  {pte.bits(new.entry, 1)}"]
        if new.entry & pte.PRESENT:
            lines.append(frame_words(new.entry))
        self.say(f"the entry is set: {name} {old.table:#x}[{old.index}] {old.entry:#x} -> "
                 f"{new.entry:#x}", *lines, source())
        return True

    # --- the last ones

    def returned(self):
        """The handler is done."""
        self.over = True
        task = kernel.struct("task_struct", self.task)
        record = next(iter(faults.records(task)), None)
        kept = ""
        if record is not None:
            kept = f"The kernel keeps it as {who(task)}'s fault {record.seq // 2}."
        end = faults.steps(self.path)[-1] if self.path else None
        if end in predict.SIGNALS:
            self.say(f"the handler returns, and a signal waits. {signal_words(task, end)}.", kept)
        elif end == "EFAULT":
            ip = kernel.struct("pt_regs", self.regs).ip
            self.say(f"the handler returns, but not to the instruction: to its fixup, {ip:#x}, "
                     f"{kernel.function_at(ip)}", kept)
            self.ip = ip
        else:
            self.say(f"the handler returns: the instruction at {self.ip:#x} will be tried again",
                     kept)

    def to_return(self):
        """To the instruction, or to a signal's handler."""
        task = kernel.struct("task_struct", self.task)
        end = faults.steps(self.path)[-1] if self.path else None
        target = self.ip
        if end in predict.SIGNALS:
            sig = predict.SIGNALS[end][0]
            target = kernel.struct("sighand", task.sighand).action[sig - 1].handler
            if target <= 1:
                print(f"{who(task)} has no handler: it ends. `continue` lets it.")
                finish()
                return True
        stop = At(target, self.task)
        try:
            if not stops.resume():
                return False
        finally:
            if stop.is_valid():
                stop.delete()
        if not stop.reached:
            return False
        with memory.virtually():
            insn = disassemble(target)
        if end in predict.SIGNALS:
            self.say(f"back in user mode, in the signal's handler at {target:#x}: {insn}")
        else:
            mode = "in user mode" if self.user else "in the kernel"
            self.say(f"back {mode} at {target:#x}: {insn}")
        finish()
        return True


def disassemble(at):
    """The instruction at an address of the address space that is loaded."""
    try:
        frame = gdb.selected_frame()
        return frame.architecture().disassemble(at)[0]["asm"].replace("\t", " ").strip()
    except gdb.error:
        return "(can't be read)"


def defined(function):
    """A function and where it is, in the source."""
    found = kernel.symbol(function)
    return f"{function}() at {found.symtab.filename}:{found.line}"


def frame_words(entry):
    """The page that an entry maps."""
    pfn = pte.frame(entry) >> pte.PAGE_SHIFT
    if entry & pte.SPECIAL:
        zero = kernel.pfn_of(kernel.variable("zero_page"))
        return f"frame {pfn:#x}: " + ("the page of zeros, which all share" if pfn == zero else
                                      "not counted, as a device's")
    return predict.Frames.words(pfn, kernel.page_of(pfn))


walker = None  # the fault that step-fault follows


def finish():
    global walker
    walker = None


class StepFaultCommand(Command):
    """Follow a page fault from the exception to the return, a step each time.

Usage: step-fault
The first call runs to the next page fault (of the process that `proc` chose, if it did); or begins
with the one where on-fault or next-fault stopped. Each further call goes on to the next thing that
is worth a sentence: a step that the handler notes for its record, a table that is made, the entry
that is set, the return, the instruction that is tried again. `step-fault stop` gives the fault up;
the guest stays where it is. All else in the guest runs on between two steps."""

    name = "step-fault"

    def run(self, argv):
        global walker
        if argv == ["stop"]:
            finish()
            return
        if argv:
            raise self.usage()
        if not process.is_up():
            raise gdb.GdbError("The kernel has no processes yet.")
        if walker is None:
            self.first()
        elif not walker.next():
            print("Something else stopped the guest. `step-fault` goes on, `step-fault stop` gives "
                  "up.")

    def first(self):
        global walker
        if not stops.at_entry() and to_next_fault(chosen_tid()) is None:
            print("Something else stopped the guest before a page fault did.")
            return
        fault = stops.Fault()
        if fault.task is None:
            raise gdb.GdbError("No task has this fault: `next-fault` explains such.")
        walker = Walker()
        walker.exception(fault)

    def completions(self, before, word):
        return ["stop"] if not before else []


def _gone(_event=None):
    finish()


gdb.events.exited.connect(_gone)

OnFaultCommand()
NextFaultCommand()
StepFaultCommand()
