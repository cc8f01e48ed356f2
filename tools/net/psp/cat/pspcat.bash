# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion for pspcat.

_pspcat() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
	local options versions

	options='--listen --cert --key --ca --name --any-name --psk-file
		 --fallback= --psp-versions --unencrypted --timeout --verbose
		 --report --json --help --version'
	versions='aes-gcm-128 aes-gcm-256 aes-gmac-128 aes-gmac-256'
	[ "$before" != = ] || before=${COMP_WORDS[COMP_CWORD-2]}
	[ "$word" != = ] || word=
	case $before in
	--cert | --key | --ca | --psk-file)
		compopt -o filenames 2> /dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		;;
	--fallback)
		mapfile -t COMPREPLY < <(compgen -W 'refuse tls' -- "$word")
		;;
	--psp-versions)
		mapfile -t COMPREPLY < <(compgen -W "$versions" -- "$word")
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
		[ "${COMPREPLY[*]}" != --fallback= ] ||
			compopt -o nospace 2> /dev/null
		;;
	esac
}

complete -F _pspcat pspcat
