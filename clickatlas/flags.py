"""Settings as flags of a command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from clickatlas.settings import Settings, load

COMMON = ("data", "database_url", "cache", "public_url")
CITY = ("city_file", "city_package", "maxmind_account", "maxmind_key", "maxmind_edition")


def _option(name: str) -> Callable[[Any], Any]:
    field = Settings.model_fields[name]
    shown = ",".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
    help_text = f"{field.description} [default: {shown}]" if shown not in ("", None) else field.description
    kind: dict[str, Any] = {"type": str}
    if field.annotation is bool:
        flag = name.replace("_", "-")
        return click.option(f"--{flag}/--no-{flag}", name, default=None, help=help_text)
    return click.option(f"--{name.replace('_', '-')}", name, default=None, help=help_text, **kind)


def with_settings(*names: str) -> Callable[[Any], Any]:
    """Give a command the flags of these settings and `--config`; it gets one `Settings` in their place."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def command(config: Path | None, **given: Any) -> Any:
            flags = {name: given.pop(name) for name in names}
            return function(load(flags, config), **given)

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        command.__dict__.update(function.__dict__)
        decorated: Any = click.option(
            "--config",
            type=click.Path(path_type=Path, dir_okay=False),
            default=None,
            help="Settings file (TOML) [default: clickatlas.toml in the data folder].",
        )(command)
        for name in reversed(names):
            decorated = _option(name)(decorated)
        return decorated  # type: ignore[no-any-return]

    return decorate


def migrated(settings: Settings) -> Any:
    """The links database, brought up to date."""
    from clickatlas.links.database import LinksDatabase

    links = LinksDatabase(settings.data, settings.database_url)
    links.migrate()
    return links
