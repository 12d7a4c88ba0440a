# SPDX-License-Identifier: MIT
"""Commands that explain a running Tessera: `tessera` in gdb lists them.

gdb loads this by itself with the kernel's ELF file, or by `source tools/gdb/tessera.py`.
"""
import importlib
import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))
if _here not in sys.path:
    sys.path.insert(0, _here)


def load():
    """Loads the package, or loads it once more after an edit."""
    for name in [n for n in sys.modules if n == "tessera" or n.startswith("tessera.")]:
        if name != __name__:
            del sys.modules[name]
    importlib.import_module("tessera.commands")


# gdb runs this file as __main__, so that its name doesn't stand in the package's way.
load()
