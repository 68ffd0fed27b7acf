#!/usr/bin/env bash
#
# picolibc.sh ARCH - the C library of the guests, for x86_64 or arm64.
#
# Fetches picolibc's source as Debian has it, checks it, mends it
# (picolibc.patch) and builds it into build/third_party/picolibc-ARCH (include/,
# lib/, in tests/ the programs that picolibc_tests.txt lists, and what
# tests/third_party.py reads). Does nothing, and uses no network, if that is there and
# was made by this recipe. For a machine without network:
# PICOLIBC_TARBALL=path/to/picolibc_1.8.10.orig.tar.gz. README.md says what each
# option is for, and how to update all of it.
#
# The version is that of Debian's stable release, which does not go away; those
# of testing are replaced, and what was fetched yesterday is not there tomorrow.
#
# The library is for one thread in user mode: no thread-local storage, no
# locks, no start-up code, and no system calls: what it needs of its system
# (sbrk, _exit, gettimeofday, getentropy, the stdio streams, descriptors) the SDK
# provides.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/debian.sh
. "$top/scripts/debian.sh"

version=1.8.10
package_version=1.8.10-2
suite=trixie
# A backtrace follows them.
frames="'-fno-omit-frame-pointer', '-mno-omit-leaf-frame-pointer'"
checksum=d1fc2a20f217472f8d9da084a519a25678e8d91852a41c7f3f1840d3508f7163

case "${1-}" in
x86_64)
	triplet=x86_64-linux-gnu
	cpu=x86_64
	flags="'-march=x86-64', '-fcf-protection=none'"
	;;
arm64)
	triplet=aarch64-linux-gnu
	cpu=aarch64
	# Outlined atomics would ask the C library for getauxval.
	flags="'-march=armv8-a', '-mno-outline-atomics'"
	;;
*)
	fail 2 "usage: picolibc.sh x86_64|arm64"
	;;
esac

build=$top/build/third_party
prefix=$build/picolibc-$1
work=$build/picolibc-$1.work
patch=$top/third_party/picolibc.patch
tests=$top/third_party/picolibc_tests.txt
tarball=$build/picolibc-$version.tar.gz

checksum_holds() {
	sha256sum --check --status 2>/dev/null <<<"$checksum  $1"
}

# Puts the checked source at $tarball. Written under another name first, so
# that what has the name is whole.
fetch() {
	local index=$work/apt

	if [[ -n ${PICOLIBC_TARBALL-} ]]; then
		[[ -r $PICOLIBC_TARBALL ]] ||
			fail 1 "cannot read PICOLIBC_TARBALL=$PICOLIBC_TARBALL"
		cp "$PICOLIBC_TARBALL" "$work/tarball"
	else
		checksum_holds "$tarball" && return
		say "fetching picolibc $package_version's source"
		{
			apt_private_init "$index" deb-src "$suite" amd64 &&
				apt_private "$index" source --download-only \
					--tar-only "picolibc=$package_version"
		} ||
			fail 1 "could not fetch picolibc $package_version from" \
				"Debian $suite (see $index/log); set" \
				"PICOLIBC_TARBALL to a copy of its source"
		mv "$index/files/picolibc_$version.orig.tar.gz" "$work/tarball"
	fi
	checksum_holds "$work/tarball" ||
		fail 1 "picolibc's source has the wrong SHA-256" \
			"$(sha256sum "$work/tarball" | cut -d' ' -f1)," \
			"expected $checksum"
	mv "$work/tarball" "$tarball"
}

write_cross_file() {
	cat <<-CROSS
		[binaries]
		c = ['$triplet-gcc', '-nostdlib']
		ar = '$triplet-ar'
		nm = '$triplet-nm'
		strip = '$triplet-strip'

		[built-in options]
		c_args = [$flags, '-fPIE', '-fno-stack-protector', $frames]

		[host_machine]
		system = 'linux'
		cpu_family = '$cpu'
		cpu = '$cpu'
		endian = 'little'

		[properties]
		skip_sanity_check = true
		needs_exe_wrapper = true
	CROSS
}

build_library() {
	mkdir "$work/source"
	tar -xzf "$tarball" -C "$work/source" --strip-components=1
	patch -d "$work/source" -p1 <"$patch" || return
	write_cross_file >"$work/cross.txt"
	# README.md says what each is for.
	meson setup "$work/build" "$work/source" \
		--cross-file "$work/cross.txt" --prefix "$prefix" \
		--libdir lib --includedir include \
		--optimization 2 -Ddebug=false \
		-Dmultilib=false -Dspecsdir=none \
		-Dtests=false -Dsemihost=false -Dpicocrt=false \
		-Dsingle-thread=true -Dthread-local-storage=false \
		-Datomic-ungetc=false -Dnewlib-nano-malloc=false \
		-Dio-long-long=true -Dio-long-double=true \
		-Dprintf-percent-n=true -Dio-percent-b=true \
		-Dmb-capable=true -Dinitfini-array=false &&
		ninja -C "$work/build" install
}

# Those that are listed, with the headers that they include, and no others: some
# are under the GPL.
copy_tests() {
	local word path

	mkdir "$prefix/tests"
	cd "$work/source" || return
	while read -r word path _; do
		# shellcheck disable=SC2086 # a path may have wildcards
		[[ $word != run && $word != part ]] ||
			cp --parents $path "$prefix/tests" || return
	done <"$tests"
	cp --parents test/{fma_vec,long_double_vec,rounding-mode,timegm}.h \
		test/math_errhandling_tests.c test/libc-testsuite/testcase.h \
		newlib/libm/test/test.h newlib/testsuite/include/check.h \
		"$prefix/tests"
}

# For tests/third_party.py: the files that were compiled or included, and the
# test programs that the source has.
write_lists() {
	ninja -C "$work/build" -t deps |
		sed -n 's|^ *\.\./source/||p' |
		LC_ALL=C sort -u >"$prefix/sources"
	(cd "$work/source" &&
		find test newlib/testsuite newlib/libm/test \
			-name '*.c' -o -name '*.cpp') |
		LC_ALL=C sort >"$prefix/test_programs"
}

stamp=$(stamp_of "picolibc $version" "${BASH_SOURCE[0]}" "$patch" "$tests")
stamp_holds "$prefix/stamp" "$stamp" && exit 0
command -v "$triplet-gcc" >/dev/null ||
	fail 7 "no $triplet-gcc: install the package gcc-${triplet//_/-}"
command -v patch >/dev/null || fail 7 "no patch: install the package patch"

rm -rf "$work"
mkdir -p "$work"
fetch
rm -rf "$prefix"
say "building picolibc $version for $1"
with_progress "$work/log" build_library ||
	fail 1 "building picolibc failed: see $work/log"
mv "$work/log" "$prefix/build.log"
cp "$work"/source/COPYING.{picolibc,NEWLIB} "$prefix"
(copy_tests) || fail 1 "$tests names a file that picolibc does not have"
write_lists
rm -rf "$work"
printf '%s\n' "$stamp" >"$prefix/stamp"
