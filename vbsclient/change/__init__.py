# SPDX-License-Identifier: Apache-2.0
"""The engine for every verb: targets, outcomes, the run, the follow-up."""
