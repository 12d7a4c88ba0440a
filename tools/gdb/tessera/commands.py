# SPDX-License-Identifier: MIT
"""Brings in all commands: every cmd_*.py beside this file registers its own."""
import glob
import importlib
import os

for _path in sorted(glob.glob(os.path.join(os.path.dirname(__file__), "cmd_*.py"))):
    importlib.import_module("tessera." + os.path.basename(_path)[:-3])
