# SPDX-License-Identifier: Apache-2.0
"""What a name or an ID means, who made a backup, and who shares it."""
