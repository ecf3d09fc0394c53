# SPDX-License-Identifier: Apache-2.0
"""Run the sandbox by hand: `python -m tests.sandbox`."""

import argparse
import json
import shlex
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

from tests.sandbox.faults import Fault
from tests.sandbox.knobs import CHOICES, TRACES, Knobs
from tests.sandbox.seed import add_nights, add_trouble
from tests.sandbox.server import LoggedRequest, Sandbox

# Arguments that are a knob of the same name.
WORDS = (
    'catalog',
    'creation',
    'csbs_catalog_url_style',
    'csbs_policy_update',
    'discovery',
    'policy_failures_told',
    'policy_tasks',
    'restore',
    'sharing',
)
NUMBERS = {
    'latency': float,
    'deletion_time': float,
    'creation_time': float,
    'item_delay': float,
    'restore_time': float,
    'restore_delay': float,
    'restore_lag': float,
    'shares_dropped': int,
    'backup_quota': int,
    'gigabyte_quota': int,
    'csbs_backup_quota': int,
    'csbs_gigabyte_quota': int,
    'policy_members_failed': int,
    'policy_list_lag': float,
    'policy_quota': int,
    'max_concurrent': int,
    'token_uses': int,
    'token_seconds': float,
    'max_page': int,
    'list_lag': float,
    'clock_offset': float,
    'sibling_delay': float,
}
TEXTS = (
    'catalog_version',
    'catalog_url',
    'csbs_catalog',
    'csbs_policy_provider',
    'karbor_provider',
    'retry_after',
)
SWITCHES = (
    'chains',
    'closed',
    'sub_jobs',
    'policy_put_replaces',
    'policy_blank_keys',
    'restore_keeps_failure',
    'restores_shown',
    'csbs_policy_texts',
    'ignore_item_query',
    'read_only_role',
    'administrator',
    'foreign_rows',
)
# Arguments that turn a knob off.
OFF = {
    'no_backup_worker': 'backup_worker',
    'no_checkpoint_items': 'checkpoint_items',
    'no_catalog_project': 'catalog_project',
    'no_policy_time_zone': 'policy_time_zone',
}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog='python -m tests.sandbox',
        description='An embedded cloud with VBS and CSBS, to play with.',
    )
    made.add_argument('--port', type=int, default=0)
    made.add_argument('--slots', type=int, default=5, metavar='N')
    made.add_argument('--region', action='append', metavar='NAME')
    made.add_argument('--versions', default='v1,v2,v3', metavar='LIST')
    made.add_argument(
        '--restore-traces', default=','.join(TRACES), metavar='LIST'
    )
    made.add_argument('--policy-put-drops', default='', metavar='LIST')
    made.add_argument(
        '--fault',
        action='append',
        default=[],
        type=lambda text: Fault(**json.loads(text)),
        metavar='JSON',
        help='such as \'{"action": "status", "method": "DELETE"}\'',
    )
    made.add_argument('--empty', action='store_true', help='no seed')
    made.add_argument(
        '--trouble',
        action='store_true',
        help='let some of the seed be stuck, or fail',
    )
    made.add_argument('--backups', type=int, default=0, metavar='N')
    made.add_argument('--clouds-yaml', type=Path, metavar='FILE')
    made.add_argument('--request-log', type=Path, metavar='FILE')
    made.add_argument('--csbs-policy-hides', default='', metavar='LIST')
    for name in WORDS:
        made.add_argument(_option(name), choices=CHOICES[name])
    for name, kind in NUMBERS.items():
        made.add_argument(_option(name), type=kind, metavar='N')
    for name in TEXTS:
        made.add_argument(_option(name), metavar='TEXT')
    for name in (*SWITCHES, *OFF):
        made.add_argument(_option(name), action='store_true')
    # Both, so that plain `openstack volume backup ...` works beside VBS.
    made.set_defaults(catalog='vbs+volumev3')
    return made


def _option(name: str) -> str:
    return '--' + name.replace('_', '-')


def knobs_of(args: argparse.Namespace) -> Knobs:
    values = {
        name: getattr(args, name)
        for name in (*WORDS, *NUMBERS, *TEXTS, *SWITCHES)
        if getattr(args, name) is not None
    }
    for name, knob in OFF.items():
        values[knob] = not getattr(args, name)
    if values.get('csbs_catalog') == 'none':
        values['csbs_catalog'] = None
    if args.region:
        values['regions'] = tuple(args.region)
    values['faults'] = args.fault
    values['deletion_slots'] = args.slots
    values['versions'] = tuple(args.versions.split(','))
    values['restore_traces'] = tuple(
        filter(None, args.restore_traces.split(','))
    )
    values['policy_put_drops'] = tuple(
        filter(None, args.policy_put_drops.split(','))
    )
    values['csbs_policy_hides'] = tuple(
        filter(None, args.csbs_policy_hides.split(','))
    )
    return Knobs(**values)


def fill(sandbox: Sandbox, args: argparse.Namespace) -> None:
    """Put in what the arguments say."""
    if not args.empty:
        sandbox.seed()
        if args.trouble:
            add_trouble(sandbox.state)
    add_nights(sandbox.state, args.backups)


def usage(sandbox: Sandbox, clouds_yaml: Path) -> str:
    """What to type now."""
    return f"""\
{clouds_yaml}:

{sandbox.clouds_yaml()}
Enter in another terminal:

{exports(clouds_yaml)}

openstack vbs backup list
openstack vbs backup delete --wait db01-before-upgrade
openstack csbs checkpoint list
openstack csbs backup delete --wait web01-pre-patch
openstack volume backup list

Two that are refused: a name of two backups, and a backup that is shared.

openstack vbs backup delete nightly-copy
openstack vbs backup delete web01-golden

Serving on {sandbox.url}; Ctrl-C ends it.
"""


def exports(clouds_yaml: Path) -> str:
    """What makes ``openstack`` of this environment use the sandbox."""
    directory = shlex.quote(str(Path(sys.executable).parent))
    return f"""\
export PATH={directory}:"$PATH"
export OS_CLIENT_CONFIG_FILE={shlex.quote(str(clouds_yaml))} OS_CLOUD=sandbox\
"""


def serve(args: argparse.Namespace, log: IO[str] | None, scratch: str) -> None:
    def note(request: LoggedRequest) -> None:
        if log is not None:
            took = request.finished - request.started
            print(request.status, f'{took:.3f}', request, file=log, flush=True)

    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    knobs = knobs_of(args)
    with Sandbox(knobs=knobs, port=args.port, on_finished=note) as sandbox:
        fill(sandbox, args)
        clouds_yaml = args.clouds_yaml or Path(scratch) / 'clouds.yaml'
        clouds_yaml.write_text(sandbox.clouds_yaml())
        print(usage(sandbox, clouds_yaml.resolve()), flush=True)
        done.wait()
        print(f'Stopped after {len(sandbox.requests)} requests.')


def main(arguments: list[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix='sandbox-') as scratch:
        if args.request_log is None:
            serve(args, None, scratch)
        else:
            with args.request_log.open('a') as log:
                serve(args, log, scratch)
    return 0


if __name__ == '__main__':
    sys.exit(main())
