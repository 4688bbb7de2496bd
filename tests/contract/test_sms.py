"""The official clients of OVHcloud and Twilio, as the product drives them, against the official descriptions."""

import time as clock

import pytest

from dunning.channels.ovh_sms import OvhSms
from dunning.channels.protocol import DeliveryError, Stage, Verdict
from dunning.channels.sms import Delivery, OutgoingSms
from dunning.channels.twilio import TwilioSms
from tests.contract.openapi_double import Double, serving, specs_are_here

OVH_SPEC, TWILIO_SPEC = "ovh/sms-jobs.transcribed.openapi.json", "twilio/twilio_api_v2010.json"
JOBS, OUTGOING = "/sms/{serviceName}/jobs", "/sms/{serviceName}/outgoing/{id}"
MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
MESSAGE = MESSAGES.replace("Messages.json", "Messages/{Sid}.json")
SMS = OutgoingSms(to="+33612345678", sender="CabAubry", text="CabAubry: rappel", reference="0" * 36)
SID = "SM" + "0" * 32


def ovh(double: Double) -> OvhSms:
    double.answers["GET", "/auth/time"] = (200, int(clock.time()))
    return OvhSms(
        options={"service": "sms-ab12345-1", "application_key": "key"},
        secrets={"application_secret": "secret", "consumer_key": "consumer"},
        base_url=double.base_url,
    )


def twilio(double: Double) -> TwilioSms:
    return TwilioSms(
        options={"account_sid": "AC" + "0" * 32}, secrets={"auth_token": "token"}, base_url=double.base_url
    )


@pytest.mark.parametrize(
    ("answer", "verdict", "stage", "reference"),
    [
        ((200, {"ids": [42], "invalidReceivers": []}), Verdict.ACCEPTED, Stage.END, "42"),
        ((200, {"ids": [], "invalidReceivers": ["+33612345678"]}), Verdict.REJECTED, Stage.RECIPIENT, ""),
        ((200, {"ids": []}), Verdict.UNKNOWN, Stage.END, ""),
        ((400, {"message": "sender"}), Verdict.REJECTED, Stage.CONTENT, ""),
        ((429, {"message": "slow"}), Verdict.POSTPONED, Stage.CONNECT, ""),
        ((500, {"message": "oops"}), Verdict.UNKNOWN, Stage.END, ""),
    ],
)
def test_ovh_tells_what_became_of_a_job(
    answer: tuple[int, object], verdict: Verdict, stage: Stage, reference: str
) -> None:
    if not specs_are_here():
        return
    with serving(OVH_SPEC) as double:
        double.answers["POST", JOBS] = answer

        said = ovh(double).send(SMS)

        assert (said.verdict, said.stage, said.reference, double.faults) == (verdict, stage, reference, [])
        body = double.calls[-1].body
        assert (body["noStopClause"], body["coding"], body["receivers"], body["sender"]) == (
            True, "7bit", ["+33612345678"], "CabAubry",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "delivery"), [(1, Delivery.DELIVERED), (2, Delivery.FAILED), (4, Delivery.ON_ITS_WAY)]
)
def test_ovh_is_asked_what_became_of_a_message(code: int, delivery: Delivery) -> None:
    if not specs_are_here():
        return
    with serving(OVH_SPEC) as double:
        double.answers["GET", OUTGOING] = (200, {"deliveryReceipt": code})

        told = ovh(double).receipt("42")

        assert told is not None
        assert (told.delivery, double.faults) == (delivery, [])


def test_ovh_refuses_keys_that_are_not_ours() -> None:
    if not specs_are_here():
        return
    with serving(OVH_SPEC) as double:
        double.answers["POST", JOBS] = (403, {"errorCode": "INVALID_CREDENTIAL", "message": "no"})

        with pytest.raises(DeliveryError) as refused:
            ovh(double).send(SMS)

        assert refused.value.permanent


@pytest.mark.parametrize(
    ("answer", "verdict", "stage", "opted_out"),
    [
        ((201, {"sid": SID, "status": "queued"}), Verdict.ACCEPTED, Stage.END, False),
        ((400, {"code": 21211, "message": "invalid", "status": 400}), Verdict.REJECTED, Stage.RECIPIENT, False),
        ((400, {"code": 21610, "message": "stop", "status": 400}), Verdict.REJECTED, Stage.RECIPIENT, True),
        ((400, {"code": 21617, "message": "long", "status": 400}), Verdict.REJECTED, Stage.CONTENT, False),
        ((429, {"code": 20429, "message": "slow", "status": 429}), Verdict.POSTPONED, Stage.CONNECT, False),
        ((503, {"code": 20503, "message": "oops", "status": 503}), Verdict.UNKNOWN, Stage.END, False),
    ],
)
def test_twilio_tells_what_became_of_a_message(
    answer: tuple[int, object], verdict: Verdict, stage: Stage, opted_out: bool
) -> None:
    if not specs_are_here():
        return
    with serving(TWILIO_SPEC) as double:
        double.answers["POST", MESSAGES] = answer

        said = twilio(double).send(SMS)

        assert (said.verdict, said.stage, said.is_opted_out, double.faults) == (verdict, stage, opted_out, [])
        assert double.calls[-1].body == {"To": "+33612345678", "From": "CabAubry", "Body": "CabAubry: rappel"}


@pytest.mark.parametrize(("status", "code"), [(401, 20003), (400, 21408)], ids=["keys", "closed country"])
def test_twilio_s_refusal_of_an_account_says_nothing_of_the_number(status: int, code: int) -> None:
    if not specs_are_here():
        return
    with serving(TWILIO_SPEC) as double:
        double.answers["POST", MESSAGES] = (status, {"code": code, "message": "no", "status": status})

        with pytest.raises(DeliveryError) as refused:
            twilio(double).send(SMS)

        assert refused.value.permanent


@pytest.mark.parametrize(
    ("answer", "delivery"),
    [
        ((200, {"sid": SID, "status": "delivered"}), Delivery.DELIVERED),
        ((200, {"sid": SID, "status": "queued"}), Delivery.ON_ITS_WAY),
        ((404, {"code": 20404, "message": "unknown", "status": 404}), None),
    ],
)
def test_twilio_is_asked_what_became_of_a_message(answer: tuple[int, object], delivery: Delivery | None) -> None:
    if not specs_are_here():
        return
    with serving(TWILIO_SPEC) as double:
        double.answers["GET", MESSAGE] = answer

        told = twilio(double).receipt(SID)

        assert (told.delivery if told else None, double.faults) == (delivery, [])


def test_nobody_at_the_other_end_means_nothing_left() -> None:
    channel = TwilioSms(
        options={"account_sid": "AC" + "0" * 32}, secrets={"auth_token": "token"}, base_url="http://127.0.0.1:9"
    )

    assert channel.send(SMS).verdict is Verdict.POSTPONED
