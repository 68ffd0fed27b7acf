#!/usr/bin/env bash
#
# run.sh [OPTION]... - thaw beside other ways to run code for a request: one table, measured
# in one run on this machine. docs/comparison.md has it, and says what the rows are.
#
#	--only NAME	measure this row, and what it is compared to; several times for
#			more. NAME also means all rows that go on from it with a dot:
#			http, node
#	--duration N	seconds to measure, in all; default 180
#	--json FILE	write all figures to FILE as well; report.py prints the table of it
#	--build DIR	the build of thaw; default build/release, which ./run.sh makes
#	--tools DIR	for what is fetched and made; default build/peers
#
# The rows are those of peers.py. What they need is got ready first. Debian's packages
# bubblewrap, crun, wabt and wrk are installed. Its nginx, which would start a server
# when it is installed, is only unpacked, into build/peers, and npm's workerd is installed
# there. Node is used if it is there. A row whose tool cannot be had, or does not run here,
# is skipped, and the table says why.
#
#	peers.py	the rows, and their commands
#	measure.py	measures them in turns
#	report.py	prints the table
#	*.c, *.wat	what the rows within a process run; samples.c measures them
#	*.mjs, *.capnp	the same in JavaScript, and the servers of Node and workerd
#	job.lua		the load, for wrk

# The tools are called by name, which shellcheck does not see.
# shellcheck disable=SC2317

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/setup.sh
. "$here/../../scripts/setup.sh"
tools=$top/build/peers
build=$top/build/release
workerd_version=1.20261117.1
usage() {
	sed -n '3,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
	exit "$1"
}

# has_package PROGRAM PACKAGE: the program is there, or can be installed.
has_package() {
	command -v "$1" >/dev/null || (packages_install "$2") &&
		command -v "$1" >"$tools/$1.path"
}

# is_newer FILE SOURCE...: whether FILE need not be made again.
is_newer() {
	local file=$1 source

	shift
	for source; do
		[[ $file -nt $source ]] || return
	done
}

# compiled NAME ARGUMENT...: makes the program NAME of NAME.c.
compiled() {
	local name=$1

	shift
	is_newer "$tools/$name" "$here/$name.c" "$here"/samples.[ch] "${BASH_SOURCE[0]}" ||
		"${compile[@]}" "$here/$name.c" "$@" -o "$tools/$name"
}

tool_command() {
	compiled command "$top/bench/child.c"
}

tool_invoke() {
	# the library may be another one now
	rm -f "$tools/invoke"
	compiled invoke "$build/libthaw.so" "-Wl,-rpath,$build"
}

tool_quickjs() {
	local engine=$top/build/third_party/quickjs source=()
	local name

	"$top/third_party/quickjs.sh" || return
	for name in cutils dtoa libregexp libunicode quickjs; do
		source+=("$engine/$name.c")
	done
	[[ -f $build/guest/javascript.elf ]] ||
		{ echo "there is no $build/guest/javascript.elf" && return 1; }
	# it is compiled as it is
	compiled quickjs -w "-I$engine" '-DCONFIG_VERSION="2025-04-26"' \
		"${source[@]}" -lm -lpthread
}

tool_wasm() {
	has_package wat2wasm wabt && wat2wasm "$here/echo.wat" -o "$tools/echo.wasm"
}

