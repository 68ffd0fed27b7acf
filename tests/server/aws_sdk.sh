#!/usr/bin/env bash
#
# aws_sdk.sh BUILD-DIR - runs AWS's SDK for JavaScript (aws_sdk/lambda.js). npm fetches
# it into build/third_party once, from where this machine gets its packages.

set -uo pipefail

# shellcheck source=tests/server/support/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/server.sh"
modules=$here/../../build/third_party/aws_sdk

need_node() {
	local version

	command -v node >/dev/null || skip 'no node'
	version=$(node --version)
	version=${version#v}
	((${version%%.*} >= 20)) || skip "node is $version; the SDK needs 20"
}

# fetch: what package.json names; a changed one anew.
fetch() {
	cmp -s "$here/aws_sdk/package.json" "$modules/package.json" &&
		[[ -e $modules/stamp ]] && return
	command -v npm >/dev/null || skip 'no npm'
	rm -rf "$modules"
	mkdir -p "$modules"
	cp "$here/aws_sdk/package.json" "$modules"
	(cd "$modules" && timeout 120 npm install --no-audit --no-fund \
		--no-package-lock --ignore-scripts --fetch-retries=1) >out 2>&1 || {
		cat out
		rm -rf "$modules"
		skip 'npm cannot fetch the SDK'
	}
	touch "$modules/stamp"
}

need_functions
need_node
fetch
cp "$here/aws_sdk/lambda.js" "$modules"
printf 'not an image' >text.elf
write_catalog functions.json ',{"name": "broken", "image": "text.elf"}'
start_server functions.json
count 'sdk' env AWS_CONFIG_FILE=/dev/null \
	AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true \
	AWS_SHARED_CREDENTIALS_FILE=/dev/null node "$modules/lambda.js" "$url"
wait_for 'the event has been run' \
	metric_is 'thaw_async_done_total{function="say"}' 1
((passed > 30)) || not_ok 'some checks are missing' log
stop_server
finish
