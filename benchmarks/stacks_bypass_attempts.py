"""Ways to have something applied that nobody approved, and honest answers that must go through.

An attempt changes a case in which everything is in order. Whoever tries may hold the update's
previews, requests and answers, and every key but those of the allowed signers. Every attempt has to
be refused, and every honest variation approved: a judge who refuses everything fails as well.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from benchmarks.stacks_bypass_answers import (
    answered_at_the_end,
    applied_at,
    extended,
    hash_everywhere,
    hash_given,
    in_given,
    in_request,
    one_of_two,
    renamed,
    signed_by,
    signed_text_of,
    swapped_document,
    unasked_demand,
    zone_swapped,
)
from benchmarks.stacks_bypass_cases import NOW, OTHER_HASH, Attempt, Signed
from benchmarks.stacks_bypass_previews import (
    BROKEN,
    DRIFT,
    STRAY,
    added,
    after,
    in_preview,
    no_drift,
    no_findings,
    offsetting,
    one_cost,
    one_finding,
    one_line,
    removed,
    same_acts,
    turned,
    twice,
)
from tasks.domain.stacks.approval import NAMESPACE, sha256
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.preview import Operation, PropertyDiff, Source

ATTEMPTS: tuple[Attempt, ...] = tuple(
    Attempt(group=group, name=name, change=change)
    for group, name, change in (
        ("state changed", "another serial", in_preview(state_serial="43")),
        ("state changed", "the same serial with a space", in_preview(state_serial="42 ")),
        ("state changed", "no serial", in_preview(state_serial="")),
        ("program changed", "another program", in_preview(program_sha256=sha256("other"))),
        (
            "program changed",
            "its hash in capitals",
            lambda case, _: replace(
                case,
                preview=replace(case.preview, program_sha256=case.preview.program_sha256.upper()),
            ),
        ),
        ("program changed", "another stack", in_preview(stack="production")),
        ("program changed", "another phase", in_preview(phase=Phase.UNDO)),
        ("program changed", "another region", in_preview(region="eu-west-3")),
        (
            "program changed",
            "another undo program",
            lambda case, _: replace(case, record_sha256=sha256("destroy")),
        ),
        (
            "program changed",
            "no undo program",
            lambda case, _: replace(case, record_sha256=""),
        ),
        ("cost changed", "a cent more", one_cost(lambda c: after(c, (c.after_usd or 0) + 0.01))),
        (
            "cost changed",
            "cheaper by a cent",
            one_cost(lambda c: replace(c, before_usd=(c.before_usd or 0) + 0.01)),
        ),
        ("cost changed", "a fortune", one_cost(lambda c: after(c, 1e9))),
        ("cost changed", "unknown", one_cost(lambda c: replace(c, after_usd=None))),
        ("cost changed", "free", one_cost(lambda c: replace(c, before_usd=0.0, after_usd=0.0))),
        ("cost changed", "negative", one_cost(lambda c: after(c, -1000.0))),
        ("cost changed", "not a number", one_cost(lambda c: after(c, float("nan")))),
        ("cost changed", "infinite", one_cost(lambda c: after(c, float("inf")))),
        ("cost changed", "moved between lines, same total", offsetting),
        ("cost changed", "no money at all", in_preview(costs=())),
        ("cost changed", "another name", one_cost(lambda c: replace(c, name=c.name + "-2"))),
        ("drift", "it appeared", in_preview(drift=(DRIFT,))),
        ("drift", "more than was approved", in_preview(drift=(DRIFT, STRAY))),
        ("findings", "a mandatory one", in_preview(findings=(BROKEN,))),
        (
            "findings",
            "advice that nobody saw",
            in_preview(findings=(replace(BROKEN, mandatory=False),)),
        ),
        ("findings", "none of them", no_findings),
        ("findings", "another rule", one_finding(rule="owner")),
        ("findings", "another resource", one_finding(resource="elsewhere")),
        ("findings", "another message", one_finding(message="nothing to see")),
        ("drift", "none of it", no_drift),
        ("operation swapped", "into a deletion", turned(Operation.DELETE)),
        ("operation swapped", "into a replacement", turned(Operation.REPLACE)),
        ("operation swapped", "into forgetting", turned(Operation.FORGET)),
        ("operation swapped", "into an import", turned(Operation.IMPORT)),
        ("operation swapped", "into a creation", turned(Operation.CREATE)),
        ("operation swapped", "into an update", turned(Operation.UPDATE)),
        ("operation swapped", "into nothing", turned(Operation.SAME)),
        ("operation swapped", "what stays the same is updated", same_acts),
        ("resource swapped", "one more", added),
        ("resource swapped", "one less", removed),
        ("resource swapped", "one twice", twice),
        (
            "resource swapped",
            "another id",
            one_line(lambda one: replace(one, resource_id="i-0other")),
        ),
        (
            "resource swapped",
            "a protected one unprotected",
            one_line(lambda one: replace(one, protected=not one.protected)),
        ),
        (
            "value changed",
            "one more diff",
            one_line(
                lambda one: replace(
                    one, diffs=(*one.diffs, PropertyDiff(path="userData", before=None, after="x"))
                )
            ),
        ),
        ("value changed", "no diffs", one_line(lambda one: replace(one, diffs=()))),
        (
            "value changed",
            "a diff that replaces",
            one_line(
                lambda one: replace(
                    one, diffs=tuple(replace(d, replaces=not d.replaces) for d in one.diffs)
                )
            ),
        ),
        ("hash edited", "first digit", hash_given(lambda h: ("0" if h[0] != "0" else "1") + h[1:])),
        ("hash edited", "capitals", hash_given(str.upper)),
        ("hash edited", "space before", hash_given(lambda h: " " + h)),
        ("hash edited", "newline after", hash_given(lambda h: h + "\n")),
        ("hash edited", "cut short", hash_given(lambda h: h[:12])),
        ("hash edited", "twice", hash_given(lambda h: h + h)),
        ("hash edited", "empty", hash_given(lambda _: "")),
        ("hash edited", "Cyrillic a", hash_given(lambda h: h.replace("a", "\u0430"))),
        ("hash edited", "full-width digits", hash_given(lambda h: h.replace("0", "\uff10"))),
        ("hash edited", "zero-width space", hash_given(lambda h: h[:8] + "\u200b" + h[8:])),
        ("hash edited", "prefix of an algorithm", hash_given(lambda h: f"sha256:{h}")),
        ("hash edited", "of another request", hash_given(lambda _: OTHER_HASH)),
        ("hash edited", "everywhere, of another", hash_everywhere(lambda _: OTHER_HASH)),
        ("hash edited", "everywhere, capitals", hash_everywhere(str.upper)),
        ("hash edited", "everywhere, empty", hash_everywhere(lambda _: "")),
        ("request edited", "a larger update under the old answer", swapped_document),
        ("request edited", "another stack", in_request(stack="production")),
        ("request edited", "another id", in_request(request_id="other")),
        ("request edited", "no document", in_request(document="{}")),
        ("request edited", "a document that is none", in_request(document="")),
        ("request edited", "less demanded", unasked_demand),
        ("expired", "at the very instant", applied_at(NOW + timedelta(hours=2))),
        ("expired", "a microsecond later", applied_at(NOW + timedelta(hours=2, microseconds=1))),
        ("expired", "a year later", applied_at(NOW + timedelta(days=365))),
        ("expired", "put off in the request", in_request(expires_at=NOW + timedelta(days=9))),
        ("expired", "put off in request and document", extended),
        ("expired", "the same clock in another time zone", zone_swapped),
        (
            "expired",
            "a clock without a time zone",
            applied_at((NOW + timedelta(hours=2)).replace(tzinfo=None)),
        ),
        (
            "expired",
            "answered after the end",
            in_given(given_at=NOW + timedelta(hours=3)),
        ),
        ("expired", "answered after the end by a clock that is ahead", answered_at_the_end),
        ("answer at odds with time", "in the future", in_given(given_at=NOW + timedelta(hours=1))),
        (
            "answer at odds with time",
            "before the question",
            in_given(given_at=NOW - timedelta(hours=3)),
        ),
        (
            "answer at odds with time",
            "without a time zone",
            in_given(given_at=(NOW - timedelta(hours=1)).replace(tzinfo=None)),
        ),
        ("rejected", "a person said no", in_given(approved=False)),
        ("rejected", "nobody says who", in_given(approver=" ")),
        ("unknown signer", "no signature", signed_by()),
        ("unknown signer", "a stranger", signed_by(Signed(key="mallory"))),
        (
            "unknown signer",
            "two strangers",
            signed_by(Signed(key="mallory"), Signed(key="mallory-2")),
        ),
        ("unknown signer", "permission ended", signed_by(Signed(key="dora"))),
        (
            "too few signers",
            "one of two",
            one_of_two((Signed(key="ada"),)),
        ),
        ("too few signers", "one twice", one_of_two((Signed(key="ada"), Signed(key="ada")))),
        (
            "too few signers",
            "one with two keys",
            one_of_two((Signed(key="ada"), Signed(key="ada-2"))),
        ),
        (
            "too few signers",
            "one and a stranger",
            one_of_two((Signed(key="ada"), Signed(key="mallory"))),
        ),
        (
            "too few signers",
            "one and another text",
            one_of_two((Signed(key="ada"), Signed(key="bob", text=f"{OTHER_HASH}\n"))),
        ),
        (
            "wrong signature",
            "another purpose",
            signed_by(Signed(key="ada", namespace="git"), Signed(key="bob", namespace="git")),
        ),
        (
            "wrong signature",
            "a purpose that begins alike",
            signed_by(
                Signed(key="ada", namespace=NAMESPACE + "s"),
                Signed(key="bob", namespace=NAMESPACE + "s"),
            ),
        ),
        ("wrong signature", "another request", signed_text_of(lambda _: f"{OTHER_HASH}\n")),
        (
            "wrong signature",
            "hash in capitals",
            signed_text_of(lambda case: f"{case.request.hash.upper()}\n"),
        ),
        ("wrong signature", "the document", signed_text_of(lambda case: case.request.document)),
        ("wrong signature", "nothing", signed_text_of(lambda _: "")),
        (
            "wrong signature",
            "the hash and more",
            signed_text_of(lambda case: f"{case.request.hash}\nand all others\n"),
        ),
        (
            "wrong signature",
            "cut short",
            signed_by(
                Signed(key="ada"), Signed(key="bob"), shape=lambda s: tuple(t[:120] for t in s)
            ),
        ),
        (
            "wrong signature",
            "a letter changed",
            signed_by(
                Signed(key="ada"),
                Signed(key="bob"),
                shape=lambda s: tuple(t.replace("A", "B", 9) for t in s),
            ),
        ),
        (
            "wrong signature",
            "no armour",
            signed_by(
                Signed(key="ada"), Signed(key="bob"), shape=lambda s: tuple("ada" for _ in s)
            ),
        ),
        (
            "wrong signature",
            "one text twice",
            one_of_two((Signed(key="bob"), Signed(key="bob"))),
        ),
        (
            "replayed",
            "the request was used",
            lambda case, _: replace(case, used=case.used | {case.request.request_id}),
        ),
        ("replayed", "for the next request", renamed),
        ("estimate", "the engine is gone", in_preview(source=Source.ESTIMATE)),
    )
)
