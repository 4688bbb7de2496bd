"""The sending address: the DNS says what is true of it, messages are signed with it, and no fallback is silent."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import dkim
import pytest
import time_machine
from django.db import connection

from cabinets.enums import TaskKind, TaskState
from cabinets.models import Cabinet, JournalEntry, Task
from cabinets.scoping import working_for
from dunning.channels import authentication
from dunning.channels.names import Answer, Names
from dunning.channels.signing import Signer, new_pair, published
from dunning.enums import DomainState, Origin, RecordKind, RecordState
from dunning.errors import DunningError
from dunning.models import MailServer, SendingDomain
from dunning.services import roads, sending_domains, sending_trials
from dunning.services.roads import road_of, sender_of
from dunning.services.sending_domains import advance
from tests.conftest import NOW
from tests.dns_double import DnsDouble
from tests.factories.cabinets import make_cabinet, outside_any_firm

DOMAIN = "factures.cabinet.test"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def names(settings: Any) -> Iterator[DnsDouble]:
    with DnsDouble() as server:
        settings.DNS_RESOLVERS, settings.DNS_PORT = ["127.0.0.1"], server.port
        yield server


@pytest.fixture(autouse=True)
def platform(settings: Any) -> None:
    settings.SENDING_DOMAIN, settings.BOUNCE_DOMAIN = "envoi.plateforme.test", "rebonds.envoi.plateforme.test"
    settings.EMAIL_HOST, settings.EMAIL_USE_TLS = "127.0.0.1", False


def publish(names: DnsDouble, domain: SendingDomain, *, without: tuple[RecordKind, ...] = ()) -> None:
    for line in sending_domains.lines_of(domain, Cabinet.objects.get()):
        if line.kind not in without:
            names.zone[line.name, line.type] = [line.value]


def look(domain: SendingDomain) -> SendingDomain:
    """Do what the check does, in the test's own transaction."""
    heard = sending_domains.listen(sending_domains.lines_of(domain, Cabinet.objects.get()))
    sending_domains._write(domain.pk, heard, asked=(domain.public_key, domain.spare_public_key))
    return SendingDomain.objects.get()


def events() -> list[str]:
    rows = JournalEntry.objects.filter(event__startswith="sending_domain.").order_by("at", "pk")
    return sorted(rows.values_list("event", flat=True))


def test_signs_so_that_the_published_key_verifies() -> None:
    pair = new_pair()
    message = (
        b"From: Cabinet <factures@factures.cabinet.test>\r\nTo: a@b.test\r\nSubject: Votre facture\r\n"
        b"Date: Tue, 24 Nov 2026 10:30:00 +0100\r\nMessage-ID: <1@factures.cabinet.test>\r\n\r\nBonjour.\r\n"
    )

    signed = Signer(domain=DOMAIN, selector="quittance1", private_key=pair.private).sign(message)

    def zone(name: bytes, **_: object) -> bytes:
        assert name == b"quittance1._domainkey.factures.cabinet.test."
        return published(pair.public).encode()

    assert signed.endswith(message)
    assert dkim.verify(signed, dnsfunc=zone)
    assert not dkim.verify(signed.replace(b"Bonjour", b"Bonsoir"), dnsfunc=zone)
    assert not dkim.verify(signed.replace(b"Votre facture", b"Votre avoir"), dnsfunc=zone)


def test_writes_from_the_platform_at_once_under_the_firm_s_name(cabinet: Cabinet) -> None:
    sender = sender_of(cabinet)

    assert sender is not None
    assert (sender.origin, sender.address, sender.reply_to, sender.envelope_from, sender.signer) == (
        Origin.PLATFORM,
        f"factures.{cabinet.slug}@envoi.plateforme.test",
        cabinet.email,
        f"{cabinet.slug}@rebonds.envoi.plateforme.test",
        None,
    )


