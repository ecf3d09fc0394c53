# SPDX-License-Identifier: Apache-2.0
"""VBS and CSBS as a typed library on any keystoneauth session.

>>> from vbsclient.api.vbs import VBSClient
>>> backups = VBSClient(session).backups  # doctest: +SKIP
"""
