# SPDX-License-Identifier: Apache-2.0
"""The pictures of the documentation, drawn from the code and its tables.

``python -m doc.pictures`` writes them into ``doc/source/pictures``; a test
compares.  ``python -m doc.pictures.recording`` records the demo.
"""
