"""Who lives around where a click is from: figures of US ZIP codes, blended over as far as a place is uncertain.

The City database states for each place the radius within which a visitor is with 67 % confidence (MaxMind, GeoIP2
`accuracy_radius`). A click with 50 km is not known to its ZIP code, so it isn't given that code's figures but
the mean of the figures around it, by residents, under a round normal kernel that has 67 % of itself within the
radius. The kernel pulls figures towards those of the wider surroundings: what a large radius can't tell
apart, the profile doesn't, either (attenuation; Zandbergen, "Geocoding quality and implications for spatial
analysis", Geography Compass 3, 2009, on positional error).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from clickatlas.atlas.areas import LEVELS, Areas, Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.figures import FIGURES, REFRESHED, Figure, extras
from clickatlas.atlas.files import load
from clickatlas.atlas.people import URBANICITY, Table
from clickatlas.insight.measures import Residents

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
EARTH = 6371.0088  # km
INSIDE = 0.67  # of the visitors are within the radius
SIGMA = float(np.sqrt(-2 * np.log(1 - INSIDE)))  # radius in standard deviations of a round normal kernel
REACH = 2.5  # standard deviations at which the kernel ends: 96 % of it
POOL = 3.0  # ZIP codes closer than a standard deviation's third are taken together
TOLD = tuple(figure for figure in FIGURES if figure.kind != "count" and figure.name != "vacant")
NAMES = (*(figure.name for figure in TOLD), *URBANICITY)


@dataclass(frozen=True)
class Surroundings:
    """Figures by cell, a cell being a ZIP code seen with one radius; and the cell of each place.

    After the ZIP codes' cells come the counties', one each, for clicks that may be told by county only.
    """

    names: tuple[str, ...]  # of figures
    cell: I32  # by place number; -1 outside US ZIP codes, and for unplaced places
    county_cell: I32  # the same by county
    cluster: I32  # by cell, ascending: its ZIP code (then counties), whose clicks share their figures
    area: I32  # by cluster: its area number
    county: I32  # by cluster, for how many clicks would be usual there
    state: I32
    residents: F64  # by cell: the people for whom its places stand
    addresses: F64  # by cell: the database's addresses of its places
    figures: F64  # (cells, figures): shares 0 to 1, dollars, years; NaN where not known
    spread: F64  # (cells, figures): variance of the ZIP codes' figures within the radius; of counties among all of theirs
    error: (
        F64 | None
    )  # (cells, figures): standard errors of the survey; 0 where not known, None where none is

    @cached_property
    def known(self) -> F64:
        """1 where a figure is known, else 0."""
        return (~np.isnan(self.figures)).astype(np.float64)

    @cached_property
    def filled(self) -> F64:
        """The figures, 0 where not known."""
        return np.nan_to_num(self.figures)

    @cached_property
    def spreading(self) -> F64:
        """The spread, 0 where it is not known."""
        return np.nan_to_num(self.spread)

    @cached_property
    def bases(self) -> list[F64]:
        """By cell, what clicks could be in proportion to."""
        return [self.residents, self.addresses, np.sqrt(self.residents * self.addresses)]

    @cached_property
    def starts(self) -> npt.NDArray[np.intp]:
        """Where each cluster's cells begin; only clusters that have cells."""
        return np.flatnonzero(np.diff(self.cluster, prepend=-1))

    def by_cluster(self, weight: F64) -> tuple[F64, F64]:
        """Sums of weight × figure, and of weight where the figure is known: (len(starts), figures) each."""
        cells = len(self.cluster)
        sums = csr_matrix(
            (weight, np.arange(cells), np.append(self.starts, cells)), (len(self.starts), cells)
        )
        return sums @ self.filled, sums @ self.known

    @classmethod
    def of(cls, atlas: Atlas) -> Surroundings:
        """Those of an atlas; the last two are remembered. About a second the first time."""
        return _surroundings(atlas.folder)


