#!/usr/bin/env bash
#
# server.sh BUILD-DIR - the command line's verbs that talk to a server, with
# one that is made up (stand_in_server.py); and completion. Needs no KVM.

set -uo pipefail

# shellcheck source=tests/cli/support/script.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/script.sh"
cp "$build/thaw" thaw

# Where this machine has it.
ipv6=()
grep -qs '^0*1 ' /proc/net/if_inet6 && ipv6=(--listen '[::1]:0')

start() {
	rm -rf run
	mkdir run
	start_stand_in --socket run/thaw.sock --listen unix:run/admin.sock \
		--listen 127.0.0.1:0 "${ipv6[@]}"
}

check_nobody_there() {
	local verb

	for verb in status metrics reload drain 'top --once' 'functions list --admin' \
		'functions describe hello --admin'; do
		# shellcheck disable=SC2086
		try 5 "$verb without a server" ./thaw $verb
		has err "cannot connect to $work/run/admin.sock: No such file"
		# shellcheck disable=SC2016
		has err 'is `thaw serve` running\? Name it with --admin$'
		is out ''
	done
	try 5 'invoke at a port where nobody is' \
		./thaw invoke echo --url 127.0.0.1:1
	has err '127.0.0.1:1: Connection refused: .* Name it with --url$'
	try 5 'invoke at no socket' ./thaw invoke echo --socket
	has err "cannot connect to $work/run/thaw.sock: No such file"
	try 5 'invoke at another socket' ./thaw invoke echo --socket none/sock
	has err 'cannot connect to none/sock: No such file'
	try 5 'the socket of the environment' \
		env THAW_SOCKET=other/sock ./thaw invoke echo
	has err 'cannot connect to other/sock'
	try 5 'the admin address of the environment' \
		env THAW_ADMIN=unix:some/sock ./thaw status
	has err 'cannot connect to some/sock'
}

check_usage() {
	try 2 'https' ./thaw invoke echo --url https://localhost
	has err 'does not speak https'
	try 2 'an address that is none' ./thaw status --admin localhost
	has err '"localhost" is no address: the port is missing'
	try 2 'url and catalog' ./thaw invoke a --url x:1 -c functions.json
	try 2 'url and socket' ./thaw invoke a --url x:1 --socket
	try 2 'async without url' ./thaw invoke a --async
	try 2 'async and repeat' \
		./thaw invoke a --url x:1 --async --repeat 2
	try 2 'a log that there is not' ./thaw invoke a --url x:1 --log all
	has err '"all" is none of none\|tail'
	try 2 'verify by a server' ./thaw invoke a --url x:1 --verify
	try 2 'a content type that is two lines' \
		./thaw invoke echo --url "127.0.0.1:$port" -t $'a\r\nb'
	try 2 'an interval too short' ./thaw top --interval 1ms
	try 2 'no such order' ./thaw top --sort color
	try 2 'a timeout without wait' ./thaw drain --timeout 1s
	try 2 'catalog and server' \
		./thaw functions list -c functions.json --admin
}

