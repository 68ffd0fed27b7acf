#!/usr/bin/env bash
#
# sdk_project.sh BUILD-DIR - a project of its own builds a function against the
# installed SDK, in three lines, as fixed executable and as static PIE; thaw
# runs both.

set -euo pipefail

build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! "$build/thaw" doctor >"$work/doctor" 2>&1; then
	cat "$work/doctor"
	echo "skipped: this machine cannot run functions"
	exit 77
fi

cmake --install "$build" --prefix "$work/prefix" >/dev/null
mkdir "$work/project"
cat >"$work/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(greet C)
find_package(thaw-sdk REQUIRED)
thaw_add_function(NAME greet SOURCES greet.c)
thaw_add_function(NAME greet_pie SOURCES greet.c PIE)
END
cat >"$work/project/greet.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw.h>

static char *prepared;

THAW_INIT(prepare)
{
	prepared = malloc(16);
	strcpy(prepared, "Hello");
	return 0;
}

THAW_HANDLER(greet)
{
	printf("%s %.1f\n", prepared, 0.5);
	thaw_reply_printf("%s, %.*s", prepared, (int)request->size,
			  (const char *)request->data);
	return 0;
}
END
cmake -S "$work/project" -B "$work/project/build" \
	-DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/project/build" >/dev/null

for image in greet greet_pie; do
	reply=$("$work/prefix/bin/thaw" run \
		"$work/project/build/$image.elf" -d world 2>"$work/log")
	if [[ $reply != "Hello, world" ]]; then
		echo "not ok - $image replied: $reply"
		cat "$work/log"
		exit 1
	fi
	if ! grep -q "Hello 0.5" "$work/log"; then
		echo "not ok - $image did not log its line"
		exit 1
	fi
	echo "ok - $image"
done
