#!/usr/bin/env python3
"""measure.py [OPTION...] - measures the rows of peers.py in turns, and prints the table.
run.sh calls it, when the tools are ready, and has the options.

In a round each row has its turn, so that other load on the machine affects all of them
alike. Rows without a command are those of `thaw bench`, which measures them together.
A server is started for its turn, asked until it answers, and loaded by wrk.
"""

import argparse
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time

import peers
import report

ROUNDS = 4
# Of a round's time: what `thaw bench` has, what another row has, what a server has.
BENCH_PARTS, PARTS, SERVED_PARTS = 3, 1, 8
WARM_UP_S = 1  # of load that does not count
START_MAX_S = 30
TICKS = os.sysconf('SC_CLK_TCK')
PAGE = os.sysconf('SC_PAGE_SIZE')


class Failed(Exception):
    """A row cannot be measured; the text says why."""


def run(command, **environment):
    """The output of a program. Failed: its last line of standard error."""
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=300,
                              env={**os.environ, **environment})
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(str(error)) from error
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f'exit status {done.returncode}']
        raise Failed(words[-1])
    return done.stdout


class Machine:
    """The files and programs that commands name in braces."""

    def __init__(self, options):
        here = os.path.dirname(os.path.abspath(__file__))
        build, tools = (os.path.abspath(path) for path in (options.build, options.tools))
        self.tools = tools
        self.words = {
            'here': here, 'tools': tools, 'thaw': f'{build}/thaw',
            'spawned': f'{build}/bench/guest/spawned',
            'served': f'{tools}/served.json', 'javascript': f'{tools}/javascript.json',
            'configuration': f'{tools}/nginx.conf',
            'bwrap': self.program('bwrap'), 'nginx': self.program('nginx'),
            'workerd': self.program('workerd'),
        }
        self.write_catalog('served', build, 'hello', 'redirect', 'echo')
        self.write_catalog('javascript', build, 'javascript')

    def program(self, name):
        """Where run.sh has found it, or nothing."""
        try:
            with open(f'{self.tools}/{name}.path', encoding='utf-8') as file:
                return file.read().strip()
        except FileNotFoundError:
            return ''

    def write_catalog(self, word, build, *names):
        functions = [{'name': name, 'image': f'{build}/guest/{name}.elf'}
                     for name in names]
        with open(self.words[word], 'w', encoding='utf-8') as file:
            json.dump({'functions': functions}, file)

    def write_nginx(self, port, reply):
        with open(self.words['configuration'], 'w', encoding='utf-8') as file:
            file.write(f"""daemon off;
worker_processes 1;
pid {self.tools}/nginx.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {self.tools}/nginx.body;
  proxy_temp_path {self.tools}/nginx.proxy;
  fastcgi_temp_path {self.tools}/nginx.fastcgi;
  uwsgi_temp_path {self.tools}/nginx.uwsgi;
  scgi_temp_path {self.tools}/nginx.scgi;
  keepalive_requests 1000000000;
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    location / {{ return 200 '{reply}'; }}
  }}
}}
""")

    def command(self, row, **words):
        return [word.format(**self.words, **words) if '{"' not in word else word
                for word in row.command]

    def why_not(self, row):
        """What run.sh says of the tools that the row needs."""
        for tool in row.tools:
            try:
                with open(f'{self.tools}/{tool}.skipped', encoding='utf-8') as file:
                    return file.read().strip()
            except FileNotFoundError:
                pass
        return None

    def note(self, row):
        try:
            with open(f'{self.tools}/{row.name}.note', encoding='utf-8') as file:
                return file.read().strip()
        except FileNotFoundError:
            return None


def bench(machine, rows, seconds):
    """A round of each of these rows of `thaw bench`."""
    command = [machine.words['thaw'], 'bench', '-o', 'json', '--duration',
               f'{max(1, round(seconds * 1000))}ms']
    for row in rows:
        command += ['--only', row.name]
    out = json.loads(run(command))
    # its CPU column does not have that of processes
    return {
        one['name']: {'n': one['n'], 'p50': one['p50'], 'p99': one['p99'],
                      'cpu': None if one['name'].startswith('process.') else one['cpu']}
        for one in out['results']}


def free_port():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


