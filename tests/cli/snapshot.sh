#!/usr/bin/env bash
#
# snapshot.sh BUILD-DIR - the state directory from the command line: `thaw snapshot`, and
# what serve, invoke and run do with --state-dir.

set -uo pipefail

# shellcheck source=tests/cli/support/script.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/script.sh"
# shellcheck source=tests/cli/support/snapshot_file.sh
. "$support/snapshot_file.sh"
need_functions
cp "$build/thaw" thaw

cat >functions.json <<END
{
  "functions": [
    { "name": "hello", "image": "$build/guest/hello.elf",
      "environment": { "PASSWORD": "s3cret" } },
    { "name": "math", "image": "$build/guest/math.elf" },
    { "name": "cat", "kind": "linux", "program": "/bin/cat" }
  ]
}
END
export THAW_CATALOG=functions.json

check_no_directory() {
	local verb

	for verb in list verify 'inspect a' 'rm a'; do
		# shellcheck disable=SC2086
		try 2 "snapshot $verb without a directory" ./thaw snapshot $verb
		has err 'give --state-dir or set [$]THAW_STATE_DIR'
	done
	try 4 'a directory that is not there' ./thaw snapshot list --state-dir none
	try 2 'a limit that is no size' \
		env THAW_STATE_MAX=much ./thaw invoke hello --state-dir d
	has err 'THAW_STATE_MAX: "much" is no size'
	try 4 'a directory in none' ./thaw snapshot create --state-dir none/none
	mkdir -m 0777 open
	chmod 0777 open
	try 2 'a directory that is open to others' \
		./thaw snapshot create --state-dir open
	has err 'chmod 0700'
	try 0 'an invocation goes on without it' \
		./thaw invoke hello --state-dir open -d '{"name":"Ada"}'
	has err 'booted, not taken from the store: others may write'
	has out 'Hello, Ada!'
}

check_create() {
	try 0 'snapshot create' ./thaw snapshot create
	is out $'hello: written\nmath: written\ncat: written\n'
	try 0 'snapshot create again' ./thaw snapshot create hello
	is out $'hello: there already\n'
	try 4 'no such function' ./thaw snapshot create helo
	same 'its mode is 0700' "$(stat -c %a state)" 700
	same 'those of its files are 0600' "$(stat -c %a state/* | sort -u)" 600
}

check_use() {
	try 0 'invoke' ./thaw invoke hello -v -d '{"name":"Ada"}'
	has err 'hello: deployed in .* from the store'
	has out 'Hello, Ada!'
	try 0 'run' ./thaw run "$build/guest/hello.elf" -v -d '{"name":"Ada"}'
	try 0 'run again' ./thaw run "$build/guest/hello.elf" -v -d '{"name":"Ada"}'
	has err 'hello: deployed in .* from the store'
	try 0 'run another guest' ./thaw run "$build/guest/hello.elf" -v \
		--memory 8MiB -d '{"name":"Ada"}'
	hasnt err 'from the store'
	try 0 'a program' ./thaw invoke cat -v -d text
	has err 'cat: deployed in .* from the store'
	is out text
	try 2 'not with a server' ./thaw invoke hello --socket x/y --state-dir d
	has err '--state-dir'
}

