# SPDX-License-Identifier: MIT
"""The guest's physical memory, read through QEMU's stub.

QEMU's stub takes addresses as physical while its PhyMemMode is 1. The mode is switched on with the first
read of a command and off at its end, whatever happens in between. What was read is kept, in blocks of
a page, until the guest runs or gdb writes.
"""
import gdb

PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT

_blocks = {}  # frame number: its bytes
_depth = 0  # commands that are at work
_physical = False  # the stub's mode; None: it isn't known, somebody has interrupted
away = False  # a command of ours lets the guest run


class Counters:
    """What reading cost since the last reset: for tests, which don't look at clocks."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.reads = 0
        self.bytes = 0


counters = Counters()


class Unreadable(Exception):
    """There is no memory at an address."""

    def __init__(self, address, kind="physical address"):
        super().__init__(f"cannot read {kind} {address:#x}")
        self.address = address


def forget(_event=None):
    """What was read may be old from now on."""
    _blocks.clear()


for _registry in (gdb.events.cont, gdb.events.stop, gdb.events.memory_changed, gdb.events.exited,
                  gdb.events.new_objfile):
    _registry.connect(forget)


def _gone(_event):
    """The connection's end: the next one begins anew."""
    global _physical
    _physical = False


gdb.events.exited.connect(_gone)


def _set_mode(on):
    global _physical
    if _physical is on:
        return
    _physical = None
    try:
        answer = gdb.execute(f"maintenance packet Qqemu.PhyMemMode:{int(on)}", to_string=True)
    except gdb.error:
        _physical = False
        raise gdb.GdbError("There is no guest to look at: use `make debug`, or `target remote`.") from None
    if "OK" not in answer:
        _physical = False
        raise gdb.GdbError("The target cannot read physical memory: it is to be QEMU's gdb stub, of "
                           "QEMU 4.1 or newer.")
    _physical = on


class session:
    """While a command is at work: `with session(): …`. Leaves the stub as it was."""

    def __enter__(self):
        global _depth
        _depth += 1

    def __exit__(self, *_exc):
        global _depth
        _depth -= 1
        if not _depth:
            restore()


def restore():
    """Leaves the stub in gdb's mode, even if somebody presses Ctrl-C now."""
    try:
        _set_mode(False)
    except KeyboardInterrupt:
        _set_mode(False)
        raise


class virtually:
    """For what gdb itself is to read meanwhile, by virtual addresses: an expression of the user's."""

    def __enter__(self):
        self.before = bool(_physical)
        _set_mode(False)

    def __exit__(self, *_exc):
        if self.before:
            _set_mode(True)


class at_breakpoint:
    """While gdb stands at a breakpoint that may not stop, in the middle of a command or of none: reads
    anew what has to be read, and leaves the stub as gdb wants it, to go on."""

    def __enter__(self):
        forget()
        self.session = session()
        self.session.__enter__()

    def __exit__(self, *exc):
        self.session.__exit__(*exc)
        _set_mode(False)
        forget()


def _fetch(address, length):
    with session():
        _set_mode(True)
        counters.reads += 1
        counters.bytes += length
        try:
            return bytes(gdb.selected_inferior().read_memory(address, length))
        except gdb.MemoryError:
            raise Unreadable(address) from None
        except gdb.error as error:
            raise gdb.GdbError(f"There is no guest to look at: {error}") from None


def page(pfn):
    """The 4,096 bytes of one frame."""
    block = _blocks.get(pfn)
    if block is None:
        block = _blocks[pfn] = _fetch(pfn << PAGE_SHIFT, PAGE_SIZE)
    return block


def prefetch(pfns):
    """Reads frames that will be asked for soon; those that follow each other, in one go."""
    missing = sorted(set(pfns) - _blocks.keys())
    start = 0
    for i in range(1, len(missing) + 1):
        if i < len(missing) and missing[i] == missing[i - 1] + 1 and i - start < 256:
            continue
        first, count = missing[start], i - start
        data = _fetch(first << PAGE_SHIFT, count << PAGE_SHIFT)
        for n in range(count):
            _blocks[first + n] = data[n << PAGE_SHIFT:(n + 1) << PAGE_SHIFT]
        start = i


def read(address, length):
    """Bytes at a physical address."""
    pfn, offset = address >> PAGE_SHIFT, address & (PAGE_SIZE - 1)
    if offset + length <= PAGE_SIZE:
        return page(pfn)[offset:offset + length]
    last = (address + length - 1) >> PAGE_SHIFT
    prefetch(range(pfn, last + 1))
    return b"".join(page(n) for n in range(pfn, last + 1))[offset:offset + length]