def ask(port, row):
    """The reply to one request, or None if there is no good one yet."""
    body = row.job[0].encode() * row.times
    head = (f'POST {row.path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n'
            f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n')
    try:
        with socket.create_connection(('127.0.0.1', port), timeout=5) as client:
            client.sendall(head.encode() + body)
            reply = b''.join(iter(lambda: client.recv(1 << 16), b''))
    except OSError:
        return None
    status, _, rest = reply.partition(b' ')
    if not status.startswith(b'HTTP/1.1') or not rest.startswith(b'200'):
        return None
    return reply.partition(b'\r\n\r\n')[2].decode()


def wait_for_reply(process, port, row):
    """Milliseconds from now to the first good reply."""
    start = time.monotonic()
    while time.monotonic() - start < START_MAX_S:
        reply = ask(port, row)
        if reply is not None:
            if row.job[1] * row.times not in reply:
                raise Failed(f'it answers {reply[:1000]!r}, not {row.job[1]}')
            return (time.monotonic() - start) * 1e3
        if process.poll() is not None:
            raise Failed(f'it has ended with status {process.returncode}')
        time.sleep(0.0005)
    raise Failed(f'it does not answer within {START_MAX_S} s')


def tree_of(pid):
    """The process and those that it has started."""
    found = [pid]
    for one in found:
        try:
            with open(f'/proc/{one}/task/{one}/children', encoding='ascii') as file:
                found += [int(child) for child in file.read().split()]
        except FileNotFoundError:
            pass
    return found


def stat_of(pid):
    with open(f'/proc/{pid}/stat', encoding='utf-8') as file:
        fields = file.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS, int(fields[21]) * PAGE


def usage_of(pid):
    """CPU time in seconds, and resident memory in MiB."""
    usages = [stat_of(one) for one in tree_of(pid)]
    return sum(cpu for cpu, _ in usages), sum(rss for _, rss in usages) / 2 ** 20


def load(port, row, seconds):
    here = os.path.dirname(os.path.abspath(__file__))
    out = run(['wrk', '-t', '1', '-c', str(report.CONNECTIONS), '-d', f'{seconds}s',
               '--timeout', '10s', '-s', f'{here}/job.lua',
               f'http://127.0.0.1:{port}{row.path}'], BODY=row.job[0], TIMES=str(row.times))
    result = json.loads(out.strip().splitlines()[-1])
    if result['failed'] or not result['requests']:
        raise Failed(f'{result["failed"]} of {result["requests"]} requests failed')
    return result


def serve(machine, row, seconds):
    port = free_port()
    machine.write_nginx(port, row.job[1])
    command = machine.command(row, port=port, seconds=seconds)
    with open(f'{machine.tools}/{row.name}.log', 'wb') as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=log)
    try:
        first_ms = wait_for_reply(process, port, row)
        load(port, row, WARM_UP_S)
        cpu_s, _ = usage_of(process.pid)
        result = load(port, row, seconds)
        cpu_end_s, rss = usage_of(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return {'rate': result['requests'] / result['us'] * 1e6, 'p50': result['p50'],
            'p99': result['p99'], 'cpu': (cpu_end_s - cpu_s) / result['requests'] * 1e6,
            'rss': rss, 'first': first_ms}


def measure_row(machine, row, part_s):
    if row.is_served:
        return serve(machine, row, max(1, round(SERVED_PARTS * part_s)))
    return json.loads(run(machine.command(row, seconds=f'{part_s:.3f}')))


def part_of(rows, duration_s):
    """Seconds of a part of a round."""
    parts = sum(SERVED_PARTS if row.is_served else PARTS for row in rows if row.command)
    parts += BENCH_PARTS if any(not row.command for row in rows) else 0
    rest_s = duration_s / ROUNDS - WARM_UP_S * sum(row.is_served for row in rows)
    return max(rest_s, 0.05 * parts) / parts


class Measurement:
    def __init__(self, machine, rows):
        self.machine = machine
        self.rounds = {row.name: [] for row in rows}
        self.skipped, self.rows = {}, []
        for row in rows:
            why = machine.why_not(row)
            if why:
                self.skip(row, why)
            else:
                self.rows.append(row)

    def skip(self, row, why):
        self.skipped[row.name] = why
        print(f'{row.name} is skipped: {why}', file=sys.stderr)

    def drop(self, rows, why):
        for row in rows:
            self.skip(row, why)
        self.rows = [row for row in self.rows if row not in rows]

    def bench(self, part_s):
        rows = [row for row in self.rows if not row.command]
        if not rows:
            return
        try:
            results = bench(self.machine, rows, BENCH_PARTS * part_s)
        except Failed as error:
            self.drop(rows, str(error))
            return
        for row in rows:
            self.rounds[row.name].append(results[row.name])

    def round(self, part_s):
        self.bench(part_s)
        for row in [row for row in self.rows if row.command]:
            try:
                self.rounds[row.name].append(measure_row(self.machine, row, part_s))
            except Failed as error:
                self.drop([row], str(error))

    def results(self):
        notes = {row.name: self.machine.note(row) for row in self.rows}
        return {
            'machine': describe(),
            'rows': [{'name': row.name, 'new': row.new, 'is_served': row.is_served,
                      'rounds': self.rounds[row.name]} for row in self.rows],
            'notes': {name: text for name, text in notes.items() if text},
            'skipped': self.skipped,
        }


def describe():
    """The machine, as `thaw bench` does."""
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        models = [line.partition(':')[2].strip() for line in file
                  if line.startswith('model name')]
    return {'cpu': ', '.join([*models[:1], platform.machine(), f'{os.cpu_count()} online']),
            'kernel': platform.release(), 'rounds': str(ROUNDS)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--only', action='append', default=[])
    parser.add_argument('--duration', type=float, default=180)
    parser.add_argument('--json')
    parser.add_argument('--build', required=True)
    parser.add_argument('--tools', required=True)
    options = parser.parse_args()
    rows = peers.choose(options.only)
    measurement = Measurement(Machine(options), rows)
    part_s = part_of(measurement.rows, options.duration)
    for number in range(ROUNDS):
        print(f'round {number + 1} of {ROUNDS}', file=sys.stderr)
        measurement.round(part_s)
    results = measurement.results()
    if options.json:
        with open(options.json, 'w', encoding='utf-8') as file:
            json.dump(results, file, indent=1)
    for line in report.table(results):
        print(line.rstrip())
    if not measurement.rows:
        sys.exit('measure.py: nothing was left to be measured')


if __name__ == '__main__':
    main()
