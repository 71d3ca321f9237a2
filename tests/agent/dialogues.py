"""Conversations with the scripted speaker, written down as one would like to have them.

A turn is (what the participant does, what the answer says, what it waits for):

    does    words, or a stage direction in brackets
    says    fragments in their order, `…` between them
    waits   `field size`, `confirm size`, `offer company`, `stop size`, `nothing`, or `end agent`
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from tests.agent.talk import Talk, remembered, template

COMPANY = {"name": "company", "type": "string", "description": "What is the name of your company?"}
SIZE = {"name": "team_size", "type": "integer", "description": "How many people work there?", "minimum": 1}
EMAIL = {"name": "email", "type": "string", "format": "email", "description": "Your e-mail address"}
PLAN = {"name": "plan", "type": "string", "enum": ["starter", "team", "business"], "description": "Which plan?"}
START = {"name": "start_date", "type": "string", "format": "date", "description": "Start date"}
NEWS = {"name": "newsletter", "type": "boolean", "description": "Do you want our newsletter?"}
TOOLS = {"name": "tools", "type": "array", "items": {"type": "string"}, "description": "Tools you use"}
WISH = {"name": "wish", "type": "string", "description": "What would you like to achieve? Two sentences are plenty."}
BUDGET = {"name": "budget", "type": "number", "description": "Monthly budget"}

STAGE: dict[str, Callable[[Talk], str]] = {
    "(comes)": lambda talk: talk.join(),
    "(comes back after an hour)": lambda talk: talk.join(after=timedelta(hours=1)),
    "(comes back after three days)": lambda talk: talk.join(after=timedelta(days=3)),
    "(says nothing for a while)": lambda talk: talk.answer(silence=True),
    "(has no time left)": lambda talk: talk.answer(time_is_up=True),
}


class Script(NamedTuple):
    """A conversation: with whom about what, its turns, and the data in the end."""

    talk: Talk
    turns: list[tuple[str, str, str]]
    data: dict[str, Any]


def play(script: Script) -> list[tuple[str, str]]:
    """Play it; returns each answer with what it waits for."""
    talk, answers = script.talk, []
    for does, _, _ in script.turns:
        text = STAGE[does](talk) if does in STAGE else talk.say(does)
        answers.append((text, waits(talk)))
    return answers


def waits(talk: Talk) -> str:
    """What the last answer waits for, in the words of a script."""
    if talk.state.ended_by:
        return f"end {talk.state.ended_by}"
    if talk.asked is None:
        return "nothing"
    return f"{talk.asked.kind} {talk.asked.field}".strip()


def told(*answers: str, fields: tuple[dict[str, Any], ...]) -> Talk:
    """A conversation of last week in which these answers were given."""
    talk = Talk(template(*fields), name="Ada")
    talk.join()
    talk.say(*answers)
    return talk


def returner(*fields: dict[str, Any], last: tuple[str, ...], **settings: Any) -> Talk:
    """Ada, nine days later, with the memory of what she answered to the same questions."""
    past = told(*last, fields=fields)
    return Talk(template(*fields, **settings), name="Ada", memory=remembered(past), now=past.now + timedelta(days=9))


def stranger(*fields: dict[str, Any], **settings: Any) -> Talk:
    """Somebody of whom nothing is known."""
    return Talk(template(*fields, **settings), external_id=None)


def of_goal(goal: dict[str, Any], *fields: dict[str, Any], required: int | None = None) -> Talk:
    """Somebody who talks about one goal, the first `required` of whose fields (by itself all) have to stand."""
    raw = template(*fields)
    schema = raw["goals"][0]["schema"]
    schema["required"] = schema["required"][:required]
    raw["goals"] = [{"id": "g1", **({"schema": schema} if fields else {}), **goal}]
    return Talk(raw)


def optional(*fields: dict[str, Any]) -> Talk:
    """A template that insists on nothing."""
    return Talk(template(*fields, required=False))


SCRIPTS: dict[str, Script] = {
    "the main job": Script(
        stranger(COMPANY, SIZE, EMAIL, PLAN, START),
        [
            ("(comes)", "Hello! … few short questions … What is the name of your company?", "field company"),
            ("Acme", "Acme … How many people work there?", "field team_size"),
            ("twenty-five", "25 … What is your e-mail address?", "field email"),
            ("ada at example dot com", "ada@example.com … Which plan? … starter, team or business", "field plan"),
            ("the team plan", "team … What is your start date?", "field start_date"),
            (
                "next Tuesday",
                "Tuesday, 17 March 2026 … all I wanted to ask … This is what I have: … Company: Acme",
                "end agent",
            ),
        ],
        {
            "company": "Acme",
            "team_size": 25,
            "email": "ada@example.com",
            "plan": "team",
            "start_date": "2026-03-17",
        },
    ),
    "a free string takes the whole message, whatever else stands in it": Script(
        stranger(COMPANY, SIZE, EMAIL),
        [
            ("(comes)", "company?", "field company"),
            ("Acme, 12 people, ada@example.com", "How many people work there?", "field team_size"),
        ],
        {"company": "Acme, 12 people, ada@example.com"},
    ),
    "a free string takes a yes and a no": Script(
        stranger(COMPANY, WISH),
        [("(comes)", "company?", "field company"), ("yes", "yes", "field wish"), ("no", "no", "end agent")],
        {"company": "yes", "wish": "no"},
    ),
    "several fields in one sentence, where an exact one was asked": Script(
        stranger(SIZE, EMAIL, START),
        [
            ("(comes)", "How many people", "field team_size"),
            (
                "12 people, and it's ada@example.com",
                "12 … e-mail address ada@example.com … start date?",
                "field start_date",
            ),
        ],
        {"team_size": 12, "email": "ada@example.com"},
    ),
    "another field's answer first": Script(
        stranger(SIZE, EMAIL),
        [
            ("(comes)", "How many people", "field team_size"),
            ("ada@example.com", "e-mail address ada@example.com … How many people", "field team_size"),
            ("3", "3", "end agent"),
        ],
        {"email": "ada@example.com", "team_size": 3},
    ),
    "a misspelt choice is confirmed": Script(
        stranger(PLAN, SIZE),
        [
            ("(comes)", "Which plan?", "field plan"),
            ("buisness", "business?", "confirm plan"),
            ("yes", "business", "field team_size"),
        ],
        {"plan": "business"},
    ),
    "a wrong guess is put right": Script(
        stranger(PLAN, SIZE),
        [
            ("(comes)", "Which plan?", "field plan"),
            ("buisness", "business?", "confirm plan"),
            ("no", "Which plan?", "field plan"),
            ("buisness", "business?", "confirm plan"),
            ("no, starter", "starter", "field team_size"),
        ],
        {"plan": "starter"},
    ),
    "an answer with a question mark is confirmed": Script(
        stranger(SIZE, EMAIL),
        [
            ("(comes)", "How many people", "field team_size"),
            ("25, maybe?", "25?", "confirm team_size"),
            ("yes", "25", "field email"),
        ],
        {"team_size": 25},
    ),
    "what is not understood is asked in other words, and then the way round is told": Script(
        stranger(SIZE, WISH),
        [
            ("(comes)", "How many people", "field team_size"),
            ("many", "whole number … how many people work there?", "field team_size"),
            ("rather many", "whole number … how many people work there? … skip", "field team_size"),
            ("more than I can count", "how many people work there? … “", "field team_size"),
            ("7", "7", "field wish"),
        ],
        {"team_size": 7},
    ),
    "too little is said so": Script(
        stranger(SIZE),
        [("(comes)", "How many", "field team_size"), ("0", "at least 1 … how many", "field team_size")],
        {},
    ),
    "hesitation is waited for": Script(
        stranger(COMPANY, SIZE, WISH),
        [
            ("(comes)", "company?", "field company"),
            ("hm, let me think", "", "field company"),
            ("Acme", "Acme", "field team_size"),
            ("one moment please", "", "field team_size"),
            ("4", "4", "field wish"),
        ],
        {"company": "Acme", "team_size": 4},
    ),
    "a refusal leaves the field open and goes on": Script(
        stranger(COMPANY, SIZE),
        [
            ("(comes)", "company?", "field company"),
            ("I'd rather not say", "open … How many people", "field team_size"),
            ("5", "Still open: company.", "end agent"),
        ],
        {"team_size": 5},
    ),
    "skip": Script(
        optional(COMPANY, SIZE),
        [
            ("(comes)", "company?", "field company"),
            ("skip", "How many people", "field team_size"),
            ("skip", "", "end agent"),
        ],
        {},
    ),
    "going back replaces the answer before": Script(
        stranger(COMPANY, SIZE, WISH),
        [
            ("(comes)", "company?", "field company"),
            ("go back", "at the beginning … company?", "field company"),
            ("Acme", "Acme", "field team_size"),
            ("go back", "back … What is the name of your company?", "field company"),
            ("Babbage & Sons", "Babbage & Sons … How many", "field team_size"),
            ("back", "company?", "field company"),
            ("skip", "it stays at Babbage & Sons … How many", "field team_size"),
        ],
        {"company": "Babbage & Sons"},
    ),
    "change my company to X, at any time": Script(
        stranger(COMPANY, SIZE, WISH),
        [
            ("(comes)", "company?", "field company"),
            ("Acme", "Acme", "field team_size"),
            ("change my company to Babbage & Sons", "your company is now Babbage & Sons … How many", "field team_size"),
            ("actually, my company is Acme", "company is now Acme … How many", "field team_size"),
            ("change my company to Acme", "what I have already … How many", "field team_size"),
            ("change my company", "your company … ?", "field company"),
            ("Difference Engines", "Difference Engines … How many", "field team_size"),
            ("6", "6", "field wish"),
            ("change it to seven", "team size is now 7 … achieve?", "field wish"),
            ("change my team size to many", "whole number … how many people", "field team_size"),
            ("8", "8 … achieve?", "field wish"),
        ],
        {"company": "Difference Engines", "team_size": 8},
    ),
    "a change that could mean several": Script(
        stranger({"name": "home_phone", "type": "string"}, {"name": "office_phone", "type": "string"}, WISH),
        [
            ("(comes)", "What is your home phone?", "field home_phone"),
            ("change my phone to 5", "which answer you mean … home phone", "field home_phone"),
        ],
        {},
    ),
    "stopping is asked about first": Script(
        Talk(template(COMPANY, SIZE), name="Ada"),
        [
            ("(comes)", "Hi Ada!", "field company"),
            ("stop", "stop here?", "stop company"),
            ("no", "go on … company?", "field company"),
            ("stop", "stop here?", "stop company"),
            ("Acme", "Acme", "field team_size"),
            ("I have to go", "stop here?", "stop team_size"),
            ("yes", "Thank you for your time, Ada", "end participant"),
        ],
        {"company": "Acme"},
    ),
    "stop, said twice": Script(
        stranger(COMPANY),
        [
            ("(comes)", "company?", "field company"),
            ("stop", "stop", "stop company"),
            ("stop", "time", "end participant"),
        ],
        {},
    ),
    "repeat, start over, nothing to answer": Script(
        stranger(COMPANY, SIZE),
        [
            ("(comes)", "company?", "field company"),
            ("say that again", "What is the name of your company?", "field company"),
            ("start over", "you can change any answer … What is the name of your company?", "field company"),
        ],
        {},
    ),
    "questions back": Script(
        stranger(WISH, PLAN, SIZE),
        [
            ("(comes)", "achieve? Two sentences are plenty.", "field wish"),
            ("why do you need this?", "g1 … Two sentences are plenty … skip … achieve?", "field wish"),
            ("what can I say?", "Two sentences are plenty … own words … achieve?", "field wish"),
            ("are you a robot?", "automated assistant, not a person … achieve?", "field wish"),
            ("what is the weather in Rome?", "my own questions … achieve?", "field wish"),
            ("More light", "More light … Which plan?", "field plan"),
            ("what are my options?", "starter, team or business", "field plan"),
            ("the first", "starter", "field team_size"),
            ("can you explain that?", "whole number … How many", "field team_size"),
        ],
        {"wish": "More light", "plan": "starter"},
    ),
    "why an optional field is asked": Script(
        optional(NEWS, BUDGET, TOOLS, START, EMAIL),
        [
            ("(comes)", "newsletter?", "field newsletter"),
            ("why?", "optional … newsletter?", "field newsletter"),
            ("what do you mean?", "A yes or a no … newsletter?", "field newsletter"),
            ("no thanks", "no … What is your monthly budget?", "field budget"),
            ("what can I say?", "A number", "field budget"),
            ("about $1,200", "1,200 … What are the tools you use?", "field tools"),
            ("what can I say?", "commas", "field tools"),
            ("Slack and Jira", "Slack and Jira … start date?", "field start_date"),
            ("what can I say?", "Any day", "field start_date"),
            ("tomorrow", "Thursday, 12 March 2026 … e-mail address?", "field email"),
            ("what can I say?", "name@example.com", "field email"),
            ("I don't have one", "", "end agent"),
        ],
        {"newsletter": False, "budget": 1200, "tools": ["Slack", "Jira"], "start_date": "2026-03-12"},
    ),
    "what can be said to the rarer fields": Script(
        optional(
            {"name": "call_at", "type": "string", "format": "time"},
            {"name": "meeting", "type": "string", "format": "date-time"},
            {"name": "phone", "type": "string", "format": "phone"},
            {"name": "website", "type": "string", "format": "uri"},
            {"name": "letter", "type": "string", "enum": list("abcdefghijk")},
        ),
        [
            ("(comes)", "What is your call at?", "field call_at"),
            ("what can I say?", "half past nine", "field call_at"),
            ("half past nine", "09:30", "field meeting"),
            ("what can I say?", "A day and a time", "field meeting"),
            ("tomorrow at 3pm", "Thursday, 12 March 2026 at 15:00", "field phone"),
            ("what can I say?", "country code", "field phone"),
            ("skip", "", "field website"),
            ("what can I say?", "web address", "field website"),
            ("example.com", "https://example.com … For example a, b, c or d", "field letter"),
        ],
        {"call_at": "09:30", "meeting": "2026-03-12T15:00:00Z", "website": "https://example.com"},
    ),
    "what did I tell you about": Script(
        stranger(WISH, COMPANY, SIZE),
        [
            ("(comes)", "achieve?", "field wish"),
            ("Fewer broken brass gears in the workshop", "", "field company"),
            ("Acme", "Acme", "field team_size"),
            (
                "what did I tell you about gears?",
                "“Fewer broken brass gears in the workshop” … How many",
                "field team_size",
            ),
            ("what did I tell you about my company?", "your company is Acme … How many", "field team_size"),
            ("what do you know about me?", "your wish is “Fewer … your company is Acme. … How many", "field team_size"),
            ("what did I tell you about lunch?", "nothing about “lunch” … How many", "field team_size"),
        ],
        {"wish": "Fewer broken brass gears in the workshop", "company": "Acme"},
    ),
    "coming back into an open conversation": Script(
        Talk(template(COMPANY, SIZE, embedded={"resumption": True}), name="Ada"),
        [
            ("(comes)", "Hi Ada!", "field company"),
            ("(comes back after an hour)", "Welcome back, Ada. … where we left off … company?", "field company"),
            ("Acme", "Acme", "field team_size"),
            ("(comes back after three days)", "Welcome back, Ada. … 3 days … How many people", "field team_size"),
            ("9", "9", "end agent"),
        ],
        {"company": "Acme", "team_size": 9},
    ),
    "silence is broken once, gently": Script(
        stranger(COMPANY),
        [
            ("(comes)", "company?", "field company"),
            ("(says nothing for a while)", "still here … What is the name of your company?", "field company"),
            ("Acme", "Acme", "end agent"),
        ],
        {"company": "Acme"},
    ),
    "time is up, and one may come back": Script(
        Talk(template(COMPANY, SIZE, embedded={"resumption": {"enabled": True, "window_hours": 72}}), name="Ada"),
        [
            ("(comes)", "company?", "field company"),
            ("(has no time left)", "time is up for today, Ada. Come back within 3 days", "nothing"),
            ("skip", "nothing to skip right now. … company?", "field company"),
            ("(has no time left)", "Come back", "nothing"),
            ("(comes back after an hour)", "Welcome back, Ada. … company?", "field company"),
        ],
        {},
    ),
    "time is up for good": Script(
        stranger(COMPANY),
        [("(comes)", "company?", "field company"), ("(has no time left)", "Thank you for talking to me", "end time")],
        {},
    ),
    "time is up for somebody whom nobody could recognise": Script(
        stranger(COMPANY, embedded={"resumption": True}),
        [("(comes)", "company?", "field company"), ("(has no time left)", "time is up", "end time")],
        {},
    ),
    "what is remembered is offered": Script(
        returner(COMPANY, SIZE, NEWS, WISH, last=("Acme", "12", "yes", "Fewer broken brass gears in the workshop")),
        [
            (
                "(comes)",
                "Welcome back, Ada. … you told me: “Fewer broken brass gears in the workshop”. … "
                "Last time you said your company is Acme. Is that still right?",
                "offer company",
            ),
            ("yes", "Last time you said your team size is 12", "offer team_size"),
            ("no", "How many people work there?", "field team_size"),
            ("14", "14 … “yes” to this: Do you want our newsletter?", "offer newsletter"),
            ("hm, let me think", "", "offer newsletter"),
            ("not any more, that changed", "newsletter?", "field newsletter"),
            ("no", "no … about your wish: “Fewer broken brass gears in the workshop”", "offer wish"),
            ("yes, that's still right", "all I wanted to ask", "end agent"),
        ],
        {"company": "Acme", "team_size": 14, "newsletter": False, "wish": "Fewer broken brass gears in the workshop"},
    ),
    "an offer is answered with something new": Script(
        returner(COMPANY, SIZE, EMAIL, last=("Acme", "12", "ada@example.com")),
        [
            ("(comes)", "Welcome back, Ada.", "offer company"),
            ("Babbage & Sons", "Babbage & Sons", "offer team_size"),
            ("no, it's 15 now", "15", "offer email"),
            ("skip", "open", "end agent"),
        ],
        {"company": "Babbage & Sons", "team_size": 15},
    ),
    "a new name behind a no": Script(
        returner(COMPANY, last=("Acme",)),
        [
            ("(comes)", "company is Acme", "offer company"),
            ("No, it's called Babbage & Sons", "Babbage & Sons", "end agent"),
        ],
        {"company": "Babbage & Sons"},
    ),
    "what is remembered is taken over": Script(
        returner(COMPANY, SIZE, last=("Acme", "I don't know"), carry_forward="prefill"),
        [
            ("(comes)", "kept this from before: company Acme. … How many people", "field team_size"),
            ("what did I tell you about my company?", "your company is Acme", "field team_size"),
            ("3", "3", "end agent"),
        ],
        {"company": "Acme", "team_size": 3},
    ),
    "everything is taken over": Script(
        returner(COMPANY, SIZE, last=("Acme", "12"), carry_forward="prefill"),
        [
            ("(comes)", "company Acme, team size 12 … all I wanted to know … still right?", "stop"),
            ("no", "What has changed?", "stop"),
            ("change my team size to 13", "team size is now 13 … still right?", "stop"),
            ("yes", "all I wanted to ask … Team size: 13", "end agent"),
        ],
        {"company": "Acme", "team_size": 13},
    ),
    "nothing is carried forward, but it may be quoted": Script(
        returner(COMPANY, SIZE, last=("Acme", "12"), carry_forward="off"),
        [
            (
                "(comes)",
                "Welcome back, Ada. Last time you told me that your company is Acme. … company?",
                "field company",
            ),
            (
                "what did I tell you about my company?",
                "On 11 March you told me that your company is Acme",
                "field company",
            ),
        ],
        {},
    ),
    "the customer's own words for a returner": Script(
        returner(COMPANY, last=("Acme",), returning_greeting="Nice that you are here."),
        [("(comes)", "Hi Ada! Nice that you are here.", "offer company")],
        {},
    ),
    "a returner without a name": Script(
        Talk(template(COMPANY), memory=remembered(told("Acme", fields=(COMPANY,)))),
        [("(comes)", "Welcome back! … company is Acme", "offer company")],
        {},
    ),
    "a returner's greeting that greets": Script(
        returner(COMPANY, last=("Acme",), returning_greeting="Hello again!"),
        [("(comes)", "Hello again! Good to see you again, Ada.", "offer company")],
        {},
    ),
    "a greeting that greets": Script(
        Talk(template(COMPANY, greeting="Hello from Loom!"), name="Ada"),
        [("(comes)", "Hello from Loom! Nice to meet you, Ada. What is", "field company")],
        {},
    ),
    "nothing to ask and nothing to tell": Script(
        Talk(
            {
                "name": "Test",
                "goals": [
                    {"id": "talk", "type": "open", "prompt": "Find out what brings them here."},
                    {"id": "g1", "schema": {"properties": {"company": COMPANY}}},
                ],
            }
        ),
        [
            ("(comes)", "I'd like to find out what brings you here. Please tell me in your own words.", "field answer"),
            ("say that again", "Please tell me in your own words.", "field answer"),
            ("Curiosity, mostly", "company?", "field company"),
            ("Acme", "Acme", "end agent"),
        ],
        {"answer": "Curiosity, mostly", "company": "Acme"},
    ),
    "only something to tell": Script(
        Talk(
            {
                "name": "Test",
                "goals": [
                    {"id": "tour", "type": "walkthrough", "prompt": "These are your plants."},
                    {"id": "g1", "schema": {"properties": {"company": COMPANY}}},
                ],
            }
        ),
        [
            ("(comes)", "These are your plants.", "field"),
            ("say that again", "These are your plants.", "field"),
            ("Nice", "company?", "field company"),
        ],
        {},
    ),
    "more about an area": Script(
        of_goal({"type": "open", "prompt": "How was your day?", "probing_areas": ["the food", "Who was there?", "x"]}),
        [
            ("(comes)", "How was your day?", "field answer"),
            ("Good", "about the food", "probe"),
            ("hm?", "about the food", "probe"),
            ("Salty", "Who was there?", "probe"),
            ("no", "all I wanted to ask … Answer: Good; Salty", "end agent"),
        ],
        {"answer": "Good\nSalty"},
    ),
    "read out for a yes": Script(
        of_goal({"commit_policy": "human_confirm"}, COMPANY, SIZE),
        [
            ("(comes)", "company?", "field company"),
            ("Acme", "How many", "field team_size"),
            ("12", "read that back … Company: Acme … Team size: 12 … Is that right?", "propose"),
            ("let me think", "time", "propose"),
            ("green", "read that back", "propose"),
            ("no", "What should I change? … “change my company to …”", "propose"),
            ("No, it's 13 people", "13 … read that back … Team size: 13", "propose"),
            ("yes, exactly", "like that", "end agent"),
        ],
        {"company": "Acme", "team_size": 13},
    ),
    "not confirmed": Script(
        of_goal({"commit_policy": "human_confirm", "label": "Your company"}, COMPANY),
        [
            ("(comes)", "company?", "field company"),
            ("Acme", "Is that right?", "propose"),
            ("skip", "“Your company” stays open, since you have not said yes to it.", "end agent"),
        ],
        {"company": "Acme"},
    ),
    "what does not go together": Script(
        of_goal(
            {"label": "The plan", "invariants": [{"when": {"plan": "starter"}, "then": {"team_size": 1}}]}, PLAN, SIZE
        ),
        [
            ("(comes)", "Which plan?", "field plan"),
            ("starter", "How many", "field team_size"),
            ("7", "With these answers, the team size has to be 1. How many", "field team_size"),
            ("7", "“The plan” stays open, since its answers do not go together.", "end agent"),
        ],
        {"plan": "starter", "team_size": 7},
    ),
    "what is missing then": Script(
        of_goal({"invariants": [{"when": {"plan": "team"}, "then": {"email": "required"}}]}, PLAN, EMAIL, required=1),
        [
            ("(comes)", "Which plan?", "field plan"),
            ("team", "e-mail", "field email"),
            ("skip", "With these answers I also need the e-mail address.", "field email"),
            ("ada@example.com", "ada@example.com", "end agent"),
        ],
        {"plan": "team", "email": "ada@example.com"},
    ),
    "a rule in the customer's words": Script(
        of_goal(
            {"invariants": [{"when": {"plan": "team"}, "then": {"team_size": 5}, "message": "Teams are five."}]},
            PLAN,
            SIZE,
        ),
        [
            ("(comes)", "Which plan?", "field plan"),
            ("team", "How many", "field team_size"),
            ("3", "Teams are five. How many", "field team_size"),
            ("5", "5", "end agent"),
        ],
        {"plan": "team", "team_size": 5},
    ),
}
