#!/usr/bin/env bash
#
# cli.sh BUILD-DIR - the command line: exit codes, messages, and what goes to
# which stream. Without a usable KVM only what needs none is checked, and the
# exit status is 77.

set -uo pipefail

# shellcheck source=tests/cli/support/script.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/script.sh"
unset THAW_KVM_DEVICE

# A copy where any user may run it.
cp "$build/thaw" thaw
chmod 755 . thaw

cat >functions.json <<END
{
  "functions": [
    { "name": "hello", "image": "$build/guest/hello.elf",
      "description": "Greets" },
    { "name": "echo", "image": "$build/guest/echo.elf",
      "entry": "echo", "max_request": "4KiB",
      "environment": { "A": "1=2" }, "labels": { "team": "none" } }
  ]
}
END
printf '{\n  "functions": [\n    { "name": "x", "image": "y", "tmeout": 1 }\n  ]\n}\n' >bad.json
printf 'not an image' >text.elf

check_help() {
	local verb

	try 2 'no verb' ./thaw
	is out ''
	has err '^Usage: thaw VERB'
	try 0 'thaw --help' ./thaw --help
	has out '^  functions describe NAME +[a-z]'
	try 0 'thaw help' ./thaw help
	is err ''
	for verb in init invoke run symbolize 'functions list' 'functions describe' \
		'catalog validate' 'catalog schema' status metrics top reload drain doctor \
		completion version help; do
		# shellcheck disable=SC2086
		try 0 "thaw $verb --help" ./thaw $verb --help
		has out "^Usage: thaw $verb "
		# shellcheck disable=SC2086
		try 0 "thaw help $verb" ./thaw help $verb
	done
	try 0 'thaw help catalog' ./thaw help catalog
	has out 'catalog validate \[FILE\]'
	try 2 'a noun without its verb' ./thaw functions
	has err 'functions list'
}

# What a write beyond an array would change first is elsewhere each time, or
# read-only.
check_hardening() {
	readelf -hdlW thaw >out
	has out 'Type: +DYN \(Position-Independent Executable'
	has out ' GNU_RELRO '
	has out 'FLAGS_1.* NOW'
	has out 'GNU_STACK .* RW  '
}

# The archives of libraries are in it, where they can be linked.
check_libraries() {
	local library depends

	readelf -d thaw >out
	while read -r library depends; do
		if grep -q '^THAW_ARCHIVES:BOOL=OFF' "$build/CMakeCache.txt" ||
			! grep -q "_lib${depends}_a_.*_links:INTERNAL=1" "$build/CMakeCache.txt"; then
			echo "skip: thaw does not load lib$library: its archive is not linked"
			continue
		fi
		same "thaw does not load lib$library" \
			"$(grep -c "NEEDED.*lib$library\." out)" 0
	done <<-'END'
		jansson jansson
		sodium sodium
		uring uring
		elf dw
		dw dw
	END
}

