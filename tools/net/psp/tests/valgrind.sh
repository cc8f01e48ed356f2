#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# valgrind.sh FOLDER - what was built there, under valgrind: the tests that need
# no kernel, and pspctl with tests/fake.c: each of its commands as text and as
# JSON, top on a terminal, and some that fail. Side by side, the longest first.

set -u
export LC_ALL=C.UTF-8 TERM=xterm CHECK_QUICK=1

dir=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
num=0
run=(valgrind -q --error-exitcode=99 --leak-check=full
	--suppressions=tests/valgrind.supp)

good=(
	'top batch interval 0.01 count 2' 'stats show interval 0.01 count 2'
	'monitor count 8' 'dev show' 'dev set 1 versions aes-gcm-128'
	'dev assoc 1 ifname lo' 'dev disassoc lo ifindex 5 nsid 0'
	'key rotate all' 'stats show' 'assoc show'
)
bad=('dev show 5' 'dev show nowhere' 'top 5' '-n nowhere dev')

# verdict STATUS OUTPUT WHAT - valgrind speaks of itself, and only of errors
verdict() {
	echo >> "$tmp/verdicts"
	if [ "$1" = 0 ] && [ -e "$2" ] && ! grep -q '^==[0-9]*==' "$2"; then
		echo "ok - valgrind: $3"
	else
		sed 's/^/# /' "$2"
		echo "not ok - valgrind: $3"
		: > "$tmp/failed"
	fi
}

program() {
	local log=$tmp/$BASHPID status=0

	"${run[@]}" "$dir/tests/$1" > "$log" 2>&1 || status=$?
	verdict $status "$log" "$1"
}

# ctl STATUS ARGUMENT...
ctl() {
	local want=$1 log=$tmp/$BASHPID status=0

	shift
	FAKE_EVENTS=1 "${run[@]}" "$dir/tests/pspctl" "$@" > "$log" 2>&1 ||
		status=$?
	[ $status = "$want" ] || echo "status $status" >> "$log"
	verdict $((status != want)) "$log" "pspctl $*"
}

screen() {
	local log=$tmp/$BASHPID status=0

	script -qec "${run[*]} --log-file=$log $dir/tests/pspctl $*" /dev/null \
		< /dev/null > /dev/null || status=$?
	verdict $status "$log" "pspctl $* on a terminal"
}

# start COMMAND... - beside as many others as there are processors
start() {
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
		wait -n
	done
	num=$((num + 1))
	"$@" &
}

echo "TAP version 13"
start program rekey/test_rekey
start program test_top
start screen top interval 0.05 count 3
start program test_request
start program test_event
start program test_seal
for words in "${good[@]}"; do
	# shellcheck disable=SC2086 # words
	start ctl 0 $words
	# shellcheck disable=SC2086
	start ctl 0 -j $words
done
for words in "${bad[@]}"; do
	# shellcheck disable=SC2086
	start ctl 1 $words
done
start ctl 2 top sort colour
wait
echo "1..$num"
[ "$(wc -l < "$tmp/verdicts")" = $num ] || {
	echo "# of $num jobs only $(wc -l < "$tmp/verdicts") came to an end"
	exit 1
}
[ ! -e "$tmp/failed" ]