@lru_cache(maxsize=2)
def _surroundings(folder: Path) -> Surroundings:
    atlas = Atlas.open(folder)
    places = atlas.places
    figures, residents, error = zip_figures(folder)
    area_of, lat, lon = positions(atlas.areas, load(folder, "people_zip"))
    row_of = np.full(len(atlas.areas) + 1, -1, np.int32)
    row_of[area_of[area_of >= 0]] = np.flatnonzero(area_of >= 0)
    nation = atlas.areas.number("country:US")
    known = (np.asarray(places.area[Level.COUNTRY]) == (-2 if nation is None else nation)) & ~np.asarray(
        places.unplaced
    )
    row = np.where(known, row_of[places.area[Level.POSTAL]], -1)
    some = np.flatnonzero(row >= 0)
    radii, seen = np.unique(np.asarray(places.radius)[some], return_inverse=True)
    pairs, of_place = np.unique(row[some].astype(np.int64) * (len(radii) + 1) + seen, return_inverse=True)
    zips, which = (pairs // (len(radii) + 1)).astype(np.int32), pairs % (len(radii) + 1)
    both = np.hstack((figures, figures**2))
    blended = np.full((len(pairs), both.shape[1]), np.nan)
    for at, radius in enumerate(radii.tolist()):
        mine = which == at
        blended[mine] = blend(both, residents, lat, lon, zips[mine], float(radius))
    cell = np.full(len(row), -1, np.int32)
    cell[some] = of_place
    counties, county = np.unique(load(folder, "people_county"), return_inverse=True)
    _, state = np.unique(load(folder, "people_state"), return_inverse=True)
    there = [
        np.bincount(of_place, of[some], minlength=len(pairs)).astype(np.float64)
        for of in (Residents.of(atlas).place, np.asarray(places.addresses))
    ]
    nobody = np.zeros(len(counties))
    mean, square = np.hsplit(np.vstack((blended, _means(both, residents, county, len(counties)))), 2)
    at_home = np.zeros(len(counties), np.int64)
    at_home[county] = state
    county_cell = np.where(row >= 0, len(pairs) + county[row], -1).astype(np.int32)
    return Surroundings(
        names=NAMES,
        cell=cell,
        county_cell=county_cell,
        cluster=np.concatenate((zips, len(residents) + np.arange(len(counties)))).astype(np.int32),
        area=np.concatenate((area_of, _numbers(atlas.areas, counties))).astype(np.int32),
        county=np.concatenate((county, np.arange(len(counties)))).astype(np.int32),
        state=np.concatenate((state, at_home)).astype(np.int32),
        residents=np.concatenate((there[0], nobody)),
        addresses=np.concatenate((there[1], nobody)),
        figures=mean,
        spread=np.maximum(square - mean**2, 0.0),
        error=None if error is None else np.concatenate((error[zips], np.zeros((len(counties), len(NAMES))))),
    )


def blend(figures: F64, residents: F64, lat: F64, lon: F64, at: I32, radius: float) -> F64:
    """Means of the ZIP codes' `figures` around those of number `at`, (len(at), figures), by residents.

    `radius` in km; 0, where the database says nothing of it, is the ZIP code itself. NaN where nobody lives around.
    """
    if radius <= 0 or not len(at):
        return figures[at]
    sigma = radius / SIGMA
    use = np.flatnonzero((residents > 0) & ~np.isnan(lat))
    points, of = _pooled(lat[use], lon[use], residents[use], sigma / POOL)
    targets, of_target = _pooled(lat[at], lon[at], np.ones(len(at)), sigma / POOL)
    near = cKDTree(targets).sparse_distance_matrix(cKDTree(points), REACH * sigma, output_type="coo_matrix")
    kernel = csr_matrix(
        (np.exp(-(near.data**2) / (2 * sigma**2)), (near.row, near.col)), (len(targets), len(points))
    )
    told = ~np.isnan(figures[use])
    people = np.where(told, residents[use, None], 0.0)
    pool = csr_matrix((np.ones(len(use)), (of, np.arange(len(use)))), (len(points), len(use)))
    above = kernel @ (pool @ (people * np.nan_to_num(figures[use])))
    below = kernel @ (pool @ people)
    mean = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return np.asarray(np.where(np.isnan(lat[at])[:, None], figures[at], mean[of_target]))


def _pooled(lat: F64, lon: F64, weight: F64, size: float) -> tuple[F64, npt.NDArray[np.intp]]:
    """Points (km, three axes) taken together in squares of `size` km, and the pool of each."""
    lat, lon = np.nan_to_num(lat), np.nan_to_num(lon)
    down = np.floor(lat * (np.pi / 180 * EARTH) / size).astype(np.int64)
    middle = np.radians((down + 0.5) * size / (np.pi / 180 * EARTH))
    across = np.floor(lon * (np.pi / 180 * EARTH) * np.cos(middle) / size).astype(np.int64)
    _, of = np.unique(down * (1 << 32) + across, return_inverse=True)
    phi, theta = np.radians(lat), np.radians(lon)
    unit = np.stack((np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)), 1)
    total = np.bincount(of, weight)
    centre = np.stack([np.bincount(of, weight * axis) for axis in unit.T], 1) / total[:, None]
    return np.asarray(centre * EARTH), of


