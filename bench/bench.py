# SPDX-License-Identifier: Apache-2.0
"""Requests and seconds, beside what ``openstack`` does for its own backups.

Both sides run in turn against the same sandbox, each command in a process
of its own as a user starts it.  Run by hand: ``tox -e bench -- --help``.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.sandbox import Sandbox
from tests.sandbox.faults import failures

OPENSTACK = [sys.executable, '-m', 'openstackclient.shell']


@dataclass(frozen=True)
class Run:
    """One command as a whole process."""

    seconds: float
    requests: int
    deletes: int
    peak_mb: float


def run(sandbox: Sandbox, *arguments: str) -> Run:
    """Run one command against the sandbox; it must succeed."""
    with tempfile.TemporaryDirectory() as directory:
        clouds = Path(directory, 'clouds.yaml')
        clouds.write_text(sandbox.clouds_yaml())
        environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith('OS_')
        }
        environment |= {
            'OS_CLIENT_CONFIG_FILE': str(clouds),
            'OS_CLOUD': 'sandbox',
        }
        sandbox.clear_log()
        started = time.monotonic()
        process = subprocess.Popen(
            [*OPENSTACK, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f'{" ".join(arguments)[:80]}: {process.returncode}')
    return Run(
        seconds,
        len(sandbox.requests),
        len(sandbox.deletes()),
        usage.ru_maxrss / 1024,
    )


def median(measure: Callable[[], Run], times: int) -> Run:
    """The run of median length."""
    runs = sorted((measure() for _ in range(times)), key=lambda r: r.seconds)
    return runs[len(runs) // 2]


def row(label: str, ours: Run, theirs: Run | None) -> None:
    """Print one comparison."""
    text = f'{label:34} {ours.seconds:8.2f} s {ours.requests:7} requests'
    if theirs is not None:
        text += (
            f' | OSC {theirs.seconds:8.2f} s {theirs.requests:7} requests'
            f' | {theirs.seconds / ours.seconds:5.1f} times'
        )
    print(text, flush=True)


def delete_many(options: argparse.Namespace, *, by_name: bool) -> None:
    """(a) and (b): delete N by id, or by name."""
    for number in options.numbers:
        with Sandbox(latency=options.latency, catalog='vbs+volumev3') as cloud:

            def arguments(number: int = number) -> list[str]:
                backups = [
                    cloud.state.add_backup(
                        name=f'nightly-{time.monotonic_ns()}'
                    )
                    for _ in range(number)
                ]
                return [b.name if by_name else b.id for b in backups]

            ours = median(
                lambda: run(cloud, 'vbs', 'backup', 'delete', *arguments()),
                options.repeat,
            )
            theirs = None
            if number <= options.osc_limit:
                theirs = run(cloud, 'volume', 'backup', 'delete', *arguments())
        row(f'delete {number} by {"name" if by_name else "id"}', ours, theirs)


def wait_for_all(options: argparse.Namespace) -> None:
    """(c): what waiting adds to the service's own minimum."""
    number, seconds, slots = 50, 2.0, 5
    with Sandbox(
        latency=options.latency, deletion_time=seconds, deletion_slots=slots
    ) as cloud:
        ids = [cloud.state.add_backup().id for _ in range(number)]
        ours = run(cloud, 'vbs', 'backup', 'delete', '--wait', *ids)
        alone = run(
            cloud, 'vbs', 'backup', 'delete', cloud.state.add_backup().id
        )
    least = number / slots * seconds
    row(f'delete {number} with --wait', ours, None)
    print(
        f'{"":34} the service needs {least:.0f} s, one delete without '
        f'waiting {alone.seconds:.2f} s: overhead '
        f'{ours.seconds - alone.seconds - least:.2f} s',
        flush=True,
    )


def list_all(options: argparse.Namespace) -> None:
    """(d): long lists, time and peak memory."""
    for number in options.rows:
        with Sandbox(latency=options.latency, catalog='vbs+volumev3') as cloud:
            for index in range(number):
                cloud.state.add_backup(name=f'nightly-{index}')
            ours = run(cloud, 'vbs', 'backup', 'list', '-f', 'json')
            theirs = run(cloud, 'volume', 'backup', 'list', '-f', 'json')
        row(f'list {number}', ours, theirs)
        print(
            f'{"":34} peak {ours.peak_mb:.0f} MB | OSC '
            f'{theirs.peak_mb:.0f} MB',
            flush=True,
        )


