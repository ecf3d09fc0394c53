# SPDX-License-Identifier: Apache-2.0
"""What is verified before policies are created, changed and deleted."""
