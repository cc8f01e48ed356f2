# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Small things that the other parts of ./run share.

die() {
	echo "run: $*" >&2
	exit 1
}

say() {
	echo "run: $*" >&2
}

# The rows of a table file, without comments.
table() {
	sed -e '/^[[:space:]]*\(#\|$\)/d' "$1"
}

# Run a command whose output matters only if it fails.
quietly() {
	local out status=0

	out=$("$@" 2>&1) || status=$?
	[ $status = 0 ] || printf '%s\nrun: failed: %s\n' "$out" "$*" >&2
	return $status
}

# with_lock THING COMMAND... - one at a time; in a subshell.
with_lock() {
	local thing=$1

	shift
	(
		flock -n 9 || {
			say "waiting for another run, busy with $thing"
			flock 9
		}
		"$@"
	) 9> "$CACHE/.lock-$thing"
}
