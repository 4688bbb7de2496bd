"""Fill a database with firms, clients, invoices and cases, the same rows for the same arguments."""

import datetime as dt
from dataclasses import dataclass

import psycopg

TABLES = (
    "cabinets_cabinet", "cabinets_client", "cabinets_dossier", "invoices_invoice", "dunning_scenario",
    "dunning_scenarioversion", "dunning_step", "dunning_dunningcase", "dunning_reminder", "dunning_reminderline",
    "dunning_decision", "dunning_nightlyrun", "cabinets_task",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """How much to make: open invoices, invoices a firm, settled invoices, share due tonight in per cent."""

    open_invoices: int
    per_firm: int = 200
    settled: int = 0
    due_percent: int = 8

    @property
    def firms(self) -> int:
        """Return the number of firms."""
        return max(1, self.open_invoices // self.per_firm)


def fill(connection: psycopg.Connection, *, size: Size, today: dt.date) -> None:
    """Empty the tables and fill them; ids are hashes of their number, so that rows lie scattered as in life."""
    connection.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY CASCADE")
    facts = {
        "firms": size.firms,
        "invoices": size.open_invoices,
        "settled": size.settled,
        "per_firm": size.per_firm,
        "today": today,
        "due": size.due_percent,
    }
    for statement in _STATEMENTS:
        connection.execute(statement, facts)
    connection.commit()
    connection.autocommit = True
    for table in TABLES:
        connection.execute(f"VACUUM ANALYZE {table}")
    connection.autocommit = False


_STATEMENTS = (
    """
    INSERT INTO cabinets_cabinet (id, slug, name, siren, vat_number, bar, address, postcode, city, email, phone,
        signature, logo_type, iban, bic, account_holder, mediator_name, mediator_address, mediator_site, territory,
        zone_name, night_at, opens_at, closes_at, weekdays, approval_threshold_cents, grace_hours, hearing_days,
        daily_cap, late_entry_days, activated_on, settled_through_on, settlements_declared_on, is_demo, created_at,
        allocation_rule, sms_amount_to_consumers, matter_words, batonnier_articles, signature_image_type, insurer_name,
        insurer_email, insurance_policy)
    SELECT md5('f' || n)::uuid, 'firm-' || n, 'Firm ' || n, '', '', 'Paris', '', '', '', '', '', '', '', '', '', '',
        '', '', '', 'metropole', 'Europe/Paris', '04:30', '09:00', '18:00', '12345', 500000, 24, 3, 200, 90,
        '2020-01-01', %(today)s, %(today)s, false, now(), 'principal_first', false, '',
        'articles 174 et suivants', '', '', '', ''
    FROM generate_series(0, %(firms)s - 1) n
    """,
    """
    INSERT INTO dunning_scenario (id, cabinet_id, name, client_kind, practice_area, is_default, is_archived)
    SELECT md5('s' || n)::uuid, md5('f' || n)::uuid, 'Default', '', '', true, false
    FROM generate_series(0, %(firms)s - 1) n
    """,
    """
    INSERT INTO dunning_scenarioversion (id, cabinet_id, scenario_id, number, note, min_gap_days, created_at)
    SELECT md5('v' || n)::uuid, md5('f' || n)::uuid, md5('s' || n)::uuid, 1, '', 7, now()
    FROM generate_series(0, %(firms)s - 1) n
    """,
    """
    INSERT INTO dunning_step (id, cabinet_id, version_id, rank, offset_days, tone, channel, companions, answer_days,
        needs_rate, needs_approval, text_fault)
    SELECT md5('p' || n || '-' || r)::uuid, md5('f' || n)::uuid, md5('v' || n)::uuid, r,
        (ARRAY[3, 10, 30, 45])[r], (ARRAY['courteous', 'solutions', 'firm', 'formal'])[r], 'email', '{}', 7,
        false, false, ''
    FROM generate_series(0, %(firms)s - 1) n, generate_series(1, 4) r
    """,
    """
    INSERT INTO cabinets_client (id, cabinet_id, civility, first_name, last_name, company, email, phone, address,
        postcode, city, note, siren, country, language, has_email, has_mobile, has_phone, has_postal, territory, kind,
        is_strategic,
        needs_two_approvals, is_never_reminded, accepts_sms, credit_cents, created_at)
    SELECT md5('c' || n)::uuid, md5('f' || n %% %(firms)s)::uuid, 'none', '', '', '', '', '', '', '', '', '', '', 'FR',
        'fr', n %% 97 <> 0, false, false, true, 'metropole', 'professional', n %% 53 = 0, false,
        n %% 101 = 0, true, 0, now()
    FROM generate_series(0, (%(invoices)s + %(settled)s) / 2 - 1) n
    """,
    """
    INSERT INTO cabinets_dossier (id, cabinet_id, client_id, reference, title, kind, practice_area, fee_agreement_on,
        is_triple_legal_rate, legal_aid, is_never_reminded, is_archived, created_at)
    SELECT md5('d' || n)::uuid, md5('f' || n %% %(firms)s)::uuid, md5('c' || n)::uuid, 'R-' || n, '',
        (ARRAY['professional', 'consumer', 'non_pro_legal', 'public'])[1 + n %% 4], '', '2020-01-01', false, 'none',
        false, false, now()
    FROM generate_series(0, (%(invoices)s + %(settled)s) / 2 - 1) n
    """,
    """
    INSERT INTO invoices_invoice (id, cabinet_id, client_id, dossier_id, kind, state, number, number_key, issued_on,
        due_on, is_due_date_assumed, total_cents, settled_cents, credited_cents, is_never_reminded, is_sensitive, note,
        created_at)
    SELECT md5('i' || n)::uuid, md5('f' || k %% %(firms)s)::uuid, md5('c' || k)::uuid, md5('d' || k)::uuid, 'invoice',
        'open', 'F-' || n, 'F-' || n, d - 30, d, false, 90000 + n %% 1000,
        CASE WHEN n < %(invoices)s THEN 0 ELSE 90000 + n %% 1000 END, 0, false, false, '', now()
    FROM generate_series(0, %(invoices)s + %(settled)s - 1) n
    CROSS JOIN LATERAL (SELECT n / 2 AS k, %(today)s::date - (n * 7 %% 60)::int AS d) x
    """,
    """
    INSERT INTO dunning_dunningcase (id, cabinet_id, invoice_id, client_id, version_id, next_rank, next_action_on,
        entry, code, entered_on)
    SELECT md5('k' || n)::uuid, md5('f' || k %% %(firms)s)::uuid, md5('i' || n)::uuid, md5('c' || k)::uuid,
        md5('v' || k %% %(firms)s)::uuid, 1 + n %% 2,
        CASE WHEN n >= %(invoices)s THEN NULL WHEN k * 31 %% 101 < %(due)s THEN %(today)s::date
             ELSE %(today)s::date + 1 + (n %% 20)::int END, 'normal', '', %(today)s::date - 60
    FROM generate_series(0, %(invoices)s + %(settled)s - 1) n
    CROSS JOIN LATERAL (SELECT n / 2 AS k) x
    """,
)
