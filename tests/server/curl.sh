#!/usr/bin/env bash
#
# curl.sh BUILD-DIR - tests POST /function/NAME and HTTP itself by curl, and by
# raw_http.py what curl cannot send. Runs with io_uring and with epoll.

set -uo pipefail

# shellcheck source=tests/server/support/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/server.sh"
uuid='[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
mib=1048576

# raw PART...: what the server answers to these bytes, in reply.
raw() {
	timeout 60 "$python" "$here/support/raw_http.py" "$port" "$@" >reply 2>err
	if grep -q 'STILL OPEN' reply; then
		not_ok 'the connection is closed' reply err
	fi
}

# count FILE PATTERN NUMBER: so many lines match.
count() {
	same "$3 times in $1: $2" "$(grep -acE -e "$2" "$1")" "$3"
}

check_plain() {
	answers 200 'a function' POST /function/show -d 'some text' \
		-H 'Content-Type: text/plain'
	has body '^type=text/plain$'
	has body '^size=9$'
	has body "^id=$uuid$"
	header Content-Type 'text/x-shown; charset=utf-8'
	header Content-Length "$(stat -c %s body)"
	header Date '[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} 20[0-9]{2} .* GMT'
	header X-Call-Id "$uuid"
	has body "$(grep -i '^x-call-id' head | tr -d '\r' |
		sed 's/.*: /^id=/')\$"
	header Server-Timing \
		'queue;dur=[0-9]+\.[0-9]{3}, run;dur=[0-9]+\.[0-9]{3}.*'
	no_header X-Amz-Function-Error
	! grep -qE '^(path|query|traceparent|client-context)=' body
	same 'no attribute that was not sent' "$?" 0

	answers 200 'an id of the client' POST /function/show -d x \
		-H 'X-Call-Id: my.own/id:1'
	header X-Call-Id 'my.own/id:1'
	has body '^id=my\.own/id:1$'
	answers 200 'an id of 64 characters, which are too many' \
		POST /function/show -d x -H "X-Call-Id: $(printf '%064d' 0)"
	header X-Call-Id "$uuid"
	answers 200 'an id with a blank' POST /function/show -H 'X-Call-Id: a b'
	header X-Call-Id "$uuid"

	answers 200 'path, query and trace' POST '/function/show/a%20b/c?d=1&e' \
		-d x -H 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' \
		-H 'tracestate: a=b' -H 'X-Amzn-Trace-Id: Root=1-2-3'
	has body '^path=/a%20b/c$'
	has body '^query=d=1&e$'
	has body '^traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01$'
	has body '^tracestate=a=b$'
	has body '^x-amzn-trace-id=Root=1-2-3$'
	answers 200 'a name that is encoded' POST '/function/s%68ow' -d x
	answers 200 'no body' POST /function/echo -H 'Content-Length: 0'
	is body ''
	header Content-Length 0
	printf 'a\0b\xff' >data
	answers 200 'any bytes' POST /function/echo --data-binary @data \
		-H 'Content-Type: application/octet-stream'
	if cmp -s data body; then
		ok 'the reply is the request'
	else
		not_ok 'the reply is not the request'
	fi
	answers 200 'a content type comes back' POST /function/echo -d '<a/>' \
		-H 'Content-Type: text/xml;  charset=UTF-8'
	header Content-Type 'text/xml;  charset=UTF-8'
}

