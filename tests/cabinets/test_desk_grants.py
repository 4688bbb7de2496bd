"""What the operators' database role may do, table by table and why; everything else is refused by the database."""

from dataclasses import dataclass

import pytest
from django.db import ProgrammingError, connections, transaction

from cabinets.admin import OPERATOR
from cabinets.models import Cabinet, User
from cabinets.scoping import working_for
from tests.factories.cabinets import make_cabinet, make_member

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]


@dataclass(frozen=True, slots=True)
class May:
    """What the role does on one table: columns it writes, "*" for all, and whether it deletes rows."""

    why: str
    insert: str = ""
    update: str = ""
    delete: bool = False


TABLE = {
    "auth_group": May("Django's own, read by its permission checks"),
    "auth_group_permissions": May("Django's own, read by its permission checks"),
    "auth_permission": May("Django's own, read by its permission checks"),
    "cabinets_user_groups": May("Django's own, read by its permission checks"),
    "cabinets_user_user_permissions": May("Django's own, read by its permission checks"),
    "django_content_type": May("Django's own, read by the admin"),
    "django_migrations": May("the state of the installation"),
    "cabinets_accountmail": May("a firm is told that a look is asked for", insert="*"),
    "cabinets_cabinet": May(
        "who is here, and the names they are known by", update="activated_on bar email name phone siren slug"
    ),
    "cabinets_membership": May("a firm left without a partner", update="is_active role sees_every_file"),
    "cabinets_offer": May("what is sold here", insert="*", update="*"),
    "cabinets_operatoract": May("operators answer for what they do, and unwrite nothing", insert="*"),
    "cabinets_passkeydevice": May("a lost second factor is removed, never read", delete=True),
    "cabinets_platform": May("the kill switch", insert="*", update="*"),
    "cabinets_session": May("a session is ended", delete=True),
    "cabinets_subscription": May("a trial is extended, a debt is said", update="trial_ends_on unpaid_since"),
    "cabinets_supportanswer": May("what the firm answered, written by the firm alone"),
    "cabinets_supportrequest": May("a look is asked for", insert="*"),
    "cabinets_totpdevice": May("a lost second factor is removed, never read", delete=True),
    "cabinets_transferrecord": May("what covers a transfer, for the operator's own register"),
    "cabinets_user": May("an account is shut, a name is corrected", update="first_name is_active is_staff last_name"),
    "dunning_failedjob": May("what failed is closed", update="closed_at", delete=True),
    "gdpr_closing": May("which firms leave, and when"),
    "gdpr_incidentnotice": May("which firms were told of an incident, and when"),
    "gdpr_incidentstatement": May("what is said of an incident, and unsaid by nobody", insert="*"),
    "gdpr_installationincident": May("an incident of the installation", insert="*", update="*"),
    "gdpr_processornotice": May(
        "who objects to a company, and what they are answered", update="answer answered_at verdict"
    ),
    "gdpr_processorversion": May(
        "what was announced of a company", insert="*", update="applies_on given_up_at held_at"
    ),
    "gdpr_subprocessor": May("the companies the installation works with", insert="*", update="*"),
    "invoices_interestrate": May("the rates of the law", insert="*", update="*"),
    "otp_static_staticdevice": May("lost recovery codes are removed, never read", delete=True),
    "otp_static_statictoken": May("lost recovery codes are removed, never read", delete=True),
}
# Read in part: what is missing opens somebody's place, or is a firm's own words and account.
UNREAD = {
    "cabinets_user": {"password"},
    "cabinets_session": {"session_key", "session_data"},
    "cabinets_totpdevice": {"seed"},
    "cabinets_passkeydevice": {"public_key", "credential_id", "credential_hash"},
    "otp_static_statictoken": {"token"},
    "cabinets_accountmail": {"user_id", "kind", "subject_id"},
    "cabinets_cabinet": {
        "iban", "bic", "account_holder", "matter_words", "logo", "signature_image", "insurance_policy",
    },
}  # fmt: skip


