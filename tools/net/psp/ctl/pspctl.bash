# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion of pspctl for bash

# Interfaces that have a PSP device, and what may be said instead
_pspctl_devs() {
	pspctl dev show 2> /dev/null |
		sed -n 's/^\([0-9]*\): \([^? ]*\).*/\1 \2/p'
}

_pspctl_versions() {
	local version

	for version in aes-gcm-128 aes-gcm-256 aes-gmac-128 aes-gmac-256; do
		echo "hdr0-$version $version"
	done
}

# What may follow the words of an object and a command
_pspctl_words() {
	local object=$1 command=$2 prev=$3

	case $prev in
	ifname) ls /sys/class/net; return ;;
	versions) _pspctl_versions; echo all none; return ;;
	ifindex | nsid | interval | count | cookie) return ;;
	esac
	case $object/$command in
	dev/show | dev/set | dev/assoc | dev/disassoc | key/rotate) ;&
	stats/show | assoc/show) [ "$prev" != "$command" ] || _pspctl_devs ;;
	esac
	case $object/$command in
	dev/set) echo versions ;;
	dev/assoc | dev/disassoc) echo ifname ifindex nsid ;;
	key/rotate) echo all ;;
	stats/show) echo interval count ;;
	assoc/show) echo cookie ;;
	esac
}

_pspctl_commands() {
	case $1 in
	"") echo dev key stats assoc monitor help ;;
	dev) echo show set assoc disassoc help ;;
	key) echo rotate help ;;
	stats | assoc) echo show help ;;
	esac
}

# The words before the cursor, without options
_pspctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} words=() word skip=
	local prev=${COMP_WORDS[COMP_CWORD - 1]} choice

	for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
		case $skip$word in
		-n | -netns | -i | -interval) skip=yes ;;
		-* | yes*) skip= ;;
		*) words+=("$word") ;;
		esac
	done
	if [[ $prev == -n || $prev == -netns ]]; then
		choice=$(ls /run/netns 2> /dev/null)
	elif [[ $cur == -* ]]; then
		choice="-json -pretty -color -netns -interval -help -Version"
	elif [ "${words[0]}" = monitor ]; then
		choice="mgmt use assoc all count"
	elif [ ${#words[@]} -lt 2 ]; then
		choice=$(_pspctl_commands "${words[0]}")
	else
		choice=$(_pspctl_words "${words[0]}" "${words[1]}" "$prev")
	fi
	mapfile -t COMPREPLY < <(compgen -W "$choice" -- "$cur")
}

complete -F _pspctl pspctl
