"""The linter is held by the test vectors of the legal page."""

import pytest

from templates_lib.enums import Channel, Kind, Place, Step
from templates_lib.fields import BY_NAME, PLACEHOLDER
from templates_lib.gsm7 import foreign_characters, septets
from templates_lib.library import library, text_for
from templates_lib.lint import Fault, lint, lint_rendered, lint_sender, lint_version
from tests.templates_lib.law_texts import ARTICLE_J30, ARTICLE_J45, SMS, WRITTEN

FIRST_PRESENTATION = "à compter de la première présentation de ce courrier"


def rules(faults: list[Fault]) -> list[str]:
    return sorted({fault.rule for fault in faults})


def said(faults: list[Fault], *wanted: str) -> list[str]:
    return [fault.words for fault in faults if fault.rule in wanted]


def email(text: str, *, kind: Kind = Kind.PROFESSIONAL, step: Step = Step.J3) -> list[Fault]:
    return lint(text, kind=kind, channel=Channel.EMAIL, step=step)


def letter(text: str, *, kind: Kind = Kind.PROFESSIONAL) -> list[Fault]:
    return lint(text, kind=kind, channel=Channel.LETTER, step=Step.J45)


def sms(text: str) -> list[Fault]:
    return lint(text, kind=Kind.PROFESSIONAL, channel=Channel.SMS, step=Step.J10)


@pytest.mark.parametrize("version", library(), ids=lambda version: version.slug)
def test_every_text_of_the_library_passes(version: object) -> None:
    assert [str(fault) for text in library() if text is version for fault in lint_version(text)] == []


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("step", [Step.J3, Step.J10])
def test_the_text_lent_to_another_kind_passes_for_that_kind_too(kind: Kind, step: Step) -> None:
    version = text_for(step=step, kind=kind)

    forms = [form for form in (version.one, version.several) if form]

    assert [str(fault) for form in forms for fault in email(form.body, kind=kind, step=step)] == []


@pytest.mark.parametrize(("key", "text"), WRITTEN.items(), ids=str)
def test_every_letter_and_email_of_the_legal_page_passes(key: tuple[Kind, Step, Channel], text: str) -> None:
    kind, step, channel = key

    assert [str(fault) for fault in lint(text, kind=kind, channel=channel, step=step)] == []


@pytest.mark.parametrize(("key", "expected"), SMS.items(), ids=str)
def test_every_sms_of_the_legal_page_passes_and_counts_what_it_says(
    key: tuple[Kind, Step], expected: tuple[int, str]
) -> None:
    (kind, step), (count, text) = key, expected

    assert [str(fault) for fault in lint(text, kind=kind, channel=Channel.SMS, step=step)] == []
    assert septets(filled(text)) == count


def filled(text: str) -> str:
    return PLACEHOLDER.sub(lambda match: "x" * BY_NAME[match[1]].longest, text)


@pytest.mark.parametrize(
    "citation",
    [
        "L. 441-6",
        "L.441-6",
        "L441-3",
        "l. 441 - 6",
        "L.\u00a0441\u20116",
        "article L.441-3 du code de commerce",
    ],
)
def test_t01_a_dead_article_is_refused(citation: str) -> None:
    assert rules(email(f"Conformément à {citation}, réglez.", step=Step.J30)) == ["R1"]


@pytest.mark.parametrize("citation", ["L. 441-10, II", "D. 441-5", "L. 441-60"])
def test_a_living_article_is_let_through_to_a_professional(citation: str) -> None:
    assert email(f"Conformément à {citation}, réglez.", step=Step.J30) == []


@pytest.mark.parametrize("kind", [Kind.CONSUMER, Kind.NON_PRO_LEGAL])
@pytest.mark.parametrize(
    "claim",
    [
        "40 €",
        "40€",
        "40,00\u00a0€",
        "40 euros",
        "40 EUR",
        "quarante euros",
        "une indemnité forfaitaire",
        "INDEMNITÉ",
        "des frais de recouvrement",
        "frais\nde recouvrement",
        "des frais de relance",
        "des pénalités",
        "penalites",
        "l’article L. 441-10",
        "l’article D. 441-5",
        "des intérêts de retard",
        "le taux de la Banque centrale européenne",
        "une majoration",
        "[Pénalités] €",
        "[Total] €",
        "au taux [Taux_libellé]",
    ],
)
def test_t10_no_accessory_is_claimed_from_a_consumer(kind: Kind, claim: str) -> None:
    faults = email(f"Nous vous réclamons {claim}.", kind=kind)

    assert rules(faults) == ["R12"]
    assert email(f"Nous vous réclamons {claim}.", kind=Kind.PROFESSIONAL) == []