check_methods() {
	local method get

	for method in GET POST PUT DELETE PATCH OPTIONS PROPFIND; do
		answers 200 "$method" "$method" '/function/web/a%20b?c=d'
		has body "^$method /a%20b\\?c=d\$"
		no_header Allow
		no_header X-Function-Status
		answers 200 "$method with a body" "$method" /function/web -d text \
			-H 'Content-Type: text/plain'
		has body "^$method /\\?\$"
		has body '^text$'
	done
	answers 200 'GET' GET /function/web
	get=$(stat -c %s body)
	answers 200 'HEAD' HEAD /function/web
	header Content-Length $((get + 1)) # the method is in it
	answers 404 'HEAD of what is not there' HEAD '/function/web?status=404,empty'
	no_header Content-Length
	answers 405 TRACE TRACE /function/web
	header Allow 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
	raw 'HEAD /function/show HTTP/1.1\r\nHost: localhost\r\n\r\n' \
		'OPTIONS /function/show HTTP/1.1\r\nHost: localhost\r\n\r\n' \
		'HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
	count reply '^HTTP/1.1 200 ' 3
	count reply '^Content-Length: ' 3
	count reply 'callId|^ok' 0
	answers 404 'no such function' POST /function/none -d x
	header Content-Type 'application/problem\+json'
	json 'its problem' 'r["status"] == 404' 'r["title"] == "Not Found"' \
		'r["detail"] == "no such function: none"' \
		'len(r["callId"]) == 36'
	answers 404 'no name' POST /function/ -d x
	answers 404 'a name that is none' POST '/function/%ff%00' -d x
	answers 404 'a name that is not UTF-8' POST '/function/%ff' -d x
	json 'its problem' 'r["detail"] == "no such function: \ufffd"'
	answers 404 'a path that is none' POST /functions/show -d x
	answers 404 'the root' GET /
	answers 404 'options of no function' OPTIONS /function/none
	answers 200 'health' GET /healthz
	is body $'ok\n'
	answers 200 'health by HEAD' HEAD /healthz
	header Content-Length 3
	answers 200 'readiness' GET /readyz
	json 'ready' 'r["ready"] is True'
	answers 404 'no administration here' GET /v1/status
	answers 404 'no metrics here' GET /metrics
}

# What a function answers, and that it is no failure.
check_answers() {
	local code failed size

	failed=$(metric 'thaw_invocations_total{function="web",outcome="function_error"}')
	for code in 200 299 303 404 429 500 599; do
		answers "$code" 'a status' GET "/function/web?status=$code"
		header X-Function-Status "$code"
		header Content-Type application/octet-stream
		has body "^GET /\\?status=$code\$"
	done
	for code in 204 205 304; do
		answers "$code" 'a status without a body' POST \
			"/function/web?status=$code,empty" -d x
		header X-Function-Status "$code"
		no_header Content-Type
		same 'no body' "$(stat -c %s body)" 0
	done
	no_header Content-Length
	for code in 101 199 600; do
		answers 200 "$code, which is none" GET "/function/web?status=$code"
		has body '^refused: 1$'
		no_header X-Function-Status
	done
	answers 303 'headers' GET '/function/web?status=303' \
		-H 'X-Set-Location: /here?a=b' -H 'X-Set-Set-Cookie: a=1; Path=/' \
		-H 'X-Set-Set-Cookie: b=2' -H 'X-Set-Content-Type: text/plain'
	header Location '/here\?a=b'
	header Set-Cookie 'a=1; Path=/'
	header Set-Cookie 'b=2'
	header Content-Type text/plain
	header Server-Timing 'queue;dur=.*'
	has body '^refused: 0$'
	answers 200 'headers that are not for a function' POST /function/web \
		-d text -H 'X-Set-Connection: close' -H 'X-Set-Content-Length: 0' \
		-H 'X-Set-Transfer-Encoding: chunked' -H 'X-Set-Date: today'
	has body '^refused: 4$'
	has body '^text$'
	no_header Connection
	no_header Transfer-Encoding
	answers 500 'a body where none may be' GET '/function/web?status=204'
	json 'its problem' 'r["errorType"] == "Function.InvalidResponse"' \
		'"status 204 has no body" in r["detail"]'
	no_header X-Function-Status
	same 'one failure more' \
		"$(metric 'thaw_invocations_total{function="web",outcome="function_error"}')" \
		"$((failed + 1))"

	# by another thread, where a reply of 1 KiB is small: with the headers
	for size in 20 900 2000; do
		answers 418 "after 3 ms, $size bytes" POST \
			'/function/web?status=418&spin=3' -d text \
			-H "X-Set-ETag: $(printf "%0${size}d" 7)"
		header ETag "0*7"
		has body '^refused: 0$'
		has body '^text$'
	done
	answers 404 'after 3 ms, nothing' GET '/function/web?status=404&spin=3,empty' \
		-H 'X-Set-ETag: x'
	header ETag x
	is body ''

	# Lambda's API has other answers, and no request of HTTP
	answers 200 'an answer, by the Lambda API' POST \
		'/2015-03-31/functions/web/invocations?status=404' -d '{}' \
		-H 'X-Set-ETag: x'
	has body '^POST /\?$'
	count body '^[a-z-]*: ' 1
	no_header ETag
	no_header X-Function-Status

	# an answer does not end what comes behind it
	raw "GET /function/web?status=404 HTTP/1.1\r\nHost: localhost\r\n\r\n" \
		"HEAD /function/web?status=304,empty HTTP/1.1\r\nHost: localhost\r\n\r\n" \
		"GET /function/web?status=204,empty HTTP/1.1\r\nHost: localhost\r\n\r\n" \
		"GET /function/web?status=205,empty HTTP/1.1\r\nHost: localhost\r\n\r\n" \
		"HEAD /function/web?status=410 HTTP/1.1\r\nHost: localhost\r\n\r\n" \
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
	same 'answers in a row' \
		"$(grep -aoE '^HTTP/1.1 [0-9]*' reply | cut -d ' ' -f 2 | tr '\n' ' ')" \
		'404 304 204 205 410 200 '
}

