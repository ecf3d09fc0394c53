# SPDX-License-Identifier: Apache-2.0
"""The commands of CSBS: a module for each noun, a class for each verb."""