check_look() {
	local key

	try 0 'snapshot list' ./thaw snapshot list
	has out '^KEY .*FUNCTION .*VERSION .*SIZE'
	has out ' hello '
	has out ' math '
	try 0 'snapshot list, names' ./thaw snapshot list -o name
	same 'one for each guest' "$(wc -l <out)" 5
	same 'keys' "$(grep -cvE '^[0-9a-f]{64}$' out)" 0
	try 0 'snapshot key' ./thaw snapshot key hello
	key=$(<out)
	try 0 'snapshot key, JSON' ./thaw snapshot key hello -o json
	same 'the same key' "$(jq -r .key out)" "$key"
	same 'of this memory' "$(jq .of.memory out)" 16777216
	hasnt out s3cret
	try 0 'the key of a program' ./thaw snapshot key cat -o json
	same 'of this program' "$(jq -r .of.program out)" /bin/cat
	try 0 'snapshot inspect' ./thaw snapshot inspect "${key:0:12}"
	has out "^key *$key"
	has out '^function *hello'
	hasnt out s3cret
	has out '^learned_from *[1-9]'
	has out '^hot_pages *[1-9]'
	has out '^hot_bytes *[1-9]'
	has out '^working_pages *[1-9]'
	has out '^working_bytes *[1-9]'
	try 0 'snapshot inspect, JSON' ./thaw snapshot inspect "$key" -o json
	same 'whole pages' "$(jq '.hot_bytes / .hot_pages' out)" 4096
	same 'a key as snapshot key says' \
		"$(jq -S .manifest.key out)" \
		"$(./thaw snapshot key hello -o json | jq -S .of)"
	try 0 'snapshot inspect of a typed function' ./thaw snapshot inspect \
		"$(./thaw snapshot key math)"
	has out 'int add'
	try 4 'no such key' ./thaw snapshot inspect 0123456789
	try 4 'an empty key' ./thaw snapshot inspect ''
	./thaw complete -- snapshot inspect '' >out
	has out '^:words 0'
	has out "^$key"
}

# edit FILE JQ-PROGRAM: changes a JSON file.
edit() {
	jq "$2" "$1" >edited && mv edited "$1"
}

# A layout whose only image has another layer, digest or type is refused.
check_bad_layout() {
	local text=$1 file=$2 program=$3

	rm -rf bad.oci
	cp -r hello.oci bad.oci
	edit "bad.oci/$file" "$program"
	try 3 "$text" ./thaw snapshot import bad.oci --state-dir other
}

# check_tools KEY: tools for images move hello.oci, and it is as it was.
check_tools() {
	local key=$1

	if ! command -v skopeo >/dev/null || ! command -v umoci >/dev/null; then
		printf 'skip: tools for images: no skopeo, or no umoci\n'
		return
	fi
	try 0 'skopeo takes a layout to a directory' \
		skopeo copy --insecure-policy oci:hello.oci dir:moved
	try 0 'skopeo takes it back, under another name' \
		skopeo copy --insecure-policy dir:moved oci:back.oci:moved
	try 0 'umoci gives it one more name' umoci tag --image back.oci:moved hello
	try 0 'umoci lists both' umoci ls --layout back.oci
	is out $'moved\nhello\n'
	try 0 'a layout that was moved' ./thaw snapshot import back.oci --state-dir far
	try 0 'a function of another executor starts from it' ./thaw invoke hello -v \
		-d '{"name":"Ada"}' --state-dir far
	has err 'from the store'
	same 'the same file, moved' \
		"$(cmp "state/$key.thaw" "far/$key.thaw" && echo same)" same
}

check_transfer() {
	local key layer image

	key=$(./thaw snapshot key hello)
	try 2 'an export to nowhere' ./thaw snapshot export "$key"
	try 0 'snapshot export' ./thaw snapshot export "$key" -o hello.oci
	try 7 'an export to what is there' ./thaw snapshot export "$key" -o hello.oci
	image=$(jq -r '.manifests[0].digest | ltrimstr("sha256:")' hello.oci/index.json)
	layer=$(jq -r '.layers[0].digest | ltrimstr("sha256:")' "hello.oci/blobs/sha256/$image")
	same 'blobs are called by their hashes' \
		"$(cd hello.oci/blobs/sha256 && sha256sum -- * | awk '$1 != $2')" ''
	same 'sizes are right' \
		"$(jq '.layers[0].size' "hello.oci/blobs/sha256/$image")" \
		"$(stat -c %s "hello.oci/blobs/sha256/$layer")"
	try 0 'snapshot import' ./thaw snapshot import hello.oci --state-dir other
	is out "$key"$'\n'
	try 0 'a function starts from it' ./thaw invoke hello -v \
		-d '{"name":"Ada"}' --state-dir other
	has err 'from the store'
	same 'the same file' "$(cmp "state/$key.thaw" "other/$key.thaw" && echo same)" same
	same 'it learns for itself' "$(find other -name "$key.pages" | wc -l)" 1
	rm -r other
	check_tools "$key"
	try 4 'no layout' ./thaw snapshot import none --state-dir other
	mkdir empty
	try 4 'an empty layout' ./thaw snapshot import empty --state-dir other
	check_bad_layout 'no images' index.json '.manifests = []'
	check_bad_layout 'an image of another type' index.json \
		'.manifests[0].mediaType = "text/plain"'
	check_bad_layout 'a digest that is a path' index.json \
		'.manifests[0].digest = "sha256:../../../../etc/passwd"'
	check_bad_layout 'a digest that is a number' index.json \
		'.manifests[0].digest = 1'
	check_bad_layout 'an image with another hash' "blobs/sha256/$image" \
		'.layers = []'
	rm -rf bad.oci
	cp -r hello.oci bad.oci
	printf x | dd of="bad.oci/blobs/sha256/$layer" bs=1 seek=300000 \
		conv=notrunc 2>noise
	try 3 'a layer with another hash' ./thaw snapshot import bad.oci \
		--state-dir other
	same 'nothing of it is there' "$(ls other)" ''
}

