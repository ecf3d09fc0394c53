"""Configuration of Sphinx."""

from importlib.metadata import version as installed_version

from sphinx.application import Sphinx

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
html_css_files = ['pictures.css', 'console.css']

autoprogram_cliff_application = 'openstack'
autodoc_member_order = 'bysource'
autodoc_typehints = 'description'

man_pages = [
    (
        'man/openstack-vbs',
        'openstack-vbs',
        'list and delete volume backups (VBS)',
        [],
        1,
    ),
    (
        'man/openstack-csbs',
        'openstack-csbs',
        'list and delete server backups (CSBS)',
        [],
        1,
    ),
]


def setup(app: Sphinx) -> None:
    app.connect('builder-inited', _choose_pages)


def _choose_pages(app: Sphinx) -> None:
    """HTML has a page for each noun in place of the manual pages."""
    if app.builder.name != 'man':
        app.config.exclude_patterns.append('man')
