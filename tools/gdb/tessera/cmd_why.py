# SPDX-License-Identifier: MIT
"""why, faults: what an access would do and why; what the last faults were."""
import gdb

from tessera import command, faults, kernel, paging, predict, process, pte, vma
from tessera.command import ADDRESS_WORDS, Command, address

KINDS = {"r": "r", "read": "r", "w": "w", "write": "w", "x": "x", "execute": "x"}
WHO = {"user": True, "kernel": False}
SIGNAL_NAMES = {11: "SIGSEGV", 7: "SIGBUS", 9: "SIGKILL"}
INDENT = " " * (faults.NAME_COLUMNS + 3)
SIG_DFL, SIG_IGN = 0, 1


def who(task):
    return f"{task.comm}[{task.pid}]"


# --- what is there --------------------------------------------------------------------------------

def distance(count):
    return command.size_words(count) if count else "nothing"


def area_lines(mm, at):
    """The area that holds the address; or the gap it is in, with its neighbours."""
    above = vma.find(mm, at)
    if above is not None and above.vm_start <= at:
        yield f"area   {vma.line(above, mm)}"
        return
    below = vma.get(above.vm_prev) if above is not None else vma.last(mm)
    low = below.vm_end if below is not None else 0
    high = above.vm_start if above is not None else pte.TASK_SIZE
    yield f"area   none: a gap of {distance(high - low)}, {low:#x}-{high:#x}"
    if below is not None:
        yield f"       below, {distance(at - below.vm_end)} away: {vma.line(below, mm)}"
    if above is not None:
        yield f"       above, {distance(above.vm_start - at)} away: {vma.line(above, mm)}"


def place_lines(mm, at, root):
    """Area and entry."""
    if at < pte.TASK_SIZE and mm is not None:
        yield from area_lines(mm, at)
    else:
        half = "in the kernel half, " if kernel.kernel_half(at) else ""
        yield f"area   none: {half}{kernel.region(at)}"
    last = paging.Walk(root, at).last
    yield f"entry  {pte.INTEL_NAMES[last.level]:<4} {last.table:#x}[{last.index}]: " \
        f"{last.entry:#x}, {pte.bits(last.entry, last.level)}"


# --- the handler's way ----------------------------------------------------------------------------

def step_lines(fault):
    for name in fault.steps:
        yield from faults.lines(name)
        if name in fault.details:
            yield from faults.wrapped(f"{INDENT}({fault.details[name]})", len(INDENT) + 1)


def entry_lines(fault):
    """What becomes of the entry, if it doesn't stay."""
    if fault.before == fault.after:
        return
    after = f"{fault.after:#018x}" if fault.frame else f"{fault.after:#018x} + the new frame"
    yield faults.entry_line(fault.before, after)
    yield f"{INDENT}({pte.bits(fault.after, 1)})"


def signal_words(task, end):
    """What a signal means to a program: a handler, or its end."""
    sig, code = predict.SIGNALS[end]
    name = SIGNAL_NAMES[sig]
    if task is None:
        return name
    if sig == 9:
        return f"{name}: {who(task)} ends"
    handler = kernel.struct("sighand", task.sighand).action[sig - 1].handler
    if handler in (SIG_DFL, SIG_IGN) or task.sig_blocked >> (sig - 1) & 1:
        return f"{name}: {who(task)} has no handler for it and ends"
    return f"{name}: {who(task)} has a handler for it, at {handler:#x}"


def outcome(prediction, task):
    """How it ends, in a sentence."""
    count = len(prediction.faults)
    if prediction.end is None:
        if not count:
            return "It succeeds, without a fault."
        return f"It succeeds, after {'one page fault' if count == 1 else f'{count} page faults'}."
    if prediction.end in predict.SIGNALS:
        return f"It fails. {signal_words(task, prediction.end)}."
    if prediction.end == "EFAULT":
        return "It fails: the system call returns EFAULT, or how much it did before."
    return "The kernel panics."


def handler_lines(fault):
    yield "what the fault handler does:"
    yield from step_lines(fault)
    yield from entry_lines(fault)


# --- the answer -----------------------------------------------------------------------------------

def explain(at, access, root, task, mm):
    """All lines of `why`."""
    by = who(task) if access.user and task is not None else "a program" if access.user else \
        "the kernel" + (f", for {who(task)}" if task is not None and at < pte.TASK_SIZE else "")
    yield f"{access.words} at {at:#x} by {by}"
    if not pte.is_canonical(at):
        yield from not_canonical(access, task)
        return
    yield from place_lines(mm, at, root)
    prediction = predict.predict(at, access, root, task, mm)
    for number, (refused, fault) in enumerate(zip(prediction.refusals, prediction.faults)):
        if number:
            yield "The instruction is tried again, and faults again."
        yield f"refused by the processor at the {refused.words}"
        yield f"page fault, error code {faults.error_words(refused.error)}"
        yield from handler_lines(fault)
    if prediction.end is None and prediction.faults:
        yield "The instruction is tried again."
    yield "=> " + outcome(prediction, task)
    if not access.user:
        yield from kernel_notes(at, access, root, task, mm)