def zip_figures(folder: Path) -> tuple[F64, F64, F64 | None]:
    """(ZIP codes, figures), residents, and standard errors where the survey's margins are there."""
    names = [figure.name for figure in FIGURES]
    surveyed = (folder / "people_population_margin.npy").exists()
    if surveyed:
        names += [name for figure in REFRESHED for name in extras(figure)]
    table = Table({name: load(folder, f"people_{name}") for name in names})
    tier = load(folder, "people_urbanicity")
    living = np.nan_to_num(table.column("population"))
    of_tier = [np.where(tier < 0, np.nan, tier == at) for at in range(len(URBANICITY))]
    figures = np.stack([table.column(figure.name) for figure in TOLD] + of_tier, 1)
    if not surveyed:
        return figures, living, None
    zero = np.zeros(len(living))
    error = np.stack([_error(table, figure) for figure in TOLD] + [zero for _ in URBANICITY], 1)
    return figures, living, np.nan_to_num(error)


def _error(table: Table, figure: Figure) -> F64:
    """Standard errors of a figure by ZIP code: half the 90 % interval over 1.645; see `atlas.margins.of_share`."""
    if not figure.variables:
        return np.zeros(len(table.column("population")))
    margin = table.column(f"{figure.name}_margin")
    if figure.kind == "share":
        share, base = table.column(figure.name), table.base(figure)
        spread = share**2 * table.column(f"{figure.name}_base_margin") ** 2
        inner = np.where(margin**2 >= spread, margin**2 - spread, margin**2 + spread)
        margin = np.divide(np.sqrt(inner), base, out=np.zeros(len(base)), where=base > 0)
    return margin / 1.645


def positions(areas: Areas, zips: npt.NDArray[np.bytes_]) -> tuple[I32, F64, F64]:
    """Area number, latitude and longitude of each ZIP code; -1 and NaN where the atlas has no such area."""
    area, lat, lon = np.full(len(zips), -1, np.int32), np.full(len(zips), np.nan), np.full(len(zips), np.nan)
    row = {code.decode(): at for at, code in enumerate(zips.tolist())}
    postal = np.flatnonzero(np.asarray(areas.levels()) == LEVELS.index(Level.POSTAL))
    for number in postal.tolist():
        kind, _, code = areas.id(number).partition(":")
        at = row.get(code) if kind == "zip" else None
        if at is not None:
            area[at], lat[at], lon[at] = number, areas.lat(number), areas.lon(number)
    return area, lat, lon


def _numbers(areas: Areas, counties: npt.NDArray[np.bytes_]) -> I32:
    """Area numbers of county codes; -1 where the atlas has no such county."""
    found = (areas.number(f"county:{code.decode()}") for code in counties.tolist())
    return np.array([-1 if number is None else number for number in found], np.int32)


def _means(figures: F64, residents: F64, group: npt.NDArray[np.intp], size: int) -> F64:
    """Means of the figures in each group, by residents."""
    told = ~np.isnan(figures) & (residents > 0)[:, None]
    people = np.where(told, residents[:, None], 0.0)
    result = np.full((size, figures.shape[1]), np.nan)
    for at in range(figures.shape[1]):
        below = np.bincount(group, people[:, at], minlength=size)
        above = np.bincount(group, people[:, at] * np.nan_to_num(figures[:, at]), minlength=size)
        np.divide(above, below, out=result[:, at], where=below > 0)
    return result
