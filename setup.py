"""How pbr builds the package: all else is in setup.cfg.

pbr takes the version from git, or from the metadata of an sdist. An archive of
the repository has neither: it is taken for what precedes the planned release.
"""

import configparser
import os
from pathlib import Path

import setuptools

if not Path('.git').exists() and not Path('PKG-INFO').exists():
    config = configparser.ConfigParser()
    config.read('setup.cfg', encoding='utf-8')
    planned = config['metadata']['version']
    os.environ.setdefault('PBR_VERSION', f'{planned}.dev0')

setuptools.setup(setup_requires=['pbr>=6.1.0'], pbr=True)
