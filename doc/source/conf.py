"""Configuration of Sphinx."""

from importlib.metadata import version as installed_version

project = 'python-vbsclient'
author = 'python-vbsclient contributors'
copyright = f'2026, {author}'
release = version = installed_version(project)

extensions = [
    'cliff.sphinxext',
    'reno.sphinxext',
    'sphinx.ext.autodoc',
]

#: An option that is copied from a page must stay one: no dashes for `--`.
smartquotes = False

html_theme = 'furo'
html_title = project
html_show_sphinx = False
html_static_path = ['_static']
html_css_files = ['console.css']

autoprogram_cliff_application = 'openstack'
autodoc_member_order = 'bysource'
autodoc_typehints = 'description'
