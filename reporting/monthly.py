"""The month by e-mail, for who asked for it: four figures without a name, and a link.

A link rather than a PDF: a mail is read on a train, forwarded and kept for years. The report's tables name lawyers and
practice areas, and a small portfolio says what one client owes; the four totals of the files a person sees do not, and
the rest waits behind the sign-in.
"""

import datetime as dt
from uuid import UUID

import css_inline
from django.conf import settings
from django.template.loader import render_to_string

from cabinets.enums import Right
from cabinets.models import Cabinet, Membership
from cabinets.models.firm import PLANNER_COLUMNS
from cabinets.scoping import working_for
from dunning.enums import StaffMailKind
from dunning.models import StaffMail
from dunning.services import staff_mail
from dunning.services.nights import SCHEDULER
from reporting import board, figures, queries

# Who asks for it in the middle of a month receives the next one.
LAST_DAY = 7
OPENS, CLOSES = dt.time(8), dt.time(20)


def firms_due(*, now: dt.datetime) -> list[UUID]:
    """Return the firms whose own clock is in the first days of a month, in the daytime."""
    found = []
    for cabinet in Cabinet.objects.using(SCHEDULER).only(*PLANNER_COLUMNS):
        local = (cabinet.now() if cabinet.is_demo else now).astimezone(cabinet.zone)
        if local.day <= LAST_DAY and OPENS <= local.time() < CLOSES:
            found.append(cabinet.pk)
    return found


def write(*, cabinet_id: UUID) -> int:
    """Ask for the mail of last month for each person who wants it and has none yet; return how many.

    Each person is a transaction of their own, and the key is the month: killed half-way, run again, nobody has two.
    """
    with working_for(cabinet_id=cabinet_id):
        end = Cabinet.objects.get().today().replace(day=1) - dt.timedelta(days=1)
        told = StaffMail.objects.filter(kind=StaffMailKind.MONTHLY, key=f"{end:%Y-%m}").values("member")
        people = Membership.objects.filter(is_active=True, gets_monthly_figures=True, user__is_active=True)
        wanted = list(people.exclude(pk__in=told).order_by("pk").values_list("pk", flat=True))
    return sum(_write_to(cabinet_id=cabinet_id, member_id=member_id, end=end) for member_id in wanted)


def _write_to(*, cabinet_id: UUID, member_id: UUID, end: dt.date) -> bool:
    """Read what this person sees, and no more."""
    with working_for(cabinet_id=cabinet_id, member_id=member_id):
        member = Membership.objects.select_related("user").get(pk=member_id)
        if not member.can(Right.SEE_FIGURES):
            return False
        cabinet = Cabinet.objects.get()
        since = queries.dso(days=[end]).known_since
        known = since is not None and (end - since).days >= queries.HISTORY_DAYS
        position = figures.position(on=end) if known else figures.Position(end)
        month = f"{board.MONTHS[end.month - 1]} {end.year}"
        values = {
            "firm": cabinet,
            "name": member.user.get_short_name(),
            "month": month,
            "position": position,
            "dso": position.dso(),
            "received_cents": figures.received_cents(since=end.replace(day=1), on=end),
            "sees_all": member.sees_every_file,
            "targets": {"dso": board.DSO_TARGET, "unpaid": board.UNPAID_TARGET, "recovery": board.RECOVERY_TARGET},
            "url": f"{settings.SITE_URL}/rapports/dso/?jour={end:%Y-%m-%d}",
            "site": settings.SITE_URL,
        }
        page = render_to_string("reporting/emails/monthly.html", values)
        return staff_mail.queue(
            kind=StaffMailKind.MONTHLY,
            member=member,
            key=f"{end:%Y-%m}",
            subject=f"Quittance\u00a0: les chiffres de {month}",
            html=css_inline.CSSInliner(load_remote_stylesheets=False).inline(page),
            text=render_to_string("reporting/emails/monthly.txt", values),
        )