# Which headers of a request reach the function.
check_request_headers() {
	answers 200 'headers' POST /function/web -d x -H 'X-One: 1' -H 'x-ONE:  2 ' \
		-H 'X-Empty;' -H 'Authorization: Bearer t' -H 'Cookie: a=b; c=d' \
		-H $'X-Text: \xc3\xa4\tb'
	same 'in their order, in lower case' "$(grep -c '^x-one: [12]$' body)" 2
	has body '^x-empty: $'
	has body '^authorization: Bearer t$'
	has body '^cookie: a=b; c=d$'
	has body $'^x-text: \xc3\xa4 b$'
	has body "^host: 127.0.0.1:$port\$"
	answers 200 'what is about the connection' POST /function/web -d x \
		-H 'Connection: keep-alive, X-Hop,x-HOP2' -H 'X-Hop: 1' \
		-H 'X-Hop2: 2' -H 'X-Hop3: 3' -H 'Keep-Alive: timeout=5' \
		-H 'TE: trailers' -H 'Proxy-Authorization: Basic eA==' \
		-H 'Expect: 100-continue' -H 'Upgrade: h2c' -H 'Trailer: X-T'
	has body '^x-hop3: 3$'
	count body '^(connection|x-hop2?|keep-alive|te|proxy-.*|expect|upgrade|trailer|content-length):' 0
	# a head as large as the server takes
	answers 200 'large headers' POST /function/web -d x \
		-H "X-Large: $(printf '%015000d' 7)"
	has body '^x-large: 0{14999}7$'
	answers 200 'no headers of the one before' POST /function/web -d x
	count body '^x-' 0
}

