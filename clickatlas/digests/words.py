"""A digest as a letter: HTML with the picture of the map, and plain text that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape
from typing import NamedTuple

from clickatlas.digests.figures import Figures, Row
from clickatlas.digests.schedule import Every, Schedule
from clickatlas.insight.card import count, percent
from clickatlas.mail.letter import PICTURE
from clickatlas.mail.texts import plain

NOUNS = {Every.DAY: "day", Every.WEEK: "week", Every.MONTH: "month"}
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
INK, QUIET, LINE, ACCENT = "#1d2733", "#5b6773", "#e3e8ec", "#0d6b62"
MORE, FEWER = "#1c7a46", "#a8431f"


class Letter(NamedTuple):
    """What is sent."""

    subject: str
    text: str
    html: str


def letter_of(figures: Figures, schedule: Schedule, unsubscribe: str, *, drawn: bool) -> Letter:
    """The letter of a digest; `drawn` says whether a picture goes with it."""
    name, span = plain(figures.workspace), span_of(figures)
    subject = f"{name or 'Your links'}: {_clicks(figures.clicks)}, {span}"
    return Letter(
        subject,
        _text(figures, schedule, unsubscribe, span),
        _html(figures, schedule, unsubscribe, span, drawn),
    )


def span_of(figures: Figures) -> str:
    """``16 – 22 November 2026``."""
    first, last = date.fromisoformat(figures.first), date.fromisoformat(figures.last)
    if figures.every is Every.MONTH:
        return f"{first:%B %Y}"
    end = f"{last.day} {last:%B %Y}"
    if first == last:
        return end
    if first.month == last.month:
        return f"{first.day} – {end}"
    return (
        f"{first.day} {first:%B} – {end}" if first.year == last.year else f"{first.day} {first:%B %Y} – {end}"
    )


def against(figures: Figures) -> str:
    """``18 % more than the 10,400 of the week before``, and whether chance may have made it."""
    noun = f"the {NOUNS[figures.every]} before"
    if not figures.before:
        return f"none in {noun}" if figures.clicks else f"none in {noun} either"
    change = figures.clicks / figures.before - 1
    if figures.clicks == figures.before:
        return f"as many as in {noun}"
    said = f"{percent(abs(change))} {'more' if change > 0 else 'fewer'} than the {count(figures.before)} of {noun}"
    if figures.beyond_chance is False:
        return f"{said}; chance alone may make as much"
    return said


def _clicks(clicks: int) -> str:
    return f"{count(clicks)} click{'s' * (clicks != 1)}"


def _why(schedule: Schedule, workspace: str) -> str:
    when = {
        Every.DAY: "every day",
        Every.WEEK: f"every {DAYS[schedule.weekday]}",
        Every.MONTH: "on the first of each month",
    }[schedule.every]
    return f"You get this {when} at {schedule.hour}:00 ({schedule.zone}), as you asked for it in {workspace}."


def _changes(figures: Figures) -> list[tuple[str, Sequence[Row]]]:
    named = (
        ("Countries that changed", figures.changed_countries),
        ("Metros that changed", figures.changed_metros),
        ("Links that changed", figures.changed_links),
    )
    return [(title, rows) for title, rows in named if rows]


def _insights(figures: Figures) -> tuple[str, list[str]]:
    return (
        ("New insights", figures.new_insights)
        if figures.new_insights
        else ("What stands out", figures.insights)
    )


def _text(figures: Figures, schedule: Schedule, unsubscribe: str, span: str) -> str:
    parts = [f"{plain(figures.workspace)}, {span}\n\n{_clicks(figures.clicks)}: {against(figures)}."]
    if figures.unplaced or figures.withheld:
        parts.append(_unshown(figures))
    for title, rows in [("Where from", figures.countries), *_changes(figures)]:
        if rows:
            lines = [f"- {plain(row.name)}: {count(row.clicks)}{_before(row)}" for row in rows]
            parts.append("\n".join([title, *lines]))
    title, said = _insights(figures)
    if said:
        parts.append("\n".join([title, *(f"- {sentence}" for sentence in said)]))
    parts.append(f"On the map: {figures.url}")
    parts.append(f"--\n{_why(schedule, plain(figures.workspace))}\nNo more of these: {unsubscribe}")
    return "\n\n".join(parts) + "\n"


def _before(row: Row) -> str:
    return "" if row.before is None else f" ({count(row.before)} before)"


def _unshown(figures: Figures) -> str:
    said = []
    if figures.unplaced:
        said.append(f"{_clicks(figures.unplaced)} unplaced: known to a country or region only")
    if figures.withheld:
        said.append(f"{_clicks(figures.withheld)} withheld: of areas with too few")
    return "Not on the map: " + "; ".join(said) + "."


def _html(figures: Figures, schedule: Schedule, unsubscribe: str, span: str, drawn: bool) -> str:
    name, url = escape(plain(figures.workspace)), escape(figures.url)
    blocks = [
        f'<p style="margin:0;color:{QUIET};font-size:14px">{name}</p>'
        f'<h1 style="margin:2px 0 18px;font-size:22px;line-height:28px">{escape(span)}</h1>'
        f'<p style="margin:0;font-size:40px;line-height:44px;font-weight:700">{count(figures.clicks)}'
        f'<span style="font-size:18px;font-weight:400;color:{QUIET}"> click{"s" * (figures.clicks != 1)}</span></p>'
        f'<p style="margin:4px 0 20px;color:{QUIET}">{escape(against(figures))}</p>'
    ]
    if drawn:
        alt = escape(
            f"Map of {_clicks(figures.clicks)}, {span}. {_unshown(figures) if figures.unplaced else ''}"
        )
        blocks.append(
            f'<a href="{url}"><img src="cid:{PICTURE}" width="552" alt="{alt}" '
            f'style="display:block;width:100%;max-width:552px;height:auto;border:1px solid {LINE};border-radius:8px"></a>'
        )
    elif figures.unplaced or figures.withheld:
        blocks.append(f'<p style="margin:0;color:{QUIET}">{escape(_unshown(figures))}</p>')
    for title, rows in [("Where from", figures.countries), *_changes(figures)]:
        if rows:
            blocks.append(_table(title, rows))
    if figures.clicks + figures.before and not _changes(figures):
        blocks.append(
            f'<p style="margin:16px 0 0;color:{QUIET}">No country, metro or link changed by more than chance makes.</p>'
        )
    title, said = _insights(figures)
    if said:
        items = "".join(f'<li style="margin:0 0 8px">{escape(sentence)}</li>' for sentence in said)
        blocks.append(_heading(title) + f'<ul style="margin:0;padding:0 0 0 18px">{items}</ul>')
    blocks.append(
        f'<p style="margin:26px 0 0"><a href="{url}" style="display:inline-block;padding:11px 20px;border-radius:9px;'
        f'background:{ACCENT};color:#ffffff;font-weight:600;text-decoration:none">Open the map</a></p>'
    )
    why = escape(_why(schedule, plain(figures.workspace)))
    foot = f'{why} <a href="{escape(unsubscribe)}" style="color:{QUIET}">No more of these</a>.'
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta name="color-scheme" content="light"><title>{name}</title></head>'
        f'<body style="margin:0;background:#f3f5f7;color:{INK};{FONT};font-size:15px;line-height:22px">'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center" style="padding:20px 10px">'
        '<table role="presentation" width="600" cellpadding="0" cellspacing="0" style="width:100%;max-width:600px;background:#ffffff;'
        f'border:1px solid {LINE};border-radius:14px"><tr><td style="padding:24px;text-align:left">{"".join(blocks)}</td></tr></table>'
        f'<p style="max-width:560px;margin:14px auto 0;color:{QUIET};font-size:12.5px;line-height:18px">{foot}</p>'
        "</td></tr></table></body></html>"
    )


def _heading(title: str) -> str:
    return f'<h2 style="margin:24px 0 8px;font-size:16px;line-height:22px">{escape(title)}</h2>'


def _table(title: str, rows: Sequence[Row]) -> str:
    cell = f"padding:7px 0;border-top:1px solid {LINE}"
    lines = []
    for row in rows:
        told, colour = _difference(row)
        lines.append(
            f'<tr><td style="{cell}">{escape(plain(row.name))}</td>'
            f'<td align="right" style="{cell};white-space:nowrap;font-weight:600">{count(row.clicks)}</td>'
            f'<td align="right" width="96" style="{cell};white-space:nowrap;color:{colour}">{told}</td></tr>'
        )
    body = "".join(lines)
    return (
        _heading(title)
        + f'<table width="100%" cellpadding="0" cellspacing="0" style="font-size:14px">{body}</table>'
    )


def _difference(row: Row) -> tuple[str, str]:
    """``+120`` against the period before, and its colour."""
    if row.before is None:
        return "", QUIET
    change = row.clicks - row.before
    if not change:
        return "±0", QUIET
    return (f"+{count(change)}", MORE) if change > 0 else (f"\u2212{count(-change)}", FEWER)
