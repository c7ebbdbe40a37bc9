from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nodes import EXAMPLES, NOW, VENLO, Town, a_town, example, lines_of, together
from trying import examples

from signal_exchange.domain.signals.drafts import without_sealed_parts
from signal_exchange.municipality.printing import result_line
from signal_exchange.municipality.publishing.field_warnings import tokens_pending
from signal_exchange.municipality.publishing.publisher import TRIES
from signal_exchange.municipality.publishing.recording import Recorder
from signal_exchange.municipality.publishing.submissions import Outcome
from signal_exchange.municipality.sending.outbox import OUTBOX, Outbox
from signal_exchange.municipality.store import SIGNALS
from signal_exchange.privacy.keeper_client import NoTokens, Reason
from signal_exchange.privacy.sealing import decode_tokens, unpad_summary
from signal_exchange.privacy.vault import Encrypted
from signal_exchange.reference.loading import load_example
from signal_exchange.runtime.faults import StoreUnavailableError

CARE_TEXT_OF = {
    "01_sexual": ("care", "table"),
    "02_labour": ("care", "table"),
    "03_criminal": ("care", "table"),
    "04_organ": ("care", "table"),
    "05_minor": ("youth",),
    "06_anonymous_tip": ("table",),
}


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


def sent_of(town: Town) -> list[dict[str, Any]]:
    town.relay().send_all()
    return town.broker.records()


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_leaves_as_the_published_example(name: str, tmp_path: Path) -> None:
    town = a_town(tmp_path, example(name)["municipality"])
    (result,) = town.publish(example(name))
    (sent,) = sent_of(town)
    wanted = without_sealed_parts(load_example(name, "published")["data"])
    own = {"signal_id": result.signal_id, "guard": sent["signal"]["guard"]}
    assert sent["signal"] == {**wanted, **own}
    assert sent["signal"]["guard"]["result"] == "PASS"


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_text_goes_to_the_groups_that_have_a_purpose_and_to_no_other(name: str, tmp_path: Path) -> None:
    town = a_town(tmp_path, example(name)["municipality"])
    town.publish(example(name))
    (sent,) = sent_of(town)
    assert [part["group"] for part in sent["sealed"]] == [*CARE_TEXT_OF[name], "linking"]
    bound = f"{sent['signal']['signal_id']}.1"
    for part in sent["sealed"][:-1]:
        assert unpad_summary(town.opened(part["group"], part, bound)) == example(name)["summary"]


def test_without_purposes_nobody_gets_the_text(town: Town) -> None:
    record = example()
    record["exchanges"] = [entry for entry in record["exchanges"] if entry["purpose"] in ("STATISTICS", "FEEDBACK")]
    town.publish(record)
    (sent,) = sent_of(town)
    assert sent["sealed"] == []