# The greatest and least values of serve, and those beyond. An option behind it
# that is no good tells whether it was taken.
check_serve_limits() {
	local option least most under over range value i
	local -a listen=() hosts=()

	while read -r option least most under over range; do
		for value in "$least" "$most"; do
			try 2 "--$option $value" \
				./thaw serve "--$option" "$value" --io none
			has err '^thaw: --io:'
		done
		for value in "$under" "$over"; do
			try 2 "--$option $value" \
				./thaw serve "--$option" "$value" --io none
			has err "^thaw: --$option: .*($range|is not a duration)"
		done
	done <<-'END'
		workers 1 256 0 257 from 1 to 256$
		offload-threads 1 4096 0 4097 from 1 to 4096$
		max-connections 1 1000000 0 1000001 from 1 to 1000000$
		max-buffered 1B 1024GiB 0B 1025GiB not a size up to 1024GiB
		max-memory 1B 1048576GiB 0B 1048577GiB not a size up to 1048576GiB
		vm-idle-timeout 1ns 1440m 0s 86400001ms more than 86400000ms
		shells 0 1024 -1 1025 from 0 to 1024$
		event-queue 1 1000000 0 1000001 from 1 to 1000000$
		event-retries 0 10 -1 11 from 0 to 10$
		head-timeout 1ns 60m 0s 3600001ms more than 3600000ms
		body-timeout 1ns 60m 0s 3600001ms more than 3600000ms
		idle-timeout 1ns 60m 0s 3600001ms more than 3600000ms
		send-timeout 1ns 60m 0s 3600001ms more than 3600000ms
		drain-timeout 1ns 60m 0s 3600001ms more than 3600000ms
		drain-delay 1ns 60m 0s 3600001ms more than 3600000ms
		event-max-age 1ns 1440m 0s 86400001ms more than 86400000ms
	END
	for ((i = 0; i < 16; i++)); do
		listen+=(--listen 127.0.0.1:0)
	done
	try 2 'sixteen addresses' ./thaw serve "${listen[@]}" --io none
	has err '^thaw: --io:'
	try 2 'one more' ./thaw serve "${listen[@]}" -l 127.0.0.1:0
	has err '^thaw: --listen: at most 16 addresses$'
	for ((i = 0; i < 64; i++)); do
		hosts+=(--allow-host "h$i.example")
	done
	try 2 'sixty-four hosts' ./thaw serve "${hosts[@]}" --io none
	has err '^thaw: --io:'
	try 2 'one more' ./thaw serve "${hosts[@]}" --allow-host a
	has err '^thaw: --allow-host: at most 64 hosts$'
	for value in a.example. '[::1]' 127.0.0.1 '*'; do
		try 2 "host $value" ./thaw serve --allow-host "$value" --io none
		has err '^thaw: --io:'
	done
	for value in '' 'a b' a:80 ::1 http://a a/b '[::1]:80'; do
		try 2 "host $value" ./thaw serve --allow-host "$value" --io none
		has err '^thaw: --allow-host: ".*" is no name'
	done
}

check_usage() {
	try 2 'a verb misspelled' ./thaw invok
	has err '^thaw: no verb "invok": did you mean "invoke"\?$'
	is out ''
	try 2 'a second word misspelled' ./thaw catalog valdate
	has err 'did you mean "catalog validate"'
	try 2 'a verb that is like no other' ./thaw xylophone
	has err '^thaw: no verb "xylophone"$'
	try 2 'an option that does not exist' ./thaw doctor --verbatim
	has err 'no option --verbatim'
	has err '^see: thaw doctor --help$'
	try 2 'a letter that is no option' ./thaw doctor -q
	has err 'no option -q'
	try 2 'no operand' ./thaw invoke
	has err 'no NAME given'
	try 2 'an operand too many' ./thaw invoke a b
	has err 'unexpected argument "b"'
	try 2 'an option without its argument' ./thaw invoke a -d
	has err 'option -d needs an argument'
	try 2 'a time without unit' ./thaw invoke a --timeout 5
	has err '"5" is not a duration'
	try 2 'no repeats' ./thaw invoke a --repeat 0
	try 2 'too many repeats' ./thaw invoke a --repeat 1000001
	has err 'from 1 to 1000000'
	try 2 'a format that does not exist' ./thaw version -o yaml
	try 2 'a variable without value' ./thaw run text.elf --env A
	try 2 'no catalog anywhere' ./thaw invoke hello
	has err 'no catalog: give -c FILE, set THAW_CATALOG'
}

check_catalog() {
	try 0 'catalog validate' ./thaw catalog validate functions.json
	is out $'functions.json: valid, 2 functions\n'
	try 0 'the catalog of the environment' \
		env THAW_CATALOG=functions.json ./thaw catalog validate
	mkdir -p config
	cp functions.json config/
	try 0 'the catalog that is there' ./thaw catalog validate
	has out '^config/functions.json: valid'
	rm -r config
	try 3 'a catalog with mistakes' ./thaw catalog validate bad.json
	has err '^thaw: bad.json:3: /functions/0/tmeout: '
	has err '^thaw: bad.json:3: /functions/0/image: No such file'
	is out ''
	cat >images.json <<-END
		{ "functions": [
		{ "name": "hello", "image": "$build/guest/hello.elf",
		  "entry": "helo" },
		{ "name": "text", "image": "text.elf" },
		{ "name": "true", "image": "/bin/true" } ] }
	END
	try 3 'images that are no good' ./thaw catalog validate images.json
	has err '^thaw: images.json:3: /functions/0/entry: .*set entry to one of: .*hello'
	has err '^thaw: images.json:4: /functions/1/image: text.elf: not an ELF'
	has err '^thaw: images.json:5: /functions/2/image: /bin/true: dynamically'
	same 'nothing else is wrong' "$(wc -l <err)" 3
	printf '{"functions":[1%s]}' "$(printf ',1%.0s' {1..200})" >many.json
	try 3 'many mistakes' ./thaw catalog validate many.json
	has err 'more mistakes: the first 100 are told$'
	same 'so many are told' "$(wc -l <err)" 101
	# shellcheck disable=SC2016
	try 0 'a catalog of standard input' \
		sh -c './thaw catalog validate - <functions.json'
	is out $'standard input: valid, 2 functions\n'
	try 3 'one with a mistake' sh -c './thaw catalog validate - <bad.json'
	has err '^thaw: standard input:3: /functions/0/tmeout: '
	try 3 'one without an end' sh -c './thaw catalog validate - </dev/zero'
	has err '^thaw: standard input: the catalog has more than [0-9]+ bytes$'
	try 3 'invoke with such a catalog' ./thaw invoke x -c bad.json
	has err 'bad.json:3: /functions/0/tmeout'
	try 4 'a catalog that is not there' ./thaw catalog validate none.json
	has err 'none.json: .*No such file'
	try 4 'a catalog that is a directory' ./thaw catalog validate .
	try 0 'catalog schema' ./thaw catalog schema
	if cmp -s out "$here/../../config/catalog.schema.json"; then
		ok 'the schema is the one in config/'
	else
		not_ok 'the schema is not the one in config/'
	fi
}

