# SPDX-License-Identifier: Apache-2.0
"""The ``openstack`` command against the sandbox, over HTTP."""
