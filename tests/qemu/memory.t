#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# All of the machine's memory is found and free, from 64 MiB to 64 GiB, with holes in it and of sizes
# that are no power of two; and taking it over doesn't mean touching it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

# Everything is in KiB.
use constant { MIB => 1024, GIB => 1024 * 1024, PAGE => 4 };

# struct page describes a page of 4096 bytes with 64.
use constant STRUCT_PAGE_SHARE => 1 / 64;
# The address sanitizer's shadow has a byte for eight of RAM, and of a part of vmalloc space.
use constant SHADOW_SHARE => $Guest::debug eq 'kasan' ? 1 / 8 * (1 + 1 / 4) : 0;
# What the firmware and the kernel's image take before anything is counted.
use constant TAKEN => ($Guest::debug eq 'kasan' ? 8 : 4) * MIB;
# What is in use then: the initial file system and the first process, at most.
use constant IN_USE => 8 * MIB;
# Pages a CPU may keep for itself, per zone: not among the blocks of buddyinfo.
use constant PCP_HIGH => 6 * 31;

sub in_kib {
	my ($size) = @_;
	return $1 * ($2 eq 'G' ? GIB : MIB) if $size =~ /^(\d+)([MG])$/;
	die "$size?\n";
}

# QEMU sets memory aside when it starts; here it need not be there before the guest touches it.
sub lazily {
	my ($size) = @_;
	return [ '-object', "memory-backend-ram,id=ram,size=$size,reserve=off", '-machine', 'pc,memory-backend=ram' ];
}

sub can_have {
	my ($size) = @_;
	my @command = ('qemu-system-x86_64', '-accel', 'tcg', '-m', $size, @{ lazily($size) },
		'-display', 'none', '-S', '-monitor', 'stdio');
	return system("echo quit | timeout 20 @command >/dev/null 2>&1") == 0;
}

# Pages that are free in each zone, as buddyinfo's blocks add up.
sub zones {
	my %free;
	for (@_) {
		next unless /^Node 0, zone\s+(\w+)((?:\s+\d+)+)\s*$/;
		my ($zone, @blocks) = ($1, split ' ', $2);
		$free{$zone} = 0;
		$free{$zone} += $blocks[$_] << $_ for 0 .. $#blocks;
	}
	return \%free;
}

# Boots to the prompt with that much memory; returns how much of the host's QEMU then took, in KiB.
sub all_there {
	my ($size) = @_;
	my $kib = in_kib($size);
	my $taken;
	subtest "-m $size" => sub {
		my $guest = Guest->start(mem => $size, qemu => lazily($size), cmdline => 'quiet', limit => 30);
		$guest->wait_for($Guest::prompt) // return fail('the prompt comes');
		($taken) = Guest::slurp("/proc/$guest->{pid}/status") =~ /^VmHWM:\s*(\d+) kB/m;
		$guest->send("cat /proc/meminfo /proc/buddyinfo\n");
		my $text = $guest->wait_for($Guest::prompt) // return fail('the files are shown');
		my ($total) = $text =~ /^MemTotal:\s+(\d+) kB$/m;
		my ($free) = $text =~ /^MemFree:\s+(\d+) kB$/m;
		my $zones = zones(split /\n/, $text);
		$_ = $_ // 0 for $total, $free;

		cmp_ok($total, '<=', $kib, 'no more than there is');
		cmp_ok($total, '>=', $kib * (1 - STRUCT_PAGE_SHARE - SHADOW_SHARE) - TAKEN, 'nor much less');
		cmp_ok($free, '<', $total, 'something is in use');
		cmp_ok($free, '>=', $kib * (1 - STRUCT_PAGE_SHARE - SHADOW_SHARE) - TAKEN - IN_USE, 'but not more than should be');

		my $sum = 0;
		$sum += $_ for values %$zones;
		cmp_ok(abs($free / PAGE - $sum), '<=', PCP_HIGH * keys(%$zones), 'the blocks of all zones are what is free');
		# The PC's hole below 4 GiB moves what is above 3 GiB to above 4 GiB.
		my $above = $kib > 3.5 * GIB ? $kib - 3 * GIB : 0;
		cmp_ok(abs(($zones->{Normal} // 0) * PAGE - $above), '<=',
			$kib * (STRUCT_PAGE_SHARE + SHADOW_SHARE) + IN_USE,
			$above ? 'what lies above the hole is there' : 'nothing lies above 4 GiB');
		is(exists $zones->{Normal}, $above > 0, 'a zone without memory isn\'t listed') if !$above;

		$guest->send("hello-musl\n");
		like($guest->wait_for($Guest::prompt), qr/^Hello from/m, 'a program runs');
		$guest->send("poweroff\n");
		Guest::ends_well($guest->finish, "-m $size");
	};
	return $taken;
}

my $smallest = all_there('64M');
all_there($_) for qw(777M 3G 5G);
SKIP: {
	skip 'this machine does not let QEMU promise 64 GiB to a guest', 2 if !can_have('64G');
	my $largest = all_there('64G');
	# The descriptions of 64 GiB alone are a GiB: they must come into being with the pages' use.
	cmp_ok($largest - $smallest, '<', 64 * MIB, 'a boot with 64 GiB touches hardly more memory than with 64 MiB');
}

# The user suite fits into the smallest machine, but for what asks for more memory than it has: that
# is refused, as it would be by Linux there. Those for many processors have many threads or are about that.
my @needs_more = (qw(mremap_tables proc_status file_exhaust fork_interrupted fork_large),
	map { m{([^/]+)\.c$} } glob 'user/tests/smp_*.c');
# With the sanitizer's shadow, as much less is left of it: 80 MiB.
my $smallest_mem = $Guest::debug eq 'kasan' ? '80M' : '64M';
my $run = Guest::boot(mem => $smallest_mem, limit => 1200, images => [qw(base tests)],
	cmdline => 'quiet init=/bin/runner uid=65534 tests=' . join(',', 'all', map { "-$_" } @needs_more));
my @sections = Guest::sections($run);
cmp_ok(scalar @sections, '>', 1, "the user tests run with $smallest_mem");
Guest::replay($_, "-m $smallest_mem: $_->{name}") for @sections;
Guest::ends_well($run, "-m $smallest_mem: the suite");

# Too little to work with is said, not met by silence.
my $too_little = $Guest::debug eq 'kasan' ? '13M' : '8M';
my $tiny = Guest::boot(mem => $too_little, limit => 20, cmdline => 'init=/bin/runner tests=/bin/hello-musl');
Guest::ends_well($tiny, "-m $too_little", Guest::PANIC_STATUS);
like($tiny->{console}, qr/error: initramfs: /, 'the console says what didn\'t fit');

done_testing;
