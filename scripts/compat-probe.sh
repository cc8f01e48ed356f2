#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# compat-probe.sh TABLE OUTPUT TREE... - look what a kernel's headers declare
#
# Reads the rows of TABLE (compat-include/probes says how they are made),
# looks into the kernel header trees and writes OUTPUT. OUTPUT is left alone
# when nothing changed, so that nothing is rebuilt.

set -eu

[ $# -ge 3 ] || { echo "usage: $0 TABLE OUTPUT TREE..." >&2; exit 2; }
table=$1
out=$2
shift 2

mkdir -p "${out%/*}"
tmp=$out.$$
trap 'rm -f "$tmp"' EXIT

perl - "$table" "$@" > "$tmp" <<'PERL'
use strict;
use warnings;

my ($table, @trees) = @ARGV;
my %text;

sub find_header {
	my ($name) = @_;
	for my $tree (@trees) {
		for my $dir ("include", "include/uapi", "arch/x86/include") {
			return "$tree/$dir/$name" if -f "$tree/$dir/$name";
		}
	}
	return undef;
}

sub read_header {
	my ($path) = @_;
	open(my $fh, '<', $path) or die "$path: $!\n";
	local $/;
	my $text = <$fh>;
	$text =~ s{\\\n}{ }g;
	$text =~ s{("(?:\\.|[^"\\\n])*")|/\*.*?\*/|//[^\n]*}
		  {defined $1 ? $1 : " "}egs;
	$text =~ s{\s+}{ }g;
	return $text;
}

sub matches {
	my ($headers, $regex) = @_;
	my $found = 0;
	for my $name (split /\|/, $headers) {
		my $path = find_header($name) or next;
		$found = 1;
		$text{$path} = read_header($path) unless exists $text{$path};
		return 1 if $text{$path} =~ $regex;
	}
	die "no header $headers in @trees\n" unless $found;
	return 0;
}

print "/* SPDX-License-Identifier: GPL-2.0-only */\n";
print "/* Made by compat-probe.sh: do not edit. */\n";
open(my $rows, '<', $table) or die "$table: $!\n";
while (<$rows>) {
	next if /^\s*(#|$)/;
	/^(\w+)\s+(\S+)\s+(\S.*?)\s+(\d+\.\d+|-)\s*$/
		or die "$table:$.: not NAME header regex since\n";
	my ($name, $headers, $regex) = ($1, $2, $3);
	if (matches($headers, qr/$regex/)) {
		print "#define COMPAT_HAS_$name 1\n";
	} else {
		print "/* COMPAT_HAS_$name is not set */\n";
	}
}
PERL

cmp -s "$tmp" "$out" || mv "$tmp" "$out"
