# SPDX-License-Identifier: Apache-2.0
"""Backups of the VBS and CSBS services for the ``openstack`` command line.

Every start of ``openstack`` imports this package for the plugin modules
below it, so nothing is imported here.
"""
