"""What an approval is bound to, who has to give it, and when it counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.adapters.documents import from_json, to_json
from tasks.domain.guardrails.modes import Mode, Scope
from tasks.domain.guardrails.policy import GuardrailPolicy
from tasks.domain.guardrails.windows import ChangeWindow
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.approval import (
    ApprovalRequest,
    Demand,
    Given,
    UnapprovableError,
    approval_document,
    approval_hash,
    ask,
    demanded,
    sha256,
    signed_text,
)
from tasks.domain.stacks.approval_text import approval_text, sign_command
from tasks.domain.stacks.canonical import NotCanonicalError, canonical_json
from tasks.domain.stacks.changes import Change, Phase
from tasks.domain.stacks.judgement import Approved, Denied, Verdict, auto_approved, judge
from tasks.domain.stacks.preview import (
    CostDelta,
    Finding,
    Operation,
    Preview,
    PropertyDiff,
    ResourceChange,
    Source,
    Value,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
END = NOW + timedelta(hours=2)
INSTANCE = "aws:ec2/instance:Instance"
PLAN = "aws:savingsplans/savingsPlan:SavingsPlan"
SIGNATURES = ("first", "second", "third")


def line(
    operation: Operation = Operation.UPDATE,
    *,
    name: str = "web",
    token: str = INSTANCE,
    **more: Any,
) -> ResourceChange:
    return ResourceChange(
        name=name,
        token=token,
        urn=f"urn:pulumi:s::homeostat::{token}::{name}",
        operation=operation,
        resource_id="i-1",
        diffs=(PropertyDiff(path="instanceType", before="m5.2xlarge", after="m5.large"),),
        inputs_after={"instanceType": "m5.large", "tags": {"owner": "web"}},
        **more,
    )


def preview(*lines: ResourceChange, **fields: Any) -> Preview:
    found: dict[str, Any] = {
        "stack": "savings",
        "region": "eu-central-1",
        "phase": Phase.CHANGE,
        "source": Source.ENGINE,
        "program_sha256": sha256("program"),
        "state_serial": "42",
        "changes": lines or (line(),),
        "costs": (CostDelta(name="web", before_usd=280.32, after_usd=70.08, basis="x 730 h"),),
    }
    return Preview(**(found | fields))


def request_for(asked: Preview, **fields: Any) -> ApprovalRequest:
    times = {"requested_at": NOW - timedelta(hours=2), "expires_at": END}
    return ask(asked, **({"request_id": "r-1"} | times | fields))


def answer(request: ApprovalRequest, **fields: Any) -> Given:
    found: dict[str, Any] = {
        "hash": request.hash,
        "approver": "ada",
        "reason": "ok",
        "approved": True,
        "signatures": SIGNATURES,
        "given_at": NOW - timedelta(hours=1),
    }
    return Given(**(found | fields))


def judged(
    asked: Preview,
    *,
    found: Preview | None = None,
    given: Mapping[str, Any] | None = None,
    request: ApprovalRequest | None = None,
    **fields: Any,
) -> Verdict:
    request = request or request_for(asked)
    rest: dict[str, Any] = {"now": NOW, "verified_signers": frozenset(), "used": frozenset()}
    return judge(
        request, answer(request, **(given or {})), preview_now=found or asked, **(rest | fields)
    )


def why(verdict: Verdict) -> str:
    assert isinstance(verdict, Denied)
    return "\n".join(verdict.why)


# --- who has to approve ---


@pytest.mark.parametrize(
    ("lines", "demand"),
    [
        ([line(Operation.UPDATE)], Demand.FORM),
        ([line(Operation.CREATE)], Demand.FORM),
        ([line(Operation.IMPORT), line(Operation.FORGET, name="b")], Demand.FORM),
        ([line(Operation.SAME)], Demand.FORM),
        ([line(Operation.REPLACE)], Demand.SIGNATURE),
        ([line(Operation.CREATE, token=PLAN)], Demand.SIGNATURE),
        ([line(Operation.UPDATE, token=PLAN)], Demand.SIGNATURE),
        ([line(Operation.SAME, token=PLAN)], Demand.FORM),
        ([line(Operation.IMPORT, token=PLAN)], Demand.FORM),
        (
            [line(Operation.CREATE, token="aws:rds/reservedInstance:ReservedInstance")],
            Demand.SIGNATURE,
        ),
        (
            [line(Operation.CREATE, token="aws:elasticache/reservedCacheNode:ReservedCacheNode")],
            Demand.SIGNATURE,
        ),
        ([line(Operation.DELETE)], Demand.TWO_SIGNATURES),
        ([line(Operation.UPDATE), line(Operation.DELETE, name="b")], Demand.TWO_SIGNATURES),
        ([line(Operation.REPLACE), line(Operation.DELETE, name="b")], Demand.TWO_SIGNATURES),
    ],
)
def test_the_worst_line_says_who_has_to_approve(
    lines: list[ResourceChange], demand: Demand
) -> None:
    assert demanded(preview(*lines)) is demand


def test_a_diff_that_replaces_is_a_replacement_whatever_the_operation_says() -> None:
    sly = replace(line(), diffs=(PropertyDiff(path="ami", before="a", after="b", replaces=True),))

    assert demanded(preview(sly)) is Demand.SIGNATURE


def test_nobody_can_approve_an_estimate_or_what_breaks_a_rule() -> None:
    broken = Finding(rule="encryption", resource="web", message="encrypt it", mandatory=True)

    assert demanded(preview(source=Source.ESTIMATE)) is Demand.NOBODY
    assert demanded(preview(findings=(broken,))) is Demand.NOBODY
    assert demanded(preview(findings=(replace(broken, mandatory=False),))) is Demand.FORM


def test_what_nobody_can_approve_is_not_even_asked() -> None:
    with pytest.raises(UnapprovableError, match="savings cannot be approved: it is an estimate"):
        request_for(preview(source=Source.ESTIMATE))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"request_id": " "}, "no id"),
        ({"expires_at": NOW - timedelta(hours=2)}, "raise approval_valid_hours"),
        (
            {"requested_at": NOW.replace(tzinfo=None), "expires_at": END.replace(tzinfo=None)},
            "zone",
        ),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(UnapprovableError, match=problem):
        request_for(preview(), **fields)


# --- the hash ---


def test_the_hash_is_the_sha256_of_the_document_that_the_request_carries() -> None:
    request = request_for(preview())

    assert request.hash == sha256(request.document)
    assert request.hash == approval_hash(preview(), request_id="r-1", expires_at=END)
    assert json.loads(request.document)["costs"] == [
        {"after_cents": 7008, "before_cents": 28032, "name": "web"}
    ]


def test_the_hash_of_a_known_preview_does_not_change_from_release_to_release() -> None:
    # Open requests end when it does: raise FORMAT with it.
    found = approval_hash(preview(), request_id="r-1", expires_at=END, record_sha256="0" * 64)

    assert found == "2b0c3ba91be4109a3b58d3a90664151840d6a11721e09c6f0cc8324ec45d9a2e"


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -0.01, -1e9])
def test_a_cost_that_is_none_has_no_hash(amount: float) -> None:
    costs = (CostDelta(name="web", before_usd=1.0, after_usd=amount, basis=""),)

    with pytest.raises(UnapprovableError, match="web cannot be approved"):
        approval_document(preview(costs=costs), request_id="r-1", expires_at=END)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, 1),
        (False, 0),
        (False, None),
        (1, "1"),
        (None, ""),
        ("", ()),
        ((), {}),
        (("a", "b"), ("b", "a")),
        (("a", "b"), (("a", "b"),)),
        (("a,b",), ("a", "b")),
        ({"a": None}, {}),
        ({"a": {"b": 1}}, {"a.b": 1}),
        ("caf\u00e9", "cafe\u0301"),
        ("a", "\u0430"),
        ("a", "a\u200b"),
        (2**53, 2**53 + 1),
        (0.1, 0.1000000000000001),
        ('a","b":"c', "a"),
    ],
)
def test_values_that_differ_have_different_texts(one: Value, other: Value) -> None:
    assert canonical_json(one) != canonical_json(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (0, -0.0),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (("a", "b"), ["a", "b"]),
        (Operation.UPDATE, "update"),
        (10**22, 1e22),
    ],
)
def test_values_that_mean_the_same_have_the_same_text(one: object, other: object) -> None:
    assert canonical_json(one) == canonical_json(other)


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = (value,)
    return value


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (float("nan"), "not a number"),
        ({"a": (1, float("inf"))}, r"\.a\[1\]: inf"),
        ("\ud83d\ude00", "surrogate"),
        ({"\ud83d": 1}, "surrogate"),
        ({1: "a"}, "key 1 is not text"),
        (b"bytes", "bytes is not a value"),
        ({1, 2}, "set is not a value"),
        (datetime(2026, 3, 2, tzinfo=UTC), "datetime is not a value"),
        (1 << 5000, "5001 bits"),
        (deep(100), "64 levels"),
        (deep(5000), "64 levels"),
    ],
)
def test_what_no_text_stands_for_is_refused(value: object, problem: str) -> None:
    with pytest.raises(NotCanonicalError, match=problem):
        canonical_json(value)


# --- the judge ---


def test_what_was_approved_may_be_applied() -> None:
    assert judged(preview()) == Approved(demand=Demand.FORM)


def test_enough_signers_let_a_deletion_through_and_are_named() -> None:
    signers = frozenset({"ada", "bob"})

    verdict = judged(preview(line(Operation.DELETE)), verified_signers=signers)

    assert verdict == Approved(demand=Demand.TWO_SIGNATURES, signers=signers)


@pytest.mark.parametrize(
    ("operation", "signers", "needed"),
    [(Operation.REPLACE, 0, 1), (Operation.DELETE, 0, 2), (Operation.DELETE, 1, 2)],
)
def test_too_few_signers_are_counted(operation: Operation, signers: int, needed: int) -> None:
    names = frozenset(("ada", "bob")[:signers])

    verdict = judged(preview(line(operation)), verified_signers=names)

    assert f"needs signatures of {needed} allowed signers over this hash" in why(verdict)


def test_the_guardrails_may_ask_for_more_signers_and_not_for_fewer() -> None:
    one, two = frozenset({"ada"}), frozenset({"ada", "bob"})
    replaced, deleted = preview(line(Operation.REPLACE)), preview(line(Operation.DELETE))

    assert isinstance(judged(replaced, verified_signers=one, signers_needed=2), Denied)
    assert isinstance(judged(replaced, verified_signers=two, signers_needed=2), Approved)
    assert isinstance(judged(deleted, verified_signers=one, signers_needed=1), Denied)
    assert isinstance(judged(deleted, verified_signers=one, signers_needed=0), Denied)
    assert isinstance(judged(replaced, signers_needed=0), Denied)
    assert isinstance(judged(preview(), signers_needed=3), Approved)


def test_signers_of_another_answer_do_not_count() -> None:
    verdict = judged(
        preview(line(Operation.DELETE)),
        verified_signers=frozenset({"ada", "bob"}),
        given={"signatures": ("same", "same")},
    )

    assert "2 signers of 1 signatures" in why(verdict)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            {"state_serial": "43"},
            "the state (by its serial) changed: approved was '42', now it is '43'",
        ),
        ({"program_sha256": "0" * 64}, "the program (by its hash) changed"),
        ({"region": "us-east-1"}, "the region changed: approved was 'eu-central-1'"),
        ({"phase": Phase.UNDO}, "the phase changed"),
        ({"source": Source.ESTIMATE}, "nobody can approve it: it is an estimate"),
        (
            {"costs": (CostDelta(name="web", before_usd=280.32, after_usd=70.09, basis=""),)},
            "cost of 'web' changed: approved was 280.32 to 70.08 USD a month, "
            "now it is 280.32 to 70.09 USD a month",
        ),
        (
            {"costs": (CostDelta(name="web", before_usd=280.32, after_usd=None, basis=""),)},
            "now it is 280.32 to unknown USD a month",
        ),
        (
            {"costs": ()},
            "cost of 'web' changed: approved was 280.32 to 70.08 USD a month, now it is none",
        ),
        (
            {"costs": (CostDelta(name="web", before_usd=float("nan"), after_usd=1.0, basis=""),)},
            "what is previewed now cannot be compared",
        ),
        ({"drift": (line(name="db"),)}, "drift appeared: somebody changed 'db' in the account"),
        (
            {"findings": (Finding(rule="tags", resource="web", message="m", mandatory=False),)},
            "finding that nobody saw: 'tags' on 'web'",
        ),
        (
            {"changes": (line(Operation.DELETE),)},
            "'web': approved was to update 'i-1', now it is to delete 'i-1'",
        ),
        (
            {"changes": (line(Operation.SAME),)},
            "approved was to update 'i-1', now it is to do nothing",
        ),
        (
            {"changes": (line(), line(name="db"))},
            "'db': approved was to do nothing, or nothing more",
        ),
        (
            {"changes": (replace(line(), diffs=()),)},
            "'web': not as approved in 'instanceType'",
        ),
        (
            {"changes": (replace(line(), inputs_after={"instanceType": "m5.24xlarge"}),)},
            "'web': not as approved in inputs_after",
        ),
        ({"changes": (replace(line(), resource_id="i-2"),)}, "'web': not as approved in id"),
    ],
)
def test_a_refusal_names_what_changed(found: dict[str, Any], said: str) -> None:
    verdict = judged(preview(), found=replace(preview(), **found))

    assert said in why(verdict)
    assert "preview it and ask again" in why(verdict) or "cannot be compared" in why(verdict)


def test_drift_that_was_approved_and_is_gone_is_another_preview() -> None:
    asked = preview(drift=(line(name="db"),))

    assert "drift is gone that was there" in why(judged(asked, found=replace(asked, drift=())))


def test_a_long_refusal_is_cut_and_counted() -> None:
    many = preview(*(line(name=f"web-{at}") for at in range(40)))
    verdict = judged(preview(), found=many)

    assert "and 36 more of this kind" in why(verdict)


def test_names_in_a_refusal_are_plain_characters() -> None:
    verdict = judged(preview(), found=preview(line(name="a\u202eb\n# c" + "x" * 500)))

    assert "\u202e" not in why(verdict)
    assert all(len(one) < 400 for one in why(verdict).splitlines())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"approved": False, "reason": "not today"}, "ada rejected it: not today"),
        ({"approver": "  "}, "does not say who approves"),
        ({"hash": "0" * 64}, "the answer is for hash"),
        ({"given_at": NOW + timedelta(minutes=2)}, "which is yet to come"),
        ({"given_at": NOW - timedelta(hours=2, minutes=2)}, "before it was asked"),
        ({"given_at": END}, "answered at"),
        ({"given_at": NOW.replace(tzinfo=None)}, "no time zone"),
    ],
)
def test_an_answer_that_does_not_count_says_why(given: dict[str, Any], said: str) -> None:
    assert said in why(judged(preview(), given=given))


def test_clocks_of_two_workers_may_be_a_little_apart() -> None:
    assert isinstance(judged(preview(), given={"given_at": NOW + timedelta(seconds=59)}), Approved)


def test_an_approval_ends_at_its_instant_and_not_before() -> None:
    given = {"given_at": END - timedelta(minutes=1)}

    assert isinstance(judged(preview(), now=END - timedelta(microseconds=1), given=given), Approved)
    assert "was valid until" in why(judged(preview(), now=END, given=given))


def test_a_request_is_carried_out_once() -> None:
    assert "r-1 was carried out already" in why(judged(preview(), used=frozenset({"r-1"})))


@pytest.mark.parametrize(
    "edited",
    [
        {"document": "{}"},
        {"document": ""},
        {"hash": "0" * 64},
        {"hash": ""},
        {"expires_at": END + timedelta(days=1)},
        {"expires_at": END.replace(tzinfo=None)},
        {"request_id": "r-2"},
        {"stack": "production"},
    ],
)
def test_an_edited_request_is_refused(edited: dict[str, Any]) -> None:
    request = replace(request_for(preview()), **edited)

    assert isinstance(judged(preview(), request=request), Denied)


@pytest.mark.parametrize("document", ["{}", "[]", "1", "", "{", "[" * 5000, '{"expires_at": 3}'])
def test_a_document_that_is_none_is_refused_also_with_its_own_hash(document: str) -> None:
    request = replace(request_for(preview()), document=document, hash=sha256(document))

    assert "the request's document is none" in why(judged(preview(), request=request))


def test_what_the_request_says_it_demands_is_not_believed() -> None:
    deletion = preview(line(Operation.DELETE))
    request = replace(request_for(deletion), demand=Demand.FORM)

    assert "needs signatures of 2" in why(judged(deletion, request=request))


def test_another_undo_program_is_another_update() -> None:
    request = request_for(preview(), record_sha256=sha256("undo"))

    assert isinstance(judged(preview(), request=request, record_sha256=sha256("undo")), Approved)
    assert "undo program" in why(
        judged(preview(), request=request, record_sha256=sha256("destroy"))
    )


def test_a_request_and_its_preview_survive_a_restart() -> None:
    inputs: dict[str, Value] = {"n": 1.0, "t": True, "s": "1", "l": (1, None, "\u00e9"), "m": {}}
    asked = preview(line(Operation.UPDATE), replace(line(name="b"), inputs_before=inputs))
    request = from_json(ApprovalRequest, to_json(ApprovalRequest, request_for(asked)))
    found = from_json(Preview, to_json(Preview, asked))

    assert request == request_for(asked)
    assert isinstance(judged(asked, found=found, request=request), Approved)


# --- without asking ---

AUTO = GuardrailPolicy(mode=Mode.AUTO)


def change(**fields: Any) -> Change:
    found: dict[str, Any] = {
        "change_id": "hs-1",
        "kind": Kind.RIGHT_SIZE,
        "resource": "i-1",
        "region": "eu-central-1",
        "summary": "Make it smaller",
        "owner": "",
        "reason": "idle",
        "saving": Usd.exactly(210.24),
        "restart": True,
        "reversible": True,
        "disruption": 0.3,
    }
    return Change(**(found | fields))


def test_what_can_be_taken_back_and_has_mode_auto_needs_nobody() -> None:
    verdict = auto_approved(preview(), AUTO, changes=[change()], now=NOW)

    assert verdict == Approved(demand=Demand.FORM)


@pytest.mark.parametrize(
    ("asked", "policy", "changes", "said"),
    [
        (preview(line(Operation.REPLACE)), AUTO, [change()], "needs signature"),
        (preview(line(Operation.DELETE)), AUTO, [change()], "needs two-signatures"),
        (preview(source=Source.ESTIMATE), AUTO, [change()], "needs nobody"),
        (preview(line(Operation.FORGET)), AUTO, [change()], "would leave the stack"),
        (preview(), AUTO, [], "nobody knows which changes"),
        (preview(), AUTO, [change(reversible=False)], "hs-1 cannot be taken back"),
        (preview(), GuardrailPolicy(mode=Mode.APPROVE), [change()], "hs-1 has mode approve"),
        (
            preview(),
            replace(AUTO, scopes=(Scope(mode=Mode.APPROVE, pattern="savings"),)),
            [change()],
            "hs-1 has mode approve",
        ),
        (
            preview(),
            replace(AUTO, scopes=(Scope(mode=Mode.RECOMMEND, kinds=frozenset({"spot"})),)),
            [change(), change(change_id="hs-2", kind=Kind.SPOT)],
            "hs-2 has mode recommend",
        ),
        (preview(), replace(AUTO, kill_switch=True), [change()], "the kill switch is on"),
        (preview(), replace(AUTO, max_usd_per_run=100.0), [change()], "moves 210.24 USD"),
        (preview(drift=(line(name="db"),)), AUTO, [change()], "somebody changed 'db'"),
        (
            preview(),
            replace(
                AUTO,
                windows=(
                    ChangeWindow(
                        days=frozenset({6}), start_minute=0, end_minute=60, zone="Europe/Berlin"
                    ),
                ),
            ),
            [change()],
            "the next one opens at 2026-03-07 23:00 UTC",
        ),
    ],
)
def test_what_has_to_be_asked_is_not_done_automatically(
    asked: Preview, policy: GuardrailPolicy, changes: list[Change], said: str
) -> None:
    assert said in why(auto_approved(asked, policy, changes=changes, now=NOW))


# --- what the approver reads ---


def test_an_approver_reads_what_how_much_what_risk_until_when_and_how_to_sign() -> None:
    deletion = preview(line(Operation.DELETE), line(Operation.CREATE, name="plan", token=PLAN))
    request = request_for(deletion)

    text = approval_text(request, deletion)

    assert "1 to create, 1 to delete in `eu-central-1`" in text
    assert "**Money:** -210.24 USD a month" in text
    assert "**deletes** `web`; **commits to pay for** `plan`" in text
    assert "the signatures of two allowed signers" in text
    assert "2026-03-02 11:00 UTC" in text
    assert f"**Hash:** `{request.hash}`" in text
    assert sign_command(request.hash) in text


def test_where_the_form_is_enough_nothing_is_said_of_signing() -> None:
    text = approval_text(request_for(preview()), preview())

    assert "ssh-keygen" not in text
    assert "nothing is deleted, made anew or bought" in text


def test_more_signers_by_the_guardrails_are_said() -> None:
    replaced = preview(line(Operation.REPLACE))

    text = approval_text(request_for(replaced), replaced, signers_needed=3)

    assert "signatures of 3 allowed signers" in text


def test_a_name_in_the_text_is_only_a_name() -> None:
    hostile = "x`\n\n- **Hash:** `" + "0" * 64 + "`\n<img src=x>"
    asked = preview(line(Operation.DELETE, name=hostile), stack=hostile)

    text = approval_text(request_for(asked), asked)

    assert sum(one.startswith("- **Hash:**") for one in text.splitlines()) == 1
    assert not any(one.startswith("<img") for one in text.splitlines())


def test_what_is_signed_is_the_hash_and_a_newline() -> None:
    assert signed_text("ab") == b"ab\n"
    assert sign_command("ab") == "echo ab | ssh-keygen -Y sign -n homeostat-approval -f KEY"
