"""What people read of a preview: what is said first, what is hidden, and what names cannot do."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tasks.domain.savings.money import Usd
from tasks.domain.stacks.changes import Change, Phase
from tasks.domain.stacks.preview import (
    SECRET,
    CostDelta,
    Finding,
    Operation,
    Preview,
    PropertyDiff,
    Value,
)
from tasks.domain.stacks.report import (
    approval_message,
    comment_markdown,
    comment_marker,
    escalation_message,
    failed_undo_message,
    preview_json,
    preview_markdown,
    preview_rows,
)
from tasks.domain.stacks.shown import code, masked, plain, prose, shorten, value_text
from tests.support.previews import INSTANCE, VOLUME, a_change, a_line, a_preview, an_estimate

READER = MarkdownIt("commonmark", {"html": True}).enable("table")
OURS = re.compile(
    r"<br>|</?details( open)?>|<summary>[A-Z][a-z]+</summary>|<!-- [A-Za-z0-9 -]+ -->"
)
NESTED = "[x](http://a.b)|`<b>`"


def tokens(text: str) -> list[Token]:
    found: list[Token] = []
    for token in READER.parse(text):
        found += [token, *(token.children or [])]
    return found


def assert_only_words(text: str, *, columns: set[int]) -> None:
    """Check that a page holds no link, no image, no HTML but ours, and only whole rows."""
    found = tokens(text)
    assert not {"link_open", "image"} & {token.type for token in found}
    html = "".join(OURS.sub("", token.content) for token in found if token.type.startswith("html"))
    assert html.strip() == ""
    # What GitHub makes of plain text, outside of code.
    words = " ".join(token.content for token in found if token.type == "text")
    assert not re.search(r"://|(?i:www)\.|@[a-zA-Z0-9]|#\d", words)
    assert rows(found) <= columns


def rows(found: list[Token]) -> set[int]:
    """Return how many cells the rows of a page's tables have."""
    counts, cells = set(), 0
    for token in found:
        if token.type in ("th_open", "td_open"):
            cells += 1
        if token.type == "tr_close":
            counts.add(cells)
            cells = 0
    return counts


def split_rows(text: str) -> set[int]:
    """Return the same by counting bars: no reader of tables takes them otherwise."""
    return {line.count("|") for line in text.splitlines() if line.startswith("|")}


def test_deletions_and_replacements_are_said_first() -> None:
    page = preview_markdown(a_preview())

    warning = page.index("WARNING: 1 deletion, 1 replacement")
    assert warning < page.index("Saves") < page.index("| resource |")
    assert "**REPLACE** `scratch` (`ebs Volume`), for `availabilityZone`" in page


def test_an_update_with_a_property_that_replaces_is_a_replacement() -> None:
    diff = PropertyDiff(path="subnetId", before="a", after="b", replaces=True)
    line = a_line("api", INSTANCE, Operation.UPDATE, diff)

    page = preview_markdown(replace(a_preview(), changes=(line,)))

    assert "WARNING: 1 replacement" in page
    assert preview_rows(replace(a_preview(), changes=(line,)))[0]["operation"] == "REPLACE"


def test_a_purchase_is_a_danger_of_its_own() -> None:
    plan = a_line("plan", "aws:savingsplans/savingsPlan:SavingsPlan", Operation.CREATE)
    buying = replace(a_preview(), changes=(*a_preview().changes, plan))

    assert "WARNING: 1 deletion, 1 replacement, 1 purchase" in preview_markdown(buying)
    assert preview_rows(buying)[2]["operation"] == "PURCHASE"


def test_what_matters_is_said_before_tags_and_own_tags_are_counted() -> None:
    own = {"key": "homeostat/owner", "value": "a"}
    diffs = (
        PropertyDiff(path='tags["homeostat/change-id"]', before=None, after="hs-1"),
        PropertyDiff(path="tags[3]", before=None, after=own),
        PropertyDiff(path="tags[4]", before=own, after={"key": "team", "value": "a"}),
        PropertyDiff(path="type", before="gp2", after="gp3"),
    )
    line = a_line("data", VOLUME, Operation.UPDATE, *diffs)

    page = preview_markdown(replace(a_preview(), changes=(line,)))

    cell = next(one for one in page.splitlines() if one.startswith("| `data`")).split("|")[3]
    assert [part.strip().partition(":")[0] for part in cell.split("<br>")] == [
        "`type`",
        "`tags[4]`",
        "and 2 tags that say why, `homeostat/`",
    ]