check_serve() {
	local key

	key=$(./thaw snapshot key hello)
	serve
	same 'a server starts from the store' \
		"$(jq -r 'select(.function == "hello").snapshot' log)" stored
	same 'and so does a program' \
		"$(jq -r 'select(.function == "cat").snapshot' log)" stored
	try 0 'a request' ./thaw invoke hello --socket -d '{"name":"Ada"}'
	try 7 'a snapshot in use is not removed' ./thaw snapshot rm "$key"
	has err 'in use'
	try 0 'in use' ./thaw snapshot list
	has out ' hello .* in use'
	kill %1
	wait
	try 0 'snapshot rm' ./thaw snapshot rm "$key"
	same 'nothing of it is left' "$(find state -name "$key*")" ''
	try 4 'snapshot rm again' ./thaw snapshot rm "$key"
	# one that is booted is written meanwhile
	serve
	same 'without one, a function is booted' \
		"$(jq -r 'select(.function == "hello").snapshot' log)" booted
	for _ in {1..100}; do
		[[ -f state/$key.ok ]] && break
		sleep 0.1
	done
	kill %1
	wait
	try 0 'and then it is there' ./thaw snapshot inspect "$key"
}

# Each function that was booted is in a file, or counted in the log.
check_end() {
	local -x THAW_CATALOG=many.json THAW_STATE_DIR=$work/many
	local files dropped

	jq -n --arg image "$build/guest/hello.elf" '{ functions: [ range(100) |
		{ name: "f\(.)", image: $image, entry: "hello", environment: { N: "\(.)" } } ] }' \
		>many.json
	serve 100
	kill %1
	wait
	files=$(find many -name '*.thaw' | wc -l)
	dropped=$(jq 'select(.msg == "snapshots not written").functions' log)
	printf '# %d written, %d not\n' "$files" "${dropped:-0}"
	same 'what was not written is counted' "$((files + dropped))" 100
	try 0 'snapshot create writes the rest' ./thaw snapshot create
	same 'as many as the log says' "$(grep -c ': written' out)" "${dropped:-0}"
	serve 100
	kill %1
	wait
	same 'then none is booted' \
		"$(jq -r 'select(.snapshot) | .snapshot' log | sort -u)" stored
	hasnt log 'not written'
}

# serve [COUNT]: starts a server, and waits until so many functions, or 3, are deployed.
serve() {
	rm -f log
	./thaw serve --listen unix:http.sock --log-format json 2>log &
	for _ in {1..100}; do
		[[ $(grep -c 'function deployed' log 2>noise) == "${1:-3}" ]] && return
		sleep 0.1
	done
	not_ok 'the server is not ready' log
}