# The same by thaw, over HTTP and the unix socket.
check_thaw() {
	local by

	for by in "--url=$url" "--socket=$work/run/thaw.sock"; do
		"$build/thaw" invoke web "$by" -i --method PUT --path /a%20b \
			--query status=404 --header 'Accept: a/b' \
			--header 'X-Set-ETag: "x"' -d text >out 2>err
		same "an answer by ${by%%=*}: no failure" "$?" 0
		has out '^thaw/[0-9.]+ ok$'
		has out '^Status: 404$'
		has out '^etag: "x"$'
		has out '^PUT /a%20b\?status=404$'
		has out '^accept: a/b$'
		has out '^text$'
		count out '^(accept|Content-Type|content-type): ' 2
		"$build/thaw" invoke web "$by" --query status=500 --repeat 3 \
			>out 2>err
		same 'and repeated' "$?" 0
		has out '^POST /\?status=500$'
		"$build/thaw" invoke web "$by" --query status=204 >out 2>err
		same 'a body where none may be' "$?" 1
		has err 'Function.InvalidResponse'
		# a whole head, as large as there is room for
		"$build/thaw" invoke web "$by" \
			--header "X-Large: $(printf '%015000d' 7)" >out 2>err
		has out '^x-large: 0{14999}7$'
		"$build/thaw" invoke web "$by" -d x -i >out 2>err
		has out '^POST /\?$'
		count out '^Status:' 0
		"$build/thaw" invoke fail "$by" --path /a >out 2>err
		same 'a failure' "$?" 1
		has err 'Test.Failed'
	done
	"$build/thaw" invoke web --url "$url" --method HEAD -i \
		--query status=410 >out 2>err
	same 'HEAD' "$?" 0
	has out '^Status: 410$'
	has out '^Content-Length: 0$'
	"$build/thaw" invoke web --url "$url" --method GET -d text >out 2>err
	has out '^text$'
	"$build/thaw" invoke none --url "$url" --method GET >out 2>err
	same 'a 404 of the server' "$?" 4
	# over the socket only who speaks of HTTP is answered in it
	"$build/thaw" invoke notes "--socket=$work/run/thaw.sock" -i >out 2>err
	has out '"error":"notes are only read, not by: POST"'
	count out '^(Status|Allow): ' 0
	"$build/thaw" invoke notes "--socket=$work/run/thaw.sock" -i \
		--method POST >out 2>err
	has out '^Status: 405$'
	has out '^Allow: GET, HEAD$'
}

check_failures() {
	answers 500 'an error' POST /function/fail -d x
	header Content-Type 'application/problem\+json'
	header Server-Timing 'queue;dur=.*'
	json 'its problem' 'r["errorType"] == "Test.Failed"' \
		'r["detail"] == "as it was \"told\" to"' 'r["status"] == 500'
	answers 500 'a status' POST /function/number_only -d x
	json 'its problem' 'r["errorType"] == "Runtime.HandlerError"' \
		'"returned 3" in r["detail"]'
	answers 500 'a crash' POST /function/crash -d x
	json 'its problem' 'r["errorType"] == "Runtime.Fault"'
	answers 504 'a timeout' POST /function/hang -d x
	json 'its problem' 'r["errorType"] == "Sandbox.Timedout"' \
		'r["title"] == "Gateway Timeout"'
	answers 500 'a handler that wants a number' POST /function/nap \
		-d "$(printf '%040d' 0)"
	json 'its problem' 'r["errorType"] == "Test.Number"'

	curl -sS --max-time 20 -d 1500 "$url/function/nap" >slept 2>err &
	wait_for 'it naps' metric_is 'thaw_inflight{function="nap"}' 1
	answers 429 'busy, and nobody may wait' POST /function/nap -d 1
	header Retry-After 1
	json 'its problem' 'r["title"] == "Too Many Requests"'
	wait $!
	is slept '{"slept":1500}'
	# though the vm is restored behind the reply
	curl -sS --max-time 20 -o /dev/null -w '%{http_code}\n' -d 1 \
		"$url/function/nap?[1-300]" >codes 2>err
	same 'one after the other, nobody is refused' \
		"$(sort codes | uniq -c | xargs)" '300 200'
}

