#!/usr/bin/env bash
#
# test.sh [PART|--emulated-full|--fresh]... - everything that must hold. The parts:
#
#	lint	layout, scripts, static analysis, tests/lint.sh
#	release	the build that users get, with all tests
#	asan	the same compiled by clang with the address and undefined behaviour
#		sanitizers, the fuzz targets, and clang-tidy
#	tsan	the tests of threads and deadlines with the thread sanitizer
#	arm64	cross-built for arm64, its tests under emulation
#	emulated	a short list of tests inside emulated machines with KVM
#
# Without arguments, all of them. --emulated-full runs all tests in all emulated
# machines, which takes more than an hour, and renews the table of
# docs/platforms.md. --fresh calls run.sh and this on minimal machines of each
# Debian release that thaw supports (tests/fresh.sh). Installs the Debian packages
# that are missing.
# The last line is always "N passed, N failed, N skipped"; the lines before it
# say what was skipped and why, and what failed.

set -uo pipefail

# shellcheck source=scripts/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/scripts/setup.sh"
cd "$top" || exit 1

passed=0
failed=0
skipped=0
failures=()
skips=()

note_pass() {
	passed=$((passed + 1))
}

note_fail() {
	failed=$((failed + 1))
	failures+=("$1")
}

note_skip() {
	skipped=$((skipped + 1))
	skips+=("$1")
}

# step NAME COMMAND...: runs one step, counts it as one test and returns
# non-zero if it failed.
step() {
	local name=$1

	shift
	printf '== %s\n' "$name"
	if ! "$@"; then
		note_fail "$name"
		return 1
	fi
	note_pass
}

# tracked PATTERN...: prints the tracked files that are there.
tracked() {
	git ls-files -- "$@" | while read -r file; do
		[[ -f $file ]] && printf '%s\n' "$file"
	done
}

# check_layout PROGRAM
check_layout() {
	tracked '*.c' '*.cpp' '*.h' | xargs -r "$1" --dry-run -Werror --style=file
}

check_scripts() {
	tracked '*.sh' '.ci/run' | xargs -r shellcheck --external-sources
}

# logged NAME COMMAND...: runs it, shows how it gets on, and what it said if it
# failed.
logged() {
	local log=$top/build/$1.log

	shift
	mkdir -p build
	rm -f "$log"
	with_progress "$log" "$@" && return
	cat "$log"
	return 1
}

# Not asked: leaks (cppcheck does not know the cleanup attribute; the asan build
# finds them), differences of linker symbols, and what is not set (2.17 says so of
# arrays that are filled by the size; clang-tidy and the compilers look).
check_cppcheck() {
	tracked 'base/*.c' 'bench/*.c' 'vm/*.c' 'snapshot/*.c' 'executor/*.c' \
		':!bench/guest/*' |
		xargs -r cppcheck --quiet -j "$(nproc)" \
			--error-exitcode=1 --inline-suppr \
			--enable=warning,portability --std=c11 -I . \
			--suppress=missingInclude --suppress=memleak \
			--suppress=resourceLeak --suppress=comparePointers \
			--suppress=subtractPointers --suppress=uninitvar \
			--suppress=normalCheckLevelMaxBranches
}

# tidy FILE: says what it looks at, and the remarks, but not how many more there
# are in headers of the system.
tidy() {
	local words status=0

	words=$(clang-tidy --quiet -p build/asan "$1" 2>&1) || status=1
	printf '%s\n' "$1"
	grep -vE '^[0-9]+ warnings? generated\.$' <<<"$words" | grep . || true
	return "$status"
}

# Every file of the host side that clang compiles.
check_clang_tidy() {
	export -f tidy
	# shellcheck disable=SC2016
	sed -n 's|^ *"file": "\(.*\)".*|\1|p' build/asan/compile_commands.json |
		grep -E "^$top/(base|bench|vm|snapshot|executor)/.*\.c$" |
		grep -v "^$top/bench/guest/" | sort -u |
		xargs -r -n 1 -P "$(nproc)" bash -c 'tidy "$1"' tidy
}

# count_verdicts PART: counts the lines "pass: ...", "FAIL: ..." and "skip: ..."
# of standard input while passing them on.
count_verdicts() {
	local part=$1 line

	while IFS= read -r line; do
		printf '%s\n' "$line"
		case $line in
		'pass: '*) note_pass ;;
		'FAIL: '*) note_fail "$part: ${line#*: }" ;;
		'skip: '*) note_skip "$part: ${line#*: }" ;;
		esac
	done
}

# run_ctest PRESET [CTEST-OPTION...]: runs a build's tests and counts each. The thread
# sanitizer would wait a second at each program's end for races at the end.
run_ctest() {
	local preset=$1 report=$top/build/$1/junit.xml p f s kind name why

	shift

	rm -f "$report"
	UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		TSAN_OPTIONS=atexit_sleep_ms=100 \
		ctest --test-dir "build/$preset" --parallel 4 --output-on-failure \
		"$@" \
		--output-junit "$report"
	{
		read -r p f s || {
			note_fail "$preset: ctest gave no report"
			return
		}
		while IFS=$'\t' read -r kind name why; do
			case $kind in
			failed) failures+=("$preset: $name: $why") ;;
			skipped) skips+=("$preset: $name: $why") ;;
			esac
		done
	} < <(scripts/ctest_summary.py "$report")
	passed=$((passed + p))
	failed=$((failed + f))
	skipped=$((skipped + s))
}

