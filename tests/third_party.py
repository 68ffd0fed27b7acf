#!/usr/bin/env python3
"""third_party.py BUILD - what is compiled from others, and under which licences.

Fails if a file that the build compiles is not ours and of no component below, if its
licence is not in third_party/licences.txt (which has the permissive ones alone) or
has another text there, if NOTICE does not name licence and copyright holder, or if
third_party/picolibc_tests.txt leaves out a test program of picolibc's.

--licences prints the lines for licences.txt, --holders the names for NOTICE.
"""
import fnmatch
import glob
import hashlib
import json
import os
import re
import sys

THIRD_PARTY = "build/third_party"

problems = []


def complain(text):
    if text not in problems:
        problems.append(text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def lines_of(path):
    return [line for line in read(path).splitlines() if line.strip()
            and not line.startswith("#")]


class Copyright:
    """A file in Debian's machine-readable form (DEP-5)."""

    def __init__(self, path):
        self.files, self.texts = [], {}
        for block in read(path).split("\n\n"):
            fields = self.fields_of(block)
            if "Files" in fields:
                patterns = map(fnmatch.translate, fields["Files"].split())
                self.files.append((re.compile("|".join(patterns)), fields))
            elif "License" in fields:
                name, _, text = fields["License"].partition("\n")
                self.texts[name] = text

    @staticmethod
    def fields_of(block):
        fields, name = {}, None
        for line in block.splitlines():
            if line[:1].isspace() and name:
                fields[name] += "\n" + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
        return fields

    def of(self, path):
        """The name of a file's licence, and its holders: the last match counts."""
        found = None
        for pattern, fields in self.files:
            if pattern.match(path):
                found = fields
        if not found:
            return None, []
        return (found["License"].splitlines()[0],
                found["Copyright"].splitlines())

    def digest(self, name):
        words = " ".join(self.texts[name].split())
        return hashlib.sha256(words.encode()).hexdigest()[:16]


class Headers:
    """Sources that have their licence in their first comment, as LICENSE has it."""

    def __init__(self, folder):
        self.folder = folder
        self.text = normal(read(folder + "/LICENSE").split("\n\n", 2)[2])

    def of(self, path):
        """A generated file, which has no such comment, is under LICENSE, too."""
        head = read(self.folder + "/" + path)[:4000]
        if "Copyright" not in head:
            head = read(self.folder + "/LICENSE")
        head = head.replace(" * ", " ")
        if self.text not in normal(head):
            return None, []
        return "LICENSE", re.findall(r"Copyright \(c\) [\d, -]*(.*)", head)

    def digest(self, name):
        del name
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def files_below(folder):
    return sorted(os.path.relpath(path, folder)
                  for path in glob.glob(folder + "/**", recursive=True)
                  if os.path.isfile(path))


def sources_below(folder):
    return [path for path in files_below(folder) if path.endswith((".c", ".h"))]


class Component:
    """A name in NOTICE and licences.txt, and the files that it is compiled from."""

    def __init__(self, name, folder, licences, paths):
        self.name, self.folder, self.paths = name, folder, paths
        self.copyright = licences


def components():
    found = []
    for folder in sorted(glob.glob(THIRD_PARTY + "/picolibc-*/")):
        folder = folder.rstrip("/")
        # one that an older recipe has made is not part of this build
        if os.path.exists(folder + "/sources"):
            paths = lines_of(folder + "/sources") + files_below(folder + "/tests")
            licences = Copyright(folder + "/COPYING.picolibc")
            found.append(Component("picolibc", folder, licences, paths))
    if not found:
        complain(f"no picolibc in {THIRD_PARTY}: run third_party/picolibc.sh")
    folder = THIRD_PARTY + "/llhttp"
    found.append(Component("llhttp", folder, Copyright(folder + "/copyright"),
                           ["llhttp/" + path for path in sources_below(folder)]))
    folder = THIRD_PARTY + "/quickjs"
    if os.path.exists(folder):  # thaw builds without it
        found.append(Component("QuickJS", folder, Headers(folder),
                               sources_below(folder)))
    return found


def plain(name):
    """A holder without years, address, and what is written in many ways."""
    name = re.sub(r"<.*|\(.*|@.*", "", name)
    name = re.sub(r"^[\d\s,.-]*(by |The )?|\s*\d{4}$", "", name)
    name = re.split(r"[.,]? (Rights transferred|Developed at|et al|SPDX)", name)[0]
    return re.sub(r",? *(Inc|Incorporated|Ltd|LLC)?[.,]?$", "", name.strip())


def normal(text):
    return " ".join(re.sub(r"[^\w]+", " ", text).lower().split())


def notice_sections():
    """What NOTICE says of each: a line at the margin, with its indented text."""
    sections, name = {}, None
    for line in read("NOTICE").splitlines():
        if line and not line[0].isspace():
            name = line.split()[0]
        elif name:
            sections[name] = sections.get(name, "") + "\n" + line
    return {name: f" {normal(text)} " for name, text in sections.items()}


def check_licences(component, known, notice):
    names, holders = {}, set()
    for path in component.paths:
        name, of_file = component.copyright.of(path)
        if not name:
            complain(f"{component.name}: {path}: its licence is not known")
            continue
        names.setdefault(name, path)
        holders.update(plain(holder) for holder in of_file)
    for name, path in sorted(names.items()):
        digest = component.copyright.digest(name)
        kind = known.get((component.name, name, digest))
        if not kind:
            complain(f"{component.name}: {path}: licence {name} {digest} is not in "
                     "third_party/licences.txt: read it, and add it there if it "
                     "is permissive")
        elif f" {normal(kind)} " not in notice.get(component.name, ""):
            complain(f"NOTICE does not name the licence {kind} of "
                     f"{component.name} ({path})")
    for holder in sorted(holders):
        if f" {normal(holder)} " not in notice.get(component.name, ""):
            complain(f"NOTICE does not name {holder}, of {component.name}")
    return names, holders


def check_compiled(build, found):
    """All that the compilers are given is the repository's or a component's."""
    top = os.path.realpath(".")
    folders = [os.path.realpath(component.folder) for component in found]
    for command in json.loads(read(build + "/compile_commands.json")):
        path = os.path.realpath(os.path.join(command["directory"], command["file"]))
        if any(path.startswith(folder + "/") for folder in folders):
            continue
        if not path.startswith(top + "/") or path.startswith(top + "/build/"):
            complain(f"{path} is compiled: add its component to tests/"
                     "third_party.py, third_party/licences.txt and NOTICE")


def check_programs(component):
    """Each test program has one line, and each line has one."""
    listed = []
    for line in lines_of("third_party/picolibc_tests.txt"):
        kind, path, reason = (line.split(maxsplit=2) + ["", ""])[:3]
        if kind not in ("run", "part", "left") or bool(reason) != (kind == "left"):
            complain(f"picolibc_tests.txt: not a line of it: {line}")
        listed.append(path)
    programs = lines_of(component.folder + "/test_programs")
    for program in programs:
        matches = [path for path in listed if fnmatch.fnmatchcase(program, path)]
        if len(matches) != 1:
            complain(f"picolibc_tests.txt: {program} has {len(matches)} lines, "
                     "not one: say whether it is run, or why not")
    for path in listed:
        if not any(fnmatch.fnmatchcase(program, path) for program in programs):
            complain(f"picolibc_tests.txt: picolibc has no {path}")


def main():
    found = components()
    known = {}
    for line in lines_of("third_party/licences.txt"):
        component, name, digest, kind = line.split(maxsplit=3)
        known[component, name, digest] = kind
    notice = notice_sections()
    print_licences = "--licences" in sys.argv
    lines, all_holders, count = set(), set(), 0
    for component in found:
        names, holders = check_licences(component, known, notice)
        count += len(component.paths)
        all_holders |= {(component.name, holder) for holder in holders}
        for name in names:
            digest = component.copyright.digest(name)
            kind = known.get((component.name, name, digest), "?")
            lines.add(f"{component.name} {name} {digest} {kind}")
        if component.name == "picolibc":
            check_programs(component)
    if print_licences:
        print("\n".join(sorted(lines)))
        return
    if "--holders" in sys.argv:
        print("\n".join(sorted(" ".join(holder) for holder in all_holders)))
        return
    check_compiled(sys.argv[1], found)
    for line in sorted(lines):
        print(line)
    print(f"{count} files, {len(lines)} licences, {len(problems)} problems")
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
