# SPDX-License-Identifier: Apache-2.0
"""Keystone on a port of 127.0.0.1: ``serve_keystone PORT``."""

import sys

from werkzeug.serving import WSGIRequestHandler, run_simple


class Handler(WSGIRequestHandler):
    """Keeps connections open, as every server in front of Keystone does."""

    protocol_version = 'HTTP/1.1'

    def log_request(self, code: object = '-', size: object = '-') -> None:
        """What the tests count; Keystone's own log has no requests."""
        print(f'"{self.requestline}" {code}', flush=True)


def main() -> None:
    # Keystone reads the arguments as its own when it is imported.
    port = int(sys.argv.pop())
    from keystone.wsgi.api import application

    run_simple(
        '127.0.0.1',
        port,
        application,
        threaded=True,
        request_handler=Handler,
    )


main()
