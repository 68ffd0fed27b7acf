#!/usr/bin/env bash
#
# soak.sh MINUTES [io_uring|epoll] [BUILD-DIR] - servers under everything at once,
# for so long: see tests/server/soak.py, of which the suite runs half a minute. The
# build is build/release, which `./test.sh release` and `./run.sh` make.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
minutes=${1-} io=${2-io_uring} build=${3-$here/../build/release}

if [[ ! $minutes =~ ^[0-9]+(\.[0-9]+)?$ || $# -gt 3 ]]; then
	sed -n '3s/^# /usage: /p' "${BASH_SOURCE[0]}" >&2
	exit 2
fi
[[ -x $build/thaw ]] || {
	printf '%s: no thaw there: build it first\n' "$build" >&2
	exit 2
}
exec python3 "$here/server/soak.py" "$build" "$io" "$minutes"
