"""What the operator announces reaches a partner: a sub-processor they object to, an incident they open; both ways."""

import datetime as dt
from collections.abc import Callable
from uuid import UUID

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from cabinets.enums import Role
from cabinets.models import Cabinet, Membership
from cabinets.scoping import working_for
from gdpr.models import Breach, InstallationIncident, ProcessorNotice, SubProcessor
from gdpr.services import incident_news, processor_news
from tests.factories.cabinets import make_cabinet, make_member
from tests.journeys.conftest import DESK, PHONE

Open = Callable[..., Page]
WAYS = [pytest.param(True, id="scripts"), pytest.param(False, id="sans script")]


def partner() -> Membership:
    """Open a real firm with one partner: a demonstration objects to nothing."""
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        return make_member(role=Role.OWNER)


def announce(cabinet_id: UUID, name: str) -> None:
    """Announce a company and an incident to this firm."""
    day = timezone.now().date() + dt.timedelta(days=45)
    company = SubProcessor.objects.using("operator").create(
        name=name, country="DE", role="Relais des e-mails", data="Messages et adresses", since_on=day
    )
    processor_news.publish(processor=company, applies_on=day)
    incident = InstallationIncident(
        known_at=timezone.now() - dt.timedelta(hours=3), what="Une sauvegarde a été lue par un tiers.",
        whose="Clients et factures, environ 300 personnes.", measures="Accès coupé, clés changées.",
        contact="securite@exploitant.example", firm_ids=[cabinet_id],
    )  # fmt: skip
    incident.save(using="operator", force_insert=True)
    incident_news.publish(incident=incident)
    for firm_id, version_id in processor_news.untold():
        processor_news.tell_firm(cabinet_id=firm_id, version_id=version_id)
    for firm_id, statement_id in incident_news.untold():
        incident_news.tell_firm(cabinet_id=firm_id, statement_id=statement_id)


@pytest.mark.parametrize("scripts", WAYS)
def test_a_partner_objects_to_a_company_and_opens_an_incident(
    demo: dict[str, Cabinet], open_page: Open, *, scripts: bool
) -> None:
    member, name = partner(), f"Relais {'vif' if scripts else 'calme'}"
    announce(member.cabinet_id, name)
    page = open_page(member, size=DESK if scripts else PHONE, scripts=scripts)

    page.goto("/notifications/")
    page.get_by_role("link", name="Un sous-traitant est annoncé").click()
    page.get_by_role("link", name=f"S’opposer à {name}").click()
    page.get_by_role("button", name="S’opposer au nom du cabinet").click()
    expect(page.get_by_text("Écrivez le motif").first).to_be_visible()
    page.get_by_label("Motif").fill("Hébergement hors de France")
    page.get_by_role("button", name="S’opposer au nom du cabinet").click()
    expect(page.get_by_text("Hébergement hors de France")).to_be_visible()
    expect(page.get_by_text("L’exploitant n’a pas encore répondu")).to_be_visible()

    banner = page.get_by_text("L’exploitant signale un incident de sécurité")
    expect(banner.first).to_be_visible()
    page.get_by_role("alert").get_by_role("button", name="Ouvrir").click()
    expect(page.get_by_role("heading", name="Ce que dit l’exploitant")).to_be_visible()
    expect(page.get_by_text("environ 300 personnes").first).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    with working_for(cabinet_id=member.cabinet_id):
        assert ProcessorNotice.objects.get(name=name).objected_by_id == member.pk
        assert Breach.objects.get().known_at <= timezone.now()
