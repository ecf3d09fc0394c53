# SPDX-License-Identifier: Apache-2.0
"""Everything about the sandbox that a test or a demo may turn."""

from dataclasses import dataclass, field
from typing import Any

from tests.sandbox.faults import Fault

CATALOGS = (
    'vbs',
    'vbsv2',
    'vbsv3',
    'vbs+vbsv3',
    'vbsv2+vbsv3',
    'volumev3',
    'block-storage',
    'vbs+volumev3',
    'none',
)
CSBS_STYLES = ('versioned+project', 'versioned', 'bare')
DISCOVERIES = (
    'none-json',
    'none-html',
    'both',
    'both-300',
    'v2',
    'v3',
    'v3-experimental',
    'refused-401',
    'refused-403',
    'malformed',
    'malformed-json',
    'malformed-list',
    'error-500',
)
CREATIONS = ('succeeds', 'fails', 'hangs')
RESTORES = ('succeeds', 'fails', 'breaks', 'hangs', 'never-begins')
#: What a server backup shows of a restore.
TRACES = ('status', 'updated_at', 'taskid')
POLICY_TASKS = ('succeeds', 'fails', 'times-out', 'skips')
FAILURES_TOLD = ('failed', 'coded-success', 'success', 'nothing')
CSBS_POLICY_UPDATES = ('replaces', 'merges', 'drops', 'ignores')
SHARINGS = ('on', 'absent', 'forbidden')

# The knobs that take one word of a list.
CHOICES: dict[str, tuple[str, ...]] = {
    'catalog': CATALOGS,
    'creation': CREATIONS,
    'csbs_catalog_url_style': CSBS_STYLES,
    'csbs_policy_update': CSBS_POLICY_UPDATES,
    'discovery': DISCOVERIES,
    'policy_failures_told': FAILURES_TOLD,
    'policy_tasks': POLICY_TASKS,
    'restore': RESTORES,
    'sharing': SHARINGS,
}


@dataclass
class Knobs:
    """How the cloud behaves; may be changed while it runs."""

    # Time.  Keystone knows no latency.
    latency: float = 0.0
    deletion_time: float = 0.0
    deletion_slots: int = 5
    creation_time: float = 0.0
    # The items of a checkpoint appear so long after it was asked for.
    item_delay: float = 0.0
    restore_time: float = 0.0
    # A server backup shows nothing of its restore for so long; a volume is
    # busy for so long when its backup and the job are not any more.
    restore_delay: float = 0.0
    restore_lag: float = 0.0

    # What becomes of each creation, unless its volume or server says it.
    creation: str = 'succeeds'
    # What becomes of each restore, unless its volume or server says it, and
    # what a server backup shows of it besides a failure.
    restore: str = 'succeeds'
    restore_traces: tuple[str, ...] = TRACES
    # A failure of the past stays in a server backup that is restored well.
    restore_keeps_failure: bool = False
    # A restore of CSBS can be asked about, as one of Karbor can.
    restores_shown: bool = False
    # Jobs show their work once more as the one part of it.
    sub_jobs: bool = False
    # VBS and CSBS are closed to this project: it may not create anything.
    closed: bool = False
    # So many of the projects that a request names last get no share.
    shares_dropped: int = 0

    # Policies of VBS.  What becomes of each task, unless its volume says it.
    policy_tasks: str = 'succeeds'
    # So many of the volumes that a request names last neither join nor leave
    # a policy, and how the answer tells that.
    policy_members_failed: int = 0
    policy_failures_told: str = 'failed'
    # A PUT loses what it does not send (but the name, and the schedule where
    # it sends a status alone), or these fields in any case; and these fields
    # get another value.
    policy_put_replaces: bool = False
    policy_put_drops: tuple[str, ...] = ()
    policy_put_resets: dict[str, Any] = field(default_factory=dict)
    # What the list shows: no time zone; blanks behind all keys; what it was
    # so many seconds ago.
    policy_time_zone: bool = True
    policy_blank_keys: bool = False
    policy_list_lag: float = 0.0

    # Replicas and clocks.  Lists go on showing what is gone for so long, and
    # policies of CSBS as they were so long ago; the service's clock is ahead
    # of this machine's by so much.
    list_lag: float = 0.0
    clock_offset: float = 0.0

    # The catalog.  `catalog_version` is the version segment of the VBS
    # URLs: None is the usual one of each type (none for vbs, v2 for vbsv2,
    # v3 for vbsv3), 'none' is no segment.
    catalog: str = 'vbs'
    catalog_version: str | None = None
    catalog_project: bool = True
    catalog_url: str | None = None  # in place of those of VBS and CSBS
    csbs_catalog: str | None = 'data-protect'
    csbs_catalog_url_style: str = 'versioned+project'
    catalog_urls: dict[str, str] = field(default_factory=dict)  # by type
    regions: tuple[str, ...] = ('RegionOne',)
    interfaces: tuple[str, ...] = ('public', 'internal', 'admin')
    csbs_interfaces: tuple[str, ...] | None = None  # as the others

    # What VBS serves, and which version documents it shows.
    discovery: str = 'none-json'
    versions: tuple[str, ...] = ('v1', 'v2', 'v3')
    sharing: str = 'on'
    chains: bool = False
    backup_worker: bool = True

    # What CSBS serves: without checkpoint_items it is an upstream Karbor.
    # Its one provider has the id of CSBS's, which no real one has, unless
    # `karbor_provider` gives it another.
    checkpoint_items: bool = True
    karbor_provider: str | None = None
    ignore_item_query: bool = False
    sibling_delay: float = 0.0

    # Policies of CSBS.  What an update does to the servers and to what is
    # kept: it replaces them, merges the new ones into them, replaces and
    # loses long-term rules and all that the reference does not know, or
    # does nothing at all; it always answers as if it had done it.
    csbs_policy_update: str = 'replaces'
    # What no answer shows, wherever in a policy it is.
    csbs_policy_hides: tuple[str, ...] = ()
    # Numbers and flags of what is kept are texts.
    csbs_policy_texts: bool = False
    # The provider that answers name, if not the real one.
    csbs_policy_provider: str | None = None

    # Limits and rights; -1 is no limit.
    backup_quota: int = 100
    gigabyte_quota: int = -1
    csbs_backup_quota: int = 40
    csbs_gigabyte_quota: int = -1
    policy_quota: int = 32
    max_concurrent: int | None = None
    retry_after: str | None = None
    token_uses: int | None = None
    token_seconds: float = 86400.0
    max_page: int = 1000
    read_only_role: bool = False
    # Whoever logs in may list what all projects have.
    administrator: bool = False
    # Lists of VBS have the rows of all projects, as an administrator's may.
    foreign_rows: bool = False

    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, words in CHOICES.items():
            if getattr(self, name) not in words:
                raise ValueError(
                    f'{name}: {getattr(self, name)!r} is none of {words}'
                )
        if not set(self.restore_traces) <= set(TRACES):
            raise ValueError(
                f'restore_traces: {self.restore_traces!r} are not of {TRACES}'
            )
