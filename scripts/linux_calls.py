#!/usr/bin/env python3
"""linux_calls.py [--check] - writes the list of Linux's system calls in docs/linux.md.

It reads the tables in executor/linux/calls.c and signatures.c, and replaces the text
between the lines that name this program. With --check it writes nothing, and exits with
1 if the text would change.
"""
import pathlib
import re
import sys
import textwrap

TOP = pathlib.Path(__file__).resolve().parents[1]
SOURCES = TOP / 'executor/linux'
DOCUMENT = TOP / 'docs/linux.md'
MARK = 'system calls, by scripts/linux_calls.py'
BEGIN, END = f'<!-- {MARK} -->\n', '<!-- end -->\n'
ERRORS = {
    'EPERM': 'a program may not do that here',
    'EROFS': 'files are read-only',
    'ENOSYS': 'libraries do without it',
    'EINVAL': 'libraries read and write instead',
    'ENOTSOCK': 'there are no sockets',
    'ECHILD': 'there are no other processes',
    'EOPNOTSUPP': 'files have no extended attributes',
}


def answers():
    """The functions that do nothing but succeed or fail: their answer, by name."""
    found = {'call_no_socket': 'ENOTSOCK'}  # or EBADF
    for path in SOURCES.glob('*.c'):
        for name, answer in re.findall(
                r'^int64_t (call_\w+)\([^)]*\)\n\{\n(?:\t\(void\)\w+;\n)*'
                r'\treturn (-E\w+|0);\n\}', path.read_text(), re.M):
            if answer != '0' or name == 'call_nothing':
                found[name] = answer.lstrip('-')
    return found


def rows():
    """The calls of the table, each with the function that does it."""
    text = (SOURCES / 'calls.c').read_text()
    return dict(re.findall(r'^\tCALL\((\w+),\s*(call_\w+)\)', text, re.M))


def signatures():
    """The calls of Linux; and those of them that only x86_64 has."""
    text = (SOURCES / 'signatures.c').read_text()
    common, _, rest = text.partition('#ifdef SYS_open')
    names = [re.findall(r'^\tSIGNATURE\((\w+),', part, re.M)
             for part in (common, rest)]
    if not all(names):
        sys.exit('signatures.c: no table of the form that this program reads')
    return sorted(names[0] + names[1]), set(names[1])


def generate():
    calls, known = rows(), answers()
    names, x86_64 = signatures()
    unknown = sorted(set(calls) - set(names))
    if not calls or unknown:
        sys.exit(f'calls.c: no rows, or no signature of {", ".join(unknown)}')

    def paragraph(title, chosen):
        chosen = list(chosen)
        if not chosen:
            return ''
        text = ', '.join(f'`{name}`' + ('*' if name in x86_64 else '')
                         for name in chosen)
        return '\n'.join(textwrap.wrap(
            f'**{title}** ({len(chosen)}): {text}.', 98,
            break_long_words=False, break_on_hyphens=False)) + '\n\n'

    def of(answer):
        return (name for name in names
                if name in calls and known.get(calls[name]) == answer)

    yield ('\nA star marks what only x86_64 has. Numbers that are not listed '
           'return ENOSYS.\n\n')
    yield paragraph('Supported', (name for name in names if name in calls and
                                  calls[name] not in known))
    yield paragraph('Does nothing, and succeeds', of('0'))
    for error in sorted(set(known.values()) - {'0'}):
        why = f', since {ERRORS[error]}' if error in ERRORS else ''
        yield paragraph(f'{error} on purpose{why}', of(error))
    yield paragraph('ENOSYS, and logged',
                    (name for name in names if name not in calls))


def main():
    check = sys.argv[1:] == ['--check']
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    old = DOCUMENT.read_text()
    head, found, rest = old.partition(BEGIN)
    _, found_end, tail = rest.partition(END)
    if not found or not found_end:
        sys.exit(f'{DOCUMENT}: no lines {BEGIN!r} and {END!r}')
    new = head + BEGIN + ''.join(generate()) + END + tail
    if not check:
        DOCUMENT.write_text(new)
    elif new != old:
        sys.exit(f'{DOCUMENT}: out of date: run scripts/linux_calls.py')


if __name__ == '__main__':
    main()
