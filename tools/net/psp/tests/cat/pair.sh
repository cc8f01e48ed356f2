#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pspcat between two machines, with a bad network below: this runs in both of
# them, and PSP_PAIR says which one it is. The host judges what was captured
# (qemu/vm_pair.sh): 10.1.0.0/24 must not be readable, 10.2.0.0/24 must be.
#
# shellcheck disable=SC2317 # tests are called by their names

set -u
export LC_ALL=C
export PATH=$PSP_TOOLS:$PATH
export LD_LIBRARY_PATH=$PSP_TOOLS

here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
ROTATIONS=20
BYTES=$((${PSP_CAT_MB:-100} * 1048576 / ${PSP_SCALE:-1}))
CONTROL=200000
PORT=7000

# How long the other machine may take to come (s)
MEET=100

# shellcheck source=tools/net/psp/tests/tap.sh
. "$here/../tap.sh"
# shellcheck source=tools/net/psp/tests/cat/util.sh
. "$here/util.sh"

said() {
	tail -n 8 "$tmp/err"
}

setup() {
	local self=1

	[ "$PSP_PAIR" = a ] || self=2
	modprobe -q virtio_net
	ip link set eth0 up
	[ -e /sys/class/net/psp0 ] ||
		ip link add link eth0 name psp0 type psp_ref
	ip link set psp0 up
	ip addr add 10.1.0.$self/24 dev psp0
	ip addr add 10.2.0.$self/24 dev psp0
	pspctl dev set psp0 versions all > /dev/null
	tc qdisc replace dev eth0 root netem delay 1ms loss 1%
	# The same in both: there is no folder that they share
	echo 'pair:00112233445566778899aabbccddeeff' > "$tmp/psk"
	chmod 600 "$tmp/psk"
	mkfifo "$tmp/in"
}

# connect NUMBER [OPTION]... - a listens, b comes, and tries again until a is there
connect() {
	local addr=10.$1.0.1 port=$((PORT + $1)) options=() end

	[ "$PSP_PAIR" = b ] || options=(-l)
	end=$((SECONDS + MEET * ${PSP_SLOW:-1}))
	shift
	while true; do
		: > "$tmp/err"
		pspcat -v -t 60 --psk-file "$tmp/psk" "${options[@]}" "$@" \
			"$addr" "$port" < "$tmp/in" > "$tmp/out" \
			2> "$tmp/err" &
		pid=$!
		exec {in}> "$tmp/in"
		met && return
		exec {in}>&-
		wait "$pid"
		[ "$SECONDS" -lt "$end" ] || return
	done
}

# It has a connection, or it has none
met() {
	until grep -q 'PSP hdr0.*device' "$tmp/err"; do
		kill -0 "$pid" 2> /dev/null || return 1
		sleep 0.1
	done
}

# Eight digits in each line, which chance does not make
data() {
	seq 10000000 99999999 | head -c "$1"
}

# Each machine rotates its own device, as soon as the other one uses the new key
rotate() {
	local i

	for ((i = 1; i <= ROTATIONS; i++)); do
		pspctl key rotate psp0
		await "$tmp/err" 'new key: the other' "$i" || break
	done
}

# b sends, and a gets it
ends() {
	local bytes=$1

	wait "$pid" || wrong "pspcat has failed"
	[ "$PSP_PAIR" = a ] || bytes=0
	data "$bytes" | cmp - "$tmp/out" || wrong "not what was sent"
}

transfer() {
	local start=$SECONDS

	connect 1
	if [ "$PSP_PAIR" = b ]; then
		data "$BYTES" >&"$in" &
	fi
	rotate
	exec {in}>&-
	ends "$BYTES"
	grep -qE "rekeys rx $ROTATIONS tx $ROTATIONS, $ROTATIONS rotations" \
		"$tmp/err" || wrong "not $ROTATIONS rekeys each way"
	echo "# $BYTES bytes, $ROTATIONS rotations: $((SECONDS - start)) s"
	sha256sum < "$tmp/out" | sed 's/^/# sha256 /'
	tail -n 1 "$tmp/err" | sed 's/^/# /'
}

# A version that does not encrypt: what is looked for can be seen
control() {
	connect 2 --psp-versions aes-gmac-128 --unencrypted
	[ "$PSP_PAIR" = a ] || data "$CONTROL" >&"$in"
	exec {in}>&-
	ends "$CONTROL"
}

echo "TAP version 13"
setup
run transfer
run control
# Somebody may still wait for an acknowledgment: the port stays
rm -rf "$tmp"
tap_end
