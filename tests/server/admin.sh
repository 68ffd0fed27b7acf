#!/usr/bin/env bash
#
# admin.sh BUILD-DIR - tests the administration of thaw serve by curl, as
# docs/protocol.md describes it: pages, metrics, reloading and draining. Runs with
# io_uring and with epoll.

set -uo pipefail

# shellcheck source=tests/server/support/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/server.sh"
document=$here/../../docs/protocol.md

# as_documented TEXT HEADING NUMBER [FILE]
as_documented() {
	if "$python" "$here/support/document_shapes.py" "$document" "$2" "$3" \
		"${4-body}" >trace 2>&1; then
		ok "$1 is as it is documented"
	else
		not_ok "$1 is not as it is documented" trace "${4-body}"
	fi
}

# problem STATUS TITLE TEXT METHOD PATH [CURL-OPTION...]
problem() {
	local status=$1 title=$2

	shift 2
	admin_answers "$status" "$@"
	header Content-Type 'application/problem\+json'
	json 'its problem' "r['status'] == $status" "r['title'] == '$title'" \
		'r["type"] == "about:blank"' 'r["detail"]'
}

check_pages() {
	local path

	for path in /livez /healthz; do
		admin_answers 200 "$path" GET "$path"
		header Content-Type 'text/plain.*'
		is body $'ok\n'
	done
	admin_answers 200 'readiness' GET /readyz
	header Content-Type application/json
	json 'it' 'r["ready"] is True' \
		'r["checks"] == [{"name": "draining", "ok": True}]' \
		'r["functions"] == {"total": 11, "active": 11, "pending": 0,
			"failed": 0, "outdated": 0}'
	admin_answers 200 'status' GET /v1/status
	header Content-Type application/json
	as_documented 'status' Status 1
	json 'it' 'r["state"] == "serving"' "r['pid'] == $server" \
		"r['io'] == '$1'" "r['catalog']['path'] == 'functions.json'" \
		"r['catalog']['sha256'] == '$(sha256sum functions.json |
			cut -d ' ' -f 1)'" \
		'r["catalog"]["generation"] == 1' \
		'r["catalog"]["last_reload_error"] is None' \
		're.fullmatch("20..-..-..T..:..:..Z", r["start_time"])' \
		'r["functions"] == {"total": 11, "active": 11, "pending": 0,
			"failed": 0, "outdated": 0}' \
		'r["connections"]["open"] >= 1'
	admin_answers 200 'status by HEAD' HEAD /v1/status
	header Content-Type application/json
	answers 200 'an invocation' POST /function/nap -d 20
	admin_answers 200 'a function' GET /v1/functions/nap
	as_documented 'a function' Functions 1
	json 'it' 'r["state"] == "active"' 'r["labels"] == {"team": "night"}' \
		'r["invocations"]["ok"] == 1' 'r["timeout_ms"] == 10000' \
		'r["duration"]["sum_us"] >= 20000' \
		'sum(r["duration"]["buckets"]) == 1' \
		'r["concurrency"]["max"] == 1' 'r["description"] == "Sleeps"' \
		'r["memory_bytes"] == 16 * 1024 * 1024' 'r["entry"] == "nap"' \
		'r["image"].endswith("clients.elf")' \
		're.fullmatch("[0-9a-f]{64}", r["image_sha256"])' \
		're.fullmatch("20..-..-..T..:..:..Z", r["deployed_at"])'
	admin_answers 200 'all functions' GET /v1/functions
	json 'they' 'len(r["functions"]) == 11' \
		'[f["name"] for f in r["functions"]][:2] == ["show", "say"]' \
		'len(r["bucket_bounds_us"]) == 20' \
		'all(len(f) == len(r["functions"][0]) for f in r["functions"])'
	"$python" -c 'import json
print(json.dumps(json.load(open("body"))["functions"][3]))' >fourth
	as_documented 'each of them' Functions 1 fourth
	admin_answers 200 'a name that is encoded' GET /v1/functions/n%61p
}

