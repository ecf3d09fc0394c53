# SPDX-License-Identifier: Apache-2.0
"""An embedded cloud: Keystone, VBS, CSBS, Cinder and Nova over real HTTP.

It is written from the references of the services, never from the client,
and refuses what they do not allow.

    with Sandbox(deletion_time=2, catalog='vbsv2') as sandbox:
        backup = sandbox.state.add_backup(name='nightly')
        ...
        assert sandbox.deletes() == [...]

`python -m tests.sandbox` runs one by hand.  Where to look:

    server      the Sandbox itself and its request log
    knobs       everything that may be turned; faults: errors on purpose
    state       what exists (model) and how to add to it; seed: an example
    volume_policies
                the policies of VBS
    creation, deletion, restoration
                what takes time: creations, the queue of deletions, restores;
                agenda: what is to happen later, on an injected clock
    http, dispatch, routing, wire, query, body, paging, gate
                from the socket to a handler and back
    keystone, vbs, csbs, karbor, volume, compute, image
                the services; native: backups as VBS and Cinder have them
    vbs_creation, vbs_restore, vbs_policies, jobs, sharing; protection,
    csbs_restore
                parts of VBS; of CSBS
    catalog, discovery, microversion
                how a client finds its endpoint
"""

from tests.sandbox.faults import Fault
from tests.sandbox.knobs import Knobs
from tests.sandbox.server import LoggedRequest, Sandbox
from tests.sandbox.state import CloudState

__all__ = ['CloudState', 'Fault', 'Knobs', 'LoggedRequest', 'Sandbox']
