#!/usr/bin/python3
"""The schema of the catalog and thaw's own checks say the same.

usage: catalog_schema.py BUILD-DIR

Editors check catalogs with config/catalog.schema.json, and thaw checks them by code.
This test gives the files of tests/catalog to both, and compares the verdicts, the
keys, the ranges and the default catalog. It runs the build's
`thaw catalog validate FILE`, whose exit status is 0 for a good catalog and 3 for one
that it refuses.
"""
import json
import pathlib
import platform
import re
import shutil
import struct
import subprocess
import sys
import tempfile

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("skipped: no python3-jsonschema")
    sys.exit(77)

# The smallest image there can be: an ELF file with a page of code.
MACHINE = {"x86_64": 62, "aarch64": 183}[platform.machine()]
IMAGE = struct.pack(
    "<4sBBBx8xHHIQQQIHHHHHH" "IIQQQQQQ", b"\x7fELF", 2, 1, 1, 2, MACHINE, 1,
    0x100078, 64, 0, 0, 64, 56, 1, 0, 0, 0,
    1, 5, 0, 0x100000, 0x100000, 124, 124, 4096) + bytes(4)

TOP = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = json.loads((TOP / "config/catalog.schema.json").read_text())

# What a schema cannot say, or says otherwise, and thaw refuses.
BEYOND_SCHEMA = {
    "base_not_there": "equality of parts of elements",
    "base_of_itself": "the same",
    "base_of_base": "the same",
    "base_of_linux_kind": "the same",
    "init_more_than_max_request": "order of two values",
    "init_file_not_there": "the file system",
    "key_twice": "readers of JSON drop the first of two equal keys",
    "name_twice": "equality of parts of elements",
    "image_not_there": "the file system",
    "image_is_directory": "the file system",
    "nul_character": "a string with a zero is a string",
    "concurrency_whole_real": "4.0 is an integer in JSON Schema",
    "memory_less_than_its_parts": "sums",
    "warm_more_than_max": "order of two values",
    "warm_input_more_than_max_request": "order of two values",
    "memory_not_a_multiple": "sizes are strings, which have no order",
    "memory_too_small": "the same",
    "memory_too_large": "the same",
    "memory_overflows": "the same",
    "stack_too_small": "the same",
    "max_request_too_large": "the same",
    "max_reply_too_small": "the same",
    "timeout_zero": "the same for durations",
    "timeout_too_long": "the same",
    "host_invokes_nobody": "equality of parts of elements",
    "host_max_size_too_small": "sizes are strings, which have no order",
    "host_max_size_too_large": "the same",
    "host_max_size_more_than_memory": "sums",
    "init_timeout_too_long": "the same for durations",
    "queue_timeout_too_long": "the same",
    "tmp_too_small": "sizes are strings, which have no order",
    "tmp_too_large": "the same",
    "interrupts_no_such_line": "numbers in strings, which have no order",
    "interrupts_of_the_timer": "the same",
    "interrupts_too_late": "the same",
    "root_not_there": "the file system",
    "root_and_relative_program": "a path that depends on another key",
}

failures = []


def expect(condition, message):
    if not condition:
        failures.append(message)


class Thaw:
    """Runs `thaw catalog validate` on files in a directory of its own."""

    def __init__(self, binary, directory):
        self.binary = binary
        self.directory = directory

    def validate(self, path):
        """Returns the refusal of the file at path, or None."""
        result = subprocess.run(
            [self.binary, "catalog", "validate", path],
            capture_output=True, text=True, timeout=60, check=False)
        if result.returncode not in (0, 3):
            sys.exit(f"{path}: exit code {result.returncode}\n{result.stderr}")
        return result.stderr if result.returncode else None

    def validate_value(self, document):
        path = self.directory / "value.json"
        path.write_text(json.dumps(document))
        return self.validate(path)


def schema_accepts(text):
    try:
        document = json.loads(text)
    except ValueError:
        return False
    return Draft202012Validator(SCHEMA).is_valid(document)


def test_corpus(thaw, corpus):
    for kind in ("good", "bad"):
        (corpus / kind / "image.elf").write_bytes(IMAGE)
        (corpus / kind / "image.elf").chmod(0o755)
        for path in sorted((corpus / kind).glob("*.json")):
            refusal = thaw.validate(path)
            schema = schema_accepts(path.read_text())
            beyond = kind == "bad" and path.stem in BEYOND_SCHEMA
            expect((refusal is None) == (kind == "good"),
                   f"{kind}/{path.name}: thaw says: {refusal}")
            expect(schema == (kind == "good" or beyond),
                   f"{kind}/{path.name}: the schema says {schema}")
            expect(refusal is None or f"{path.name}:" in refusal,
                   f"{path.name}: no file and line in: {refusal}")
    for name in BEYOND_SCHEMA:
        expect((corpus / "bad" / f"{name}.json").exists(),
               f"BEYOND_SCHEMA names {name}, which is not there")


