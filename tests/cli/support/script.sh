# shellcheck shell=bash
#
# script.sh - what the scripts that test thaw share: it runs commands, and prints and
# counts what they did. A script sources it and has the build's folder as its first
# argument. The working directory is then a new one. When the script ends, it is
# removed, and what still runs in the background is killed.

build=$(realpath "$1") || exit
# The folder of the script that runs, and the one of this file.
# shellcheck disable=SC2034
here=$(realpath "$(dirname "$0")")
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
python=/usr/bin/python3
work=$(mktemp -d)
# shellcheck disable=SC2046
trap 'kill -KILL $(jobs -pr) 2>/dev/null; wait; rm -rf "$work"' EXIT
cd "$work" || exit
unset THAW_CATALOG THAW_ADMIN THAW_URL THAW_SOCKET THAW_STATE_DIR THAW_STATE_MAX
unset RUNTIME_DIRECTORY
export THAW_RUNTIME_DIR=$work/run

passed=0
failed=0

ok() {
	printf 'ok - %s\n' "$1"
	passed=$((passed + 1))
}

# not_ok TEXT [FILE...]: counts a failure, and shows the files.
not_ok() {
	local file

	printf 'not ok - %s\n' "$1"
	shift
	for file; do
		[[ -f $file ]] && head -c 2000 "$file" | sed "s|^|# $file: |;\$a\\"
	done
	failed=$((failed + 1))
}

# same TEXT GOT WANTED: the two are equal.
same() {
	if [[ $2 == "$3" ]]; then
		ok "$1"
	else
		not_ok "$1: '$2', not '$3'"
	fi
}

skip() {
	printf 'skipped: %s\n' "$1"
	exit 77
}

finish() {
	printf '%d passed, %d failed\n' "$passed" "$failed"
	((failed == 0))
	exit
}

need_functions() {
	"$build/thaw" doctor >why 2>&1 && return
	cat why
	skip 'this machine cannot run functions'
}

# try CODE TEXT COMMAND...: the command exits with CODE. Its streams are in out and err.
try() {
	local code=$1 text=$2 got

	shift 2
	timeout --foreground 120 "$@" >out 2>err </dev/null
	got=$?
	if ((got == code)); then
		ok "$text: exit $code"
	else
		not_ok "$text: exit $got, not $code" out err
	fi
}

# count TEXT COMMAND...: runs a test that prints "ok - " and "not ok - " itself.
count() {
	local text=$1 line

	shift
	while IFS= read -r line; do
		case $line in
		'ok - '*) ok "$text: ${line#ok - }" ;;
		'not ok - '*) not_ok "$text: ${line#not ok - }" ;;
		*) printf '# %s\n' "$line" ;;
		esac
	done < <(timeout 120 "$@" 2>&1 || echo "not ok - exit $?")
}

# has FILE PATTERN: a line of the file matches.
has() {
	if grep -qE -e "$2" "$1"; then
		ok "$1 has: $2"
	else
		not_ok "$1 lacks: $2" "$1"
	fi
}

# hasnt FILE PATTERN: no line of the file matches.
hasnt() {
	if grep -qE -e "$2" "$1"; then
		not_ok "$1 has: $2" "$1"
	else
		ok "$1 lacks: $2"
	fi
}

# is FILE TEXT: the file is exactly TEXT.
is() {
	if printf '%s' "$2" | cmp -s - "$1"; then
		ok "$1 is: '${2%%$'\n'*}'"
	else
		not_ok "$1 is not: '$2'" "$1"
	fi
}

is_json() {
	if "$python" -m json.tool "$1" >/dev/null; then
		ok "$1 is JSON"
	else
		not_ok "$1 is not JSON" "$1"
	fi
}

# check TEXT PROGRAM: the program in Python succeeds. $preamble runs before it.
preamble=
check() {
	if "$python" -c "$preamble$2" 2>trace; then
		ok "$1"
	else
		not_ok "$1" trace out
	fi
}

# start_stand_in OPTION...: starts stand_in_server.py. The file ports has its ports,
# and $port is the first.
start_stand_in() {
	: >ports
	"$support/stand_in_server.py" serve "$@" >ports &
	stand_in=$!
	for _ in {1..500}; do
		[[ -s ports ]] && break
		sleep 0.02
	done
	# shellcheck disable=SC2034
	read -r port _ <ports
}

stop_stand_in() {
	kill "$stand_in" 2>/dev/null
	wait "$stand_in" 2>/dev/null
}

# is_sanitized: whether the build has a sanitizer.
is_sanitized() {
	grep -q '^THAW_SANITIZE:[A-Z]*=.' "$build/CMakeCache.txt"
}

# has_not_grown: `--repeat` has told in `err` how large the process was before and
# after; a sanitizer keeps what was freed for a while, so its sizes mean nothing.
has_not_grown() {
	local before after

	before=$(sed -n 's/.*resident memory: \([0-9]*\) KiB.*/\1/p' err)
	after=$(sed -n 's/.*-> \([0-9]*\) KiB.*/\1/p' err)
	if [[ -n $before && -n $after ]] &&
		{ ((after <= before + 1024)) || is_sanitized; }; then
		ok "resident memory: $before KiB, then $after KiB"
	else
		not_ok "resident memory: ${before:-?} KiB, then ${after:-?} KiB"
	fi
}
