# SPDX-License-Identifier: Apache-2.0
"""Changes that create something: what is verified before a POST.

None of them is ever sent twice, and what was not answered is settled by
reading.
"""