@pytest.mark.parametrize("amount", ["140 €", "1 440 €", "40 000 €", "1\u00a0040,00\u00a0€", "240 euros"])
def test_an_amount_that_only_ends_like_the_indemnity_is_no_indemnity(amount: str) -> None:
    assert email(f"Le montant est de {amount}.", kind=Kind.CONSUMER) == []


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Aucun frais de recouvrement ne vous est demandé.", []),
        ("AUCUN FRAIS DE RECOUVREMENT NE VOUS EST DEMANDÉ", []),
        ("Aucun frais de recouvrement ne vous est demandé si vous payez sous huitaine.", ["R12"]),
        ("Aucun frais de recouvrement ne vous sera épargné.", ["R12"]),
    ],
)
def test_the_promise_of_no_cost_is_allowed_only_when_nothing_follows_it(sentence: str, expected: list[str]) -> None:
    assert rules(email(sentence, kind=Kind.CONSUMER)) == expected


def test_legal_interest_is_not_announced_to_a_consumer_before_the_formal_notice() -> None:
    assert rules(email("L’intérêt au taux légal court.", kind=Kind.CONSUMER)) == ["R13"]


@pytest.mark.parametrize(
    "words",
    [
        "le tribunal",
        "une assignation",
        "une injonction de payer",
        "un huissier",
        "une saisie",
        "saisie-attribution",
        "une action en justice",
        "agir en justice",
        "le contentieux",
        "phase contentieuse",
        "une action\nen justice",
        "tribu\u200bnal",
    ],
)
def test_r19_no_court_and_no_bailiff(words: str) -> None:
    assert rules(email(f"À défaut, ce sera {words}.", step=Step.J30)) == ["R19"]


@pytest.mark.parametrize(
    "sentence",
    [
        "Vous pouvez saisir le bâtonnier.",
        "Vous pouvez saisir gratuitement notre service.",
        "Nous avons saisi votre demande.",
        "Le bâtonnier peut être saisi.",
    ],
)
def test_to_seise_is_not_a_seizure(sentence: str) -> None:
    assert email(sentence) == []


def test_t22_the_article_j45_text_is_refused_for_its_two_threats_and_its_delay() -> None:
    faults = letter(ARTICLE_J45)

    assert said(faults, "R19", "R23") == ["Action en justice", "recouvrement forcé"]
    assert said(faults, "R42") == [
        "à compter de la réception de ce courrier",
        "à compter de la première présentation",
    ]
    assert said(faults, "R41") == []
    assert said(faults, "R34d") == ["sans autre préavis"]


def test_t22_the_article_j45_text_sent_to_a_consumer_is_refused_for_its_costs_and_its_silence_too() -> None:
    faults = letter(ARTICLE_J45, kind=Kind.CONSUMER)

    assert rules(faults) == ["R12", "R19", "R23", "R31", "R34d", "R42", "champs"]
    assert said(faults, "R12") == ["pénalités", "frais de recouvrement"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.PROFESSIONAL, ["R1", "R18", "champs"]),
        (Kind.CONSUMER, ["R1", "R12", "R13", "R18", "R31", "champs"]),
        (Kind.NON_PRO_LEGAL, ["R1", "R12", "R13", "R18", "champs"]),
        (Kind.PUBLIC, ["R1", "R18", "R25", "champs"]),
    ],
)
def test_the_article_j30_text_is_refused_for_every_kind(kind: Kind, expected: list[str]) -> None:
    faults = email(ARTICLE_J30, kind=kind, step=Step.J30)

    assert rules(faults) == expected
    assert said(faults, "champs") == ["[Date]"]


@pytest.mark.parametrize("words", ["bâtonnier", "BATONNIER", "la bâtonnière, le bâtonnier"])
def test_t25_no_batonnier_for_a_public_buyer(words: str) -> None:
    assert rules(email(f"Nous saisirons {words}.", kind=Kind.PUBLIC, step=Step.J30)) == ["R25"]


