#!/usr/bin/env bash
#
# inspect.sh BUILD-DIR - what `thaw snapshot inspect` shows of a Linux program
# (tests/linux/state.c), and of files that are whole, but not what thaw has written.

set -uo pipefail

# shellcheck source=tests/cli/support/script.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/script.sh"
# shellcheck source=tests/cli/support/snapshot_file.sh
. "$support/snapshot_file.sh"
need_functions
cp "$build/thaw" thaw
export THAW_CATALOG=functions.json THAW_STATE_DIR=$work/state

cat >functions.json <<END
{
  "functions": [
    { "name": "p", "kind": "linux", "program": "$build/tests/guest/linux_state",
      "memory": "8MiB", "tmp": "1MiB", "environment": { "PASSWORD": "s3cret" } },
    { "name": "hello", "image": "$build/guest/hello.elf" }
  ]
}
END

# linux JQ-PROGRAM VALUE: what `inspect -o json` says of the program's state.
linux() {
	same "${1//[$'\n\t']/ }" "$(jq -c ".linux | $1" json)" "$2"
}

check_json() {
	try 0 'inspect a Linux program, JSON' ./thaw snapshot inspect "$key" -o json
	mv out json
	linux .executable "\"$build/tests/guest/linux_state\""
	linux .working_directory '"/tmp/desk"'
	linux .umask '"0027"'
	linux .requests_from '"stdin"'
	linux '.cpu_time_ns > 0' true
	linux '[.threads[].name] | sort' '["locker","main","sleeper"]'
	linux '.threads[0] | .id, .state' $'1\n"current"'
	linux '.threads[0].blocked' '["SIGUSR2"]'
	linux '.threads[] | select(.name == "sleeper") | .state, .call, .blocked' \
		$'"waiting"\n"clock_nanosleep"\n["SIGTERM"]'
	linux '.threads[] | select(.name == "sleeper").timeout_ns
		| . > 990e9 and . <= 1000e9' true
	linux '.threads[] | select(.name == "locker") | .call, (.futex | test("^0x"))' \
		$'"futex"\ntrue'
	linux '.descriptors[] | select(.path == "/tmp/desk/notes")
		| .fd, .kind, .offset, .flags, .duplicate_of' \
		$'3\n"file"\n6\n"O_RDWR|O_CLOEXEC"\nnull\n4\n"file"\n6\n"O_RDWR"\n3'
	linux '.descriptors[:3] | [.[].kind]' '["stdin","stdout","stderr"]'
	linux '[.descriptors[] | select(.kind == "pipe").pipe_bytes]' '[6,6]'
	linux '.descriptors[] | select(.kind == "eventfd") | .eventfd_count, .flags' \
		$'5\n"O_RDWR|O_NONBLOCK"'
	linux '.descriptors[] | select(.kind == "timerfd") | .clock, .interval_ns,
		(.expires_in_ns | . > 3590e9 and . <= 3600e9)' \
		$'"CLOCK_MONOTONIC"\n7000000000\ntrue'
	linux '.descriptors[] | select(.kind == "epoll").watches' \
		'[{"fd":7,"events":"POLLIN"}]'
	linux '.descriptor_count == (.descriptors | length)' true
	linux '.signals_ignored' '["SIGHUP"]'
	linux '.signal_handlers[] | select(.signal == "SIGUSR1") | .flags, .blocked' \
		"$(printf '"%sSA_RESTART"\n["SIGUSR2"]' "$restorer")"
	linux '.signals_pending' '[{"signal":"SIGUSR2","thread":1}]'
	linux '.timers | length' 1
	linux '.timers[0] | .timer, .signal, .interval_ns,
		(.expires_in_ns | . > 90e9 and . <= 100e9)' \
		$'"ITIMER_REAL"\n"SIGALRM"\n0\ntrue'
	linux '.tmp_files' '[{"path":"/tmp/desk","kind":"directory","mode":"0750","bytes":0},{"path":"/tmp/desk/notes","kind":"file","mode":"0640","bytes":6}]'
	linux '.tmp_bytes' 1048576
	linux '.limits[] | select(.resource == "RLIMIT_NOFILE") | .soft, .hard' $'64\n128'
	linux '.limits[] | select(.resource == "RLIMIT_CPU").soft' '"unlimited"'
	linux '[.areas[] | select(.kind == "stack").protection]' '["rw-"]'
	linux '[.areas[] | select(.kind == "heap")] | length' 1
	linux '[.areas[] | select(.protection == "r-x").file_bytes > 0] | any' true
	linux '[.areas[] | select(.bytes == 12288 and .protection == "r--")] | length' 1
	linux '.area_count == (.areas | length)' true
	linux '.mapped_bytes == ([.areas[]
		| select(.kind != "backing" and .kind != "reserved").bytes] | add)' true
	same 'names of the environment' \
		"$(jq -c .manifest.key.environment_names json)" '["PASSWORD"]'
	same 'no secret' "$(grep -c s3cret json)" 0
}

