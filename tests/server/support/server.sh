# shellcheck shell=bash
#
# server.sh - starts and stops `thaw serve`, and sends it requests by curl. A script
# sources it instead of script.sh, which it includes.

# shellcheck source=tests/cli/support/script.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../cli/support/script.sh"
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy

# wait_for TEXT COMMAND...: repeats the command until it succeeds, for a minute at most.
wait_for() {
	local until=$((SECONDS + 60)) text=$1

	shift
	while ! "$@"; do
		if ((SECONDS > until)); then
			not_ok "$text: not within the time"
			return 1
		fi
		sleep 0.05
	done
	ok "$text"
}

# start_server CATALOG [OPTION...]: sets $url and $admin. The log is in the file log.
start_server() {
	local catalog=$1 until=$((SECONDS + 30))

	shift
	# it says where it listens
	: >log
	"$build/thaw" serve -c "$catalog" --listen 127.0.0.1:0 "$@" \
		>out 2>log </dev/null &
	server=$!
	until grep -q '^[^ ]* info serving' log &&
		grep -q '^[^ ]* info boots ended' log &&
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

# stop_server: as an operator stops it. It must end well.
stop_server() {
	local code

	kill -TERM "$server"
	wait "$server"
	code=$?
	same 'the server ends with status 0' "$code" 0
	if grep -q 'ERROR: .*Sanitizer\|runtime error:' log; then
		not_ok 'the sanitizers say nothing' log
	fi
}

# call METHOD PATH [CURL-OPTION...]: sets $status, and writes the files head and body.
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

# answers STATUS TEXT METHOD PATH [CURL-OPTION...]: a call has that status.
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

# admin_answers STATUS TEXT METHOD PATH [CURL-OPTION...]: the same at the admin socket.
admin_answers() {
	local wanted=$1 text=$2 method=$3 path=$4

	shift 4
	answers "$wanted" "$text" "$method" "http://thaw$path" \
		--unix-socket "$admin" "$@"
}

# header NAME PATTERN: the answer has it, and the pattern matches the whole value.
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

# json TEXT PYTHON...: each expression is true, where r is the body.
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

# metric NAME{LABELS}: prints its value.
metric() {
	curl -sS --max-time 10 --unix-socket "$admin" http://thaw/metrics |
		grep -v '^#' | grep -F "$1 " | sed 's/.* //'
}

# metric_is NAME{LABELS} VALUE: whether it is.
metric_is() {
	[[ $(metric "$1") == "$2" ]]
}

# write_catalog FILE ["MEMBER..."]: writes functions of clients.elf, and some others.
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
