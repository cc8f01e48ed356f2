# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2317 # tests are called by their names
# shellcheck disable=SC2154,SC2034 # pspcat.sh has the variables
#
# Tests of pspcat: who connects and is not the other side, or not a good one.
# pspcat.sh reads this.

# turned_away COUNT TEXT - so many have been, the last one for that reason
turned_away() {
	await "$tmp/server.err" 'still listening' "$1" &&
		grep 'still listening' "$tmp/server.err" | tail -n 1 |
		grep -qE "^pspcat: 127.0.0.1 port [0-9]+: $2"
}

# stranger OPTION... - of openssl s_client
stranger() {
	timeout -k 5 "$LIMIT" openssl s_client -connect "127.0.0.1:$port" \
		-cert "$tmp/bob.crt" -key "$tmp/bob.key" "$@" < /dev/null \
		> "$tmp/client.out" 2>&1
}

# Who connects and says nothing, or nonsense; then the one who may come
test_strangers() {
	inputs 1000 1000
	start "${ALICE[@]}" --name bob -t 1
	exec {silent}<> "/dev/tcp/127.0.0.1/$port"
	is "a silent one" turned_away 1 'the TLS handshake does not get on'
	exec {silent}>&-
	: > "/dev/tcp/127.0.0.1/$port"
	is "one that goes at once" turned_away 2 'TLS handshake: '
	echo "GET / HTTP/1.0" > "/dev/tcp/127.0.0.1/$port"
	is "one that speaks no TLS" turned_away 3 'TLS handshake: '
	stranger
	is "one that is no pspcat" turned_away 4 'the other side is no pspcat'
	stranger -tls1_2
	is "an old TLS" turned_away 5 'TLS handshake: unsupported protocol'
	client "${BOB[@]}" --name alice 127.0.0.1 "$port"
	is "after all of them, the one who may come" arrived
}

# No descriptor is left for who comes
test_no_descriptor() {
	inputs 10 10
	start "${ALICE[@]}" --name bob
	prlimit --pid "$(pgrep -P "$server")" --nofile=3:3
	: > "/dev/tcp/127.0.0.1/$port"
	status=0
	wait "$server" || status=$?
	[ "$status" = 1 ] && says server 'accept: Too many open files'
	ok "no descriptor is left" $?
}

# Who may come, and does not keep to the protocol
test_hostile() {
	local case

	inputs 0 0
	for case in ${HOSTILE:-$("$here/hostile.py" list)}; do
		start "${ALICE[@]}" --name bob --fallback=tls
		timeout -k 5 $((5 * LIMIT)) "$here/hostile.py" "$port" \
			"$tmp/bob.crt" "$tmp/bob.key" "$case" \
			> "$tmp/client.err" 2>&1
		client_status=$?
		server_status=0
		wait "$server" || server_status=$?
		both 0 1 && ! grep -q $'\33' "$tmp/server.err" &&
			! says server 'runtime error|AddressSanitizer'
		ok "hostile: $case" $?
	done
}

# What became of one harm at one place. The kernel that is played encrypts
# nothing, so the data and the numbers of CREDIT are the proxy's.
harmed() {
	through "$1" "$2"
	if ! both 0 0; then
		echo seen
	elif cmp -s "$tmp/server.in" "$tmp/client.out"; then
		cmp -l "$tmp/client.in" "$tmp/server.out" | wc -l
	else
		echo bad
	fi >> "$tmp/harms"
}

# harm_each WORKER HARM BYTES STEP - each WORKERth place of so many
harm_each() {
	local out=$tmp at

	tmp=$tmp/harm$1
	mkdir "$tmp"
	cp "$out/e.psk" "$out/client.in" "$out/server.in" "$tmp"
	port=$((port + 1000 * $1))
	for ((at = $1 * $4; at < $3; at += WORKERS * $4)); do
		harmed "$2" "$at"
	done
}

# harms HARM BYTES STEP CREDIT DATA - so many bytes may be others and not be seen;
# frames do not come in the same order each time, so two of each may be met twice
harms() {
	local i workers=() want=$((($2 + $3 - 1) / $3))

	for ((i = 0; i < WORKERS; i++)); do
		(harm_each "$i" "$@") &
		workers+=($!)
	done
	wait "${workers[@]}"
	sort "$tmp"/harm[0-9]/harms | uniq -c > "$tmp/harms"
	rm -r "$tmp"/harm[0-9]
	awk -v num="$want" -v credit="$4" -v data="$5" '
		{ got[$2] = $1; sum += $1 }
		END { exit sum != num || got[0] > credit + 2 ||
			   got[1] > data + 2 ||
			   sum != got[0] + got[1] + got["seen"] }' "$tmp/harms"
	ok "each byte: $1" $?
	sed 's/^/# /' "$tmp/harms"
}

# What both say under PSP
test_each_byte() {
	local WORKERS=8 LIMIT=1

	[ -z "${SANITIZE:-}" ] || return 0
	psk e us:00112233445566778899aabbccddeeff
	inputs 10 0
	port=$((10000 + RANDOM % 1000))
	harms flip 92 1 8 0
	harms up-flip 106 1 8 10
	harms cut 92 5 0 0
	harms up-cut 106 5 0 0
}
