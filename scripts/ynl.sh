# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Mainline's netlink client, what it knows of the family "psp", and mainline's
# own test of that, to see what a user of mainline sees: of the newest kernel
# source package that Debian has, these few files alone.
#
#	$CACHE/ynl/		the files, in their places of a kernel tree
#	$CACHE/ynl/package	which they are, and where from
#	$CACHE/ynl/checked	when the archive was asked for a newer one

YNL_PREFIX=linux-source-
YNL_FILES=(
	Documentation/netlink/genetlink.yaml
	Documentation/netlink/specs/{nlctrl,psp,rt-link}.yaml
	tools/net/ynl/{lib,pyynl}
	tools/testing/selftests/drivers/net/{psp.py,psp_responder.c,lib/py}
	tools/testing/selftests/net/lib/py
)

ynl_dir() {
	echo "$CACHE/ynl"
}

fetch_ynl() {
	with_lock ynl fetch_ynl_locked
}

fetch_ynl_locked() {
	local dir

	dir=$(ynl_dir)
	if is_recent "$dir/checked" &&
	   [ "$(cat "$dir/checked")" = "${YNL_FILES[*]}" ]; then
		return 0
	fi
	update_ynl "$dir" || {
		[ -e "$dir/package" ] || die "cannot fetch mainline's YNL client"
		say "going on with the YNL client that is here"
	}
	echo "${YNL_FILES[*]}" > "$dir/checked"
}

update_ynl() {
	local dir=$1 package id tmp

	with_lock source-release setup_source_release || return 1
	package=$(with_source_release newest_package $YNL_PREFIX) || return 1
	id=$(with_source_release deb_uris "$package" | awk '{ print $2 }')
	[ -n "$id" ] || return 1
	id="$id with $(echo "${YNL_FILES[@]}" | cksum)"
	[ "$(cat "$dir/package" 2> /dev/null)" != "$id" ] || return 0

	tmp=$(mktemp -d "$CACHE/tmp.XXXXXX")
	with_source_release unpack_ynl "$package" "$tmp" || return 1
	chmod 755 "$tmp"
	echo "$id" > "$tmp/package"
	replace_dir "$tmp" "$dir"
}

unpack_ynl() {
	local package=$1 dest=$2 deb

	deb=$(fetch_debs "$package") || return 1
	say "unpacking the YNL client of $package"
	dpkg-deb --fsys-tarfile "$deb" |
		tar -xO "./usr/src/$package.tar.xz" | xz -dc -T0 |
		tar -x -C "$dest" --strip-components=1 \
			"${YNL_FILES[@]/#/$package/}" || return 1
	# By this, what generates code knows the top of a kernel tree
	: > "$dest/MAINTAINERS"
	rm -f "$deb"
}

# build_responder DESTINATION - the other end of mainline's test, a C program: with
# mainline's library and what that generates, but with this tree's header.
build_responder() {
	local dest=$1 ynl gen

	ynl=$(ynl_dir)/tools/net/ynl
	gen=$(mktemp -d "$LOG/tmp.XXXXXX")
	generate_ynl header "$gen/psp-user.h" || die "no code from YNL"
	generate_ynl source "$gen/psp-user.c" || die "no code from YNL"
	gcc -O2 -isystem "$TREE/include/uapi" -I"$gen" -I"$ynl/lib" \
		-o "$dest/psp_responder" "$gen/psp-user.c" "$ynl/lib/ynl.c" "$(
		ynl_dir)/tools/testing/selftests/drivers/net/psp_responder.c" ||
		die "mainline's psp_responder does not build"
	rm -rf "$gen"
}

generate_ynl() {
	PYTHONDONTWRITEBYTECODE=1 timeout 120 /usr/bin/python3 \
		"$(ynl_dir)/tools/net/ynl/pyynl/ynl_gen_c.py" --mode user \
		"--$1" -o "$2" \
		--spec "$(ynl_dir)/Documentation/netlink/specs/psp.yaml"
}
