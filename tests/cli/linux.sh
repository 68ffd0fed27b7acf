#!/usr/bin/env bash
#
# linux.sh BUILD-DIR - Linux programs on the command line: what they see, their output and
# exit status, what --strace prints, and what thaw says of programs that are no good.

# $PATH stands in messages.
# shellcheck disable=SC2016

set -uo pipefail

# shellcheck source=tests/cli/support/script.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/script.sh"
need_functions
export PATH=$build:$build/tests/guest:/usr/bin:/bin
guests=$build/tests/guest
python=/usr/bin/python3
# 128 and SIGILL, or SIGTRAP, which is what compilers have for a trap
trap=132
[[ $(uname -m) == x86_64 ]] || trap=133

# run CODE TEXT INPUT ARGUMENT...: as try, but the program gets INPUT.
run() {
	local code=$1 text=$2 input=$3 got

	shift 3
	printf '%s' "$input" | timeout --foreground 120 thaw run "$@" >out 2>err
	got=$?
	same "$text" "$got" "$code"
	((got == code)) || sed 's/^/# err: /' err
}

check_run() {
	run 0 'a program in $PATH' 'hi there' -- linux_trace
	is out 'hi therethirty-two bytes are shown, and what follows is cut off
'
	is err 'log line
'
	run 3 'its exit status' 'exit' -- "$guests/linux_trace"
	has out '^exitthirty'
	is err 'log line
'
	ln -s "$guests/linux_trace" trace_link
	run 134 'a signal' 'signal' -- ./trace_link
	has out '^signalthirty'
	run 139 'a fault' 'fault' -- linux_trace
	has out '^faultthirty'
	has err '^thaw: linux_trace: Runtime.Fault: page fault .* writing address 0x1 '
	run "$trap" 'an illegal instruction' 'illegal' -- linux_trace
	has out '^illegalthirty'
	run 139 'a fault before it reads' '' -- linux_trace fault
	is out 'before'
	has err '^thaw: function linux_trace: the program failed before it asked for a request: page fault '
	run 0 'no input' '' -- linux_trace
	run 0 'the request of -d' 'not this' -d this -- linux_trace
	has out '^thisthirty'
	run 0 'repeated' 'x' --repeat 5 -- linux_trace
	has err '^linux_trace: 5 invocations, all replies the same$'
	run 3 'it ends before it reads' '' -- linux_trace early
	is err ''
	has_busybox && run 0 'it does not read' '' -- busybox uname
	has_busybox && is out 'Linux
'
	has_busybox && run 0 'into a file' '' -o file -- busybox uname
	has_busybox && is out '' && is file 'Linux
'
	run 0 'before the snapshot' 'x' -- linux_trace else
	has err '^starts$'
}

check_words() {
	run 2 'two operands' '' linux_trace else
	has err '^thaw: run: unexpected argument "else": -- stands before PROGRAM'
	run 2 'an image and a program' '' a.elf -- linux_trace
	has err '^thaw: run: give IMAGE or, behind --, PROGRAM'
	run 2 'no program' '' --
	has err '^thaw: run: no PROGRAM \[ARGUMENT\]\.\.\. behind --$'
	run 2 'an empty program' '' -- ''
	run 2 '--entry' '' --entry x -- linux_trace
	has err '^thaw: run: --entry is for an image'
	run 2 '--strace of an image' '' --strace "$build/guest/hello.elf"
	has err '^thaw: run: --file, --root, --strace, .* are for a program'
	run 2 '--devices of an image' '' --devices gunyah "$build/guest/hello.elf"
	has err '^thaw: run: .*--devices and --interrupt are for a program'
	run 0 'options of the program' 'x' -- linux_trace --strace -- -d
	hasnt err 'snapshot'
}

has_busybox() {
	command -v busybox >/dev/null || echo 'skip: no busybox'
	command -v busybox >/dev/null
}

check_files() {
	has_busybox || return
	mkdir -p folder/inner
	echo 'of the file' >folder/file
	echo 'of the other' >folder/inner/other
	ln -s folder/file link
	run 0 'a relative file' 'in' -- busybox cat - folder/file
	is out 'inof the file
'
	run 0 'a link' 'in' -- busybox cat - link
	has out 'of the file'
	run 1 'a folder is not seen' 'in' -- busybox cat - "$PWD/folder/inner/other" folder/../hidden
	run 0 'a name is not seen' 'in' -- busybox awk \
		"{ print (getline line <\"$PWD/folder/inner/other\") }"
	is out '-1
'
	run 0 '--file of a folder' 'in' --file folder -- busybox awk \
		"{ getline line <\"$PWD/folder/inner/other\"; print line }"
	is out 'of the other
'
	run 125 '--file of nothing' '' --file nothing -- busybox cat
	is err 'thaw: --file: nothing: No such file or directory
'
	local -a files=()
	local i
	for ((i = 0; i < 256; i++)); do
		files+=(--file folder/file)
	done
	run 0 '256 files' 'in' "${files[@]}" -- busybox cat
	run 2 'one more' 'in' "${files[@]}" --file link -- busybox cat
	has err '^thaw: --file: more than 256 of them$'
}

