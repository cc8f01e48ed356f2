#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pspcat without a kernel that has PSP. $PSPCAT is linked with kernel.c, which
# plays one; $PSPCAT_PLAIN is the real program, and finds none here.
#
# shellcheck disable=SC2317 # tests are called by their names

set -u
export LC_ALL=C TERM=linux

here=$(cd "$(dirname "$0")" && pwd)

# In a network of its own, where nobody else has ports, if that may be
if [ -z "${PSPCAT_ALONE:-}" ] && unshare -n true 2> /dev/null; then
	PSPCAT_ALONE=1 exec unshare -n "$here/pspcat.sh"
fi
[ -z "${PSPCAT_ALONE:-}" ] || ip link set lo up || exit 1

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# LeakSanitizer hangs now and then when many end at once, and valgrind sees leaks
[ -z "${SANITIZE:-}" ] || export ASAN_OPTIONS=detect_leaks=0
# Below those that the kernel gives to clients, and so are 10000 more
port=$((10000 + RANDOM % 10000))
client_env=()
server_env=()
wrapper=()

# Seconds for each step of the other side
LIMIT=$((20 * ${PSP_SLOW:-1}))

export FAKE_ROTATIONS=$tmp/rotations
: > "$FAKE_ROTATIONS"
: > "$tmp/server.err"
: > "$tmp/client.err"
: > "$tmp/server.in"

# shellcheck source=tools/net/psp/tests/tap.sh
. "$here/../tap.sh"
# shellcheck source=tools/net/psp/tests/cat/util.sh
. "$here/util.sh"
# shellcheck source=tools/net/psp/tests/cat/strangers.sh
. "$here/strangers.sh"
# shellcheck source=tools/net/psp/tests/cat/local.sh
. "$here/local.sh"

said() {
	tail -vn 5 "$tmp"/{server,client}.err
}

# is NAME COMMAND... - it succeeds
is() {
	local name=$1 status=0

	shift
	"$@" || status=$?
	ok "$name" "$status"
}

says() {
	grep -qE -- "$2" "$tmp/$1.err"
}

# start [OPTION]... - the server, in the background, for one connection
start() {
	port=$((port + 1))
	: > "$tmp/server.err"
	env "${server_env[@]}" timeout -k 5 $((5 * LIMIT)) "${wrapper[@]}" \
		"$PSPCAT" -l -v -t "$LIMIT" "$@" \
		127.0.0.1 "$port" < "$tmp/server.in" > "$tmp/server.out" \
		2> "$tmp/server.err" &
	server=$!
	await "$tmp/server.err" 'listening|pspcat: '
}

client() {
	status=0
	env "${client_env[@]}" timeout -k 5 $((5 * LIMIT)) "${wrapper[@]}" "$PSPCAT" -v \
		-t "$LIMIT" "$@" < "$tmp/client.in" > "$tmp/client.out" \
		2> "$tmp/client.err" || status=$?
	client_status=$status
	[ "$status" = 0 ] || stop_listening
	status=0
	wait "$server" || status=$?
	server_status=$status
}

# A server that has turned the client away goes on to listen
stop_listening() {
	local try

	for ((try = 0; try < 20 * LIMIT; try++)); do
		kill -0 "$server" 2> /dev/null || return
		! says server 'still listening' || break
		sleep 0.05
	done
	kill "$server"
}

# Statuses of client and server
both() {
	[ "$client_status" = "$1" ] && [ "$server_status" = "$2" ]
}

# All has arrived, both ways
arrived() {
	both 0 0 && cmp -s "$tmp/client.in" "$tmp/server.out" &&
		cmp -s "$tmp/server.in" "$tmp/client.out"
}

# usage TEXT ARGUMENT...
usage() {
	local text=$1 status=0

	shift
	timeout -k 5 "$LIMIT" "$PSPCAT" "$@" > "$tmp/client.out" \
		2> "$tmp/client.err" || status=$?
	[ "$status" = 2 ] && says client "$text" && [ ! -s "$tmp/client.out" ]
	ok "usage: $text" $?
}

