#!/usr/bin/env bash
#
# scripts.sh BUILD-DIR - the parts of run.sh and test.sh: a command that prints nothing
# still shows its progress, and the summary of the tests names those that failed.

set -uo pipefail

# shellcheck source=tests/cli/support/script.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/script.sh"
top=$(realpath "$here/../..")

# ctest's report of one test each that passed, failed in three ways, and was
# skipped.
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(tests NONE)
enable_testing()
add_test(NAME good COMMAND sh -c "echo fine")
add_test(NAME bad COMMAND sh -c "echo 'not ok - 3, not 4'; echo end; exit 1")
add_test(NAME worse COMMAND sh -c "echo 'a.c:1:F:x:y:0: no'; echo end; exit 1")
add_test(NAME gone COMMAND ./gone)
add_test(NAME idle COMMAND sh -c "echo 'skipped: no time'; exit 77")
set_tests_properties(idle PROPERTIES SKIP_RETURN_CODE 77)
END
cmake -G Ninja . >out 2>&1 || not_ok 'a project of tests' out
ctest --output-junit "$work/report" >out 2>&1
"$top/scripts/ctest_summary.py" report >out
cat >wanted <<END
1 3 1
failed	bad	not ok - 3, not 4
failed	worse	a.c:1:F:x:y:0: no
failed	gone	Unable to find executable: ./gone
skipped	idle	skipped: no time
END
same 'the summary' "$(cat out)" "$(cat wanted)"

# Until its progress is seen, the command says nothing more, and does not end.
cat >slow.sh <<'END'
echo 'first part'
until grep -q 'first part' err; do sleep 0.01; done
exit 5
END
(
	. "$top/scripts/debian.sh"
	progress_s=0.01
	with_progress log bash slow.sh
) 2>err
same 'its status' "$?" 5
has err '^  [0-9]+ s: first part$'
is log $'first part\n'
finish
