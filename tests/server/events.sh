#!/usr/bin/env bash
#
# events.sh BUILD-DIR - tests Event invocations by curl: how they end, when they are
# tried again, and when they are lost. Runs with io_uring and with epoll.

set -uo pipefail

# shellcheck source=tests/server/support/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/server.sh"
event=(-H 'X-Amz-Invocation-Type: Event')

# send STATUS TEXT NAME [CURL-OPTION...]: sets $id.
send() {
	local wanted=$1 text=$2 name=$3

	shift 3
	answers "$wanted" "$text" POST \
		"/2015-03-31/functions/$name/invocations" "${event[@]}" "$@"
	id=$(sed -n 's/^x-amzn-RequestId: //ip' head | tr -d '\r')
}

# events FUNCTION WHAT NUMBER
events() {
	# shellcheck disable=SC2317 # wait_for calls it
	metric_is "thaw_async_$2{function=\"$1\"}" "$3"
}

logged() {
	grep -qE "$1" log
}

check_done() {
	send 202 'an event' say -d '"by event"' -H 'X-Amz-Log-Type: Tail'
	is body ''
	header Content-Length 0
	header x-amzn-RequestId "$id"
	no_header X-Amz-Function-Error
	no_header X-Amz-Log-Result
	wait_for 'it is done' events say done_total 1
	wait_for 'under its id' logged "by event.*request_id=$id"
	same 'it is counted' "$(metric 'thaw_async_accepted_total{function="say"}')" 1
	send 202 'an id of the client' say -d 2 -H 'X-Call-Id: own-id'
	same 'it is kept' "$id" own-id
	wait_for 'it is done' events say done_total 2
	send 202 'no payload, in chunks' say -T - </dev/null
	wait_for 'it is done' events say done_total 3
	send 404 'an event for nobody' none -d '{}'
	header x-amzn-ErrorType ResourceNotFoundException
	send 400 'an event that is not JSON' say -d '{'
	header x-amzn-ErrorType InvalidRequestContentException
	head -c 1048576 /dev/zero | tr '\0' '1' >most
	send 202 'the largest event' echo --data-binary @most
	wait_for 'it is done' events echo done_total 1
	printf '1' >>most
	send 413 'a byte more' echo --data-binary @most
	header x-amzn-ErrorType RequestTooLargeException
	wait_for 'nothing waits' metric_is \
		'thaw_async_pending{function="say"}' 0
}

check_failing() {
	send 202 'an event that fails' fail -d '{}'
	wait_for 'it is dropped' events fail dropped_total 1
	same 'after one more run' \
		"$(metric 'thaw_async_retries_total{function="fail"}')" 1
	same 'both are counted' "$(metric \
		'thaw_invocations_total{function="fail",outcome="function_error"}')" 2
	same 'it is not done' "$(metric 'thaw_async_done_total{function="fail"}')" 0
	wait_for 'that is logged' logged \
		"error event dropped function=fail request_id=$id reason=\"as it was .* failures=2"
	same 'so are both runs' \
		"$(grep -c "invocation failed function=fail request_id=$id" log)" 2
}

check_full() {
	local sent=0

	# there is room for three; on a busy machine the first are done meanwhile
	while call POST /2015-03-31/functions/nap/invocations "${event[@]}" \
		-d 400 && [[ $status == 202 ]] && ((sent < 50)); do
		sent=$((sent + 1))
	done
	same 'more than there is room left' "$status" 429
	header x-amzn-ErrorType TooManyRequestsException
	header Retry-After 1
	json 'its words' '"--event-queue" in r["message"]'
	((sent >= 3))
	same 'three had room' "$?" 0
	admin_answers 200 'status' GET /v1/status
	json 'no more wait' 'r["events"]["queued"] <= 3' \
		'r["events"]["max"] == 5' '(r["events"]["oldest_ms"] or 0) < 30000'
	wait_for 'they are done, one by one' events nap done_total "$sent"
	same 'each had its turn once' \
		"$(metric 'thaw_async_retries_total{function="nap"}')" 0
	same 'none was refused' "$(metric \
		'thaw_invocations_total{function="nap",outcome="throttled"}')" 0
	same 'none is lost' "$(metric 'thaw_async_dropped_total{function="nap"}')" 0
	wait_for 'nothing waits' events nap pending 0
	send 202 'there is room again' nap -d 1
	wait_for 'it is done' events nap done_total $((sent + 1))
}

check_old() {
	send 202 'an event that fails' fail -d '{}'
	wait_for 'it is dropped' events fail dropped_total 1
	same 'though it has runs left' "$(metric \
		'thaw_invocations_total{function="fail",outcome="function_error"}')" 1
	wait_for 'for its age' logged \
		"event dropped function=fail request_id=$id reason=\"it is too old\""
}

need_functions
write_catalog functions.json
for io in io_uring epoll; do
	printf '# --io %s\n' "$io"
	start_server functions.json --io "$io" --event-retries 1 --event-queue 5
	check_done
	check_failing
	check_full
	send 202 'an event when the server ends' nap -d 600
	wait_for 'it runs' metric_is 'thaw_inflight{function="nap"}' 1
	stop_server
	! logged 'event dropped function=nap'
	same 'it is not lost' "$?" 0
	start_server functions.json --io "$io" --event-max-age 300ms
	check_old
	stop_server
done
finish
