# SPDX-License-Identifier: MIT
"""The kernel's first instructions are 32-bit code: `x/i`, `disassemble` and `display/i $pc` show them so.

QEMU tells gdb once that the machine is x86-64, and gdb takes all code for that; it has no other way to
see it in the same session. So what lies between _start and long_mode is taken from objdump. gdb 12 can't
be told how to disassemble; there the instructions look a little wrong, and the source beside them right.
"""
import re
import shutil
import subprocess

import gdb

try:
    import gdb.disassembler as disassembler
except ImportError:
    disassembler = None

_PROGRAMS = ("objdump", "x86_64-linux-gnu-objdump", "x86_64-elf-objdump")
_read = {}  # what was found out about an ELF file, by its name


def _symbol(name):
    return int(gdb.parse_and_eval(f"(unsigned long)&{name}"))


def _listing(objfile, start, end):
    """{address: (length, text)} of the 32-bit code in that file."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        return {}
    text = subprocess.run([program, "-d", "-m", "i386", "--no-show-raw-insn", f"--start-address={start:#x}",
                           f"--stop-address={end:#x}", objfile], capture_output=True, text=True, timeout=30,
                          check=False).stdout
    found = [(int(m[1], 16), m[2]) for m in re.finditer(r"^\s*([0-9a-f]+):\s*(\S.*)$", text, re.M)]
    ends = [address for address, _ in found[1:]] + [end]
    return {address: (stop - address, words) for (address, words), stop in zip(found, ends)}


def _code(filename):
    if filename not in _read:
        start, end = _symbol("_start"), _symbol("long_mode")
        _read[filename] = start, end, _listing(filename, start, end)
    return _read[filename]


# A file of that name may be another one by now.
gdb.events.new_objfile.connect(lambda _event: _read.clear())

if disassembler is not None:
    class Code32(disassembler.Disassembler):
        """Of what no other disassembler knows to be 32-bit code."""

        def __init__(self):
            super().__init__("tessera")

        def __call__(self, info):
            filename = info.progspace.filename
            try:
                start, end, code = _code(filename) if filename else (0, 0, {})
            except (gdb.error, OSError, subprocess.SubprocessError):
                _read[filename] = start, end, code = 0, 0, {}
            if not start <= info.address < end or info.address not in code:
                return None
            return disassembler.DisassemblerResult(*code[info.address])

    disassembler.register_disassembler(Code32(), "i386:x86-64")
