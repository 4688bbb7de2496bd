"""Saved views of Factures: an address under a name, one's own or the firm's."""

import html
from collections.abc import Callable

import pytest

from cabinets.enums import Role
from cabinets.models import Cabinet, Membership, SavedView
from cabinets.scoping import working_for
from dunning.services import saved_views
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_member, outside_any_firm

Browse = Callable[[Membership | None], FirmBrowser]


def text_of(browser: FirmBrowser, url: str) -> str:
    return html.unescape(browser.get(url).content.decode()).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("etat=echue&age=2", "etat=echue&age=2"),
        ("age=2&etat=echue&apres=x&evil=1", "etat=echue&age=2"),
        ("min=1+000%2C00", "min=1+000%2C00"),
        ("etat=", ""),
        ("", ""),
    ],
)
def test_keeps_the_filters_of_an_address_and_nothing_else(address: str, kept: str) -> None:
    assert saved_views.query_of(address) == kept


def test_a_view_is_kept_renamed_shared_and_deleted(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)

    offered = text_of(browser, "/factures/?etat=echue")
    answer = browser.post("/factures/vues/enregistrer/?etat=echue&apres=x", {"name": "  En  retard "})

    assert "/factures/vues/enregistrer/?etat=echue" in offered
    assert answer["Location"] == "/factures/?etat=echue"
    view = SavedView.objects.get()
    assert (view.name, view.query, view.is_shared) == ("En retard", "etat=echue", False)
    assert 'href="/factures/?etat=echue"' in text_of(browser, "/factures/")
    browser.post(f"/factures/vues/{view.pk}/modifier/", {"name": "Échues", "is_shared": "on"})
    view = SavedView.objects.get()
    assert (view.name, view.is_shared) == ("Échues", True)
    assert browser.get(f"/factures/vues/{view.pk}/supprimer/").status_code == 200
    browser.post(f"/factures/vues/{view.pk}/supprimer/")
    assert SavedView.objects.count() == 0


def test_a_colleague_uses_what_is_shared_and_changes_nothing(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    colleague = make_member(role=Role.ASSISTANT)
    saved_views.save_view(name="À moi", query="etat=payee", is_shared=False, by=owner)
    shared = saved_views.save_view(name="Au cabinet", query="etat=echue", is_shared=True, by=owner)
    browser = browse(colleague)

    page = text_of(browser, "/factures/vues/")

    assert ("Au cabinet" in page, "À moi" in page) == (True, False)
    assert browser.post(f"/factures/vues/{shared.pk}/modifier/", {"name": "x"}).status_code == 404
    assert browser.post(f"/factures/vues/{shared.pk}/supprimer/").status_code == 404
    with outside_any_firm(), working_for(cabinet_id=cabinet.pk, member_id=colleague.pk):
        assert [view.name for view in SavedView.objects.all()] == ["Au cabinet"]
    assert SavedView.objects.count() == 2


@pytest.mark.parametrize(
    ("query", "typed"),
    [
        ("q=Atelier", {"name": "Atelier", "is_shared": "on"}),
        ("client=6f9619ff-8b86-4d01-b42d-00cf4fc964ff", {"name": "Atelier", "is_shared": "on"}),
        ("", {"name": "Tout"}),
        ("etat=echue", {"name": "  "}),
        ("etat=echue", {"name": "x" * 61}),
    ],
)
def test_refuses_what_cannot_be_kept(
    cabinet: Cabinet, owner: Membership, browse: Browse, query: str, typed: dict[str, str]
) -> None:
    answer = browse(owner).post(f"/factures/vues/enregistrer/?{query}", typed)

    assert (answer.status_code, SavedView.objects.count()) == (422, 0)
