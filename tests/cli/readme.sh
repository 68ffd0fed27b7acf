#!/usr/bin/env bash
#
# readme.sh BUILD-DIR - every command of README.md's tour works as it is written.
#
# One shell runs the tour's blocks in order, in a folder that looks like a checkout
# after ./run.sh, against a server of its own. Only the port and the folders in /tmp
# differ. The test fails if a command fails, or if a reply is missing. It skips blocks
# by name that need a program which is not installed.

set -uo pipefail

# shellcheck source=tests/cli/support/script.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/script.sh"
top=$(realpath "$here/../..")

command -v curl >/dev/null || skip 'no curl'
need_functions

# A checkout: the catalog names images in ../build/release.
mkdir -p "$work/checkout/build" "$work/run/thaw"
cp -r "$top/config" "$work/checkout/"
ln -s "$build" "$work/checkout/build/release"
ln -s "$top/docs" "$work/checkout/docs"
cd "$work/checkout" || exit
export XDG_RUNTIME_DIR=$work/run THAW_RUNTIME_DIR=$work/run/thaw

# As ./run.sh starts it, at a port that is free. A reader of the tour comes when
# the functions are there.
build/release/thaw serve --watch --listen 127.0.0.1:0 2>"$work/log" &
server=$!
for _ in {1..600}; do
	! grep -q 'boots ended' "$work/log" || break
	sleep 0.1
done
port=$(sed -n 's/.*kind=http address=127.0.0.1:\([0-9]*\).*/\1/p' "$work/log")

# lacks BLOCK: what the block needs and is not here, or nothing.
lacks() {
	case $1 in
	*'aws lambda'*) command -v aws >/dev/null || echo aws ;;
	*'libs libthaw'*)
		if is_sanitized; then
			echo 'a library without a sanitizer'
		fi
		;;
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
	cd build/js || exit
	timeout 60 npm install --silent --no-fund @aws-sdk/client-lambda
)

# blocks TITLE: the shell blocks of that section, each with a zero byte behind it.
blocks() {
	awk -v title="## $1" '$0 == title { tour = 1; next }
		/^## / { tour = 0 }
		/^```/ { if (inside) printf "%c", 0
			inside = !inside && /^```sh$/; next }
		tour && inside { print }' "$top/README.md"
}

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
	done < <(blocks 'Five minutes' |
		sed -e "s|127\.0\.0\.1:8080|127.0.0.1:$port|g" \
			-e "s@/tmp/thaw\>@$work/thaw@g")
	echo 'echo "the tour is over"'
} >"$work/tour.sh"

timeout 240 bash "$work/tour.sh" >"$work/out" 2>&1 </dev/null
cat "$work/out"

# tells TEXT PATTERN: a line of what the tour printed matches.
tells() {
	if grep -qE -e "$2" "$work/out"; then
		ok "$1"
	else
		not_ok "$1: nothing has $2"
	fi
}

tells 'no command failed' '^the tour is over$'
((count >= 10)) || not_ok "there were only $count blocks to run"
tells 'hello greets Ada' '^\{"message":"Hello, Ada!"\}'
is_sanitized || tells 'libthaw greets Grace' '\{"message":"Hello, Grace!"\}'
tells 'curl -i shows the times' '^Server-Timing: queue;dur='
tells "a function's 404 is its own" '^X-Function-Status: 404'
tells 'a typed function adds' '\{"result":42\}'
tells 'a signature is shown' '^function +int add\(int a, int b\)'
tells 'a wrong argument is refused' 'argument 2 \(b\): expected int'
tells 'a failure names its type' 'Hello.InvalidRequest'
tells 'a failure has its exit status' '^exit status 1$'
tells 'a timeout has its exit status' '^exit status 124$'
tells 'metrics have hello' '^thaw_invocations_total\{function="hello",outcome="ok"\}'
tells 'the reload finds echo changed' '^generation [0-9]+: 0 added, 1 changed'
tells "the project's tests pass" '^100% tests passed'
tells 'the function of the tour greets' '^\{"result":"Hello, Ada!"\}'
tells 'what the catalog does not list does not exist' 'imports string config\(string\), which'
tells 'a host function answers' '^Welcome, Ada$'
[[ -s build/mandelbrot.png ]] || not_ok 'there is no picture'
cmp config/functions.json "$top/config/functions.json" ||
	not_ok 'the catalog is not as it was'
# The last block ends it; else it would never.
if grep -q '^the tour is over$' "$work/out"; then
	wait "$server"
	same 'the server has ended well' "$?" 0
fi
((failed == 0)) || sed 's/^/# server: /' "$work/log"

# A program that is there already, in an empty folder. Python is the system's, whatever
# else is in $PATH; the server listens at a port that is free.
port=$("$python" -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir "$work/empty" "$work/run/program" && cd "$work/empty" || exit
(
	export PATH=/usr/bin:/bin:$build THAW_RUNTIME_DIR=$work/run/program
	blocks 'Run a program you already have' | tr -d '\0' |
		sed -e "s|127\.0\.0\.1:8080|127.0.0.1:$port|g" \
			-e "s|thaw serve|& --listen 127.0.0.1:$port|" >../program.sh
	echo 'kill %1 && wait %1' >>../program.sh
	timeout 120 bash -e ../program.sh >"$work/out" 2>"$work/log" </dev/null
)
same 'the program is served, and ends well' "$?" 0
is "$work/out" '{"message": "Hello, Ada!"}
'
((failed == 0)) || sed 's/^/# program: /' "$work/log"
finish
