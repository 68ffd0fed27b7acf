#!/usr/bin/env bash
#
# lambda.sh BUILD-DIR - tests AWS Lambda's API by curl: invocations of all types, and
# the calls that read. Runs with io_uring and with epoll.

set -uo pipefail

# shellcheck source=tests/server/support/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/server.sh"
functions=/2015-03-31/functions
arn=arn:aws:lambda:eu-west-1:123456789012:function
our_arn=arn:aws:lambda:us-east-1:000000000000:function
# shellcheck disable=SC2016 # it is a version's name
latest='$LATEST'
uuid='[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'

# invoke STATUS TEXT NAME [CURL-OPTION...]
invoke() {
	local wanted=$1 text=$2 name=$3

	shift 3
	answers "$wanted" "$text" POST "$functions/$name/invocations" "$@"
}

# refused STATUS TYPE TEXT METHOD PATH [CURL-OPTION...]: in the API's words.
refused() {
	local wanted=$1 type=$2

	shift 2
	answers "$wanted" "$@"
	header x-amzn-ErrorType "$type"
	header x-amzn-RequestId "$uuid"
	header Content-Type application/json
	json 'its body' 'r["message"] == r["Message"] != ""' \
		"r['Type'] == ('Service' if $wanted >= 500 else 'User')"
}

check_replies() {
	invoke 200 'an invocation' hello -d '{"name":"Ada"}' -H 'Content-Type:'
	is body '{"message":"Hello, Ada!"}'
	header Content-Type application/json
	header X-Amz-Executed-Version "\\$latest"
	header x-amzn-RequestId "$uuid"
	no_header X-Amz-Function-Error
	no_header X-Amz-Log-Result
	answers 200 'a version' POST "$functions/hello/invocations?Qualifier=1" \
		-d '{}'
	header X-Amz-Executed-Version 1
	invoke 200 'a trace' show -H 'X-Amzn-Trace-Id: Root=1-2-3' -d '{}'
	header X-Amzn-Trace-Id 'Root=1-2-3'
	has body '^x-amzn-trace-id=Root=1-2-3$'
	has body '^type=application/'
	invoke 200 'no payload is an empty object' show -H 'Content-Length: 0'
	has body '^size=2$'
	has body '^type=application/json$'
	invoke 200 'a reply without type is JSON' chatter -d 1
	header Content-Type application/json
	invoke 200 'a payload that is a number' echo -d ' 7 '
	is body ' 7 '
	invoke 200 'a payload in chunks' echo -T - <<<'[1,2]'
	is body $'[1,2]\n'
	head -c $((4 * 1048576 - 2)) /dev/zero | tr '\0' ' ' >blanks
	{ printf '"' && cat blanks && printf '"'; } >most
	{ printf '"' && cat blanks && printf 'x"'; } >over
	invoke 200 'the largest payload' echo --data-binary @most
	if cmp -s most body; then
		ok 'the reply is the request'
	else
		not_ok 'the reply is not the request'
	fi
}

