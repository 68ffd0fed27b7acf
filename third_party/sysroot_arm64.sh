#!/usr/bin/env bash
#
# sysroot_arm64.sh - the libraries thaw links, for cross-building to arm64.
#
# Fetches Debian's arm64 packages of this machine's own release and unpacks
# them into build/third_party/sysroot-arm64, for cmake/arm64.cmake. Nothing is
# installed and no architecture is added to the machine. Does nothing, and uses
# no network, if that was done before.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/debian.sh
. "$top/scripts/debian.sh"

# Of the libraries only the half to link with, statically.
packages=(
	libc6 libc6-dev linux-libc-dev libgcc-s1
	libelf-dev zlib1g-dev libjansson-dev libsodium-dev liburing-dev
	check libsubunit-dev
)

build=$top/build/third_party
sysroot=$build/sysroot-arm64
work=$build/sysroot-arm64.work

stamp=$(stamp_of "$(. /etc/os-release && printf '%s' "${VERSION_ID-}")" \
	"${BASH_SOURCE[0]}")
stamp_holds "$sysroot/stamp" "$stamp" && exit 0

rm -rf "$sysroot" "$work"
mkdir -p "$work/root"
say "fetching arm64 packages: ${packages[*]}"
{
	apt_private_init "$work/apt" deb own arm64 &&
		apt_private "$work/apt" download "${packages[@]}"
} || fail 1 "could not fetch Debian's arm64 packages (see $work/apt/log)"
for package in "$work"/apt/files/*.deb; do
	dpkg-deb -x "$package" "$work/root"
done
# The links to the halves that were not fetched lead nowhere, and hide the
# archives from those who search for libraries.
find "$work/root/usr/lib" -name '*.so' -xtype l -delete
printf '%s\n' "$stamp" >"$work/root/stamp"
mv "$work/root" "$sysroot"
rm -rf "$work"