# What a catalog says is said in the same words by the catalog and by a server.
check_describe() {
	local name

	for name in nap hello; do
		"$build/thaw" functions describe "$name" -c functions.json |
			grep -v '^environment ' >catalog
		"$build/thaw" functions describe "$name" --admin "$admin" |
			head -n "$(wc -l <catalog)" >server
		same "the server describes $name as the catalog does" \
			"$(<server)" "$(<catalog)"
	done
}

check_refusals() {
	problem 404 'Not Found' 'no such function' GET /v1/functions/none
	as_documented 'a problem' Errors 1
	problem 404 'Not Found' 'no such path' GET /v2/status
	problem 404 'Not Found' 'no invocations here' POST /function/hello -d x
	problem 404 'Not Found' 'nor Lambda' POST \
		/2015-03-31/functions/hello/invocations -d '{}'
	problem 405 'Method Not Allowed' 'status by POST' POST /v1/status
	header Allow 'GET, HEAD'
	problem 405 'Method Not Allowed' 'reload by GET' GET /v1/reload
	header Allow POST
	admin_answers 204 'options' OPTIONS / --request-target '*'
	header Allow 'GET, HEAD, POST, OPTIONS'
	problem 405 'Method Not Allowed' 'drain by GET' GET /v1/drain
}

check_metrics() {
	admin_answers 200 'metrics' GET /metrics
	header Content-Type 'text/plain; version=0.0.4.*'
	has body '^# TYPE thaw_invocations_total counter$'
	has body '^thaw_invocations_total\{function="nap",outcome="ok"\} 1$'
	has body '^thaw_starts_total\{function="nap",start="(warm|snapshot)"\} 1$'
	has body '^thaw_vm_exits_total\{function="nap"\} [1-9]'
	has body '^thaw_invocation_duration_seconds_count\{function="nap"\} 1$'
	has body '^thaw_requests_total [0-9]+$'
	same 'each line is a sample or a comment' "$(grep -cvE \
		'^(# (HELP|TYPE) thaw_|# (HELP|TYPE) process_|(thaw|process)_[a-z_]+(\{[^}]*\})? [0-9.e+-]+$)' body)" 0
	if ! command -v promtool >/dev/null; then
		printf '# no promtool: metrics not checked by it\n'
	elif promtool check metrics <body >out 2>&1; then
		ok 'promtool finds nothing'
	else
		not_ok 'promtool has found something' out
	fi
}

check_reload() {
	local changed='r["generation"] == %d and r["added"] == %s and
		r["changed"] == %s and r["removed"] == %s and r["unchanged"] == %d'

	# shellcheck disable=SC2059
	{
		admin_answers 200 'a reload of the same' POST /v1/reload
		as_documented 'it' Reload 1
		json 'nothing changed' "$(printf "$changed" 2 '[]' '[]' '[]' 11)"
		write_catalog functions.json ",{\"name\": \"late\", \"entry\":
			\"hello\", \"image\": \"$build/guest/hello.elf\"}"
		answers 404 'a function to come' POST /function/late -d '{}'
		admin_answers 200 'a function more' POST /v1/reload
		json 'added' "$(printf "$changed" 3 '["late"]' '[]' '[]' 11)"
		answers 200 'it is there' POST /function/late -d '{}'
		sed -i 's/"entry": "fail"/"entry": "say"/; s/"timeout": "100ms"/"timeout": "90ms"/' \
			functions.json
		admin_answers 200 'two that are others now' POST /v1/reload
		json 'changed' \
			"$(printf "$changed" 4 '[]' '["fail", "hang"]' '[]' 10)"
		answers 200 'what failed speaks' POST /function/fail -d '1'
		is body '{"said":1}'
		write_catalog functions.json
		admin_answers 200 'back' POST /v1/reload
		json 'removed' "$(printf "$changed" 5 '[]' '["fail", "hang"]' \
			'["late"]' 9)"
	}
	answers 404 'it is gone' POST /function/late -d '{}'
	admin_answers 200 'status' GET /v1/status
	json 'it counts' 'r["catalog"]["generation"] == 5' \
		'r["catalog"]["reloads"] == 4'
	admin_answers 200 'a function that has stayed' GET /v1/functions/nap
	json 'it keeps its counts' 'r["invocations"]["ok"] == 1'

	printf '{"functions": [{"name": "x", "imge": ""}]}' >functions.json
	problem 422 'Unprocessable Content' 'a broken catalog' POST /v1/reload
	json 'its words' '"/functions/0/imge" in r["detail"]'
	answers 200 'the old one goes on' POST /function/hello -d '{}'
	printf '{"functions": [{"name": "x", "image": "missing.elf"}]}' \
		>functions.json
	problem 422 'Unprocessable Content' 'a missing image' POST /v1/reload
	rm functions.json
	problem 422 'Unprocessable Content' 'no catalog' POST /v1/reload
	admin_answers 200 'status' GET /v1/status
	json 'it says why' 'r["catalog"]["last_reload_error"]' \
		'r["catalog"]["reload_failures"] == 3' \
		'r["catalog"]["generation"] == 5' 'r["state"] == "serving"'
	metric_is thaw_config_last_reload_successful 0
	same 'so do the metrics' "$?" 0
	write_catalog functions.json
	kill -HUP "$server"
	wait_for 'SIGHUP reloads' metric_is thaw_config_reloads_total 5
	metric_is thaw_config_last_reload_successful 1
	same 'and it is good again' "$?" 0
	admin_answers 200 'status' GET /v1/status
	json 'as if nothing had been' \
		'r["catalog"]["last_reload_error"] is None'
}

