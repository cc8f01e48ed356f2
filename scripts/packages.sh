# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The host's packages: what is missing, apt-get installs.

APT=(apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)

# Lists older than this many minutes are fetched again before they are used.
APT_LISTS_AGE=720

apt_update() {
	say "reading package lists"
	quietly "${APT[@]}" update || return 1
	touch "$CACHE/.apt-lists"
}

apt_fresh_lists() {
	[ -n "$(find "$CACHE/.apt-lists" -mmin -$APT_LISTS_AGE \
		2> /dev/null)" ] || apt_update
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = \
	  installed ]
}

# need_packages USE...
need_packages() {
	local use package want missing=()

	while read -r use package; do
		for want in "$@"; do
			[ "$use" != "$want" ] || is_installed "$package" ||
				missing+=("$package")
		done
	done < <(table "$TREE/scripts/packages")
	[ ${#missing[@]} -gt 0 ] || return 0

	apt_fresh_lists || die "no package lists"
	say "installing ${missing[*]}"
	DEBIAN_FRONTEND=noninteractive quietly "${APT[@]}" install -y \
		--no-install-recommends "${missing[@]}" < /dev/null ||
		die "cannot install packages"
}
