#!/usr/bin/env bash
#
# clang_format.sh - the program that lays out the source, clang-format 14.
#
# Each version lays out otherwise, so there is one for all releases: that of
# Debian 12. Where it is not installed, its packages are fetched and unpacked, not
# installed, into build/third_party/clang-format; what else they need comes with
# any release's clang. Prints the program's path. Uses no network if all of that
# was done before.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/debian.sh
. "$top/scripts/debian.sh"

name=clang-format-14
suite=bookworm
packages=("$name" libclang-cpp14 libllvm14)
prefix=$top/build/third_party/clang-format
work=$prefix.work
program=$prefix/$name

command -v "$name" && exit 0
stamp=$(stamp_of "$suite" "${BASH_SOURCE[0]}")
if ! stamp_holds "$prefix/stamp" "$stamp"; then
	rm -rf "$prefix" "$work"
	mkdir -p "$work/root"
	say "fetching $name of Debian $suite"
	{
		apt_private_init "$work/apt" deb "$suite" \
			"$(dpkg --print-architecture)" &&
			apt_private "$work/apt" download "${packages[@]}"
	} || fail 1 "could not fetch the packages ${packages[*]} of Debian" \
		"$suite (see $work/apt/log)"
	for package in "$work"/apt/files/*.deb; do
		dpkg-deb -x "$package" "$work/root"
	done
	mv "$work/root" "$prefix"
	cat >"$program" <<-'PROGRAM'
		#!/bin/sh
		usr=${0%/*}/usr
		LD_LIBRARY_PATH=$(echo "$usr"/lib/*-linux-gnu) \
			exec "$usr/lib/llvm-14/bin/clang-format" "$@"
	PROGRAM
	chmod +x "$program"
	printf '%s\n' "$stamp" >"$prefix/stamp"
	rm -rf "$work"
fi
"$program" --version >"$prefix/log" 2>&1 ||
	fail 1 "$program does not run: $(tail -n 1 "$prefix/log")"
printf '%s\n' "$program"