@pytest.mark.parametrize(
    ("missing", "value"), [("SENDING_DOMAIN", ""), ("EMAIL_HOST", ""), ("EMAIL_HOST", "smtp.plateforme.test")]
)
def test_says_nothing_where_neither_firm_nor_platform_can(
    cabinet: Cabinet, settings: Any, missing: str, value: str
) -> None:
    # A server of another machine, without TLS, carries nothing.
    setattr(settings, missing, value)

    assert road_of(cabinet) is None


def test_a_firm_s_own_server_never_gives_way_to_the_platform(cabinet: Cabinet) -> None:
    MailServer(host="smtp.cabinet.test", sender="cabinet@cabinet.test", failure="refusé").save(force_insert=True)

    road = road_of(cabinet)

    assert road is not None
    assert (road.sender.origin, road.sender.address, road.channel.settings.host) == (
        Origin.OWN_SERVER,
        "cabinet@cabinet.test",
        "smtp.cabinet.test",
    )


def test_leaves_from_the_firm_s_domain_once_its_lines_are_published(cabinet: Cabinet, names: DnsDouble) -> None:
    domain = sending_domains.keep(domain=DOMAIN)
    publish(names, domain)

    seen = look(domain)

    sender = sender_of(cabinet)
    assert (seen.state, seen.is_carrying, seen.checked_at) == (DomainState.VERIFIED, True, NOW)
    assert seen.next_check_at == NOW + HOUR
    assert sender is not None
    assert sender.signer is not None
    assert (sender.origin, sender.address, sender.envelope_from, sender.signer.selector) == (
        Origin.OWN_DOMAIN,
        f"factures@{DOMAIN}",
        f"{cabinet.slug}@rebonds.{DOMAIN}",
        "quittance1",
    )
    assert events() == ["sending_domain.kept", "sending_domain.verified"]


@pytest.mark.parametrize(
    ("without", "state", "carries"),
    [
        ((), DomainState.VERIFIED, True),
        ((RecordKind.DMARC,), DomainState.PARTIAL, True),
        ((RecordKind.DKIM_SPARE,), DomainState.PARTIAL, True),
        ((RecordKind.DKIM,), DomainState.PARTIAL, False),
        ((RecordKind.RETURN_PATH,), DomainState.PARTIAL, False),
        (tuple(RecordKind), DomainState.WAITING, False),
    ],
)
def test_what_is_published_decides_where_messages_leave_from(
    cabinet: Cabinet, names: DnsDouble, without: tuple[RecordKind, ...], state: DomainState, *, carries: bool
) -> None:
    domain = sending_domains.keep(domain=DOMAIN)
    publish(names, domain, without=without)

    seen = look(domain)

    sender = sender_of(cabinet)
    assert sender is not None
    assert (seen.state, seen.is_carrying) == (state, carries)
    assert sender.origin == (Origin.OWN_DOMAIN if carries else Origin.PLATFORM)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (RecordKind.DKIM, "v=DKIM1; k=rsa; p=AAAA"),
        (RecordKind.DKIM, "v=DKIM1; k=rsa; p="),
        (RecordKind.RETURN_PATH, "ailleurs.test"),
        (RecordKind.DMARC, "v=DMARC1; p=jamais"),
    ],
)
def test_another_value_is_shown_and_verifies_nothing(
    cabinet: Cabinet, names: DnsDouble, kind: RecordKind, value: str
) -> None:
    domain = sending_domains.keep(domain=DOMAIN)
    publish(names, domain)
    line = next(one for one in sending_domains.lines_of(domain, cabinet) if one.kind is kind)
    names.zone[line.name, line.type] = [value]

    seen = look(domain)

    assert seen.state_of(kind) is RecordState.WAITING
    assert seen.records[kind.value]["found"] == value


def test_a_policy_of_the_whole_domain_holds_for_the_sub_domain(cabinet: Cabinet, names: DnsDouble) -> None:
    domain = sending_domains.keep(domain=DOMAIN)
    publish(names, domain, without=(RecordKind.DMARC,))
    names.zone["_dmarc.cabinet.test", "TXT"] = ["v=DMARC1; p=reject"]

    assert look(domain).state == DomainState.VERIFIED


