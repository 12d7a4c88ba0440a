#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The distribution's python3 with what of its library is about memory, and tcc, which compiles here what is
# then run.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../qemu";
use Programs;

Programs::test_group('languages');
