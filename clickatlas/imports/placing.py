"""Rows are placed: by their address, else their position, else the names of places."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.addresses import packed_one
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.places import NOWHERE
from clickatlas.imports.cells import as_texts, coded, numbers
from clickatlas.imports.names import NameProblem, Names
from clickatlas.imports.positions import Positions
from clickatlas.imports.report import Refusals, Report

NAMED = ("country", "region", "city", "postal")


class Placing:
    """Places the rows of batches, and counts how."""

    def __init__(self, atlas: Atlas, within_km: float, report: Report) -> None:
        self._atlas, self._within_km, self._report = atlas, within_km, report
        self._positions: Positions | None = None
        self._names = Names(atlas)

    def placed(
        self, columns: dict[str, Any], count: int, why: Refusals
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], list[str]]:
        """Place numbers, network kinds, and addresses where there are any; why not, for some."""
        place, kind = np.full(count, -1, np.int32), np.zeros(count, np.int64)
        addresses: list[str] = []
        bad: dict[int, str] = {}
        if "ip" in columns:
            addresses, bad = self._by_address(columns["ip"], place, kind)
        if "lat" in columns and (left := np.flatnonzero(place < 0)).size:
            self._by_position(columns, left, place, why)
        if any(role in columns for role in NAMED) and (left := np.flatnonzero(place < 0)).size:
            self._by_name(columns, left, place, why)
        none = [int(at) for at in np.flatnonzero(place < 0) if int(at) not in why]
        for at in none:
            if at in bad:
                why.all([at], f"{bad[at][:60]!r} is not an IP address", "the address is none")
        says = "has neither ip nor lat and lon" if "ip" in columns or "lat" in columns else "has no place"
        why.all(none, says, "has no place")
        return place, kind, addresses

    def _by_address(self, column: Any, place: Any, kind: Any) -> tuple[list[str], dict[int, str]]:
        """The addresses, "" where there is none; and what stands where one should."""
        texts = [text.strip() if text else "" for text in as_texts(column).to_pylist()]
        found = self._atlas.locator.locate(texts)
        good, bad = np.ones(len(texts), np.bool_), dict[int, str]()
        for at in np.flatnonzero(found == NOWHERE).tolist():
            if packed_one(texts[at]):
                continue
            if bare := _without_port(texts[at]):
                texts[at], found[at] = bare, self._atlas.locator.place_of(bare)
                continue
            good[at] = False
            if texts[at] and texts[at] != "-":
                bad[at] = texts[at]
            texts[at] = ""
        place[good] = found[good]
        kind[good] = self._atlas.locator.kinds(texts)[good]
        self._report.by["address"] += int(good.sum())
        return texts, bad

    def _by_position(self, columns: dict[str, Any], left: Any, place: Any, why: Refusals) -> None:
        lat, lon = numbers(columns["lat"])[left], numbers(columns["lon"])[left]
        empty = (
            coded(columns["lat"]).of(lambda t: t == "", bool)[left]
            | coded(columns["lon"]).of(lambda t: t == "", bool)[left]
        )
        known = np.isfinite(lat) & np.isfinite(lon)
        earth = known & (np.abs(lat) <= 90) & (np.abs(lon) <= 180)
        null = (
            earth & (lat == 0) & (lon == 0) & any(role in columns for role in NAMED)
        )  # a service's "not known"
        why.all(left[~known & ~empty], "lat and lon are not numbers")
        for at in np.flatnonzero(known & ~earth).tolist():
            why.all(
                [left[at]],
                f"lat {lat[at]:g}, lon {lon[at]:g} is not on the Earth",
                "lat and lon are not on the Earth",
            )
        use = np.flatnonzero(earth & ~null)
        if not use.size:
            return
        self._positions = self._positions or Positions(self._atlas.places)
        found, km = self._positions.nearest(lat[use], lon[use], within_km=self._within_km)
        place[left[use]] = found
        near = found >= 0
        self._report.by["position"] += int(near.sum())
        self._report.km = max(self._report.km, float(km[near].max(initial=0)))
        if not any(role in columns for role in NAMED):
            for at in np.flatnonzero(~near).tolist():
                said = (
                    f"no place is known within {self._within_km:.0f} km of {lat[use[at]]:g}, {lon[use[at]]:g}"
                )
                why.all([left[use[at]]], said, "no place is known near the position")

    def _by_name(self, columns: dict[str, Any], left: Any, place: Any, why: Refusals) -> None:
        parts = [coded(columns[role]) if role in columns else None for role in NAMED]
        index = [part.index[left] if part else np.zeros(left.size, np.int64) for part in parts]
        combined, which = np.unique(np.column_stack(index), axis=0, return_inverse=True)
        which = which.ravel()
        for number, spot in enumerate(combined.tolist()):
            country, region, city, postal = (
                p.texts[at] if p else "" for p, at in zip(parts, spot, strict=True)
            )
            rows = left[which == number] if len(combined) < 64 else left[np.flatnonzero(which == number)]
            try:
                found = self._names.place(country, region, city, postal)
            except NameProblem as error:
                why.all(
                    [int(at) for at in rows if at not in why], str(error), "no place of that name is known"
                )
                continue
            place[rows] = found
            self._report.by["nowhere" if found == NOWHERE else "name"] += len(rows)
            if found != NOWHERE and (city or postal) and self._atlas.places.area[Level.CITY][found] < 0:
                self._report.coarser += len(rows)


def _without_port(text: str) -> str:
    """`1.2.3.4:567` and `[2001:db8::1]:567` without their ports; "" where that is no address either."""
    bare = (
        text[1:].partition("]")[0]
        if text.startswith("[")
        else text.partition(":")[0]
        if text.count(":") == 1
        else ""
    )
    return bare if bare and packed_one(bare) else ""