check_sizes() {
	head -c $((4 * mib)) /dev/zero | tr '\0' 'x' >most
	{ cat most && printf 'y'; } >over
	answers 200 'the largest request, with Expect' POST /function/echo \
		--data-binary @most -H 'Content-Type: text/plain' \
		-H 'Expect: 100-continue' --expect100-timeout 20
	has head '^HTTP/1.1 100 Continue'
	if cmp -s most body; then
		ok 'the reply is the request'
	else
		not_ok 'the reply is not the request'
	fi
	answers 413 'a byte more, with Expect' POST /function/echo \
		--data-binary @over -H 'Expect: 100-continue' \
		--expect100-timeout 20
	! grep -q '^HTTP/1.1 100' head
	same 'which was not asked for' "$?" 0
	json 'its problem' 'r["status"] == 413' \
		'"echo takes 4194304 bytes at most" in r["detail"]'
	answers 413 'a byte more, without' POST /function/echo \
		--data-binary @over -H 'Expect:'
	answers 413 'a byte more, in chunks' POST /function/echo \
		-T - -H 'Expect:' <over
	answers 200 'chunks' POST /function/echo -T - -H 'Expect:' <most
	if cmp -s most body; then
		ok 'the reply is the request'
	else
		not_ok 'the reply is not the request'
	fi
	answers 200 'chunks, with Expect' POST /function/echo -T - \
		-H 'Expect: 100-continue' --expect100-timeout 20 <most
	answers 404 'a large request to nobody' POST /function/none \
		--data-binary @over
	answers 417 'another expectation' POST /function/echo -d x \
		-H 'Expect: something'
	head -c 5000 most >long
	answers 200 'a long path' POST "/function/show/$(head -c 3000 long)" -d x
	answers 400 'a path longer than attributes may be' \
		POST "/function/show/$(<long)" -d x
	head -c 17000 most >long
	answers 414 'a path longer than a head may be' \
		POST "/function/show/$(<long)" -d x
	answers 431 'a header too long' POST /function/show -d x \
		-H "X-Long: $(<long)"
	# shellcheck disable=SC2046
	answers 431 'too many headers' POST /function/show -d x \
		$(printf -- '-HX-%d:1 ' {1..130})
	# shellcheck disable=SC2046
	answers 200 'as many as proxies pass' POST /function/show -d x \
		$(printf -- '-HX-%d:1 ' {1..100})
}

check_versions() {
	answers 200 'HTTP/1.0' POST /function/echo --http1.0 -d x
	is body x
	raw 'POST /function/echo HTTP/1.0\r\nContent-Length: 2\r\n\r\nab'
	has reply '^HTTP/1.1 200'
	has reply '^ab$'
	raw 'POST /function/echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab' \
		'POST /function/echo HTTP/1.0\r\nContent-Length: 2\r\n\r\ncd'
	count reply 'HTTP/1.1 200' 2
	count reply '^Connection: keep-alive' 1
	raw 'POST /function/echo HTTP/2.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n'
	has reply '^HTTP/1.1 (400|505) '
	raw 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
	has reply '^HTTP/1.1 (400|505) '
	raw 'POST /function/echo HTTP/1.1\r\nContent-Length: 0\r\n\r\n'
	has reply '^HTTP/1.1 400 '
	raw 'POST /function/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
	has reply '^HTTP/1.1 400 '
	raw 'POST /function/echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n'
	has reply '^HTTP/1.1 (400|501) '
	raw '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'
	has reply '^HTTP/1.1 400 '
	raw 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
	has reply '^HTTP/1.1 204 '
	has reply '^Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
	raw 'NONSENSE / HTTP/1.1\r\nHost: localhost\r\n\r\n'
	has reply '^HTTP/1.1 501 '
}