def test_the_money_is_that_of_known_prices_and_the_rest_is_named() -> None:
    page = preview_markdown(a_preview())

    assert "**Saves $70 a month**: $148 before, $78 after." in page
    assert "Not known, and in no total: `api`." in page


@pytest.mark.parametrize(
    ("after_usd", "says"),
    [
        (100.0, "**Costs as much as before**: $100 before"),
        (150.0, "**Costs $50 a month more**: $100 before, $150 after"),
        (None, "**What it costs is not known.**"),
    ],
)
def test_the_headline_says_which_way_the_money_goes(after_usd: float | None, says: str) -> None:
    cost = CostDelta(name="checkout", before_usd=100.0, after_usd=after_usd, basis="")

    assert says in preview_markdown(replace(a_preview(), costs=(cost,)))


@pytest.mark.parametrize(
    ("net_usd", "is_said"),
    [(70.08, False), (69.5, False), (69.0, True), (71.5, True), (21.0, True)],
)
def test_what_the_opportunities_say_is_told_where_it_is_another_amount(
    net_usd: float, is_said: bool
) -> None:
    saving = Usd(low=0.5 * net_usd, expected=net_usd, high=2.0 * net_usd)

    page = preview_markdown(a_preview(), changes=[replace(a_change(), saving=saving)])

    assert ("Net of commitments and of other changes the opportunities say" in page) is is_said


def test_amounts_of_several_changes_are_added_and_stand_between_headline_and_tables() -> None:
    half = replace(a_change(), saving=Usd(low=10.0, expected=20.0, high=30.0))

    for page in (
        preview_markdown(a_preview(), changes=[half, half]),
        comment_markdown(a_preview(), changes=[half, half]),
    ):
        said = (
            "At list prices. Net of commitments and of other changes the opportunities say "
            "$40 a month ($20 to $60)."
        )
        assert page.index("Saves $70") < page.index(said) < page.index("| resource |")


def test_an_adoption_is_not_held_against_what_its_changes_will_save() -> None:
    adoption = replace(a_preview(), phase=Phase.ADOPT, costs=())

    assert "opportunities say" not in preview_markdown(adoption, changes=[a_change()])


def test_whoever_reads_money_is_told_that_it_is_at_list_prices() -> None:
    for seen in (a_preview(), an_estimate()):
        assert ", at list prices; program" in preview_markdown(seen)


def test_without_prices_there_is_no_sum_of_zero() -> None:
    page = preview_markdown(replace(a_preview(), costs=()))

    assert "Nothing in it has a price." in page
    assert "$0" not in page


def test_an_estimate_says_that_nobody_can_approve_it() -> None:
    page = preview_markdown(an_estimate())

    assert "ESTIMATE: nobody can approve it" in page.split("Saves")[0]
    assert json.loads(preview_json(an_estimate()))["approvable"] is False
    assert "ESTIMATE" not in preview_markdown(a_preview())


def test_nothing_to_do_is_said() -> None:
    nothing = replace(a_preview(), changes=a_preview().doing(Operation.SAME), costs=(), drift=())

    assert "Nothing would be done." in preview_markdown(nothing)
    assert preview_rows(nothing) == []


def test_a_rule_that_stops_is_said_at_the_top_and_first_in_its_list() -> None:
    page = preview_markdown(a_preview())

    assert "**Not to be applied**: a rule is broken (`stateful-kept`)." in page.split("## Res")[0]
    assert page.index("**stops** `stateful-kept`") < page.index("advice `tags`")


