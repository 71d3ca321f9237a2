"""Memory is a fold of earlier conversations: the newest value counts, every line says where it came from, and one
sentence is found among those of a thousand talks."""

from datetime import UTC, datetime, timedelta

from roxels.domain.conversation import Conversation, fold
from roxels.domain.events import (
    AnyEvent,
    ConversationOpened,
    Fact,
    FieldCaptured,
    MemoryForgotten,
    PersonSaid,
    SessionStarted,
)
from roxels.domain.memory import remember

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
COUNT = 1000


def talk(number: int, *events: AnyEvent, proof: str = "claimed") -> Conversation:
    """A conversation on the day of this number."""
    opened = ConversationOpened(template_id="tpl_1", template_version=1)
    started = SessionStarted(proof=proof, reason="new_person", method="external_id")
    at = SINCE + timedelta(days=number)
    return fold(
        Fact(seq=seq, at=at, session_id=f"s{number}", event=event)
        for seq, event in enumerate((opened, started, *events), 1)
    )


def captured(value: str, said_id: str, field: str = "company") -> FieldCaptured:
    """A value that was taken from somebody's words."""
    return FieldCaptured(goal_id="g1", field=field, value=value, said_id=said_id)


def test_the_third_talk_knows_what_the_second_corrected() -> None:
    first = talk(1, PersonSaid(id="a", text="We are Acme"), captured("Acme", "a"), captured("red", "a", "colour"))
    second = talk(2, PersonSaid(id="b", text="We are Babbage now"), captured("Babbage", "b"), proof="verified")
    memory = remember([("iv_1", first), ("iv_2", second)])
    newest = memory.value_of("company")
    assert newest is not None
    assert (newest.value, newest.conversation_id, newest.message_id, newest.proof) == (
        "Babbage", "iv_2", "b", "verified",
    )  # fmt: skip
    assert newest.at == SINCE + timedelta(days=2)
    older = memory.value_of("colour")
    assert older is not None
    assert (older.value, older.conversation_id, older.proof) == ("red", "iv_1", "claimed")
    assert len([fact for fact in memory.facts if fact.field == "company"]) == 1


def test_a_value_that_was_corrected_within_a_talk_cites_the_correction() -> None:
    said: list[AnyEvent] = [
        PersonSaid(id="a", text="Acme"),
        captured("Acme", "a"),
        PersonSaid(id="b", text="no, Babbage"),
    ]
    fact = remember([("iv_1", talk(1, *said, captured("Babbage", "b")))]).value_of("company")
    assert fact is not None
    assert (fact.value, fact.message_id, fact.seq) == ("Babbage", "b", 6)


def test_a_sentence_is_found_among_those_of_a_thousand_talks() -> None:
    planted = "Our greenhouse leaks whenever the wind comes from the north"

    def chatter(number: int) -> list[AnyEvent]:
        return [PersonSaid(id=f"m{number}.{n}", text=f"Sentence {n} of talk {number}, and no more") for n in range(5)]

    pasts = [(f"iv_{number}", talk(number, *chatter(number))) for number in range(COUNT)]
    pasts[371] = ("iv_371", talk(371, PersonSaid(id="here", text=planted)))
    [best, *_] = remember(pasts).recall("what did I say about the greenhouse and the wind?")
    assert (best.text, best.conversation_id, best.message_id) == (planted, "iv_371", "here")


def test_what_was_deleted_is_told_no_more_until_it_is_said_again() -> None:
    said: list[AnyEvent] = [PersonSaid(id="a", text="We are Acme"), captured("Acme", "a")]
    gone = talk(1, *said, MemoryForgotten(goal_id="g1", field="company"))
    assert remember([("iv_1", gone)]).value_of("company") is None
    again = talk(1, *said, MemoryForgotten(goal_id="g1", field="company"), captured("Acme", "a"))
    assert remember([("iv_1", again)]).value_of("company") is not None


def test_what_was_deleted_takes_what_it_replaced_along() -> None:
    first = talk(1, PersonSaid(id="a", text="We are Acme"), captured("Acme", "a"))
    for forgotten in (MemoryForgotten(goal_id="g1", field="company"), MemoryForgotten(said_id="b")):
        second = talk(2, PersonSaid(id="b", text="We are Babbage"), captured("Babbage", "b"), forgotten)
        assert remember([("iv_1", first), ("iv_2", second)]).value_of("company") is None
        third = talk(3, PersonSaid(id="c", text="We are Clement"), captured("Clement", "c"))
        known = remember([("iv_1", first), ("iv_2", second), ("iv_3", third)]).value_of("company")
        assert known is not None
        assert known.value == "Clement"