def start_up(options: argparse.Namespace) -> None:
    """(e): what the entry points add to every start."""
    code = (
        'import sys, time, osc_lib.command.command, osc_lib.shell\n'
        'from importlib.metadata import distribution\n'
        "ours = list(distribution('python-vbsclient').entry_points)\n"
        'before = set(sys.modules)\n'
        'started = time.perf_counter()\n'
        'for entry in ours: entry.load()\n'
        'seconds = time.perf_counter() - started\n'
        'print(seconds, len(set(sys.modules) - before))'
    )
    figures = [
        subprocess.run(
            [sys.executable, '-c', code],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        for _ in range(7)
    ]
    milliseconds = statistics.median(float(f[0]) for f in figures) * 1000
    print(
        f'{"start: load of the entry points":34} {milliseconds:8.2f} ms '
        f'{figures[0][1]:>5} modules',
        flush=True,
    )


def concurrencies(options: argparse.Namespace) -> None:
    """(f): targets against concurrency."""
    for concurrency in (1, 2, 4, 8, 16):
        with Sandbox(latency=options.latency) as cloud:
            ids = [cloud.state.add_backup().id for _ in range(200)]
            ours = run(
                cloud,
                'vbs',
                'backup',
                'delete',
                '--concurrency',
                str(concurrency),
                *ids,
            )
        row(f'delete 200, concurrency {concurrency}', ours, None)


def in_trouble(options: argparse.Namespace) -> None:
    """(g): the same deletion undisturbed and in trouble."""
    two_at_a_time = {'max_concurrent': 2}
    for label, knobs, share in (
        ('', {}, 0.0),
        (', 5 % of requests fail', {}, 0.05),
        (', two at a time', two_at_a_time, 0.0),
        (', both', two_at_a_time, 0.05),
    ):
        with Sandbox(latency=options.latency, **knobs) as cloud:
            cloud.knobs.faults += failures(share)
            ids = [cloud.state.add_backup().id for _ in range(500)]
            ours = run(cloud, 'vbs', 'backup', 'delete', *ids)
            if cloud.state.backups:
                raise SystemExit('in trouble: not all was deleted')
        row(f'delete 500{label}', ours, None)


def plan_all(options: argparse.Namespace) -> None:
    """(h): what a plan of retention adds to the list that it needs."""
    for number in options.rows:
        with Sandbox(latency=options.latency) as cloud:
            volumes = [cloud.state.add_volume() for _ in range(500)]
            now = cloud.state.now()
            for index in range(number):
                cloud.state.add_backup(
                    f'autobk_{index:06}',
                    volumes[index % len(volumes)],
                    created_at=now - timedelta(hours=index // 100),
                )
            listed = run(cloud, 'vbs', 'backup', 'list', '-f', 'json')
            planned = run(
                cloud,
                *('vbs', 'backup', 'prune', '--all-volumes', '--dry-run'),
                *('--keep-daily', '7', '--keep-weekly', '5', '-f', 'json'),
            )
        row(f'plan to prune {number}', planned, None)
        print(
            f'{"":34} peak {planned.peak_mb:.0f} MB | the list of them '
            f'{listed.seconds:.2f} s, peak {listed.peak_mb:.0f} MB',
            flush=True,
        )


def create_many(options: argparse.Namespace) -> None:
    """(i): create N backups, beside a loop of OSC and a loop of ours."""
    number = options.created

    def looped(cloud: Sandbox, *command: str) -> Run:
        """A process for each volume, as a script without us has them."""
        runs = [
            run(cloud, *command, cloud.state.add_volume(status='available').id)
            for _ in range(number)
        ]
        return Run(
            sum(one.seconds for one in runs),
            sum(one.requests for one in runs),
            0,
            max(one.peak_mb for one in runs),
        )

    with Sandbox(
        latency=options.latency,
        catalog='vbs+volumev3',
        backup_quota=100 * number,
    ) as cloud:
        volumes = [cloud.state.add_volume().id for _ in range(number)]
        ours = run(cloud, 'vbs', 'backup', 'create', *volumes)
        created = len(cloud.state.backups)
        if created != number:
            raise SystemExit(f'create: {created} were created')
        theirs = looped(cloud, 'volume', 'backup', 'create')
        loop = looped(cloud, 'vbs', 'backup', 'create')
    row(f'create {number}', ours, theirs)
    row(f'create {number}, one by one', loop, theirs)


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    'a': lambda options: delete_many(options, by_name=False),
    'b': lambda options: delete_many(options, by_name=True),
    'c': wait_for_all,
    'd': list_all,
    'e': start_up,
    'f': concurrencies,
    'g': in_trouble,
    'h': plan_all,
    'i': create_many,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the wanted parts and print a row for each comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'parts', nargs='*', help='a to i, as in the source; default: all'
    )
    parser.add_argument('--latency', type=float, default=0.05)
    parser.add_argument(
        '--numbers',
        type=int,
        nargs='+',
        default=[100, 200, 1000, 10000],
    )
    parser.add_argument('--rows', type=int, nargs='+', default=[10000, 100000])
    parser.add_argument('--created', type=int, default=200)
    parser.add_argument('--repeat', type=int, default=3)
    parser.add_argument(
        '--osc-limit',
        type=int,
        default=1000,
        help='run the other side only up to so many targets (it is slow)',
    )
    options = parser.parse_args(arguments)
    versions = ', '.join(
        f'{name} {importlib.metadata.version(name)}'
        for name in ('python-openstackclient', 'keystoneauth1')
    )
    print(
        f'{datetime.now(timezone.utc):%Y-%m-%d}, '
        f'Python {platform.python_version()}, {versions}, '
        f'{options.latency * 1000:.0f} ms per request',
        flush=True,
    )
    for part in options.parts or sorted(PARTS):
        PARTS[part](options)


if __name__ == '__main__':
    main()
