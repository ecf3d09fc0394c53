# SPDX-License-Identifier: Apache-2.0
"""The command against a real Keystone and a real Cinder, on loopback."""
