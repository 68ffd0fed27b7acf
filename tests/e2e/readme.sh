#!/usr/bin/env bash
#
# readme.sh BUILD-DIR - every command of README.md's tour works as it is written.
#
# The tour's blocks of shell are run one after the other by one shell, in a
# folder that looks like a checkout after ./run.sh, against a server of its own:
# only the port and the folders in /tmp are others. A command that fails, or a
# reply that is not there, fails the test. Blocks that take a program which is
# missing here are skipped by name.

set -euo pipefail

build=$(realpath "$1")
top=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
work=$(mktemp -d)
server=
trap 'if [[ $server ]]; then kill "$server" 2>/dev/null || true; wait; fi
	rm -rf "$work"' EXIT

skip() {
	echo "skipped: $1"
	exit 77
}

command -v curl >/dev/null || skip "no curl"
"$build/thaw" doctor >"$work/doctor" 2>&1 || {
	cat "$work/doctor"
	skip "this machine cannot run functions"
}

# A checkout: the catalog names images in ../build/release.
mkdir -p "$work/checkout/build" "$work/run/thaw"
cp -r "$top/config" "$work/checkout/"
ln -s "$build" "$work/checkout/build/release"
cd "$work/checkout"
unset THAW_CATALOG THAW_ADMIN THAW_SOCKET THAW_URL
export XDG_RUNTIME_DIR=$work/run THAW_RUNTIME_DIR=$work/run/thaw

# As ./run.sh starts it, at a port that is free.
build/release/thaw serve --watch --listen 127.0.0.1:0 2>"$work/log" &
server=$!
port=
for _ in {1..200}; do
	port=$(sed -n 's/.*kind=http address=127.0.0.1:\([0-9]*\).*/\1/p' "$work/log")
	[[ ! $port ]] || break
	sleep 0.1
done

# lacks BLOCK: what the block needs and is not here, or nothing.
lacks() {
	case $1 in
	*'aws lambda'*) command -v aws >/dev/null || echo aws ;;
	*'npm install'*)
		if ! command -v npm >/dev/null; then
			echo npm
		elif ! install_sdk >"$work/npm" 2>&1; then
			echo "the SDK, which npm cannot fetch"
		fi
		;;
	esac
}

install_sdk() (
	mkdir -p build/js
	cd build/js
	timeout 60 npm install --silent --no-fund @aws-sdk/client-lambda
)

# The tour as one script. What stands before it is ./run.sh and ./test.sh.
count=0
{
	echo 'set -euo pipefail'
	while IFS= read -r -d '' block; do
		missing=$(lacks "$block")
		if [[ $missing ]]; then
			printf "echo 'skip: a block of the tour needs %s'\n" \
				"$missing"
			continue
		fi
		count=$((count + 1))
		printf 'set -x\n%s{ set +x; } 2>/dev/null\n' "$block"
	done < <(awk '/^## Five minutes/ { tour = 1; next }
		/^## / { tour = 0 }
		/^```/ { if (inside) printf "%c", 0
			inside = !inside && /^```sh$/; next }
		tour && inside { print }' "$top/README.md" |
		sed -e "s|127\.0\.0\.1:8080|127.0.0.1:$port|g" \
			-e "s@/tmp/\(thaw\|greet\)\>@$work/\1@g")
	echo 'echo "the tour is over"'
} >"$work/tour.sh"

timeout 240 bash "$work/tour.sh" >"$work/out" 2>&1 </dev/null || true
cat "$work/out"

failed=0
check() {
	local text=$1

	shift
	if "$@"; then
		echo "ok - $text"
	else
		echo "not ok - $text"
		failed=1
	fi
}

# has PATTERN: a line of what the tour printed matches.
has() {
	grep -qE -e "$1" "$work/out"
}

# The last block ends it; else it would never.
ended() {
	local status=0

	has '^the tour is over$' || return
	wait "$server" || status=$?
	server=
	return "$status"
}

check 'no command failed' has '^the tour is over$'
check 'there were blocks to run' test "$count" -ge 10
check 'hello greets Ada' has '^\{"message":"Hello, Ada!"\}'
check 'curl -i shows the times' has '^Server-Timing: queue;dur='
check 'a failure names its type' has 'Hello.InvalidRequest'
check 'a failure has its exit status' has '^exit status 1$'
check 'a timeout has its exit status' has '^exit status 124$'
check 'metrics have hello' has '^thaw_invocations_total\{function="hello",outcome="ok"\}'
check 'the reload finds echo changed' has '^generation [0-9]+: 0 added, 1 changed'
check 'the function of the tour greets' has '^Hello, world$'
check 'the picture is there' test -s build/mandelbrot.png
check 'the catalog is as it was' cmp -s config/functions.json "$top/config/functions.json"
check 'the server has ended well' ended
((failed == 0)) || {
	sed 's/^/# server: /' "$work/log"
	exit 1
}
