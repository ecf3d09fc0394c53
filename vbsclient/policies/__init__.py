# SPDX-License-Identifier: Apache-2.0
"""What is verified and sent for each kind of change of a policy."""