def test_a_line_that_breaks_is_told_to_a_person_and_messages_leave_from_the_platform(
    cabinet: Cabinet, names: DnsDouble
) -> None:
    domain = sending_domains.keep(domain=DOMAIN)
    publish(names, domain)
    domain = look(domain)
    names.zone.pop((f"quittance1._domainkey.{DOMAIN}", "TXT"))

    with time_machine.travel(NOW + dt.timedelta(days=10), tick=False):
        broken = look(domain)

    sender = sender_of(cabinet)
    assert sender is not None
    assert (broken.state, broken.is_carrying, broken.broken_since) == (
        DomainState.BROKEN,
        False,
        NOW + dt.timedelta(days=10),
    )
    assert broken.next_check_at == NOW + dt.timedelta(days=10) + HOUR
    assert sender.origin is Origin.PLATFORM
    assert list(Task.objects.values_list("kind", "state", "subject_id")) == [
        (TaskKind.SENDING_DOMAIN, TaskState.OPEN, domain.pk)
    ]
    assert events()[0] == "sending_domain.broken"

    publish(names, broken)
    mended = look(broken)

    assert (mended.state, mended.is_carrying, mended.broken_since) == (DomainState.VERIFIED, True, None)
    assert list(Task.objects.values_list("state", flat=True)) == [TaskState.DONE]


def test_a_dns_that_does_not_answer_changes_nothing(cabinet: Cabinet, names: DnsDouble) -> None:
    domain = sending_domains.keep(domain=DOMAIN)
    publish(names, domain)
    domain = look(domain)
    names.fails = True

    seen = look(domain)

    assert (seen.state, seen.is_carrying) == (DomainState.VERIFIED, True)
    assert {known["answered"] for known in seen.records.values()} == {False}
    assert Task.objects.count() == 0


def test_a_resolver_tells_absence_from_silence(names: DnsDouble) -> None:
    names.zone["a.test", "TXT"] = ["x" * 300]
    resolver = Names(resolvers=["127.0.0.1"], port=names.port)

    assert resolver.texts("a.test") == Answer(("x" * 300,))
    assert resolver.texts("b.test") == Answer()
    assert resolver.alias("a.test") == Answer()
    names.fails = True
    assert resolver.texts("a.test") == Answer(is_answered=False)


def test_keeps_since_when_a_line_waits() -> None:
    first = advance({}, holds=False, answer=Answer(), now=NOW)
    later = advance(first, holds=False, answer=Answer(), now=NOW + HOUR)
    held = advance(later, holds=True, answer=Answer(("v",)), now=NOW + 2 * HOUR)

    assert (first["state"], later["since"]) == ("waiting", NOW.isoformat())
    assert (held["state"], held["since"]) == ("verified", (NOW + 2 * HOUR).isoformat())


def test_looks_every_hour_for_three_days_then_every_day(cabinet: Cabinet, names: DnsDouble) -> None:
    domain = sending_domains.keep(domain=DOMAIN)

    for after, wait in ((0, 1), (71, 1), (72, 24), (500, 24)):
        at = NOW + dt.timedelta(hours=after)
        with time_machine.travel(at, tick=False):
            assert look(domain).next_check_at == at + dt.timedelta(hours=wait)


def test_the_spare_key_takes_over_and_only_once_published(cabinet: Cabinet, names: DnsDouble) -> None:
    domain = sending_domains.keep(domain=DOMAIN)
    publish(names, domain, without=(RecordKind.DKIM_SPARE,))
    domain = look(domain)
    with pytest.raises(DunningError):
        sending_domains.rotate(domain_id=domain.pk)
    assert SendingDomain.objects.get().selector == "quittance1"
    publish(names, domain)
    domain = look(domain)
    spare = domain.spare_private_key

    rotated = sending_domains.rotate(domain_id=domain.pk)

    sender = sender_of(cabinet)
    assert sender is not None
    assert sender.signer == Signer(domain=DOMAIN, selector="quittance2", private_key=spare)
    assert (rotated.spare_selector, rotated.state, rotated.is_carrying) == ("quittance1", DomainState.PARTIAL, True)
    assert rotated.spare_private_key not in {spare, domain.private_key}