def test_secrets_are_shown_nowhere_also_those_that_nobody_marked() -> None:
    every = [
        preview_markdown(a_preview()),
        comment_markdown(a_preview()),
        preview_json(a_preview()),
        str(preview_rows(a_preview())),
    ]

    assert not any("hunter2" in text for text in every)
    assert json.loads(every[2])["resources"][2]["inputs"]["environment"] == {
        "variables": {"DB_PASSWORD": SECRET, "MODE": "live"}
    }


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("environment.variables.DB_PASSWORD", "x", SECRET),
        ('environment["API_KEY"]', "x", SECRET),
        ("userData", "IyEvYmlu", SECRET),
        ("sessionToken", "x", SECRET),
        ("masterPassword", None, None),
        ("metadataOptions.httpTokens", "required", "required"),
        ("keyName", "ops", "ops"),
        ("kmsKeyId", "arn", "arn"),
        (
            "env",
            ({"name": "SECRET_WORD", "value": "x"},),
            ({"name": "SECRET_WORD", "value": SECRET},),
        ),
    ],
)
def test_a_name_says_what_is_secret(path: str, value: Value, shown: Value) -> None:
    assert masked(value, path=path) == shown


def test_long_values_lose_their_middle() -> None:
    assert shorten("a" * 50 + "b" * 50, most=11) == "aaaaa…bbbbb"
    assert shorten("abc", most=3) == "abc"
    assert len(code("x" * 5000)) == 82


def test_what_cannot_be_seen_is_written_out() -> None:
    assert code("a\u202eb\nc\x1b[31m\u200b") == "`a\\u202eb⏎c\\u001b[31m\\u200b`"
    assert code("") == code("  ") == "(empty)"


def test_values_are_json_and_texts_themselves() -> None:
    assert value_text(("a", 1, True, None)) == '["a",1,true,null]'
    assert value_text({"b": 1.5, "a": float("nan")}) == '{"a": "nan","b": 1.5}'
    assert value_text("a") == "a"


def test_json_is_the_same_whatever_the_order() -> None:
    known = a_preview()
    turned = replace(
        known, changes=known.changes[::-1], costs=known.costs[::-1], findings=known.findings[::-1]
    )

    assert preview_json(turned) == preview_json(known)
    assert json.loads(preview_json(known))["operations"]["delete"] == 1


def test_json_takes_numbers_that_json_does_not_have() -> None:
    odd = PropertyDiff(path="size", before=float("inf"), after=float("nan"))
    line = a_line("api", INSTANCE, Operation.UPDATE, odd)

    document = json.loads(preview_json(replace(a_preview(), changes=(line,))))

    assert document["resources"][0]["diffs"][0]["before"] == "inf"


def test_rows_put_the_worst_first_and_count_what_has_no_room() -> None:
    line = a_preview().changes[0]
    many = tuple(replace(line, name=f"n{number:03}") for number in range(250))

    every = preview_rows(replace(a_preview(), changes=many))

    assert [row["operation"] for row in preview_rows(a_preview())][:2] == ["DELETE", "REPLACE"]
    assert len(every) == 201
    assert every[-1]["resource"] == "50 more"


def test_a_comment_always_fits_and_begins_with_its_marker() -> None:
    line, change = a_preview().changes[0], a_change()
    diffs = tuple(
        PropertyDiff(path=f"tags.{number}", before="\U0001f600" * 300, after="x" * 300)
        for number in range(20)
    )
    many = tuple(replace(line, name=f"n{number:04}", diffs=diffs) for number in range(1000))
    findings = tuple(
        Finding(rule="tags", resource="r" * 300, message="m" * 4000, mandatory=True)
        for _ in range(1000)
    )
    huge = replace(
        a_preview(), changes=many, findings=findings, drift=many, notes=("n" * 9000,) * 500
    )

    text = comment_markdown(huge, changes=[change] * 1000)

    assert len(text.encode("utf-16-le")) // 2 < 65_536
    assert text.startswith(comment_marker("eu-savings") + "\n")
    assert "more: the JSON has all." in text


def test_the_marker_is_of_the_stack_and_cannot_be_left() -> None:
    assert comment_marker("eu-savings") == "<!-- homeostat-preview eu-savings -->"
    assert comment_marker("a") != comment_marker("b")
    assert "-->" not in comment_marker("a --> <script>")[:-3]


def test_an_approval_message_says_what_who_until_when_and_where() -> None:
    message = approval_message(
        a_preview(),
        approval_hash="ef" * 32,
        demand="two signatures",
        expires_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        address="http://127.0.0.1:4200/runs/1",
    )

    assert message.subject == "Approval wanted: WARNING, stack eu-savings, change"
    assert "It saves $70 a month, 1 resources of unknown cost not counted." in message.body
    assert "WARNING: DELETE of old-logs" in message.body
    assert "two signatures, before 01 Mar 2026 12:00 UTC" in message.body
    assert "ef" * 32 in message.body
    assert message.body.endswith("http://127.0.0.1:4200/runs/1")


