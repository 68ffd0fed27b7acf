# shellcheck shell=bash
#
# setup.sh - what run.sh and test.sh have in common: the packages, the machine,
# the C library of the guests, and one build. To be sourced.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/debian.sh
. "$top/scripts/debian.sh"

# To build and run. wamerican is the word list of the spellcheck sample;
# binutils has the x86_64-linux-gnu- and aarch64-linux-gnu- names; xz-utils unpacks
# QuickJS; check is here because the build includes the unit tests, make and curl
# because README.md's tour calls them.
# shellcheck disable=SC2034
run_packages=(
	gcc g++ libc6-dev binutils cmake ninja-build make meson patch pkg-config
	libdw-dev libelf-dev libjansson-dev libsodium-dev liburing-dev check wamerican
	curl xz-utils
)

# The programs that config/linux.json.in has as functions.
# shellcheck disable=SC2034
linux_packages=(
	bash busybox-static gawk jq lua-cjson lua5.4 perl python3 sqlite3
)

# To test as well.
# shellcheck disable=SC2034
test_packages=(
	"${linux_packages[@]}" clang clang-tidy libclang-rt-dev cppcheck shellcheck git gnuplot-nox
	groff-base lld musl-tools python3-jsonschema skopeo umoci wrk
)

# Node's oldest version that the AWS SDK of the tests runs on.
node_oldest=20

# setup_node_packages: prints the packages for a machine without node, if its
# release has one that is new enough. (npm comes with hundreds of others.)
setup_node_packages() {
	local version

	command -v node >/dev/null && return
	version=$(apt-cache policy nodejs 2>/dev/null |
		sed -n 's/^ *Candidate: \([0-9]*\)\..*/\1/p')
	((${version:-0} < node_oldest)) || printf '%s\n' nodejs npm
}

# setup_python_packages: prints the package with the tests of this release's python3.
setup_python_packages() {
	apt-cache policy python3 2>/dev/null |
		sed -n 's/^ *Candidate: \(3\.[0-9]*\)\..*/libpython\1-testsuite/p'
}

# To build for arm64 and run that here.
# shellcheck disable=SC2034
arm64_packages=(
	gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
)

# To run whole machines of both architectures here.
# shellcheck disable=SC2034
emulated_packages=(
	qemu-system-x86 qemu-system-arm xz-utils python3
)

# setup_architecture: prints this machine's architecture as thaw names it.
setup_architecture() {
	case $(uname -m) in
	x86_64) printf 'x86_64\n' ;;
	aarch64) printf 'arm64\n' ;;
	*) fail 7 "thaw runs on x86_64 and arm64, not on $(uname -m)" ;;
	esac
}

# setup_require_kvm: ends the script with status 7 if /dev/kvm cannot be used.
setup_require_kvm() {
	[[ -c /dev/kvm ]] ||
		fail 7 "this machine has no /dev/kvm: switch on virtualization" \
			"(in the firmware, or nested for a virtual machine)" \
			"and load the kernel's kvm module"
	# Opening it is the only test that holds under every access control.
	{ : <>/dev/kvm; } 2>/dev/null ||
		fail 7 "no permission to use /dev/kvm" \
			"($(stat -c '%U:%G, mode %a' /dev/kvm)): join a group" \
			"that has it ('sudo usermod -aG kvm $(id -un)', then" \
			"log in again), or be root"
}

# setup_build PRESET [CMAKE-OPTION...]: configures where that is new or has
# options, then builds what has changed.
setup_build() {
	local preset=$1

	shift
	cd "$top" || return
	if (($#)) || [[ ! -f build/$preset/build.ninja ]]; then
		cmake --preset "$preset" "$@" || return
	fi
	cmake --build --preset "$preset"
}