check_functions() {
	try 0 'functions list' ./thaw functions list -c functions.json
	has out '^NAME +MEMORY +TIMEOUT'
	has out '^hello +16MiB +1s +16 +Greets$'
	try 0 'functions list as JSON' \
		./thaw functions list -c functions.json -o json
	is_json out
	try 0 'functions describe' \
		./thaw functions describe echo -c functions.json
	has out '^max_request +4KiB$'
	has out '^dispatch +exit$'
	has out '^isolation +strict$'
	has out '^untrusted +false$'
	has out '^critical +false$'
	has out '^environment +A=1=2$'
	try 0 'functions describe as JSON' \
		./thaw functions describe echo -c functions.json -o json
	is_json out
	has out '"A": "1=2"'
	has out '"dispatch": "exit"'
	has out '"isolation": "strict"'
	has out '"untrusted": false'
	has out '"critical": false'
	printf '{"functions":[%s]}' "$(<out)" >described.json
	try 0 'what is described is a catalog' \
		./thaw catalog validate described.json
	printf '{"functions":[{"name":"math","image":"%s"}]}' \
		"$build/guest/math.elf" >typed.json
	try 0 'signatures' ./thaw functions describe math -c typed.json
	has out '^function +int add\(int a, int b\)$'
	has out '^function +string roman\(uint number\)$'
	try 0 'a function with typed ones as JSON' \
		./thaw functions describe math -c typed.json -o json
	printf '{"functions":[%s]}' "$(<out)" >described.json
	try 0 'what is described of it is a catalog, too' \
		./thaw catalog validate described.json
	printf '{"functions":[{"name":"host","image":"%s","host":{"allow":%s,"config":{"k":1}}}]}' \
		"$build/tests/guest/host.elf" '["add","time"]' >host.json
	try 0 'imports' ./thaw functions describe host -c host.json
	has out '^host.allow +time$'
	has out '^host.config +k$'
	has out '^host.max_size +64KiB$'
	has out '^import +int add\(int, int\)$'
	has out '^import +bytes invoke\(string, bytes\)$'
	try 3 'imports that are not allowed' ./thaw catalog validate host.json
	has err '/functions/0/host/allow: imports int print\(string\), which host.allow does not list: add "print" to it$'
	hasnt err 'imports int add'
	try 4 'describe a function that is not there' \
		./thaw functions describe none -c functions.json
	has err 'no function none in functions.json: see'
	try 4 'describe a function misspelled' \
		./thaw functions describe helo -c functions.json
	has err '^thaw: no function helo in functions.json: did you mean hello\?$'
}

check_version() {
	try 0 'version' ./thaw version
	has out '^thaw [0-9]+\.[0-9]+\.[0-9]+$'
	try 0 'thaw --version' ./thaw --version
	has out '^thaw [0-9]'
	try 0 'version as JSON' ./thaw version -o json
	is_json out
}