inputs() {
	head -c "$1" /dev/urandom > "$tmp/client.in"
	head -c "$2" /dev/urandom > "$tmp/server.in"
}

ALICE=(--cert "$tmp/alice.crt" --key "$tmp/alice.key" --ca "$tmp/ca.crt")
BOB=(--cert "$tmp/bob.crt" --key "$tmp/bob.key" --ca "$tmp/ca.crt")
MALLORY=(--cert "$tmp/mallory.crt" --key "$tmp/mallory.key"
	 --ca "$tmp/ca.crt")

meet() {
	start "${ALICE[@]}" --name bob "$@"
	client "${BOB[@]}" --name alice "$@" 127.0.0.1 "$port"
}

test_usage() {
	usage 'HOST PORT is needed' "${BOB[@]}" localhost
	usage 'PORT is needed' -l "${BOB[@]}" --any-name
	usage '--cert, --key and --ca' localhost 1
	usage 'who may come' -l "${BOB[@]}" 1
	usage 'goes with -l' "${BOB[@]}" --any-name localhost 1
	usage 'either certificates' "${BOB[@]}" --psk-file x localhost 1
	usage 'encrypts nothing' "${BOB[@]}" --psp-versions aes-gmac-128 h 1
	usage 'no PSP version "aes"' "${BOB[@]}" --psp-versions aes h 1
	usage 'tls or refuse' "${BOB[@]}" --fallback=plain h 1
	usage 'port 70000: there are 65535' "${BOB[@]}" h 70000
	usage 'HOST is empty' "${BOB[@]}" --name alice "" 1
	usage '"" is no name' "${BOB[@]}" --name "" localhost 1
	usage '"" is no name' -l "${BOB[@]}" --name "" 1
	usage '".example" is no name' "${BOB[@]}" --name .example h 1
	usage '".example" is no name' "${BOB[@]}" .example 1
	usage '".bob" is no name' -l "${BOB[@]}" --name .bob 1
	usage 'number of seconds' "${BOB[@]}" -t 0 h 1
	"$PSPCAT" --help > "$tmp/client.out"
	ok "help" $?
	status=0
	"$PSPCAT" -V > /dev/full 2> "$tmp/client.err" || status=$?
	[ "$status" = 1 ]
	ok "a full disk is an error" $?
}

test_psp() {
	inputs 3000000 2000000
	meet
	is "data under PSP, both ways" arrived
	is "PSP is said" says client 'PSP hdr0-aes-gcm-128, device 7'
	is "and in the report" says server \
		'3000000 received, .* PSP hdr0-aes-gcm-128: rekeys rx 0 tx 0'
	meet --psp-versions aes-gcm-256
	is "another version" says client 'PSP hdr0-aes-gcm-256'
	meet --psp-versions aes-gmac-256 --unencrypted
	is "one that does not encrypt, if asked for" says client \
		'PSP hdr0-aes-gmac-256'
	start "${ALICE[@]}" --name bob --psp-versions aes-gcm-256
	client "${BOB[@]}" --name alice --psp-versions aes-gcm-128 \
		127.0.0.1 "$port"
	is "versions that do not match" both 1 1
	is "and why" says client 'no PSP version is allowed by both sides'
}

# Both devices are rotated, data has to wait for it
test_rekey() {
	local i

	inputs 10 2000000
	start "${ALICE[@]}" --name bob
	mkfifo "$tmp/fifo"
	cp "$tmp/client.in" "$tmp/want"
	{
		env "${wrapper[@]}" "$PSPCAT" -r "${BOB[@]}" --name alice \
			127.0.0.1 "$port" < "$tmp/fifo" > "$tmp/client.out" \
			2> "$tmp/client.err"
		echo $? > "$tmp/status"
	} &
	exec {fifo}> "$tmp/fifo"
	await "$tmp/server.err" 'PSP hdr0.*device'
	for i in 1 2 3 4 5; do
		printf x >> "$FAKE_ROTATIONS"
		await "$tmp/server.err" 'new key' $((2 * i))
	done
	cat "$tmp/want" >&"$fifo"
	exec {fifo}>&-
	wait "$server"
	server_status=$?
	await "$tmp/status" .
	client_status=$(cat "$tmp/status")
	is "data after five rotations" arrived
	is "five rekeys each" says client 'rekeys rx 5 tx 5, 5 rotations seen'
	is "at the other side, too" says server 'rekeys rx 5 tx 5'
	rm -f "$tmp/fifo" "$tmp/status"
}

