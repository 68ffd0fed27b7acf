#!/usr/bin/env bash
#
# record.sh BUILD-DIR - records the requests that aws_cli.sh replays anew, with the AWS
# CLI of $AWS or the PATH. Those that are there come from Debian 12's, 2.9.19. This is
# not a test.

set -uo pipefail

# shellcheck source=tests/server/support/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/server.sh"
arn=arn:aws:lambda:us-east-1:000000000000:function:hello

# record NAME AWS-ARGUMENT...
record() {
	local name=$1

	shift
	printf '== %s\n' "$name"
	"$python" "$here/record.py" "$port" "$here/$name.http" "$@"
}

need_functions
write_catalog functions.json
start_server functions.json
raw=(--cli-binary-format raw-in-base64-out)
record list_functions list-functions
record list_functions_all list-functions --function-version ALL --max-items 3
record get_function get-function --function-name hello
record get_function_arn get-function --function-name "$arn"
record get_function_unknown get-function --function-name none
record get_function_configuration \
	get-function-configuration --function-name hello --qualifier "\$LATEST"
record list_versions list-versions-by-function --function-name hello
record list_aliases list-aliases --function-name hello
record get_function_concurrency \
	get-function-concurrency --function-name nap
record get_provisioned_concurrency get-provisioned-concurrency-config \
	--function-name warm --qualifier 1
record get_account_settings get-account-settings
record list_tags list-tags --resource "${arn%hello}nap"
record invoke_no_payload invoke --function-name hello reply
record invoke_payload invoke --function-name hello "${raw[@]}" \
	--payload '{"name":"Ada"}' reply
record invoke_base64 invoke --function-name hello \
	--payload abcd1234 reply
record invoke_event invoke --function-name show "${raw[@]}" \
	--invocation-type Event --payload '{"n":1}' reply
record invoke_dry_run invoke --function-name show \
	--invocation-type DryRun reply
record invoke_tail invoke --function-name say "${raw[@]}" --log-type Tail \
	--payload '"some words"' reply
record invoke_arn invoke --function-name "$arn:1" "${raw[@]}" \
	--payload '{"name":"Ada"}' reply
record invoke_qualifier invoke --function-name hello --qualifier "\$LATEST" \
	reply
record invoke_context invoke --function-name show --client-context \
	"$(printf '{"custom":{"k":"v"}}' | base64)" reply
record invoke_context_bad invoke --function-name show \
	--client-context 'not base64!' reply
record invoke_failing invoke --function-name fail reply
record invoke_unknown invoke --function-name none reply
record delete_function delete-function --function-name hello
stop_server
