#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Somebody at the machine: types on its keyboard, and reads what is on its screen, in VGA's text mode
# and in a UEFI framebuffer. What a shell does on the serial line is tests/qemu/shell.t's affair.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

# What a line typed on the keyboard makes the shell print.
sub ask_by_keyboard {
	my ($guest, $line) = @_;
	$guest->type("$line\n");
	return $guest->answer;
}

# --- the keyboard -------------------------------------------------------------------------------

sub try_keyboard {
	my ($guest, $name) = @_;
	is(ask_by_keyboard($guest, 'echo keys'), "keys\n", "$name: keyboard");
	is(ask_by_keyboard($guest, 'echo By-Shift: 0+9=9_?";>{}|&~<"'), "By-Shift: 0+9=9_?;>{}|&~<\n", "$name: shift");
	is(ask_by_keyboard($guest, 'echo {caps_lock}capsX{caps_lock}x'), "CAPSxx\n", "$name: caps lock");
	is(ask_by_keyboard($guest, "garbage\x15echo lefs{left}{delete}t"), "left\n", "$name: an arrow, and Delete");
	is(ask_by_keyboard($guest, 'cho home{home}e{end}!'), "home!\n", "$name: Home and End");
	is(ask_by_keyboard($guest, '{up}'), "home!\n", "$name: the line before");
	is(ask_by_keyboard($guest, 'echo {kp_5}{num_lock}x{kp_4}{kp_6}{num_lock}{kp_7}'), "5x7\n",
		"$name: the number pad, as numbers and as arrows");
}

# Who turns from the screen to the serial line has a terminal of another size, and the shell may show
# its line once more: that is over when it prompts anew.
sub sit_at_serial {
	my ($guest) = @_;
	$guest->send("\n");
	$guest->wait_for($Guest::prompt) // die "no prompt\n";
}

