# SPDX-License-Identifier: Apache-2.0
"""Beside another plugin with commands of the same first word."""
