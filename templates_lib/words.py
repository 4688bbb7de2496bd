"""The fixed words of a message's layout, in each language a client may be written to in."""

from dataclasses import dataclass

from templates_lib.rendering import NBSP


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the layout says around a text."""

    colon: str
    demo: str
    invoice: str
    due: str
    due_on: str
    left: str
    also_due: str
    pay_one: str
    pay_several: str
    instalments: str
    problem: str
    already_paid: str
    answer: str
    rights: str
    other_channel: str
    manage: str
    about_one: str
    about_several: str
    notice_one: str
    notice_several: str

    def money(self, amount: str) -> str:
        """Write an amount with its currency, on the side the language puts it."""
        return f"€{amount}" if self.colon == ":" else f"{amount}{NBSP}€"


WORDS = {
    "fr": Words(
        colon=f"{NBSP}:",
        demo=f"Démonstration{NBSP}: ce message n’est parti vers personne.",
        invoice="Facture",
        due="Échéance",
        due_on="échéance du",
        left="Reste à payer",
        also_due="Également à régler",
        pay_one="Voir et payer la facture",
        pay_several="Voir et payer les factures",
        instalments="Payer en plusieurs fois",
        problem="Signaler un problème",
        already_paid="J’ai déjà payé",
        answer=f"Vous pouvez aussi répondre à ce message{NBSP}: il arrive directement au cabinet.",
        rights="Vos droits",
        other_channel="Choisir un autre canal",
        manage="votre espace de règlement",
        about_one="{firm}, au sujet de votre facture.",
        about_several="{firm}, au sujet de vos factures.",
        notice_one="{firm}, responsable du traitement, utilise vos coordonnées et les données de cette facture "
        "pour la gestion et le recouvrement de ses honoraires.",
        notice_several="{firm}, responsable du traitement, utilise vos coordonnées et les données de ces factures "
        "pour la gestion et le recouvrement de ses honoraires.",
    ),
    "en": Words(
        colon=":",
        demo="Demonstration: this message was sent to nobody.",
        invoice="Invoice",
        due="Due date",
        due_on="due",
        left="Left to pay",
        also_due="Also to be paid",
        pay_one="See and pay the invoice",
        pay_several="See and pay the invoices",
        instalments="Pay in instalments",
        problem="Report a problem",
        already_paid="I have already paid",
        answer="You can also reply to this message: it goes straight to the firm.",
        rights="Your rights",
        other_channel="Choose another channel",
        manage="your payment page",
        about_one="{firm}, about your invoice.",
        about_several="{firm}, about your invoices.",
        notice_one="{firm}, as data controller, uses your contact details and the data of this invoice to manage and "
        "recover its fees.",
        notice_several="{firm}, as data controller, uses your contact details and the data of these invoices to manage "
        "and recover its fees.",
    ),
}
