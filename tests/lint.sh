#!/usr/bin/env bash
#
# lint.sh - the rules that compilers do not check.
#
# Looks at the files git tracks. Every offence is printed as
# FILE:LINE: WHAT; WHAT TO DO, then each rule as "pass: RULE", "FAIL: RULE" or
# "skip: RULE: REASON". Exit status 1 if any rule failed.

# The rules are called by name, which shellcheck does not see.
# shellcheck disable=SC2317

set -euo pipefail
shopt -s extglob

cd "$(dirname "${BASH_SOURCE[0]}")/.."

mapfile -t tracked < <(git ls-files | while read -r file; do
	[[ -f $file ]] && printf '%s\n' "$file"
done)
((${#tracked[@]})) || {
	echo 'FAIL: no tracked files: lint.sh needs a git checkout'
	exit 1
}
failed=0

# files PATTERN...: prints the tracked files that match; * matches / too.
files() {
	local file pattern

	for file in "${tracked[@]}"; do
		for pattern; do
			# shellcheck disable=SC2053
			[[ $file == $pattern ]] && printf '%s\n' "$file" && break
		done
	done
	return 0
}

# search REGEX FILE...: prints FILE:LINE:TEXT for each match.
search() {
	local regex=$1

	shift
	(($# == 0)) || grep -HnIE "$regex" -- "$@" || true
}

# advise WHAT: turns FILE:LINE:TEXT into FILE:LINE: WHAT.
advise() {
	sed -E "s|^([^:]*:[0-9]+):.*|\1: $1|"
}

# rule NAME FUNCTION: a rule is broken if its function prints anything.
rule() {
	local offences

	offences=$("$2")
	if [[ -z $offences ]]; then
		printf 'pass: %s\n' "$1"
	elif [[ $offences == skip:* ]]; then
		printf 'skip: %s: %s\n' "$1" "${offences#skip: }"
	else
		printf '%s\nFAIL: %s\n' "$offences" "$1"
		failed=1
	fi
}

include='#[[:space:]]*include[[:space:]]*'

# Which layer may include which.
include_directions() {
	local source

	python3 tests/layers.py directions
	mapfile -t source < <(files 'guest/*.[chS]' | grep -v '^guest/abi/')
	search "$include(\"[^\"]*/|<(base|bench|vm|snapshot|executor)/)" \
		"${source[@]}" | grep -vE "${include}[\"<]guest/" |
		advise 'guest/ may include only from guest/' || true
}

include_circles() {
	python3 tests/layers.py circles
}

one_header_per_source() {
	python3 tests/layers.py headers
}

function_names() {
	python3 tests/layers.py names
}

# Headers that only some files may include: header, then those files.
confined='
linux/kvm.h  vm/* tests/emulated/svm_shim.c
libelf.h     vm/image/*
gelf.h       vm/image/*
elfutils/    executor/cli/source_lines.c bench/instructions.c
jansson.h    base/json*.[ch] executor/catalog*.c executor/function_store.c executor/program_store.c executor/snapshot_key.c executor/protocol/*_json.c executor/client/admin_client.c executor/client/http_problem.c executor/server/admin/*_json.c executor/cli/*.c bench/*.c tests/unit/test_*.c
liburing.h   executor/io/io_uring_internal.h tests/unit/test_io_lost.c
llhttp.h     executor/protocol/http_*.[ch]
'

confined_headers() {
	local header places source patterns

	while read -r header places; do
		[[ -n $header ]] || continue
		read -ra patterns <<<"$places"
		mapfile -t source < <(files '*.[chS]' | grep -vxFf \
			<(files "${patterns[@]}" '') || true)
		search "${include}[<\"]$header" "${source[@]}" |
			advise "<$header> belongs in $places; call what is there"
	done <<<"$confined"
}

architecture_conditions() {
	local source names='x86_64|amd64|i386|aarch64|arm|ARM'

	mapfile -t source < <(files '*.[chS]' |
		grep -vE '^(vm|guest/arch)/(x86_64|arm64)/|^guest/abi/')
	search "^[[:space:]]*#[[:space:]]*(el)?if.*__($names)_" "${source[@]}" |
		advise 'asks for the architecture; move it to vm/ARCH/ or guest/arch/ARCH/'
}

machine=$(uname -m)
case $machine in
aarch64) native=arm64 other=x86_64 cross=x86_64-linux-gnu-gcc ;;
*) native=x86_64 other=arm64 cross=aarch64-linux-gnu-gcc ;;
esac

# compile_header HEADER COMPILER [FLAG...]: reports a header that does not
# compile as the only one.
compile_header() {
	local header=$1 words

	shift
	words=$("$@" -std=gnu17 -D_GNU_SOURCE -I. -Iguest/abi -Iguest/hyperlight \
		-isystem build/third_party/llhttp -fsyntax-only -x c - 2>&1 \
		<<<"#include \"$header\"") ||
		printf '%s:1: does not compile alone; include what it uses: %s\n' \
			"$header" "$(grep -m 1 error <<<"$words")"
}

host_headers_alone() {
	local header

	for header in $(files '@(base|vm|snapshot|executor|guest/abi|tests|bench)/*.h'); do
		case $header in
		vm/?(image/)"$other/"*)
			command -v "$cross" >/dev/null || continue
			compile_header "$header" "$cross"
			;;
		*) compile_header "$header" gcc ;;
		esac
	done
}

guest_headers_alone() {
	local header libc=build/third_party/picolibc-$native

	if [[ ! -f $libc/stamp ]]; then
		echo "skip: no $libc: run third_party/picolibc.sh $native"
		return
	fi
	for header in $(files 'guest/*.h'); do
		[[ $header == "guest/arch/$other/"* ]] && continue
		# parts of libstdc++'s headers
		[[ $header == guest/sdk/cxx/* ]] && continue
		compile_header "$header" gcc -ffreestanding -nostdinc \
			-isystem "$libc/include" \
			-isystem "$(gcc -print-file-name=include)" \
			-Iguest/abi -Iguest/sdk "-Iguest/arch/$native"
	done
}

no_notes_to_self() {
	search '(^|[^[:alnum:]_])(TO''DO|FIX''ME|XX''X)([^[:alnum:]_]|$)' \
		"${tracked[@]}" | advise 'a note to oneself; do it or drop it'
}

no_trailing_space() {
	search '[[:blank:]]+$' "${tracked[@]}" | advise 'ends in blanks; remove them'
}

# clang-format leaves comments as they are.
short_comments() {
	local source

	mapfile -t source < <(files '*.[chS]' '*.cpp')
	search '^[[:blank:]]*/?\*+ .{98,}' "${source[@]}" |
		advise 'a comment of more than 100 columns; break it'
}

short_files() {
	local file lines

	for file in $(files '*.@(c|cpp|h|S|sh|py|md|cmake)' '*CMakeLists.txt'); do
		lines=$(wc -l <"$file")
		((lines <= 700)) ||
			printf '%s:%d: longer than 700 lines; split it\n' \
				"$file" "$lines"
	done
}

small_files() {
	local file size

	for file in "${tracked[@]}"; do
		size=$(stat -c %s "$file")
		((size <= 512 * 1024)) ||
			printf '%s:1: %d bytes, over 512 KiB; generate or fetch it\n' \
				"$file" "$size"
	done
}

no_package_hosts() {
	local debian='(deb|ftp|security|snapshot|archive)\.(debian|ubuntu)\.'
	local others='(registry\.npmjs|pypi|pythonhosted|proxy\.golang)\.org'

	search "$debian|$others" "${tracked[@]}" |
		advise "names a package host; use the machine's own configuration"
}

man_pages() {
	local page

	if ! command -v groff >/dev/null; then
		echo 'skip: no groff'
		return
	fi
	for page in $(files 'docs/man/*'); do
		groff -mdoc -ww -z "$page" 2>&1 | sed "s|<standard input>|$page|"
	done
}

systemd_units() {
	local copies unit

	if ! command -v systemd-analyze >/dev/null; then
		echo 'skip: no systemd-analyze'
		return
	fi
	copies=$(mktemp -d)
	# it wants to see the program
	for unit in $(files 'config/*.@(service|socket)'); do
		sed 's|^ExecStart=thaw|ExecStart=/bin/true|' "$unit" \
			>"$copies/${unit##*/}"
	done
	{ systemd-analyze verify --man=no "$copies"/* 2>&1 || echo "exit $?"; } |
		sed "s|$copies|config|g; s|\$|; correct the unit|"
	rm -r "$copies"
}

rule 'include directions' include_directions
rule 'include circles' include_circles
rule 'one header per source' one_header_per_source
rule 'function names' function_names
rule 'confined headers' confined_headers
rule 'architecture conditions' architecture_conditions
rule 'host headers compile alone' host_headers_alone
rule 'guest headers compile alone' guest_headers_alone
rule 'no notes to self' no_notes_to_self
rule 'no trailing space' no_trailing_space
rule 'comments of 100 columns at most' short_comments
rule 'files of 700 lines at most' short_files
rule 'files of 512 KiB at most' small_files
rule 'no package hosts' no_package_hosts
rule 'man pages' man_pages
rule 'systemd units' systemd_units
exit "$failed"
