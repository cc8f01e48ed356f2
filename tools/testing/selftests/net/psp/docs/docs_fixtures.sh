# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the blocks of a document find when they run: "docs-test: with NAME" in
# the document calls with_NAME, in a shell that has a network namespace and an
# empty folder for itself. What is made here goes with the namespace, or in
# docs_end.

# docs_with FIXTURE
docs_with() {
	mount -t sysfs sys /sys || return
	mount -t debugfs debug /sys/kernel/debug || return
	mount -t tracefs trace /sys/kernel/tracing || return
	mount -t tmpfs netns /run/netns || return
	ip link set lo up || return
	docs_installed || return
	"with_$1"
}

# Both modules are loaded when a suite ends, whatever a document did.
docs_end() {
	local pid

	for pid in $(jobs -p); do
		kill -KILL "$pid" 2> /dev/null
	done
	wait
	[ ! -e /sys/module/psp_sample ] || rmmod psp_sample || return
	[ -e /sys/module/psp ] || modprobe psp || return
	[ -e /sys/module/psp_ref ] || modprobe psp_ref || return
}

# Library, commands and man pages in their places, and for modprobe the modules:
# as after the installation that a document may begin with. Once is enough.
docs_installed() {
	local conf=/etc/modprobe.d/psp-docs.conf

	[ ! -e $conf ] || return 0
	make -s -C "$PSP_TREE/tools/net/psp" OUTPUT="$PSP_TOOLS" -o all install \
		> /dev/null || return
	ldconfig
	mkdir -p /etc/modprobe.d
	# Not what the kernel's command line says of psp.job, which is for init
	cat > $conf <<-EOT
	install psp insmod $PSP_KO
	install psp_ref modprobe psp && insmod $PSP_REF_KO \$CMDLINE_OPTS
	EOT
}

# Nothing but lo.
with_nothing() {
	:
}

# eth0, and a network behind it, where 192.0.2.2 is.
with_card() {
	ip netns add far &&
		ip link add eth0 type veth peer name eth0 netns far &&
		ip -n far addr add 192.0.2.2/24 dev eth0 &&
		ip -n far link set eth0 up
}

# psp0 with 10.0.0.1, by a cable with psp1 in the namespace "peer", 10.0.0.2.
# Nothing is enabled.
with_port() {
	ip netns add peer &&
		ip link add psp0 type psp_ref &&
		ip link add link psp0 name psp1 netns peer type psp_ref &&
		ip addr add 10.0.0.1/24 dev psp0 &&
		ip -n peer addr add 10.0.0.2/24 dev psp1 &&
		ip link set psp0 up &&
		ip -n peer link set psp1 up
}

# The same, all enabled, and a connection under PSP: docs_live makes it do things
with_ends() {
	with_port &&
		pspctl dev set psp0 versions all &&
		pspctl -n peer dev set psp1 versions all &&
		docs_connect
}

# A container, "box", namespace 0 for the host, which forwards; and psp0.
with_box() {
	ip netns add box &&
		ip netns set box 0 &&
		with_port &&
		sysctl -qw net.ipv4.ip_forward=1
}

# The same, where psp0 is device 1; and what is of use in a kernel source tree:
# mainline's client and our specification.
with_ynl() {
	(
		# shellcheck source=tools/testing/selftests/net/psp/qemu/modules.sh
		. "$PSP_SRC/qemu/modules.sh"
		unload_modules
	) && modprobe psp_ref &&
		with_ends &&
		docs_ynl
}

# What with_port makes, all enabled; the example programs, and a client as above.
with_examples() {
	with_port &&
		pspctl dev set psp0 versions all &&
		pspctl -n peer dev set psp1 versions all &&
		cp "$PSP_TREE"/tools/net/psp/examples/*.[chp]* . &&
		docs_ynl
}

# The sample driver where it is built, and the example program "secure".
with_sample() {
	ip netns add peer &&
		mkdir -p samples/psp &&
		cp "${PSP_KO%/*}/psp_sample.ko" samples/psp/ &&
		cp "$PSP_TOOLS/examples/secure" . &&
		mkfifo to from
}

docs_ynl() {
	ln -s "$PSP_YNL/tools" tools &&
		mkdir -p Documentation/netlink/specs &&
		cp "$PSP_YNL/Documentation/netlink/genetlink.yaml" \
			Documentation/netlink/ &&
		cp "$PSP_TREE/Documentation/netlink/specs/psp.yaml" \
			Documentation/netlink/specs/
}

# The program "live" holds both ends of a connection
docs_connect() {
	ip netns attach here $$ || return
	coproc LIVE { LD_LIBRARY_PATH=$PSP_TOOLS exec "$PSP_TOOLS/tests/live" \
		here 10.0.0.1 peer 10.0.0.2 .keys 2> .live; }
	local line
	read -r line <&"${LIVE[0]}"
	[ "$line" = ready ] && docs_live keys && docs_live ping
}

# docs_live COMMAND... - see tests/live.c
docs_live() {
	local word line

	for word; do
		echo "$word" >&"${LIVE[1]}"
		read -r line <&"${LIVE[0]}"
		echo "$word: $line"
		[ "$line" = ok ] || return
	done
}