check_no_kvm() {
	local option no_kvm='env THAW_KVM_DEVICE=/nonexistent/kvm'

	# shellcheck disable=SC2086
	{
		try 7 'doctor without KVM' $no_kvm ./thaw doctor
		has out '^FAIL  kvm +/nonexistent/kvm does not exist: '
		try 7 'doctor without KVM as JSON' \
			$no_kvm ./thaw doctor -o json
		is_json out
		has out '"ok": false'
		try 7 'invoke without KVM' \
			$no_kvm ./thaw invoke hello -c functions.json
		has err '/nonexistent/kvm does not exist'
		has err 'thaw doctor'
		is out ''
		try 7 'run without KVM' $no_kvm ./thaw run text.elf
		try 7 'boot without KVM' \
			$no_kvm ./thaw catalog validate --boot functions.json
	}
	try 7 'a device that is no KVM' \
		env THAW_KVM_DEVICE=/dev/null ./thaw doctor
	has out '^FAIL  kvm +/dev/null is not a KVM device'
	try 4 'run an image that is not there' ./thaw run none.elf
	has err 'none.elf: No such file'
	try 4 'run a directory' ./thaw run .
	try 4 'a request that is not there' \
		./thaw invoke echo -c functions.json -d @missing
	has err 'cannot read the request from missing: No such file'
	try 2 'a size without unit' ./thaw run text.elf --memory 16
	has err '^thaw: --memory: "16" has no unit: write for example "16MiB"'
	try 2 'memory that is less than its parts' \
		./thaw run text.elf --memory 2MiB
	has err '^thaw: --memory: 2MiB is too small for stack 256KiB'
	for option in --timeout --init-timeout --max-request --max-reply; do
		try 2 "a value of $option" ./thaw run text.elf $option 5
		has err "^thaw: $option: \"5\" has no unit"
	done
	try 2 'a handler that is no name' ./thaw run text.elf --entry a-b
	has err '^thaw: --entry: "a-b" is not a handler'
	try 2 'a variable that is no name' ./thaw run text.elf --env 1=2
	has err "^thaw: --env 1: not a variable's name"
	try 2 'variables that are too long' \
		./thaw run text.elf --env "A=$(printf '%065536d' 0)"
	has err '^thaw: --env: needs [0-9]+ bytes in the guest'
	if ((EUID)); then
		printf '# not root: nobody else to be\n'
		return
	fi
	install -m 600 /dev/null kvm
	try 7 'no permission' \
		setpriv --reuid 65534 --regid 65534 --clear-groups \
		env THAW_KVM_DEVICE="$work/kvm" ./thaw doctor
	has out '^FAIL  kvm +no permission to open .*: join the group'
}

# A request as HTTP has it, and an answer of the function's own.
check_http() {
	local web=(./thaw run "$build/tests/guest/clients.elf" --entry web) option

	try 0 'a request of HTTP' "${web[@]}" --method GET --path /users/42 \
		--query a=b --query status=404 --header 'Accept:  text/plain ' \
		--header 'X-Set-ETag: "x"' -t text/plain -d text -i
	has out '^Status: 404$'
	has out '^etag: "x"$'
	has out '^GET /users/42\?a=b&status=404$'
	has out '^accept: text/plain$'
	has out '^refused: 0$'
	has out '^text$'
	is err ''
	try 0 'the same repeated' "${web[@]}" --query status=503 --repeat 3
	has out '^POST /\?status=503$'
	try 0 'an answer in the metadata' "${web[@]}" --path /x -v
	has out '^POST /x\?$'
	! grep -q '^Status:' err
	same 'no status where the function has set none' "$?" 0
	try 1 'an answer that is none' "${web[@]}" --query status=304
	has err 'Function.InvalidResponse: a reply of status 304 has no body'
	for option in '--method a b' '--method ' "--method $(printf '%040d' 0)" \
		'--path users' '--path /a?b' '--path /a b' '--query a#b' \
		'--query a b' '--header a' '--header : b' '--header a b: c' \
		$'--header a: b\rc' '--header Host: b' '--header Connection: b' \
		'--header content-length: 1' '--header Content-Type: a/b' \
		"--path /$(printf '%04000d' 0)" "--query $(printf '%04000d' 0)" \
		"--header a: $(printf '%017000d' 0)"; do
		try 2 "${option:0:30}" "${web[@]}" "${option%% *}" "${option#* }"
		has err "^thaw: ${option%% *}: "
	done
	option=$(printf '%02000d' 0)
	try 2 'a query of two that are too long' "${web[@]}" --query "$option" \
		--query "$option"
	has err 'is more than a query may have$'
	for option in {1..65}; do
		web+=(--header a:b)
	done
	try 2 'too many headers' "${web[@]}"
	has err 'header: more than 64 of them$'

	local notes=(./thaw run "$build/guest/notes.elf" -i --method)
	try 0 'the sample for HTTP' "${notes[@]}" GET --path /2
	has out '^\{"title":"Ice","text":"Frozen once, thawed often\."\}$'
	has out '^Vary: Accept$'
	option=$(sed -n 's/^ETag: //p' out)
	try 0 'what the client has' "${notes[@]}" GET --path /2 \
		--header "If-None-Match: $option"
	has out '^Status: 304$'
	has out '^Content-Length: 0$'
	try 0 'a list' "${notes[@]}" GET
	has out '^\[\{"id":1,"title":"Snapshot"\},.*\]$'
	try 0 'text' "${notes[@]}" HEAD --path /2 --header 'Accept: text/plain'
	has out '^Content-Type: text/plain$'
	for option in /0 /4 /1x /x // /18446744073709551617; do
		try 0 "$option" "${notes[@]}" GET --path "$option"
		has out '^Status: 404$'
	done
	try 0 'another method' "${notes[@]}" DELETE --path /2
	has out '^Status: 405$'
	has out '^Allow: GET, HEAD$'

	try 2 'HTTP by the Lambda API' ./thaw invoke web --url localhost:1 \
		--async --path /a
	has err 'the Lambda API, which has no --method'
}