def resolve(schema):
    """Follows references; what stands beside one wins over what it names."""
    while "$ref" in schema:
        beside = {k: v for k, v in schema.items() if k != "$ref"}
        schema = {**SCHEMA["$defs"][schema["$ref"].split("/")[-1]], **beside}
    return schema


# Keys of functions that only Linux programs have, and that have a default or a range.
OF_PROGRAMS = ("tmp", "writable_code", "devices", "interrupts")


def catalog_with(path, key, value):
    """A catalog that is right but for key at path, such as ("host",)."""
    function = {"name": "f", "image": "image.elf"}
    if "warm_input" in path or key in OF_PROGRAMS:
        function = {"name": "f", "kind": "linux", "program": "image.elf"}
    if "warm_input" in path:
        function["warm_input"] = {"text": "{}"}
    document = {"defaults": {}, "functions": [function]}
    place = document
    for step in path:
        if isinstance(place, dict):
            place = place.setdefault(step, {})
        else:
            place = place[step]
    place[key] = value
    return document


def objects(schema, path=()):
    """All objects with fixed keys: pairs of a path and a schema."""
    schema = resolve(schema)
    if "properties" in schema:
        yield path, schema
    for key, member in schema.get("properties", {}).items():
        yield from objects(member, path + (key,))
    if "items" in schema:
        yield from objects(schema["items"], path + (0,))


def test_keys(thaw):
    """A refused key is answered with the known ones: they are the schema's."""
    for path, schema in objects(SCHEMA):
        refusal = thaw.validate_value(catalog_with(path, "no such key", 0))
        known = re.search(r"Known: (.*)", refusal or "")
        known = set(known[1].split(", ")) if known else refusal
        expect(known == set(schema["properties"]),
               f"keys of {path}: thaw knows {known}, "
               f"the schema {set(schema['properties'])}")


def test_values(thaw):
    """Defaults are accepted; ranges are those of thaw's refusals."""
    for path, schema in objects(SCHEMA):
        for key, member in schema["properties"].items():
            member = resolve(member)
            where = "/".join(map(str, path + (key,)))
            if "default" in member:
                document = catalog_with(path, key, member["default"])
                expect(thaw.validate_value(document) is None,
                       f"{where}: default refused")
            if "KiB" in member.get("pattern", ""):
                wrong = "0B"
            elif "ms" in member.get("pattern", ""):
                wrong = "0ns"
            elif member.get("type") == "integer":
                wrong = -1
            else:
                continue
            refusal = thaw.validate_value(catalog_with(path, key, wrong))
            stated = re.search(r"accepted is (\w+ to \w+)", refusal or "")
            if wrong == -1:
                same = stated and stated[1] == (
                    f"{member['minimum']} to {member['maximum']}")
            else:
                same = stated and stated[1] in member["description"]
            expect(same, f"{where}: range differs from: {refusal}")
            expect(f" /{where}: " in (refusal or ""),
                   f"{where}: not the pointer in: {refusal}")


def test_default_catalog(thaw, directory):
    """config/functions.json is right, given its images."""
    text = (TOP / "config/functions.json").read_text()
    path = directory / "config/functions.json"
    path.parent.mkdir()
    path.write_text(text)
    for function in json.loads(text)["functions"]:
        image = path.parent / function["image"]
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(IMAGE)
    refusal = thaw.validate(path)
    expect(refusal is None, f"functions.json: {refusal}")
    expect(schema_accepts(text), "functions.json: refused by the schema")
    text = (TOP / "config/linux.json.in").read_text()
    expect(schema_accepts(text.replace("@CMAKE_SOURCE_DIR@", str(TOP))),
           "linux.json.in: refused by the schema")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    Draft202012Validator.check_schema(SCHEMA)
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        (directory / "image.elf").write_bytes(IMAGE)
        (directory / "image.elf").chmod(0o755)
        thaw = Thaw(pathlib.Path(sys.argv[1]).resolve() / 'thaw', directory)
        corpus = directory / "catalog"
        shutil.copytree(TOP / "tests/catalog", corpus)
        test_corpus(thaw, corpus)
        test_keys(thaw)
        test_values(thaw)
        test_default_catalog(thaw, directory)
    for failure in failures:
        print(failure)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
