# SPDX-License-Identifier: Apache-2.0
"""What is verified before a DELETE leaves, for each kind of resource.

Each module resolves what the user named into targets, refuses what must not
be deleted, and sends what may.  A dry run, a real run and a retention rule
all go this way.
"""
