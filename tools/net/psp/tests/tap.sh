# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# TAP, for tests in bash. Who reads this may say what goes before each test, in
# fresh(), and what explains a failure, in said().

num=0
failed=0
bad=0

fresh() { :; }
said() { :; }

# result NAME STATUS
result() {
	num=$((num + 1))
	if [ "$2" = 0 ]; then
		echo "ok $num $1"
	else
		echo "not ok $num $1"
		failed=1
	fi
}

# ok NAME STATUS - a test that is over
ok() {
	[ "$2" = 0 ] || said | sed 's/^/# | /'
	result "$1" "$2"
}

# run TEST - a function; wrong() says that it has failed
run() {
	bad=0
	fresh
	"$1"
	result "$1" $bad
}

wrong() {
	local i=0

	# The test's own line, be it a helper of it that has called
	while [ "${FUNCNAME[i + 2]:-run}" != run ]; do
		i=$((i + 1))
	done
	echo "# line ${BASH_LINENO[i]}: $*"
	said | sed 's/^/# | /'
	bad=1
}

# The last that is said
tap_end() {
	echo "1..$num"
	exit $failed
}
