#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Each feature that a processor may lack is really optional: the kernel told to do without it, and
# models that never had it, run programs and refuse the same accesses.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

# As /proc/cpuinfo names them.
my %flag = (map({ $_ => $_ } qw(nx smep smap umip pge fsgsbase xsave rdtscp)), gbpages => 'pdpe1gb');
my @features = sort keys %flag;

my @programs = qw(/bin/hello-musl /bin/cat+/proc/cpuinfo abi_regs efault mprotect_basic segv tls vdso);
# Takes a second, and XSAVE is the only feature that it depends on.
my $fpu_program = 'fpu_state';

# Without NX nothing keeps a readable page from being executed.
my $no_nx = {
	points => qr/^jump to (?:written data|the stack):|memory that lost PROT_EXEC:/,
	reason => 'this processor has no NX',
};

# Runs the programs without the given features; returns the flags that /proc/cpuinfo lists.
sub runs_without {
	my ($name, $missing, %options) = @_;
	my %missing = map { $_ => 1 } @$missing;
	my @list = (@programs, $missing{xsave} || !@$missing ? $fpu_program : ());
	my %listed;
	subtest $name => sub {
		my $run = Guest::boot(limit => 60, images => [qw(base tests)], %options,
			cmdline => "quiet init=/bin/runner uid=65534 tests=" . join(',', @list) . ' ' .
				($options{cmdline} // ''));
		my @sections = Guest::sections($run);
		is(scalar @sections, scalar @list, 'all programs were started');
		my ($hello, $cpuinfo, @tests) = @sections;
		Guest::succeeded($_) for grep { defined } $hello, $cpuinfo;
		%listed = map { $_ => 1 } map { /^flags\s*: (.*)/ ? split ' ', $1 : () } @{ $cpuinfo->{lines} // [] };
		ok($listed{pat}, 'the processor\'s flags are listed');
		is(join(' ', grep { $listed{ $flag{$_} } } @$missing), '', 'none of what is missing is among them');
		Guest::replay($_, $_->{name}, $missing{nx} && $no_nx) for @tests;
		Guest::ends_well($run, $name);
		note sprintf '%.1f s', $run->{seconds};
	};
	return \%listed;
}

sub self_tests {
	my ($name, %options) = @_;
	my $run = Guest::boot(limit => 30, %options, cmdline => 'selftest=all ' . ($options{cmdline} // ''));
	my ($section) = Guest::sections($run);
	Guest::replay($section // { name => 'selftest', lines => [] }, "self-tests, $name");
	Guest::ends_well($run, "self-tests, $name");
}

my $all = join ',', @features;

# QEMU's best processor has them all; then each is the only one that goes.
my $max = runs_without('with all features', []);
is(join(' ', grep { !$max->{ $flag{$_} } } @features), '', '-cpu max has all features');
for my $feature (@features) {
	my $listed = runs_without("nofeature=$feature", [$feature], cmdline => "nofeature=$feature");
	is(join(' ', sort keys %$listed, $flag{$feature}), join(' ', sort keys %$max),
		"nofeature=$feature takes this one and no other");
}
runs_without('with none of them', \@features, cmdline => "nofeature=$all");

# Processors that don't have them: the instructions fail and the bits in the tables are reserved.
runs_without('-cpu max,-xsave', ['xsave'], cpu => 'max,-xsave');
runs_without('-cpu max,-fsgsbase,-smap', [qw(fsgsbase smap)], cpu => 'max,-fsgsbase,-smap');
runs_without('-cpu core2duo', [qw(smep smap umip fsgsbase xsave gbpages rdtscp)], cpu => 'core2duo');
runs_without('-cpu Opteron_G1,-nx,-pge', \@features, cpu => 'Opteron_G1,-nx,-pge');

self_tests('nofeature=xsave', cmdline => 'nofeature=xsave');
self_tests('with none of them', cmdline => "nofeature=$all");
self_tests("-cpu $_", cpu => $_) for 'core2duo', 'Opteron_G1', 'Opteron_G1,-nx,-pge';

done_testing;
