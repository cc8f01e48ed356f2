# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2317 # tests are called by their names
# shellcheck disable=SC2154,SC2034 # pspcat.sh has the variables
#
# Tests of pspcat: what can be wrong at this side. pspcat.sh reads this.

# alone TEXT OPTION... - a client that fails before there is a connection
alone() {
	local text=$1 status=0

	shift
	timeout -k 5 "$LIMIT" setsid "$PSPCAT" "$@" --name alice 127.0.0.1 1 \
		< "$tmp/client.in" > "$tmp/client.out" 2> "$tmp/client.err" ||
		status=$?
	[ "$status" = 1 ] && says client "$text"
}

# alone_psk TEXT FILE
alone_psk() {
	local status=0

	timeout -k 5 "$LIMIT" "$PSPCAT" --psk-file "$2" 127.0.0.1 1 \
		2> "$tmp/client.err" || status=$?
	[ "$status" = 1 ] && says client "$1"
}

test_owner() {
	psk o us:00112233445566778899aabbccddeeff
	chown 65534 "$tmp/o.psk"
	is "somebody else's PSK" alone_psk 'o.psk: it belongs to somebody' \
		"$tmp/o.psk"
}

test_files() {
	local file=/proc/self/nothing

	inputs 1000 0
	is "no certificate" alone "--cert $file: No such file" \
		"${BOB[@]}" --cert "$file"
	is "no key" alone "--key $file: No such file" "${BOB[@]}" --key "$file"
	is "no CA" alone "--ca $file: No such file" "${BOB[@]}" --ca "$file"
	is "a key as certificate" alone "--cert $tmp/bob.key: no start line" \
		"${BOB[@]}" --cert "$tmp/bob.key"
	install -m 600 "$tmp/bob.crt" "$tmp/locked.key"
	is "a certificate as key" alone "--key $tmp/locked.key: [a-z]" \
		"${BOB[@]}" --key "$tmp/locked.key"
	install -m 604 "$tmp/bob.key" "$tmp/locked.key"
	is "a key that others may read" alone "$tmp/locked.key: others than" \
		"${BOB[@]}" --key "$tmp/locked.key"
	install -m 660 "$tmp/bob.key" "$tmp/locked.key"
	is "or write" alone "$tmp/locked.key: others than" \
		"${BOB[@]}" --key "$tmp/locked.key"
	is "a folder as PSK" alone_psk '/proc: Is a directory' /proc
	is "none" alone_psk "$file: No such file" "$file"
	[ "$(id -u)" != 0 ] || test_owner
	is "another's key" alone "--key $tmp/alice.key: key values mismatch" \
		"${BOB[@]}" --key "$tmp/alice.key"
	is "nothing as CA" alone "--ca /dev/null: [a-z]" \
		"${BOB[@]}" --ca /dev/null
	test_passphrase
}

# With a terminal's help or without, OpenSSL would take it from stdin
test_passphrase() {
	rm "$tmp/locked.key"
	openssl pkey -in "$tmp/bob.key" -aes256 -passout pass:secret \
		-out "$tmp/locked.key"
	{ echo secret; seq 1000; } > "$tmp/client.in"
	is "an encrypted key" alone "--key .*: it is encrypted, and pspcat takes" \
		"${BOB[@]}" --key "$tmp/locked.key"
	openssl ec -in "$tmp/bob.key" -aes256 -passout pass:secret \
		-out "$tmp/locked.key" 2> "$tmp/certs.err"
	is "in the old format" alone "--key .*: it is encrypted, and pspcat" \
		"${BOB[@]}" --key "$tmp/locked.key"
	start "${ALICE[@]}" --name bob
	timeout -k 5 "$LIMIT" setsid "$PSPCAT" "${BOB[@]}" --key "$tmp/locked.key" \
		--name alice 127.0.0.1 "$port" < "$tmp/client.in" \
		> "$tmp/client.out" 2> "$tmp/client.err"
	client_status=$?
	kill "$server"
	wait "$server"
	[ "$client_status" = 1 ] && [ ! -s "$tmp/server.out" ]
	ok "nothing was taken from stdin" $?
}

# Write to $tmp/fifo until nobody reads it any more
fill() {
	python3 - "$tmp/fifo" <<- 'END'
		import os, sys, time
		fd = os.open(sys.argv[1], os.O_WRONLY | os.O_NONBLOCK)
		full = 0
		while full < 10:
		    try:
		        os.write(fd, bytes(65536))
		        full = 0
		    except BlockingIOError:
		        full += 1
		        time.sleep(0.05)
	END
}

