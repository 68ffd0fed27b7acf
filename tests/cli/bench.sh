#!/usr/bin/env bash
#
# bench.sh BUILD-DIR - `thaw bench`: its rows, its JSON, its exit codes. How
# long anything took is not judged.

set -uo pipefail

# shellcheck source=tests/cli/support/script.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/script.sh"
one_cpu=(taskset -c "$(python3 -c 'import os; print(min(os.sched_getaffinity(0)))')")
wrapper=()

# bench CODE TEXT ARGUMENT...: runs thaw bench in wrapper.
bench() {
	try "$1" "$2" "${wrapper[@]}" "$build/thaw" bench "${@:3}"
}

# What programs of check() find: r, the report in out; skipped, the rows that err
# says are.
preamble="
import json
r = json.load(open('out'))
rows = {row['name']: row for row in r.get('results', [])}
ratios = {ratio['name']: ratio for ratio in r.get('ratios', [])}
idle = {row['name']: row['cpu_us_per_s'] for row in r.get('idle', [])}
skipped = {line.split()[1] for line in open('err') if ' is skipped: ' in line}
polled = {'invoke.polled', 'invoke.polled.4', 'invoke.polled.coop'}
served = {'socket.echo', 'socket.rtt', 'http.echo', 'http.rtt',
    'http.echo.cpu', 'http.throughput'}
"

# nothing_left WHEN: neither a folder nor a process that has it among its arguments.
nothing_left() {
	local left

	for _ in {1..100}; do
		left=$(ls tmp; pgrep -f "$work/tmp/")
		[[ -z $left ]] && break
		sleep 0.02
	done
	same "nothing is left $1" "$left" ''
}

need_functions
bench 0 "all rows" --duration 2s -o json --save all.json
cp out report.json
# shellcheck disable=SC2016
check "every row and ratio is there, once" '
pages = [1, 8, 64, 256, 1024]
assert set(rows) == ({"floor.run", "invoke.warm", "invoke.reply", "start.pool",
    "invoke.typed", "json.args", "hostcall",
    "start.cold", "start.store", "start.layer", "start.shell", "start.process", "process.spawn", "process.fork",
    "floor.handover"} | polled | served |
    {f"{kind}.{n}" for n in pages for kind in ("restore", "floor.copy")}) - skipped
assert skipped <= polled | served | {"floor.handover"}
assert not served & skipped or served <= skipped
assert set(ratios) == {name for name in {"invoke.warm/floor.run",
    "invoke.reply/floor.run", "invoke.polled/invoke.warm",
    "invoke.typed/invoke.warm", "hostcall/floor.run",
    "invoke.polled.4/invoke.warm", "invoke.polled.coop/floor.handover",
    "start.pool/floor.run", "start.layer/start.pool", "start.shell/floor.run", "start.cold/floor.run", "start.store/floor.run", "start.store/start.pool",
    "start.process/(process.spawn+2*start.store)", "process.spawn/invoke.warm",
    "process.fork/invoke.warm"} if not set(name.split("/")) & skipped} | ({
    "socket.rtt/(socket.echo+floor.run)", "http.rtt/(http.echo+floor.run)",
    "http.throughput/(http.echo.cpu+floor.run)"} if not served & skipped
    else set()) | {
    f"restore.{n}/(floor.run+floor.copy.{n})" for n in pages}
assert set(idle) == polled - skipped
assert len(rows) == len(r["results"]) and len(ratios) == len(r["ratios"])'
check "figures are in order" '
for row in rows.values():
    assert row["unit"] == "us" and row["n"] > 0, row
    assert 0 < row["p50"] <= row["p90"] <= row["p99"] <= row["max"], row
    assert (row["p999"] is None) == (row["n"] < 10000), row
    assert row["p999"] is None or row["p99"] <= row["p999"] <= row["max"], row
    assert row["cpu"] > 0, row
assert all(us >= 0 for us in idle.values())
# to thousandths: 0 where a floor has waited for a CPU that others had
for ratio in ratios.values():
    assert ratio["p50"] >= 0 and ratio["p99"] >= 0 and ratio["p50_all"] >= 0, ratio'