def test_an_answer_about_former_keys_is_dropped(cabinet: Cabinet, names: DnsDouble) -> None:
    domain = sending_domains.keep(domain=DOMAIN)
    publish(names, domain)
    heard = sending_domains.listen(sending_domains.lines_of(domain, cabinet))

    sending_domains._write(domain.pk, heard, asked=("former", "former"))

    assert SendingDomain.objects.get().state == DomainState.NEVER


def test_another_firm_cannot_take_a_domain_by_typing_it(
    cabinet: Cabinet, other_cabinet: Cabinet, names: DnsDouble
) -> None:
    domain = sending_domains.keep(domain=DOMAIN)
    publish(names, domain)
    look(domain)

    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        assert SendingDomain.objects.count() == 0
        theirs = look(sending_domains.keep(domain=DOMAIN))
        sender = sender_of(other_cabinet)

    assert not theirs.is_carrying
    assert theirs.state_of(RecordKind.DKIM) is RecordState.WAITING
    assert sender is not None
    assert sender.origin is Origin.PLATFORM


def test_the_private_key_is_sealed_in_its_row(cabinet: Cabinet) -> None:
    domain = sending_domains.keep(domain=DOMAIN)

    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(d)::text FROM dunning_sendingdomain d")
        row = cursor.fetchone()[0]

    assert domain.private_key.startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert "PRIVATE" not in row
    assert domain.private_key[40:80].encode().hex() not in row
    assert "private_key=" not in repr(roads.signer_of(domain) or Signer(domain="d", selector="s", private_key="k"))


def test_asks_about_a_domain_by_its_id_alone(committed: None, names: DnsDouble) -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        domain = sending_domains.keep(domain=DOMAIN)
        publish(names, domain)

    assert sending_domains.due(now=NOW) == [domain.pk]
    sending_domains.check(domain_id=domain.pk)

    with working_for(cabinet_id=firm.pk):
        assert SendingDomain.objects.get().state == DomainState.VERIFIED
    assert sending_domains.due(now=NOW) == []
    assert sending_domains.due(now=NOW + HOUR) == [domain.pk]


SOURCE = """\
Delivered-To: moi@cabinet.test
Authentication-Results: mx.messagerie.test;
       dkim=pass header.i=@factures.cabinet.test header.s=quittance1 header.b=abc;
       spf=pass (mx: domain designates 192.0.2.1) smtp.mailfrom=c@rebonds.factures.cabinet.test;
       dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=factures.cabinet.test
Authentication-Results: faux.test; dkim=fail header.d=faux.test
From: Cabinet <factures@factures.cabinet.test>

Bonjour
"""


def test_reads_what_the_last_server_found_and_no_other() -> None:
    found = authentication.read(SOURCE)

    assert found is not None
    assert found.server == "mx.messagerie.test"
    assert [(one.method, one.result, one.domain) for one in found.results] == [
        ("dkim", "pass", "factures.cabinet.test"),
        ("spf", "pass", "rebonds.factures.cabinet.test"),
        ("dmarc", "pass", "factures.cabinet.test"),
    ]


@pytest.mark.parametrize("source", ["", "Bonjour", "From: a@b.test\n\nx", "Authentication-Results: \n\n"])
def test_reads_nothing_where_nothing_was_found(source: str) -> None:
    assert authentication.read(source) is None


def test_says_when_what_passes_is_not_the_sender(cabinet: Cabinet) -> None:
    found = authentication.read(SOURCE)
    assert found is not None

    judged = sending_trials.judge(found, cabinet=cabinet)

    assert not judged.is_right
    assert judged.findings[1].words == (
        "valable pour factures.cabinet.test, qui n’est pas votre adresse (envoi.plateforme.test)"
    )