def test_a_public_buyer_is_not_read_the_code_of_commerce() -> None:
    faults = email("Conformément à L. 441-10, réglez.", kind=Kind.PUBLIC, step=Step.J30)

    assert rules(faults) == ["R15"]


@pytest.mark.parametrize(
    ("kind", "step", "channel", "expected"),
    [
        (Kind.CONSUMER, Step.J30, Channel.EMAIL, ["R31"]),
        (Kind.CONSUMER, Step.J45, Channel.LETTER, ["R31"]),
        (Kind.CONSUMER, Step.J45, Channel.EMAIL, []),
        (Kind.CONSUMER, Step.J10, Channel.EMAIL, []),
        (Kind.NON_PRO_LEGAL, Step.J45, Channel.LETTER, []),
        (Kind.PROFESSIONAL, Step.J45, Channel.LETTER, []),
    ],
)
def test_t31_a_consumer_is_given_the_mediator(kind: Kind, step: Step, channel: Channel, expected: list[str]) -> None:
    text = (
        "Facture [Numéro_facture], échue le [Date_échéance], [Montant_dû] €, sous [Délai_jours] jours. "
        "[Signature_avocat]"
    )
    if step is Step.J45:
        text = f"Nous vous mettons en demeure de payer {FIRST_PRESENTATION}. {text}"

    assert rules(lint(text, kind=kind, channel=channel, step=step)) == expected


def test_a_professional_is_not_sent_to_the_consumer_mediator() -> None:
    faults = email("Médiateur : [Médiateur_nom].", kind=Kind.PROFESSIONAL, step=Step.J30)

    assert said(faults, "R31") == ["[Médiateur_nom]", "Médiateur"]


@pytest.mark.parametrize(
    ("missing", "rule"),
    [
        ("Nous vous mettons en demeure de payer", "R41"),
        ("[Total] €", "R41"),
        ("dans un délai de [Délai_jours] jours", "R41"),
        ("la facture [Numéro_facture]", "R41"),
        ("[Signature_avocat]", "R41"),
        (FIRST_PRESENTATION, "R42"),
    ],
)
def test_t41_a_formal_notice_holds_all_its_elements(missing: str, rule: str) -> None:
    whole = (
        f"Nous vous mettons en demeure de payer la facture [Numéro_facture], soit [Total] €, "
        f"dans un délai de [Délai_jours] jours {FIRST_PRESENTATION}. [Signature_avocat]"
    )

    assert letter(whole) == []
    assert rules(letter(whole.replace(missing, "…"))) == [rule]


@pytest.mark.parametrize("step", [Step.J3, Step.J10])
def test_no_formal_notice_is_announced_before_j30(step: Step) -> None:
    assert rules(email("Une mise en demeure suivra.", step=step)) == ["R34d"]


@pytest.mark.parametrize("text", ["Conditions générales", "nos conditions\u00a0générales de prestation"])
def test_r18_fees_rest_on_an_agreement(text: str) -> None:
    assert rules(email(text)) == ["R18"]


@pytest.mark.parametrize("field", ["[Nom_dossier]", "[Numéro_dossier]"])
def test_r34c_the_matter_is_refused_and_the_neutral_reference_named(field: str) -> None:
    (fault,) = email(f"Dossier {field}.")

    assert (fault.words, fault.rule, fault.mend) == (field, "R34c", "Écrivez [Référence_dossier].")
    assert email("Dossier [Référence_dossier].") == []


@pytest.mark.parametrize(
    "words",
    [
        "votre dossier de divorce",
        "la partie adverse",
        "votre adversaire",
        "Martin c/ Durand",
        "MARTIN C / DURAND",
        "l’affaire Martin contre",
        "les prud’hommes",
        "votre garde à vue",
        "la garde des enfants",
        "votre licenciement",
        "l’audience du 12",
    ],
)
def test_r34c_words_that_betray_the_matter_are_refused(words: str) -> None:
    assert rules(email(f"Facture pour {words}.")) == ["R34c"]