# It waits for something: who spins is never seen asleep
sleeps() {
	local try

	for ((try = 0; try < 200; try++)); do
		! grep -q '^State:.S' "/proc/$1/status" || return 0
		sleep 0.01
	done
	return 1
}

# Who shares stdin takes what is there, after poll() has told of it and before
# the connection has room for it
shared() {
	local blocking=$1 pid fifo

	mkfifo "$tmp/fifo"
	exec {fifo}<> "$tmp/fifo"
	start "${ALICE[@]}" --name bob
	python3 -c 'if 1:
		import os, sys
		os.set_blocking(0, sys.argv[1] == "blocking")
		os.execv(sys.argv[2], sys.argv[2:])' "$blocking" \
		"$PSPCAT" -v "${BOB[@]}" --name alice 127.0.0.1 "$port" \
		< "$tmp/fifo" > "$tmp/client.out" 2> "$tmp/client.err" &
	pid=$!
	await "$tmp/server.err" 'PSP hdr0.*device'
	await "$tmp/client.err" 'PSP hdr0.*device'
	pkill -STOP -P "$server"
	fill
	dd if="$tmp/fifo" iflag=nonblock of=/dev/null 2> "$tmp/certs.err"
	pkill -CONT -P "$server"
	printf x >> "$FAKE_ROTATIONS"
	await "$tmp/server.err" 'new key' 2
	ok "stdin is taken by others, $blocking: rekeyed" $?
	is "and it waits" sleeps "$pid"
	kill "$pid" "$server"
	wait "$pid" "$server" 2> /dev/null
	exec {fifo}>&-
	rm "$tmp/fifo"
}

test_shared() {
	inputs 0 0
	shared blocking
	shared nonblocking
}

# no_room HOW [OPTION]... - the server has none for the client's second key
no_room() {
	server_env=("FAKE_TX=$1")
	shift
	start "${ALICE[@]}" --name bob -j
	server_env=()
	"$PSPCAT" "$@" "${BOB[@]}" --name alice 127.0.0.1 "$port" \
		< "$tmp/fifo" > "$tmp/client.out" 2> "$tmp/client.err" &
	exec {fifo}> "$tmp/fifo"
	await "$tmp/server.err" 'PSP hdr0.*device'
	printf x >> "$FAKE_ROTATIONS"
	await "$tmp/server.err" 'new key: the other'
	exec {fifo}>&-
	wait %% "$server"
}

# It is said without -v, too: it is what a later end comes from
test_no_room() {
	inputs 0 0
	mkfifo "$tmp/fifo"
	no_room later
	is "the other side takes a key later" says client \
		'the other side cannot take the new key yet'
	no_room refuse
	is "it refuses one" says client 'the other side refuses the new key: if'
	no_room refuse -j
	is "it is counted" says client '^\{.*"refused":1,'
	is "by the other side as well" says server '"kernel-errors":1'
	rm "$tmp/fifo"
}

# keeps_none NAME HEX - both, while the connection lasts; the client has $tmp/fifo
keeps_none() {
	local name=$1 pid=$! status=0

	exec {fifo}> "$tmp/fifo"
	await "$tmp/server.err" '(PSP hdr0|going on under)'
	await "$tmp/client.err" '(PSP hdr0|going on under)'
	"$here/memory.py" "$pid" "$tmp/" "$2" &&
		"$here/memory.py" "$(pgrep -P "$server")" "$tmp/" "$2" ||
		status=$?
	ok "$name" "$status"
	exec {fifo}>&-
	wait "$pid" "$server"
}

# Only root may look into it. Under TLS the session lives on, under PSP not.
test_kept() {
	local key priv

	[ "$(id -u)" = 0 ] || return 0
	inputs 0 0
	mkfifo "$tmp/fifo"
	key=$(openssl rand -hex 32)
	psk k "us:$key"
	priv=$(openssl ec -in "$tmp/alice.key" -text -noout 2> /dev/null |
		sed -n '/^priv:/,/^pub:/s/^ *//p' | tr -d ':\n' |
		sed 's/^privpub//; s/^priv//; s/pub$//')
	for server_env in FAKE_PSP= FAKE_PSP=none; do
		start --psk-file "$tmp/k.psk" --fallback=tls
		"$PSPCAT" -v --psk-file "$tmp/k.psk" --fallback=tls 127.0.0.1 \
			"$port" < "$tmp/fifo" > "$tmp/client.out" \
			2> "$tmp/client.err" &
		keeps_none "the key that both know is forgotten, $server_env" \
			"$key"
		start "${ALICE[@]}" --name alice --fallback=tls
		"$PSPCAT" -v "${ALICE[@]}" --name alice --fallback=tls \
			127.0.0.1 "$port" < "$tmp/fifo" > "$tmp/client.out" \
			2> "$tmp/client.err" &
		keeps_none "the private key is forgotten, $server_env" "$priv"
	done
	server_env=()
	rm "$tmp/fifo"
}