# build_and_test PRESET [CTEST-OPTION...]
build_and_test() {
	step "$1: build" setup_build "$1" -DTHAW_WERROR=ON && run_ctest "$@"
}

part_lint() {
	local formatter

	git rev-parse >/dev/null 2>&1 || {
		note_skip "lint: this is not a git checkout"
		return
	}
	if formatter=$(third_party/clang_format.sh); then
		step 'lint: layout' check_layout "$formatter"
	else
		note_skip 'lint: layout: clang-format 14 cannot be had'
	fi
	step 'lint: scripts' check_scripts
	step 'lint: cppcheck' logged cppcheck check_cppcheck
	count_verdicts lint < <(tests/lint.sh)
}

# Scripts that are not about the io: each build runs them on one, the release build on
# io_uring, the asan build on epoll.
any_io='event_lines|files|functions|hosts|metrics|neighbours|start|stored|texts|vms'

part_release() {
	build_and_test release --exclude-regex "^server_($any_io)_epoll$"
}

# What is read from files is read by test_linux_store and test_linux_state, too. Other tests
# find leaks here; how memory grows and shrinks is judged in the release build.
part_asan() {
	build_and_test asan --exclude-regex \
		"^server_($any_io|load)_io_uring$|^server_(pressure|soak)$|^test_linux_.*_stored$" &&
		step 'asan: clang-tidy' logged clang-tidy check_clang_tidy
}

part_tsan() {
	build_and_test tsan --exclude-regex "^server_($any_io)_epoll$" --tests-regex \
		'test_(threads|watchdog|clones|polled|slices|offload|io|host_functions|growth|function_store)|server_(bases|load|start|host_functions)'
}

setup_arm64() {
	(packages_install "${arm64_packages[@]}") &&
		third_party/picolibc.sh arm64 && third_party/sysroot.sh arm64
}

part_arm64() {
	if [[ $architecture == arm64 ]]; then
		note_skip "arm64: this machine is arm64: the other builds are it"
		return
	fi
	step 'arm64: set-up' setup_arm64 && build_and_test arm64
	# the other way, with a compiler that has the same name here
	step 'arm64: libraries of x86_64' third_party/sysroot.sh x86_64 &&
		step 'arm64: cross-building for x86_64' \
			setup_build x86_64 -DTHAW_WERROR=ON -DBUILD_TESTING=OFF
}

# Status 3 of run.py: it has reported failures.
emulate() {
	tests/emulated/run.py "$@"
	case $? in
	0 | 3) ;;
	*) printf 'FAIL: emulated: run.py did not come to its end\n' ;;
	esac
}

# run_emulated ARGUMENT...: builds what the machines run, and runs it. Says so,
# and counts a skip, where they cannot be had.
run_emulated() {
	if [[ $architecture == arm64 ]]; then
		note_skip "emulated: made for an x86_64 machine"
		return 1
	fi
	if ! (packages_install "${emulated_packages[@]}"); then
		note_skip "emulated: QEMU could not be installed"
		return 1
	fi
	step 'emulated: release build' setup_build release -DTHAW_WERROR=ON &&
		step 'emulated: arm64 set-up' setup_arm64 &&
		step 'emulated: arm64 build' setup_build arm64 -DTHAW_WERROR=ON &&
		count_verdicts emulated < <(emulate "$@")
}

part_emulated() {
	run_emulated --short svm vhe
}

part_emulated_full() {
	run_emulated native svm svm-shadow vhe vhe-16k nvhe &&
		step 'emulated: the table' tests/emulated/table.py
}

part_fresh() {
	count_verdicts fresh < <(tests/fresh.sh)
}

parts=(lint release asan tsan arm64 emulated)
(($#)) || set -- "${parts[@]}"
for part; do
	[[ " ${parts[*]} --emulated-full --fresh " == *" $part "* ]] ||
		fail 2 "no part called '$part': ${parts[*]}," \
			"--emulated-full, --fresh"
done

architecture=$(setup_architecture) || exit
mapfile -t node_packages < <(setup_node_packages)
mapfile -t python_packages < <(setup_python_packages)
packages_install "${run_packages[@]}" "${test_packages[@]}" "${node_packages[@]}" \
	"${python_packages[@]}"
third_party/picolibc.sh "$architecture" || exit
third_party/llhttp.sh || exit
third_party/quickjs.sh ||
	note_skip "javascript: QuickJS's source could not be fetched"
for part; do
	part=${part#--}
	"part_${part//-/_}"
done

printf '== summary\n'
((${#skips[@]} == 0)) || printf 'skipped: %s\n' "${skips[@]}"
((${#failures[@]} == 0)) || printf 'failed: %s\n' "${failures[@]}"
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((failed == 0))