test_fallback() {
	local a b sa sb

	inputs 300000 10
	for sa in none refuse yes; do
		for sb in none refuse; do
			server_env=("FAKE_PSP=$sa")
			client_env=("FAKE_PSP=$sb")
			meet --fallback=tls
			is "server $sa, client $sb: TLS" arrived
			is "and it is said" says client ' TLS, no PSP'
		done
	done
	client_env=(FAKE_KEY_BYTES=50000)
	server_env=(FAKE_PSP=none)
	meet --fallback=tls
	is "TLS with new keys" arrived
	is "there were some" [ "$(grep -c 'new TLS key' "$tmp/client.err")" -ge 4 ]
	client_env=()
	for a in tls refuse; do
		for b in tls refuse; do
			[ "$a$b" != tlstls ] || continue
			start "${ALICE[@]}" --name bob --fallback="$a"
			client "${BOB[@]}" --name alice --fallback="$b" \
				127.0.0.1 "$port"
			is "server $a, client $b: refused" both 1 1
			is "the client says which side has none" says client \
				'other side has no PSP: none here \?\[1m; and '
			is "so does the server" says server \
				'this side has no PSP: none here'
			[ ! -s "$tmp/server.out" ] && [ ! -s "$tmp/client.out" ]
			ok "nothing has passed" $?
		done
	done
	server_env=()
	client_env=(FAKE_PSP=refuse)
	meet
	is "no key to be had" both 1 1
	is "and the server knows" says server \
		'the other side has no PSP: rx-assoc: No space'
	client_env=()
}

test_no_kernel() {
	local PSPCAT=$PSPCAT_PLAIN

	[ ! -e /sys/module/psp ] || return 0
	inputs 500000 500000
	meet
	is "no PSP here: refused" both 1 1
	is "and both have none" says client 'and neither has the other side'
	meet --fallback=tls
	is "no PSP here: TLS" arrived
}

test_certs() {
	inputs 10 10
	start "${ALICE[@]}" --name bob
	client "${MALLORY[@]}" --name alice 127.0.0.1 "$port"
	is "a certificate of another CA" both 1 1
	is "the server says so" says server 'certificate of the other side: '
	is "and who it was" says server '^pspcat: 127.0.0.1 port [0-9]+: cert'
	is "the client hears of it" says client 'the other side refuses: '
	start "${MALLORY[@]}" --any-name
	client "${BOB[@]}" --name alice 127.0.0.1 "$port"
	is "the same of the server" both 1 1
	is "and the client says so" says client 'certificate of the other side'
	start "${ALICE[@]}" --name bob
	client "${BOB[@]}" --name carol 127.0.0.1 "$port"
	is "another server than was expected" both 1 1
	is "the names are told" says client \
		'hostname mismatch: it is for alice, 127.0.0.1, .*, not for carol'
	start "${ALICE[@]}" --name carol
	client "${BOB[@]}" --name alice 127.0.0.1 "$port"
	is "another client than was expected" both 1 1
	is "the names are told there, too" says server \
		'hostname mismatch: it is for bob, 127.0.0.1, .*, not for carol'
	start "${ALICE[@]}" --any-name
	client "${BOB[@]}" 127.0.0.1 "$port"
	is "an address is a name" arrived
	is "it is the one that was found" says client 'with 127.0.0.1 at 127'
	is "anybody is called by all names" says server 'with bob, 127.0.0.1, '
}