def test_a_firm_adds_its_own_words_to_keep() -> None:
    text = "Facture relative à Château-Rouge."

    assert email(text) == []
    faults = lint(
        text,
        kind=Kind.CONSUMER,
        channel=Channel.EMAIL,
        step=Step.J3,
        matter_words=["chateau-rouge", "Autre", " "],
    )
    assert [(fault.words, fault.rule) for fault in faults] == [("chateau-rouge", "R34c")]


@pytest.mark.parametrize("field", ["[Montant_dû]", "[Civilité_nom]", "[Lien_paiement]", "[Email_cabinet]"])
def test_the_subject_shows_neither_amount_nor_name_nor_link(field: str) -> None:
    faults = lint(f"Facture {field}", kind=Kind.CONSUMER, channel=Channel.EMAIL, step=Step.J3, place=Place.SUBJECT)

    assert [(fault.words, fault.rule) for fault in faults] == [(field, "R34c")]


@pytest.mark.parametrize(
    ("text", "words", "mend"),
    [
        ("[Montant_du] €", "[Montant_du]", "Vouliez-vous écrire [Montant_dû]\u00a0?"),
        ("[prenom client]", "[prenom client]", "Vouliez-vous écrire [Prénom_client]\u00a0?"),
        ("[Xyz]", "[Xyz]", "Choisissez un champ de la liste."),
        ("{{ montant }}", "[…]", "Corrigez les crochets ou retirez les accolades."),
        ("[Montant_dû €", "[…]", "Corrigez les crochets ou retirez les accolades."),
    ],
)
def test_an_unknown_field_is_named_with_the_nearest_one(text: str, words: str, mend: str) -> None:
    (fault,) = email(text)

    assert (fault.words, fault.mend) == (words, mend)


def test_the_full_amount_of_a_part_paid_invoice_is_not_claimed() -> None:
    assert [fault.mend for fault in email("Il reste [Montant_facture] €.")] == ["Écrivez [Montant_dû]."]
    assert email("Facture de [Montant_facture] €, reste [Montant_dû] €.") == []


def test_the_summary_stands_alone_in_its_paragraph() -> None:
    assert email("Voici :\n\n[Récapitulatif]\n\nMerci.") == []
    assert rules(email("Voici [Récapitulatif] merci.")) == ["champs"]


@pytest.mark.parametrize("word", ["STOP", "Stop", "STOP au 36111"])
def test_t52_an_sms_with_a_stop_code_is_refused(word: str) -> None:
    assert rules(sms(f"[Nom_cabinet]: facture [Numéro_facture]. [Lien_paiement] {word}")) == ["R52"]


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("Cabinet Dupont", False),
        ("CabDupont", True),
        ("Dupont 75", True),
        ("0612345678", False),
        ("+33612345678", False),
        ("Cab Hélène", False),
        ("12345", False),
    ],
)
def test_t53_a_sender_name_holds_in_eleven_plain_characters(name: str, accepted: bool) -> None:
    assert (rules(lint_sender(name)) == []) is accepted


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("bâtonnier", ("â",)),
        ("reçu", ("ç",)),
        ("n° 12", ("°",)),
        ("l’échéance", ("’",)),
        ("1\u00a0440", ("\u00a0",)),
        ("1\u202f440", ("\u202f",)),
        ("À œuvrer", ("À", "œ")),
        ("é è à ù ì ò É", ()),
    ],
)
def test_t56_what_gsm7_does_not_know(text: str, foreign: tuple[str, ...]) -> None:
    assert foreign_characters(text) == foreign


@pytest.mark.parametrize(("text", "count"), [("10 €", 5), ("", 0), ("[x]{y}\\^~|", 18), ("é" * 160, 160)])
def test_t56_septets(text: str, count: int) -> None:
    assert septets(text) == count


def test_t56_an_sms_is_counted_with_its_longest_values() -> None:
    long = "[Nom_cabinet] [Numéro_facture] [Montant_dû] [Lien_paiement] "
    room = 160 - (16 + 14 + 8 + 29 + 4)

    assert sms(long + "x" * room) == []
    assert [(fault.words, fault.rule) for fault in sms(long + "x" * (room + 1))] == [("161/160", "R56")]


def test_an_sms_names_its_foreign_characters_and_needs_the_link() -> None:
    faults = sms("[Nom_cabinet]: n’oubliez pas, reçu n° [Numéro_facture]")

    assert [(fault.words, fault.rule) for fault in faults] == [("’ ç °", "R56"), ("[Lien_paiement]", "R53")]