def columns(privilege: str) -> dict[str, set[str]]:
    with connections[OPERATOR].cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.column_privileges"
            " WHERE grantee = current_user AND table_schema = 'public' AND privilege_type = %s",
            [privilege],
        )
        found: dict[str, set[str]] = {}
        for table, column in cursor.fetchall():
            found.setdefault(str(table), set()).add(str(column))
    return found


def every_column(table: str) -> set[str]:
    with connections["owner"].cursor() as cursor:
        return {column.name for column in connections["owner"].introspection.get_table_description(cursor, table)}


def test_reads_these_tables_and_no_other() -> None:
    assert sorted(columns("SELECT")) == sorted(TABLE)
    assert [table for table, may in TABLE.items() if not may.why] == []


@pytest.mark.parametrize("privilege", ["INSERT", "UPDATE"])
def test_writes_these_columns_and_no_other(privilege: str) -> None:
    wanted = {table: str(getattr(may, privilege.lower())) for table, may in TABLE.items()}
    expected = {
        table: every_column(table) if words == "*" else set(words.split()) for table, words in wanted.items() if words
    }

    assert columns(privilege) == expected


def test_deletes_from_these_tables_and_empties_none() -> None:
    with connections[OPERATOR].cursor() as cursor:
        cursor.execute(
            "SELECT table_name, privilege_type FROM information_schema.table_privileges WHERE grantee = current_user"
            " AND table_schema = 'public' AND privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE')"
        )
        found = {(str(table), str(right)) for table, right in cursor.fetchall()}

    assert found == {(table, "DELETE") for table, may in TABLE.items() if may.delete}


@pytest.mark.parametrize("table", sorted(UNREAD))
def test_does_not_read_what_opens_a_place_or_is_the_firms_own(table: str) -> None:
    assert UNREAD[table] <= every_column(table)
    assert columns("SELECT")[table] & UNREAD[table] == set()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cabinets_cabinet SET iban = 'FR00'",
        "UPDATE cabinets_cabinet SET bic = 'XXXXXXXX'",
        "UPDATE cabinets_cabinet SET account_holder = 'Moi'",
        "UPDATE cabinets_cabinet SET suspended_at = NULL",
        "UPDATE cabinets_cabinet SET approval_threshold_cents = 1",
        "UPDATE cabinets_subscription SET monthly_cents = 0",
        "UPDATE cabinets_subscription SET began_on = NULL",
        "UPDATE cabinets_membership SET user_id = '{operator}'",
        "UPDATE cabinets_user SET password = 'x'",
        "UPDATE cabinets_user SET email = 'moi@quittance.example'",
        "UPDATE cabinets_user SET is_superuser = true",
        "INSERT INTO cabinets_user (id, email) VALUES (gen_random_uuid(), 'moi@quittance.example')",
        "INSERT INTO cabinets_membership (id, cabinet_id, user_id) VALUES (gen_random_uuid(), '{firm}', '{operator}')",
        "INSERT INTO cabinets_cabinet (id) VALUES (gen_random_uuid())",
        "SELECT session_key FROM cabinets_session",
        "SELECT password FROM cabinets_user",
        "SELECT iban FROM cabinets_cabinet",
        "UPDATE cabinets_operatoract SET event = 'rien'",
        "DELETE FROM cabinets_operatoract",
        "SELECT 1 FROM cabinets_client",
        "SELECT 1 FROM cabinets_journalentry",
        "SELECT 1 FROM cabinets_bankchange",
    ],
)
def test_is_refused_by_the_database(statement: str) -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        member = make_member()
    sql = statement.format(firm=firm.pk, operator=member.user_id)

    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(using=OPERATOR),
        connections[OPERATOR].cursor() as cursor,
    ):
        cursor.execute(sql)

    with working_for(cabinet_id=firm.pk):
        assert Cabinet.objects.get().iban == firm.iban
    assert User.objects.get(pk=member.user_id).email == member.user.email