check_names() {
	local name encoded

	for name in hello 'hello:1' "hello:$latest" 'function:hello' \
		'123456789012:function:hello' \
		'eu-west-1:123456789012:function:hello:1' \
		"$arn:hello" "$arn:hello:1" "$arn:hello:$latest"; do
		encoded=${name//:/%3A}
		encoded=${encoded//\$/%24}
		answers 200 "$name, raw" POST "$functions/$name/invocations" -d '{}'
		is body '{"message":"Hello, world!"}'
		answers 200 "$encoded" POST "$functions/$encoded/invocations" -d '{}'
	done
	header X-Amz-Executed-Version "\\$latest"
	answers 200 'a qualifier twice' POST \
		"$functions/hello:1/invocations?Qualifier=1" -d '{}'
	header X-Amz-Executed-Version 1
	refused 400 InvalidParameterValueException 'two qualifiers' POST \
		"$functions/hello:1/invocations?Qualifier=%24LATEST"
	refused 404 ResourceNotFoundException 'no such version' POST \
		"$functions/hello:2/invocations" -d '{}'
	json 'its words' \
		"r['message'] == 'Function not found: $our_arn:hello:2'"
	refused 404 ResourceNotFoundException 'no such alias' POST \
		"$functions/hello/invocations?Qualifier=prod" -d '{}'
	refused 404 ResourceNotFoundException 'no such function' POST \
		"$functions/none/invocations" -d '{}'
	json 'its words' \
		"r['message'] == 'Function not found: $our_arn:none'"
	# the longest name that Lambda's clients send
	refused 404 ResourceNotFoundException 'a name of 64' POST \
		"$functions/$(printf 'a%.0s' {1..64})/invocations" -d '{}'
	refused 400 InvalidParameterValueException 'a name of 65' POST \
		"$functions/$(printf 'a%.0s' {1..65})/invocations" -d '{}'
	refused 404 ResourceNotFoundException 'a function called function' POST \
		"$functions/function/invocations" -d '{}'
	refused 400 InvalidParameterValueException 'a name that is none' POST \
		"$functions/a%20b/invocations" -d '{}'
	refused 400 InvalidParameterValueException 'an ARN of something else' \
		POST "$functions/arn:aws:s3:::bucket/invocations" -d '{}'
}

check_failures() {
	local name

	invoke 200 'a function that reports an error' fail -d '{}'
	header X-Amz-Function-Error Handled
	header Content-Type application/json
	json 'its body' 'r == {"errorMessage": "as it was \"told\" to",
		"errorType": "Test.Failed"}'
	for name in crash hang; do
		invoke 200 "a function that fails: $name" "$name" -d '{}'
		header X-Amz-Function-Error Unhandled
		json 'its body' \
			'r["errorType"] in ("Runtime.Fault", "Sandbox.Timedout")'
	done
	refused 400 InvalidRequestContentException 'not JSON' POST \
		"$functions/echo/invocations" -d '{"a":}'
	json 'its words' '"not JSON at byte 5 of 6" in r["message"]' \
		'"--cli-binary-format raw-in-base64-out" in r["message"]'
	refused 400 InvalidRequestContentException 'not UTF-8' POST \
		"$functions/echo/invocations" --data-binary $'"\xff"'
	json 'its words' '"not UTF-8" in r["message"]'
	refused 413 RequestTooLargeException 'too large' POST \
		"$functions/echo/invocations" --data-binary @over
	json 'its words' \
		'"echo takes 4194304 bytes at most" in r["message"]'
	refused 413 RequestTooLargeException 'too large, with Expect' POST \
		"$functions/echo/invocations" --data-binary @over \
		-H 'Expect: 100-continue' --expect100-timeout 20
	refused 400 InvalidParameterValueException 'an unknown type' POST \
		"$functions/echo/invocations" -H 'X-Amz-Invocation-Type: Later'
	refused 400 InvalidParameterValueException 'an unknown log' POST \
		"$functions/echo/invocations" -H 'X-Amz-Log-Type: All'
	refused 405 MethodNotAllowedException 'invoked by GET' GET \
		"$functions/echo/invocations"
	header Allow POST
	refused 501 NotImplementedException 'created' POST "$functions" -d '{}'
	refused 501 NotImplementedException 'deleted' DELETE "$functions/echo"
	refused 501 NotImplementedException 'new code' PUT \
		"$functions/echo/code" -d '{}'
	refused 501 NotImplementedException 'invoked with a stream' POST \
		/2021-11-15/functions/echo/response-streaming-invocations -d '{}'

	curl -sS --max-time 20 -d 1500 "$url$functions/nap/invocations" \
		>slept 2>err &
	wait_for 'it naps' metric_is 'thaw_inflight{function="nap"}' 1
	refused 429 TooManyRequestsException 'busy, and nobody may wait' POST \
		"$functions/nap/invocations" -d 1
	header Retry-After 1
	json 'its reason' 'r["Reason"] ==
		"ReservedFunctionConcurrentInvocationLimitExceeded"'
	wait $!
	is slept '{"slept":1500}'
}

# log_lines: of the answer, in lines.
log_lines() {
	sed -n 's/^X-Amz-Log-Result: //ip' head | tr -d '\r' |
		base64 -d >lines
}

check_log() {
	local id

	invoke 200 'the tail of its log' say -d '"words"' \
		-H 'X-Amz-Log-Type: Tail'
	log_lines
	id=$(sed -n 's/^x-amzn-RequestId: //ip' head | tr -d '\r')
	has lines "^START RequestId: $id Version: \\$latest\$"
	has lines '"words"'
	has lines 'that was all'
	has lines "^END RequestId: $id\$"
	has lines "^REPORT RequestId: $id	Duration: [0-9.]+ ms	Billed Duration: [0-9]+ ms	Memory Size: 16 MB	Max Memory Used: [0-9]+ MB	Restore Duration: [0-9.]+ ms\$"
	same 'no other lines' "$(wc -l <lines)" 5
	invoke 200 'a log that is longer' chatter -H 'X-Amz-Log-Type: Tail'
	log_lines
	if (($(stat -c %s lines) > 4096 - 4 && $(stat -c %s lines) <= 4096)); then
		ok 'its last 4 KiB'
	else
		not_ok "$(stat -c %s lines) bytes of it"
	fi
	has lines '^REPORT '
	has lines 'line 199 of many'
	! grep -q '^START' lines
	same 'not its beginning' "$?" 0
	if iconv -f UTF-8 -t UTF-8 lines >out 2>&1; then
		ok 'no character is cut'
	else
		not_ok 'a character is cut' lines
	fi
	invoke 200 'the log of a crash' crash -H 'X-Amz-Log-Type: Tail'
	log_lines
	has lines '^REPORT '
	invoke 200 'no log' say -d 1 -H 'X-Amz-Log-Type: None'
	no_header X-Amz-Log-Result
}

check_context() {
	local context='{"custom":{"k":"v"},"env":{}}' large

	invoke 200 'client context' show -d '{}' \
		-H "X-Amz-Client-Context: $(base64 -w 0 <<<"$context")"
	has body 'client-context=\{"custom":\{"k":"v"\},"env":\{\}\}$'
	refused 400 InvalidRequestContentException 'context not base64' POST \
		"$functions/show/invocations" -d '{}' \
		-H 'X-Amz-Client-Context: {"a":1}'
	refused 400 InvalidRequestContentException 'context not JSON' POST \
		"$functions/show/invocations" -d '{}' \
		-H "X-Amz-Client-Context: $(base64 -w 0 <<<'abc')"
	refused 400 InvalidRequestContentException 'context not an object' POST \
		"$functions/show/invocations" -d '{}' \
		-H "X-Amz-Client-Context: $(base64 -w 0 <<<'[1]')"
	large=$(printf '{"a":"%2650d"}' 0 | base64 -w 0)
	invoke 200 'a large context' show -d '{}' \
		-H "X-Amz-Client-Context: $large"
	large=$(printf '{"a":"%2700d"}' 0 | base64 -w 0)
	refused 400 InvalidRequestContentException 'too large a context' POST \
		"$functions/show/invocations" -d '{}' \
		-H "X-Amz-Client-Context: $large"
}

check_lists() {
	local path next='' names='' page=0

	for path in "$functions" "$functions/"; do
		answers 200 "$path" GET "$path"
		header Content-Type application/json
		json 'its functions' \
			'[f["FunctionName"] for f in r["Functions"]] == [
			"chatter", "crash", "echo", "fail", "hang", "hello", "nap",
			"number_only", "say", "show", "warm"]' \
			'"NextMarker" not in r'
	done
	answers 200 'all versions' GET "$functions?FunctionVersion=ALL"
	json 'its versions' 'len(r["Functions"]) == 22'
	while ((page++ < 10)); do
		call GET "$functions/?MaxItems=4$next"
		names+=" $(sed 's/"FunctionName":"/\n&/g' body |
			sed -n 's/^"FunctionName":"\([a-z_]*\)".*/\1/p' | xargs)"
		next=$(sed -n 's/.*"NextMarker":"\([^"]*\)".*/\1/p' body)
		[[ -n $next ]] || break
		next="&Marker=${next//=/%3D}"
	done
	same 'pages' "$page" 3
	same 'of all' "$names" \
		' chatter crash echo fail hang hello nap number_only say show warm'
	refused 400 InvalidParameterValueException 'no items' GET \
		"$functions?MaxItems=0"
	refused 400 InvalidParameterValueException 'a marker that is none' GET \
		"$functions?Marker=%21"
}