check_table() {
	try 0 'inspect a Linux program' ./thaw snapshot inspect "$key"
	has out '^Linux state:'
	has out '^umask +0027'
	has out '^[0-9]+ +sleeper +waiting +clock_nanosleep +- +99[0-9]+ +SIGTERM$'
	has out '^0x[0-9a-f]+ +0x[0-9a-f]+ +[0-9]+ +rw- +stack '
	has out '^4 +file +/tmp/desk/notes +6 +O_RDWR$'
	has out '^SIGUSR1 +0x[0-9a-f]+ .*SA_RESTART +SIGUSR2$'
	has out '^ITIMER_REAL +SIGALRM +[0-9]+ +0$'
	has out '^/tmp/desk/notes +file +0640 +6$'
	has out '^RLIMIT_NOFILE +64 +128$'
	hasnt out s3cret
	try 0 'and one of an image' ./thaw snapshot inspect "$(./thaw snapshot key hello)"
	hasnt out '^Linux state'
}

# hostile TEXT CODE OFFSET BYTES: inspects the file with these bytes, as whole as it was.
hostile() {
	local file=$work/hostile/$key.thaw

	cp "state/$key.thaw" "$file"
	patch "$file" "$3" "$4"
	try "$2" "$1" ./thaw snapshot inspect "$key" --state-dir hostile
	same "$1: nothing that moves the cursor" "$(tr -d '\n' <out | grep -c '[[:cntrl:]]')" 0
}

check_hostile() {
	local file=state/$key.thaw state name

	mkdir -m 0700 hostile
	state=$(((header_size + $(number "$file" $at_manifest_size) + 7) & ~7))
	name=$(grep -abo -m 1 locker "$file" | head -n 1 | cut -d : -f 1)
	hostile 'another version of the state' 3 $((state + 8)) '\2'
	has err 'no good: another version'
	has out "^key +$key"
	hasnt out '^Linux state'
	hostile 'too many files that it has looked at' 3 $((state + 16)) '\377\377\377'
	has err 'no good: the number of files'
	hostile 'a name that moves the cursor' 0 "$name" '\302\233J'
	has out ' [?][?]Jker '
	try 0 'in JSON, too' ./thaw snapshot inspect "$key" --state-dir hostile -o json
	same 'nothing that moves the cursor' "$(LC_ALL=C grep -c $'[\x7f\x9b]' out)" 0
	hostile 'another one' 0 "$name" '\033[2J'
	has out ' [?]\[2Jer '
	hostile 'a name that is no text' 0 "$name" '\377\302'
	has out ' [?][?]cker '
	hostile 'a name without an end' 3 "$name" 'xxxxxxxxxxxxxxxx'
	has err 'no good: the name of a thread'
	hostile 'no more of it' 3 $at_ready_size "$(printf '\\x%02x' $(($(number "$file" $at_ready_size) & 255 ^ 8)))"
	hostile 'a manifest of another key' 3 "$(grep -abo -m 1 '"memory": 8' "$file" |
		head -n 1 | cut -d : -f 1)" '"memory": 9'
	has err 'what its manifest says of its key is not so'
	hostile 'of another architecture' 0 $at_architecture '\363\0'
	has out '^linux_reason +it is for another architecture'
	printf x | dd of="hostile/$key.thaw" bs=1 seek=$((state + 40)) conv=notrunc 2>noise
	try 3 'a damaged file' ./thaw snapshot inspect "$key" --state-dir hostile
	is out ''
}

case $(uname -m) in
x86_64) restorer='SA_RESTORER|' ;;
*) restorer= ;;
esac
try 0 'snapshot create' ./thaw snapshot create
key=$(./thaw snapshot key p)
try 0 'it goes on from there' ./thaw invoke p -v -d text
has err 'from the store'
is out text
check_json
check_table
check_hostile
finish
