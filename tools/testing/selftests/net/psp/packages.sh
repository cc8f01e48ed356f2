#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The Debian packages, installed, used, upgraded and purged in the virtual machine,
# in a root of their own: an overlay, so that afterwards its upper layer tells what
# was left behind. $PSP_DEBS has the packages, and in a folder named after the
# kernel what DKMS built of them on the host: compiling takes too long here.
#
# shellcheck disable=SC2317 # tests are called by their names

set -u
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

# shellcheck source=tools/testing/selftests/net/psp/qemu/modules.sh
. "$PSP_SRC/qemu/modules.sh"
# shellcheck source=tools/net/psp/tests/tap.sh
. "$PSP_TREE/tools/net/psp/tests/tap.sh"

PACKAGES=(libpsp1 libpsp-dev psp-dkms pspctl)
release=$(uname -r)
version=$(dpkg-deb -f "$PSP_DEBS"/psp-dkms_*.deb Version)
root=/run/packages/root
out=/run/packages/out

# Whoever comes after us in this machine wants the modules that are being tested
cleanup() {
	unload_modules > /dev/null 2>&1
	load_modules || echo "# the modules cannot be loaded again"
}

fresh() {
	: > "$out"
}

said() {
	cat "$out"
	: > "$out"
}

# try COMMAND... - in the root, has to succeed
try() {
	chroot "$root" "$@" >> "$out" 2>&1 < /dev/null || wrong "failed: $*"
}

# An empty /run: there is no systemd that could be told anything. Without modules that
# nothing here needs, depmod is through in seconds, not in a minute.
make_root() {
	local dir

	mount --make-rprivate / && mkdir -p /run/packages &&
		mount -t tmpfs packages /run/packages || return 1
	mkdir -p /run/packages/{upper,work,modules,work-modules} "$root"
	mount -t overlay -o "lowerdir=/,upperdir=/run/packages/upper,$(
		)workdir=/run/packages/work" root "$root" &&
		mount -t overlay -o "lowerdir=/lib/modules,$(
			)upperdir=/run/packages/modules,$(
			)workdir=/run/packages/work-modules" \
			modules "$root/lib/modules" || return 1
	for dir in proc sys dev; do
		mount --rbind /$dir "$root/$dir" || return 1
	done
	for dir in run "lib/modules/$release"/kernel/{drivers,fs,sound}; do
		mount -t tmpfs empty "$root/$dir" || return 1
	done
	mount -t tmpfs dpkg "$root/var/lib/dpkg" &&
		tar -xf "$PSP_DEBS/dpkg.tar" -C "$root/var/lib" || return 1
}

# What is there now that was not, or is no more, without what dpkg, dkms, depmod and
# systemd keep for themselves
changed_files() {
	(
		cd /run/packages || exit
		find upper modules -mindepth 1 ! -type d
	) | grep -vE \
		-e '^upper/var/(lib/(apt|dpkg|systemd)|log|cache|backups)/' \
		-e '^upper/(etc/(ld\.so\.cache|machine-id|\.pwd\.lock)|tmp/)' \
		-e '^upper/usr/share/man/index\.db' \
		-e '^modules/[^/]+/modules\.[a-z.]+$'
}

# Is this in the root?
has() {
	[ -s "$root/$1" ] || wrong "there is no $1"
}

