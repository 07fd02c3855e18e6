"""The connection to Ray, without Ray: what is said when there is none."""

from __future__ import annotations

import socket
import sys
from types import SimpleNamespace

import pytest

from gymform.errors import OptionsError
from gymform.ray_cluster import connect, disconnect


@pytest.fixture(name="ray")
def _ray(monkeypatch) -> SimpleNamespace:
    """Stands for Ray; ``inits`` are the addresses that it was asked to connect to."""
    ray = SimpleNamespace(inits=[], connected=False)

    def init(address, **options):
        ray.inits.append((address, sorted(options)))
        ray.connected = True

    def shutdown():
        ray.connected = False

    ray.init, ray.shutdown, ray.is_initialized = init, shutdown, lambda: ray.connected
    monkeypatch.setitem(sys.modules, "ray", ray)
    return ray


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(OptionsError, match=r"requirements-ray\.txt"):
        connect(None)


def test_a_connection_is_made_once_until_it_is_lost(ray):
    assert connect(None) is ray
    connect(None)
    assert len(ray.inits) == 1
    disconnect()
    connect(None)
    assert len(ray.inits) == 2


def test_a_cluster_on_the_network_is_given_only_what_its_client_takes(ray):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"ray://127.0.0.1:{server.getsockname()[1]}"
        connect(address)
    assert ray.inits == [(address, ["log_to_driver"])]


@pytest.mark.parametrize("address", ["ray://127.0.0.1:1", "ray://", "ray://head.invalid:x"])
def test_nobody_there_is_told_soon_and_in_words(ray, address):
    with pytest.raises(OptionsError, match=r"cannot be reached.*expected an address"):
        connect(address)
    assert ray.inits == []


def test_what_ray_says_is_told_in_words(ray):
    def init(**options):
        raise RuntimeError("Version mismatch")

    ray.init = init
    with pytest.raises(OptionsError, match=r"RuntimeError.*same versions"):
        connect("auto")
