# SPDX-License-Identifier: Apache-2.0
"""The commands: they parse, call the library and show what came of it.

The plugin modules of this package are imported at every start of
``openstack``, so nothing is imported here.
"""