# Whether the server has a part of a request.
has_a_part() {
	# shellcheck disable=SC2317 # wait_for calls it
	[[ $(metric thaw_buffered_bytes) != 0 ]]
}

# Reloads under load lose nothing.
check_reload_busy() {
	local i codes

	curl -sS --max-time 20 -o /dev/null -w '%{http_code}\n' \
		"$url/function/echo?[1-400]" -d x >codes 2>err &
	for i in 1 2 3; do
		write_catalog functions.json ",{\"name\": \"late$i\",
			\"entry\": \"hello\", \"image\": \"$build/guest/hello.elf\"}"
		admin_answers 200 "reload $i of 3 under load" POST /v1/reload
	done
	wait $!
	codes=$(sort codes | uniq -c | xargs)
	same 'no invocation is lost' "$codes" '400 200'
}

check_drain() {
	curl -sS --max-time 20 -D slept_head -d 1000 "$url/function/nap" \
		>slept 2>err &
	local napper=$! code sender
	# the server does not end before the rest of this request is sent
	rm -f rest
	mkfifo rest
	curl -sS --max-time 60 -X POST -T - -H 'Expect:' "$url/function/echo" \
		<rest >late 2>late_err &
	sender=$!
	exec 8>rest
	printf 'begun, ' >&8
	wait_for 'a request has begun' has_a_part
	wait_for 'it naps' metric_is 'thaw_inflight{function="nap"}' 1
	admin_answers 202 'drain' POST /v1/drain
	as_documented 'it' Drain 1
	admin_answers 503 'readiness' GET /readyz
	json 'it is not' 'r["ready"] is False' \
		'[c for c in r["checks"] if not c["ok"]][0]["name"] == "draining"' \
		'[c for c in r["checks"] if not c["ok"]][0]["reason"]'
	admin_answers 200 'status' GET /v1/status
	json 'draining' 'r["state"] == "draining"'
	printf 'ended' >&8
	exec 8>&-
	wait "$sender"
	same 'what had begun is answered' "$(<late)" 'begun, ended'
	wait "$napper"
	same 'what was under way is answered' "$(<slept)" '{"slept":1000}'
	has slept_head '^HTTP/1.1 200'
	wait "$server"
	code=$?
	same 'the server ends with status 0' "$code" 0
	call GET /healthz
	same 'nobody is there' "$status" 000
	if compgen -G 'run/*.sock' >/dev/null; then
		not_ok 'its sockets are removed'
	else
		ok 'its sockets are removed'
	fi
}

need_functions
for io in io_uring epoll; do
	printf '# --io %s\n' "$io"
	write_catalog functions.json
	start_server functions.json --io "$io"
	check_pages "$io"
	check_describe
	check_refusals
	check_metrics
	check_reload
	check_reload_busy
	check_drain
done
finish
