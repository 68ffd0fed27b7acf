#!/usr/bin/env bash
#
# load.sh BUILD-DIR - `thaw bench NAME`: load on a server, which a stand-in is.
# How long anything took is not judged.

set -uo pipefail

# shellcheck source=tests/cli/support/script.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/script.sh"
start_stand_in --socket frames --listen 127.0.0.1:0 --listen unix:http
url=http://127.0.0.1:$port

# bench CODE TEXT ARGUMENT...
bench() {
	try "$1" "$2" "$build/thaw" bench "${@:3}"
}

# What programs of check() find: r, the report in out, which makes sense.
preamble="
import json
r = json.load(open('out'))
rows = {row['name']: row for row in r['results']}
assert r['requests'] == r['ok'] + r['errors'] + r['lost'], r
assert sum(r['statuses'].values()) == r['ok'] + r['errors'], r
assert r['host']['kernel'] and r['ratios'] == [], r
if r['ok']:
    row = rows['load']
    assert row['n'] == r['ok'] and row['unit'] == 'us', row
    assert 0 < row['p50'] <= row['p90'] <= row['p99'] <= row['max'], row
else:
    assert not rows
"

for where in "--url $url" "--url unix:http" "--socket frames"; do
	# shellcheck disable=SC2086
	bench 0 "a closed loop, $where" echo $where -c 3 --duration 200ms -d hi -o json
	check "counts its replies" '
assert r["ok"] > 3 and not r["errors"] and not r["lost"], r
assert r["connections"] == 3 and r["threads"] == 1 and r["rate"] > 0, r
assert r["target_rate"] is None and r["arrivals"] is None, r
assert list(r["statuses"]) in (["200"], ["ok"]), r
assert r["protocol"] == ("http" if "200" in r["statuses"] else "socket"), r'
	# shellcheck disable=SC2086
	bench 0 "an open loop, $where" echo $where -c 2 --rate 200 \
		--duration 500ms -o json
	check "keeps its rate" '
assert r["ok"] == 100 and r["unsent"] == 0 and r["target_rate"] == 200, r
assert r["arrivals"] == "uniform" and r["late"] <= 100, r'
done

bench 0 "Poisson arrivals, two threads, and a warm-up" echo --url "$url" -c 4 \
	--threads 2 --rate 1000 --arrivals poisson --warmup 100ms \
	--duration 500ms -o json
check "are about as many" '
assert 300 < r["ok"] + r["lost"] + r["unsent"] < 700, r
assert r["arrivals"] == "poisson" and r["threads"] == 2, r'
bench 0 "more threads than connections" echo --url "$url" --threads 8 \
	--duration 50ms -o json
check "are as many as connections" 'assert r["threads"] == 1'
head -c 3000000 /dev/urandom >large
bench 0 "large requests and replies" echo --url "$url" -c 3 --duration 300ms \
	-d @large -t application/octet-stream -o json
check "are all there" 'assert r["ok"] and not r["errors"] and not r["lost"], r'
bench 0 "the same in frames" echo --socket frames -c 3 --duration 300ms \
	-d @large -o json
check "are all there" 'assert r["ok"] and not r["errors"] and not r["lost"], r'
bench 0 "many connections" echo --socket frames -c 1000 --duration 500ms -o json
check "are open" 'assert r["connections"] == 1000 and r["ok"] >= 1000, r'

bench 0 "one connection to what takes 50 ms, at 40 per second" slow --url "$url" \
	--rate 40 --duration 500ms -o json
check "makes requests late, and the wait counts" '
assert r["ok"] == 20 and r["late"] >= 10, r
assert rows["load"]["max"] > 19 * 25000, r'
bench 0 "the same with eight" slow --url "$url" -c 8 --rate 40 --duration 500ms \
	-o json
check "is on time" 'assert r["ok"] == 20 and r["rate"] > 20, r'
bench 0 "a stall in a closed loop" stall --url unix:http --duration 600ms -o json
check "is one slow request" '
assert rows["load"]["max"] > 290000 > 10 * rows["load"]["p50"], r'

