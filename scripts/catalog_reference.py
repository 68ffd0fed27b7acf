#!/usr/bin/env python3
"""catalog_reference.py [--check] - writes the reference of the catalog's keys.

It reads config/catalog.schema.json and replaces the text between the lines that name
this program, in docs/catalog.md and docs/man/thaw.1. With --check it writes nothing,
and exits with 1 if the text would change.
"""
import json
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
SCHEMA = json.loads((TOP / 'config/catalog.schema.json').read_text())
MARK = 'keys, by scripts/catalog_reference.py'


def resolve(schema):
    """Follows references. A key beside a reference wins over the key it refers to."""
    while '$ref' in schema:
        beside = {key: value for key, value in schema.items() if key != '$ref'}
        name = schema['$ref'].split('/')[-1]
        schema = {**SCHEMA['$defs'][name], **beside, 'kind': name}
    return schema


def value_of(schema):
    """The kind of value, in words and JSON."""
    if 'const' in schema:
        return [json.dumps(schema['const'])]
    if 'enum' in schema:
        return [json.dumps(word) for word in schema['enum']]
    if schema.get('kind') in ('size', 'duration'):
        return f"a {schema['kind']}"
    if schema['type'] == 'boolean':
        return ['true', 'false']
    if schema['type'] == 'integer':
        return f"{schema['minimum']} to {schema['maximum']}"
    return {'string': 'a string', 'object': 'an object',
            'array': 'an array'}[schema['type']]


def keys_of(schema):
    """Yields a row for each key of an object: key, value, default or None, text."""
    for key, member in schema['properties'].items():
        member = resolve(member)
        default = json.dumps(member['default']) if 'default' in member else None
        if key in schema.get('required', ()):
            default = 'required'
        yield key, value_of(member), default, member['description']


def tables():
    """Yields the title and the rows of each object that has keys."""
    function = resolve(SCHEMA['properties']['functions'])['items']
    function = resolve(function)
    yield 'The document', keys_of(SCHEMA)
    yield 'A function', keys_of(function)
    for key in ('warm_input', 'concurrency', 'host'):
        yield key, keys_of(resolve(function['properties'][key]))


def in_defaults():
    return list(SCHEMA['properties']['defaults']['properties'])


def markdown():
    def code(text):
        return f'`{text}`'

    for title, rows in tables():
        title = title if ' ' in title else f'A function: {code(title)}'
        yield f'## {title}\n\n| key | value | default | |\n|---|---|---|---|\n'
        for key, value, default, text in rows:
            value = (', '.join(map(code, value)) if isinstance(value, list)
                     else value)
            default = ('-' if default is None else default
                       if default == 'required' else code(default))
            yield f'| {code(key)} | {value} | {default} | {text} |\n'
        yield '\n'
    yield ('`defaults` may have ' + ', '.join(map(code, in_defaults())) + '.\n')


def roff(text):
    """Puts each sentence on a line of its own and escapes what roff would read."""
    text = text.replace('\\', '\\e').replace('-', '\\-')
    return re.sub(r'(?<=\.) (?=[A-Z0-9]|thaw )', '\n', text)


def man():
    for title, rows in tables():
        title = title if ' ' in title else f'A function: {title}'
        yield f'.Ss {title}\n.Bl -tag -width Ds\n'
        for key, value, default, text in rows:
            value = (', '.join(value) if isinstance(value, list) else
                     value[0].upper() + value[1:])
            head = f'{value}; ' + ('no default' if default is None else
                                   default if default == 'required' else
                                   f'default {default}') + '.'
            yield f'.It Cm {key}\n{roff(head)}\n{roff(text)}\n'
        yield '.El\n'
    yield ('.Pp\n.Cm defaults\nmay have ' +
           roff(', '.join(in_defaults())) + '.\n')


def between(path, begin, end, text):
    """The file's text with @text between those lines."""
    old = path.read_text()
    head, found, rest = old.partition(begin)
    _, found_end, tail = rest.partition(end)
    if not found or not found_end:
        sys.exit(f'{path}: no lines {begin!r} and {end!r}')
    return old, head + begin + text + end + tail


def main():
    check = sys.argv[1:] == ['--check']
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    stale = 0
    for name, begin, end, text in (
            ('docs/catalog.md', f'<!-- {MARK} -->\n\n', '\n<!-- end -->\n',
             markdown()),
            ('docs/man/thaw.1', f'.\\" {MARK}\n', '.\\" end of the keys\n',
             man())):
        path = TOP / name
        old, new = between(path, begin, end, ''.join(text))
        if old == new:
            continue
        stale += 1
        if check:
            print(f'{name}: differs from the schema: run '
                  'scripts/catalog_reference.py')
        else:
            path.write_text(new)
    sys.exit(check and stale > 0)


main()
