# SPDX-License-Identifier: Apache-2.0
"""Creating a policy of VBS, and adding volumes to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from vbsclient.api import errors
from vbsclient.api.block_storage import BlockStorage
from vbsclient.api.http import Limits
from vbsclient.api.vbs import Policy, VBSClient
from vbsclient.bulk import State
from vbsclient.change.targets import Outcome, Recorder, Target
from vbsclient.policies.members import refuse_if_any_is
from vbsclient.policies.services import VbsPolicies
from vbsclient.policies.settings import PolicyCreation
from vbsclient.policies.volume_members import VolumeAddition
from vbsclient.wording import brief


class VbsPolicyCreation(PolicyCreation):
    """The rules for ``vbs backup policy create``.

    :param volumes: names and ids of what is added to it.
    :param now: this moment, in UTC.
    :param move: whether a volume may leave another policy.
    """

    def __init__(
        self,
        vbs: VBSClient,
        cinder: BlockStorage,
        name: str,
        request: Mapping[str, Any],
        volumes: Sequence[str],
        *,
        now: datetime,
        limits: Limits,
        move: bool = False,
    ) -> None:
        super().__init__(
            VbsPolicies(vbs),
            name,
            {'backup_policy_name': name, **request},
            limits,
        )
        self._addition = VolumeAddition(
            vbs,
            cinder,
            Policy('', name, None, 0),
            volumes,
            now=now,
            limits=limits,
            move=move,
        )
        self._volumes: list[Outcome] = []

    def verify_members(self, policies: Sequence[Any]) -> Sequence[str]:
        volumes = self._addition.targets()
        refuse_if_any_is(volumes)
        self._volumes = [Outcome.of(volume) for volume in volumes]
        return [
            f'volume {brief(volume.name or volume.id)} {note}'
            for volume in volumes
            for note in volume.notes
        ]

    def member_count(self) -> int | None:
        return len(self._volumes) - len(self.left) if self.is_sure else None

    def add_members(self, target: Target, recorder: Recorder) -> str:
        addition = self._addition
        addition.policy = replace(addition.policy, id=target.verified_id)
        for batch in addition.batches(self._volumes):
            if self._limits.stop.is_set():
                break
            # One request is that of all, and they have its end.
            with suppress(Exception):
                addition.send(batch[0].target, recorder)
        for volume in self._volumes:
            if volume.state is not State.DONE:
                self.left[volume.target.verified_id] = _reason(volume.error)
        self.is_sure = all(v.state is not State.UNKNOWN for v in self._volumes)
        told = dict.fromkeys(addition.remarks)
        return '; '.join(f'adding volumes: {one}' for one in told)


def _reason(error: BaseException | None) -> str:
    if error is None:
        return 'it was not sent'
    code = error.code if isinstance(error, errors.ServiceError) else None
    return ', '.join(map(brief, filter(None, (str(error), code))))
