#!/usr/bin/env python3
"""report.py FILE - prints the table of what measure.py has written to FILE."""

import json
import sys
from statistics import median

CONNECTIONS = 50


def rounds_of(results, name):
    for row in results['rows']:
        if row['name'] == name:
            return row['rounds']
    return []


def ratio_of(row, others, key):
    """The median over the rounds of the ratio of the two in a round."""
    ratios = [mine[key] / other[key] for mine, other in zip(row['rounds'], others)
              if other[key]]
    return median(ratios) if ratios else None


def number(value, digits):
    return '-' if value is None else f'{value:.{digits}f}'


def middle(row, key, digits, scale=1):
    values = [one[key] for one in row['rounds'] if one.get(key) is not None]
    return number(median(values) / scale if values else None, digits)


def request_lines(results):
    rows = [row for row in results['rows'] if not row['is_served']]
    warm = rounds_of(results, 'invoke.warm')
    if rows:
        yield ('{:<19}{:>11}{:>11}{:>11}{:>16}  {}'.format(
            'A REQUEST, US', 'P50', 'P99', 'CPU', 'TO INVOKE.WARM',
            'NEW FOR EACH REQUEST'))
    for row in rows:
        yield ('{:<19}{:>11}{:>11}{:>11}{:>16}  {}'.format(
            row['name'], middle(row, 'p50', 2), middle(row, 'p99', 2),
            middle(row, 'cpu', 2), number(ratio_of(row, warm, 'p50'), 3), row['new']))


def served_lines(results):
    rows = [row for row in results['rows'] if row['is_served']]
    one = rounds_of(results, 'http.thaw.1')
    form = '{:<19}{:>8}{:>8}{:>8}{:>9}{:>7}{:>10}{:>8}  {}'
    if rows:
        yield ''
        yield form.format('SERVED', 'RATE', 'P50', 'P99', 'CPU', 'RSS', 'FIRST', 'RATE TO',
                          'NEW FOR EACH REQUEST')
        yield form.format(f'{CONNECTIONS} connections', '1/s', 'ms', 'ms', 'us', 'MiB',
                          'reply, ms', 'THAW.1', '')
    for row in rows:
        yield form.format(
            row['name'], middle(row, 'rate', 0), middle(row, 'p50', 2, 1000),
            middle(row, 'p99', 2, 1000), middle(row, 'cpu', 1), middle(row, 'rss', 1),
            middle(row, 'first', 1), number(ratio_of(row, one, 'rate'), 3), row['new'])


def table(results):
    """The lines of the table; what was skipped, and why, is at the end."""
    for name, text in results['machine'].items():
        yield f'{name:<13}{text}'
    yield ''
    lines = [*request_lines(results), *served_lines(results)]
    yield from lines[1:] if lines and not lines[0] else lines
    notes = [f'{name}: {text}' for name, text in results['notes'].items()]
    notes += [f'{name} is skipped: {text}' for name, text in results['skipped'].items()]
    if notes:
        yield ''
    yield from notes


def main():
    if len(sys.argv) != 2:
        sys.exit('usage: report.py FILE')
    with open(sys.argv[1], encoding='utf-8') as file:
        results = json.load(file)
    for line in table(results):
        print(line.rstrip())


if __name__ == '__main__':
    main()