bench 0 "half of the replies are errors" mixed --url "$url" --duration 100ms -o json
check "which do not count as samples" '
assert r["ok"] and r["errors"] and abs(r["ok"] - r["errors"]) <= 1, r
assert r["statuses"] == {"200": r["ok"], "429": r["errors"]}, r'
bench 4 "no such function" missing --url "$url" --duration 50ms -o json
check "has only errors" 'assert r["errors"] and not r["lost"], r'
has err 'no request went well: .*404'
bench 4 "nor in frames" missing --socket frames --duration 50ms -o json
has err 'not found'
check "by name" 'assert list(r["statuses"]) == ["not found"], r'
bench 6 "throttled" full --socket frames --duration 50ms
has err 'throttled'
bench 5 "connections that end" hangup --url "$url" --duration 200ms -o json
check "lose their requests" 'assert r["lost"] > 1 and r["reconnections"], r'
bench 5 "nonsense" garbage --socket frames --duration 100ms -o json
check "is no reply" 'assert r["lost"] > 1, r'
bench 0 "one request per connection" closes --url "$url" --duration 200ms -o json
check "opens new ones" 'assert r["ok"] > 1 and r["reconnections"], r'
bench 5 "a server that says nothing" silent --url unix:http --rate 20 \
	--duration 200ms -o json
check "loses one request, and others are never sent" '
assert r["lost"] == 1 and r["unsent"] == 3, r'
has err 'the rate was not kept: 3 requests'

"$build/thaw" bench slow --url "$url" --duration 60s -o json >out 2>err </dev/null &
bench=$!
sleep 0.5
# a shell has its children in the background ignore SIGINT, but thaw asks for it
kill -INT "$bench"
if wait "$bench"; then
	check "SIGINT ends it early, with what there is" \
		'assert 0 < r["ok"] < 1000 and r["duration_s"] < 50, r'
else
	not_ok "SIGINT: exit $?" out err
fi

bench 0 "a table" mixed --url "$url" --rate 100 --duration 200ms
has out '^requests +20 in .* 10 ok, 10 errors, 0 lost; [0-9]+ late, 0 not sent$'
has out '^load +10 '
has out '^rate .* replies per second$'
bench 0 "saving" echo --url "$url" --duration 50ms --save 1.json -o json
cp out 1.report
bench 0 "again, against a baseline" echo --url "$url" --duration 50ms \
	--save 2.json --baseline 1.report --fail-if 'load.p50>+1000000%' \
	--fail-if 'load.p99>60000000us'
has out 'P50 AGAINST BASELINE'
bench 8 "a limit that is not kept" echo --url "$url" --duration 50ms \
	--fail-if 'load.p50>0.001us'
bench 0 "merging" --merge 1.json --merge 2.json -o json
preamble='import json' check "is of both" '
a, b, all = (json.load(open(f)) for f in ("1.json", "2.json", "out"))
assert all["results"][0]["n"] == a["ok"] + b["ok"] and all["runs"] == 2'
if command -v gnuplot >/dev/null; then
	bench 0 "a plot" echo --url "$url" --duration 200ms --plot pictures
	has pictures/load.svg '</svg>'
else
	echo "# no gnuplot: plots are not tried"
fi

bench 2 "no URL" echo --url localhost
bench 2 "a path behind it" echo --url "$url/path"
bench 2 "no server" echo
bench 2 "two servers" echo --url "$url" --socket frames
bench 2 "no function" --url "$url"
bench 2 "no function can be called that" 'a/b' --url unix:http
bench 2 "no content type" echo --url unix:http -t $'a\nb'
bench 2 "no connections" echo --url "$url" -c 0
bench 2 "too many" echo --url "$url" -c 10001
bench 2 "arrivals at no rate" echo --url "$url" --arrivals poisson
bench 2 "no such arrivals" echo --url "$url" --rate 1 --arrivals never
bench 2 "rows of a server" echo --url "$url" --only invoke.warm
bench 2 "a limit on what is not measured" echo --url unix:http \
	--fail-if 'floor.run.p50>1us'
bench 4 "data that is not there" echo --url unix:http -d @missing

stop_stand_in
bench 5 "a server that is gone" echo --url "$url"
has err 'cannot connect to http://127.0.0.1:[0-9]+: Connection refused'
bench 5 "a socket that is gone" echo --socket nothing
has err 'cannot connect to nothing: No such file'
bench 5 "no such host" echo --url http://host.invalid:80
finish
