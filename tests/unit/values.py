# SPDX-License-Identifier: Apache-2.0
"""Values that hypothesis makes for several tests."""

from hypothesis import strategies as st

#: Anything that JSON can say.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
