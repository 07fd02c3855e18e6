"""What a visitor may upload in a day."""

from __future__ import annotations

import pytest

from gymform.errors import QuotaError
from gymform.service.quotas import DAY_S, DailyBytes, UploadRoom, address_key, in_words

MB = 1024**2


def test_uploads_count_up_to_the_limit_and_not_beyond():
    spent = DailyBytes()
    spent.charge("a", 6 * MB, 10 * MB)
    with pytest.raises(QuotaError, match=r"10 MB in 24 hours, and you have 4 MB left.* of 5 MB"):
        spent.charge("a", 5 * MB, 10 * MB)
    spent.charge("a", 4 * MB, 10 * MB)
    assert spent.left("a", 10 * MB) == 0
    spent.charge("b", 10 * MB, 10 * MB)


def test_a_day_later_they_are_forgotten_one_after_the_other():
    now = [0.0]
    spent = DailyBytes(clock=lambda: now[0])
    spent.charge("a", 4, 10)
    now[0] = DAY_S / 2
    spent.charge("a", 6, 10)
    now[0] = DAY_S + 1
    assert spent.left("a", 10) == 4
    spent.charge("a", 4, 10)
    with pytest.raises(QuotaError):
        spent.charge("a", 1, 10)


def test_many_visitors_take_no_endless_memory(monkeypatch):
    monkeypatch.setattr("gymform.service.quotas._KEYS", 3)
    spent = DailyBytes()
    for number in range(10):
        spent.charge(str(number), 5, 10)
    assert spent.left("9", 10) == 5
    assert spent.left("0", 10) == 10


@pytest.mark.parametrize(
    ("address", "key"),
    [("1.2.3.4", "1.2.3.4"), ("::ffff:1.2.3.4", "1.2.3.4"), ("2001:db8::5", "2001:db8::/64"),
     ("not an address", "unknown"), ("", "unknown")],
)  # fmt: skip
def test_whose_quota_an_address_uses_up(address, key):
    assert address_key(address) == key


def test_sizes_in_words():
    assert in_words(1536) == "1.5 kB"
    assert in_words(2 * 1024**3) == "2,048 MB"


# -- in memory at once -------------------------------------------------------------------------


class Memory:
    """What lies in memory, by session and file."""

    def __init__(self, **sessions: dict[str, int]) -> None:
        self.sessions = sessions
        self.room = UploadRoom(lambda one: self.sessions.get(one, {}), self.drop, limit=100)

    def drop(self, session: str, file: str) -> None:
        del self.sessions[session][file]


def test_uploads_that_no_page_took_make_way_in_all_sessions_of_the_visitor():
    memory = Memory(a={"1": 30, "2": 30}, b={"3": 30}, others={"4": 90})
    with memory.room.taken("anna", 45, ["a", "b"]):
        assert memory.sessions == {"a": {}, "b": {"3": 30}, "others": {"4": 90}}


def test_uploads_for_which_there_is_room_stay():
    memory = Memory(a={"1": 30, "2": 30})
    with memory.room.taken("anna", 40, ["a"]):
        assert memory.sessions == {"a": {"1": 30, "2": 30}}


def test_uploads_that_arrive_at_once_share_the_room():
    memory = Memory()
    with memory.room.taken("anna", 60, []):
        with (
            pytest.raises(QuotaError, match="has not arrived yet"),
            memory.room.taken("anna", 60, []),
        ):
            raise AssertionError("there was no room")
        with memory.room.taken("anna", 40, []), memory.room.taken("ben", 100, []):
            pass
    with memory.room.taken("anna", 60, []):
        pass


def test_an_upload_larger_than_all_room_is_left_to_the_server_to_refuse():
    with Memory().room.taken("anna", 1000, []):
        pass


def test_an_upload_that_breaks_off_gives_its_room_back():
    memory = Memory()
    with pytest.raises(ConnectionError), memory.room.taken("anna", 100, []):
        raise ConnectionError
    with memory.room.taken("anna", 100, []):
        pass
