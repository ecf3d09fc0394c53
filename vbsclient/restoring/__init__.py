# SPDX-License-Identifier: Apache-2.0
"""Changes that overwrite data: what is shown and verified before a POST.

A restore goes to a volume that exists and was named, and nowhere else.
"""