check_typed() {
	local math=(./thaw run "$build/guest/math.elf")

	try 0 'a typed function' "${math[@]}" \
		-d '{"function":"add","args":[20,22]}'
	is out '{"result":42}'
	is err ''
	try 0 'by its path' "${math[@]}" --path /roman -d '[2026]'
	is out '{"result":"MMXXVI"}'
	try 0 'by its entry' "${math[@]}" --entry is_prime -d '[4294967291]'
	is out '{"result":true}'
	try 0 'bytes' "${math[@]}" --path /crc32 -d '["MTIzNDU2Nzg5"]'
	is out '{"result":3421780262}'
	try 0 'bytes back' "${math[@]}" --path /reverse -d '["AAEC"]'
	is out '{"result":"AgEA"}'
	try 0 'a double' "${math[@]}" --path /hypotenuse -d '[3,4]'
	is out '{"result":5.0}'
	try 0 'a ulong' "${math[@]}" --path /gcd \
		-d '[18446744073709551614,9223372036854775807]'
	is out '{"result":9223372036854775807}'
	try 1 'an error of a typed function' "${math[@]}" --path /add \
		-d '[2147483647,1]'
	has err '^thaw: math: Math.Overflow: 2147483647 \+ 1 is no int$'
	try 2 'an argument of another type' "${math[@]}" --path /add \
		-d '[1,"2"]'
	has err 'add: argument 2 \(b\): expected int \(.*\), given the string "2"$'
	try 2 'too few arguments' "${math[@]}" --path /add -d '[1]'
	has err 'add: expected 2 arguments, given 1: int add\(int a, int b\)$'
	try 4 'a typed function misspelled' "${math[@]}" --path /romam -d '[1]'
	has err 'no such function: "romam": did you mean roman\?$'
}

# The request and the reply of a public benchmark, to the byte.
check_redirect() {
	local redirect=(./thaw run "$build/guest/redirect.elf") uri

	try 0 'the request of the benchmark' "${redirect[@]}" -v \
		-d '{"uri": "/index.html"}'
	is out '{"uri":"/redirected.html"}'
	has err '^Content-Length: 26$'
	has err '^Content-Type: application/json$'
	try 0 'a path that is not in the list' "${redirect[@]}" \
		-d ' { "method" : [ "GET" ] , "uri":"/a\"b\u00e9" } '
	is out '{"uri":"/a\"bé"}'
	uri=$(printf '/%02046d' 0)
	try 0 'the longest path' "${redirect[@]}" -d "{\"uri\":\"$uri\"}"
	is out "{\"uri\":\"$uri\"}"
	try 1 'a path that is too long' "${redirect[@]}" \
		-d "{\"uri\":\"${uri}0\"}"
	has err 'Redirect.InvalidRequest: byte [0-9]+: the string is too long$'
	try 1 'no path' "${redirect[@]}" -d '{"url": "/index.html"}'
	has err 'Redirect.InvalidRequest: there is no "uri": send '
	try 1 'a path that is no string' "${redirect[@]}" -d '{"uri": 1}'
	has err 'Redirect.InvalidRequest: byte 8: a string is expected$'
	for uri in '' '{' '[]' '{"uri": "/"' '{"uri": "/"} x' $'{"uri": "\xff"}'; do
		try 1 "a request that is not JSON: '$uri'" "${redirect[@]}" \
			-d "$uri"
		has err 'Redirect.InvalidRequest: byte [0-9]+: '
	done
}

