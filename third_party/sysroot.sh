#!/usr/bin/env bash
#
# sysroot.sh ARCH - the libraries thaw links, for cross-building to arm64 or x86_64.
#
# Fetches Debian's packages of this machine's own release (but elfutils) for that
# architecture and unpacks them into build/third_party/sysroot-ARCH, for
# cmake/cross.cmake.
# Nothing is installed and no architecture is added to the machine. Does nothing,
# and uses no network, if that was done before.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/debian.sh
. "$top/scripts/debian.sh"

# Of the libraries only the half to link with, statically.
packages=(
	libc6 libc6-dev linux-libc-dev libgcc-s1
	zlib1g-dev libbz2-dev liblzma-dev libjansson-dev libsodium-dev liburing-dev
	check libsubunit-dev
)

# In Debian 13 the half of libelf to link with statically lacks functions of its
# own (elfutils 0.192, bug 32293). libdw must be of the same version.
elf_suite=bookworm
elf_packages=(libelf-dev libdw-dev)

case "${1-}" in
arm64) debian=arm64 ;;
x86_64) debian=amd64 ;;
*) fail 2 "usage: sysroot.sh arm64|x86_64" ;;
esac

build=$top/build/third_party
sysroot=$build/sysroot-$1
work=$build/sysroot-$1.work

stamp=$(stamp_of "$(. /etc/os-release && printf '%s' "${VERSION_ID-}")" \
	"${BASH_SOURCE[0]}")
stamp_holds "$sysroot/stamp" "$stamp" && exit 0

# unpack SUITE PACKAGE...
unpack() {
	local suite=$1 package

	shift
	say "fetching $debian packages: $*"
	{
		apt_private_init "$work/apt" deb "$suite" "$debian" &&
			apt_private "$work/apt" download "$@"
	} || fail 1 "could not fetch Debian's $debian packages" \
		"(see $work/apt/log)"
	for package in "$work"/apt/files/*.deb; do
		dpkg-deb -x "$package" "$work/root"
	done
}

rm -rf "$sysroot" "$work"
mkdir -p "$work/root"
unpack own "${packages[@]}"
unpack "$elf_suite" "${elf_packages[@]}"
# The links to the halves that were not fetched lead nowhere, or to this machine's
# own, and hide the archives from those who search for libraries.
find "$work/root/usr/lib" -name '*.so' -type l -delete
printf '%s\n' "$stamp" >"$work/root/stamp"
mv "$work/root" "$sysroot"
rm -rf "$work"
