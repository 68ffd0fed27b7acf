#!/bin/sh
# make_text.sh - English text for tests and demonstrations: the licences that
# every Debian system has (package base-files), over and over, to a given size.
#
#	make_text.sh [bytes]	default: 1000000, about a long novel

set -eu
LC_ALL=C
export LC_ALL

bytes=${1:-1000000}
case $bytes in
*[!0-9]* | '')
	echo "usage: $0 [bytes]" >&2
	exit 2
	;;
esac

licences=/usr/share/common-licenses
text=$(mktemp)
trap 'rm -f "$text"' EXIT
find "$licences" -type f | sort | xargs cat >"$text"
if ! [ -s "$text" ]; then
	echo "$0: no text in $licences" >&2
	exit 1
fi

while [ "$bytes" -gt 0 ]; do
	head -c "$bytes" "$text"
	bytes=$((bytes - $(wc -c <"$text")))
done
