# SPDX-License-Identifier: Apache-2.0
"""How many values each property is tried with."""

import os

from hypothesis import HealthCheck, settings

# Speed is not what these tests are about, and the machine may be busy.  What
# passed once passes again: new values are for the thorough search.
settings.register_profile(
    'repeatable',
    deadline=None,
    max_examples=60,
    print_blob=True,
    derandomize=True,
    database=None,
)
settings.register_profile(
    'thorough',
    settings.get_profile('repeatable'),
    max_examples=1500,
    derandomize=False,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(os.environ.get('HYPOTHESIS_PROFILE', 'repeatable'))
