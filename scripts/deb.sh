# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Debian packages of this tree, and what DKMS makes of them for the kernels of the
# cache. Nothing of it is installed here.
#
#	$CACHE/build/deb-<tree>/		the packages
#	$CACHE/build/deb-<tree>/dkms-<kernel>/	DKMS's tree for that kernel

deb_dir() {
	echo "$CACHE/build/deb-$TREE_ID"
}

# All that the packages are made of
deb_id() {
	(cd "$TREE" && tree_files | xargs -d '\n' sha256sum | sha256sum)
}

build_debs() {
	with_lock "deb-$TREE_ID" build_debs_locked
}

build_debs_locked() {
	local dir id log

	dir=$(deb_dir)
	log=$dir/log
	id=$(deb_id)
	[ "$(cat "$dir/id" 2> /dev/null)" != "$id" ] || return 0

	say "building packages"
	rm -rf "$dir"
	mkdir -p "$dir/source"
	(cd "$TREE" && tree_files | xargs -d '\n' cp --parents -t "$dir/source")
	# docs: dpkg-buildpackage -us -uc
	(cd "$dir/source" && DEB_BUILD_OPTIONS="nocheck noautodbgsym" \
		dpkg-buildpackage -us -uc) > "$log" 2>&1 || {
		tail -n 30 "$log" >&2
		die "the packages do not build; all of it is in $log"
	}
	rm -rf "$dir/source"
	echo "$id" > "$dir/id"
}

# Whatever lintian has to say, it is wrong.
lint_debs() {
	lintian --allow-root --display-info --pedantic --fail-on none \
		"$(deb_dir)"/*.changes 2>&1 | sed '/^running with root/d' | nothing
}

# The packages, and for each kernel that has the suite what DKMS makes of them, go
# to the run's own folder.
prepare_packages() {
	need_packages deb
	with_lock "deb-$TREE_ID" prepare_packages_locked "$@"
}

prepare_packages_locked() {
	local kernel

	build_debs_locked
	mkdir -p "$LOG/packages"
	cp "$(deb_dir)"/*.deb "$LOG/packages/"
	# Thousands of small files, for which the guest would have to ask one by one
	tar -cf "$LOG/packages/dpkg.tar" -C /var/lib dpkg
	for kernel in "$@"; do
		case ,$(kernel_suites "$kernel" "${suites:-}" suites), in
		*,packages,*) build_dkms "$kernel" ;;
		esac
	done
}

# From the sources that the package has, but natively: the guest, where all CPUs are
# emulated, would take half an hour.
build_dkms() {
	local kernel=$1 dir release

	dir=$(deb_dir)/dkms-$kernel
	release=$(kernel_release "$kernel")
	[ -e "$dir/done" ] || {
		say "building modules by DKMS for $kernel"
		rm -rf "$dir"
		mkdir -p "$dir"
		quietly run_dkms "$kernel" "$release" "$dir" ||
			die "DKMS cannot build for $kernel"
		: > "$dir/done"
	}
	cp -r "$dir"/psp/*/"$release" "$LOG/packages/"
}

# With folders and a signing key of its own; those of the machine stay untouched.
run_dkms() {
	local kernel=$1 release=$2 dir=$3 kdir version

	kdir=$(readlink -f "$(kernel_kdir "$kernel")")
	dpkg-deb -x "$(deb_dir)"/psp-dkms_*.deb "$dir/root" || return 1
	version=$(basename "$dir"/root/usr/src/psp-*)
	sign_file=$kdir/scripts/sign-file \
	mok_signing_key=$dir/mok.key mok_certificate=$dir/mok.pub \
		dkms build -m psp -v "${version#psp-}" -k "$release" -a x86_64 \
		--kernelsourcedir "$kdir" --dkmstree "$dir" \
		--sourcetree "$dir/root/usr/src" \
		--installtree "$(kernel_dir "$kernel")/lib/modules"
}
