# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs quota ...``: how many backups of disks there may be."""

from __future__ import annotations

from vbsclient.api import errors
from vbsclient.api.quotas import Quota
from vbsclient.osc.clients import make_vbs_client
from vbsclient.osc.quotas import QUOTA, RESERVED, TYPE, USED, QuotaCommand


class NoQuotas(errors.ClientError):
    """The endpoint has no call for quotas."""

    hint = 'They are a function of VBS v2: check the endpoint.'

    def __init__(self) -> None:
        super().__init__('this cloud has no quotas of VBS')


class ShowQuota(QuotaCommand):
    """Show how much this project may back up, and how much it has (VBS)

    "backups" is a number of backups, "backup_gigabytes" counts GB. Space
    that a deletion frees may show up here only days later.

    Example: openstack vbs quota show -f json
    """

    columns = (TYPE, USED, RESERVED, QUOTA)

    def quotas(self) -> list[Quota]:
        """Ask VBS."""
        try:
            return make_vbs_client(self.app.client_manager).quotas()
        except errors.NotFound as error:
            raise NoQuotas from error
