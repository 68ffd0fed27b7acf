#!/usr/bin/env bash
#
# project.sh BUILD-DIR - `thaw init` makes a project that builds against the installed
# SDK, and whose tests pass, and fail once the function is broken. A function that
# faults has a backtrace with source lines, from `thaw invoke`, and from `thaw
# symbolize` for a server's log. What is no name, and what is there, is refused.

set -uo pipefail

# shellcheck source=tests/cli/support/script.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/script.sh"

thaw=$work/prefix/bin/thaw
PATH=$work/prefix/bin:$PATH
cmake --install "$build" --prefix prefix >installed 2>&1 ||
	not_ok 'it is installed' installed

check_names() {
	local name long

	long=$(printf 'n%.0s' {1..64})
	for name in '' . .. .hidden -- a/b ../a 'a b' é "${long}n"; do
		try 2 "the name '$name'" "$thaw" init -- "$name"
		has err '^thaw: init: ".*" is not a name: write up to 64 letters'
		is out ''
	done
	for name in all clean help install package test; do
		try 2 "CMake's name $name" "$thaw" init "$name"
		has err "^thaw: init: CMake keeps the name \"$name\" for itself"
	done
	try 2 'no name' "$thaw" init
	try 2 'two names' "$thaw" init a b
	for name in "$long" 1.2-3_x; do
		try 0 "the name $name" "$thaw" init "$name"
		try 3 "only its image is missing: $name" \
			"$thaw" catalog validate "$name/catalog.json"
		has err "/functions/0/image: No such file or directory: "
	done
	touch file
	ln -s nowhere dangling
	for name in file dangling "$long"; do
		try 2 "$name is there" "$thaw" init "$name"
		has err "^thaw: init: cannot make the directory $name: File exists: "
	done
	same 'what was there is as it was' "$(stat -c %s file)" 0
	# a directory that cannot be filled is not left behind
	# shellcheck disable=SC2016
	try 125 'a file that cannot be written' \
		bash -c 'trap "" XFSZ
			(ulimit -f 0 && "$@") 2>&1 | cat
			exit "${PIPESTATUS[0]}"' - "$thaw" init unwritten
	has out '^thaw: init: cannot write unwritten/CMakeLists.txt: '
	same 'it is taken back' "$(ls -d unwritten 2>/dev/null)" ''
}

# Each file has the name where the marks were.
check_files() {
	try 0 'a project' "$thaw" init greeter
	has out '^  cd greeter$'
	is err ''
	same 'its files' "$(cd greeter && echo *)" \
		'CMakeLists.txt README.md catalog.json greeter.c'
	if grep -rn '@' greeter >marks; then
		not_ok 'no mark is left' marks
	fi
	same 'its name' "$(grep -c greeter greeter/CMakeLists.txt)" 4
	has greeter/catalog.json '"name": "greeter", "image": "build/greeter.elf"'
}

# The commands that it has printed, in another shell.
run_printed() {
	sed -n 's/^  //p' printed | grep -v ' serve ' >commands
	bash -e commands >ran 2>&1
}

break_it() {
	sed -i "$1" greeter/greeter.c
	cmake --build greeter/build >built 2>&1 || not_ok 'it is built again' built
}

# A backtrace of greet(), which calls first(), with lines of the file.
check_backtrace() {
	has "$1" '#0 first\+0x[0-9a-f]+ \((greeter/)?greeter\.c:3\)'
	has "$1" '#1 (thaw_[a-z]+_)?greet\+0x[0-9a-f]+ \((greeter/)?greeter\.c:[0-9]+\)'
}

without_places() {
	sed -E 's/(#[0-9]+ [^ ]+) \([^)]*\)/\1/g' "$1"
}

check_server() {
	local image=greeter/build/greeter.elf server

	rm -f log
	"$thaw" serve -c greeter/catalog.json --listen unix:http --socket frames \
		--admin unix:admin --log-format "$1" >log 2>&1 &
	server=$!
	for _ in {1..500}; do
		grep -qs 'boots ended' log && break
		sleep 0.02
	done
	try 134 "it faults in a server, log format $1" \
		"$thaw" invoke greeter --url unix:http --path /greet -d '["Ada"]'
	kill "$server"
	wait "$server"
	has log '#0 first\+0x[0-9a-f]+ \(0x[0-9a-f]+\)'
	hasnt log 'greeter\.c'
	"$thaw" symbolize "$image" <log >symbolized || not_ok 'symbolize' symbolized
	check_backtrace symbolized
	same 'and nothing but the places is changed' "$(without_places symbolized)" \
		"$(without_places log)"
	"$thaw" symbolize "$build/guest/echo.elf" <log >symbolized
	same 'nothing is changed for another image' "$(cmp log symbolized)" ''
}