tool_wasm2c() {
	local runtime=() names=() file folder

	tool_wasm && wasm2c "$tools/echo.wasm" -n echo -o "$tools/echo.c" || return
	for folder in /usr/share/wabt/wasm2c /usr/src/wasm2c; do
		for file in "$folder"/wasm-rt{,-mem}-impl.c; do
			[[ -f $file ]] && runtime+=("$file")
		done
		((${#runtime[@]})) && break
	done
	grep -q 'Z_echo_instantiate' "$tools/echo.h" && names=(-DWASM2C_1_0_32)
	compiled wasm2c -w "${names[@]}" "-I$folder" -I/usr/src/wasm2c "$tools/echo.c" \
		"${runtime[@]}" -lm
}

tool_node() {
	command -v node || { echo 'there is no node' && return 1; }
}

tool_wrk() {
	has_package wrk wrk
}

tool_bubblewrap() {
	has_package bwrap bubblewrap && bwrap --unshare-all --ro-bind / / --proc /proc true
}

# Writes crun.sh, which calls what its arguments are with those that run a container.
tool_crun() {
	local bundle=$tools/container enter exec options

	has_package crun crun || return
	rm -rf "$bundle" && mkdir -p "$bundle/rootfs" &&
		cp "$build/bench/guest/spawned" "$bundle/rootfs" &&
		crun_specify "$bundle" || return
	# where there are cgroups of version 1, a mount namespace with those of 2 alone
	enter="unshare --mount --propagation private sh -c 'umount -R /sys/fs/cgroup &&
		mount -t cgroup2 none /sys/fs/cgroup && exec \"\$@\"' sh"
	rm -f "$tools/crun.note"
	for exec in exec "exec $enter"; do
		for options in '' '--cgroup-manager=disabled'; do
			cat >"$tools/crun.sh" <<-END
				#!/bin/sh
				$exec "\$@" $(command -v crun) --root "$tools/crun" $options \
				run --bundle "$bundle" peers.\$\$
			END
			chmod +x "$tools/crun.sh"
			"$tools/crun.sh" env </dev/null || continue
			[[ -z $options ]] || echo 'its containers have no cgroup of their' \
				'own: crun cannot make one here' >"$tools/crun.note"
			return 0
		done
	done
	return 1
}

# crun_specify BUNDLE: a container that runs the program that process.spawn runs.
crun_specify() {
	local rootless=()

	((EUID == 0)) || rootless=(--rootless)
	(cd "$1" && crun spec "${rootless[@]}") &&
		python3 - "$1/config.json" <<-'END'
			import json, sys
			with open(sys.argv[1]) as file:
			    spec = json.load(file)
			spec['process'].update(terminal=False, args=['/spawned'])
			with open(sys.argv[1], 'w') as file:
			    json.dump(spec, file)
		END
}

# Debian's package would start a server at port 80.
tool_nginx() {
	local file=$tools/debian/usr/sbin/nginx

	command -v nginx >"$tools/nginx.path" && return
	if [[ ! -x $file ]]; then
		say 'fetching nginx'
		{
			apt_private_init "$tools/apt" deb own "$(dpkg --print-architecture)" &&
				apt_private "$tools/apt" download nginx
		} || { echo "nginx cannot be fetched: see $tools/apt/log" && return 1; }
		dpkg-deb -x "$tools"/apt/files/nginx_*.deb "$tools/debian" || return
	fi
	"$file" -v 2>&1 && echo "$file" >"$tools/nginx.path"
}

tool_workerd() {
	local architecture=64 file

	[[ $(uname -m) != aarch64 ]] || architecture=arm64
	file=$tools/node_modules/@cloudflare/workerd-linux-$architecture/bin/workerd
	if [[ ! -x $file ]]; then
		command -v npm || { echo 'there is no npm' && return 1; }
		say 'fetching workerd'
		npm install --prefix "$tools" --no-audit --no-fund --no-package-lock \
			--ignore-scripts --fetch-retries=1 "workerd@$workerd_version" ||
			return
	fi
	"$file" --version && echo "$file" >"$tools/workerd.path"
}

# get_ready TOOL: the last line of what a tool says if it fails is why it is skipped.
get_ready() {
	local log=$tools/$1.log

	rm -f "$tools/$1.skipped"
	"tool_$1" >"$log" 2>&1 && return
	grep -v '^[[:space:]]*$' "$log" | tail -n 1 >"$tools/$1.skipped"
	[[ -s $tools/$1.skipped ]] || echo "it cannot be got ready: see $log" \
		>"$tools/$1.skipped"
}

only=()
arguments=()
while (($#)); do
	case $1 in
	--help | -h) usage 0 ;;
	--only | --duration | --json | --build | --tools)
		(($# > 1)) || fail 2 "$1 needs a value"
		case $1 in
		--only) only+=("$2") ;;
		--build) build=$(realpath "$2") ;;
		--tools) tools=$(realpath "$2") ;;
		esac
		case $1 in
		--only | --duration | --json) arguments+=("$1" "$2") ;;
		esac
		shift 2
		;;
	*) fail 2 "no option $1: see --help" ;;
	esac
done

compile=(cc -O2 -std=gnu17 -Wall -Wextra -D_GNU_SOURCE "-I$top" "-I$top/guest/abi"
	"-I$tools" "$here/samples.c")
needed=$(python3 "$here/peers.py" "${only[@]}") || exit 2
[[ -x $build/thaw && -x $build/bench/guest/spawned ]] ||
	fail 2 "there is no thaw in $build: ./run.sh builds it"
mkdir -p "$tools"
for tool in $needed; do
	get_ready "$tool"
done
exec python3 "$here/measure.py" "${arguments[@]}" --build "$build" --tools "$tools"
