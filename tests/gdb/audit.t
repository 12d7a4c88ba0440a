#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The command `audit`: a healthy system agrees with itself; each of many damages, written by gdb, is
# named, and is gone once it is undone. In a system that is stopped at work nothing is named that isn't.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, 'tests/qemu';
use Gdb;
use Test::More;

Gdb::test(cmdline => 'quiet init=/bin/playground', smp => 2, limit => 200);
done_testing;
