#!/usr/bin/env bash
#
# embed.sh BUILD-DIR - what `cmake --install` installs is there, and a program
# outside the tree uses libthaw: docs/examples/embed, copied, is built against the
# installed copy by make with pkg-config and by find_package, with the shared and
# with the static library, as C and as C++. Each of these programs invokes a function
# in its own process and one of a server. The library exports all functions of
# libthaw.h, and nothing else.

set -uo pipefail

# shellcheck source=tests/server/support/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/server.sh"
need_functions
sanitizers=$(sed -n 's/^THAW_SANITIZE:[A-Z]*=//p' "$build/CMakeCache.txt")
[[ -z $sanitizers ]] || skip 'what is installed has no sanitizer'

try 0 'it is installed' cmake --install "$build" --prefix prefix
lib=$(dirname "$(find "$PWD/prefix" -name libthaw.so)")
share=prefix/share
for file in prefix/bin/thaw "$lib/libthaw.a" "$lib/libthaw.so.0" \
	"$lib/pkgconfig/libthaw.pc" "$lib/cmake/thaw/thaw-config.cmake" \
	prefix/include/libthaw.h $share/thaw/catalog.schema.json \
	$share/man/man1/thaw.1 $share/man/man7/thaw-sdk.7 prefix/lib/systemd/system/thaw.service \
	prefix/lib/systemd/system/thaw.socket; do
	same "there is $file" "$([[ -f $file ]] && echo yes)" yes
done
if [[ -e prefix/include/thaw.h ]]; then
	not_ok "a host finds the guest's thaw.h"
fi

# The header alone, with nothing defined before it.
echo '#include <libthaw.h>' >alone.c
flags=(-Iprefix/include -Wall -Wextra -pedantic -Werror -fsyntax-only alone.c)
try 0 'the header compiles as C99' cc -std=c99 "${flags[@]}"
try 0 'the header compiles as C++' c++ -x c++ -std=c++11 "${flags[@]}"

# What it declares is what there is.
cc -E -Iprefix/include alone.c | grep -oE '\bthaw_[a-z_]+\(' | tr -d '(' | sort -u \
	>declared
nm -D --defined-only "$lib/libthaw.so" | grep -v ' A LIBTHAW_0$' >symbols
sed 's/@.*//; s/.* //' symbols | sort >exported
nm -g --defined-only "$lib/libthaw.a" | sed -n 's/.* [A-Z] //p' | sort >archived
((($(wc -l <declared)) >= 15)) || not_ok 'the header declares functions' declared
try 0 'the shared library exports them alone' diff declared exported
try 0 'so does the static one' diff declared archived
hasnt symbols '@@LIBTHAW_[^0]|[^@]@[^@]'
readelf -d "$lib/libthaw.so" >dynamic
has dynamic 'SONAME.*\[libthaw\.so\.0\]'
hasnt dynamic 'NEEDED.*uring'

# The programs.
cp -r "$here/../../docs/examples/embed" make
cp -r make cmake
cp -r make cxx
export PKG_CONFIG_PATH=$lib/pkgconfig
try 0 'pkg-config tells the version' pkg-config --modversion libthaw
version=$(<out)
try 0 'make and pkg-config build it' env CFLAGS=-Werror make -C make
programs=(make/embed cmake/build/embed cmake/build/embed_static cxx/build/embed
	cxx/build/embed_static)
# shellcheck disable=SC2046
if cc -static -x c -o elf - $(pkg-config --static --libs libelf) 2>/dev/null <<'END'; then
#include <libelf.h>
int main(void)
{
	return elf_end(elf_begin(0, ELF_C_READ, 0));
}
END
	try 0 'make builds it with no shared library' \
		env CFLAGS=-Werror make -C make embed_static
	programs+=(make/embed_static)
else
	echo 'skip: a program with no shared library: libelf.a does not link here'
fi
try 0 'find_package finds it' cmake -S cmake -B cmake/build \
	-DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_FLAGS=-Werror
try 0 'cmake builds it' cmake --build cmake/build
mv cxx/main.c cxx/main.cpp
sed -i 's/main\.c\>/main.cpp/; s/(embed C)/(embed CXX)/' cxx/CMakeLists.txt
try 0 'find_package finds it for C++' cmake -S cxx -B cxx/build \
	-DCMAKE_PREFIX_PATH="$work/prefix" \
	-DCMAKE_CXX_FLAGS='-Wall -Wextra -Werror'
try 0 'cmake builds it as C++' cmake --build cxx/build

cat >functions.json <<END
{ "version": 1, "functions": [
	{ "name": "echo", "image": "$build/guest/echo.elf" },
	{ "name": "hello", "image": "$build/guest/hello.elf" } ] }
END
start_server functions.json
export LD_LIBRARY_PATH=$lib
for program in "${programs[@]}"; do
	try 0 "$program" "$program" --version
	is out "libthaw $version"$'\n'
	try 0 "$program, in its process" "$program" functions.json echo 'to and fro'
	is out 'to and fro'
	try 1 "$program, a failure" "$program" functions.json hello 'not JSON'
	has err '^embed: Hello\.InvalidRequest: '
	try 2 "$program, no function" "$program" functions.json ech ''
	has err 'did you mean echo\?'
	try 0 "$program, by a server" "$program" --server echo 'there and back'
	is out 'there and back'
	readelf -d "$program" >dynamic
	case "$program" in
	make/embed_static) hasnt dynamic NEEDED ;;
	*_static) hasnt dynamic 'NEEDED.*libthaw' ;;
	*) has dynamic 'NEEDED.*\[libthaw\.so\.0\]' ;;
	esac
done
unset LD_LIBRARY_PATH
stop_server
finish