check_devices() {
	local -a many=()
	local i

	run 0 '--interrupt' 'ppoll -1' --devices gunyah --interrupt 40@5ms -- \
		linux_gunyah_fixed blocked
	is out 'good
'
	run 125 'without --devices' '' --interrupt 40 -- linux_gunyah_fixed
	has err '^thaw: --interrupt: .*: write "devices": "gunyah"$'
	run 125 'no such line' '' --devices gunyah --interrupt 1020 -- linux_gunyah_fixed
	has err '^thaw: --interrupt: "1020" is out of range'
	run 125 'no such devices' '' --devices windows -- linux_gunyah_fixed
	has err '^thaw: --devices: "windows" is not a set of devices'
	for ((i = 0; i < 32; i++)); do
		many+=(--interrupt 40)
	done
	run 0 '32 interrupts' 'ppoll -1' --devices gunyah "${many[@]}" -- \
		linux_gunyah_fixed blocked
	run 2 'one more' '' "${many[@]}" --interrupt 41 -- linux_gunyah_fixed
	has err '^thaw: --interrupt: more than 32 of them$'
}

check_root() {
	mkdir -p top/usr/bin top/data
	cp "$guests/linux_trace" top/usr/bin/
	run 3 '--root, searched' 'exit' --root top -- linux_trace else
	has out '^exitthirty'
	run 3 '--root, by path' 'exit' --root top -- /usr/bin/linux_trace
	run 127 'nothing there' '' --root top -- busybox
	is err "thaw: run: there is no program busybox in $PWD/top, in its /usr/local/bin, /usr/bin and /bin
"
	# for the host, it leads to nothing
	mkdir -p links/opt
	cp "$guests/linux_trace" links/opt/
	ln -s /opt links/bin
	run 3 '--root, searched behind an absolute link' 'exit' --root links -- \
		linux_trace else
	ln -s /bin links/usr
	ln -s /usr/bin/env links/opt/env
	run 127 'a link that leads to nothing there' '' --root links -- env
	run 125 'no such root' '' --root nothing -- busybox
	is err 'thaw: --root: nothing: No such file or directory
'
}

check_environment() {
	has_busybox || return
	FOREIGN=1 run 0 'the environment' 'x' --env NAME=value --env LANG=fr -- \
		busybox awk 'END { for (n in ENVIRON) print n "=" ENVIRON[n] }'
	sort -o out out
	is out 'HOME=/
LANG=fr
NAME=value
PATH=/usr/local/bin:/usr/bin:/bin
'
}

# What is printed from the snapshot on does not depend on the C library.
check_strace() {
	run 3 'strace' 'exit' --strace -- linux_trace else
	has err '^write\(2, "starts\\n", 7\) +  *= 7$'
	sed -n '/^--- snapshot/,$p' err >trace
	is trace '--- snapshot: each request begins here ---
read(0, "exit", 64)                      = 4
openat(AT_FDCWD, "/nothing\n\33[2J", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)
write(1, "exit", 4)                      = 4
write(1, "thirty-two bytes are shown, and "..., 56) = 56
log line
write(2, "log line\n", 9)                = 9
write(1, 0x1, 4)                         = -1 EFAULT (Bad address)
close(-1)                                = -1 EBADF (Bad file descriptor)
exit_group(3)                            = ?
+++ exited with 3 +++
'
	run 134 'strace of a signal' 'signal' --strace -- linux_trace
	has err '^kill\(1, SIGABRT\) +  *= 0$'
	has err '^--- SIGABRT \{si_signo=SIGABRT, si_code=SI_USER.*\} ---$'
	has err '^\+\+\+ killed by SIGABRT \+\+\+$'
	run 139 'strace of a fault' 'fault' --strace -- linux_trace
	has err '^--- SIGSEGV \{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x1\} ---$'
	has err '^\+\+\+ killed by SIGSEGV \+\+\+$'
	has err '^thaw: linux_trace: Runtime.Fault: '
	run 3 'strace of a program that ends early' '' --strace -- linux_trace early
	has err '^\+\+\+ exited with 3 \+\+\+$'
	hasnt err 'snapshot:'
	printf '{"functions":[{"name":"t","kind":"linux","program":"%s"}]}' \
		"$guests/linux_trace" >catalog.json
	try 1 'strace of a function' thaw invoke --strace -c catalog.json t -d exit
	has err '^\+\+\+ exited with 3 \+\+\+$'
	has err '^thaw: t: Runtime.ExitError: the program exited with status 3: log line$'
	try 2 'strace of a server' thaw invoke --strace --url http://127.0.0.1:1 t
	has err '^thaw: .*--strace'
}