check_pipelines() {
	local request='POST /function/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n'
	local last='POST /function/echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n'
	local nap='POST /function/nap HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n200'
	local chunked='POST /function/echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\t\r\n\r\n2 ; x = "\\"y";z\r\ngh\r\n0\r\nA: b\r\n\r\n'

	raw "$nap${request}ab${request}cd$chunked${last}ef"
	count reply 'HTTP/1.1 200' 5
	same 'pipelined requests are answered in order' \
		"$(grep -aoE 'slept|^(ab|cd|gh|ef)' reply | tr '\n' ' ')" \
		'slept ab cd gh ef '
	raw "POST /function/none HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nzz${last}ef"
	count reply 'HTTP/1.1 404' 1
	count reply 'HTTP/1.1 200' 1
	raw "${request:0:30}" @0.2 "${request:30:9}" @0.2 "${request:39}a" @0.2 \
		"b${last}ef"
	count reply 'HTTP/1.1 200' 2
	raw "${last}ab" "${last}cd"
	count reply 'HTTP/1.1 200' 1
}

check_cloudevents() {
	local binary=(-H 'ce-id: 1' -H 'ce-source: /here' -H 'ce-type: t'
		-H 'ce-specversion: 1.0')

	answers 200 'a binary event' POST /function/echo "${binary[@]}" \
		-H 'ce-subject: s' -H 'Content-Type: application/json' -d '{"n":1}'
	header Content-Type 'application/cloudevents\+json'
	json 'its envelope' 'r["id"] == "1"' 'r["source"] == "/here"' \
		'r["type"] == "t"' 'r["specversion"] == "1.0"' \
		'r["subject"] == "s"' 'r["data"] == {"n": 1}' \
		'r["datacontenttype"] == "application/json"'
	answers 200 'a binary event of bytes' POST /function/echo \
		"${binary[@]}" -H 'Content-Type: image/png' --data-binary $'\xff\x01'
	json 'its envelope' 'r["data_base64"] == "/wE="'
	answers 200 'a structured event' POST /function/echo \
		-H 'Content-Type: application/cloudevents+json; charset=utf-8' \
		-d '{"specversion":"1.0","id":"1","source":"/here","type":"t","data":7}'
	json 'its envelope' 'r["data"] == 7' 'r["id"] == "1"'
	answers 415 'a batch' POST /function/echo -d '[]' \
		-H 'Content-Type: application/cloudevents-batch+json'
	json 'its problem' '"one by one" in r["detail"]'
	answers 415 'an event in another format' POST /function/echo -d '<e/>' \
		-H 'Content-Type: application/cloudevents+xml'
	json 'its problem' '"application/cloudevents+json" in r["detail"]'
	answers 400 'an event without type' POST /function/echo -d 1 \
		-H 'ce-id: 1' -H 'ce-source: /here' -H 'ce-specversion: 1.0'
	json 'its problem' '"ce-type" in r["detail"]'
	answers 400 'another version' POST /function/echo -d 1 \
		"${binary[@]:0:6}" -H 'ce-specversion: 0.3'
	answers 400 'a structured event that is not JSON' POST /function/echo \
		-H 'Content-Type: application/cloudevents+json' -d '{"id":'
	answers 400 'a structured event of no base64' POST /function/echo \
		-H 'Content-Type: application/cloudevents+json' \
		-d '{"specversion":"1.0","id":"1","source":"/here","type":"t","data_base64":"?"}'
	answers 400 'a structured event without id' POST /function/echo \
		-H 'Content-Type: application/cloudevents+json' \
		-d '{"specversion":"1.0","source":"/here","type":"t"}'
}

need_functions
write_catalog functions.json ",{\"name\": \"web\", \"entry\": \"web\",
	\"image\": \"$build/tests/guest/clients.elf\"},
	{\"name\": \"notes\", \"image\": \"$build/guest/notes.elf\"}"
for io in io_uring epoll; do
	printf '# --io %s\n' "$io"
	start_server functions.json --io "$io"
	check_plain
	check_methods
	check_answers
	check_request_headers
	check_thaw
	check_failures
	check_sizes
	check_versions
	check_pipelines
	check_cloudevents
	stop_server
done
finish
