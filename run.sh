#!/usr/bin/env bash
#
# run.sh [samples] - from a fresh checkout on Debian 12 or 13 to functions that
# answer.
#
# Installs the Debian packages that are missing, builds thaw into
# build/release/thaw, and serves the sample functions until it is interrupted;
# with "samples" it invokes each of them once instead, without a server. Later
# runs find all of that done, use no network and come to the functions at once.

set -euo pipefail

# shellcheck source=scripts/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/scripts/setup.sh"

# A text of the size of a book, the same each time.
book() {
	awk '{ word[NR] = $0 }
	END {
		seed = 1
		for (i = 1; i <= 100000; i++) {
			seed = (seed * 16807) % 2147483647
			printf "%s%s", word[int(NR * (seed / 2147483647) ^ 3) + 1],
				i % 12 ? " " : ".\n"
		}
	}' /usr/share/dict/words
}

# invoke NAME REQUEST-FILE REPLY-FILE [OPTION...]: runs one function, prints the
# times: of its boot and init, once, and of the invocation.
invoke() {
	local log=$3.log

	"$top/build/release/thaw" invoke -v "$1" -d "@$2" -o "$3" "${@:4}" \
		2>"$log" || {
		cat "$log" >&2
		return 1
	}
	sed -n 's/.*deployed in \(.*\)/  deployed \1/p
		s/Run-Time: \(.*\)/  run time \1/p' "$log"
}

# excerpt FILE: prints its first line if it is text, else what it is.
excerpt() {
	local size

	size=$(stat -c %s "$1")
	if grep -qI . "$1"; then
		printf '%s' "$(head -n 1 "$1" | cut -c 1-72)"
		((size <= 73)) || printf ' ... (%d bytes)' "$size"
	else
		printf '%d bytes of data' "$size"
	fi
	printf '\n'
}

# sample NAME [OPTION...]: invokes a function with build/samples/NAME.request, and shows
# request, reply and time.
sample() {
	local name=$1 work=$top/build/samples

	printf '%s\n  request  ' "$name"
	excerpt "$work/$name.request"
	invoke "$name" "$work/$name.request" "$work/$name.reply" "${@:2}"
	printf '  reply    '
	excerpt "$work/$name.reply"
}

# Each sample function with real data.
samples() {
	local work=$top/build/samples function

	mkdir -p "$work"
	printf '{"name":"Ada"}' >"$work/hello.request"
	printf 'What goes in comes out.' >"$work/echo.request"
	printf 'The quik brown fox jumps ovr the lazy dog.\n' \
		>"$work/spellcheck.request"
	printf '{"width":640,"height":480}' >"$work/mandelbrot.request"
	book >"$work/wordfreq.request"
	printf 'hypot(3, 4) ^ 2\n' >"$work/calc.request"
	printf '{"function":"roman","args":[2026]}' >"$work/math.request"
	printf '{"uri": "/index.html"}' >"$work/redirect.request"
	: >"$work/notes.request"
	for function in hello echo spellcheck mandelbrot wordfreq calc math redirect; do
		sample "$function"
	done
	sample notes --method GET --path /1
	cp "$work/mandelbrot.reply" "$top/build/mandelbrot.png"
	printf 'the picture is build/mandelbrot.png\n'
	linux_samples
}

# The same for programs of Debian, and some of ours.
linux_samples() {
	local work=$top/build/samples function

	head -n 1000 "$work/wordfreq.request" >"$work/awk.request"
	printf '3 4\n' >"$work/bash.request"
	printf 'name,n\na,1\na,2\n' >"$work/gawk.request"
	printf '{"customer":"Ada","items":[{"price":2.5,"count":4}]}' \
		>"$work/jq.request"
	printf 'SELECT max(moons) AS moons, name FROM planets;' \
		>"$work/sqlite3.request"
	printf '{"function":"titles","args":["a tale OF two cities"]}' \
		>"$work/perl.request"
	printf '{"function":"reverse","args":["stressed"]}' >"$work/lua.request"
	printf '{"function":"count_words","args":["to be or not to be"]}' \
		>"$work/python.request"
	printf 'apple 0.5 12\n' >"$work/stock.request"
	printf '100000\n' >"$work/primes.request"
	for function in awk bash gawk jq sqlite3 perl lua python stock primes; do
		sample "$function" -c "$top/build/release/linux.json"
	done
}

# The sample functions, over HTTP and a unix socket.
serve() {
	say 'thaw serves the functions of config/functions.json; Ctrl-C ends it.'
	say 'Try in another terminal, in this folder (README.md has more):'
	say "  curl http://127.0.0.1:8080/function/hello -d '{\"name\":\"Ada\"}'"
	cd "$top"
	exec build/release/thaw serve --watch
}

if (($# > 1)) || [[ ${1-samples} != samples ]]; then
	say 'usage: ./run.sh          builds thaw, and serves the sample functions'
	say '       ./run.sh samples  builds thaw, and invokes each of them once'
	exit 2
fi
setup_require_kvm
packages_install "${run_packages[@]}"
(($# == 0)) || packages_install "${linux_packages[@]}"
"$top/third_party/picolibc.sh" "$(setup_architecture)"
"$top/third_party/llhttp.sh"
"$top/third_party/quickjs.sh" || say 'building without the sample javascript'
setup_build release >&2
if (($#)); then
	samples
else
	serve
fi