# What keys send, byte by byte, as od shows it.
sub try_codes {
	my ($guest) = @_;
	my @keys = (
		[ '{alt-x}', '1b 78' ], [ '{f1}', '1b 5b 5b 41' ], [ '{f5}', '1b 5b 5b 45' ],
		[ '{f6}', '1b 5b 31 37 7e' ], [ '{f12}', '1b 5b 32 34 7e' ], [ '{pgup}', '1b 5b 35 7e' ],
		[ '{pgdn}', '1b 5b 36 7e' ], [ '{insert}', '1b 5b 32 7e' ], [ '{down}', '1b 5b 42' ],
		[ '{right}', '1b 5b 43' ], [ '{shift-tab}', '1b 5b 5a' ], [ '{ctrl-spc}', '00' ],
		[ '{ctrl-backslash}', '1c' ], [ '{ctrl-slash}', '1f' ], [ '{esc}', '1b' ], [ "\t", '09' ],
		[ '{ret}', '0d' ], [ '{backspace}', '7f' ],
	);
	for (@keys) {
		my ($key, $want) = @$_;
		sit_at_serial($guest);
		my $count = split ' ', $want;
		$guest->send("stty raw -echo; echo ready; dd bs=1 count=$count 2>/dev/null >/tmp/f; stty sane; od -An -tx1 /tmp/f\n");
		$guest->wait_for(qr/^ready\n/m) // die "not ready\n";
		# Nothing is echoed, so nothing is waited for.
		$guest->monitor('sendkey ' . ($key =~ s/[{}]//gr =~ s/^\t$/tab/r) . ' 5');
		my $got = ($guest->wait_for($Guest::prompt) // die "no prompt\n") =~ s/$Guest::prompt_text//r;
		is($got =~ s/^\s+|\s+$//gr, $want, "$key sends $want");
	}
}

# --- the screen ---------------------------------------------------------------------------------

# The 80 by 25 characters of VGA's text mode, out of the guest's memory.
sub vga_text {
	my ($guest) = @_;
	my @cells = $guest->monitor('xp /2000hx 0xb8000') =~ /\b0x([0-9a-f]{4})\b/g;
	my $text = join '', map { chr(hex($_) & 0xff) } @cells;
	return join '', map { s/ +\z//r . "\n" } unpack '(A80)25', $text;
}

# How many pixels have another colour than the most frequent one.
sub drawn_pixels {
	my (undef, undef, $lines) = @_;
	my %count;
	my $all = 0;
	for (@$lines) {
		$count{$_}++ for unpack '(a3)*';
		$all += length($_) / 3;
	}
	my ($most) = sort { $b <=> $a } values %count;
	return $all - ($most // 0);
}

# Each printable character by its picture, eight bits a line, in the font that the kernel has.
sub glyphs {
	my $font = Guest::slurp("$Guest::build/gen/font.psf");
	my ($magic, $height) = unpack 'n x C', $font;
	return if ($magic // 0) != 0x3604;
	return ($height, { map { substr($font, 4 + $_ * $height, $height) => chr } 32 .. 126 });
}

# Reads a picture of text: a cell that is no character is given as \0.
sub read_picture {
	my ($w, $h, $lines) = @_;
	my ($height, $glyphs) = glyphs() or return;
	my $cols = int $w / 8;
	my $text = '';
	for my $row (0 .. int($h / $height) - 1) {
		my @cells = ('') x $cols;
		for my $line (@$lines[$row * $height .. ($row + 1) * $height - 1]) {
			my $bits = $line =~ s/(...)/$1 eq "\0\0\0" ? 0 : 1/ger;
			my @bytes = unpack "(B8)$cols", pack 'B*', $bits;
			$cells[$_] .= pack 'B8', $bytes[$_] for 0 .. $cols - 1;
		}
		# The cursor is a character in exchanged colours.
		my @read = map { $glyphs->{$_} // $glyphs->{ ~$_ } // "\0" } @cells;
		$text .= join('', @read) =~ s/ +\z//r . "\n";
	}
	return $text;
}

# What is on the screen, and whether it is in text mode.
sub screen {
	my ($guest) = @_;
	my @picture = $guest->screenshot;
	my $text_mode = "@picture[0, 1]" eq '720 400';
	return ($text_mode ? vga_text($guest) : read_picture(@picture), $text_mode, @picture);
}

# The last lines of the console are what the screen shows, wherever it has scrolled to.
sub try_screen {
	my ($guest, $mode) = @_;
	sit_at_serial($guest);
	is($guest->ask('echo on the screen'), "on the screen\n", 'a last line');
	my ($screen, $text_mode, @picture) = screen($guest);
	note "a picture of @picture[0, 1]";
	ok($text_mode, 'the screen is in text mode') if $mode eq 'text';
	ok(!$text_mode, 'the screen is in a graphical mode') if $mode eq 'graphics';
	cmp_ok(drawn_pixels(@picture), '>', 1000, 'the picture isn\'t blank');
	SKIP: {
		skip 'the kernel was built without a font', 4 if !defined $screen;
		like($screen, qr/^tessera:~# echo on the screen\non the screen\ntessera:~#\n+\z/m, 'and shows the console')
			or diag $screen =~ s/^/  | /mgr;
		try_sequences($guest);
	}
}

# What programs do to a screen: clearing, placing, erasing, inserting.
sub try_sequences {
	my ($guest) = @_;
	$guest->ask('clear; printf "\\033[5;10Hplaced\\033[7;1Habcdef\\033[4D\\033[Kxy\\033[2;1H"');
	my ($screen) = screen($guest);
	is($screen =~ s/\n+\z/\n/r, "\ntessera:~#\n\n\n         placed\n\nabxy\n", 'text is where it was put');
	$guest->ask('clear; seq 1 9; printf "\\033[3;6r\\033[6;1H\\n\\033[r\\033[9;1H\\033[M"');
	($screen) = screen($guest);
	is($screen =~ s/\n+\z/\n/r, "1\n2\n4\n5\n6\n\n7\n8\ntessera:~#\n", 'a part of it scrolls, a line is deleted');
	# An editor: it asks for the size, places, erases, and leaves.
	$guest->type("clear; cat >/tmp/f\n");
	$guest->type("one\ntwo\n\x04");
	$guest->answer;
	$guest->type("vi /tmp/f\n");
	$guest->wait_for(qr{/tmp/f.* 1/2 }s) // die "no vi\n";
	$guest->type('{down}');
	$guest->monitor("sendkey $_ 5") for qw(shift-a);
	$guest->type(' more');
	$guest->monitor('sendkey esc 5');
	# A key that follows at once would be taken for a part of what Esc begins.
	$guest->wait_for(qr/Modified/) // die "vi doesn't heed Esc\n";
	$guest->type(":wq\n");
	$guest->wait_for($Guest::prompt) // die "vi doesn't end\n";
	sit_at_serial($guest);
	is($guest->ask('cat /tmp/f'), "one\ntwo more\n", 'vi, by keyboard');
}

# Who sits at the screen finds the terminal as large as that, and gets its answers.
sub try_size {
	my ($guest) = @_;
	is($guest->ask('stty size'), "24 80\n", 'at the serial line the size is a terminal\'s');
	is(ask_by_keyboard($guest, 'stty size'), "25 80\n", 'at the screen it is the screen\'s');
	sit_at_serial($guest);
	is($guest->ask('stty size'), "24 80\n", 'and changes back');
	my $query = q(stty raw -echo; printf '\033[4;7H\033[6n'; dd bs=1 count=6 2>/dev/null >/tmp/f; stty sane; od -An -c /tmp/f);
	like(ask_by_keyboard($guest, "clear; $query"), qr/ 033 +\[ +4 +; +7 +R/, 'the screen says where its cursor is');
}

# Colours are in the attributes beside the characters.
sub try_colours {
	my ($guest) = @_;
	$guest->ask('clear; printf "\\033[1;31mA\\033[0;30;42mB\\033[mC\\n"');
	my @cells = $guest->monitor('xp /3hx 0xb8000') =~ /\b0x([0-9a-f]{4})\b/g;
	is("@cells", '0c41 2042 0743', 'colours on the screen');
}

# --- the machines -------------------------------------------------------------------------------

# A guest that stops answering ends its subtest, not the others.
sub machine {
	my ($name, $code, @options) = @_;
	subtest $name => sub {
		my $guest = Guest->start(cmdline => 'tour=no', @options);
		my $done = eval {
			$guest->wait_for($Guest::prompt) // die "no prompt\n";
			$code->($guest);
			1;
		};
		if (!$done) {
			fail("the guest answers: $@");
			$guest->stop;
		}
	};
}

machine('PVH', sub {
	my ($guest) = @_;
	try_keyboard($guest, 'PVH');
	try_codes($guest);
	try_screen($guest, 'text');
	try_colours($guest);
	try_size($guest);
	$guest->type("poweroff\n");
	Guest::ends_well($guest->finish, 'poweroff');
}, limit => 60);

# The tour comes first, unless it is told not to.
subtest 'the tour' => sub {
	my $guest = Guest->start(limit => 30);
	like($guest->wait_for($Guest::prompt), qr/^A tour of virtual memory\n.*^End of the tour\.\n.*^Now it is your turn/ms,
		'the tour, then the shell');
	$guest->send("poweroff\n");
	Guest::ends_well($guest->finish, 'poweroff');
};

machine('ISO under BIOS', sub {
	my ($guest) = @_;
	try_keyboard($guest, 'BIOS');
	try_screen($guest, 'any');
	$guest->type("poweroff\n");
	Guest::ends_well($guest->finish, 'poweroff by keyboard');
}, via => 'bios', limit => 60);

machine('ISO under UEFI', sub {
	my ($guest) = @_;
	try_keyboard($guest, 'UEFI');
	try_screen($guest, 'graphics');
	$guest->type("poweroff\n");
	Guest::ends_well($guest->finish, 'poweroff by keyboard');
}, via => 'uefi', limit => 120);

done_testing;
