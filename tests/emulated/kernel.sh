#!/usr/bin/env bash
#
# kernel.sh KERNEL - Debian's kernel for an emulated machine: amd64, arm64, or
# arm64-16k, which has pages of 16 KiB.
#
# Fetches the package, which apt checks by Debian's signatures, and unpacks the
# kernel and the modules of KVM into build/third_party/kernel-KERNEL: vmlinuz,
# version, *.ko. Does nothing, and uses no network, if that was done before.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=scripts/debian.sh
. "$top/scripts/debian.sh"

[[ ${1-} =~ ^(amd64|arm64|arm64-16k)$ ]] ||
	fail 2 "usage: kernel.sh amd64|arm64|arm64-16k"
flavour=$1
arch=${flavour%-16k}

# The first that there is. The cloud kernels boot fastest; 6.12, which Debian 12
# has among its security updates, has the dirty ring on arm64.
metapackages=("linux-image-6.12-cloud-$arch" "linux-image-cloud-$arch")

# In the order of loading; what is not there is built in, or not needed.
modules=(irqbypass ccp kvm kvm-amd)

build=$top/build/third_party
kernel=$build/kernel-$flavour
work=$build/kernel-$flavour.work

stamp=$(stamp_of "$(. /etc/os-release && printf '%s' "${VERSION_ID-}")" \
	"${BASH_SOURCE[0]}")
stamp_holds "$kernel/stamp" "$stamp" && exit 0

# newest: prints the package that the first metapackage known stands for. Its
# name has the version, which moves with every security update. For 16 KiB there
# is no metapackage: of all versions the last.
newest() {
	local name

	if [[ $flavour != "$arch" ]]; then
		apt-cache -c "$work/apt/apt.conf" pkgnames linux-image- |
			grep -E "^linux-image-[0-9].*-$flavour\$" | sort -V |
			tail -n 1 | grep .
		return
	fi
	for name in "${metapackages[@]}"; do
		apt-cache -c "$work/apt/apt.conf" depends "$name" 2>/dev/null |
			sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' |
			grep -m 1 . && return
	done
	return 1
}

rm -rf "$kernel" "$work"
mkdir -p "$work"/{all,kernel}
{
	apt_private_init "$work/apt" deb own "$arch" && package=$(newest) &&
		say "fetching $arch package: $package" &&
		apt_private "$work/apt" download "$package"
} || fail 1 "could not fetch Debian's $flavour kernel (see $work/apt/log)"
dpkg-deb -x "$work"/apt/files/*.deb "$work/all"
cp "$work"/all/boot/vmlinuz-* "$work/kernel/vmlinuz"
printf '%s\n' "${package#linux-image-}" >"$work/kernel/version"
number=0
for module in "${modules[@]}"; do
	file=$(find "$work/all" -name "$module.ko" -o -name "$module.ko.xz")
	[[ -n $file ]] || continue
	number=$((number + 1))
	case $file in
	*.xz) xz -dc "$file" >"$work/kernel/$number-$module.ko" ;;
	*) cp "$file" "$work/kernel/$number-$module.ko" ;;
	esac
done
printf '%s\n' "$stamp" >"$work/kernel/stamp"
mv "$work/kernel" "$kernel"
rm -rf "$work"
