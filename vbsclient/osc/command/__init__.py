# SPDX-License-Identifier: Apache-2.0
"""What the commands have in common: options, confirmation, journal."""
