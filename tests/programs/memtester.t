#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# memtester at 16 MiB of locked memory.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../qemu";
use Programs;

Programs::test_group('memtester');