# says CODE TEXT MESSAGE ARGUMENT...: `thaw run` says just this.
says() {
	local code=$1 text=$2 message=$3

	shift 3
	run "$code" "$text" '' "$@"
	grep -v '^thaw:' err >others
	grep '^thaw:' err >said
	is said "thaw: $message
"
}

check_messages() {
	local machine=x86_64

	[[ $(uname -m) == x86_64 ]] || machine=arm64
	printf 'text' >plain
	cp "$guests/linux_trace" other
	printf '\xf3' | dd of=other bs=1 seek=18 conv=notrunc status=none
	head -c 300 "$guests/linux_trace" >short
	# e_phnum, of what is 56 bytes each behind a header of 64
	headers_end=$((64 + 56 * $(od -An -tu2 -j56 -N2 short)))
	cp "$guests/linux_trace" denied
	chmod +x plain short
	chmod -x denied
	says 127 'no program' 'run: there is no program nothing in $PATH' -- nothing
	says 127 'no such file' 'run: cannot run ./nothing: No such file or directory' \
		-- ./nothing
	says 126 'not executable' 'run: cannot run ./denied: Permission denied' -- ./denied
	says 126 'a directory' 'run: cannot run ./: Is a directory' -- ./
	says 125 'another machine' "function other: $PWD/other: for RISC-V (ELF machine 243); this thaw runs $machine images" -- ./other
	says 125 'truncated' "function short: $PWD/short: truncated: the table of program headers ends at byte $headers_end of a file of 300" -- ./short
	says 125 'no interpreter' "function linux_program_interpreter: $guests/linux_program_interpreter: its interpreter /etc/passwd does not exist for it: install it, or list it in files" -- linux_program_interpreter
	run 127 'no library' '' -- linux_library
	is err "linux_library: error while loading shared libraries: liblinux_missing.so: cannot open shared object file: No such file or directory
"
	run 0 'the library is a --file' 'x' --file "$guests/liblinux_missing.so" -- linux_library
	says 125 'never reads' 'function linux_trace: the program has not asked for a request within its init_timeout of 300 ms: raise it, or have the program ask when it is ready' --init-timeout 300ms -- linux_trace spin
	run 125 'too little memory' '' --memory 17MiB -- "$python" -c 'input()'
	has err "^thaw: function python3: $(realpath "$python"): does not fit into the function's memory: it wants 0x[0-9a-f]+ to 0x[0-9a-f]+, and 17408 KiB are all; raise memory, or build it position-independent$"
}

check_catalog() {
	cat >bad.json <<-END
		{"functions":[
		{"name":"a","kind":"linux","program":"nothing"},
		{"name":"b","kind":"linux","program":"denied"},
		{"name":"c","kind":"linux","program":"."},
		{"name":"d","kind":"linux","program":"other"},
		{"name":"e","kind":"linux","program":"$guests/linux_program_interpreter"}]}
	END
	try 3 'catalog validate' thaw catalog validate bad.json
	is err "thaw: bad.json:2: /functions/0/program: No such file or directory: nothing
thaw: bad.json:3: /functions/1/program: $PWD/denied: cannot be executed: Permission denied: run chmod +x on it, or name the interpreter of a script
thaw: bad.json:4: /functions/2/program: not a regular file: .
thaw: bad.json:5: /functions/3/program: $PWD/other: for RISC-V (ELF machine 243); this thaw runs x86_64 images
thaw: bad.json:6: /functions/4/program: $guests/linux_program_interpreter: its interpreter /etc/passwd does not exist for it: install it, or list it in files
"
	cat >early.json <<-END
		{"functions":[{"name":"p","kind":"linux",
		 "program":"$guests/linux_trace","argv":["p","early"]},
		{"name":"l","kind":"linux","program":"$guests/linux_library"},
		{"name":"b","kind":"linux","program":"/bin/busybox",
		 "argv":["busybox","true"]}]}
	END
	try 0 'without --boot' thaw catalog validate early.json
	try 3 'with --boot' thaw catalog validate --boot early.json
	has err '^thaw: early.json:1: /functions/0: function p: the program exited with status 3 before it asked for a request$'
	has err '^thaw: early.json:3: /functions/1: function l: the program exited with status 127 before it asked for a request: .*: error while loading shared libraries: liblinux_missing.so: cannot open shared object file: No such file or directory$'
	! has_busybox || has err '^thaw: early.json:4: /functions/2: function b: the program exited with status 0 before it asked for a request: a function must read its standard input$'
	try 3 'invoke' thaw invoke -c early.json p
	is err 'thaw: function p: the program exited with status 3 before it asked for a request
'
	try 0 'describe' thaw functions describe -c early.json p
	has out '^program +.*/linux_trace$'
	has out '^argv +early$'
}

