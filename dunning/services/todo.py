"""What a person must do: whose it is, how it ends, and the one place where it is done."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from cabinets import journal
from cabinets.enums import NotificationKind, Right, TaskKind, TaskState
from cabinets.models import Cabinet, Dossier, Membership, Task
from cabinets.permissions import ensure
from cabinets.services.notifications import tell, tell_of_task, who_sees
from dunning.errors import TaskError
from dunning.models import Reminder
from dunning.presenting import offset_words
from invoices.models import Invoice
from payments.enums import PlanState
from payments.models import DebtorRequest, PaymentPlan

APPROVALS = "/a-valider/"
REQUEST_KINDS = frozenset(
    {
        TaskKind.ALREADY_PAID,
        TaskKind.DISPUTE,
        TaskKind.WRONG_RECIPIENT,
        TaskKind.CHANNEL_CHOICE,
        TaskKind.DATA_REQUEST,
    }
)
# These close by themselves, with the act that settles them: a mark would hide what is still to be decided.
CLOSED_BY_AN_ACT = {
    TaskKind.ALREADY_PAID: "en répondant à la demande du client",
    TaskKind.DISPUTE: "en répondant à la demande du client",
    TaskKind.WRONG_RECIPIENT: "en répondant à la demande du client",
    TaskKind.CHANNEL_CHOICE: "en répondant à la demande du client",
    TaskKind.DATA_REQUEST: "en répondant à la demande du client",
    TaskKind.UNKNOWN_OUTCOME: "en disant si le message est parti",
    TaskKind.ABNORMAL_NIGHT: "en confirmant la nuit",
    TaskKind.CLASSIFY_REPLY: "en classant la réponse",
    TaskKind.UNMATCHED_REPLY: "en rattachant le message, ou en le disant sans rapport",
    TaskKind.CALL: "en notant l’issue de l’appel",
    TaskKind.SECOND_ACCORD: "en donnant l’accord, ou en écartant le message",
    TaskKind.SENDING_DOMAIN: "quand les lignes DNS sont de nouveau vérifiées",
    TaskKind.PAYMENT_REVERSED: "depuis la page du paiement, où les relances reprennent",
}


@dataclass(frozen=True, slots=True)
class Door:
    """The one act a task calls for: its words, and the page that holds it when the task is about a reminder."""

    act: str
    of_reminder: str = "/clients/{client}/"
    # A subject that is no invoice, no request, no dossier and no reminder.
    of_other: str = "/clients/{client}/"


# fmt: off
DOORS: dict[TaskKind, Door] = {
    TaskKind.REVIEW_OLD_DEBT: Door("Examiner la facture"),
    TaskKind.ALREADY_PAID: Door("Vérifier le paiement"),
    TaskKind.DISPUTE: Door("Répondre"),
    TaskKind.WRONG_RECIPIENT: Door("Corriger le destinataire", of_reminder="/clients/{client}/modifier/"),
    TaskKind.UNKNOWN_OUTCOME: Door("Dire s’il est parti", of_reminder="/a-valider/{subject}/"),
    TaskKind.REJECTED_ADDRESS: Door(
        "Corriger l’adresse", "/clients/{client}/modifier/", "/clients/{client}/modifier/"),
    TaskKind.NO_ANSWER: Door("Choisir la suite"),
    TaskKind.ABNORMAL_NIGHT: Door("Confirmer la nuit", APPROVALS, APPROVALS),
    TaskKind.PROVISION_END: Door("Décider de la suite"),
    TaskKind.CLASSIFY_REPLY: Door("Classer la réponse", of_other="/reponses/{subject}/"),
    TaskKind.UNMATCHED_REPLY: Door("Rattacher le message", of_other="/reponses/{subject}/"),
    TaskKind.CALL: Door("Appeler", of_reminder="/appels/{subject}/"),
    TaskKind.POST_LETTER: Door("Préparer le courrier", of_reminder="/courrier/{subject}/"),
    TaskKind.LETTER_RETURNED: Door("Voir le courrier", of_reminder="/courrier/{subject}/"),
    TaskKind.ONE_TIME_CODE: Door("Saisir le code", of_other="/parametres/courrier/ar24/code/"),
    TaskKind.WATCH_FILE: Door("Voir le client"),
    TaskKind.FORMAL_PHASE: Door("Voir le client"),
    TaskKind.SECOND_ACCORD: Door("Relire et décider", of_reminder="/a-valider/{subject}/"),
    TaskKind.PLAN_REQUEST: Door("Étudier l’échéancier"),
    TaskKind.PAYMENT_REVERSED: Door("Examiner le paiement", of_other="/paiements/{subject}/"),
    TaskKind.DOUBLE_PAYMENT: Door("Voir le paiement", of_other="/paiements/{subject}/"),
    TaskKind.PROMISE_OVER: Door("Décider de la suite"),
    TaskKind.DECLARE_CLAIM: Door("Préparer la déclaration", of_other="/clients/{client}/faits/declaration/"),
    TaskKind.CHECK_INSOLVENCY: Door("Vérifier", of_other="/clients/{client}/faits/verification/"),
    TaskKind.LIMITATION: Door("Voir le délai"),
    TaskKind.BATONNIER_DEADLINE: Door("Voir l’échéance"),
    TaskKind.REFUSED_STATEMENT: Door("Voir le relevé refusé", "/parametres/banque/", "/parametres/banque/"),
    TaskKind.CHANNEL_CHOICE: Door("Voir le choix"),
    TaskKind.DATA_REQUEST: Door("Répondre"),
    TaskKind.SENDING_DOMAIN: Door("Voir l’adresse d’envoi", "/parametres/delivrabilite/", "/parametres/delivrabilite/"),
    TaskKind.INSURER_NOTICE: Door("Relire le projet", of_reminder="/assureur/{subject}/"),
}
# fmt: on
_OF_INVOICE, _OF_REQUEST, _OF_DOSSIER = "/factures/{subject}/", "/demandes/{subject}/", "/dossiers/{subject}/"
_OF_PLAN = "/echeanciers/{subject}/"
# Of a plan in any other state, what is asked is whether a message about it arrived.
PLAN_WORDS = {PlanState.PROPOSED: "proposition reçue", PlanState.BROKEN: "versement manqué"}


@dataclass(frozen=True, slots=True)
class About:
    """What a task is about, in a few words, and the page where it is done."""

    url: str
    words: str = ""
    is_request: bool = False


def about(tasks: Iterable[Task]) -> dict[UUID, About]:
    """Return what each of these tasks is about, in five queries however many they are."""
    listed = list(tasks)
    ids = {task.subject_id for task in listed if task.subject_id}
    invoices = dict(Invoice.objects.filter(pk__in=ids).values_list("pk", "number"))
    asked = dict(DebtorRequest.objects.filter(pk__in=ids).values_list("pk", "invoice__number"))
    plans = dict(PaymentPlan.objects.filter(pk__in=ids).values_list("pk", "state"))
    dossiers = dict(Dossier.objects.filter(pk__in=ids).values_list("pk", "reference"))
    said = {
        pk: offset_words(days)
        for pk, days in Reminder.objects.filter(pk__in=ids).values_list("pk", "step__offset_days")
    }
    found = {}
    for task in listed:
        door, subject = DOORS[TaskKind(task.kind)], task.subject_id
        pattern, words = door.of_other, ""
        if subject in invoices:
            pattern, words = _OF_INVOICE, f"facture {invoices[subject]}"
        elif subject in asked:
            pattern, words = _OF_REQUEST, f"facture {asked[subject]}" if asked[subject] else ""
        elif subject in plans:
            pattern, words = _OF_PLAN, PLAN_WORDS.get(PlanState(plans[subject]), "message à vérifier")
        elif subject in dossiers:
            pattern, words = _OF_DOSSIER, f"dossier {dossiers[subject]}"
        elif subject in said:
            pattern, words = door.of_reminder, f"message {said[subject]}"
        if task.client_id is None and "{client}" in pattern:
            pattern = APPROVALS
        url = pattern.format(subject=subject, client=task.client_id)
        found[task.pk] = About(url=url, words=words, is_request=subject in asked)
    return found


def closed_by_an_act(task: Task, *, on: dt.date, is_request: bool) -> str:
    """Return the act that closes a task; nothing for one a person marks as done.

    An unusual night that is over, and what a client said otherwise than by the link, are marked by hand.
    """
    if task.kind == TaskKind.ABNORMAL_NIGHT and task.due_on < on:
        return ""
    if task.kind in REQUEST_KINDS and not is_request:
        return ""
    return CLOSED_BY_AN_ACT.get(TaskKind(task.kind), "")


@transaction.atomic
def finish(*, task_id: UUID, by: Membership) -> Task:
    """Mark a task as done; marking it again changes nothing.

    Raise TaskError, and change nothing, for a task that only its own act closes.
    """
    task = _to_close(task_id, by, "n’a pas été marquée comme faite")
    return _close(task, by, TaskState.DONE)


@transaction.atomic
def drop(*, task_id: UUID, by: Membership) -> Task:
    """Close a task that has no object any more; TaskError for one that only its own act closes."""
    task = _to_close(task_id, by, "n’a pas été close")
    return _close(task, by, TaskState.CANCELLED)


@transaction.atomic
def entrust(*, task_id: UUID, by: Membership, to: Membership | None, due_on: dt.date) -> Task:
    """Give a task to a person who sees its client (or to nobody in particular), and say by when it is to be done."""
    ensure(by, Right.EDIT_CLIENTS)
    task: Task = Task.objects.select_for_update(of=("self",)).get(pk=task_id)
    if task.state != TaskState.OPEN:
        raise TaskError("Cette tâche est déjà close. Rien n’a été changé.")
    if to is not None and not who_may_do(task).filter(pk=to.pk).exists():
        raise TaskError("Cette personne ne voit pas ce client : affectez-lui d’abord un de ses dossiers.")
    is_new = to is not None and to.pk != task.owner_id
    task.owner, task.due_on = to, due_on
    task.save(update_fields=["owner", "due_on"])
    journal.record("task.assigned", task, to=None if to is None else str(to.pk), due_on=due_on.isoformat())
    if to is not None and is_new:
        tell(
            NotificationKind.ASSIGNED,
            member_ids=[to.pk],
            client_id=task.client_id,
            subject_id=task.subject_id or task.pk,
            task_kind=TaskKind(task.kind),
        )
    return task


def who_may_do(task: Task) -> QuerySet[Membership]:
    """Return the people of the firm a task may be given to: those who see its client."""
    return who_sees(task.client_id)


def open_once(
    kind: TaskKind, *, client_id: UUID | None, subject_id: UUID, owner_id: UUID | None, due_on: dt.date
) -> None:
    """Ask a person, once while the task is open."""
    task = Task(kind=kind, client_id=client_id, subject_id=subject_id, owner_id=owner_id, due_on=due_on)
    Task.objects.bulk_create([task], ignore_conflicts=True)
    tell_of_task(kind, client_id=client_id, subject_id=subject_id, owner_id=owner_id)


def close(kinds: Iterable[TaskKind], *, subject_id: UUID, by: Membership | None, state: TaskState) -> None:
    """Close the open tasks of these kinds about one subject: the act that settles them was done."""
    mine = Task.objects.filter(kind__in=list(kinds), subject_id=subject_id, state=TaskState.OPEN)
    mine.update(state=state, closed_at=timezone.now(), closed_by=by)


def _to_close(task_id: UUID, by: Membership, refusal: str) -> Task:
    ensure(by, Right.EDIT_CLIENTS)
    task = Task.objects.get(pk=task_id)
    today = Cabinet.objects.get().today()
    if how := closed_by_an_act(task, on=today, is_request=about([task])[task.pk].is_request):
        raise TaskError(f"« {TaskKind(task.kind).label} » {refusal} : elle se termine {how}.")
    return task


def _close(task: Task, by: Membership, state: TaskState) -> Task:
    closed = Task.objects.filter(pk=task.pk, state=TaskState.OPEN).update(
        state=state, closed_at=timezone.now(), closed_by=by
    )
    if closed:
        journal.record("task.done" if state == TaskState.DONE else "task.dropped", task, kind=task.kind)
    return task
