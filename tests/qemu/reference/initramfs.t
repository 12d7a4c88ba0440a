#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# tests/qemu/initramfs.t in the reference: what it expects is what Linux makes of such files.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/..";
use Guest;
use Test::More;

our $linux = "$Guest::build/dist/linux/vmlinuz";
-e $linux or plan skip_all => 'no reference kernel: tools/bootstrap reference fetches it';
$FindBin::Bin .= '/..';
defined do "$FindBin::Bin/initramfs.t" or die $@ || $!;
