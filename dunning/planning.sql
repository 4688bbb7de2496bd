-- The night, set-based: every due case of the clients named is decided by the rules of policy.py, in their order.
-- Parameters: arrays of the firms (f_*), of their openings by territory (o_*), and of the clients of this chunk (t_*).
-- %(as_if_live)s true supposes the firm activated, nothing suspended and its payments declared: what a new firm asks.
-- %(write)s false only counts the messages that would leave, for the firms whose night looks abnormal.
WITH firm AS MATERIALIZED (
    SELECT * FROM unnest(%(f_cabinet)s::uuid[], %(f_on)s::date[], %(f_now)s::timestamptz[], %(f_abnormal)s::boolean[],
                         %(f_night)s::uuid[], %(f_round)s::smallint[])
        AS f(cabinet_id, night_on, moment, is_abnormal, night_id, round)
),
opening AS MATERIALIZED (
    SELECT * FROM unnest(%(o_cabinet)s::uuid[], %(o_territory)s::text[], %(o_depart)s::timestamptz[])
        AS o(cabinet_id, territory, depart_at)
),
target AS MATERIALIZED (
    SELECT * FROM unnest(%(t_cabinet)s::uuid[], %(t_client)s::uuid[]) AS t(cabinet_id, client_id)
),
due AS MATERIALIZED (
    SELECT c.id AS case_id, c.cabinet_id, c.client_id, c.invoice_id, c.version_id, c.next_rank, c.last_step_on, c.entry,
           f.night_on, f.moment, f.is_abnormal, f.night_id, f.round
    FROM target t
    JOIN dunning_dunningcase c ON c.cabinet_id = t.cabinet_id AND c.client_id = t.client_id
    JOIN firm f ON f.cabinet_id = c.cabinet_id
    WHERE c.next_action_on IS NOT NULL AND c.next_action_on <= f.night_on
),
stop AS MATERIALIZED (
    SELECT s.case_id, array_agg(DISTINCT s.kind) AS kinds
    FROM (
        SELECT d.case_id, x.kind, x.until_on, d.night_on FROM due d
        JOIN invoices_standstill x ON x.cabinet_id = d.cabinet_id AND x.invoice_id = d.invoice_id AND x.released_at IS NULL
        UNION ALL
        SELECT d.case_id, x.kind, x.until_on, d.night_on FROM due d
        JOIN invoices_standstill x ON x.cabinet_id = d.cabinet_id AND x.client_id = d.client_id AND x.released_at IS NULL
        UNION ALL
        SELECT d.case_id, x.kind, x.until_on, d.night_on FROM due d
        JOIN invoices_invoice i ON i.id = d.invoice_id
        JOIN invoices_standstill x ON x.cabinet_id = d.cabinet_id AND x.dossier_id = i.dossier_id AND x.released_at IS NULL
        UNION ALL
        SELECT d.case_id, x.kind, x.until_on, d.night_on FROM invoices_standstill x
        JOIN firm f ON f.cabinet_id = x.cabinet_id
        JOIN cabinets_dossier g ON g.lawyer_id = x.lawyer_id
        JOIN invoices_invoice i ON i.dossier_id = g.id
        JOIN due d ON d.invoice_id = i.id
        WHERE x.lawyer_id IS NOT NULL AND x.released_at IS NULL
        UNION ALL
        SELECT d.case_id, x.kind, x.until_on, d.night_on FROM invoices_standstill x
        JOIN due d ON d.cabinet_id = x.cabinet_id
        WHERE x.released_at IS NULL
          AND x.lawyer_id IS NULL AND x.client_id IS NULL AND x.dossier_id IS NULL AND x.invoice_id IS NULL
    ) s
    WHERE s.until_on IS NULL OR s.until_on >= s.night_on
    GROUP BY s.case_id
),
-- A hold or a promise with a last day says itself when the night looks again.
ending AS MATERIALIZED (
    SELECT d.case_id, max(x.until_on) AS until_on
    FROM due d
    JOIN invoices_invoice i ON i.id = d.invoice_id
    JOIN cabinets_dossier g ON g.id = i.dossier_id
    JOIN invoices_standstill x ON x.cabinet_id = d.cabinet_id AND x.released_at IS NULL AND x.until_on >= d.night_on
        AND (x.invoice_id = d.invoice_id OR x.client_id = d.client_id OR x.dossier_id = g.id OR x.lawyer_id = g.lawyer_id
             OR (x.invoice_id IS NULL AND x.client_id IS NULL AND x.dossier_id IS NULL AND x.lawyer_id IS NULL))
    WHERE d.case_id IN (SELECT case_id FROM stop)
    GROUP BY d.case_id
),
contact AS MATERIALIZED (
    SELECT t.cabinet_id, t.client_id,
           max(r.spoken_on) FILTER (WHERE r.state = ANY (%(spoken)s)) AS last_on,
           count(DISTINCT r.spoken_on) FILTER (
               WHERE r.state = ANY (%(spoken)s) AND r.spoken_on > f.night_on - 30) AS in_30_days,
           coalesce(bool_or(r.state = ANY (%(pending)s)), false) AS is_pending
    FROM target t
    JOIN firm f ON f.cabinet_id = t.cabinet_id
    JOIN dunning_reminder r ON r.cabinet_id = t.cabinet_id AND r.client_id = t.client_id
    GROUP BY t.cabinet_id, t.client_id
),
instalment AS MATERIALIZED (
    -- The reminder of an instalment is a contact too; what answers a debtor is none.
    SELECT t.cabinet_id, t.client_id, max(m.spoken_on) AS last_on,
           count(DISTINCT m.spoken_on) FILTER (WHERE m.spoken_on > f.night_on - 30) AS in_30_days
    FROM target t
    JOIN firm f ON f.cabinet_id = t.cabinet_id
    JOIN payments_planmessage m ON m.cabinet_id = t.cabinet_id AND m.client_id = t.client_id
    WHERE m.kind = 'reminder' AND m.state = ANY (%(mail_spoken)s)
    GROUP BY t.cabinet_id, t.client_id
),
fact AS MATERIALIZED (
    SELECT d.*, i.dossier_id, i.due_on, i.kind AS invoice_kind, i.state AS invoice_state,
           i.total_cents - i.credited_cents - i.settled_cents AS owed_cents,
           g.kind AS client_kind, b.id AS contact_id, k.language, k.territory,
           s.id AS step_id, s.offset_days, s.tone, s.text_fault, s.needs_rate, s.needs_approval,
           s.tone || ':' || s.channel = ANY (%(written)s) AS is_written,
           coalesce(way.channel, s.channel) AS channel, s.id IS NULL OR way.channel IS NOT NULL OR way.is_known AS has_address,
           s.id IS NOT NULL AND way.channel IS NULL AND way.is_known AS is_refused_address,
           coalesce(stop.kinds, '{}') AS stops, ending.until_on,
           NOT %(as_if_live)s AND (p.suspended_at IS NOT NULL OR cab.suspended_at IS NOT NULL) AS is_suspended,
           NOT %(as_if_live)s AND (
               cab.activated_on IS NULL OR cab.subscription_suspended_at IS NOT NULL) AS is_not_live,
           cab.activated_on, cab.approval_threshold_cents, cab.settlements_declared_on, cab.feed_fresh_until_on,
           cab.hearing_days,
           k.is_never_reminded OR g.is_never_reminded OR i.is_never_reminded AS is_never,
           k.is_strategic, k.needs_two_approvals, k.credit_cents,
           coalesce(nullif(k.sending_mode, ''), cab.sending_mode) AS mode,
           i.last_payment_at, i.last_payment_at > d.moment - make_interval(hours => cab.grace_hours::int) AS is_grace,
           g.legal_aid, g.fee_agreement_on, g.batonnier_notified_on, g.mandate_ended_on,
           (coalesce(g.mandate_ended_on, i.performed_on, i.issued_on) + make_interval(
               years => CASE WHEN g.kind IN ('consumer', 'unknown') THEN 2 ELSE 5 END))::date AS limitation_on,
           CASE WHEN b.id IS NULL THEN k.email_stopped_at ELSE b.email_stopped_at END IS NOT NULL AS is_stopped_address,
           greatest(contact.last_on, instalment.last_on) AS last_on,
           coalesce(contact.in_30_days, 0) + coalesce(instalment.in_30_days, 0) AS in_30_days,
           coalesce(contact.is_pending, false) AS is_pending,
           v.min_gap_days
    FROM due d
    JOIN invoices_invoice i ON i.id = d.invoice_id
    JOIN cabinets_dossier g ON g.id = i.dossier_id
    JOIN cabinets_client k ON k.id = d.client_id
    JOIN cabinets_cabinet cab ON cab.id = d.cabinet_id
    JOIN dunning_scenarioversion v ON v.id = d.version_id
    LEFT JOIN dunning_step s ON s.version_id = d.version_id AND s.rank = d.next_rank
    LEFT JOIN cabinets_contact b ON b.id = g.billing_contact_id AND NOT b.is_archived
    LEFT JOIN stop ON stop.case_id = d.case_id
    LEFT JOIN ending ON ending.case_id = d.case_id
    LEFT JOIN contact ON contact.cabinet_id = d.cabinet_id AND contact.client_id = d.client_id
    LEFT JOIN instalment ON instalment.cabinet_id = d.cabinet_id AND instalment.client_id = d.client_id
    LEFT JOIN cabinets_platform p ON p.one
    -- The first open way of the step: its own channel, else one that accompanies it (dunning/reach.py).
    LEFT JOIN LATERAL (
        SELECT (array_agg(w.channel ORDER BY w.place) FILTER (WHERE w.is_known AND NOT w.is_refused))[1] AS channel,
               coalesce(bool_or(w.is_known), false) AS is_known
        FROM (
            SELECT u.channel, u.place,
                   CASE u.channel
                       WHEN 'email' THEN CASE WHEN b.id IS NULL THEN k.has_email ELSE b.has_email END
                       WHEN 'sms' THEN CASE WHEN b.id IS NULL THEN k.has_mobile ELSE b.has_mobile END AND k.accepts_sms
                           AND (cab.is_demo OR EXISTS (
                               SELECT 1 FROM dunning_channelaccount a
                               WHERE a.cabinet_id = d.cabinet_id AND a.medium = 'sms' AND a.is_enabled))
                       WHEN 'phone' THEN CASE WHEN b.id IS NULL THEN k.has_phone ELSE b.has_phone END
                       ELSE k.has_postal END AS is_known,
                   CASE u.channel
                       WHEN 'email' THEN CASE WHEN b.id IS NULL THEN k.email_refused_at ELSE b.email_refused_at END
                       WHEN 'sms' THEN CASE WHEN b.id IS NULL THEN k.mobile_refused_at ELSE b.mobile_refused_at END
                       WHEN 'phone' THEN CASE WHEN b.id IS NULL THEN k.mobile_refused_at ELSE b.mobile_refused_at END
                       ELSE k.postal_refused_at END IS NOT NULL AS is_refused
            FROM unnest(CASE WHEN s.tone = 'formal' THEN ARRAY[s.channel] ELSE s.channel || s.companions END)
                WITH ORDINALITY AS u(channel, place)
        ) w
    ) way ON true
),
ruled AS MATERIALIZED (
    SELECT e.*, CASE
        WHEN e.is_suspended THEN 'KILL_SWITCH'
        WHEN e.is_not_live THEN 'NOT_LIVE'
        WHEN e.is_abnormal THEN 'NIGHT_ABNORMAL'
        WHEN e.invoice_state <> 'open' THEN 'CLOSED'
        WHEN e.is_never THEN 'NEVER'
        WHEN e.owed_cents <= 0 THEN 'PAID'
        WHEN 'payment_in_flight' = ANY (e.stops) THEN 'PAYMENT_IN_FLIGHT'
        WHEN 'claimed_paid' = ANY (e.stops) THEN 'CLAIMED_PAID'
        WHEN e.credit_cents > 0 AND e.credit_cents >= (
            SELECT coalesce(sum(o.total_cents - o.credited_cents - o.settled_cents), 0) FROM invoices_invoice o
            WHERE o.cabinet_id = e.cabinet_id AND o.client_id = e.client_id AND o.state = 'open'
        ) THEN 'CLIENT_IN_CREDIT'
        WHEN e.is_grace THEN 'GRACE'
        WHEN NOT %(as_if_live)s AND (e.feed_fresh_until_on IS NULL OR e.night_on > e.feed_fresh_until_on) AND (
            e.settlements_declared_on IS NULL OR e.night_on - e.settlements_declared_on
                > CASE WHEN e.feed_fresh_until_on IS NULL THEN 7 ELSE 1 END) THEN 'STALE_SOURCE'
        WHEN 'insolvency' = ANY (e.stops) THEN 'INSOLVENCY'
        WHEN 'over_indebtedness' = ANY (e.stops) THEN 'OVER_INDEBTEDNESS'
        WHEN e.legal_aid = 'total' THEN 'LEGAL_AID_TOTAL'
        WHEN e.legal_aid = 'partial' AND (
            e.fee_agreement_on IS NULL OR e.batonnier_notified_on IS NULL
            OR e.batonnier_notified_on - e.fee_agreement_on > 15) THEN 'LEGAL_AID_PARTIAL'
        WHEN 'protected_person' = ANY (e.stops) THEN 'PROTECTED_PERSON'
        WHEN e.is_stopped_address OR 'wrong_recipient' = ANY (e.stops) THEN 'WRONG_RECIPIENT'
        WHEN e.mandate_ended_on IS NOT NULL AND e.night_on > e.limitation_on THEN 'PRESCRIBED'
        WHEN 'dispute' = ANY (e.stops) THEN 'DISPUTE'
        WHEN 'mediation' = ANY (e.stops) THEN 'MEDIATION'
        WHEN 'batonnier_seised' = ANY (e.stops) THEN 'BATONNIER_SEISED'
        WHEN EXISTS (
            SELECT 1 FROM cabinets_hearing h WHERE h.dossier_id = e.dossier_id
            AND h.held_on BETWEEN e.night_on - e.hearing_days AND e.night_on + e.hearing_days) THEN 'HEARING'
        WHEN 'hold' = ANY (e.stops) THEN 'HOLD'
        WHEN 'promise' = ANY (e.stops) THEN 'PROMISE'
        WHEN 'plan' = ANY (e.stops) THEN 'PLAN'
        WHEN 'replied' = ANY (e.stops) THEN 'REPLIED'
        WHEN NOT e.has_address THEN 'NO_ADDRESS'
        WHEN e.is_refused_address THEN 'BOUNCED'
        WHEN e.night_on - e.last_on < 7 OR e.in_30_days >= 4 OR e.is_pending THEN 'CONTACT_CAP'
        WHEN e.night_on - e.last_step_on < e.min_gap_days THEN 'MIN_GAP'
        WHEN e.invoice_kind = 'provision' AND (e.offset_days > 10 OR e.tone IN ('firm', 'formal')) THEN 'PROVISION_END'
        WHEN e.text_fault <> '' THEN 'TEXT_REFUSED'
        WHEN e.needs_rate AND e.client_kind IN ('professional', 'public') AND (
            SELECT count(*) FROM invoices_interestrate q
            WHERE q.confirmed_at IS NOT NULL AND q.year * 2 + q.half BETWEEN
                extract(year FROM e.due_on + 1) * 2 + CASE WHEN extract(month FROM e.due_on + 1) <= 6 THEN 1 ELSE 2 END
                AND extract(year FROM e.night_on) * 2 + CASE WHEN extract(month FROM e.night_on) <= 6 THEN 1 ELSE 2 END
        ) < 1 + extract(year FROM e.night_on) * 2 + CASE WHEN extract(month FROM e.night_on) <= 6 THEN 1 ELSE 2 END
            - extract(year FROM e.due_on + 1) * 2 - CASE WHEN extract(month FROM e.due_on + 1) <= 6 THEN 1 ELSE 2 END
        THEN 'RATE_MISSING'
        WHEN e.tone = 'notice' AND e.night_on > e.due_on THEN 'NOTICE_OVER'
        WHEN e.step_id IS NULL THEN 'LADDER_DONE'
        ELSE 'SEND'
    END AS rule
    FROM fact e
),
asked AS MATERIALIZED (
    SELECT r.*, CASE WHEN r.rule <> 'SEND' THEN '{}'::text[] ELSE array_remove(ARRAY[
        CASE WHEN r.is_firm AND r.owed_cents > r.approval_threshold_cents THEN 'amount' END,
        CASE WHEN r.is_strategic THEN 'strategic' END,
        CASE WHEN r.tone = 'formal' THEN 'formal' END,
        CASE WHEN (r.offset_days >= 31 OR r.tone = 'formal') AND NOT (
            r.last_payment_at IS NOT NULL OR EXISTS (
                SELECT 1 FROM invoices_standstill x WHERE x.cabinet_id = r.cabinet_id AND x.kind = ANY (%(answers)s)
                AND (x.invoice_id = r.invoice_id OR x.client_id = r.client_id))
        ) THEN 'no_answer' END,
        CASE WHEN r.is_firm AND r.fee_agreement_on IS NULL THEN 'no_agreement' END,
        CASE WHEN r.night_on - r.activated_on < 14 THEN 'new_firm' END,
        CASE WHEN r.needs_two_approvals THEN 'two_people' END,
        CASE WHEN r.entry = 'late' AND r.last_step_on IS NULL THEN 'late_entry' END,
        CASE WHEN r.is_firm AND r.client_kind = 'unknown' THEN 'kind_unknown' END,
        CASE WHEN r.is_firm AND r.territory IS NULL THEN 'far_territory' END,
        CASE WHEN r.mode = 'approve_all' OR (r.mode = 'from_firm' AND r.is_firm) THEN 'firm_mode' END,
        CASE WHEN r.needs_approval THEN 'step_asks' END,
        CASE WHEN NOT r.is_written THEN 'no_text' END,
        CASE WHEN r.mandate_ended_on IS NULL AND r.night_on > r.limitation_on THEN 'limitation' END
    ], NULL) END AS reasons
    FROM (SELECT x.*, x.offset_days >= 30 OR x.tone IN ('firm', 'formal') AS is_firm FROM ruled x) r
),
-- One message a debtor: the highest step leads, then the kind, then the addressee; the rest waits its turn.
led AS MATERIALIZED (
    SELECT a.*,
           CASE WHEN a.rule = 'SEND' THEN row_number() OVER w END AS place,
           first_value(a.offset_days) OVER w AS lead_offset, first_value(a.tone) OVER w AS lead_tone,
           first_value(a.channel) OVER w AS lead_channel,
           first_value(a.client_kind) OVER w AS lead_kind, first_value(a.contact_id) OVER w AS lead_contact
    FROM asked a
    WINDOW w AS (
        PARTITION BY a.cabinet_id, a.client_id, a.rule = 'SEND'
        ORDER BY a.offset_days DESC, a.client_kind, a.contact_id NULLS FIRST, a.due_on, a.invoice_id)
),
grouped AS MATERIALIZED (
    SELECT l.*,
           l.rule = 'SEND' AND l.client_kind = l.lead_kind AND l.contact_id IS NOT DISTINCT FROM l.lead_contact AS is_in,
           l.rule = 'SEND' AND l.client_kind = l.lead_kind AND l.contact_id IS NOT DISTINCT FROM l.lead_contact
               AND l.offset_days = l.lead_offset AND l.tone = l.lead_tone AND l.channel = l.lead_channel AS is_claimed
    FROM led l
),
reason AS MATERIALIZED (
    SELECT g.cabinet_id, g.client_id, array_agg(DISTINCT r.reason ORDER BY r.reason) AS reasons
    FROM grouped g CROSS JOIN LATERAL unnest(g.reasons) AS r(reason)
    WHERE g.is_claimed
    GROUP BY g.cabinet_id, g.client_id
),
message AS MATERIALIZED (
    SELECT m.*, coalesce(reason.reasons, '{}') AS reasons, reason.reasons IS NOT NULL AS is_asked,
           gen_random_uuid() AS reminder_id, coalesce(here.depart_at, home.depart_at) AS depart_at
    FROM (
        SELECT g.cabinet_id, g.client_id, g.night_id, g.night_on, g.client_kind, g.contact_id,
               min(g.language) AS language, min(g.territory) AS territory,
               (array_agg(g.step_id ORDER BY g.place) FILTER (WHERE g.is_claimed))[1] AS step_id,
               (array_agg(g.next_rank ORDER BY g.place) FILTER (WHERE g.is_claimed))[1] AS rank,
               (array_agg(g.channel ORDER BY g.place) FILTER (WHERE g.is_claimed))[1] AS channel,
               sum(g.owed_cents) FILTER (WHERE g.is_claimed) AS total_cents,
               array_agg(DISTINCT g.dossier_id) AS dossier_ids
        FROM grouped g WHERE g.is_in
        GROUP BY g.cabinet_id, g.client_id, g.night_id, g.night_on, g.client_kind, g.contact_id
    ) m
    LEFT JOIN reason ON reason.cabinet_id = m.cabinet_id AND reason.client_id = m.client_id
    LEFT JOIN opening here ON here.cabinet_id = m.cabinet_id AND here.territory = m.territory
    JOIN opening home ON home.cabinet_id = m.cabinet_id AND home.territory = ''
),
verdict AS MATERIALIZED (
    SELECT g.*, m.reminder_id AS of_reminder,
           CASE WHEN g.is_claimed AND m.is_asked THEN 'NEEDS_APPROVAL'
                WHEN g.is_claimed THEN 'SEND'
                WHEN g.rule = 'SEND' THEN 'CONTACT_CAP'
                ELSE g.rule END AS code,
           CASE
               WHEN g.is_claimed THEN NULL
               WHEN g.rule = 'SEND' THEN g.night_on + CASE WHEN m.is_asked THEN 1 ELSE 7 END
               WHEN g.rule IN ('KILL_SWITCH', 'NOT_LIVE', 'NIGHT_ABNORMAL', 'STALE_SOURCE', 'GRACE', 'TEXT_REFUSED',
                               'RATE_MISSING', 'LEGAL_AID_PARTIAL', 'CLIENT_IN_CREDIT') THEN g.night_on + 1
               WHEN g.rule IN ('HOLD', 'PROMISE', 'PLAN', 'PAYMENT_IN_FLIGHT') THEN g.until_on + 1
               WHEN g.rule = 'HEARING' THEN g.night_on + 1
               WHEN g.rule = 'CONTACT_CAP' THEN greatest(g.last_on + 7, g.night_on + 1)
               WHEN g.rule = 'MIN_GAP' THEN g.last_step_on + g.min_gap_days
               WHEN g.rule = 'NOTICE_OVER' THEN greatest(g.night_on + 1, g.due_on + (
                   SELECT n.offset_days FROM dunning_step n WHERE n.version_id = g.version_id AND n.rank = g.next_rank + 1))
           END AS again_on
    FROM grouped g
    LEFT JOIN message m ON m.cabinet_id = g.cabinet_id AND m.client_id = g.client_id
),
written AS (
    INSERT INTO dunning_reminder (id, cabinet_id, client_id, contact_id, client_kind, language, step_id, rank, channel,
        state, night_id, "on", depart_at, reasons, dossier_ids, total_cents, generation, created_at, cancel_code, failure,
        provider_code, message_id, attempts)
    SELECT m.reminder_id, m.cabinet_id, m.client_id, m.contact_id, m.client_kind, m.language, m.step_id, m.rank, m.channel,
           CASE WHEN m.is_asked THEN 'awaiting_approval' ELSE 'planned' END, m.night_id, m.night_on, m.depart_at,
           m.reasons, m.dossier_ids, m.total_cents, 0, now(), '', '', '', '', 0
    FROM message m WHERE %(write)s
    RETURNING id
),
lined AS (
    INSERT INTO dunning_reminderline (id, cabinet_id, reminder_id, case_id, invoice_id, rank, is_claimed, owed_cents, counts)
    SELECT gen_random_uuid(), v.cabinet_id, v.of_reminder, v.case_id, v.invoice_id, v.next_rank, v.is_claimed, v.owed_cents, true
    FROM verdict v WHERE %(write)s AND v.is_in
    RETURNING 1
),
decided AS (
    INSERT INTO dunning_decision (cabinet_id, invoice_id, "on", round, code, rank, reminder_id, again_on, facts)
    SELECT v.cabinet_id, v.invoice_id, v.night_on, v.round, v.code, v.next_rank,
           CASE WHEN v.is_in THEN v.of_reminder END, v.again_on,
           jsonb_strip_nulls(jsonb_build_object(
               'owed_cents', v.owed_cents, 'due_on', v.due_on, 'offset_days', v.offset_days, 'kind', v.client_kind,
               'stops', nullif(to_jsonb(v.stops), '[]'), 'reasons', nullif(to_jsonb(v.reasons), '[]'),
               'last_contact_on', v.last_on, 'contacts', nullif(v.in_30_days, 0), 'last_step_on', v.last_step_on,
               'until_on', v.until_on))
    FROM verdict v WHERE %(write)s
    ON CONFLICT (invoice_id, "on", round) DO NOTHING
    RETURNING 1
),
moved AS (
    UPDATE dunning_dunningcase c SET next_action_on = v.again_on, code = v.code,
        next_rank = c.next_rank + CASE WHEN v.code = 'NOTICE_OVER' THEN 1 ELSE 0 END
    FROM verdict v WHERE %(write)s AND c.id = v.case_id
    RETURNING 1
)
SELECT v.cabinet_id, v.code, count(*) AS cases, count(DISTINCT v.of_reminder) FILTER (WHERE v.is_claimed) AS messages
FROM verdict v GROUP BY v.cabinet_id, v.code