check_damage() {
	local key

	key=$(./thaw snapshot key hello)
	try 0 'snapshot verify' ./thaw snapshot verify
	has out "^$key: good"
	printf x | dd of="state/$key.thaw" bs=1 seek=300000 conv=notrunc 2>noise
	try 3 'snapshot verify of one that is damaged' ./thaw snapshot verify
	has err 'corrupt .*written by thaw'
	try 0 'it was moved aside' ./thaw snapshot list
	has out '^'"${key:0:16}"' .* bad$'
	try 0 'the function is booted' ./thaw invoke hello -v -d '{"name":"Ada"}'
	hasnt err 'from the store'
	truncate -s 100000 "state/$key.thaw"
	try 0 'a truncated file' ./thaw invoke hello -v -d '{"name":"Ada"}'
	has err 'booted, not taken from the store: .*truncated'
	has out 'Hello, Ada!'
	try 0 'it has been written again' ./thaw invoke hello -v \
		-d '{"name":"Ada"}'
	has err 'from the store'
	try 0 'beside one that was moved aside' ./thaw snapshot inspect "$key"
	has out '^function *hello'
	try 0 'names' ./thaw snapshot list -o name
	same 'each key once' "$(sort out | uniq -d)" ''
	has out "^$key"
	try 3 'the one that was moved aside' ./thaw snapshot inspect "$key.bad"
	try 0 'snapshot rm of that' ./thaw snapshot rm "$key.bad"
	same 'the other one is vouched for' "$(ls "state/$key.ok")" "state/$key.ok"
	printf x | dd of="state/$key.thaw" bs=1 seek=300000 conv=notrunc 2>noise
	try 3 'damage again' ./thaw snapshot verify "$key"
	try 0 'a key that has only one moved aside' ./thaw snapshot rm "$key"
}

# foreign BYTE OFFSET BYTES: a snapshot with a key of such bytes, of thaw 9.8.7, patched.
foreign() {
	local file

	file=foreign/$(printf "$1%.0s" {1..32}).thaw
	cp "state/$key.thaw" "$file"
	bytes "$file" 16 '9.8.7\0'
	bytes "$file" $at_key "$(printf "\\\\x$1%.0s" {1..32})"
	patch "$file" "$2" "$3"
}

# foreign_is BYTE STATE REASON: what `list` says of that one.
foreign_is() {
	local one=".[] | select(.key | startswith(\"$1\"))"

	has table "^($1){8}  .*  $2\$"
	same "$2" "$(jq -r "$one.state" list)" "$2"
	same "$2 has a reason" "$(jq -r "$one.reason" list | grep -c "$3")" 1
}

# They are listed as what they are, and move on; none is in the way of this machine's.
check_other_machines() {
	local key other

	key=$(./thaw snapshot key hello)
	mkdir -m 0700 foreign
	foreign a1 $at_cpu '\xff\xff\xff\xff\xff\xff\xff\xff'
	foreign a2 $at_architecture '\xf3\0'
	foreign a3 $at_abi '\xff'
	foreign a4 $at_page_size '\0\x40'
	foreign a5 8 '\x63'
	cp "state/$key.thaw" foreign
	try 0 'list those of other machines' ./thaw snapshot list --state-dir foreign
	mv out table
	try 0 'list them, JSON' ./thaw snapshot list --state-dir foreign -o json
	mv out list
	foreign_is a1 'other cpu' 'CPU with features that this one lacks'
	foreign_is a2 'other architecture' 'another architecture'
	foreign_is a3 'other abi' 'another ABI'
	foreign_is a4 'other page size' 'pages of another size'
	foreign_is a5 'other format' 'another format; it was written by thaw 9.8.7'
	has table "^${key:0:16}  .*KiB  \$"
	same 'this one is of this machine' \
		"$(jq -r ".[] | select(.key == \"$key\") | .state, .reason" list)" $'\nnull'
	try 0 'verify one of another CPU' ./thaw snapshot verify a1 --state-dir foreign
	try 3 'verify one of another format' ./thaw snapshot verify a5 --state-dir foreign
	has err 'another format; it was written by thaw 9.8.7'
	try 0 'that is not moved aside' ./thaw snapshot list --state-dir foreign
	hasnt out ' bad$'
	try 0 'export one of another CPU' ./thaw snapshot export a1 -o other.oci \
		--state-dir foreign
	try 0 'import it' ./thaw snapshot import other.oci --state-dir imported
	other=$(printf 'a1%.0s' {1..32})
	is out "$other"$'\n'
	same 'one warning' "$(wc -l <err)" 1
	has err "will not use it, .*$other.*CPU with features that this one lacks.*written by thaw 9.8.7"
	try 0 'import one of this machine' ./thaw snapshot import hello.oci \
		--state-dir imported
	is err ''
	try 0 'and start from it' ./thaw invoke hello -v -d '{"name":"Ada"}' \
		--state-dir imported
	has err 'from the store'
	# one of a CPU that had less
	cp "imported/$key.thaw" whole
	same 'this one has more' "$(($(number whole $at_cpu) != 0))" 1
	patch "imported/$key.thaw" $at_cpu '\0\0\0\0\0\0\0\0'
	try 0 'one of a CPU with less' ./thaw invoke hello -v -d '{"name":"Ada"}' \
		--state-dir imported
	has err 'from the store'
	cp whole "imported/$key.thaw"
	# a header that does not fit the name
	patch "imported/$key.thaw" $at_cpu '\xff\xff\xff\xff\xff\xff\xff\xff'
	try 0 'one of another CPU in its place' ./thaw invoke hello -v \
		-d '{"name":"Ada"}' --state-dir imported
	has err 'booted, not taken from the store: .*CPU with features that this one lacks'
	try 0 'it is moved aside' ./thaw snapshot list --state-dir imported
	has out "^${key:0:16}  .* bad\$"
}

