#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The distribution's programs with their own ld.so and C library: ls, bash, sqlite3, lmdb's tools; and where
# such programs, and others, are put.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../qemu";
use Programs;

Programs::test_group('tools');