# By dpkg: apt takes minutes to read what all its packages depend on
installed() {
	local lib=usr/lib/x86_64-linux-gnu file

	try dpkg -i "$PSP_DEBS"/*.deb
	try dpkg --verify "${PACKAGES[@]}"
	[ -z "$(chroot "$root" dpkg --verify "${PACKAGES[@]}")" ] ||
		wrong "files are not as packed"
	for file in usr/sbin/pspctl usr/share/man/man8/pspctl.8.gz \
		    usr/bin/pspcat usr/share/man/man1/pspcat.1.gz \
		    usr/share/bash-completion/completions/psp{ctl,cat} \
		    lib/systemd/system/psp-rotate{,@}.{service,timer} \
		    $lib/libpsp.so.1 $lib/libpsp.so $lib/libpsp.a \
		    $lib/pkgconfig/libpsp.pc usr/include/{libpsp,psp_rekey}.h \
		    usr/share/man/man3/{libpsp,psp_rekey}.3.gz \
		    usr/lib/modprobe.d/psp.conf usr/src/psp-$version/dkms.conf \
		    usr/share/doc/psp-dkms/psp_packages.rst.gz; do
		has "$file"
	done
}

# The postinst found no headers and only told DKMS of the sources
dkms_installs() {
	local dir="$root/var/lib/dkms/psp/$version" module file

	ln -s "${KERNEL_CONFIG%/*}" "$root/lib/modules/$release/build"
	cp -r "$PSP_DEBS/$release" "$dir/"
	try dkms install -m psp -v "$version" -k "$release"
	chroot "$root" dkms status psp >> "$out" 2>&1
	grep -qF "psp/$version, $release, x86_64: installed" "$out" ||
		wrong "DKMS does not say that it has installed psp"
	rm "$root/lib/modules/$release/build"

	for module in $(module_files | xargs -n1 basename -s .ko); do
		file=$(chroot "$root" modinfo -F filename "$module" 2>> "$out")
		[[ $file = */updates/dkms/$module.ko* ]] ||
			wrong "$module is \"$file\""
		[ -n "$(chroot "$root" modinfo -F signer "$module")" ] ||
			wrong "$module is not signed"
	done
	[ "$(find "$root/lib/modules/$release/updates" -type f | wc -l)" = \
	  "$(module_files | wc -l)" ] || wrong "there are other modules"
}

# The kernel's modprobe is that of the root, with what the packages tell it
kernel_modprobe() {
	local helper=/tmp/packages-modprobe

	cat > "$helper" <<-EOT
	#!/bin/sh
	exec nsenter -m -r -t $$ chroot $root modprobe "\$@"
	EOT
	chmod 755 "$helper"
	echo "$helper" > /proc/sys/kernel/modprobe
}

# Whoever asks for a device or for the family: nobody gets a module so. An empty file
# takes the packaged one's place, and the same request is then answered.
nothing_autoloads() {
	local before conf=$root/etc/modprobe.d/psp.conf

	before=$(cat /proc/sys/kernel/modprobe)
	kernel_modprobe
	ip link add psp0 type psp_ref >> "$out" 2>&1 && wrong "there is a device"
	chroot "$root" modprobe -q -- net-pf-16-proto-16-family-psp
	[ -z "$(chroot "$root" modprobe -nv rtnl-link-psp_ref 2>> "$out")" ] ||
		wrong "psp_ref would be loaded"
	[ ! -e /sys/module/psp_ref ] || wrong "psp_ref was loaded"
	kernel_has CONFIG_INET_PSP || [ ! -e /sys/module/psp ] ||
		wrong "psp was loaded"
	: > "$conf"
	ip link add psp0 type psp_ref >> "$out" 2>&1 ||
		wrong "the kernel does not ask the root's modprobe"
	ip link del psp0
	rm "$conf"
	unload_modules >> "$out" 2>&1 || wrong "the modules do not unload"
	echo "$before" > /proc/sys/kernel/modprobe
	rm /tmp/packages-modprobe
}

is_loaded() {
	[ -e /sys/module/psp_ref ] || wrong "psp_ref is not loaded"
	kernel_has CONFIG_INET_PSP || [ -e /sys/module/psp ] ||
		wrong "psp is not loaded"
}

# What systemd does with the file that psp_packages.rst has written
loads_at_boot() {
	echo psp_ref > "$root/run/psp.conf"
	try /lib/systemd/systemd-modules-load /run/psp.conf
	is_loaded
	try modprobe -r psp_ref
	[ ! -e /sys/module/psp_ref ] || wrong "psp_ref is still loaded"
}

