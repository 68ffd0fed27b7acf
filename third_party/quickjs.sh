#!/usr/bin/env bash
#
# quickjs.sh - the JavaScript engine of a sample function: QuickJS's C sources, for
# the build to compile.
#
# Fetches the source as Debian has it, checks it, and unpacks what the engine needs
# into build/third_party/quickjs. Does nothing, and uses no network, if that was done
# before. For a machine without network:
# QUICKJS_TARBALL=path/to/quickjs_2025.04.26.orig.tar.xz. thaw builds without it, and
# without that sample.
#
# The version is that of Debian 13, also on Debian 12, whose own is older.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/debian.sh
. "$top/scripts/debian.sh"

version=2025.04.26
package_version=2025.04.26-1
suite=trixie
checksum=ec81da5b3249ed648dbc7df4a1654988910e66a118d9b71cb63534216efcfbbe

build=$top/build/third_party
prefix=$build/quickjs
work=$build/quickjs.work

# Puts the source at $work/tarball.
fetch() {
	if [[ -n ${QUICKJS_TARBALL-} ]]; then
		cp "$QUICKJS_TARBALL" "$work/tarball" ||
			fail 1 "cannot read QUICKJS_TARBALL=$QUICKJS_TARBALL"
		return
	fi
	say "fetching QuickJS $version's source"
	{
		apt_private_init "$work/apt" deb-src "$suite" amd64 &&
			apt_private "$work/apt" source --download-only \
				--tar-only "quickjs=$package_version"
	} || fail 1 "could not fetch QuickJS $package_version from Debian" \
		"$suite (see $work/apt/log); set QUICKJS_TARBALL to a copy" \
		"of its source"
	mv "$work/apt/files/quickjs_$version.orig.tar.xz" "$work/tarball"
}

stamp=$(stamp_of "quickjs $version" "${BASH_SOURCE[0]}")
stamp_holds "$prefix/stamp" "$stamp" && exit 0
command -v xz >/dev/null || fail 7 "no xz: install the package xz-utils"

rm -rf "$prefix" "$work"
mkdir -p "$work/source" "$work/quickjs"
fetch
sha256sum --check --status 2>/dev/null <<<"$checksum  $work/tarball" ||
	fail 1 "QuickJS's source has the wrong SHA-256" \
		"$(sha256sum "$work/tarball" | cut -d' ' -f1)," \
		"expected $checksum"
tar -xJf "$work/tarball" -C "$work/source" --strip-components=1
cp "$work/source/LICENSE" "$work"/source/{cutils,dtoa,libregexp,libunicode}.[ch] \
	"$work"/source/quickjs.[ch] "$work"/source/quickjs-{atom,opcode}.h \
	"$work"/source/libregexp-opcode.h "$work"/source/libunicode-table.h \
	"$work/source/list.h" "$work/quickjs"
printf '%s\n' "$stamp" >"$work/quickjs/stamp"
mv "$work/quickjs" "$prefix"
rm -rf "$work"