check_status() {
	try 0 'status' ./thaw status
	has out '^server +thaw 0.1.0, pid [0-9]+, serving for 1h 2m, since 20'
	has out '^catalog +/etc/thaw/functions.json, generation 1, sha256 abab'
	has out '^connections +1 open of 10000'
	has out '^NAME +STATE +VMS'
	has out '^hello +active +1/3/16 +2 +[0-9]+ +0 +75.0us +99.5us$'
	has out '^  broken: the image is missing$'
	try 0 'status as JSON' ./thaw status -o json
	is_json out
	has out '"offload_threads": 4'
	try 0 'status over TCP' ./thaw status --admin "127.0.0.1:$port"
	try 0 'functions list' ./thaw functions list --admin
	has out '^broken +failed '
	try 0 'functions list of an address' \
		./thaw functions list --admin run/admin.sock
	try 0 'names' ./thaw functions list --admin "localhost:$port" -o name
	is out $'hello\necho\nbroken\n'
	try 0 'functions list as JSON' ./thaw functions list --admin -o json
	is_json out
	try 0 'functions describe' ./thaw functions describe hello --admin
	has out '^description +An \?\[31mexample$'
	has out '^invocations +ok [0-9]+$'
	has out '^run time +p50 75.0us, p99 99.5us$'
	has out '^concurrency +max 16, warm 2, queue 64, queue_timeout 1s$'
	has out '^entry +\(the image.s\)$'
	has out '^critical +true$'
	has out '^label +team=none$'
	try 0 'functions describe as JSON' \
		./thaw functions describe hello --admin -o json
	is_json out
	try 4 'describe a function that is not there' \
		./thaw functions describe none --admin
	has err "admin.sock: no function none: see \`thaw functions list --admin"
	try 4 'describe a function misspelled' \
		./thaw functions describe helo --admin
	has err 'admin.sock: no function helo: did you mean hello\?$'
	try 4 'the same as JSON' ./thaw functions describe helo --admin -o json
	has err 'did you mean hello\?$'
	is out ''
	try 4 'describe what is no name' \
		./thaw functions describe ../status --admin
}

check_top() {
	try 0 'top without a terminal' ./thaw top --interval 200ms
	has out '^FUNCTION +RATE/s +P50 +P99 +QUEUE +BUSY/IDLE/MAX +ERR/s +STATE$'
	has out '^hello +[0-9.]+ +75.0us +99.5us +2 +1/3/16 +0.0 +active$'
	has out '^broken +0.0 +- +- +2 +1/3/16 +0.0 +failed$'
	try 0 'top, two tables, by errors' \
		./thaw top --interval 100ms -n 2 --sort errors
	if [[ $(grep -c ^FUNCTION out) == 2 && $(sed -n 2p out) == echo* ]]
	then
		ok 'two tables, by errors'
	else
		not_ok 'two tables, by errors' out
	fi
	count 'top' "$python" "$here/top_terminal.py" ./thaw
}