loads_by_name() {
	# docs: modprobe psp_ref
	try modprobe psp_ref
	is_loaded
}

shows_device() {
	try ip link add psp0 type psp_ref
	# docs: pspctl dev show
	chroot "$root" pspctl dev show >> "$out" 2>&1
	grep -q '^[0-9]*: psp0$' "$out" || wrong "there is no psp0"
}

# Against the shared library and the static one
builds_program() {
	local link

	cat > "$root/tmp/prog.c" <<-'EOT'
	#include <libpsp.h>
	#include <psp_rekey.h>
	#include <stdio.h>

	int main(void)
	{
		struct psp_dev *devs, *dev;
		struct psp_ctx *ctx;
		int n = 0;

		if (psp_open(&ctx) || psp_dev_dump(ctx, &devs))
			return 1;
		for (dev = devs; dev; dev = dev->next)
			n++;
		printf("%d devices\n", n);
		psp_dev_free(devs);
		psp_close(ctx);
		return 0;
	}
	EOT
	for link in "" -Wl,-Bstatic; do
		: > "$out"
		try sh -c "cd /tmp && cc -Wall -Werror -o prog prog.c $link $(
			)\$(pkg-config --cflags --libs libpsp) $(
			)${link:+-Wl,-Bdynamic \$(pkg-config --libs libmnl)}"
		try /tmp/prog
		grep -qx '1 devices' "$out" || wrong "the program found no device"
	done
	rm -f "$root"/tmp/prog*
}

timer_is_off() {
	local unit

	try systemd-analyze verify psp-rotate.timer psp-rotate@psp0.timer
	[ ! -s "$out" ] || wrong "systemd complains"
	for unit in psp-rotate.timer psp-rotate@psp0.timer; do
		chroot "$root" systemctl is-enabled "$unit" >> "$out" 2>&1
	done
	[ "$(sort -u "$out")" = disabled ] || wrong "a timer is enabled"
	[ -z "$(find "$root/etc/systemd" -name 'psp-*')" ] ||
		wrong "something links to the timers"
}

timer_is_enabled() {
	# docs: systemctl enable psp-rotate.timer
	try systemctl enable psp-rotate.timer
	# docs: systemctl enable psp-rotate@eth0.timer
	try systemctl enable psp-rotate@eth0.timer
	[ "$(find "$root/etc/systemd" -type l -name 'psp-*' | wc -l)" = 2 ] ||
		wrong "something else than two timers is enabled"
	# docs: systemctl disable psp-rotate.timer
	try systemctl disable psp-rotate.timer
	try systemctl disable psp-rotate@eth0.timer
	: > "$out"
	timer_is_off
}

rotations() {
	chroot "$root" pspctl -j stats show psp0 |
		sed -n 's/.*"key-rotations":\([0-9]*\).*/\1/p'
}

# systemd UNIT - is process 1 of a container, starts the unit, and exits as that did
systemd() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare -fpm chroot "$root" /bin/sh -c '
		mount -t proc proc /proc
		exec env -i container=test /lib/systemd/systemd --unit="$1" \
			--log-target=console --log-level=notice \
			--show-status=no' sh "$1" >> "$out" 2>&1
}

# rotates NUM UNIT
rotates() {
	local before

	before=$(rotations)
	systemd "$2" || wrong "$2 failed"
	[ "$(rotations)" = $((before + $1)) ] ||
		wrong "$2 has rotated $(($(rotations) - before)) times, not $1"
}

# As if 20 hours had passed
age_stamps() {
	local stamp found=

	for stamp in "$root"/run/psp-rotate/last*; do
		[ -s "$stamp" ] || continue
		echo $(($(cat "$stamp") - 72000)) > "$stamp"
		found=1
	done
	[ "$found" ] || wrong "no rotation is noted"
}

