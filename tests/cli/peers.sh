#!/usr/bin/env bash
#
# peers.sh BUILD-DIR - bench/peers, as far as it needs neither the network nor time: its
# table, its options, the rows of processes, and a row that is skipped. How long anything
# took is not judged.

set -uo pipefail

# shellcheck source=tests/cli/support/script.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/script.sh"
peers=$(realpath "$here/../../bench/peers")

# Two rounds, in which the ratios to the row compared to are 2 and 4, and 10 and 20; a
# row with a note; and one without a CPU time.
cat >results.json <<'END'
{"machine": {"kernel": "6.1", "rounds": "2"},
 "rows": [
  {"name": "invoke.warm", "new": "a vm", "is_served": false,
   "rounds": [{"n": 9, "p50": 10, "p99": 20, "cpu": 11},
              {"n": 9, "p50": 20, "p99": 40, "cpu": 22}]},
  {"name": "crun", "new": "a container", "is_served": false,
   "rounds": [{"n": 9, "p50": 20, "p99": 90, "cpu": null},
              {"n": 9, "p50": 80, "p99": 90, "cpu": null}]},
  {"name": "http.thaw.1", "new": "a vm", "is_served": true,
   "rounds": [{"rate": 100, "p50": 1500, "p99": 9000, "cpu": 90, "rss": 5, "first": 3},
              {"rate": 200, "p50": 2500, "p99": 9000, "cpu": 90, "rss": 6, "first": 4}]},
  {"name": "http.nginx", "new": "nothing", "is_served": true,
   "rounds": [{"rate": 1000, "p50": 250, "p99": 900, "cpu": 4, "rss": 1, "first": 2},
              {"rate": 4000, "p50": 250, "p99": 900, "cpu": 4, "rss": 1, "first": 2}]}],
 "notes": {"crun": "no cgroups"}, "skipped": {"quickjs": "no engine"}}
END
try 0 'the table' "$peers/report.py" results.json
is out 'kernel       6.1
rounds       2

A REQUEST, US              P50        P99        CPU  TO INVOKE.WARM  NEW FOR EACH REQUEST
invoke.warm              15.00      30.00      16.50           1.000  a vm
crun                     50.00      90.00          -           3.000  a container

SERVED                 RATE     P50     P99      CPU    RSS     FIRST RATE TO  NEW FOR EACH REQUEST
50 connections          1/s      ms      ms       us    MiB reply, ms  THAW.1
http.thaw.1             150    2.00    9.00     90.0    5.5       3.5   1.000  a vm
http.nginx             2500    0.25    0.90      4.0    1.0       2.0  15.000  nothing

crun: no cgroups
quickjs is skipped: no engine
'
printf '{' >bad.json
try 1 'a report of no JSON' "$peers/report.py" bad.json

try 0 'what rows need' "$peers/peers.py" node process bubblewrap
is out $'bubblewrap\ncommand\nnode\nwasm\n'
try 1 'no such row' "$peers/peers.py" nod
has err 'there is no row "nod": floor.run, '
for option in '--frob' '--only' '--only nod' '--duration'; do
	# shellcheck disable=SC2086
	try 2 "run.sh $option" "$peers/run.sh" $option
done
try 2 'no build' "$peers/run.sh" --build "$work" --tools tools
has err "there is no thaw in $work: ./run.sh builds it"

"$build/thaw" doctor >why 2>&1 || {
	((failed == 0)) || finish
	skip 'the rows: this machine cannot run functions'
}
# A crun that can run no container here.
mkdir bin
printf '#!/bin/sh\necho "crun: no namespaces" >&2\nexit 1\n' >bin/crun
chmod +x bin/crun
mkdir tools
PATH=$work/bin:$PATH try 0 'rows of processes' "$peers/run.sh" --only process --only crun \
	--duration 0.5 --build "$build" --tools tools --json all.json
has out '^floor\.run +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9]+\.[0-9]+  nothing'
has out '^invoke\.warm +[0-9.]+ +[0-9.]+ +[0-9.]+ +1\.000  a vm'
has out '^process\.fork +[0-9.]+ +[0-9.]+ +- +[0-9.]+  a fork'
has out '^process\.spawn +[0-9.]+ +[0-9.]+ +- +[0-9.]+  a process'
has out '^crun is skipped: crun: no namespaces$'
check 'all rounds are in the file' '
import json
rows = json.load(open("all.json"))["rows"]
assert {row["name"] for row in rows} == {"floor.run", "invoke.warm", "process.fork",
    "process.spawn"}
assert all(len(row["rounds"]) == 4 for row in rows)
assert all(one["n"] > 0 and one["p50"] > 0 for row in rows for one in row["rounds"])
'
finish
