#!/usr/bin/env bash
#
# repeat.sh BUILD-DIR - ten thousand invocations of each sample function reply
# the same each time, and the process does not grow. THAW_REPEATS for fewer.

set -uo pipefail

# shellcheck source=tests/cli/support/script.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/script.sh"
repeats=${THAW_REPEATS:-10000}
need_functions

sed "s#\.\./build/release/#$build/#" "$here/../../config/functions.json" \
	>functions.json

# is_steady NAME DATA
is_steady() {
	try 0 "$1, $repeats identical replies" "$build/thaw" invoke \
		-c functions.json "$1" -d "$2" --repeat "$repeats" -o reply
	has_not_grown
}

is_steady hello '{"name":"Ada"}'
is_steady echo 'What goes in comes out.'
is_steady spellcheck 'The quik brown fox jumps ovr the lazy dog.'
is_steady mandelbrot '{"width":32,"height":24,"iterations":64}'
is_steady wordfreq 'the cat and the dog and the bird'
is_steady calc 'f(x) = hypot(x, 4)'
is_steady redirect '{"uri": "/index.html"}'
finish