check "the machine is described" '
host = r["host"]
assert host["kernel"] and host["online_cpus"] > 0 and host["restore"] == "copy"
assert host["kvm"]["device"] and host["kvm"]["API version"] == 12
assert "mitigations" in host and host["involuntary_switches"] >= 0'
same "nothing is said where there is no terminal" \
	"$(grep -v ' is skipped: ' err)" ''

bench 0 "one row" --only invoke.warm --duration 200ms -o json
check "its floor comes with it" '
assert set(rows) == {"invoke.warm", "floor.run"}
assert set(ratios) == {"invoke.warm/floor.run"}'
bench 0 "the beginning of a name, twice" --only floor.copy --only process.fork \
	--duration 200ms -o json
check "means all that begin so" '
assert len(rows) == 7 and "invoke.warm" in rows and not "floor.run" in rows'
bench 0 "polled rows" --only invoke.polled --duration 200ms -o json
check "come with what they are compared to" '
assert set(rows) == (polled | {"invoke.warm", "floor.handover"}) - skipped'
bench 0 "a program, as a function and as a process" --only linux.awk \
	--only process.awk --duration 200ms -o json --save programs.json
check "is compared, and its exits are counted" '
expected = {"linux.awk", "process.awk"} - skipped
assert set(rows) == expected | {"floor.run"}
assert set(ratios) == ({"linux.awk/floor.run", "process.awk/linux.awk"}
    if expected else set())
assert all(rows[name].get("exits", 0) >= (name == "linux.awk") for name in rows)
assert not "exits" in rows["floor.run"]'
exits=$(sed -n 's/.*"exits": \([0-9]*\).*/\1/p' out)
bench 0 "merged" --merge programs.json \
	--merge programs.json -o json
same "exits are saved" "$(sed -n 's/.*"exits": \([0-9]*\).*/\1/p' out)" "$exits"
bench 0 "programs that are not installed" --only bubblewrap --only linux.gawk \
	--duration 200ms -o json
check "are skipped" '
import os
assert ("linux.gawk" in rows) == os.path.exists("/usr/bin/gawk")
assert ("bubblewrap.python" in skipped) == (not os.path.exists("/usr/bin/bwrap"))'
wrapper=("${one_cpu[@]}")
bench 0 "polled rows on one CPU" --only invoke.polled --duration 100ms -o json
has err 'invoke.polled is skipped: .*second CPU'
has err 'floor.handover is skipped: .*second CPU'
check "are skipped, and their ratios left out" '
assert set(rows) == {"invoke.warm"} and not ratios and not idle'
bench 7 "a limit on what is skipped" --only invoke.polled --duration 100ms \
	--fail-if 'invoke.polled.p50>1000000us'
has err '"invoke.polled" is not measured'
bench 7 "nothing but what is skipped" --only floor.handover --duration 100ms
has err 'nothing is left'
wrapper=()
bench 0 "the other method" --only restore.64 --restore remap --duration 200ms \
	-o json
check "is said" 'assert r["host"]["restore"] == "remap"'

# Refuses most of the crowd, which is no error.
cat >refusing <<'END'
#!/bin/sh
sed -i 's/"warm":1/&,"queue":500/' "$3" && exec "$THAW" "$@"
END
chmod +x refusing
wrapper=(env THAW="$build/thaw" THAW_BENCH_SERVER=./refusing)
bench 0 "a crowd" --only http.crowd --duration 1s -o json
if (($(ulimit -Hn) < 10000)); then
	has err 'http.crowd is skipped: .*open files'
else
	check "has its floor, and no error though it is refused" '
assert set(rows) == {"http.crowd", "http.throughput"} and not skipped
assert set(ratios) == {"http.crowd/http.throughput"}
assert rows["http.crowd"]["n"] >= 6 and rows["http.crowd"]["p50"] > 0'
fi
wrapper=(prlimit --nofile=2000)
bench 0 "a crowd of which few are let in" --only http.crowd --duration 100ms -o json
has err 'http.crowd is skipped: .*10000 open files'
wrapper=()
bench 2 "a crowd that is not named" --only http.c