# run_handler stored|booted TEXT: whether it starts from the store, and says so.
run_handler() {
	try 0 "$2" ./thaw run --state-dir programs -v -d world \
		--file "$work/handler" -- /usr/bin/python3 "$work/handler/main.py"
	if [[ $1 == stored ]]; then
		has err 'deployed in .* from the store'
	else
		hasnt err 'deployed in .* from the store'
	fi
}

# A Python program with a module: what it reads on its way to its first read counts.
check_program() {
	local key

	if [[ ! -x /usr/bin/python3 ]]; then
		printf 'skip: programs from the store: no /usr/bin/python3\n'
		return
	fi
	mkdir handler
	printf 'HELLO = "hello"\n' >handler/words.py
	cat >handler/main.py <<'PYTHON'
import sys
import words
try:
    from extra import END
except ImportError:
    END = "."
print(words.HELLO, sys.stdin.read() + END)
PYTHON
	run_handler booted 'the first time, a program is booted'
	is out $'hello world.\n'
	run_handler stored 'the second time it is not'
	is out $'hello world.\n'
	printf 'HELLO = "good morning"\n' >handler/words.py
	run_handler booted 'a file that it has read has changed'
	has err 'not taken from the store: .*words.* is not what it was'
	is out $'good morning world.\n'
	run_handler stored 'then it is in the store again'
	is out $'good morning world.\n'
	printf 'END = "!"\n' >handler/extra.py
	run_handler booted 'a file is there that it has looked for'
	has err 'not taken from the store: '
	is out $'good morning world!\n'
	run_handler stored 'and again'
	rm handler/extra.py
	rm -rf handler/__pycache__
	run_handler booted 'it is gone'
	is out $'good morning world.\n'
	try 0 'snapshot list' ./thaw snapshot list --state-dir programs -o name
	same 'there is one file, whatever has changed' "$(wc -l <out)" 1
	key=$(<out)
	try 0 'snapshot inspect' ./thaw snapshot inspect "$key" --state-dir programs
	has out '^program *.*python3'
	try 0 'snapshot export' ./thaw snapshot export "$key" -o program.oci \
		--state-dir programs
	rm -r programs
	try 0 'snapshot import' ./thaw snapshot import program.oci \
		--state-dir programs
	run_handler stored 'a program starts from what was imported'
	is out $'good morning world.\n'
	check_large
}

# What is in /tmp is in the file, up to 16 MiB with all else.
check_large() {
	cat >handler/main.py <<'PYTHON'
import os
import sys
with open("/tmp/large", "wb") as f:
    f.write(b"x" * (15 << 20))
sys.stdin.read()
print(os.stat("/tmp/large").st_size)
PYTHON
	run_handler booted 'a program that writes to /tmp before it is frozen'
	run_handler stored 'and has the same from the store'
	is out $'15728640\n'
	sed -i 's/15 << 20/16 << 20/' handler/main.py
	run_handler booted 'one that writes too much'
	has err 'its snapshot is not in the store: .*takes more than 16 MiB'
	run_handler booted 'is booted the next time'
	is out $'16777216\n'
}

