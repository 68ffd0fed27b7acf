#!/usr/bin/env bash
#
# wrk.sh BUILD-DIR - opens many connections at a time by wrk and by curl. Every request
# is answered with 200, and counted. Runs with io_uring and with epoll.

set -uo pipefail

# shellcheck source=tests/server/support/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/server.sh"
connections=64

# served: prints how many invocations of echo there were.
served() {
	metric 'thaw_invocations_total{function="echo",outcome="ok"}'
}

# load SECONDS TEXT PATH
load() {
	local text=$2 before count told

	before=$(served)
	timeout 60 wrk -t 2 -c "$connections" -d "$1s" -s post.lua "$url$3" \
		>out 2>&1
	told=$(grep '^requests=' out)
	count=$(sed -n 's/^requests=\([0-9]*\) .*/\1/p' out)
	same "$text: no errors" "${told#* }" \
		'connect=0 read=0 write=0 timeout=0 status=0'
	# those whose answers wrk has not waited for
	wait_for "$text: nothing waits" \
		metric_is 'thaw_queue_depth{function="echo"}' 0
	wait_for "$text: nothing runs" \
		metric_is 'thaw_inflight{function="echo"}' 0
	count=$(($(served) - before - ${count:-0}))
	# 0 unless wrk has hung up on some
	if ((count >= 0 && count <= connections)) && [[ -n $told ]]; then
		ok "$text: ${told%% *}, $count more served"
	else
		not_ok "$text: $count more served than answered" out
	fi
}

# The same with a number of requests that is known before.
check_exactly() {
	local before=$1

	timeout 60 curl -sS --parallel --parallel-max "$connections" \
		--max-time 50 -o /dev/null -w '%{http_code}\n' -d x \
		"$url/function/echo?[1-2000]" >codes 2>err
	same '2000 requests are answered with 200' \
		"$(sort codes | uniq -c | xargs)" '2000 200'
	same 'and counted' "$(($(served) - before))" 2000
}

need_functions
command -v wrk >/dev/null || skip 'no wrk'
cat >post.lua <<'LUA'
wrk.method = "POST"
wrk.body = "{}"
wrk.headers["Content-Type"] = "application/json"
function done(summary, latency, requests)
	local e = summary.errors
	io.write(string.format("requests=%d connect=%d read=%d write=%d " ..
		"timeout=%d status=%d\n", summary.requests, e.connect, e.read,
		e.write, e.timeout, e.status))
end
LUA
cat >functions.json <<END
{"functions": [{"name": "echo", "image": "$build/guest/echo.elf",
	"concurrency": {"queue": 256, "queue_timeout": "30s"}}]}
END
for io in io_uring epoll; do
	printf '# --io %s\n' "$io"
	start_server functions.json --io "$io"
	load 2 'plain' /function/echo
	load 1 'Lambda' /2015-03-31/functions/echo/invocations
	check_exactly "$(served)"
	for outcome in function_error timeout crash oom too_large throttled \
		refused failed; do
		same "$outcome" "$(metric \
			"thaw_invocations_total{function=\"echo\",outcome=\"$outcome\"}")" 0
	done
	same 'no request was bad' "$(metric thaw_bad_requests_total)" 0
	same 'no connection was refused' \
		"$(metric thaw_connections_refused_total)" 0
	stop_server
done
finish
