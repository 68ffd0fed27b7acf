#!/usr/bin/env bash
#
# aws_cli.sh BUILD-DIR - sends what the AWS CLI of Debian 12 (2.9.19) sends, byte for
# byte: aws_cli/record.sh has recorded it as aws_cli/*.http. It also runs the CLI
# itself, $AWS or the one of the PATH, if there is one.

set -uo pipefail

# shellcheck source=tests/server/support/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/server.sh"
arn=arn:aws:lambda:us-east-1:000000000000:function:hello

check_recorded() {
	count "$1" "$python" "$here/aws_cli/replay.py" "$port"
	wait_for "$1: the event has been run" \
		metric_is 'thaw_async_done_total{function="show"}' 1
}

# aws CODE TEXT ARGUMENT...: its streams in out and err.
aws() {
	try "$1" "aws: $2" env AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \
		AWS_DEFAULT_REGION=us-east-1 AWS_PAGER='' AWS_RETRY_MODE=standard \
		AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null \
		"$aws" lambda --endpoint-url "$url" "${@:3}"
}

check_cli() {
	local raw=(--cli-binary-format raw-in-base64-out) refused=254

	# the first version sends every payload as it is
	if [[ $("$aws" --version 2>&1) == aws-cli/1* ]]; then
		raw=()
		refused=255
	fi
	aws 0 invoke invoke --function-name hello "${raw[@]}" \
		--payload '{"name":"Ada"}' reply
	has out '"StatusCode": 200'
	is reply '{"message":"Hello, Ada!"}'
	aws 0 'the tail of the log' invoke --function-name "$arn" \
		--log-type Tail --query LogResult --output text reply
	base64 -d out >lines
	has lines '^REPORT RequestId: .*Restore Duration: '
	aws 0 'an event' invoke --function-name show --invocation-type Event reply
	has out '"StatusCode": 202'
	aws $refused 'no such function' invoke --function-name none reply
	has err 'ResourceNotFoundException'
	aws 0 'a function that fails' invoke --function-name fail reply
	has out '"FunctionError": "Handled"'
	if ((${#raw[@]})); then
		aws $refused 'base64 that was not meant' invoke \
			--function-name hello --payload abcd1234 reply
		has err 'InvalidRequestContentException.*--cli-binary-format'
	fi
	aws 0 'pages' list-functions --page-size 2 \
		--query 'Functions[].FunctionName' --output text
	same 'all pages' "$(tr '\n\t' '  ' <out)" "chatter crash echo fail \
hang hello nap number_only say show warm "
	aws 0 'waiting for a function' wait function-active-v2 \
		--function-name hello
}

need_functions
write_catalog functions.json
for io in io_uring epoll; do
	start_server functions.json --io "$io"
	check_recorded "$io"
	if [[ $io == epoll ]] &&
		aws=${AWS:-$(type -P aws)}; then
		check_cli
	fi
	stop_server
done
[[ -n ${aws-} ]] || printf '# no aws: only what it once sent was sent\n'
finish
