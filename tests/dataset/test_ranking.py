"""The kept ranking: read as written, and none where there is none that can be read."""

import json

import pytest

from gymform.dataset.items import DatasetFiles
from gymform.dataset.ranking import Ranking, read_ranking, write_ranking


def test_a_ranking_is_read_as_it_was_written(tmp_path):
    ranking = Ranking({"a-1": 0.25, "b-1": 0.75}, "e" * 64)
    write_ranking(DatasetFiles(tmp_path), ranking)
    assert read_ranking(DatasetFiles(tmp_path)) == ranking


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version": 2, "model": "m", "gains": {}}', json.dumps({"version": 1}),
     '{"version": 1, "model": "m", "gains": {"a": "much"}}', '{"version": 1, "gains": [1]}'],
)  # fmt: skip
def test_what_cannot_be_read_is_none(tmp_path, text):
    DatasetFiles(tmp_path).ranking.write_text(text)
    assert read_ranking(DatasetFiles(tmp_path)) is None
    DatasetFiles(tmp_path).ranking.unlink()
    assert read_ranking(DatasetFiles(tmp_path)) is None