psk() {
	echo "$2" > "$tmp/$1.psk"
	chmod 600 "$tmp/$1.psk"
}

# unseen HEX... - none of it is in what pspcat has said, nor are its bytes
unseen() {
	python3 - "$tmp/said" "$@" <<- 'END'
		import sys
		said = open(sys.argv[1], "rb").read()
		keys = sys.argv[2:]
		assert b"PSP hdr0" in said and b'"ok":true' in said
		for key in keys:
		    for text in (key.encode(), key.upper().encode()):
		        assert text not in said, "in hexadecimal"
		    assert bytes.fromhex(key) not in said, "as bytes"
	END
}

# between CLIENT SERVER - with the key files of both
between() {
	start --psk-file "$tmp/$2.psk"
	client -v -j --psk-file "$tmp/$1.psk" 127.0.0.1 "$port"
	cat "$tmp/server.err" "$tmp/client.err" "$tmp/client.out" >> "$tmp/said"
}

test_psk() {
	local key=00112233445566778899aabbccddeeff

	inputs 100000 10
	psk a "us:$key$key"
	psk b "us:$key"
	psk c "them:$key$key"
	psk d "us:0011"
	: > "$tmp/said"
	between a a
	is "a key that both know" arrived
	between b a
	is "another key" both 1 1
	is "it is said" says server 'binder does not verify'
	is "and the other side hears of it" says client 'the other side refuses'
	between c a
	is "another identity" both 1 1
	is "it is said, too" says client 'the other side refuses'
	start --psk-file "$tmp/a.psk"
	client "${BOB[@]}" --name alice 127.0.0.1 "$port"
	is "a certificate instead" both 1 1
	is "it is no use" says server 'no suitable signature algorithm'
	start "${ALICE[@]}" --any-name
	client --psk-file "$tmp/a.psk" 127.0.0.1 "$port"
	is "and the other way round" both 1 1
	is "nor is the key" says client 'certificate of the other side: self-signed'
	client --psk-file "$tmp/d.psk" 127.0.0.1 "$port"
	cat "$tmp/client.err" >> "$tmp/said"
	is "a short key" says client 'no line IDENTITY:KEY'
	chmod 604 "$tmp/a.psk"
	client --psk-file "$tmp/a.psk" 127.0.0.1 "$port"
	cat "$tmp/client.err" >> "$tmp/said"
	is "a file that others may read" says client 'others than its owner'
	is "no key was shown" unseen "$key"
}

# through HARM AT [OPTION]... - a proxy stands between them
through() {
	local harm=$1 at=$2 proxy

	shift 2
	start --psk-file "$tmp/e.psk" "$@"
	python3 "$here/proxy.py" $((port + 10000)) "$port" "$harm" "$at" \
		> "$tmp/proxy" 2> "$tmp/proxy.err" &
	proxy=$!
	awaits_port $((port + 10000))
	client --psk-file "$tmp/e.psk" "$@" 127.0.0.1 $((port + 10000))
	wait "$proxy"
}

awaits_port() {
	local hex try

	hex=$(printf ':%04X 00000000:0000 0A' "$1")
	for ((try = 0; try < 600; try++)); do
		! grep -q "$hex" /proc/net/tcp || return 0
		sleep 0.05
	done
	return 1
}