check_serve() {
	local i

	for i in '"' 'a | b' '$(ls)' '' 'x=' '=x'; do
		try 2 "--program $i" thaw serve --program "$i"
		has err '^thaw: --program: ".*": '
	done
	try 127 'no program' thaw serve --program nothing
	is err 'thaw: --program: there is no program nothing in $PATH
'
	try 2 'two of a name' thaw serve --program linux_trace --program linux_trace
	has err '^thaw: --program:1: /functions/1/name: "linux_trace" is already'
	try 2 'with a catalog' thaw serve -c x --program linux_trace
	has err '^thaw: serve: give a catalog or --program, not both$'
	local -a many=()
	for ((i = 0; i < 64; i++)); do
		many+=(--program linux_trace)
	done
	try 2 '64 programs' thaw serve "${many[@]}" --io none
	has err '^thaw: --io:'
	try 2 'one more' thaw serve "${many[@]}" --program x
	has err '^thaw: --program: at most 64 programs$'

	try 2 'a setting without --program' thaw serve --env A=1
	has err '^thaw: serve: --memory, --env and the like are for --program; '
	try 2 'an environment that is none' thaw serve --program linux_trace --env A
	has err '^thaw: --env: "A" is not NAME=VALUE$'
	try 2 'a memory that is none' thaw serve --program linux_trace --memory 1
	has err '^thaw: --memory: '
	try 2 'a variable that is none' thaw serve --program linux_trace --env 1=1
	has err '^thaw: --env 1: '
	try 125 'no such file' thaw serve --program linux_trace --file nothing
	is err 'thaw: --file: nothing: No such file or directory
'
	try 125 'no such root' thaw serve --program linux_trace --root nothing
	is err 'thaw: --root: nothing: No such file or directory
'
	try 127 'nothing in the root' thaw serve --program busybox --root top
	has err '^thaw: --program: there is no program busybox in '

	echo text >'some file.txt'
	serve_programs --program "linux_trace 'some file.txt'" --program "two=linux_trace"
	try 0 'a program' curl -s "http://127.0.0.1:$port/function/somefile" -d one
	has out '^onethirty'
	try 0 'a named one' curl -s "http://127.0.0.1:$port/function/two" -d 2
	has out '^2thirty'
	try 0 'reload' thaw reload
	has out ' 2 unchanged$'
	try 0 'after it' curl -s "http://127.0.0.1:$port/function/two" -d 3
	has out '^3thirty'
	end_server
}

# serve_programs ARGUMENT...: runs a server until end_server; sets port.
serve_programs() {
	local i

	# that of the server before says nothing of this one
	rm -f log
	thaw serve "$@" --listen 127.0.0.1:0 2>log &
	for ((i = 0; i < 600; i++)); do
		! grep -qs 'boots ended' log || break
		sleep 0.1
	done
	port=$(sed -n 's/.*kind=http address=127.0.0.1:\([0-9]*\).*/\1/p' log)
}

end_server() {
	try 0 'drain' thaw drain --wait
	wait
	hasnt log ' error '
}

# What the options say holds for each program.
check_serve_settings() {
	serve_programs --root top --program "one=linux_trace else" \
		--program "two=/usr/bin/linux_trace" --memory 24MiB --timeout 5s \
		--max-request 8KiB
	try 0 'in a root' curl -s "http://127.0.0.1:$port/function/one" -d 1
	has out '^1thirty'
	try 0 'by path' curl -s "http://127.0.0.1:$port/function/two" -d 2
	has out '^2thirty'
	head -c 8193 /dev/zero >large
	try 0 'too large' curl -s "http://127.0.0.1:$port/function/two" --data-binary @large
	hasnt out thirty
	for i in one two; do
		try 0 'describe' thaw functions describe "$i" --admin
		has out '^memory +24MiB$'
		has out '^timeout +5s$'
	done
	end_server
	has_busybox || return
	echo 'of the file' >folder/file
	serve_programs --program 'env=busybox awk "END { print ENVIRON[\"A\"] }"' \
		--program "file=busybox awk '{ getline line <\"$PWD/folder/file\"; print line }'" \
		--env A=first --env A=last --file folder
	try 0 '--env' curl -s "http://127.0.0.1:$port/function/env" -d x
	is out 'last
'
	try 0 '--file' curl -s "http://127.0.0.1:$port/function/file" -d x
	is out 'of the file
'
	end_server
}

check_run
check_words
check_files
check_devices
check_root
check_environment
check_strace
check_messages
check_catalog
check_serve
check_serve_settings
finish