# A function with a base is a file of its own, over that of the base.
check_base() {
	cat >based.json <<END
{ "functions": [
  { "name": "base", "image": "$build/tests/guest/layers.elf", "entry": "tell" },
  { "name": "one", "base": "base", "entry": "tell",
    "init": { "entry": "learn", "text": "first" } },
  { "name": "two", "base": "base", "entry": "tell",
    "init": { "entry": "learn", "text": "second" } } ] }
END
	local -x THAW_CATALOG=based.json THAW_STATE_DIR=$work/based
	local key

	try 0 'validate one with a base' ./thaw catalog validate --boot based.json
	try 0 'create those with a base' ./thaw snapshot create
	is out $'base: written\none: written\ntwo: written\n'
	try 0 'describe one with a base' ./thaw functions describe one
	has out '^base +base$'
	has out '^init +learn$'
	try 0 'invoke one with a base' ./thaw invoke one -v
	is out '1 first 33816576'
	has err 'snapshot=stored|from the store'
	jq '.functions[0].environment.INIT = "slow" |
		.functions[1,2].init_timeout = "1s"' based.json >slow.json
	try 0 'a base has its own time to boot' ./thaw catalog validate --boot slow.json
	key=$(./thaw snapshot list | awk '$2 == "two" { print $1 }')
	try 0 'inspect one with a base' ./thaw snapshot inspect "$key"
	has out '^base +[0-9a-f]{64}$'
	try 0 'verify them' ./thaw snapshot verify
	try 0 'remove the base' ./thaw snapshot rm \
		"$(./thaw snapshot list | awk '$2 == "base" { print $1 }')"
	try 0 'it is made again, and what is over it' ./thaw invoke two
	is out '1 second 33816576'
	try 0 'and stored again' ./thaw snapshot create
	is out $'base: there already\none: written\ntwo: there already\n'
}

# Such a file is of use with that of its base.
check_base_moves() {
	local layer base

	cat >bases.json <<-END
		{ "functions": [
		{ "name": "hello", "image": "$build/guest/hello.elf", "init_timeout": "60s" },
		{ "name": "one", "base": "hello", "entry": "hello",
		  "init": { "entry": "hello", "text": "{\"name\":\"Ada\"}" } }
		] }
	END
	local -x THAW_CATALOG=bases.json THAW_STATE_DIR=$work/bases
	try 0 'create a layer, and its base' ./thaw snapshot create one
	is out $'one: written\n'
	try 0 'create all' ./thaw snapshot create
	is out $'hello: there already\none: there already\n'
	base=$(./thaw snapshot key hello)
	layer=$(./thaw snapshot key one)
	try 0 'the key of a layer' ./thaw snapshot key one -o json
	same 'is over that of its base' "$(jq -r .of.base out)" "$base"
	hasnt out Ada
	try 0 'inspect a layer' ./thaw snapshot inspect "$layer"
	has out '^function *one'
	try 0 'verify' ./thaw snapshot verify
	try 0 'invoke' ./thaw invoke one -v -d '{"name":"Bob"}'
	has err 'one: deployed in .* from the store'
	has out 'Hello, Bob!'
	try 0 'export a layer' ./thaw snapshot export "$layer" -o one.oci
	try 0 'export its base' ./thaw snapshot export "$base" -o base.oci
	THAW_STATE_DIR=$work/moved
	try 0 'import the layer alone' ./thaw snapshot import one.oci
	try 0 'it is of no use yet' ./thaw invoke one -v -d '{"name":"Bob"}'
	has err 'not taken from the store: its base has been booted again since'
	has out 'Hello, Bob!'
	rm -r "$THAW_STATE_DIR"
	try 0 'import the layer first' ./thaw snapshot import one.oci
	try 0 'and its base' ./thaw snapshot import base.oci
	try 0 'it is used' ./thaw invoke one -v -d '{"name":"Bob"}'
	has err 'one: deployed in .* from the store'
	try 0 'remove the base' ./thaw snapshot rm "$base"
	try 0 'it is made anew' ./thaw invoke one -v -d '{"name":"Bob"}'
	has err 'not taken from the store: its base has been booted again since'
	has out 'Hello, Bob!'
}

check_no_directory
check_program
check_base
export THAW_STATE_DIR=$work/state
check_create
check_use
check_look
check_transfer
check_other_machines
check_serve
check_end
check_damage
check_base_moves
finish
