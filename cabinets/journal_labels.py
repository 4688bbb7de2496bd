"""What each event of the journal is called on screen: a code nobody named is shown as it is."""

EVENTS: dict[str, str] = {
    "access.refused": "Accès refusé",
    "person.signed_in": "Connexion",
    "person.password_changed": "Mot de passe changé",
    "person.sessions_ended": "Sessions terminées",
    "second_factor.refused": "Code refusé",
    "second_factor.codes_renewed": "Codes de secours renouvelés",
    "person.invited": "Invitation envoyée",
    "person.joined": "Arrivée dans l’équipe",
    "person.role_changed": "Rôle changé",
    "person.deactivated": "Accès retiré",
    "person.reactivated": "Accès rendu",
    "invitation.revoked": "Invitation annulée",
    "cabinet.changed": "Réglages du cabinet changés",
    "cabinet.mode_changed": "Mode d’envoi changé",
    "cabinet.sending_changed": "Réglages d’envoi changés",
    "client.mode_changed": "Mode d’envoi d’un client changé",
    "cabinet.iban_changed": "IBAN changé",
    "cabinet.suspended": "Tous les envois suspendus",
    "cabinet.resumed": "Envois repris",
    "cabinet.settlements_declared": "Règlements déclarés à jour",
    "journal.exported": "Journal exporté",
    "reminder.in_hand": "Relance confiée à une personne",
    "call.recorded": "Issue d’un appel notée",
    "task.done": "Tâche faite",
    "task.dropped": "Tâche close, sans objet",
    "task.assigned": "Tâche confiée",
    "keys.renewed": "Clés de chiffrement renouvelées",
}
SUBJECTS: dict[str, str] = {
    "client": "client",
    "contact": "contact",
    "dossier": "dossier",
    "invoice": "facture",
    "document": "document",
    "membership": "équipe",
    "journalentry": "journal",
    "reminder": "relance",
    "payment": "paiement",
    "task": "tâche",
    "importbatch": "import",
    "standstill": "arrêt des relances",
    "assignment": "affectation",
    "credit": "avoir",
    "cabinet": "cabinet",
    "scenario": "scénario",
    "night": "nuit",
    "link": "lien de règlement",
    "paymentlink": "lien de règlement",
    "hearing": "audience",
}
ACTS: dict[str, str] = {
    "seen": "consulté",
    "listed": "liste consultée",
    "created": "créé",
    "changed": "modifié",
    "updated": "modifié",
    "imported": "importé",
    "deleted": "supprimé",
    "approved": "approuvé",
    "sent": "envoyé",
    "held": "suspendu",
    "released": "repris",
    "settled": "réglé",
    "cancelled": "annulé",
    "exported": "exporté",
    "refused": "refusé",
    "opened": "ouvert",
    "recorded": "enregistré",
    "planned": "planifié",
    "assigned": "affecté",
    "postponed": "reporté",
    "undone": "défait",
    "archived": "archivé",
    "searched": "cherché",
    "downloaded": "téléchargé",
    "declared": "déclaré",
}


def label_of(event: str) -> str:
    """Return the French words of an event: its own, or its subject and its act, or its code."""
    if event in EVENTS:
        return EVENTS[event]
    subject, _, act = event.partition(".")
    if subject in SUBJECTS and act in ACTS:
        return f"{SUBJECTS[subject].capitalize()} : {ACTS[act]}"
    return event
