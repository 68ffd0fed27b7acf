# shellcheck shell=bash
#
# server.sh - `thaw serve` for tests of its clients: starts and stops it, and
# says what was found. To be sourced, with the build's folder; the working
# directory is then a new one. Ends with 77 where functions cannot run.

build=$(realpath "$1") || exit
# shellcheck disable=SC2034
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
python=/usr/bin/python3
work=$(mktemp -d)
server=
trap 'kill_server; rm -rf "$work"' EXIT
cd "$work" || exit
unset THAW_CATALOG THAW_ADMIN THAW_URL THAW_SOCKET RUNTIME_DIRECTORY
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
export THAW_RUNTIME_DIR=$work/run

passed=0
failed=0

ok() {
	printf 'ok - %s\n' "$1"
	passed=$((passed + 1))
}

# not_ok TEXT [FILE...]: shows what the files have.
not_ok() {
	local file

	printf 'not ok - %s\n' "$1"
	shift
	for file; do
		[[ -f $file ]] && head -c 2000 "$file" | sed "s/^/# $file: /"
	done
	failed=$((failed + 1))
}

# same TEXT GOT WANTED
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

# wait_for SECONDS TEXT COMMAND...: until it succeeds.
wait_for() {
	local until=$((SECONDS + $1)) text=$2

	shift 2
	while ! "$@"; do
		if ((SECONDS > until)); then
			not_ok "$text: not within the time"
			return 1
		fi
		sleep 0.05
	done
	ok "$text"
}

# start_server CATALOG [OPTION...]: its log is in log; url and admin are set.
start_server() {
	local catalog=$1 until=$((SECONDS + 30))

	shift
	# it says where it listens
	: >log
	"$build/thaw" serve -c "$catalog" --listen 127.0.0.1:0 "$@" \
		>out 2>log </dev/null &
	server=$!
	until grep -q '^[^ ]* info serving' log &&
		grep -q 'listening.*127.0.0.1' log; do
		if ((SECONDS > until)) || ! kill -0 "$server" 2>/dev/null; then
			not_ok 'the server starts' log
			finish
		fi
		sleep 0.05
	done
	port=$(grep -m 1 -o '127\.0\.0\.1:[0-9]*' log)
	port=${port#*:}
	url=http://127.0.0.1:$port
	admin=$work/run/admin.sock
}

# stop_server: as its operator does.
stop_server() {
	local code

	kill -TERM "$server"
	wait "$server"
	code=$?
	server=
	same 'the server ends with status 0' "$code" 0
	if grep -q 'ERROR: .*Sanitizer\|runtime error:' log; then
		not_ok 'the sanitizers say nothing' log
	fi
}

kill_server() {
	[[ -n $server ]] || return 0
	kill -KILL "$server" 2>/dev/null
	wait "$server" 2>/dev/null
	server=
}

# call METHOD PATH [CURL-OPTION...]: status is set; head and body are files.
call() {
	local how=(-X "$1") target=$2

	[[ $1 == HEAD ]] && how=(--head)
	shift 2
	rm -f head body err
	[[ $target == http:* ]] || target=$url$target
	: >body
	status=$(curl -sS --max-time 30 --path-as-is "${how[@]}" \
		-D head -o body -w '%{http_code}' "$@" "$target" 2>err)
}

# answers STATUS TEXT METHOD PATH [CURL-OPTION...]
answers() {
	local wanted=$1 text=$2

	shift 2
	call "$@"
	if [[ $status == "$wanted" ]]; then
		ok "$text: $status"
	else
		not_ok "$text: $status, not $wanted" err head body
	fi
}

# admin_answers STATUS TEXT METHOD PATH [CURL-OPTION...]
admin_answers() {
	local wanted=$1 text=$2 method=$3 path=$4

	shift 4
	answers "$wanted" "$text" "$method" "http://thaw$path" \
		--unix-socket "$admin" "$@"
}

# header NAME PATTERN: of the answer, the value matching from end to end.
header() {
	if grep -qiE "^$1: $2"$'\r?$' head; then
		ok "header $1: $2"
	else
		not_ok "no header $1: $2" head
	fi
}

no_header() {
	if grep -qi "^$1:" head; then
		not_ok "there is a header $1" head
	else
		ok "no header $1"
	fi
}

# has FILE PATTERN: a line of it matches.
has() {
	if grep -qE -e "$2" "$1"; then
		ok "$1 has: $2"
	else
		not_ok "$1 lacks: $2" "$1"
	fi
}

# is FILE TEXT: it is that, to the byte.
is() {
	if printf '%s' "$2" | cmp -s - "$1"; then
		ok "$1 is: '${2%%$'\n'*}'"
	else
		not_ok "$1 is not: '$2'" "$1"
	fi
}

# json TEXT PYTHON...: each expression is true, r being what the body says.
json() {
	local text=$1

	shift
	if "$python" - body "$@" 2>trace <<'PYTHON'; then
import json, re, sys
r = json.load(open(sys.argv[1]))
for expression in sys.argv[2:]:
    assert eval(f"({expression})"), f"{expression}: {json.dumps(r)[:1500]}"
PYTHON
		ok "$text"
	else
		not_ok "$text" trace
	fi
}

# metric NAME{LABELS}: its value.
metric() {
	curl -sS --max-time 10 --unix-socket "$admin" http://thaw/metrics |
		grep -v '^#' | grep -F "$1 " | sed 's/.* //'
}

# metric_is NAME{LABELS} VALUE
metric_is() {
	[[ $(metric "$1") == "$2" ]]
}

# write_catalog FILE ["MEMBER..."]: functions of clients.elf, and some others.
write_catalog() {
	local clients=$build/tests/guest/clients.elf handler

	{
		printf '{"functions": [\n'
		for handler in show say chatter fail number_only crash; do
			printf '{"name": "%s", "image": "%s", "entry": "%s"},\n' \
				"$handler" "$clients" "$handler"
		done
		printf '{"name": "hang", "image": "%s", "entry": "hang",
			"timeout": "100ms"},\n' "$clients"
		printf '{"name": "nap", "image": "%s", "entry": "nap",
			"timeout": "10s", "concurrency": {"max": 1, "queue": 0},
			"description": "Sleeps", "labels": {"team": "night"},
			"environment": {"PILLOW": "soft"}},\n' "$clients"
		printf '{"name": "warm", "image": "%s", "entry": "show",
			"concurrency": {"max": 4, "warm": 2}},\n' "$clients"
		printf '{"name": "echo", "image": "%s",
			"max_request": "4MiB", "max_reply": "4MiB"},\n' \
			"$build/guest/echo.elf"
		printf '{"name": "hello", "image": "%s"}%s\n]}\n' \
			"$build/guest/hello.elf" "${2-}"
	} >"$1"
}