check_reading() {
	answers 200 'a function' GET "$functions/nap"
	json 'it' 'r["Tags"] == {"team": "night"}' \
		'r["Concurrency"] == {"ReservedConcurrentExecutions": 1}' \
		'r["Configuration"]["Environment"]["Variables"] ==
			{"PILLOW": "soft"}' \
		'r["Configuration"]["Description"] == "Sleeps"' \
		'r["Configuration"]["Timeout"] == 10' \
		'r["Configuration"]["State"] == "Active"' \
		'r["Configuration"]["LastUpdateStatus"] == "Successful"' \
		'r["Configuration"]["Handler"] == "nap"' \
		'r["Configuration"]["PackageType"] == "Zip"' \
		'r["Configuration"]["CodeSize"] > 1000' \
		'r["Configuration"]["SnapStart"]["OptimizationStatus"] == "On"' \
		'"Location" not in r["Code"]'
	answers 200 'by its ARN' GET "$functions/${arn//:/%3A}%3Anap"
	answers 200 'its configuration' GET "$functions/nap/configuration"
	json 'it' 'r["FunctionName"] == "nap"' \
		"r['FunctionArn'] == '$our_arn:nap'" \
		're.fullmatch(r"20..-..-..T..:..:..\.[0-9]{3}\+0000",
			r["LastModified"])'
	answers 200 'its versions' GET "$functions/nap/versions"
	json 'they' "[v['Version'] for v in r['Versions']] == ['$latest', '1']"
	answers 200 'its aliases' GET "$functions/nap/aliases"
	json 'none' 'r == {"Aliases": []}'
	answers 200 'its concurrency' GET /2019-09-30/functions/nap/concurrency
	json 'it' 'r == {"ReservedConcurrentExecutions": 1}'
	answers 200 'warm vms' GET \
		'/2019-09-30/functions/warm/provisioned-concurrency?Qualifier=1'
	json 'they' 'r["Status"] == "READY"' \
		'r["AllocatedProvisionedConcurrentExecutions"] == 2'
	refused 404 ProvisionedConcurrencyConfigNotFoundException 'no warm vms' \
		GET '/2019-09-30/functions/nap/provisioned-concurrency?Qualifier=1'
	answers 200 'the account' GET /2016-08-19/account-settings/
	json 'it' 'r["AccountUsage"]["FunctionCount"] == 11'
	answers 200 'tags' GET "/2017-03-31/tags/$our_arn:nap"
	json 'they' 'r == {"Tags": {"team": "night"}}'
	refused 404 ResourceNotFoundException 'no such function' GET \
		"$functions/none/configuration"
	refused 404 ResourceNotFoundException 'no such version' GET \
		"$functions/nap?Qualifier=7"
}

