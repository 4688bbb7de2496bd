"""What a page tells the next one: sealed with the session, read once, in no cookie, and gone with the session."""

from collections.abc import Callable
from typing import Any

import pytest

from cabinets.models import Cabinet, Membership, Session
from cabinets.sessions import SessionStore
from tests.cabinets.test_pages_clients import CLIENT
from tests.conftest import FirmBrowser

Browse = Callable[[Membership | None], FirmBrowser]
TOLD = "est ajouté à vos clients."


def add_client(browser: FirmBrowser) -> Any:
    answer = browser.post("/clients/ajouter/", {**CLIENT, "company": "Zebulonne SARL"})
    assert answer.status_code == 302
    return answer


def held() -> list[dict[str, Any]]:
    """Return what each session keeps."""
    return [SessionStore().decode(session.session_data) for session in Session.objects.all()]


def test_what_a_page_tells_is_in_no_cookie_and_sealed_in_the_session(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    answer = add_client(browse(owner))

    assert answer.cookies.keys() - {"csrftoken", "sessionid"} == set()
    [session] = held()
    assert (len(session["_messages"]) > 100, "Zebulonne" in str(session), "client" in str(session)) == (
        True,
        False,
        False,
    )


def test_it_is_read_once(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    add_client(browser)

    pages = [browser.get("/clients/").content.decode() for _ in range(2)]

    assert [page.count(TOLD) for page in pages] == [1, 0]
    assert ["_messages" in session for session in held()] == [False]


@pytest.mark.parametrize("what", ["altered", "another key", "in clear"])
def test_what_was_not_sealed_here_is_not_shown(
    cabinet: Cabinet, owner: Membership, browse: Browse, settings: Any, what: str
) -> None:
    browser = browse(owner)
    add_client(browser)
    session = browser.session
    sealed = session["_messages"]
    session["_messages"] = {
        "altered": sealed[:-4] + "AAAA",
        "another key": sealed,
        "in clear": '[["__json_message",0,25,"est ajouté à vos clients.",""]]',
    }[what]
    session.save()
    if what == "another key":
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another-key-of-fifty-characters-or-more-0123456789-abc"

    page = browser.get("/clients/")

    assert (page.status_code, TOLD in page.content.decode()) == (200, False)


def test_who_leaves_takes_what_was_not_read_along(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    add_client(browser)

    browser.post("/deconnexion/")

    assert "Zebulonne" not in browser.get("/connexion/").content.decode()
    assert [session for session in held() if "_messages" in session] == []
