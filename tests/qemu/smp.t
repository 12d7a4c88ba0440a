#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Any number of processors: those that the machine has, up to 8, are started and used; a machine that
# does not tell of any, or tells of one that does not answer, is used with those that are there.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my @boot = (cmdline => 'init=/bin/runner uid=65534 tests=/bin/cat+/proc/cpuinfo,smp_cpus',
	images => [qw(base tests)], limit => 120);

# What the guest did, and that so many processors took part, with these APIC ids.
sub check {
	my ($name, $run, @ids) = @_;
	my ($cpuinfo, @tests) = Guest::sections($run);
	my @lines = @{ ($cpuinfo // {})->{lines} // [] };
	is(join(' ', map { /^processor\s*: (\d+)/ } @lines), join(' ', 0 .. $#ids),
		"$name: /proc/cpuinfo has " . @ids) or Guest::show_tail($run);
	is(join(' ', map { /^apicid\s*: (\d+)/ } @lines), "@ids", "$name: those of the machine");
	is(scalar @tests, @ids > 6 ? 0 : 1, "$name: " . (@ids > 6 ? "nothing else was started" : "the test was started"));
	Guest::replay($_, "$name: $_->{name}") for @tests;
}

# check() of a boot that ends by itself; returns the console.
sub runs_with {
	my ($name, $ids, @options) = @_;
	my %o = (@boot, @options);
	# On the few processors of a test's host so many take long to do anything together.
	$o{cmdline} =~ s/,smp_cpus// if @$ids > 6;
	my $run = Guest::boot(%o);
	check($name, $run, @$ids);
	Guest::ends_well($run, $name);
	return $run->{console};
}

runs_with("-smp $_", [ 0 .. $_ - 1 ], smp => $_) for 1, 4, 8;
runs_with('ids with a gap', [ 0, 1, 2, 4, 5, 6 ], smp => '6,sockets=2,cores=3');
runs_with('-smp 2, two more may be plugged in', [ 0, 1 ], smp => '2,maxcpus=4');

my %named = @boot;
my $console = runs_with('maxcpus=1', [ 0 ], smp => 4, cmdline => "$named{cmdline} maxcpus=1");
like($console, qr/^smp: 1 of 4 processors run/m, 'maxcpus=1: it says how many there are');
$console = runs_with('-smp 10', [ 0 .. 7 ], smp => 10);
like($console, qr/^warning: 10 processors, of which/m, '-smp 10: it says that they are too many');

# Nobody tells of the others; and here QEMU leaves out the power switch together with ACPI.
my $guest = Guest->start(@boot, smp => 4, qemu => [ '-machine', 'pc,acpi=off' ]);
ok(defined $guest->wait_for(qr/^Power off\.$/m), 'no ACPI: it comes to the end');
check('no ACPI', $guest->stop, 0);

# Tables of our own (ACPI 6.5, sections 5.2.5 to 5.2.12), put into memory that the kernel leaves alone. They
# tell of a processor that isn't there before one that is, and don't tell how to switch off.
sub table {
	my ($signature, $rest) = @_;
	my $table = pack('a4VCCa6a8VVV', $signature, 36 + length $rest, 1, 0, 'TEST', 'TEST', 1, 0, 1) . $rest;
	substr($table, 9, 1) = chr(-unpack('%8C*', $table) & 0xff);
	return $table;
}

sub acpi_tables {
	my ($at, @ids) = @_;
	my $madt = table('APIC', pack('VV', 0xfee00000, 1) . join('', map { pack 'CCCCV', 0, 8, $_, $_, 1 } @ids)
		. pack('CCCCVV', 1, 12, 0, 0, 0xfec00000, 0));
	my $rsdt = table('RSDT', pack 'V', $at + 256);
	my $rsdp = pack('a8Ca6CV', 'RSD PTR ', 0, 'TEST', 0, $at + 64);
	substr($rsdp, 8, 1) = chr(-unpack('%8C*', $rsdp) & 0xff);
	return pack 'a64a192a*', $rsdp, $rsdt, $madt;
}

my $dir = tempdir(CLEANUP => 1);
open my $fh, '>:raw', "$dir/acpi" or die "$dir/acpi: $!\n";
print $fh acpi_tables(0x98000, 0, 5, 1);
close $fh or die "$dir/acpi: $!\n";
$guest = Guest->start(@boot, smp => 2, cmdline => "$named{cmdline} acpi_rsdp=0x98000",
	qemu => [ '-device', "loader,file=$dir/acpi,addr=0x98000,force-raw=on" ]);
ok(defined $guest->wait_for(qr/^Power off\.$/m), 'one that is not there: it comes to the end');
my $run = $guest->stop;
check('one that is not there', $run, 0, 1);
like($run->{console}, qr/^warning: processor with APIC id 5 left out: it does not answer/m,
	'one that is not there: it says which');

done_testing;
