# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs quota ...``: how many backups of servers there may be."""

from __future__ import annotations

from vbsclient.api.quotas import Quota
from vbsclient.osc.command.clients import make_csbs_client
from vbsclient.osc.command.quota import QUOTA, TYPE, UNIT, USED, QuotaCommand


class ShowCsbsQuota(QuotaCommand):
    """Show how much this project may back up, and how much it has (CSBS)

    "backups" is a number of backups, "backup_capacity" their size in the
    unit that is shown. Space that a deletion frees may show up here only
    days later.

    Example: openstack csbs quota show -f json
    """

    service = 'CSBS'
    columns = (TYPE, USED, QUOTA, UNIT)

    def quotas(self) -> list[Quota]:
        """Ask CSBS."""
        return make_csbs_client(self.app.client_manager).quotas()