# check_errors OPTION...: those of a server there.
check_errors() {
	local code name pattern

	while read -r code name pattern; do
		try "$code" "invoke $name" ./thaw invoke "$name" "$@"
		has err "^thaw: ($name: )?$pattern"
		is out ''
	done <<'END'
1 fails Hello.InvalidRequest: byte 1: no \?\[2J JSON
134 faults Runtime.Fault: page fault
124 overruns Sandbox.Timedout: not done
125 throws thaw has
6 full all vms
5 drains the server is draining
2 large larger
4 none no function none
5 hangup .*
END
}

check_invoke() {
	local url=http://127.0.0.1:$port

	try 0 'invoke' ./thaw invoke echo --url "$url" -d ab
	is out 'ab'
	is err ''
	try 0 'invoke by a name' ./thaw invoke echo --url "localhost:$port"
	is out ''
	try 0 'invoke over a unix socket, below a prefix' \
		./thaw invoke echo --url unix:run/admin.sock -d x
	is out 'x'
	try 0 'a prefix' ./thaw invoke echo --url "$url/some/where/" -d x
	is out 'x'
	if ((${#ipv6[@]})); then
		try 0 'IPv6' \
			./thaw invoke echo --url "[::1]:$(cut -d ' ' -f 2 ports)" -d x
		is out 'x'
	fi
	try 0 'the url of the environment' \
		env THAW_URL="$url" ./thaw invoke echo -d x
	is out 'x'
	try 0 'metadata' ./thaw invoke echo --url "$url" -i -t text/plain -d ab
	has out '^thaw/[0-9.]+ ok$'
	has out '^Content-Type: text/plain$'
	has out '^X-Call-Id: 0123456789abcdef$'
	has out '^Server-Timing: queue;dur=0.010, run;dur=0.061$'
	has out '^ab$'
	check_errors --url "$url"
	try 2 'a client error of HTTP' ./thaw invoke cooks --url "$url"
	has err '^thaw: no coffee'
	is out ''
	try 5 'a server that hangs up' ./thaw invoke hangup --url "$url"
	has err 'closed the connection without an answer'
	head -c 20000000 /dev/zero >large
	try 2 'a refusal before the request is sent' \
		./thaw invoke flood --url "$url" -d @large
	has err 'larger than max_request'
	try 0 'repeat' ./thaw invoke echo --url "$url" -d ab --repeat 200
	is out 'ab'
	has err '^echo: 200 invocations, all replies the same$'
	has err '^round trip: min [0-9.]+ us, p50 .* us, p99 .* us, max'
	try 0 'repeat, with a connection for each' \
		./thaw invoke closes --url "$url" -d ab --repeat 20
	try 1 'repeat an error' ./thaw invoke fails --url "$url" --repeat 10
	has err 'stopped by invocation 1 of 10$'
	try 0 'the log' ./thaw invoke echo --url "$url" --log tail -d 1
	is out 1
	is err $'START RequestId: req-1\na ?[2J line\nEND\n'
	try 134 'the log of a fault' \
		./thaw invoke faults --url "$url" --log tail
	has err '^END$'
	has err '^thaw: faults: Runtime.Fault: page fault at 0x0$'
	try 0 'an event' ./thaw invoke echo --url "$url" --async -d 1
	is out $'req-1\n'
	try 4 'Lambda knows no such function' \
		./thaw invoke none --url "$url" --log tail
	has err 'Function not found'
}

check_socket() {
	try 0 'invoke over the socket' ./thaw invoke echo --socket -d ab
	is out 'ab'
	is err ''
	try 0 'a socket that is named' \
		./thaw invoke echo --socket run/thaw.sock -d ab
	is out 'ab'
	try 0 'a socket that is named as messages name it' \
		./thaw invoke echo --socket unix:run/thaw.sock -d ab
	is out 'ab'
	try 0 'the socket of the environment' \
		env THAW_SOCKET=unix:run/thaw.sock ./thaw invoke echo -d ab
	is out 'ab'
	try 0 'a socket before the name' ./thaw invoke --socket echo -d ab
	is out 'ab'
	try 0 'metadata' ./thaw invoke echo --socket -d ab -i -t text/x
	has out '^Content-Type: text/x$'
	has out '^Request-Id: req-2$'
	has out '^Run-Time: 0.061 ms$'
	check_errors --socket
	try 0 'repeat' ./thaw invoke echo --socket -d ab --repeat 200
	is out 'ab'
	has err '^round trip: min [0-9.]+ us, p50 .* us, p99 .* us, max'
	try 2 'no log over the socket' \
		./thaw invoke echo --socket --log tail
	has err 'need --url'
}

check_orders() {
	try 0 'reload' ./thaw reload
	has out '^generation 2: 2 added, 0 changed, 1 removed, 4 unchanged$'
	has out '^added: x y$'
	try 0 'reload as JSON' ./thaw reload -o json
	is_json out
	touch half
	try 3 'reload a catalog of which one does not boot' ./thaw reload
	has out '^added: x y$'
	has out '^pending: x$'
	has err '^thaw: y is not deployed: init failed: no .*table$'
	hasnt err $'\033'
	rm half
	touch bad
	try 3 'reload a catalog that is no good' ./thaw reload
	has err '^thaw: f.json:3: /functions/0/tmeout: no such key$'
	rm bad
	touch busy
	try 5 'reload while another one is under way' ./thaw reload
	has err '^thaw: .*admin.sock: reloads already$'
	rm busy
	try 0 'drain' ./thaw drain
	is out ''
	sleep 1
	stop_stand_in
	start
	try 124 'drain, not waiting long enough' \
		./thaw drain --wait --timeout 100ms
	has err 'the server, pid [0-9]+, has not ended in time'
	sleep 1
	stop_stand_in
	start
	try 0 'drain and wait' ./thaw drain --wait
	try 5 'the server has gone' ./thaw status
	stop_stand_in
	start
	try 0 'drain and wait, over TCP' \
		./thaw drain --wait --admin "127.0.0.1:$port"
	stop_stand_in
}

# complete_words WORD...: what bash offers for the last word, on one line. The
# words are as bash splits them: "=", ":" and "@" are words of their own.
complete_words() {
	cat >complete.bash <<'END'
. <(./thaw completion bash)
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_LINE=
for word; do
	case $word in
	[=:]*) ;;
	*) [[ $COMP_LINE == *[=:@] ]] || COMP_LINE+=' ' ;;
	esac
	COMP_LINE+=$word
done
COMP_LINE=${COMP_LINE# }
COMP_POINT=${#COMP_LINE}
# what bash replaces: "@" too, but not "=" and ":"
current=${COMP_LINE##*[ =:]}
_thaw ./thaw "$current" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd ' '
END
	bash complete.bash "$@"
}

# offers EXPECTED WORD...
offers() {
	local expected=$1

	shift
	complete_words "$@" >out 2>err
	if [[ $(<out) == "$expected" && ! -s err ]]; then
		ok "completion of '$*': $expected"
	else
		not_ok "completion of '$*' is not: $expected" out err
	fi
}

check_completion() {
	local shell

	printf '{"functions":[{"name":"alpha","image":"i.elf"},{"name":"beta","image":"i.elf"}]}' >f.json
	: >i.elf
	for shell in bash zsh fish; do
		try 0 "completion $shell" ./thaw completion "$shell"
		cp out "script.$shell"
		if command -v "$shell" >/dev/null; then
			try 0 "$shell can read it" "$shell" -n "script.$shell"
		else
			printf '# no %s here to read it\n' "$shell"
		fi
	done
	try 2 'completion of an unknown shell' ./thaw completion csh
	offers 'catalog completion' thaw c
	offers 'describe' thaw functions d
	offers 'describe list' thaw functions ''
	offers '--catalog --content-type' thaw invoke --c
	offers 'json table' thaw version -o ''
	offers 'name' thaw functions list --output = n
	offers 'bitmap' thaw invoke x --dirty b
	offers 'alpha beta' thaw invoke -c f.json ''
	offers 'alpha' thaw invoke --catalog = f.json a
	offers 'beta' thaw functions describe -c f.json b
	offers 'f.json' thaw invoke -c f.j
	offers 'f.json' thaw invoke --catalog = f.j
	offers '@f.json' thaw invoke -d @ f.j
	offers 'i.elf' thaw run i
	offers 'echo' thaw invoke e
	offers 'bash' thaw completion b
	offers '--admin --help --output' thaw status --
	offers 'drain' thaw help dr
	offers '' thaw doctor x
	offers 'bench' thaw b
	offers '--version' thaw --v
	offers '@f.json' thaw invoke x --data '=@' f.j
	offers 'f.json' thaw invoke --catalog f.json --socket ./ -o f.j
	offers './f.json' thaw invoke --socket ./f.j
	offers 'alpha beta' thaw invoke -c f.json --socket ''
	offers 'alpha beta' thaw invoke -cf.json ''
	offers 'alpha beta' thaw invoke -ic f.json ''
	offers '' thaw invoke -c f.json alpha ''
	offers '-cf.json' thaw invoke -cf.j
	offers 'run' thaw bench --plot r
	offers 'list' thaw help functions l
	offers 'auto bitmap ring tables' thaw invoke x --dirty ''
	check_complete
	check_fish
}

# completes EXPECTED WORD...: what scripts are told, on one line.
completes() {
	local expected=$1

	shift
	./thaw complete -- "$@" >out 2>err
	if [[ $(cut -f 1 out | paste -sd ' ') == "$expected" && ! -s err ]]; then
		ok "complete -- $*: $expected"
	else
		not_ok "complete -- $* is not: $expected" out err
	fi
}

check_complete() {
	completes ':words 0 list describe' functions ''
	completes ':words 9 table json' version --output=x
	completes ':words 2 table json' version -oj
	completes ':words 0 --output -o --help' version -
	completes ':words 0 --output --help' version --
	completes ':files 0' invoke x -o ''
	completes ':files 10' invoke x --catalog=f
	completes ':files 1' invoke x -d @f
	completes ':files 8' invoke x --data=@f
	completes ':directories 0' bench --plot ''
	completes ':words 0 alpha beta' invoke -c f.json --verbose ''
	completes ':words 0 alpha beta' invoke -c f.json -- ''
	completes ':files 0' run ''
	completes '' run a.elf ''
	completes ':files 0' run --memory 64MiB -- python3 ''
	completes ':files 0' run -- python3 -
	completes '' invoke x -d y
	completes '' nothing ''
	completes '' functions nothing ''
	completes '' invoke x --timeout ''
	try 0 'complete without words' ./thaw complete --
	has out '^serve	'
	hasnt out '^complete	'
	try 0 'complete has help' ./thaw complete --help
	try 2 'complete takes --' ./thaw complete functions
}

# fish_offers EXPECTED LINE: what fish offers for the end of a command line.
fish_offers() {
	# shellcheck disable=SC2016 # fish fills in its argument
	PATH=$PWD:$PATH fish --no-config -c \
		'source script.fish; complete -C $argv[1]' "$2" >out 2>err
	if [[ $(cut -f 1 out | sort | paste -sd ' ') == "$1" && ! -s err ]]; then
		ok "completion by fish of '$2': $1"
	else
		not_ok "completion by fish of '$2' is not: $1" out err
	fi
}

check_fish() {
	if ! command -v fish >/dev/null; then
		printf '# skipped: no fish here to complete\n'
		return
	fi
	fish_offers 'catalog completion' 'thaw c'
	fish_offers 'describe' 'thaw functions d'
	fish_offers '--catalog --content-type' 'thaw invoke --c'
	fish_offers '--output=json' 'thaw version --output=j'
	fish_offers 'alpha beta' 'thaw invoke -c f.json '
	fish_offers 'f.json' 'thaw invoke -c f.j'
	fish_offers '--catalog=f.json' 'thaw invoke --catalog=f.j'
	fish_offers '@f.json' 'thaw invoke -d @f.j'
	fish_offers 'run/' 'thaw bench --plot r'
	fish_offers '' 'thaw doctor x'
}

# Sockets that another user has put where everybody may put them.
check_owner() {
	local verb
	local -x THAW_RUNTIME_DIR=$work/shared/other

	stop_stand_in
	start
	mkdir -m 1777 shared
	mv run shared/other
	try 0 'status in a folder of ours' ./thaw status
	if ! chown 65534 shared/other 2>/dev/null; then
		printf '# skipped: sockets of another user: only root can make them\n'
		return
	fi
	for verb in status reload drain 'top --once' 'functions list --admin' \
		'invoke echo --url unix:shared/other/admin.sock' \
		'invoke echo --socket' 'bench echo --url unix:shared/other/admin.sock'
	do
		# shellcheck disable=SC2086
		try 5 "$verb in another user's folder" ./thaw $verb
		has err 'shared/other belongs to another user, .* THAW_RUNTIME_DIR'
		is out ''
	done
	# where only some can put it, as in /run, they are fine
	chmod 755 shared
	try 0 'status in a folder of a user of the system' ./thaw status
	# the folder is ours, and everybody's
	chown 0 shared/other
	chmod 1777 shared/other
	try 0 'status in a folder of everybody' ./thaw status
	chown 65534 shared/other/*.sock
	try 5 "status by another user's socket" ./thaw status
	has err 'shared/other/admin.sock belongs to another user'
	try 5 "invoke by another user's socket" ./thaw invoke echo --socket
	has err 'shared/other/thaw.sock belongs to another user'
}

mkdir run
: >out
: >err
check_nobody_there
start
check_usage
check_status
check_top
check_invoke
check_socket
check_completion
check_orders
check_owner
finish