# end_by SIGNAL PATTERN ARGUMENT...: ends bench, once there is a file like tmp/PATTERN.
end_by() {
	local signal=$1 pattern=$2 bench

	# which a shell has its children in the background ignore
	env --default-signal=INT "$build/thaw" bench "${@:3}" --duration 60s \
		>out 2>err </dev/null &
	bench=$!
	for _ in {1..500}; do
		compgen -G "tmp/$pattern" >/dev/null && break
		sleep 0.02
	done
	sleep 0.3
	kill "-$signal" "$bench"
	wait "$bench" 2>/dev/null
	same "SIG$signal ends ${*:4}" $? $((128 + $(kill -l "$signal")))
	# nobody is left to remove it
	[[ $signal == KILL ]] && rm -rf tmp/*
	nothing_left "after SIG$signal"
}

export TMPDIR=$work/tmp
mkdir tmp
bench 0 "a restart" --only restart.1 --duration 100ms -o json
check "is ready" 'assert set(rows) == {"restart.1"} and rows["restart.1"]["p50"] > 0'
bench 0 "a restart of many" --only restart.100 --duration 100ms -o json
check "is ready" 'assert set(rows) == {"restart.100"} and not skipped'
bench 2 "a restart that is not named" --only restart.10
bench 0 "a new process" --only start.process --duration 100ms -o json
check "comes with what it is compared to" '
assert set(rows) >= {"start.process", "process.spawn", "start.store"}
assert rows["start.process"]["p50"] > 0 and rows["start.store"]["p50"] > 0'
nothing_left "of restarts and processes"
for signal in INT TERM HUP; do
	end_by $signal 'thaw-bench-*/http.sock' --only restart.1 --only floor.handover
	end_by $signal 'thaw-bench-*/state/*.thaw' --only start.process
	end_by $signal 'thaw-bench-*/*.thaw' --only start.store
done
TMPDIR=$(printf '%s/%080d' "$work/tmp" 0)
bench 125 "a folder whose name is too long" --only restart.1 --duration 100ms
has err 'TMPDIR is too long for sockets'
unset TMPDIR

# A server that is none, and one that is not thaw: how the rows are measured,
# not what.
export THAW_BENCH_SERVER=/bin/false
bench 7 "served rows without a server" --only http.echo --duration 100ms
has err 'http.echo is skipped: .*has ended'
bench 0 "what is skipped with others" --only socket.rtt --duration 100ms -o json
check "leaves the others" 'assert set(rows) == {"floor.run"} and not ratios'
export THAW_BENCH_SERVER=$support/stand_in_server.py TMPDIR=$work/tmp
bench 0 "served rows" --only socket --only http --duration 500ms -o json
check "are there, with the floor" '
assert set(rows) == served | {"floor.run"} and not skipped
assert set(ratios) == {"socket.rtt/(socket.echo+floor.run)",
    "http.rtt/(http.echo+floor.run)",
    "http.throughput/(http.echo.cpu+floor.run)"}
assert all(row["n"] > 0 and row["p50"] > 0 for row in rows.values())'
bench 0 "one served row" --only socket.rtt --duration 100ms -o json
check "comes with its echo and the floor" '
assert set(rows) == {"socket.rtt", "socket.echo", "floor.run"}'
nothing_left "after served rows"
for signal in INT TERM HUP KILL; do
	end_by $signal 'thaw-bench-*/http.sock' --only socket.echo
done
unset THAW_BENCH_SERVER TMPDIR

bench 0 "merging a run with itself" --merge all.json --merge all.json -o json
check "doubles the samples and keeps the percentiles" '
old = {x["name"]: x for x in json.load(open("report.json"))["results"]}
assert r["runs"] == 2
for name, row in rows.items():
    assert row["n"] == 2 * old[name]["n"], row
    assert row["max"] == old[name]["max"], row
    assert abs(row["p50"] / old[name]["p50"] - 1) < 0.01, row
    assert abs(row["cpu"] - old[name]["cpu"]) < 0.002, row
for x in json.load(open("report.json"))["idle"]:
    assert abs(idle.pop(x["name"]) - x["cpu_us_per_s"]) < 0.002, x
assert not idle'
bench 0 "a report is no slower than itself" --merge all.json \
	--baseline report.json --fail-if 'invoke.warm.p50>+0%' \
	--fail-if 'floor.run.max>+0%' --fail-if 'invoke.warm/floor.run.p50>+0%'
bench 0 "what was saved is a baseline too" --merge all.json --baseline all.json \
	--fail-if 'restore.64.p50>+1%'
python3 - <<'END'
import json
r = json.load(open('report.json'))
for row in r['results']:
    row['p50'] /= 2
json.dump(r, open('faster.json', 'w'))
END
bench 8 "slower than the baseline" --merge all.json --baseline faster.json \
	--fail-if 'invoke.warm.p50>+10%'
has err 'invoke.warm.p50>\+10%: p50 of invoke.warm is .* more than'
bench 0 "not that much slower" --merge all.json --baseline faster.json \
	--fail-if 'invoke.warm.p50>+150%'
bench 8 "slower than a number" --merge all.json --fail-if 'floor.run.p50>0.001us'
bench 8 "a ratio over its limit" --merge all.json \
	--fail-if 'invoke.warm/floor.run.p50>0.01'
bench 0 "numbers that hold" --merge all.json --fail-if 'floor.run.p50>1000000us' \
	--fail-if 'invoke.warm/floor.run.p99>1000'
bench 8 "a limit after measuring" --only floor.copy.1 --duration 100ms \
	--fail-if 'floor.copy.1.max>0.001'

# shellcheck disable=SC2016
rates_in_order='
modes = ["exit", "polled", "polled.coop", "auto"]
order = [100, 300, 1000, 3000, 10000, 30000, 100000]
assert r["host"]["kernel"]
for mode in modes:
    kept = [x["rate"] for x in r["rates"] if x["mode"] == mode]
    lost = [x["rate"] for x in r["saturated"] if x["mode"] == mode]
    if mode in skipped:
        assert not kept and not lost, mode
    else:
        assert kept + lost == order[:len(kept) + len(lost)], mode
        assert len(lost) == (len(kept) < len(order)), mode
for x in r["rates"]:
    assert x["mode"] in modes and x["n"] > 0 and x["cpu"] >= 0, x
    assert 0 < x["p50"] <= x["p99"], x'
bench 0 "rates" --rates --duration 1s -o json
check "each mode has rates, up to one that it cannot keep" "$rates_in_order"
bench 0 "rates as a table" --rates --duration 200ms
has out '^exit +100 '
wrapper=("${one_cpu[@]}")
bench 0 "rates on one CPU" --rates --duration 200ms -o json
check "are of one mode" "$rates_in_order
assert skipped == {'polled', 'polled.coop', 'auto'}"
wrapper=()
bench 2 "rates of rows" --rates --only invoke.warm
bench 2 "limits on rates" --rates --fail-if 'invoke.warm.p50>1us'

plot=()
command -v gnuplot >/dev/null && plot=(--plot fall)

waterfall_json() {
	bench 0 "a waterfall" --waterfall --duration 200ms -o json "${plot[@]}"
	((${#plot[@]})) && has fall/waterfall.svg '</svg>'
	check "has all steps" '
steps = r["steps"]
assert len(steps) == 9 and r["host"]["kernel"] and r["hot_pages"] > 0
assert r["floor"] > 0 and r["warm"] > 0
counts = [x["instructions"] for x in steps]
assert all(c is None for c in counts) or all(c > 0 for c in counts), counts
assert [x["step"] for x in steps if x["time"] is None] == ["call, checks, accounting"]'
	check "has the steps of a request, by each way" '
served = r["served"]
for way in "http", "socket":
	x = served[way]
	counts = [step["instructions"] for step in x["steps"]]
	assert len(counts) == 8
	if counts[0] is not None:
		assert all(c > 0 for c in counts), counts
		assert 0 < x["calls"] < 20 and 0 < x["code_pages"] < x["code_lines"]
	assert x["echo"] > 0 and x["whole"] > 0, x
assert served["floor"] > 0 and served["warm"] > 0'
}

waterfall_table() {
	bench 0 "a waterfall as a table" --waterfall --duration 200ms
	has out '^sum of the steps '
	has out '^INSTRUCTIONS OF A SERVED REQUEST '
	has out '^http.throughput, socket.rtt '
	same "it is not too wide for a terminal" \
		"$(sed '1,/^$/d' out | awk 'length > 80' | wc -l)" 0
}

# It takes long, so each build makes one of its forms.
if is_sanitized; then
	waterfall_table
else
	waterfall_json
fi
bench 2 "a waterfall of rows" --waterfall --only invoke.warm
bench 2 "a waterfall of a server" hello --waterfall --url unix:http

# shellcheck disable=SC2016
check_density='
steps = r["vms"]
fields = {"vms", "private_kib", "kernel_kib", "mappings", "descriptors"}
assert set(r) == {"host", "vms", "vms_per_gib", "idle_functions"} and r["host"]["kernel"]
for x in steps:
    assert set(x) == fields, x
    # the kernel memory of the machine may shrink meanwhile
    assert all(x[name] > 0 for name in fields - {"kernel_kib"}), x
    # KVM has one for the vm and one for the vcpu
    assert x["descriptors"] >= 2 and x["mappings"] >= 2, x
left_out = {int(line.split()[1]) for line in open("err")
    if " left out: the limit of open files, " in line}
assert sorted({x["vms"] for x in steps} | left_out) == [1, 10, 100, 1000]
assert len(steps) + len(left_out) == 4'
plot=()
command -v gnuplot >/dev/null && plot=(--plot density)
export TMPDIR=$work/tmp
if ! is_sanitized; then
	bench 0 "density" --density -o json "${plot[@]}"
	check "has all numbers of vms, and idle functions" "$check_density"'
assert left_out == ({1000} if '"$(ulimit -Hn)"' < 2100 else set())
assert r["vms_per_gib"] > 0
idle = r["idle_functions"]
assert set(idle) == {"functions", "private_kib", "mappings", "descriptors"}
assert idle["functions"] == 1000 and idle["private_kib"] > 0, idle
# tests/server/stored.py has the limit
assert idle["descriptors"] < 1 and idle["mappings"] < 1, idle'
	((${#plot[@]})) && has density/density.svg '</svg>'
fi
export THAW_BENCH_SERVER=/bin/false
wrapper=(prlimit --nofile=64)
bench 0 "density with few files" --density -o json
has err ' 100 vms are left out: the limit of open files, 64, allows no more vms than '
has err 'idle functions are left out: .thaw snapshot create. has ended'
check "leaves out many vms" "$check_density"'
assert left_out == {100, 1000} and r["idle_functions"] is None'
bench 0 "density as a table" --density
same "has a line for each" "$(awk '/warm vm/ { printf "%s ", $1 }' out)" '1 10 '
# unless other programs have freed more of the kernel's memory than ten vms take
grep -qE '^ *10 warm vms .* -[0-9]' out || has out '^[0-9]+ vms per GiB of .*, of 10$'
same "it is not too wide for a terminal" \
	"$(sed '1,/^$/d' out | awk 'length > 80' | wc -l)" 0
wrapper=(prlimit --nofile=10)
bench 7 "density without files" --density
has err 'Too many open files'
wrapper=()
unset THAW_BENCH_SERVER
nothing_left "of stored functions"
unset TMPDIR
bench 2 "density of rows" --density --only invoke.warm
bench 2 "density for a time" --density --duration 1s
bench 2 "density and a waterfall" --density --waterfall
bench 2 "density, merged" --density --merge all.json
bench 2 "density of a server" hello --density --url unix:http

# What the hostile functions' replies are like, of most of them; a bus lock is a
# fault on some machines.
bench 0 "neighbours" --neighbours --duration 1s -o json
check "have figures beside each kind of hostile function" '
statuses = {"spin": [504], "sleep": [200], "naps": [200], "heavy": [200],
    "heavy-once": [200], "logs": [200], "fault": [500], "spoil": [500],
    "buslock": [500, 504], "reply": [200], "init": [None]}
kinds = {x["kind"]: x for x in r["neighbours"]}
assert list(kinds) == list(statuses) and r["host"]["kernel"]
for name, x in kinds.items():
    assert 0 < x["idle_p50"] <= x["idle_p99"], x
    assert 0 < x["p50"] <= x["p99"] <= x["max"] and x["n"] > 0, x
    assert abs(x["bound"] - 3 * x["idle_p99"] - 500) < 0.01, x
    assert x["holds"] == (x["p99"] <= x["bound"] and not x["failed"]), x
    assert abs(x["ratio"] - x["p99"] / x["idle_p99"]) < 0.001, x
    assert x["status"] in statuses[name], x
    assert (x["attacks"] > 0) == (name != "init"), x'
bench 0 "two neighbours as a table" --neighbours --only init --only fault \
	--duration 200ms
same "are in their order" "$(awk '/^HOSTILE/ { on = 1; next } on { print $1 }' out |
	tr '\n' ' ')" 'fault init '
bench 2 "no such neighbour" --neighbours --only noise
has err 'there are spin, '
bench 2 "neighbours and rates" --neighbours --rates
bench 2 "neighbours of a server" hello --neighbours --url unix:http
export THAW_BENCH_SERVER=/bin/false
bench 7 "neighbours without a server" --neighbours --only spin --duration 100ms
has err 'spin is skipped: .*has ended'
export THAW_BENCH_SERVER=$support/stand_in_server.py TMPDIR=$work/tmp
env --default-signal=INT "$build/thaw" bench --neighbours --only spin \
	--duration 4s >out 2>err </dev/null &
# until there are threads that attack
for _ in {1..500}; do
	(($(find "/proc/$!/task" -mindepth 1 -maxdepth 1 | wc -l) > 1)) && break
	sleep 0.02
done
kill -INT $!
wait $! 2>/dev/null
same "SIGINT ends it in an attack, too" $? 130
nothing_left "after that"
unset THAW_BENCH_SERVER TMPDIR

if command -v gnuplot >/dev/null; then
	bench 0 "plotting rates" --rates --duration 1s --plot rates -o json
	check "makes a picture if there are any" '
import os
assert bool(r["rates"]) == os.path.exists("rates/rate.svg")
assert not r["rates"] or "</svg>" in open("rates/rate.svg").read()'
	bench 0 "plots" --merge all.json --plot "it's here"
	for picture in latency restore; do
		has "it's here/$picture.svg" '</svg>'
	done
else
	echo "# no gnuplot: plots are not tried"
fi
wrapper=(env PATH=/nowhere)
bench 7 "plots without gnuplot" --merge all.json --plot plots
has err 'gnuplot-nox'
wrapper=()

bench 2 "no such row" --only nothing
has err 'there are floor.run,'
bench 2 "part of a word" --only invo
bench 2 "no such method" --restore magic
bench 2 "no time" --duration 0s
bench 2 "no such field" --fail-if 'invoke.warm.p51>1'
bench 2 "no number" --fail-if 'invoke.warm.p50>fast'
bench 2 "more than a number" --fail-if 'invoke.warm.p50>1.2.3us'
bench 2 "a limit on what is not measured" --only floor.copy.1 \
	--fail-if 'invoke.warm.p50>1us'
bench 2 "a unit on a ratio" --fail-if 'invoke.warm/floor.run.p50>2us'
bench 2 "a ratio's field" --fail-if 'invoke.warm/floor.run.max>2'
bench 2 "relative to nothing" --fail-if 'invoke.warm.p50>+1%'
bench 2 "merging and measuring" --merge all.json --only restore
bench 2 "merging what has no histograms" --merge report.json
echo '{}' >empty.json
bench 2 "a baseline that is none" --baseline empty.json
bench 4 "a baseline that is not there" --baseline missing.json
bench 4 "nowhere to save" --only floor.copy.1 --save missing/file
bench 2 "a function of no server" restore
finish
