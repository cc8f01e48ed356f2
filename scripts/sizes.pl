#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
#
# sizes.pl FILE... - name C files over 700 lines and functions over 80.

use strict;
use warnings;

my $max_file = 700;
my $max_function = 80;
my $bad = 0;

sub too_long {
	my ($where, $lines) = @_;

	print "$where: $lines lines\n";
	$bad = 1;
}

sub check_file {
	my ($path) = @_;
	my ($name, $start) = ("", 0);

	open(my $file, '<', $path) or die "$path: $!\n";
	while (<$file>) {
		$name = $1 if /^[a-z].*?(\w+)\(/i;
		$start = $. if /^\{/;
		if (/^\}/ && $start) {
			my $lines = $. - $start - 1;
			too_long("$path:$start: $name", $lines)
				if $lines > $max_function;
			$start = 0;
		}
	}
	too_long($path, $.) if $. > $max_file;
}

check_file($_) for @ARGV;
exit $bad;
