#!/usr/bin/env python3
"""driver.py MODULE.py - answers calls of the functions that the module defines."""
import importlib.util
import json
import sys
import traceback

spec = importlib.util.spec_from_file_location("module", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
functions = {name: value for name, value in vars(module).items()
             if getattr(value, "__module__", "") == "module" and name[0] != "_"}


def answer(call):
    function, args = functions[call["function"]], call.get("args", [])
    return function(**args) if isinstance(args, dict) else function(*args)


requests, replies = open("/dev/thaw"), open("/dev/thaw", "w")
for line in requests:
    try:
        reply = json.dumps({"result": answer(json.loads(line))})
    except Exception as error:
        traceback.print_exc()
        reply = json.dumps({"error": {"type": type(error).__name__,
                                      "message": str(error)}})
    print(reply, file=replies, flush=True)
