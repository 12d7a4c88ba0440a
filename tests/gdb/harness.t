#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Tests in gdb: the guest stops where it is told, its console and QEMU's monitor answer, each
# processor is a thread. And a script that dies, hangs, or has a bad point is a failure, and leaves
# no process behind.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, 'tests/qemu';
use Gdb;
use Guest;
use Test::More;

Gdb::test(cmdline => 'quiet init=/bin/playground', smp => 2, limit => 100);

# Such scripts run in another perl, whose points are looked at. The guest never runs. What that starts has
# a folder in its arguments that only we know.
my $inner = "$Guest::scratch/inner";
mkdir $inner;

sub outcome {
	my ($python, $limit) = @_;
	my $script = "$inner/script.py";
	open my $fh, '>', $script or die "$script: $!\n";
	print $fh "import os\nfrom tap import *\n$python\n";
	close $fh;
	local $ENV{TMPDIR} = $inner;
	my $test = "Gdb::test(script => '$script', limit => $limit); done_testing";
	my $out = `'$^X' -I '$FindBin::Bin' -I tests/qemu -MGdb -MTest::More -e "$test" 2>&1`;
	my $status = $?;
	return ($status, $out, join '', grep { index($_, $inner) >= 0 } `ps -eo args`);
}

for (
	[ 'a good point', 'ok(True, "fine")', 60, 1 ],
	[ 'a bad point', 'ok(False, "bad")', 60, 0 ],
	[ 'a script without a point', '', 60, 0 ],
	[ 'a script that dies', 'raise KeyError("x")', 60, 0 ],
	[ 'a gdb that crashes', 'os.kill(os.getpid(), 11)', 60, 0 ],
	[ 'a script that leaves early', 'gdb.execute("quit 0")', 60, 0 ],
	[ 'a script that hangs', "while True:\n    pass", 4, 0 ],
	[ 'a guest that hangs', 'gdb.execute("continue")', 4, 0 ],
) {
	my ($what, $python, $limit, $want) = @$_;
	my ($status, $out, $left) = outcome($python, $limit);
	is($status == 0 ? 1 : 0, $want, "$what is " . ($want ? 'a success' : 'a failure')) or diag $out;
	is($left, '', "$what: no process is left") or diag $out;
}

done_testing;
