"""Several processes learn and recall one name at the same time."""

from __future__ import annotations

from dash_brain.brain import Brain
from tests.brain.workers import overwrite, read_until
from tests.processes import FORKSERVER

WRITES = 100


def test_four_writers_of_one_name_all_succeed_and_no_reader_sees_it_missing(tmp_path):
    Brain(path=tmp_path)["a"] = (0, b"0" * 1000)
    with FORKSERVER.Pool(6) as pool:
        readers = [pool.apply_async(read_until, (str(tmp_path), "a", "done")) for _ in range(2)]
        writers = [pool.apply_async(overwrite, (str(tmp_path), "a", writer, WRITES)) for writer in range(4)]
        assert [writer.get(60) for writer in writers] == [WRITES] * 4
        Brain(path=tmp_path)["done"] = True
        for reader in readers:
            reads, faults = reader.get(60)
            assert reads > 0
            assert faults == []
    assert Brain(path=tmp_path).names() == ["a", "done"]