# Under PSP the server says: BIND (36 bytes), an acknowledgment in KEY (28), CREDIT
# and END (12 each), DONE (4)
test_broken() {
	psk e us:00112233445566778899aabbccddeeff
	inputs 10 0
	through none 0
	is "through a proxy" arrived
	is "it has seen all" [ "$(cat "$tmp/proxy")" = "92 106" ]
	through flip 10
	is "another BIND" both 1 1
	is "it is seen" says client 'this is not the other side of the TLS'
	is "the other side is told" says server 'the other side gives up: PSP'
	through flip 42
	is "a key that was changed" says client 'it is not authentic'
	through end 0
	is "the end of TLS was changed" both 1 1
	through cut 0
	is "cut at the switch" both 1 1
	server_env=(FAKE_BUSY=7)
	client_env=(FAKE_BUSY=3)
	through none 0
	is "plain data is in the way of tx-assoc for a while" arrived
	server_env=(FAKE_BUSY=1000000)
	client_env=()
	through none 0 -t 1
	is "and for good" both 1 1
	is "it is said what that means" says server \
		'PSP: plain data came behind the end of TLS'
	server_env=()
	inputs 10 500000
	through cut 300000
	is "cut in the data" both 1 1
	is "it is said" says client 'ended before the data'
	inputs 10 0
	through mute 0 -j -t 1
	is "nothing comes under PSP" both 1 1
	is "it is said what that can be" says client \
		'nothing came under PSP: is UDP port 1000 let through'
	is "and it was no connection under PSP" says client '"mode":"none"'
	inputs 10 500000
	server_env=(FAKE_PSP=none)
	through tls-cut 300000 --fallback=tls
	is "cut in the data, under TLS" both 1 1
	through tls-flip 300000 --fallback=tls
	is "a changed byte, under TLS" both 1 1
	server_env=()
	inputs 10 0
	through cut 80
	is "cut before the last word" [ "$client_status" = 1 ]
}

test_stdout() {
	local pid

	inputs 10 20000000
	start "${ALICE[@]}" --name bob
	env "${client_env[@]}" "$PSPCAT" "${BOB[@]}" --name alice 127.0.0.1 \
		"$port" < "$tmp/client.in" 2> "$tmp/client.err" |
		head -c 1000 > "$tmp/client.out"
	client_status=${PIPESTATUS[0]}
	wait "$server"
	server_status=$?
	is "stdout is gone" both 1 1
	is "it is said" says client 'stdout: Broken pipe'
	is "and at the other side" says server 'the other side gives up: std'

	# A reader that sleeps: the connection must live on, and be rekeyed
	mkfifo "$tmp/fifo"
	# shellcheck disable=SC2217 # it does not read: that is the point
	sleep 1000 < "$tmp/fifo" &
	pid=$!
	start "${ALICE[@]}" --name bob
	"$PSPCAT" -r "${BOB[@]}" --name alice 127.0.0.1 "$port" \
		< /dev/null > "$tmp/fifo" 2> "$tmp/client.err" &
	is "what may wait for stdout waits, and no more" \
		has_read "$(pgrep -P "$server")" 4194304
	printf x >> "$FAKE_ROTATIONS"
	await "$tmp/server.err" 'new key' 2
	printf x >> "$FAKE_ROTATIONS"
	await "$tmp/server.err" 'new key' 4
	is "rekeyed while stdout stands still" \
		[ "$(grep -c 'new key' "$tmp/server.err")" = 4 ]
	is "and it still does" has_read "$(pgrep -P "$server")" 4194304
	kill "$pid" %%
	wait 2> /dev/null
	rm "$tmp/fifo"
	inputs 10 1000
	start "${ALICE[@]}" --name bob
	status=0
	"$PSPCAT" "${BOB[@]}" --name alice 127.0.0.1 "$port" < /dev/null \
		> /dev/full 2> "$tmp/client.err" || status=$?
	wait "$server"
	[ "$status" = 1 ] && says client 'stdout: No space'
	ok "a full disk" $?
	start "${ALICE[@]}" --name bob
	status=0
	"$PSPCAT" "${BOB[@]}" --name alice 127.0.0.1 "$port" <&- >&- \
		2> "$tmp/client.err" || status=$?
	wait "$server"
	[ "$status" = 1 ] && says client 'stdout: Bad file'
	ok "a closed stdout" $?
}

