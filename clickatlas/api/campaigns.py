"""Campaigns: what they are called, how many links they have, and where they are meant to be clicked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from clickatlas.api.caller import CallerDep, EditorDep, HouseDep
from clickatlas.api.targets import TargetDocument, checked_target
from clickatlas.links import audit, campaigns
from clickatlas.links.models import Campaign

router = APIRouter(prefix="/api/campaigns", tags=["links"])
# A name may have slashes in it: `:path`.
Name = Annotated[str, Path(min_length=1, max_length=200, description="The campaign's name.")]


class CampaignPatch(BaseModel):
    """What to change of a campaign; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    target: TargetDocument | None = Field(
        None, description="Where it is meant to be clicked; null: anywhere."
    )


class CampaignOut(BaseModel):
    """A campaign. It comes with its first link and goes with its last."""

    name: str
    links: int
    target: TargetDocument | None = Field(description="Where it is meant to be clicked; null: anywhere.")


class CampaignRow(BaseModel):
    """A campaign in a list."""

    name: str
    links: int
    targeted: bool = Field(description="Whether it has a target.")


class CampaignList(BaseModel):
    """The workspace's campaigns, by name."""

    rows: list[CampaignRow]


@router.get("")
def listed(opened: HouseDep, who: CallerDep) -> CampaignList:
    """The workspace's campaigns, by name."""
    with opened.links.reading() as session:
        found = campaigns.listed(session, who.workspace)
        return CampaignList(rows=[CampaignRow(name=name, links=n, targeted=has) for name, n, has in found])


@router.get("/{name:path}")
def one(name: Name, opened: HouseDep, who: CallerDep) -> CampaignOut:
    """One campaign."""
    with opened.links.reading() as session:
        campaign = campaigns.find(session, who.workspace, name)
        return _shown(campaign, campaigns.size(session, campaign))


@router.patch("/{name:path}")
def change(name: Name, patch: CampaignPatch, opened: HouseDep, who: EditorDep) -> CampaignOut:
    """Give a campaign a target, or take it away."""
    checked_target(opened.atlas, patch.target)
    with opened.links.writing() as session:
        campaign = campaigns.find(session, who.workspace, name)
        if "target" in patch.model_fields_set:
            campaign.target = patch.target.model_dump(mode="json") if patch.target else None
            audit.by(session, who, "campaign.change", campaign.name)
        return _shown(campaign, campaigns.size(session, campaign))


def _shown(campaign: Campaign, links: int) -> CampaignOut:
    return CampaignOut(name=campaign.name, links=links, target=TargetDocument.of(campaign.target))