def test_an_email_without_its_payment_link_is_refused_as_rendered() -> None:
    link = "https://payer.example/p/abc"
    html = f'<p>Bonjour</p><a href="{link}">Voir et payer la facture</a>'

    assert lint_rendered(html, f"Payer : {link}", payment_link=link) == []
    for page, text in [
        ("<p>Bonjour</p>", f"Payer : {link}"),
        (html, "Bonjour"),
        (f"<p>{link}</p>", link),
    ]:
        assert [fault.words for fault in lint_rendered(page, text, payment_link=link)] == ["[Lien_paiement]"]


def test_a_hole_or_a_word_of_the_matter_is_found_in_the_rendered_email() -> None:
    link = "https://payer.example/p/abc"
    html = f'<a href="{link}">Payer</a><p>[Montant_dû] {{{{ x }}}} Dossier Klein</p>'

    faults = lint_rendered(html, f"{link} [cf. pièce]", payment_link=link, matter_words=["Klein"])

    assert [fault.words for fault in faults] == ["[Montant_dû]", "{{", "Klein"]


def test_a_fault_reads_as_a_sentence() -> None:
    (fault,) = email("Selon L.441-6.")

    assert str(fault) == (
        "«\u00a0L.441-6\u00a0»\u00a0: Cet article est abrogé depuis 2019. "
        "Écrivez L. 441-10, II, pour un professionnel. (R1)"
    )


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("legal action will follow", "R19"),
        ("we will go to court", "R19"),
        ("before the courts", "R19"),
        ("a bailiff will call", "R19"),
        ("litigation", "R19"),
        ("we are suing you", "R19"),
        ("enforcement of the debt", "R23"),
        ("forced recovery", "R23"),
        ("our general terms and conditions", "R18"),
        ("a final warning", "R34d"),
        ("without further notice", "R34d"),
        ("the opposing party", "R34c"),
        ("your hearing of 12 May", "R34c"),
        ("the custody of your children", "R34c"),
        ("your divorce", "R34c"),
        ("within 8 days from receipt of this letter", "R42"),
        ("the consumer ombudsman", "R31"),
    ],
)
def test_english_is_held_to_the_same_rules(words: str, rule: str) -> None:
    assert rules(email(f"Dear Ms Martin, {words}.", step=Step.J30)) == [rule]


@pytest.mark.parametrize("kind", [Kind.CONSUMER, Kind.NON_PRO_LEGAL])
@pytest.mark.parametrize(
    "claim",
    [
        "€40", "€ 40.00", "EUR 40", "forty euros", "a late fee", "late-payment interest", "late payment penalties",
        "recovery costs", "a collection fee", "an indemnity", "a surcharge", "a penalty",
    ],
)  # fmt: skip
def test_t10_no_accessory_is_claimed_from_a_consumer_in_english(kind: Kind, claim: str) -> None:
    assert rules(email(f"You owe {claim}.", kind=kind)) == ["R12"]
    assert email(f"You owe {claim}.", kind=Kind.PROFESSIONAL) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "You owe €400.", "You owe €40,000.00.", "You owe €1,440.00.", "You owe EUR 400.",
        "We look forward to hearing from you.", "À court terme, réglez.", "Un court message suffit.",
        "You are not being asked for any recovery costs.", "In case of difficulty, call us.",
    ],
)  # fmt: skip
def test_english_and_french_words_that_only_look_alike_are_let_through(sentence: str) -> None:
    assert email(sentence, kind=Kind.CONSUMER) == []


def test_an_english_promise_of_no_cost_that_a_condition_follows_is_a_threat() -> None:
    text = "You are not being asked for any recovery costs if you pay within a week."

    assert rules(email(text, kind=Kind.CONSUMER)) == ["R12"]


@pytest.mark.parametrize("words", ["the President of the Bar", "statutory interest"])
def test_who_may_not_read_it_does_not_in_english_either(words: str) -> None:
    kind, rule = (Kind.PUBLIC, "R25") if "Bar" in words else (Kind.CONSUMER, "R13")

    assert rules(email(f"You may read of {words}.", kind=kind)) == [rule]