check_dry_run() {
	invoke 204 'a dry run' crash -d '{}' -H 'X-Amz-Invocation-Type: DryRun'
	is body ''
	no_header Content-Length
	no_header X-Amz-Function-Error
	refused 404 ResourceNotFoundException 'a dry run of nothing' POST \
		"$functions/none/invocations" -H 'X-Amz-Invocation-Type: DryRun'
	refused 400 InvalidRequestContentException 'a dry run of no JSON' POST \
		"$functions/crash/invocations" -d '{' \
		-H 'X-Amz-Invocation-Type: DryRun'
	same 'a dry run runs nothing' \
		"$(metric 'thaw_invocations_total{function="crash",outcome="crash"}')" \
		"$1"
}

need_functions
write_catalog functions.json
printf '{"functions": [{"name": "only", "entry": "hello", "image": "%s"}]}\n' \
	"$build/guest/hello.elf" >one.json
for io in io_uring epoll; do
	printf '# --io %s\n' "$io"
	start_server functions.json --io "$io"
	check_replies
	check_names
	check_failures
	check_log
	check_context
	check_lists
	check_reading
	check_dry_run 2
	stop_server
	start_server one.json --io "$io"
	invoke 200 'the only function, called function' function -d '{}'
	is body '{"message":"Hello, world!"}'
	invoke 200 'its own name' only -d '{}'
	answers 200 'read by that name' GET "$functions/function"
	json 'it' 'r["Configuration"]["FunctionName"] == "only"'
	stop_server
done
finish
