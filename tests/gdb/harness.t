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

# Such scripts run in another perl, whose points are looked at. The guest never runs.
sub outcome {
	my ($python, $limit) = @_;
	my $script = "$Guest::scratch/script.py";
	open my $fh, '>', $script or die "$script: $!\n";
	print $fh "from tap import *\n$python\n";
	close $fh;
	my $test = "Gdb::test(script => '$script', limit => $limit); done_testing";
	my $out = `'$^X' -I '$FindBin::Bin' -I tests/qemu -MGdb -MTest::More -e "$test" 2>&1`;
	my $status = $?;
	my ($dir) = $out =~ /^# left (\S+)$/m or return ($status, $out, 'unknown');
	return ($status, $out, join '', grep { index($_, $dir) >= 0 } `ps -eo args`);
}

my $tell = 'diag("left " + os.environ["TESSERA_TEST_DIR"])';
for (
	[ 'a good point', 'ok(True, "fine")', 60, 1 ],
	[ 'a bad point', 'ok(False, "bad")', 60, 0 ],
	[ 'a script that dies', 'raise KeyError("x")', 60, 0 ],
	[ 'a gdb that crashes', 'os.kill(os.getpid(), 11)', 60, 0 ],
	[ 'a script that leaves early', 'gdb.execute("quit 0")', 60, 0 ],
	[ 'a script that hangs', "while True:\n    pass", 5, 0 ],
	[ 'a guest that hangs', 'gdb.execute("continue")', 5, 0 ],
) {
	my ($what, $python, $limit, $want) = @$_;
	my ($status, $out, $left) = outcome("import os\n$tell\n$python", $limit);
	is($status == 0 ? 1 : 0, $want, "$what is " . ($want ? 'a success' : 'a failure')) or diag $out;
	is($left, '', "$what: no process is left") or diag $out;
}

done_testing;