# What the system says of a connection is told under TLS, too
test_reset() {
	local pid

	inputs 0 0
	mkfifo "$tmp/fifo"
	server_env=(FAKE_PSP=none)
	start "${ALICE[@]}" --name bob --fallback=tls
	server_env=()
	"$PSPCAT" -v "${BOB[@]}" --name alice --fallback=tls 127.0.0.1 "$port" \
		< "$tmp/fifo" > "$tmp/client.out" 2> "$tmp/client.err" &
	pid=$!
	exec {fifo}> "$tmp/fifo"
	await "$tmp/server.err" 'going on under'
	await "$tmp/client.err" 'going on under'
	pkill -STOP -P "$server"
	fill
	pkill -KILL -P "$server"
	wait "$pid" "$server" 2> /dev/null
	exec {fifo}>&-
	is "a reset under TLS" says client '^pspcat: TLS: (Connection re|Broken)'
	rm "$tmp/fifo"
}

# has_read PID BYTES - of stdin, which is a file
has_read() {
	local try

	for ((try = 0; try < 600; try++)); do
		! grep -q "^pos:.$2$" "/proc/$1/fdinfo/0" || return 0
		sleep 0.01
	done
	return 1
}

# What has come before the other side was killed is good, and is written
test_rest() {
	local pid

	inputs 0 2000000
	mkfifo "$tmp/fifo"
	start "${ALICE[@]}" --name bob
	"$PSPCAT" -v "${BOB[@]}" --name alice 127.0.0.1 "$port" \
		< "$tmp/client.in" > "$tmp/fifo" 2> "$tmp/client.err" &
	pid=$!
	exec {fifo}< "$tmp/fifo"
	await "$tmp/server.err" 'PSP hdr0.*device'
	has_read "$(pgrep -P "$server")" 2000000
	pkill -KILL -P "$server"
	wait "$server"
	cat <&"$fifo" > "$tmp/client.out"
	exec {fifo}<&-
	client_status=0
	wait "$pid" || client_status=$?
	rm "$tmp/fifo"
	[ "$client_status" = 1 ] &&
		[ "$(stat -c %s "$tmp/client.out")" -gt 1900000 ] &&
		head -c "$(stat -c %s "$tmp/client.out")" "$tmp/server.in" |
			cmp -s - "$tmp/client.out"
	ok "what had come is written when the other side has gone" $?
}

# A signal is an error: the other side is told, and what was done
test_signals() {
	local pid sig

	inputs 1000 0
	mkfifo "$tmp/fifo"
	for sig in INT TERM HUP; do
		start "${ALICE[@]}" --name bob
		# bash has its jobs ignore SIGINT, and that stays so
		env --default-signal=INT "$PSPCAT" -j "${BOB[@]}" --name alice \
			127.0.0.1 "$port" < "$tmp/fifo" > "$tmp/client.out" \
			2> "$tmp/client.err" &
		pid=$!
		exec {fifo}> "$tmp/fifo"
		cat "$tmp/client.in" >&"$fifo"
		await "$tmp/server.err" 'PSP hdr0.*device'
		until cmp -s "$tmp/client.in" "$tmp/server.out"; do
			kill -0 "$pid" 2> /dev/null || break
			sleep 0.01
		done
		kill -s "$sig" "$pid"
		client_status=0
		wait "$pid" || client_status=$?
		server_status=0
		wait "$server" || server_status=$?
		exec {fifo}>&-
		is "SIG$sig" both 1 1
		is "it is in the report" says client \
			'"sent":1000,.*"error":"ended by a signal: '
		is "the other side hears of it" says server \
			'the other side gives up: ended by a signal: '
	done
	rm "$tmp/fifo"
	start "${ALICE[@]}" --name bob
	kill "$server"
	status=0
	wait "$server" || status=$?
	[ "$status" = 1 ] && says server 'ended by a signal: Terminated'
	ok "nobody has come yet" $?
}
