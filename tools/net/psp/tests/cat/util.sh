# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests of pspcat share: certificates, made on the spot and good for a
# day, and waiting.

certs_key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)

# certs_sign FOLDER CA NAME - a key and a certificate for it
certs_sign() {
	openssl req "${certs_key[@]}" -keyout "$1/$3.key" -subj "/CN=$3" |
		openssl x509 -req -CA "$1/$2.crt" -CAkey "$1/$2.key" \
			-CAcreateserial -days 2 -out "$1/$3.crt" -extfile \
			<(echo "subjectAltName=DNS:$3,IP:127.0.0.1,IP:10.0.0.1,IP:fd00::1")
}

certs_ca() {
	openssl req -x509 "${certs_key[@]}" -keyout "$1/$2.key" \
		-out "$1/$2.crt" -days 2 -subj "/CN=$2"
}

# certs_make FOLDER NAME... - of one CA, called ca
certs_make() {
	local dir=$1 name

	shift
	{
		certs_ca "$dir" ca
		for name; do
			certs_sign "$dir" ca "$name"
		done
	} 2> "$dir/certs.err"
}

# certs_make_other FOLDER NAME - of another CA
certs_make_other() {
	{
		certs_ca "$1" other
		certs_sign "$1" other "$2"
	} 2> "$1/certs.err"
}

# await FILE REGEX [COUNT] - so many lines of it, or one; it need not exist yet
await() {
	local try lines limit=$((600 * ${PSP_SLOW:-1}))

	for ((try = 0; try < limit; try++)); do
		lines=$(grep -cE -- "$2" "$1" 2> /dev/null)
		[ "${lines:-0}" -lt "${3:-1}" ] || return 0
		sleep 0.05
	done
	return 1
}
