#!/usr/bin/env bash
#
# repeat.sh BUILD-DIR - ten thousand invocations of each sample function reply
# the same each time, and the process does not grow. THAW_REPEATS for fewer.

set -euo pipefail

build=$1
repeats=${THAW_REPEATS:-10000}
growth_max_kib=1024
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! "$build/thaw" doctor >"$work/doctor" 2>&1; then
	cat "$work/doctor"
	echo "skipped: this machine cannot run functions"
	exit 77
fi

sed "s#\.\./build/release/#$build/#" config/functions.json >"$work/functions.json"

failed=0
check() {
	local name=$1 data=$2 before after

	if ! "$build/thaw" invoke -c "$work/functions.json" "$name" -d "$data" \
		--repeat "$repeats" -o "$work/reply" 2>"$work/summary"; then
		echo "not ok - $name"
		cat "$work/summary"
		failed=1
		return
	fi
	before=$(sed -n 's/.*resident memory: \([0-9]*\) KiB.*/\1/p' "$work/summary")
	after=$(sed -n 's/.*-> \([0-9]*\) KiB.*/\1/p' "$work/summary")
	if [[ -z $before || -z $after ]] || ((after > before + growth_max_kib)); then
		echo "not ok - $name: resident memory from ${before:-?} to ${after:-?} KiB"
		failed=1
		return
	fi
	echo "ok - $name: $repeats identical replies, $before -> $after KiB"
}

check hello '{"name":"Ada"}'
check echo 'What goes in comes out.'
check spellcheck 'The quik brown fox jumps ovr the lazy dog.'
check mandelbrot '{"width":32,"height":24,"iterations":64}'
check wordfreq 'the cat and the dog and the bird'
exit "$failed"
