"""Configuration of Sphinx."""

import re
from importlib.metadata import version as installed_version
from textwrap import wrap

from docutils import nodes
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
        'create, list, restore and delete volume backups (VBS)',
        [],
        1,
    ),
    (
        'man/openstack-csbs',
        'openstack-csbs',
        'create, list, restore and delete server backups (CSBS)',
        [],
        1,
    ),
]


def setup(app: Sphinx) -> None:
    app.connect('builder-inited', _choose_pages)
    app.connect('doctree-read', _set_as_code)


def _choose_pages(app: Sphinx) -> None:
    """HTML has a page for each noun in place of the manual pages."""
    if app.builder.name != 'man':
        app.config.exclude_patterns.append('man')


#: An option in a sentence, and the example at the end of a help.
_OPTION = re.compile(r'(?<![\w-])(--?[a-z][\w-]*)')
_EXAMPLE = re.compile(r'(Example:) (openstack .*)', re.DOTALL)
#: Columns of a command in a manual page, at 80.
_COLUMNS = 66


def _set_as_code(app: Sphinx, doctree: nodes.document) -> None:
    """The help of a command has plain text: no line ends within an option."""
    if not app.env.docname.startswith(('cli/', 'man/')):
        return
    for paragraph in [*doctree.findall(nodes.paragraph)]:
        if example := _EXAMPLE.fullmatch(paragraph.astext()):
            lines = wrap(example[2], _COLUMNS, break_on_hyphens=False)
            command = '$ ' + ' \\\n    '.join(lines)
            block = nodes.literal_block(command, command, language='console')
            paragraph.replace_self([nodes.paragraph(text=example[1]), block])
            continue
        for text in [*paragraph.findall(nodes.Text)]:
            if not isinstance(text.parent, nodes.literal):
                # What was searched for is every second part.
                new = [
                    nodes.literal(text=part)
                    if number % 2
                    else nodes.Text(part)
                    for number, part in enumerate(_OPTION.split(text))
                ]
                text.parent.replace(text, new)