def test_a_minor_without_care_purpose_gives_the_youth_group_nothing(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    record = example("05_minor", municipality=VENLO)
    record["exchanges"] = [entry for entry in record["exchanges"] if entry["purpose"] != "CARE_REFERRAL"]
    town.publish(record)
    (sent,) = sent_of(town)
    assert [part["group"] for part in sent["sealed"]] == ["linking"]


def test_the_length_of_a_text_and_the_number_of_tokens_do_not_show(town: Town) -> None:
    bare = example(local_ref="A-2", summary=None, plates=[], places=[])
    town.publish(example(local_ref="A-1"), bare)
    first, second = (sent["sealed"] for sent in sent_of(town))
    assert [len(part["ciphertext"]) for part in first] == [len(part["ciphertext"]) for part in second]


def test_the_link_tokens_travel_sealed_and_the_keepers_are_asked_once_for_a_whole_chunk(town: Town) -> None:
    town.publish(*(example(local_ref=f"A-{number}") for number in range(5)))
    assert len(town.keepers.asked) == 1
    sent = sent_of(town)[0]
    tokens = decode_tokens(town.opened("linking", sent["sealed"][-1], f"{sent['signal']['signal_id']}.1"))
    assert {(token.carrier, token.type) for token in tokens} == {
        ("subject:s1", "NAME_DOB"),
        ("subject:s1", "NAME_DOB_SOFT"),
        ("subject:s1", "PHONE"),
        ("place:0", "ADDRESS_PC"),
        ("object:0", "PLATE"),
    }
    assert not sent["tokens_pending"]


def test_r_link_07_the_keepers_are_not_asked_for_what_stands_on_the_municipalitys_own_list(town: Town) -> None:
    town.barred = frozenset({("PLATE", "NL:GX123B"), ("ADDRESS_PC", "5999ZZ|12|A")})
    town.publish(example())
    assert {value.type for record in town.keepers.asked[0] for value in record} == {"NAME_DOB", "NAME_DOB_SOFT", "PHONE"}


def test_a_keeper_that_does_not_answer_holds_nothing_up(town: Town) -> None:
    town.keepers.refusal = NoTokens(Reason.TIMEOUT, "keeper-a")
    (result,) = town.publish(example())
    assert (result.outcome, result.warnings) == (Outcome.PUBLISHED, (tokens_pending(Reason.TIMEOUT),))
    (sent,) = sent_of(town)
    assert sent["tokens_pending"]
    assert decode_tokens(town.opened("linking", sent["sealed"][-1], f"{result.signal_id}.1")) == ()


def test_more_values_than_a_list_of_tokens_holds_are_cut_and_told(town: Town) -> None:
    (result,) = town.publish(example(plates=many_plates(40)))
    assert [(each.field, each.code) for each in result.warnings] == [
        (f"plates[{number}].plate", "TOKENS_CUT") for number in range(28, 40)
    ]
    (sent,) = sent_of(town)
    assert len(decode_tokens(town.opened("linking", sent["sealed"][-1], f"{result.signal_id}.1"))) == 32


def many_plates(count: int) -> list[dict[str, str]]:
    return [{"plate": f"WI {10_000 + number}", "country": "PL"} for number in range(count)]


def test_publishing_twice_publishes_nothing_twice(town: Town) -> None:
    first, second = town.publish(example()), town.publish(example())
    assert [each.outcome for each in (*first, *second)] == [Outcome.PUBLISHED, Outcome.UNCHANGED]
    assert first[0].signal_id == second[0].signal_id
    assert len(sent_of(town)) == 1
    assert len(town.keepers.asked) == 1, "for what did not change the keepers are not asked again"


def test_r_val_16_a_changed_record_is_the_next_version_and_names_what_it_supersedes(town: Town) -> None:
    (first,) = town.publish(example())
    (second,) = town.publish(example(estimated_victims=3))
    (third,) = town.publish(example(estimated_victims=4))
    assert [each.version for each in (first, second, third)] == [1, 2, 3]
    assert {each.signal_id for each in (first, second, third)} == {first.signal_id}
    assert [(each["signal"]["version"], each["signal"]["supersedes"]) for each in sent_of(town)] == [(1, None), (2, 1), (3, 2)]


def test_a_reference_that_stands_twice_in_one_file_is_judged_in_order(town: Town) -> None:
    results = town.publish(example(), example(), example(estimated_victims=3), example(local_ref="A-2"))
    assert [each.outcome for each in results] == [
        Outcome.PUBLISHED,
        Outcome.UNCHANGED,
        Outcome.REFUSED,
        Outcome.PUBLISHED,
    ]


def test_r_val_16_of_two_contents_under_one_reference_in_one_file_the_second_is_refused_with_both_rows(town: Town) -> None:
    other = example(subjects=[{**example()["subjects"][0], "family_name": "Anders"}])
    first, second = town.publish(example(), other)
    assert (first.outcome, second.outcome) == (Outcome.PUBLISHED, Outcome.REFUSED)
    assert [(each.field, each.rule, each.cause, each.row) for each in second.faults] == [("local_ref", "R-VAL-16", "DOUBLE", 1)]
    assert result_line(second) == (
        "regel 2: geweigerd: local_ref R-VAL-16 (dezelfde verwijzing staat met andere inhoud ook in regel 1)"
    )
    assert len(town.rows(OUTBOX)) == 1
    assert {each.outcome for each in town.publish(example(), other)} == {Outcome.UNCHANGED, Outcome.REFUSED}
    assert len(town.rows(OUTBOX)) == 1, "publishing the file again publishes nothing"


def test_r_val_16_a_reference_belongs_to_its_first_row_also_when_that_one_is_refused(town: Town) -> None:
    results = town.publish(example(urgency="SOON"), example())
    assert [each.outcome for each in results] == [Outcome.REFUSED, Outcome.REFUSED]


def test_r_val_16_a_change_that_nobody_confirmed_is_left_alone_and_its_fields_are_told(town: Town) -> None:
    town.publish(example())
    changed = example(urgency="REGULAR", subjects=[{**example()["subjects"][0], "family_name": "Anders"}])
    result, new = town.publish(changed, example(local_ref="A-2"), changes=False)
    assert result.asks
    assert [each.field for each in result.faults] == ["subjects[0].family_name", "subjects[1]", "urgency"]
    assert "Anders" not in result_line(result)
    assert new.outcome is Outcome.PUBLISHED
    assert [row["version"] for row in town.rows(SIGNALS)] == [1, 1]
    (meant,) = town.publish(changed)
    assert (meant.outcome, meant.version) == (Outcome.NEW_VERSION, 2)


def test_a_record_that_was_withdrawn_asks_nothing_more_when_it_is_published_again(town: Town) -> None:
    (first,) = town.publish(example())
    town.actions.withdraw(str(first.signal_id), "MISTAKE")
    (again,) = town.publish(example(urgency="REGULAR"), changes=False, again=True)
    assert (again.outcome, again.version) == (Outcome.NEW_VERSION, 3)


def test_absent_null_and_empty_are_the_same_content(town: Town) -> None:
    town.publish(example())
    record = example(accounts=None) | {"narrative": example()["narrative"]}
    del record["companies"], record["accounts"]
    (again,) = town.publish(record)
    assert again.outcome is Outcome.UNCHANGED


def test_own_ref_is_the_keyed_hash_under_which_the_vault_finds_the_reference(town: Town) -> None:
    town.publish(example())
    (sent,) = sent_of(town)
    assert sent["own_ref"] == town.node.vault_key.mac("VEN-2026-0311")
    assert town.rows(SIGNALS)[0]["reference_mac"] == sent["own_ref"]


def test_the_vault_keeps_the_last_record_and_only_encrypted(town: Town) -> None:
    town.publish(example())
    town.publish(example(estimated_victims=3))
    (row,) = town.rows(SIGNALS)
    opened = town.node.vault_key.decrypt(row["signal_id"], Encrypted(row["wrapped_key"], row["ciphertext"]))
    assert json.loads(opened) == example(estimated_victims=3)
    assert b"Testescu" not in row["ciphertext"]


def test_two_processes_that_publish_one_file_at_the_same_time_publish_it_once(town: Town) -> None:
    records = [example(local_ref=f"A-{number}") for number in range(40)]
    results = together(*(lambda: town.publish(*records, chunk_records=7) for _ in range(3)))
    outcomes = [each.outcome for found in results for each in found]  # type: ignore[attr-defined]  # what publish gives
    assert outcomes.count(Outcome.PUBLISHED) == 40
    assert outcomes.count(Outcome.UNCHANGED) == 80
    assert len(town.rows(SIGNALS)) == len(town.rows(OUTBOX)) == 40


def test_a_record_that_another_process_changes_without_end_is_not_published_and_nothing_holds(town: Town) -> None:
    class Contended(Recorder):
        tries = 0

        def keep(self, *_: object) -> Any:
            Contended.tries += 1
            return []

    publisher = town.publisher()
    contended = replace(publisher, recorder=Contended(town.node.database, town.node.vault_key))
    with pytest.raises(StoreUnavailableError):
        list(contended.publish(lines_of(example())))
    assert Contended.tries == TRIES


def test_a_version_that_was_kept_meanwhile_is_judged_again(town: Town) -> None:
    town.publish(example())

    class Overtaken(Recorder):
        done = False

        def keep(self, cases: Any, at: Any) -> Any:
            if not Overtaken.done:
                Overtaken.done = True
                town.publish(example(estimated_victims=8))
            return super().keep(cases, at)

    overtaken = replace(town.publisher(), recorder=Overtaken(town.node.database, town.node.vault_key))
    (result,) = overtaken.publish(lines_of(example(estimated_victims=9)))
    assert (result.outcome, result.version) == (Outcome.NEW_VERSION, 3)
    assert [row["version"] for row in town.rows(OUTBOX)] == [1, 2, 3]


def test_a_store_that_fails_leaves_nothing_of_the_chunk_in_hand(town: Town) -> None:
    class Failing(Recorder):
        kept = 0

        def keep(self, cases: Any, at: Any) -> Any:
            Failing.kept += 1
            if Failing.kept == 2:
                raise StoreUnavailableError("full")
            return super().keep(cases, at)

    failing = replace(town.publisher(chunk_records=2), recorder=Failing(town.node.database, town.node.vault_key))
    with pytest.raises(StoreUnavailableError):
        list(failing.publish(lines_of(*(example(local_ref=f"A-{number}") for number in range(5)))))
    assert len(town.rows(SIGNALS)) == len(town.rows(OUTBOX)) == 2


def test_a_transaction_that_breaks_off_keeps_neither_the_record_nor_what_leaves(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreUnavailableError("full")

    monkeypatch.setattr(Outbox, "add", full)
    with pytest.raises(StoreUnavailableError):
        town.publish(example())
    assert town.rows(SIGNALS) == []


@pytest.mark.parametrize(
    ("length", "told"), [(200, []), (201, [("local_ref", "R-VAL-15")]), (70_000, [("local_ref", "R-VAL-15")])]
)
def test_a_reference_is_not_longer_than_it_need_be(town: Town, length: int, told: list[tuple[str, str]]) -> None:
    (result,) = town.publish(example(local_ref="A" * length))
    assert [(each.field, each.rule) for each in result.faults] == told


def test_a_long_narrative_stays_at_home_whatever_its_length(town: Town) -> None:
    (result,) = town.publish(example(narrative="a" * 150_000))
    assert result.outcome is Outcome.PUBLISHED


def test_r_val_15_a_record_that_does_not_fit_a_message_is_refused(town: Town) -> None:
    (result,) = town.publish(example(indicators=["DEP_DEBT"] * 9000))
    assert [(each.field, each.rule) for each in result.faults] == [("record", "R-VAL-15")]
    assert town.rows(SIGNALS) == []


@pytest.mark.parametrize("count", [-1, 1001, 10**30])
def test_r_val_24_a_count_that_cannot_be_is_refused_with_its_window(town: Town, count: int) -> None:
    (result,) = town.publish(example(estimated_victims=count))
    assert [(each.field, each.rule, each.words) for each in result.faults] == [
        ("estimated_victims", "R-VAL-24", "van 0 t/m 1000")
    ]
    assert result.faults[0].to_mapping()["words"] == "van 0 t/m 1000"
    assert "estimated_victims R-VAL-24 (kan niet: van 0 t/m 1000)" in result_line(result)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(sorted(example())),
)
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_stands_in_a_field_it_is_published_or_refused_and_never_raised(town: Town, value: object, name: str) -> None:
    (result,) = town.publish({**example(), name: value})
    assert bool(result.faults) == (result.outcome is Outcome.REFUSED)


def test_what_is_judged_by_day_is_judged_by_the_amsterdam_day(town: Town) -> None:
    town.clock.now = NOW.replace(hour=23, minute=30)
    (result,) = town.publish(example(consent={"status": "GIVEN", "given_by": "SELF", "recorded_on": "2026-11-23"}))
    assert result.outcome is Outcome.PUBLISHED
