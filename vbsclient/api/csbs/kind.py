# SPDX-License-Identifier: Apache-2.0
"""What kind of service answers at the endpoint of CSBS.

CSBS has ``checkpoint_items`` and one provider, whose id is fixed.  Karbor,
which it descends from, has providers of its own and no backups.  A gateway
that has lost a route looks like Karbor for a moment, so that no single
answer decides: see :meth:`ServiceKind.settle`.
"""

from __future__ import annotations

from dataclasses import dataclass

from vbsclient.api import errors
from vbsclient.api.errors import Hint
from vbsclient.api.http import Transport
from vbsclient.api.paths import resource_path
from vbsclient.api.values import Known, canonical_id, text_or_none

#: The provider that means servers; fixed by the reference.
CSBS_PROVIDER = 'fc4d5750-22e7-4798-8a46-f48f62c4c1da'


@dataclass(frozen=True)
class Provider:
    """A provider of Karbor, which keeps checkpoints of its own."""

    id: str
    name: str | None

    def __str__(self) -> str:
        return f'{self.name} ({self.id})' if self.name else self.id


# What to do on a plain Karbor, and where nothing is found at all.
OF_CSBS_PROVIDER = (
    'It is a Karbor with the provider {provider}. GET '
    '{url}/providers/<provider>/checkpoints lists its checkpoints, which can '
    'only be deleted whole.'
)
OF_PROVIDERS = f'{OF_CSBS_PROVIDER} Choose the provider.'
CORRECT_CSBS = 'Correct the endpoint of CSBS.'


class NoServerBackups(errors.EndpointError):
    """It is known that the service has no ``checkpoint_items``: a Karbor.

    :ivar providers: those that it lists; empty if it does not list them.
    :ivar has_csbs: whether it knows the provider of CSBS.  If not, CSBS is
        not behind it, and made nothing.
    """

    def __init__(
        self, url: str, providers: tuple[Provider, ...], has_csbs: Known
    ) -> None:
        shown = ', '.join(map(str, providers)) or CSBS_PROVIDER
        super().__init__(
            'this cloud has no checkpoint_items, so that single backups of '
            'servers cannot be seen or deleted',
            Hint(
                OF_PROVIDERS if providers else OF_CSBS_PROVIDER,
                provider=shown,
                url=url,
            ),
        )
        self.providers = providers
        self.has_csbs = has_csbs


class ServiceKind:
    """What one run has learned of the service.

    :param transport: how requests are sent.
    :param url: URL with ``v1`` and the project.
    """

    def __init__(self, transport: Transport, url: str) -> None:
        self._transport = transport
        self._url = url
        self._has_backups = False
        self._no_backups: NoServerBackups | None = None

    def note_backups(self) -> None:
        """Remember that the route of the backups has answered."""
        self._has_backups = True

    def refuse_if_karbor(self) -> None:
        """Ask nothing more of a route that is known not to exist.

        :raises NoServerBackups: if it is.
        """
        if self._no_backups is not None:
            raise self._no_backups

    def settle(self, error: errors.NotFound) -> None:
        """Find out what the 404 of a list of backups means.

        Returns if the list is there after all, so that it may be asked for
        again.  There is no such list where it answers 404 twice, has never
        answered anything else in this run, and the service's own routes to
        providers or checkpoints work.

        :param error: the 404.
        :raises NoServerBackups: if there is no such list.
        :raises NotServed: if that cannot be determined.
        """
        self.refuse_if_karbor()
        try:
            self._transport.get(
                f'{self._url}/{resource_path("checkpoint_items")}',
                {'limit': '1'},
            )
        except errors.NotFound:
            pass
        else:
            self.note_backups()
            return
        if self._has_backups:
            raise errors.NotServed(
                'the list of checkpoint_items answered before in this run, '
                'and answers 404 now',
                'Nothing was decided from that: try again later.',
            ) from error
        self._no_backups = self._karbor(error)
        raise self._no_backups from error

    def _karbor(self, error: errors.NotFound) -> NoServerBackups:
        """What Karbor's own routes say.

        :raises NotServed: if none of them works.
        """
        has_csbs = self._has_checkpoints_of_csbs()
        if has_csbs is Known.YES:
            return NoServerBackups(self._url, (), has_csbs)
        providers = self._providers()
        if providers is None:
            raise errors.NotServed(
                f'the endpoint serves neither checkpoint_items nor '
                f'checkpoints ({self._url} answers 404)',
                CORRECT_CSBS,
            ) from error
        if any(p.id == CSBS_PROVIDER for p in providers):
            has_csbs = Known.UNKNOWN
        return NoServerBackups(self._url, providers, has_csbs)

    def _providers(self) -> tuple[Provider, ...] | None:
        """The providers that it lists; None if it does not."""
        try:
            body = self._transport.get(
                f'{self._url}/{resource_path("providers")}'
            )
        except (errors.ServiceError, errors.MalformedResponse):
            return None
        rows = body.get('providers')
        if not isinstance(rows, list):
            return None
        found = [row for row in rows if isinstance(row, dict)]
        return tuple(
            Provider(canonical_id(row['id']), text_or_none(row.get('name')))
            for row in found
            if isinstance(row.get('id'), str)
        )

    def _has_checkpoints_of_csbs(self) -> Known:
        """Whether it has checkpoints of the provider of CSBS."""
        provider = resource_path('providers', id=CSBS_PROVIDER)
        path = f'{provider}/{resource_path("checkpoints")}'
        try:
            body = self._transport.get(f'{self._url}/{path}', {'limit': '1'})
        except errors.NotFound:
            return Known.NO
        except (errors.ServiceError, errors.MalformedResponse):
            return Known.UNKNOWN
        listed = isinstance(body.get('checkpoints'), list)
        return Known.YES if listed else Known.UNKNOWN