check_streams() {
	local code

	try 0 'invoke' ./thaw invoke hello -c functions.json -d '{"name":"Ada"}'
	is out '{"message":"Hello, Ada!"}'
	is err ''
	try 1 'a function that reports an error' \
		./thaw invoke hello -c functions.json -d '{'
	is out ''
	has err '^thaw: hello: Hello.InvalidRequest: byte 1: '
	try 0 'metadata' ./thaw invoke echo -c functions.json -d ab \
		-t text/plain -i
	has out '^thaw/[0-9.]+ ok$'
	has out '^Content-Type: text/plain$'
	has out '^Content-Length: 2$'
	has out '^Request-Id: [0-9a-f]{16}$'
	has out '^Run-Time: [0-9.]+ ms$'
	has out '^Exits: 1$'
	has out '^ab$'
	is err ''
	try 1 'metadata of an error' \
		./thaw invoke hello -c functions.json -d '{' -i
	has out '^Error-Type: Hello.InvalidRequest$'
	try 0 'metadata on standard error' \
		./thaw invoke echo -c functions.json -d ab -v
	is out 'ab'
	has err '^thaw/[0-9.]+ ok$'
	try 0 'a reply into a file' \
		./thaw invoke echo -c functions.json -d ab -o reply
	is out ''
	is reply 'ab'
	try 125 'a reply into no directory' \
		./thaw invoke echo -c functions.json -d ab -o none/reply
	has err 'none/reply: No such file'

	./thaw invoke echo -c functions.json -d ab 2>err >&-
	code=$?
	: >out
	if ((code == 125)); then
		ok 'standard output is closed: exit 125'
	else
		not_ok "standard output is closed: exit $code, not 125"
	fi
	has err 'standard output: Bad file descriptor'
	./thaw invoke echo -c functions.json -d ab 2>err >/dev/full
	has err 'standard output: No space left'
	# A reader that has gone, and one so with SIGPIPE ignored.
	{
		sleep 0.2
		./thaw functions list -c functions.json 2>err
		printf '%d' $? >code
	} | true
	is code 141
	(
		trap '' PIPE
		sleep 0.2
		./thaw functions list -c functions.json 2>err
		printf '%d' $? >code
	) | true
	is code 125
	has err 'standard output: Broken pipe'
}

check_requests() {
	try 0 'no data' ./thaw invoke echo -c functions.json
	is out ''
	printf 'a\0b\xff' >data
	try 0 'data of a file' ./thaw invoke echo -c functions.json -d @data
	if cmp -s data out; then
		ok 'the reply is the file'
	else
		not_ok 'the reply is not the file'
	fi
	./thaw invoke echo -c functions.json -d - <data >out 2>err
	if cmp -s data out; then
		ok 'data of standard input'
	else
		not_ok 'data of standard input'
	fi
	./thaw invoke echo -c functions.json -d @- <data >out 2>err
	if cmp -s data out; then
		ok 'the same, named as a file'
	else
		not_ok 'the same, named as a file' err
	fi
	head -c 4097 /dev/zero >large
	try 2 'a request too large' \
		./thaw invoke echo -c functions.json -d @large
	has err 'of 4097 bytes is larger than its max_request of 4096'
	try 2 'a request larger than any' \
		./thaw invoke echo -c functions.json -d @/dev/zero
	has err 'more than 67108864 bytes'
	try 2 'a content type too long' ./thaw invoke echo \
		-c functions.json -t "$(printf '%0128d' 0)"
	try 2 'a reply that is not text, to a terminal' \
		script -qec './thaw invoke echo -c functions.json -d @data' \
		/dev/null
	has out 'use -o FILE'
	try 0 'the same, asked for' \
		script -qec './thaw invoke echo -c functions.json -d @data -o -' \
		/dev/null
}

