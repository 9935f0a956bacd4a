"""The settings as a page: ``docs/settings.md`` is printed from their one table."""

from __future__ import annotations

from clickatlas.settings import Settings


def markdown() -> str:
    """The settings table as ``docs/settings.md`` shows it."""
    lines = [
        "# Settings",
        "",
        "Each setting has one name: in `clickatlas.toml` (in the data folder, or `--config FILE`), in the",
        "environment, and as a flag of every command. A flag beats the environment, which beats the file.",
        "",
        "| in the file | in the environment | as a flag | default | what it does |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = ",".join(map(str, default)) if isinstance(default, tuple) else default
        shown = str(shown).lower() if isinstance(shown, bool) else "" if shown is None else shown
        flag = f"--{name.replace('_', '-')}"
        lines.append(
            f"| `{name}` | `CLICKATLAS_{name.upper()}` | `{flag}` "
            f"| {f'`{shown}`' if shown != '' else 'empty'} | {field.description} |"
        )
    return "\n".join(
        [*lines, "", "This page is printed from the table in `clickatlas/settings.py` by `make docs`.", ""]
    )
