# SPDX-License-Identifier: MIT
"""The kernel's table of reasons, mm/fault_steps.h, and the records that its fault handler keeps.

Every sentence about a fault comes from that table, out of the kernel's memory: here none is
written.
"""
import functools
import textwrap

import gdb

from tessera import kernel

RECORDS = 8  # of each task: FAULT_RECORDS

# The processor's error code, Intel SDM volume 3A, section 4.7.
PF_PRESENT, PF_WRITE, PF_USER, PF_RSVD, PF_INSTR = 1, 2, 4, 8, 16

NAME_COLUMNS = 17  # as the kernel prints them
COLUMNS = 96  # what is longer goes on in the next line


def error_words(error):
    """An error code in words."""
    words = ["the entry is there and forbids it" if error & PF_PRESENT else
             "an entry isn't present"]
    words.append("fetch of an instruction" if error & PF_INSTR else
                 "write" if error & PF_WRITE else "read")
    words.append("user mode" if error & PF_USER else "kernel mode")
    if error & PF_RSVD:
        words.append("a reserved bit is set")
    return f"{error:#x}: " + ", ".join(words)


def access_word(error):
    return "execute" if error & PF_INSTR else "write" if error & PF_WRITE else "read"


# --- the table ------------------------------------------------------------------------------------

@functools.lru_cache(maxsize=None)
def _names():
    return {value: name[len("STEP_"):] for value, name in kernel.enum_names("fault_step").items()
            if name.startswith("STEP_")}


@functools.lru_cache(maxsize=None)
def _numbers():
    return {name: value for value, name in _names().items()}


@functools.lru_cache(maxsize=None)
def _text(number):
    return kernel.string(kernel.variable("fault_step_text")[number], 512)


def _forget(_event=None):
    for cached in (_names, _numbers, _text):
        cached.cache_clear()


gdb.events.new_objfile.connect(_forget)


def text(name):
    """The kernel's sentence for a step."""
    number = _numbers().get(name)
    if number is None:
        raise gdb.GdbError(f"This kernel's table of reasons has no {name}.")
    return _text(number)


def wrapped(text, indent):
    """A line, in several if it is long: the others begin at that column."""
    return textwrap.wrap(text, COLUMNS, subsequent_indent=" " * indent, break_long_words=False,
                         break_on_hyphens=False, drop_whitespace=True)


def lines(name):
    """A step as /proc/PID/fault shows it."""
    return wrapped(f"  {name:<{NAME_COLUMNS}} {text(name)}", NAME_COLUMNS + 3)


def entry_line(before, after):
    """What became of the entry, likewise."""
    return f"  {'pte':<{NAME_COLUMNS}} {before:#018x} -> {after}"


def steps(path):
    """The names of a path's steps, first to last: a byte for each, the last in the lowest."""
    found = []
    while path:
        found.insert(0, _names().get(path & 0xFF, f"step {path & 0xFF}"))
        path >>= 8
    return found


# --- records --------------------------------------------------------------------------------------

def records(task):
    """What is remembered of a task's faults, newest first; seq is twice the number of each."""
    ring = task.mm_part.faults
    found = []
    for number in range(ring.count, max(ring.count - RECORDS, 0), -1):
        record = ring.records[(number - 1) % RECORDS]
        if record.seq == 2 * number:  # else it is being written
            found.append(record)
    return found


def record_lines(record):
    """A record in the words of /proc/PID/fault."""
    yield from wrapped(
        f"fault {record.seq // 2} tid {record.tid} cpu {record.cpu} tsc {record.tsc} "
        f"error {record.error:#x} {'user' if record.error & PF_USER else 'kernel'} "
        f"{access_word(record.error)} {record.address:#x} ip {record.ip:#x}", 4)
    if record.pte_before or record.pte_after:
        yield entry_line(record.pte_before, f"{record.pte_after:#018x}")
    for name in steps(record.path):
        yield from lines(name)
