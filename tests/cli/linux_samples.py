#!/usr/bin/python3
"""Each function of config/linux.json.in answers, again and again.

usage: linux_samples.py BUILD-DIR

A function whose program, or whose library, is not installed is skipped by its name.
"""
import glob
import json
import pathlib
import subprocess
import sys

BUILD = pathlib.Path(sys.argv[1]).resolve()
CATALOG = BUILD / "linux.json"
NEEDS = {"lua": "/usr/lib/*/lua/5.4/cjson.so",
         "perl": "/usr/share/perl/*/JSON/PP.pm"}

# Of each function: the path or None, the request, and the reply; of a request that
# fails, the beginning of the message.
CASES = {
    "awk": [
        (None, "to be or not\nto be", "2 lines, 6 words, longest: not\n"),
        (None, "", "0 lines, 0 words, longest: \n"),
        (None, "a " * 2000, "1 lines, 2000 words, longest: a\n"),
    ],
    "bash": [
        (None, "3 4\n5 6\n", "12\n30\n"),
        (None, "08 999999999\n", "7999999992\n"),
        # expressions would be evaluated, and this one for ever
        (None, "a[a] 1\n", ("Runtime.ExitError: the program exited with status 1: "
                            "no two numbers: a[a] 1",)),
    ],
    "gawk": [
        (None, "name,n\nb,1\na,2.5\nb,3\n", "a 2.5\nb 4\n"),
    ],
    "jq": [
        (None, '{"customer":"Ada","items":[{"price":2.5,"count":4},'
               '{"price":1,"count":2}]}', '{"customer":"Ada","total":12}\n'),
        (None, "no JSON", ("Runtime.ExitError: the program exited with status ",)),
    ],
    "sqlite3": [
        (None, "SELECT count(*) AS n FROM planets WHERE moons > 1;", '[{"n":3}]\n'),
        # what a request changes is gone with it
        (None, "DELETE FROM planets; SELECT count(*) AS n FROM planets;",
         '[{"n":0}]\n'),
        (None, "SELECT count(*) AS n FROM planets;", '[{"n":4}]\n'),
        (None, "SELECT * FROM stars;", ("Runtime.ExitError: ",)),
    ],
    "perl": [
        (None, '{"function":"add","args":[20,22]}', '{"result":42}'),
        ("/titles", '["a tale OF", "two cities"]',
         '{"result":["A Tale Of","Two Cities"]}'),
        ("/fail", "", ("Error: as asked",)),
        ("/system", '["id"]', ("Error: no such function: system",)),
    ],
    "lua": [
        (None, '{"function":"add","args":[20,22]}', '{"result":42}'),
        ("/reverse", '["abc"]', '{"result":"cba"}'),
        ("/fail", "", ("Error: as asked",)),
        ("/print", '["x"]', ("Error: no such function: print",)),
    ],
    "python": [
        (None, '{"function":"add","args":[20,22]}', '{"result": 42}'),
        ("/add", '{"a":20,"b":22}', '{"result": 42}'),
        ("/middle", '[[{"x":1,"y":2},{"x":3,"y":6}]]',
         '{"result": {"x": 2.0, "y": 4.0}}'),
        ("/count_words", '["to be or not to be"]',
         '{"result": [["be", 2], ["to", 2], ["not", 1]]}'),
        ("/times_called", "", '{"result": 1}'),
        ("/parse", '["{"]', ("JSONDecodeError: Expecting property name",)),
        ("/re", "", ("KeyError: 're'",)),
        ("/__import__", '["os"]', ("KeyError: '__import__'",)),
        ("/add", "[1", ("function python: the request is not JSON",)),
    ],
    "stock": [
        (None, "apple 0.5 10\npear 1.25 2\napple 1 1\n", "apple 6.00\npear 2.50\n"),
        (None, "pear\npear 1 -1\n", "2 mistakes\n"),
    ],
    "primes": [
        (None, "100", "25\n"),
        (None, "0", "0\n"),
        (None, "100000", "9592\n"),
        (None, "no number", ("Runtime.ExitError: the program exited with status 2",)),
    ],
}

failures = []


def invoke(name, path, request, *more):
    command = [BUILD / "thaw", "invoke", "-c", CATALOG, name, "-d", "@-", *more]
    command += ["--path", path] if path else []
    return subprocess.run(command, input=request.encode(), capture_output=True,
                          timeout=120, check=False)


def check(name, path, request, expected):
    result = invoke(name, path, request)
    if isinstance(expected, str):
        good = result.returncode == 0 and result.stdout.decode() == expected
        # the replies of a vm that has answered before are the same
        again = invoke(name, path, request, "--repeat", "5")
        good = good and again.returncode == 0
        result.stderr += again.stderr if again.returncode else b""
    else:
        good = result.returncode != 0 and expected[0] in result.stderr.decode()
    if not good:
        failures.append(f"{name} {path} {request[:60]!r}: {result.stdout!r} "
                        f"{result.stderr.decode()}")


def reason_to_skip(function):
    program = BUILD / function["program"]
    if not program.exists():
        return f"there is no {program}"
    needed = NEEDS.get(function["name"])
    return f"there is no {needed}" if needed and not glob.glob(needed) else None


def main():
    functions = json.loads(CATALOG.read_text())["functions"]
    names = {function["name"] for function in functions}
    if names != CASES.keys():
        sys.exit(f"the functions are {names}, and this test is of {set(CASES)}")
    done = 0
    for function in functions:
        reason = reason_to_skip(function)
        if reason:
            print(f"skip: {function['name']}: {reason}")
            continue
        for case in CASES[function["name"]]:
            check(function["name"], *case)
        done += 1
    print("\n".join(failures))
    sys.exit(1 if failures else 0 if done else 77)


if __name__ == "__main__":
    main()
