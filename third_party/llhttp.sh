#!/usr/bin/env bash
#
# llhttp.sh - the HTTP parser: llhttp's C sources, for the build to compile.
#
# Debian 12 has them inside a package of Node.js modules, node-llhttp, whose
# dependencies are of no use here: so it is fetched and unpacked, not installed,
# into build/third_party/llhttp. Later releases have no C sources; they take those
# of Debian 12, so that HTTP is the same everywhere. Does nothing, and uses no
# network, if that was done before.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/debian.sh
. "$top/scripts/debian.sh"

suite=bookworm
build=$top/build/third_party
prefix=$build/llhttp
work=$build/llhttp.work

stamp=$(stamp_of "$suite" "${BASH_SOURCE[0]}")
stamp_holds "$prefix/stamp" "$stamp" && exit 0

rm -rf "$prefix" "$work"
mkdir -p "$work/root" "$work/llhttp"
say "fetching llhttp's sources (package node-llhttp)"
{
	apt_private_init "$work/apt" deb "$suite" "$(dpkg --print-architecture)" &&
		apt_private "$work/apt" download node-llhttp
} || fail 1 "could not fetch the package node-llhttp of Debian $suite" \
	"(see $work/apt/log)"
dpkg-deb -x "$work"/apt/files/node-llhttp_*.deb "$work/root"
for file in llhttp.h llhttp.c api.c http.c; do
	found=$(find "$work/root/usr" -name "$file" -type f -print -quit)
	[[ $found ]] || fail 1 "package node-llhttp has no $file any more"
	cp "$found" "$work/llhttp/$file"
done
cp "$work"/root/usr/share/doc/node-llhttp/copyright "$work/llhttp"
printf '%s\n' "$stamp" >"$work/llhttp/stamp"
mv "$work/llhttp" "$prefix"
rm -rf "$work"