def test_a_failed_undo_says_what_is_left_and_what_to_do() -> None:
    message = failed_undo_message(stack="eu", why="throttled", left=["checkout"])

    assert message.subject.startswith("Homeostat needs you: stack eu, an undo failed")
    assert "1. Look at checkout." in message.body
    assert "Why: throttled" in message.body


hostile = st.text(max_size=60) | st.lists(
    st.sampled_from(
        [
            "|", "`", "``", "\\", "\n", "\r\n", "<b>", "</details>", "-->", "<!--", "[a](b)", "![i](http://x)",
            "http://evil.example", "www.evil.example", "@everyone", "a@b.example", "#12", "&lt;", "&#64;",
            "\u202e", "\u2028", "\ud800", " ", "    ", "# ", "- ", "1. ", "> ", "---", "===", "***", "~~~",
            "```", "<http://x>", "[x]: http://y", "javascript:", "mailto:a@b", "$x$", "{{a}}", "\t", "<br>",
        ]
    ),
    max_size=8,
).map("".join)  # fmt: skip


def with_texts(text: str) -> tuple[Preview, Change]:
    """Return a preview with a text in every place that the account or a person decides."""
    diff = PropertyDiff(path=text, before=text, after=(text, {text: text}), replaces=True)
    inputs: dict[str, Value] = {text: text, "size": 1}
    lines = (
        a_line(text, f"aws:{text}/x:{text}", Operation.REPLACE, diff, resource_id=text),
        a_line(text, text, Operation.CREATE, inputs=inputs),
        a_line(text, text, Operation.IMPORT, resource_id=text),
        a_line(text, INSTANCE, Operation.DELETE, resource_id=text),
    )
    finding = Finding(rule=text, resource=text, message=text, mandatory=True)
    cost = CostDelta(name=text, before_usd=None, after_usd=1.0, basis=text)
    preview = replace(
        a_preview(),
        stack=text,
        region=text,
        engine=text,
        state_serial=text,
        program_sha256=text,
        changes=lines,
        drift=lines,
        costs=(cost,),
        findings=(finding,),
        notes=(text,),
    )
    change = replace(
        a_change(), change_id=text, resource=text, summary=text, owner=text, reason=text
    )
    return preview, change


@given(text=hostile)
def test_no_name_makes_a_link_a_tag_a_mention_or_another_row(text: str) -> None:
    preview, change = with_texts(text)
    plain_page, _ = with_texts("word")
    bars = split_rows(comment_markdown(plain_page, changes=[a_change()]))

    for page in (
        preview_markdown(preview, changes=[change]),
        comment_markdown(preview, changes=[change]),
    ):
        assert_only_words(page, columns={2, 6})
        assert split_rows(page) == bars


@given(text=hostile)
def test_no_name_leaves_the_document_of_json_or_the_row_of_a_table(text: str) -> None:
    preview, _ = with_texts(text)

    assert json.loads(preview_json(preview))["stack"] == text
    assert preview_json(preview).isascii()
    for row in preview_rows(preview):
        assert not re.search(r"[\n\r\u202e]|://|@\w|\]\(", str(list(row.values())))


@given(text=hostile)
def test_no_name_makes_a_line_a_tag_or_a_mention_in_a_message(text: str) -> None:
    message = escalation_message(
        stack=text, happened=text, why=text, next_steps=[text], address="http://here/1"
    )

    assert len(message.body.splitlines()) == 4
    assert len(message.subject.splitlines()) == 1
    assert not re.search(r"[<>]|@\w", message.subject + message.body)
    assert message.body.count("://") == 1


@given(text=hostile)
def test_prose_and_plain_text_are_one_line_of_words(text: str) -> None:
    for shown in (prose(text), plain(text)):
        assert "\n" not in shown
    assert_only_words(f"- {prose(text)}", columns=set())
    assert [token.type for token in READER.parse(f"- {prose(text)}")].count("list_item_open") == 1
