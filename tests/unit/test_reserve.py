"""Room kept for a start on a full disk."""

from __future__ import annotations

import errno
import os
from collections import namedtuple
from pathlib import Path

import pytest

from clickatlas import reserve

USAGE = namedtuple("USAGE", "total used free")


def refuse(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def fsync(_fd: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)


def test_it_is_made_of_bytes_that_are_really_there(tmp_path: Path) -> None:
    reserve.renew(tmp_path)
    made = (tmp_path / "reserve").stat()
    assert made.st_size == reserve.SIZE
    assert made.st_mode & 0o777 == 0o600
    reserve.renew(tmp_path)
    assert (tmp_path / "reserve").stat().st_mtime_ns == made.st_mtime_ns
    assert [path.name for path in tmp_path.iterdir()] == ["reserve"]


def test_it_is_kept_while_there_is_other_room(tmp_path: Path) -> None:
    reserve.renew(tmp_path)
    reserve.give_up(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["reserve"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_it_is_given_up_where_nothing_else_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    reserve.renew(tmp_path)
    refuse(monkeypatch, number)
    reserve.give_up(tmp_path)
    assert not list(tmp_path.iterdir())
    reserve.renew(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_disk_with_another_trouble_is_not_helped_by_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve.renew(tmp_path)
    refuse(monkeypatch, errno.EIO)
    reserve.give_up(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["reserve"]


def test_it_takes_no_room_that_clicks_need_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _path: USAGE(10**9, 10**9, reserve.SPARE - 1))
    reserve.renew(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_gone_is_no_error(tmp_path: Path) -> None:
    reserve.renew(tmp_path / "gone")
    reserve.give_up(tmp_path / "gone")
