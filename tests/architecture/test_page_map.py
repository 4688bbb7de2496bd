"""Each page of the map exists for the roles it is for, and answers the others with who may let them in."""

from collections.abc import Callable, Iterator

import pytest
from django.urls import resolve

from cabinets.enums import Role
from cabinets.models import Cabinet
from cabinets.scoping import acting_for, tenant_atomic
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_cabinet, make_member

pytestmark = pytest.mark.committed
OWNER, ADMIN, LAWYER, ASSISTANT, ACCOUNTANT = (
    Role.OWNER,
    Role.ADMIN,
    Role.LAWYER,
    Role.ASSISTANT,
    Role.ACCOUNTANT,
)
EVERYBODY = frozenset(Role)
DESK = frozenset({OWNER, ADMIN, LAWYER, ASSISTANT})
FIRM = frozenset({OWNER, ADMIN})
PARTNERS = frozenset({OWNER})
# The pages a signed-in person reaches without an object of theirs, and for whom.
PAGES: dict[str, frozenset[Role]] = {
    "/tableau-de-bord/": EVERYBODY,
    "/a-valider/": EVERYBODY,
    "/ce-soir/": EVERYBODY,
    "/calendrier/": EVERYBODY,
    "/factures/": EVERYBODY,
    "/factures/ajouter/": DESK,
    "/factures/importer/": DESK,
    "/clients/": EVERYBODY,
    "/demandes/": EVERYBODY,
    "/reponses/": EVERYBODY,
    "/echeanciers/": EVERYBODY,
    "/paiements/": EVERYBODY,
    "/banque/": FIRM,
    "/taches/": EVERYBODY,
    "/recherche/": EVERYBODY,
    "/notifications/": EVERYBODY,
    "/courrier/": EVERYBODY,
    "/scenarios/": EVERYBODY,
    "/modeles/": frozenset({OWNER, ADMIN, LAWYER}),
    "/preuves/": FIRM,
    "/relances/quand-rien-ne-part/": EVERYBODY,
    "/rapports/": EVERYBODY,
    "/rapports/dso/": EVERYBODY,
    "/rapports/balance-agee/": EVERYBODY,
    "/rapports/recouvrement/": EVERYBODY,
    "/rapports/temps/": EVERYBODY,
    "/rapports/avant-apres/": EVERYBODY,
    "/demarrage/": FIRM,
    "/demarrage/audit/": FIRM,
    "/demarrage/essai/": FIRM,
    "/parametres/cabinet/": FIRM,
    "/parametres/envois/": FIRM,
    "/parametres/delivrabilite/": FIRM,
    "/parametres/serveur/": FIRM,
    "/parametres/encaissement/": FIRM,
    "/parametres/echeanciers/": FIRM,
    "/parametres/banque/": FIRM,
    "/parametres/boite/": FIRM,
    "/parametres/sms/": FIRM,
    "/parametres/courrier/": FIRM,
    "/parametres/equipe/": FIRM,
    "/parametres/journal/": FIRM,
    "/parametres/assistance/": FIRM,
    "/parametres/abonnement/": PARTNERS,
    "/profil/securite/": EVERYBODY,
    "/rgpd/": FIRM,
    "/rgpd/registre/": FIRM,
    "/rgpd/durees/": FIRM,
    "/rgpd/sous-traitants/": FIRM,
    "/rgpd/information/": FIRM,
    "/rgpd/demandes/": FIRM,
    "/rgpd/export/": PARTNERS,
    "/rgpd/cloture/": PARTNERS,
    "/aide/": EVERYBODY,
}
# What the map names otherwise, and where it is (docs/adr/0024).
ELSEWHERE = {
    "/profil/": "/profil/securite/",
    "/demarrage/cabinet/": "/parametres/cabinet/",
    "/demarrage/encaissement/": "/parametres/cabinet/",
    "/demarrage/import/": "/factures/importer/",
    "/demarrage/scenario/": "/scenarios/",
    "/demarrage/messages/": "/modeles/",
    "/demarrage/expediteur/": "/parametres/delivrabilite/",
    "/exploitation/": "/exploitation/admin/",
}


@pytest.fixture
def cabinet(committed: None) -> Iterator[Cabinet]:
    """Return a firm that is acted for; committed, since some pages also read through the scheduler's role."""
    firm = make_cabinet()
    with acting_for(cabinet_id=firm.pk), tenant_atomic():
        yield firm


@pytest.mark.parametrize("role", list(Role))
def test_each_page_is_for_its_roles(cabinet: Cabinet, browse: Callable[..., FirmBrowser], role: Role) -> None:
    browser = browse(make_member(role=role))

    found = {page: browser.get(page).status_code for page in PAGES}

    assert found == {page: 200 if role in roles else 403 for page, roles in PAGES.items()}


@pytest.mark.parametrize("role", list(Role))
def test_a_refusal_says_who_may_grant_it(cabinet: Cabinet, browse: Callable[..., FirmBrowser], role: Role) -> None:
    browser = browse(make_member(role=role))

    for page in (page for page, roles in PAGES.items() if role not in roles):
        assert "associé" in browser.get(page).content.decode().lower(), page


@pytest.mark.parametrize("address", [*ELSEWHERE.values(), *PAGES])
def test_every_address_of_the_map_leads_somewhere(address: str) -> None:
    assert resolve(address).func is not None
