#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The suite kunit: load the modules with KUnit tests, which lie beside psp.ko,
# and tell as KTAP what the kernel says about them. KUnit's results are nested
# and below one line for the suite; here each case is a line of its own.

set -u

RESULTS=/sys/kernel/debug/kunit
MODULES=(psp_test psp_ref_test)
SUITES=(
	psp_assoc_dev psp_drop psp_encap psp_epoch psp_main psp_parse psp_policy psp_tuple
	psp_tx_key
	psp_ref_aead psp_ref_cache psp_ref_devkeys psp_ref_iv psp_ref_kdf
	psp_ref_mark psp_ref_parse psp_ref_rx psp_ref_table
)
bad=0

wrong() {
	echo "# $*"
	bad=1
}

# tell_suite FILE - cases are one level down, and parameters of a case two.
tell_suite() {
	awk -v suite="$(basename "$(dirname "$1")")" '
		/^    (KTAP version|1\.\.)/ { print substr($0, 5); next }
		/^    (not )?ok [0-9]/ {
			sub(/^ */, "")
			sub(/ok [0-9]+ (- )?/, "&" suite ".")
			cases++
			print
			next
		}
		/^ok 1 / { good = 1 }
		/^ / { print "#" $0 }
		END { exit !good || !cases }' "$1" ||
		wrong "$1: the suite has failed, or has no cases"
}

# The drivers of psp_tx_key break their contract
expect() {
	echo "psp-expect: PSP: driver $1 tx key" > /dev/kmsg
}

expect "gave back"
expect "cannot retire a"
# docs: insmod ${PSP_KO%/*}/psp_test.ko
# docs: insmod ${PSP_KO%/*}/psp_ref_test.ko
for module in "${MODULES[@]}"; do
	insmod "${PSP_KO%/*}/$module.ko" || wrong "$module: cannot be loaded"
done
for suite in "${SUITES[@]}"; do
	[ -e "$RESULTS/$suite/results" ] || wrong "$suite: no such suite"
done
# docs: cat /sys/kernel/debug/kunit/psp*/results
for file in "$RESULTS"/*/results; do
	[ ! -e "$file" ] || tell_suite "$file"
done
for module in "${MODULES[@]}"; do
	rmmod "$module" || wrong "$module: cannot be unloaded"
done
exit $bad