check_symbolize() {
	local image=greeter/build/greeter.elf line

	for line in '' '#' '#0' '#0 first' '#0 first+0x1 (' '#0 first+0x1 (0x1' \
		'#0 first+0x1 (0x1)' '#x first+0x1 (0x1)' '#0 first+ (0x100000)' \
		'#0 + (0x100000)' '#99999999999999999999 a+0x1 (0x100000)' \
		'#0 ? (0) #1 ? (0x100000) #2 ?' '#0 first+0x1 (0xffffffffffffffffffff)' "$(printf '#%.0s' {1..5000})"; do
		printf '%s\n' "$line" >in
		bash -c '"$1" symbolize "$2" <in >out' - "$thaw" "$image"
		if cmp -s in out; then
			ok "it stays: ${line::40}"
		else
			not_ok "it stays: $line" out
		fi
	done
	printf 'a\0b\nc' >in
	bash -c '"$1" symbolize "$2" <in >out' - "$thaw" "$image"
	same 'bytes that are no text stay' "$(cmp in out)" ''
	strip -g -o stripped.elf "$image"
	try 3 'no debug information' "$thaw" symbolize stripped.elf
	has err 'stripped.elf has no debug information: build it with -g'
	try 3 'no image' "$thaw" symbolize greeter/greeter.c
	try 4 'no file' "$thaw" symbolize missing
	try 2 'no operand' "$thaw" symbolize
}

# The images of the manual's examples; the second is typed, and has a dispatch function.
check_manual() {
	local i

	awk '/^\.Sh EXAMPLES/ { examples = 1 }
	/^\.Ed/ { file = "" }
	file { gsub(/\\e/, "\\"); print >file }
	/^\.Bd/ && examples { file = "example" ++count ".c" }' \
		"$here/../../docs/man/thaw-sdk.7"
	same 'three examples' "$(echo example*.c)" \
		'example1.c example2.c example3.c'
	mkdir examples
	{
		printf '#include <thaw.h>\nTHAW_HANDLER(lists)\n{\n'
		cat example3.c
		printf 'return 0;\n}\n'
	} >examples/example3.c
	cp example[12].c examples
	{
		printf 'cmake_minimum_required(VERSION 3.25)\nproject(examples C)\n'
		printf 'find_package(thaw-sdk REQUIRED)\n'
		for i in 1 2 3; do
			printf 'thaw_add_function(NAME example%d SOURCES example%d.c)\n' $i $i
		done
	} >examples/CMakeLists.txt
	{
		cmake -S examples -B examples/build && cmake --build examples/build
	} >built 2>&1 || not_ok 'the examples are built' built
	try 0 'example 1' "$thaw" run examples/build/example1.elf --env GREETING=Hi -d Ada
	is out 'Hi, Ada!'
	try 0 'example 2' "$thaw" run examples/build/example2.elf \
		-d '{"function":"count","args":[1,2,3]}'
	is out '{"result":3}'
	try 0 'example 3' "$thaw" run examples/build/example3.elf --header 'A: b'
	has err 'info: a: b$'
}

check_names
check_files
need_functions
if ! command -v cmake >/dev/null; then
	skip 'cmake: it is not here'
fi
rm -rf greeter
try 0 'a project' "$thaw" init greeter
cp out printed
run_printed || not_ok 'the commands that it prints' ran
has ran '100% tests passed, 0 tests failed out of 4'

break_it 's/return a + b;/return a - b;/'
try 8 'its tests find a mistake' ctest --test-dir greeter/build
has out '^	 *1 - adds \(Failed\)'

# it faults in line 3
break_it '1a\
static const char *volatile nowhere;\
__attribute__((noinline)) static int first(void) { return *nowhere; }
s/if (!\*name)/if (!first())/'
try 134 'it faults' "$thaw" invoke greeter -c greeter/catalog.json --path /greet \
	-d '["Ada"]'
check_backtrace err
has err '^thaw: greeter: Runtime.Fault: page fault .* in first\+0x[0-9a-f]+ \(handler greet\)$'
sed 's/"image"/"untrusted": true, "image"/' greeter/catalog.json >greeter/untrusted.json
try 134 'it is not trusted' "$thaw" invoke greeter -c greeter/untrusted.json \
	--path /greet -d '["Ada"]'
has err '#0 first\+0x[0-9a-f]+ \(0x[0-9a-f]+\)'
hasnt err 'greeter\.c'
check_server text
check_server json
check_symbolize
check_manual
finish
