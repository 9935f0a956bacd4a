"""Templates of campaign parameters (`utm_source` and so on) that a team gives its destinations."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from clickatlas.api.caller import CallerDep, EditorDep, HouseDep
from clickatlas.errors import conflict, not_found
from clickatlas.links import audit
from clickatlas.links.models import UtmTemplate

router = APIRouter(prefix="/api/utm-templates", tags=["links"])
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class Utm(BaseModel):
    """Campaign parameters. In each, `{campaign}`, `{channel}`, `{code}` and `{title}` stand for the link's own."""

    model_config = ConfigDict(extra="forbid")
    source: Text | None = Field(None, examples=["newsletter"])
    medium: Text | None = Field(None, examples=["{channel}"])
    campaign: Text | None = Field(None, examples=["{campaign}"])
    term: Text | None = None
    content: Text | None = None
    id: Text | None = None


class UtmTemplateIn(BaseModel):
    """A new template."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    utm: Utm


class UtmTemplateOut(UtmTemplateIn):
    """A template."""

    id: int


class UtmTemplates(BaseModel):
    """The workspace's templates, by name."""

    rows: list[UtmTemplateOut]


@router.get("")
def listed(opened: HouseDep, who: CallerDep) -> UtmTemplates:
    """The workspace's templates, by name."""
    wanted = select(UtmTemplate).where(UtmTemplate.workspace_id == who.workspace).order_by(UtmTemplate.name)
    with opened.links.reading() as session:
        return UtmTemplates(rows=[_shown(found) for found in session.scalars(wanted)])


@router.post("", status_code=201)
def create(draft: UtmTemplateIn, opened: HouseDep, who: EditorDep) -> UtmTemplateOut:
    """Keep campaign parameters under a name, which can be used once (409)."""
    with opened.links.writing() as session:
        made = UtmTemplate(
            workspace_id=who.workspace, name=draft.name, parts=draft.utm.model_dump(exclude_none=True)
        )
        session.add(made)
        try:
            session.flush()
        except IntegrityError:
            session.rollback()
            raise conflict(
                f"A template is called {draft.name!r} already.", remedy="Choose another name."
            ) from None
        audit.by(session, who, "utm.create", made.name)
        return _shown(made)


@router.delete("/{template_id}", status_code=204)
def delete(
    template_id: Annotated[int, Path(ge=1, le=2**63 - 1)], opened: HouseDep, who: EditorDep
) -> Response:
    """Forget a template. Links that were made with it stay as they are."""
    with opened.links.writing() as session:
        found = session.get(UtmTemplate, template_id)
        if found is None or found.workspace_id != who.workspace:
            raise not_found(
                f"There is no template {template_id} here.", remedy="List yours with GET /api/utm-templates."
            )
        audit.by(session, who, "utm.delete", found.name)
        session.delete(found)
    return Response(status_code=204)


def _shown(found: UtmTemplate) -> UtmTemplateOut:
    return UtmTemplateOut(id=found.id, name=found.name, utm=Utm(**found.parts))
