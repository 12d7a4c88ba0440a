#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# gdb's commands about page tables: ptdump tells of each page what the walk of it tells, and of all
# pages what QEMU's own list of them does; a GiB is read in bulk. ptdiff tells what calls have
# changed, and nothing else. Functions in expressions, and how structures are printed.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, 'tests/qemu';
use Gdb;
use Test::More;

Gdb::test(cmdline => 'quiet norandmaps init=/bin/playground', limit => 100);
done_testing;
