# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs quota ...``: how many backups of disks there may be."""

from __future__ import annotations

from vbsclient.api.quotas import Quota
from vbsclient.osc.command.clients import make_vbs_client
from vbsclient.osc.command.quota import (
    QUOTA,
    RESERVED,
    TYPE,
    USED,
    QuotaCommand,
)


class ShowVbsQuota(QuotaCommand):
    """Show how much this project may back up, and how much it has (VBS)

    "backups" is a number of backups, "backup_gigabytes" counts GB. Space
    that a deletion frees may show up here only days later.

    Example: openstack vbs quota show -f json
    """

    service = 'VBS v2'
    columns = (TYPE, USED, RESERVED, QUOTA)

    def quotas(self) -> list[Quota]:
        """Ask VBS."""
        return make_vbs_client(self.app.client_manager).quotas()
