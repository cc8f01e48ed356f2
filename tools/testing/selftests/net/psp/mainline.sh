#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Mainline's own test of PSP, psp.py of the driver tests, unmodified: it makes
# keys by mainline's YNL client for connections to a C program in another
# namespace, which makes its own by mainline's YNL library. It is where $PSP_YNL
# says, that program in the current folder.

set -u

work=$(mktemp -d)
trap 'ip netns del far; ip link del psp0; rm -rf "$work"' EXIT

# It writes to its folder, and looks for all else from there.
net=$work/tools/testing/selftests/drivers/net
cp -r "$PSP_YNL/." "$work/" && cp psp_responder "$net/" || exit 1
cat > "$net/net.config" <<EOT
NETIF=psp0
LOCAL_V4=10.0.0.1
LOCAL_V6=fd00::1
REMOTE_V4=10.0.0.2
REMOTE_V6=fd00::2
REMOTE_TYPE=netns
REMOTE_ARGS=far
EOT

ip netns add far
ip -batch - <<EOT
link add psp0 type psp_ref
link add link psp0 name psp1 netns far type psp_ref
addr add 10.0.0.1/24 dev psp0
addr add fd00::1/64 dev psp0 nodad
link set psp0 up
EOT
ip -n far -batch - <<EOT
addr add 10.0.0.2/24 dev psp1
addr add fd00::2/64 dev psp1 nodad
link set psp1 up
EOT

# The test enables versions at its own end only.
ip netns exec far python3 - "$work" <<EOT || exit 1
import sys

sys.path.append(sys.argv[1] + "/tools/net/ynl")
from pyynl import YnlFamily

ynl = YnlFamily(sys.argv[1] + "/Documentation/netlink/specs/psp.yaml", schema="")
for dev in ynl.dev_get({}, dump=True):
    ynl.dev_set({"id": dev["id"], "psp-versions-ena": dev["psp-versions-cap"]})
EOT

# One test cannot pass on a stock kernel, as psp.rst says: TCP_ULP on a socket
# with PSP state is EEXIST there, by the kernel's TCP and before we are asked. It
# has to fail by just that. Two tests are for netdevsim alone, by their own word.
(cd "$net" && python3 ./psp.py 2>&1) | awk -v ours="$([ -e /sys/module/psp ]; echo $?)" '
	/FileExistsError: \[Errno 17\]/ { exists = 1 }
	/^(not )?ok .*assoc_psp_ulp_exclusive/ && ours == 0 {
		if (/^not/ == exists)
			sub(/^(not )?ok/, exists ? "ok" : "not ok")
		$0 = $0 ", by EEXIST"
	}
	/^(not )?ok / { exists = 0 }
	/^ok .* # XFAIL Test only works on netdevsim/ { sub(/# XFAIL/, "# SKIP") }
	/^not ok/ { bad = 1 }
	/^ok/ { good++ }
	{ print; fflush() }
	END { exit bad || !good }'
