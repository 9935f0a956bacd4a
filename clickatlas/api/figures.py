"""The figures of /metrics, each once: its name, kind, labels and meaning. docs/monitoring.md is held against this."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Figure(NamedTuple):
    """One family of metrics."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    what: str
    labels: tuple[str, ...] = ()


FIGURES = {
    figure.name: figure
    for figure in (
        Figure("clickatlas_redirect_seconds", "histogram",
               "From a redirect's arrival to its answer, its click in the spool."),
        Figure("clickatlas_redirects_total", "counter", "Redirects answered.", ("worker",)),
        Figure("clickatlas_clicks_lost_total", "counter", "Redirects answered whose click the disk refused."),
        Figure("clickatlas_click_lost_timestamp_seconds", "gauge", "When the last click was lost; 0: never."),
        Figure("clickatlas_street_answers_total", "counter", "Answers that are no redirect.", ("kind",)),
        Figure("clickatlas_connections", "gauge", "Open connections.", ("worker",)),
        Figure("clickatlas_street_up", "gauge", "1 where a worker's event loop turns.", ("worker",)),
        Figure("clickatlas_street_starts_total", "counter", "How often a worker was started.", ("worker",)),
        Figure("clickatlas_street_resident_bytes", "gauge", "Memory of a worker.", ("worker",)),
        Figure("clickatlas_spool_lag_clicks", "gauge", "Clicks answered and not counted yet, about."),
        Figure("clickatlas_spool_lag_seconds", "gauge", "Age of the oldest of them."),
        Figure("clickatlas_spool_bytes", "gauge", "Size of the spool on the disk."),
        Figure("clickatlas_spool_aside_segments", "gauge", "Spool segments that were damaged and put aside."),
        Figure("clickatlas_ingested_clicks_total", "counter", "Clicks moved to the store since the app started."),
        Figure("clickatlas_ingest_batch_clicks", "gauge", "Clicks of the last batch."),
        Figure("clickatlas_ingest_batch_seconds", "gauge", "Time that the last batch took."),
        Figure("clickatlas_store_clicks", "gauge", "Clicks in the store; up to a minute old."),
        Figure("clickatlas_store_bytes", "gauge", "Size of the click store on the disk."),
        Figure("clickatlas_atlas_built_timestamp_seconds", "gauge", "When the City database in use was built."),
        Figure("clickatlas_atlas_age_seconds", "gauge", "How long ago that is."),
        Figure("clickatlas_disk_free_bytes", "gauge", "Free on the disk of the data folder."),
        Figure("clickatlas_disk_size_bytes", "gauge", "Size of that disk."),
        Figure("clickatlas_api_request_seconds", "histogram",
               "Requests to the app, to the last byte of the answer; `status` is a class such as 2xx.",
               ("method", "route", "status")),
        Figure("clickatlas_fault", "gauge", "1 where this is wrong now; the same as in /health.",
               ("fault", "severity")),
        Figure("clickatlas_build_info", "gauge", "Always 1.", ("version",)),
    )
}  # fmt: skip


def markdown() -> str:
    """The figures as a table for docs/monitoring.md."""
    lines = ["| figure | kind | labels | what it is |", "| --- | --- | --- | --- |"]
    for figure in FIGURES.values():
        labels = ", ".join(f"`{label}`" for label in figure.labels)
        lines.append(f"| `{figure.name}` | {figure.kind} | {labels} | {figure.what} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