test_terminal() {
	inputs 0 0
	seq 3000 > "$tmp/server.in"
	start "${ALICE[@]}" --name bob
	script -qec "$PSPCAT ${BOB[*]} --name alice 127.0.0.1 $port" \
		/dev/null < /dev/null > "$tmp/client.out" 2> "$tmp/client.err"
	client_status=$?
	wait "$server"
	server_status=$?
	is "on a terminal" both 0 0
	tr -d '\r' < "$tmp/client.out" | tail -n 3000 |
		cmp -s - "$tmp/server.in"
	ok "all of it" $?
}

test_json() {
	inputs 1000 10
	start "${ALICE[@]}" --name bob
	client -j "${BOB[@]}" --name alice 127.0.0.1 "$port"
	tail -n 1 "$tmp/client.err" | python3 -c 'if 1:
		import json, sys
		r = json.load(sys.stdin)
		assert r["ok"] and r["mode"] == "psp" and r["sent"] == 1000
		assert r["received"] == 10 and r["peer"] == "alice"
		assert r["rx-rekeys"] == 0 and "error" not in r'
	ok "the report as JSON" $?
	start "${ALICE[@]}" --name bob
	client -j "${BOB[@]}" --name $'ca"rol\xc3\xa9\xff' 127.0.0.1 "$port"
	tail -n 1 "$tmp/client.err" | python3 -c 'if 1:
		import json, sys
		r = json.loads(sys.stdin.buffer.read())
		assert not r["ok"] and r["mode"] == "none"
		assert r["error"].endswith("not for ca\"rol\u00e9\ufffd")'
	ok "and of a failure" $?
	status=0
	"$PSPCAT" -t 1 "${BOB[@]}" 127.0.0.1 1 < /dev/null \
		2> "$tmp/client.err" || status=$?
	[ "$status" = 1 ] && says client '127.0.0.1 port 1: Connection refused'
	ok "nobody is there" $?
}

test_big() {
	inputs 60000000 60000000
	meet
	is "60 MB each way under PSP" arrived
	server_env=(FAKE_PSP=none)
	meet --fallback=tls
	server_env=()
	is "60 MB each way under TLS" arrived
}

# What valgrind and OpenSSL say of it; slow, so only where it matters
test_memory() {
	command -v valgrind > /dev/null && [ -z "${SANITIZE:-}" ] || return 0
	wrapper=(valgrind -q --error-exitcode=99 --leak-check=full
		 "--errors-for-leak-kinds=definite,indirect")
	test_rekey
	inputs 100000 100000
	server_env=(FAKE_PSP=none)
	meet --fallback=tls
	is "fallback, in valgrind" arrived
	server_env=()
	start "${ALICE[@]}" --name bob
	client "${MALLORY[@]}" --name alice 127.0.0.1 "$port"
	is "refusal, in valgrind" both 1 1
	wrapper=()
}

# completes WORD... - with what is in $tmp/client.out then
completes() {
	bash -c '
		source "$1/../../cat/pspcat.bash"
		shift
		COMP_WORDS=(pspcat "$@")
		COMP_CWORD=$#
		_pspcat
		printf "%s\n" "${COMPREPLY[@]}"' bash "$here" "$@" \
		> "$tmp/client.out" 2> "$tmp/client.err"
	[ ! -s "$tmp/client.err" ]
}

test_completion() {
	completes --fall && grep -qx -- --fallback= "$tmp/client.out"
	ok "completion of an option" $?
	completes --fallback = t && [ "$(cat "$tmp/client.out")" = tls ]
	ok "completion of its value" $?
	completes -l --psp-versions aes-gcm &&
		[ "$(wc -l < "$tmp/client.out")" = 2 ]
	ok "completion of a version" $?
	completes --psk-file "$tmp/ali" && grep -qxF "$tmp/alice.crt" \
		"$tmp/client.out"
	ok "completion of a file" $?
}

certs_make "$tmp" alice bob
certs_make_other "$tmp" mallory
for test in ${TESTS:-usage files shared psp rekey fallback no_kernel certs psk broken \
	stdout terminal json strangers hostile each_byte no_descriptor signals \
	no_room kept reset rest completion big memory}; do
	"test_$test"
done
tap_end