def not_canonical(access, task):
    yield from faults.lines("NOT_CANONICAL")
    yield "No table is looked at and no page fault happens: it is a general protection fault"
    yield "(by way of rsp or rbp: a stack-segment fault, and SIGBUS)."
    if access.user:
        yield from faults.lines("SEGV_KERNEL")
        yield "=> It fails. " + signal_words(task, "SEGV_KERNEL") + "."
    else:
        yield "=> As a program's pointer in a system call it is refused before any access: EFAULT."
        yield "   By any other instruction the kernel panics."


def kernel_notes(at, access, root, task, mm):
    """The kernel has two ways to an address; the answer was about the likelier."""
    if at >= pte.TASK_SIZE:
        yield "   As a program's pointer in a system call it is refused before any access: EFAULT."
        return
    other = predict.predict(at, access, root, task, mm, uaccess=False)
    if other.faults:
        yield "   That is by copy_from_user() and its like. By any other instruction of the kernel:"
        yield f"   refused by the processor at the {other.refusals[0].words}"
        yield from step_lines(other.faults[0])
    else:
        yield "   Any other instruction of the kernel succeeds, too."


def explain_fault(regs, error, at, task, mm, root):
    """The lines about a fault that has just happened, with what will be done about it."""
    kind = "x" if error & faults.PF_INSTR else "w" if error & faults.PF_WRITE else "r"
    access = predict.Access(kind, bool(error & faults.PF_USER))
    by = who(task) if task is not None else "the kernel"
    mode = "" if error & faults.PF_USER else " in kernel mode"
    yield f"page fault: {by}{mode}, at ip {regs.ip:#x}, tries to {access.words} {at:#x}"
    yield f"error code {faults.error_words(error)}"
    yield from place_lines(mm, at, root)
    fault = predict.of_fault(at, error, root, task, mm,
                             predict.fixup_of(regs.ip))
    yield from handler_lines(fault)
    if fault.end in predict.SIGNALS:
        yield f"=> {signal_words(task, fault.end)}."
    elif fault.end is None:
        yield "=> The instruction is tried again."


class WhyCommand(Command):
    """Say what an access to an address would do, and why.

Usage: why ADDR [r|w|x] [user|kernel]
The area there or the gap; the entry; whether the processor refuses, at which level and by which
bit; what the fault handler would do about it, step by step; and how it ends. Without more said it
is a read by the program that `proc` chose, or that the selected CPU runs. `kernel` is an access
that the kernel makes for the program, by copy_from_user() and its like; or, in the kernel's half,
any.
The steps are the kernel's own, those that /proc/PID/fault and `faults` will show. What lies in
parentheses is what gdb sees behind a step at this moment."""

    name = "why"

    def run(self, argv):
        if not argv:
            raise self.usage()
        kind, user = "r", True
        for word in argv[1:]:
            if word in KINDS:
                kind = KINDS[word]
            elif word in WHO:
                user = WHO[word]
            else:
                raise gdb.GdbError(f"`{word}` is no access: r, w or x, and user or kernel.")
        for line in self.answer(address(argv[0]), predict.Access(kind, user)):
            print("\n".join(faults.wrapped(line, 7)))

    def answer(self, at, access):
        if process.chosen is None and not process.paging_is_on():
            raise gdb.GdbError(f"Paging is off on CPU {process.selected_cpu()}: every access "
                               "succeeds.")
        root, _ = process.current_root(at)
        task = mm = None
        if at < pte.TASK_SIZE:
            task, mm = process.current(), process.current_mm()
            root = process.root_of(mm)
        elif process.is_up():
            task = process.current()
        return list(explain(at, access, root, task, mm))

    def completions(self, before, word):
        return ADDRESS_WORDS if not before else ["r", "w", "x", "user", "kernel"]


class FaultsCommand(Command):
    """Show the last page faults of a process's thread, with the way each took.

Usage: faults [PID]
As /proc/PID/fault shows them, newest first: the last 8 of the thread since its program began. PID
may be a thread's; without it, it is the one that `proc` chose or that the selected CPU runs."""

    name = "faults"

    def run(self, argv):
        if len(argv) > 1:
            raise self.usage()
        if not process.is_up():
            raise gdb.GdbError("The kernel has no processes yet.")
        if argv:
            tid = command.number(argv[0], "process id")
            task = process.find(tid)
            if task is None:
                raise gdb.GdbError(f"There is no process {tid}: `ps` lists them.")
        else:
            task = process.current()
            if task is None:
                raise gdb.GdbError(f"CPU {process.selected_cpu()} runs no process now: "
                                   "`faults PID`; `ps` lists them.")
        found = faults.records(task)
        if not found:
            print(f"{who(task)} had no page fault since its program began.")
        for record in found:
            print("\n".join(faults.record_lines(record)))

    def completions(self, before, word):
        return command.pids() if not before else []


WhyCommand()
FaultsCommand()
