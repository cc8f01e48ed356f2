# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion of pspctl for bash. Names of interfaces come from others and may
# look like commands: they are only ever lines of text, never expanded.

# pspctl in the namespace of the command line
_pspctl_run() {
	pspctl ${netns:+-n "$netns"} "$@" 2> /dev/null
}

# Devices, and the interfaces that have them if pspctl could print their names
_pspctl_devs() {
	_pspctl_run dev show | sed -nE \
		-e 's/^([0-9]+): ([^ ?]+)( \(.*)?$/\1\n\2/p; t' \
		-e 's/^([0-9]+): .*/\1/p'
}

_pspctl_ifnames() {
	if [ -n "$netns" ]; then
		ip -n "$netns" -o link 2> /dev/null |
			sed -nE 's/^[0-9]+: ([^ ]*): .*/\1/p' | sed 's/@[^@]*$//'
	else
		ls /sys/class/net
	fi
}

_pspctl_versions() {
	local version

	for version in aes-gcm-128 aes-gcm-256 aes-gmac-128 aes-gmac-256; do
		printf '%s\n' "hdr0-$version" "$version"
	done
}

# What may follow the words of an object and a command
_pspctl_words() {
	local object=$1 command=$2 prev=$3

	case $prev in
	ifname) _pspctl_ifnames; return ;;
	versions) _pspctl_versions; printf '%s\n' all none; return ;;
	ifindex | nsid | interval | count | cookie) return ;;
	esac
	case $object/$command in
	dev/show | dev/set | dev/assoc | dev/disassoc | key/rotate) ;&
	stats/show | assoc/show) [ "$prev" != "$command" ] || _pspctl_devs ;;
	esac
	case $object/$command in
	dev/set) echo versions ;;
	dev/assoc | dev/disassoc) printf '%s\n' ifname ifindex nsid ;;
	key/rotate) echo all ;;
	stats/show) printf '%s\n' interval count ;;
	assoc/show) echo cookie ;;
	esac
}

_pspctl_commands() {
	case $1 in
	"") printf '%s\n' dev key stats assoc monitor top help ;;
	dev) printf '%s\n' show set assoc disassoc help ;;
	key) printf '%s\n' rotate help ;;
	stats | assoc) printf '%s\n' show help ;;
	esac
}

# top has no command, so that any of its words may come first
_pspctl_top() {
	case $1 in
	interval | count | -d | -n) ;;
	sort | -o)
		printf '%s\n' rate age rotations rekeys peer device ;;
	*)
		[ "$1" != top ] || _pspctl_devs
		printf '%s\n' interval count sort batch ;;
	esac
}

# Lines that begin with what is there, as typed or as it has to be typed
_pspctl_match() {
	local cur=$1 line quoted

	while IFS= read -r line; do
		printf -v quoted %q "$line"
		if [[ $line == "$cur"* || $quoted == "$cur"* ]]; then
			COMPREPLY+=("$quoted")
		fi
	done
}

# The words before the cursor, without options
_pspctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} words=() word skip='' netns=''
	local prev=${COMP_WORDS[COMP_CWORD - 1]}

	for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
		case $skip:$word in
		:-n | :-netns | :--netns) skip=netns ;;
		:-i | :-interval | :--interval) skip=value ;;
		netns:= | value:=) ;;
		netns:*) netns=$word; skip='' ;;
		value:*) skip='' ;;
		:-*) ;;
		*) words+=("$word") ;;
		esac
	done
	COMPREPLY=()
	if [ "$skip" = netns ]; then
		_pspctl_match "$cur" < <(ls /run/netns 2> /dev/null)
	elif [[ $cur == -* ]]; then
		_pspctl_match "$cur" < <(printf '%s\n' -json -pretty -color \
			-netns -interval -help -Version)
	elif [ "${words[0]-}" = monitor ]; then
		_pspctl_match "$cur" < <(printf '%s\n' mgmt use assoc all count)
	elif [ "${words[0]-}" = top ]; then
		_pspctl_match "$cur" < <(_pspctl_top "$prev")
	elif [ ${#words[@]} -lt 2 ]; then
		_pspctl_match "$cur" < <(_pspctl_commands "${words[0]-}")
	else
		_pspctl_match "$cur" < <(_pspctl_words "${words[0]}" \
						       "${words[1]}" "$prev")
	fi
}

complete -F _pspctl pspctl
