"""The one place that opens Ray: a connection to its cluster, for extractions and for analyses.

Ray is optional (``requirements-ray.txt``) and imported when a connection is asked for. Whoever can
reach a cluster's port can run any code there, and answers from it are trusted: it belongs into a
network of its own.
"""

from __future__ import annotations

import os
import socket
from typing import Any
from urllib.parse import urlsplit

from gymform.errors import OptionsError

CLIENT = "ray://"
"""How the address of a cluster begins that is reached over the network."""

CLIENT_PORT = 10001
"""The port of such an address that names none."""

_ANSWER_S = 5.0
"""How long a cluster may take to accept a connection, seconds; Ray itself would try for half a
minute."""


def connect(address: str | None) -> Any:
    """The module ``ray``, connected to the cluster at ``address``; a local one is started for None.

    A connection that there is already is used. Raises OptionsError when Ray is missing or the
    cluster cannot be reached.
    """
    ray = _ray()
    if ray.is_initialized():
        return ray
    try:
        if address and address.startswith(CLIENT):
            _knock(address)
            ray.init(address=address, log_to_driver=False)
        else:
            ray.init(address=address or "local", log_to_driver=False, include_dashboard=False)
    except (ConnectionError, ImportError, OSError, ValueError, RuntimeError) as error:
        raise OptionsError(
            f"The Ray cluster at {address or 'this machine'} cannot be reached "
            f"({type(error).__name__}): expected an address such as ray://head:10001, or for an "
            "extraction auto on a machine of the cluster. Check that it runs (ray status), has the "
            "same versions of Ray and Python as this machine, and takes its token (RAY_AUTH_TOKEN)."
        ) from error
    return ray


def disconnect() -> None:
    """Forget a connection that was lost, so that :func:`connect` makes a new one."""
    _ray().shutdown()


def _ray() -> Any:
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")  # a lost cluster is not replaced by a new
    try:
        import ray
    except ImportError:
        raise OptionsError(
            "The engine ray needs Ray: pip install -r requirements-ray.txt, on every machine of "
            "the cluster. Without it, gymform uses this machine's processors."
        ) from None
    return ray


def _knock(address: str) -> None:
    """Raise OSError unless something listens at ``address``, ValueError where it names no host."""
    parts = urlsplit(address)
    if not parts.hostname:
        raise ValueError(address)
    with socket.create_connection((parts.hostname, parts.port or CLIENT_PORT), _ANSWER_S):
        pass