# By a real systemd, since a filter that is too strict would be seen nowhere else.
# Whatever starts them, it does not lose connections: once in a day is enough.
services_rotate() {
	local unit dropin

	for unit in psp-rotate.service psp-rotate@.service; do
		dropin=$root/run/systemd/system/$unit.d
		mkdir -p "$dropin"
		cat > "$dropin/test.conf" <<-'EOT'
		[Unit]
		DefaultDependencies=no
		SuccessAction=exit-force
		FailureAction=exit-force
		FailureActionExitStatus=7
		[Service]
		StandardOutput=append:/run/said
		StandardError=append:/run/said
		EOT
	done
	rotates 1 psp-rotate.service
	rotates 0 psp-rotate.service
	rotates 0 psp-rotate@psp0.service
	age_stamps
	rotates 1 psp-rotate@psp0.service
	rotates 0 psp-rotate@psp0.service
	rotates 0 psp-rotate.service
	cat "$root/run/said" >> "$out"
	grep -q 'less than 20 hours' "$root/run/said" || wrong "nobody said why"
	rm -r "$root/run/systemd"
}

# They must not go away below the sockets that use them
stay_loaded() {
	[ -e /sys/module/psp_ref ] || wrong "psp_ref was unloaded"
	ip link show psp0 >> "$out" 2>&1 || wrong "psp0 is gone"
}

# with_systemd COMMAND... - as if there was one; $root/run/told has what it was told
with_systemd() {
	local name

	mkdir -p "$root"/run/{stubs,systemd/system}
	for name in systemctl deb-systemd-invoke; do
		printf '#!/bin/sh\necho "$@" >> /run/told\n' > "$root/run/stubs/$name"
		chmod 755 "$root/run/stubs/$name"
	done
	: > "$root/run/told"
	PATH=/run/stubs:$PATH try "$@"
	rm -r "$root/run/systemd"
	cat "$root/run/told" >> "$out"
}

# The timers go on, and are the new ones
upgraded() {
	with_systemd dpkg -i "$PSP_DEBS"/*.deb
	stay_loaded
	grep -q daemon-reload "$root/run/told" || wrong "systemd has the old units"
	! grep -qE '(stop|start) ' "$root/run/told" || wrong "units were started or stopped"
	try pspctl key rotate psp0
}

# With a timer that is enabled, and runs
purged() {
	try systemctl enable psp-rotate@psp0.timer
	with_systemd dpkg --purge "${PACKAGES[@]}"
	grep -qE 'stop .*psp-rotate\*\.timer' "$root/run/told" ||
		wrong "the timers go on"
	stay_loaded
	unload_modules >> "$out" 2>&1 || wrong "the modules do not unload"
}

# With the port. Before the upgrade: that takes away what DKMS has built, and here
# there is nothing to build it again with.
unloaded() {
	local module modules=(psp_ref)

	kernel_has CONFIG_INET_PSP || modules+=(psp)
	# docs: modprobe -r psp_ref psp
	try modprobe -r "${modules[@]}"
	for module in "${modules[@]}"; do
		[ ! -e "/sys/module/$module" ] ||
			wrong "$module is still loaded"
	done
	try modprobe psp_ref
	try ip link add psp0 type psp_ref
}

nothing_left() {
	changed_files >> "$out"
	grep -E '^Package: (lib|)psp' "$root/var/lib/dpkg/status" >> "$out"
	[ ! -s "$out" ] || wrong "something is left"
}

if [ -z "${PACKAGES_NS:-}" ]; then
	PACKAGES_NS=1 exec unshare -m "$0"
fi
make_root || { echo "Bail out! no root"; exit 1; }
unload_modules || { echo "Bail out! the modules are in use"; exit 1; }
trap cleanup EXIT

tests=(
	installed dkms_installs nothing_autoloads loads_at_boot loads_by_name
	shows_device builds_program timer_is_off timer_is_enabled services_rotate
	unloaded upgraded purged nothing_left
)
echo "TAP version 13"
for test in "${tests[@]}"; do
	run "$test"
done
tap_end
