#!/usr/bin/env bash
#
# sdk_project.sh BUILD-DIR - a project of its own builds a function against the
# installed SDK, in three lines, as fixed executable and as static PIE, by each
# linker that is there; thaw runs all of them. What no function can have does not
# link, and the linker names it. Another project is in C++ alone, for each compiler
# that is there, and not optimised; a third one is a Hyperlight guest.

set -uo pipefail

# shellcheck source=tests/cli/support/script.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/script.sh"
need_functions

mkdir project
cat >project/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(greet C)
find_package(thaw-sdk REQUIRED)
thaw_add_function(NAME greet SOURCES greet.c)
thaw_add_function(NAME greet_pie SOURCES greet.c PIE)
foreach(linker ${LINKERS})
	thaw_add_function(NAME greet_${linker} SOURCES greet.c)
	target_link_options(greet_${linker} PRIVATE -fuse-ld=${linker})
endforeach()
if(lld IN_LIST LINKERS)
	thaw_add_function(NAME greet_pie_lld SOURCES greet.c PIE)
	target_link_options(greet_pie_lld PRIVATE -fuse-ld=lld)
endif()
thaw_add_function(NAME refused SOURCES greet.c more.c)
set_target_properties(refused PROPERTIES EXCLUDE_FROM_ALL ON)
END
touch project/more.c
cat >project/greet.c <<'END'
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
images=(greet greet_pie)
linkers=()
for linker in lld gold; do
	if command -v "ld.$linker" >/dev/null; then
		linkers+=("$linker")
		images+=("greet_$linker")
	else
		echo "skip: $linker: it is not here"
	fi
done
[[ " ${linkers[*]} " != *' lld '* ]] || images+=(greet_pie_lld)
{
	cmake --install "$build" --prefix prefix &&
		cmake -S project -B build -DCMAKE_PREFIX_PATH="$work/prefix" \
			-DLINKERS="$(IFS=';' && echo "${linkers[*]}")" &&
		cmake --build build
} >built 2>&1 || not_ok 'it is built' built
if grep -i warning built >warnings; then
	not_ok 'no linker warns' warnings
fi
# The example of docs/writing-functions.md, "A data file".
mkdir data
section() {
	sed -n '/^## A data file/,/^## Memory/p' \
		"$here/../../docs/writing-functions.md" |
		sed -n "/^[\`]\+$1\$/,/^[\`]\+\$/p" | grep -v "^[\`]"
}
printf 'HELLO' >data/words.txt
section c >data/shout.c
{
	head -n 3 project/CMakeLists.txt
	section cmake
} >data/CMakeLists.txt
{
	cmake -S data -B data/build -DCMAKE_PREFIX_PATH="$work/prefix" &&
		cmake --build data/build
} >built 2>&1 || not_ok 'a function with a data file is built' built
try 0 'a data file' prefix/bin/thaw run data/build/shout.elf
is out 'HELLO'
for image in "${images[@]}"; do
	try 0 "$image" prefix/bin/thaw run "build/$image.elf" -d world
	is out 'Hello, world'
	has err 'Hello 0.5'
done

# refused TEXT SOURCE: with this source beside greet.c it does not link, as the
# linker says with TEXT.
refused() {
	printf '#include <stdio.h>\n#include <thaw.h>\n%s\n' "$2" \
		>project/more.c
	try 0 "it does not link: $1" \
		bash -c '! cmake --build build --target refused 2>&1'
	has out "$1"
}
refused "multiple definition of .thaw_handler_entry_greet'" \
	'THAW_HANDLER(greet) { return 0; }'
refused "undefined reference to .fork'" \
	'#include <unistd.h>
	THAW_INIT(forks) { return fork(); }'
refused "undefined reference to .open_memstream'" \
	'FILE *open_memstream(char **, size_t *);
	THAW_INIT(opens) { return !open_memstream(NULL, NULL); }'

mkdir cxx
cat >cxx/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(sorted CXX)
find_package(thaw-sdk REQUIRED)
thaw_add_function(NAME sorted SOURCES sorted.cpp)
thaw_add_function(NAME sorted_pie SOURCES sorted.cpp PIE)
thaw_add_function(NAME throws SOURCES throws.cpp)
set_target_properties(throws PROPERTIES EXCLUDE_FROM_ALL ON)
END
cat >cxx/sorted.cpp <<'END'
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include <thaw.h>

static const std::map<std::string, char> order{ { "first", 'a' } };

THAW_HANDLER(sorted)
{
	const auto *text = static_cast<const char *>(request->data);
	auto letters = std::make_unique<std::vector<char>>(
		text, text + request->size);

	std::sort(letters->begin(), letters->end(),
		  [](char a, char b) { return a > b; });
	letters->push_back(order.at("first"));
	std::printf("%zu letters\n", letters->size());
	return thaw_reply(letters->data(), letters->size());
}
END
cat >cxx/throws.cpp <<'END'
#include <thaw.h>
THAW_HANDLER(throws)
{
	throw request->size;
}
END
for compiler in g++ clang++; do
	if ! command -v "$compiler" >/dev/null; then
		echo "skip: $compiler: it is not here"
		continue
	fi
	rm -rf build
	{
		cmake -S cxx -B build -DCMAKE_CXX_COMPILER=$compiler \
			-DCMAKE_PREFIX_PATH="$work/prefix" &&
			cmake --build build
	} >built 2>&1 || not_ok "it is built by $compiler" built
	if grep -i warning built >warnings; then
		not_ok "$compiler does not warn" warnings
	fi
	for image in sorted sorted_pie; do
		try 0 "$compiler, $image" prefix/bin/thaw run "build/$image.elf" \
			-d world
		is out 'wrolda'
		has err '6 letters'
	done
	try 2 "$compiler, an exception" cmake --build build --target throws
	cat out err >both
	has both 'exception handling disabled|exceptions disabled'
done

# A Hyperlight guest, by the CMakeLists.txt of docs/hyperlight.md; and one of the
# second generation, in the same project.
mkdir guest
# shellcheck disable=SC2016
sed -n '/```cmake/,/```/{/```/!s/^   //p}' "$here/../../docs/hyperlight.md" \
	>guest/CMakeLists.txt
cat >>guest/CMakeLists.txt <<'END'
thaw_add_function(NAME second SOURCES main.c PIE HYPERLIGHT)
target_compile_definitions(second PRIVATE HYPERLIGHT_GENERATION=2)
END
cat >guest/main.c <<'END'
#include "hyperlight_guest.h"

static int add(int a, int b)
{
	return a + b;
}

HYPERLIGHT_WRAP_FUNCTION(add, Int, 2, Int, Int)

void hyperlight_main(void)
{
	HYPERLIGHT_REGISTER_FUNCTION("Add", add);
}
END
for compiler in gcc clang; do
	if ! command -v "$compiler" >/dev/null; then
		echo "skip: $compiler: it is not here"
		continue
	fi
	rm -rf build
	{
		cmake -S guest -B build -DCMAKE_C_COMPILER=$compiler \
			-DCMAKE_C_FLAGS='-Wall -Wextra' \
			-DCMAKE_PREFIX_PATH="$work/prefix" &&
			cmake --build build
	} >built 2>&1 || not_ok "a Hyperlight guest is built by $compiler" built
	if grep -i warning built >warnings; then
		not_ok "$compiler does not warn of a Hyperlight guest" warnings
	fi
	for image in guest second; do
		try 0 "$compiler, $image" prefix/bin/thaw run "build/$image.elf" \
			-d '{"function":"Add","args":[20,22]}'
		is out '{"result":42}'
	done
done
finish
