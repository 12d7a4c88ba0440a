# SPDX-License-Identifier: MIT
"""Brings in the pretty-printers, which are no commands."""
from tessera import printers  # noqa: F401
