# SPDX-License-Identifier: Apache-2.0
"""Creating a policy of VBS, and adding volumes to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vbsclient.api import errors
from vbsclient.api.block_storage import BlockStorage
from vbsclient.api.http import Limits, Receipt
from vbsclient.api.values import Known
from vbsclient.api.vbs import VBSClient, VolumeResult
from vbsclient.change.targets import Recorder, Target
from vbsclient.lookup.kinds import suppress_errors
from vbsclient.lookup.names import unique
from vbsclient.lookup.volumes import find_volumes
from vbsclient.policies.services import VbsPolicies
from vbsclient.policies.settings import PolicyCreation, refuse_missing
from vbsclient.wording import brief

#: More in one request take the service long.
_MOST_VOLUMES = 40


class VbsPolicyCreation(PolicyCreation):
    """The rules for ``vbs backup policy create``.

    :param volumes: names and ids of what is added to it.
    """

    def __init__(
        self,
        vbs: VBSClient,
        cinder: BlockStorage,
        name: str,
        request: Mapping[str, Any],
        volumes: Sequence[str],
        limits: Limits,
    ) -> None:
        super().__init__(
            VbsPolicies(vbs),
            name,
            {'backup_policy_name': name, **request},
            limits,
        )
        self._policies = vbs.policies
        self._cinder = cinder
        self._volumes = unique(volumes)
        self._ids: list[str] = []

    def verify_members(self, policies: Sequence[Any]) -> None:
        if self._volumes:
            found = find_volumes(self._cinder, self._volumes, self._limits)
            self._ids = list(
                dict.fromkeys(
                    v.id for v in refuse_missing(found, self._volumes)
                )
            )

    def member_count(self) -> int:
        return len(self._ids) - len(self.left)

    def add_members(self, target: Target, recorder: Recorder) -> None:
        results: list[VolumeResult] = []
        self.left = dict.fromkeys(self._ids, 'it was not sent')
        try:
            for ids in _parts(self._ids):
                results += self._add(target, ids, recorder)
        except errors.ClientError as error:
            sent = {one.volume_id for one in results}
            for id in self._ids:
                if id not in sent:
                    self.left[id] = error.message
        for one in results:
            if one.is_done is Known.YES:
                del self.left[one.volume_id]
            else:
                self.left[one.volume_id] = _reason(one)
        self._settle(target)

    def _add(
        self, target: Target, ids: Sequence[str], recorder: Recorder
    ) -> Sequence[VolumeResult]:
        results: list[VolumeResult] = []

        def add() -> Receipt:
            told, receipt = self._policies.add_volumes(target.verified_id, ids)
            results.extend(told)
            return receipt

        try:
            recorder.record(target, f'add volumes {", ".join(ids)}', add)
        except errors.OutcomeUnknown as unknown:
            return [
                VolumeResult(id, Known.UNKNOWN, message=unknown.message)
                for id in ids
            ]
        return results

    def _settle(self, target: Target) -> None:
        """A new policy has no other volumes: their number may tell."""
        if self.left:
            policy = suppress_errors(
                lambda: self._policies.get(target.verified_id)
            )
            if policy and policy.volume_count == len(self._ids):
                self.left = {}


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _MOST_VOLUMES):
        yield ids[start : start + _MOST_VOLUMES]


def _reason(one: VolumeResult) -> str:
    told = [brief(text) for text in (one.message, one.code) if text]
    return ', '.join(told) or 'the answer does not mention it'
