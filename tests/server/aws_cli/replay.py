#!/usr/bin/env python3
"""replay.py PORT - sends the recorded requests of the AWS CLI, all of them over
one connection, and checks what is answered: status, headers, body.
"""

import base64
import http.client
import json
import pathlib
import re
import socket
import sys

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"
LATEST = "$LATEST"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Connection:
    """Answers are read as http.client does, which knows how long they are."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)

    def exchange(self, request):
        self.socket.sendall(request)
        method = request.split(b" ", 1)[0].decode()
        response = http.client.HTTPResponse(self.socket, method=method)
        response.begin()
        return response, response.read()


def expect(wanted, got, what):
    if wanted != got:
        raise AssertionError(f"{what}: {got!r}, not {wanted!r}")


def error(status, kind, pattern):
    def check(response, body):
        expect(status, response.status, "status")
        expect(kind, response.headers["x-amzn-ErrorType"], "error type")
        expect("application/json", response.headers["Content-Type"], "type")
        told = json.loads(body)
        expect("Service" if status >= 500 else "User", told["Type"], "Type")
        expect(told["message"], told["Message"], "Message")
        if not re.search(pattern, told["message"]):
            raise AssertionError(f"message: {told['message']}")

    return check


def no_function(name):
    return error(
        404,
        "ResourceNotFoundException",
        f"^Function not found: {ARN}{name}$",
    )


def answer(test):
    """200 and JSON of which @test is true."""

    def check(response, body):
        expect(200, response.status, "status")
        expect("application/json", response.headers["Content-Type"], "type")
        if not test(json.loads(body)):
            raise AssertionError(f"body: {body.decode()}")

    return check


def reply(wanted, version=LATEST, failure=None):
    """200 and a function's reply, JSON or text."""

    def check(response, body):
        expect(200, response.status, "status")
        expect(version, response.headers["X-Amz-Executed-Version"], "version")
        expect(failure, response.headers["X-Amz-Function-Error"], "failure")
        if callable(wanted):
            assert wanted(body.decode()), f"body: {body.decode()}"
        else:
            expect(wanted, json.loads(body), "body")

    return check


def tail(response, body):
    reply({"said": 12})(response, body)
    log = base64.b64decode(response.headers["X-Amz-Log-Result"]).decode()
    call = response.headers["x-amzn-RequestId"]
    lines = log.splitlines()
    expect(f"START RequestId: {call} Version: {LATEST}", lines[0], "start")
    assert '"some words"' in lines[1] and "that was all" in lines[2], log
    expect(f"END RequestId: {call}", lines[3], "end")
    assert re.fullmatch(
        f"REPORT RequestId: {call}\tDuration: [0-9.]+ ms\t"
        "Billed Duration: [0-9]+ ms\tMemory Size: 16 MB\t"
        "Max Memory Used: [0-9]+ MB\tRestore Duration: [0-9.]+ ms",
        lines[4],
    ), log


def nothing(status):
    def check(response, body):
        expect(status, response.status, "status")
        expect(b"", body, "body")
        expect(None, response.headers["X-Amz-Function-Error"], "failure")

    return check


def is_hello(configuration, arn=ARN + "hello", version=LATEST):
    return (
        configuration["FunctionName"] == "hello"
        and configuration["FunctionArn"] == arn
        and configuration["Version"] == version
        and configuration["State"] == "Active"
        and configuration["LastUpdateStatus"] == "Successful"
        and configuration["MemorySize"] == 16
        and len(base64.b64decode(configuration["CodeSha256"])) == 32
        and UUID.fullmatch(configuration["RevisionId"]) is not None
    )


def is_sorted(functions):
    names = [one["FunctionName"] for one in functions]
    return names == sorted(names) and "hello" in names and len(names) == 11


HELLO = {"message": "Hello, world!"}
ADA = {"message": "Hello, Ada!"}

CHECKS = {
    "list_functions": answer(
        lambda r: is_sorted(r["Functions"]) and "NextMarker" not in r
    ),
    "list_functions_all": answer(
        lambda r: len(r["Functions"]) == 22
        and {one["Version"] for one in r["Functions"]} == {LATEST, "1"}
    ),
    "get_function": answer(
        lambda r: is_hello(r["Configuration"])
        and r["Concurrency"] == {"ReservedConcurrentExecutions": 16}
        and r["Tags"] == {}
    ),
    "get_function_arn": answer(lambda r: is_hello(r["Configuration"])),
    "get_function_unknown": no_function("none"),
    "get_function_configuration": answer(
        lambda r: is_hello(r, f"{ARN}hello:{LATEST}")
    ),
    "list_versions": answer(
        lambda r: is_hello(r["Versions"][0], f"{ARN}hello:{LATEST}")
        and is_hello(r["Versions"][1], f"{ARN}hello:1", "1")
        and len(r["Versions"]) == 2
    ),
    "list_aliases": answer(lambda r: r == {"Aliases": []}),
    "get_function_concurrency": answer(
        lambda r: r == {"ReservedConcurrentExecutions": 1}
    ),
    "get_provisioned_concurrency": answer(
        lambda r: r["RequestedProvisionedConcurrentExecutions"] == 2
        and r["AvailableProvisionedConcurrentExecutions"] == 2
        and r["Status"] == "READY"
    ),
    "get_account_settings": answer(
        lambda r: r["AccountUsage"]["FunctionCount"] == 11
        and r["AccountLimit"]["ConcurrentExecutions"] == 9 * 16 + 1 + 4
    ),
    "list_tags": answer(lambda r: r == {"Tags": {"team": "night"}}),
    "invoke_no_payload": reply(HELLO),
    "invoke_payload": reply(ADA),
    "invoke_base64": error(
        400,
        "InvalidRequestContentException",
        "not (UTF-8|JSON) at byte .*--cli-binary-format raw-in-base64-out",
    ),
    "invoke_event": nothing(202),
    "invoke_dry_run": nothing(204),
    "invoke_tail": tail,
    "invoke_arn": reply(ADA, "1"),
    "invoke_qualifier": reply(HELLO),
    "invoke_context": reply(
        lambda text: 'client-context={"custom":{"k":"v"}}\n' in text
    ),
    "invoke_context_bad": error(
        400, "InvalidRequestContentException", "valid Base64-encoded JSON"
    ),
    "invoke_failing": reply(
        {"errorMessage": 'as it was "told" to', "errorType": "Test.Failed"},
        failure="Handled",
    ),
    "invoke_unknown": no_function("none"),
    "delete_function": error(
        501, "NotImplementedException", "no operation DELETE "
    ),
}


def main():
    folder = pathlib.Path(__file__).parent
    recorded = {file.stem: file for file in folder.glob("*.http")}
    expect(set(CHECKS), set(recorded), "recordings")
    failed = 0
    connection = Connection(int(sys.argv[1]))
    for name, check in CHECKS.items():
        try:
            response, body = connection.exchange(recorded[name].read_bytes())
            check(response, body)
            call = response.headers["x-amzn-RequestId"]
            assert UUID.fullmatch(call), f"x-amzn-RequestId: {call}"
            print(f"ok - {name}")
        except (AssertionError, KeyError, TypeError, ValueError) as error:
            print(f"not ok - {name}: {error!r}")
            failed = 1
        if response.isclosed() and response.headers["Connection"] == "close":
            connection = Connection(int(sys.argv[1]))
    sys.exit(failed)


main()