check_boot() {
	local inits=$build/tests/guest/inits.elf

	try 0 'functions that boot' ./thaw catalog validate --boot functions.json
	is out $'functions.json: valid, 2 functions, booted\n'
	[[ -e $inits ]] || return
	cat >inits.json <<-END
		{ "functions": [
		{ "name": "a", "image": "$inits", "environment": { "INIT": "fails" } },
		{ "name": "b", "image": "$inits", "environment": { "INIT": "is_big" } },
		{ "name": "c", "image": "text.elf" },
		{ "name": "d", "image": "$inits", "init_timeout": "1ms",
		  "environment": { "INIT": "never" } } ] }
	END
	try 3 'functions that do not boot' ./thaw catalog validate --boot inits.json
	has err '^thaw: inits.json:2: /functions/0: function a: init failed: Init.NoTable'
	has err '^thaw: inits.json:4: /functions/2/image: text.elf'
	has err '^thaw: inits.json:5: /functions/3: function d: not ready within'
	same 'the others do' "$(grep -c '^thaw: ' err)" 3
}

check_failures() {
	local hostile=$build/tests/guest/hostile.elf

	try 0 'doctor' ./thaw doctor
	has out '^ok +kvm +'
	has out '^ok +vm +created in '
	try 0 'doctor as JSON' ./thaw doctor -o json
	is_json out
	try 4 'a function that is not there' \
		./thaw invoke none -c functions.json
	has err 'no function none in functions.json'
	try 4 'a function misspelled' ./thaw invoke hallo -c functions.json
	has err 'did you mean hello\?$'
	try 3 'an image that is none' ./thaw run text.elf
	has err 'text.elf: not an ELF file'
	try 3 'memory too small for the image' \
		./thaw run "$build/guest/spellcheck.elf" --memory 3MiB \
		--max-request 4KiB --max-reply 4KiB
	try 4 'a handler that is not there' \
		./thaw run "$build/guest/hello.elf" --entry none
	has err 'set entry to one of: hello'
	cp "$build/guest/math.elf" bare.elf
	dd if=/dev/zero of=bare.elf bs=1 seek=40 count=8 conv=notrunc 2>dd.err
	dd if=/dev/zero of=bare.elf bs=1 seek=60 count=4 conv=notrunc 2>dd.err
	try 4 'typed functions without section headers' ./thaw run bare.elf
	has err 'neither handlers nor typed functions: .* section headers'
	try 0 'run' ./thaw run "$build/guest/hello.elf"
	is out '{"message":"Hello, world!"}'
	try 0 'run with an entry' \
		./thaw run "$build/guest/hello.elf" --entry hello_time
	has out '"time":"20'
	try 1 'a reply too large' ./thaw run "$build/guest/echo.elf" \
		--max-reply 4KiB -d @large
	if [[ ! -e $hostile ]]; then
		printf '# no %s: faults and timeouts not checked\n' "$hostile"
		return
	fi
	try 134 'a fault' ./thaw run "$hostile" -d read_null
	has err '^thaw: hostile: Runtime.Fault: .* in read_null'
	try 124 'a timeout' ./thaw run "$hostile" -d spin --timeout 20ms
	has err '^thaw: hostile: Sandbox.Timedout: '
}

check_repeat() {
	try 0 'repeat' ./thaw invoke echo -c functions.json -d ab --repeat 1000
	is out 'ab'
	has err '^echo: 1000 invocations, all replies the same$'
	has err '^run time: min [0-9.]+ us, p50 [0-9.]+ us, p99 .*, max '
	has_not_grown
	try 1 'repeat an error' \
		./thaw invoke hello -c functions.json -d '{' --repeat 10
	has err 'stopped by invocation 1 of 10$'
	try 125 'replies that differ' ./thaw run "$build/guest/hello.elf" \
		--entry hello_time --repeat 1000
	has err '^thaw: hello: the reply differs from the first one from byte'
	has err 'stopped by invocation [0-9]+ of 1000$'
}

check_help
check_hardening
check_libraries
check_usage
check_serve_limits
check_catalog
check_functions
check_version
check_no_kvm
if ./thaw doctor >checks 2>&1; then
	check_streams
	check_http
	check_typed
	check_redirect
	check_requests
	check_boot
	check_failures
	check_repeat
	skipped=0
else
	skipped=1
fi
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0)) || exit 1
if ((skipped)); then
	grep '^FAIL' checks
	echo 'skipped: invoke and run, which this machine cannot do'
	exit 77
fi
