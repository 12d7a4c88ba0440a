#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Real programs at work: busybox's shell and tools, the distribution's bash, programs of threads, and
# files that only look like programs.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../qemu";
use Programs;

Programs::test_group('static');
