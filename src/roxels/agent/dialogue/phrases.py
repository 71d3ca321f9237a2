"""The table of sentences, one book per language: everything that the scripted speaker says of its own.

Each entry is a tuple of variants; the turn's number picks one, so that the same conversation always reads the same and
no two answers in a row sound alike. `{name}` stands for a value. Rules for a sentence: short, calm, true. It never
claims that something was sent, booked or saved elsewhere.

To add a language: write one more `Book` and add it to `BOOKS`; type checking names what is missing.
"""

import msgspec

Variants = tuple[str, ...]


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """All sentences of one language."""

    # Greeting
    hello: Variants
    hello_name: Variants
    nice_to_meet: Variants
    begin: Variants
    welcome_back: Variants
    welcome_back_name: Variants
    good_to_see: Variants
    going_on: Variants
    away: Variants
    quote_last: Variants
    told_last: Variants
    prefilled: Variants
    all_prefilled: Variants

    # Asking
    aim: Variants
    choose: Variants
    choose_such_as: Variants
    again: Variants
    skip_too: Variants
    confirm: Variants
    offer: Variants
    offer_boolean: Variants
    offer_words: Variants
    what_instead: Variants
    own_words: Variants
    probe: Variants
    propose: Variants
    propose_right: Variants
    what_to_change: Variants
    needs_too: Variants
    should_be: Variants
    ask_stop: Variants
    ask_done: Variants
    tell_changes: Variants

    # Understanding
    got: Variants
    got_words: Variants
    got_more: Variants
    got_late: Variants
    remembered: Variants
    changed: Variants
    unchanged: Variants
    kept: Variants
    confirmed: Variants
    thanks: Variants
    skipped: Variants
    left_open: Variants
    no_then: Variants
    patience: Variants
    unclear: Variants
    back: Variants
    nothing_before: Variants
    here_again: Variants
    gladly: Variants
    go_on: Variants
    nothing_to_skip: Variants
    start_over: Variants
    change_what: Variants

    # Questions back
    why: Variants
    why_required: Variants
    why_optional: Variants
    who: Variants
    cannot_answer: Variants
    expect_boolean: Variants
    expect_integer: Variants
    expect_number: Variants
    expect_array: Variants
    expect_date: Variants
    expect_date_time: Variants
    expect_time: Variants
    expect_email: Variants
    expect_phone: Variants
    expect_uri: Variants
    expect_words: Variants

    # Recalling
    recall_said: Variants
    recall_known: Variants
    recall_known_here: Variants
    recall_nothing: Variants

    # Closing
    done: Variants
    done_name: Variants
    sum_up: Variants
    still_open: Variants
    does_not_fit: Variants
    unconfirmed: Variants
    stopped: Variants
    stopped_name: Variants
    time_is_up: Variants
    time_is_up_name: Variants
    come_back: Variants
    no_coming_back: Variants
    nudge: Variants

    # Words
    last_time: str
    earlier: str
    just_now: str
    today: str
    yesterday: str
    on_day: str
    yes: str
    no: str
    nothing: str
    answer: str
    both: str
    either: str
    your: str
    your_of: str
    is_one: str
    is_many: str
    date: str
    day: str
    day_of_year: str
    date_and_time: str
    minute: tuple[str, str]
    hour: tuple[str, str]
    days: tuple[str, str]
    month: tuple[str, str]
    weekdays: tuple[str, ...]
    months: tuple[str, ...]

    # What a question back is about
    asks_why: tuple[str, ...]
    asks_what: tuple[str, ...]
    asks_who: tuple[str, ...]


ENGLISH = Book(
    hello=("Hello!",),
    hello_name=("Hi {name}!",),
    nice_to_meet=("Nice to meet you, {name}.",),
    begin=("I have a few short questions for you.",),
    welcome_back=("Welcome back!",),
    welcome_back_name=("Welcome back, {name}.",),
    good_to_see=("Good to see you again, {name}.",),
    going_on=("Let's go on where we left off.",),
    away=("It has been {time}, so here is where we were.",),
    quote_last=("Last time you told me: “{words}”.",),
    told_last=("Last time you told me that {label} {verb} {value}.",),
    prefilled=("I have kept this from before: {pairs}. If any of it has changed, just tell me.",),
    all_prefilled=("That is all I wanted to know.",),
    aim=("I'd like to {aim}.",),
    choose=("You can choose {options}.",),
    choose_such_as=("For example {options}.",),
    again=("So, once more: {question}", "Let me ask again: {question}", "Let's try again: {question}"),
    skip_too=("If you'd rather move on, just say “skip”.", "“Skip” is a fine answer, too."),
    confirm=("Did you mean {value}?", "Do I have that right: {value}?"),
    offer=("{when} you said {label} {verb} {value}. Is that still right?",),
    offer_boolean=("{when} you said “{value}” to this: {question} Is that still right?",),
    offer_words=("{when} you said about {label}: “{value}”. Is that still right?",),
    what_instead=("Sure. What should {label} be instead?", "Of course. What is {label} now?"),
    own_words=("Please tell me in your own words.",),
    probe=("Please tell me a little more about {area}.", "What else can you tell me about {area}?"),
    propose=("Let me read that back to you:",),
    propose_right=("Is that right?",),
    what_to_change=("What should I change? You can say, for example, “change my {field} to …”.",),
    needs_too=("With these answers I also need the {field}.",),
    should_be=("With these answers, the {field} has to be {value}.",),
    ask_stop=("Shall we stop here?",),
    ask_done=("Is all of that still right?",),
    tell_changes=("What has changed? You can say, for example, “change my {field} to …”.",),
    got=("Got it: {value}.", "Thank you, noted: {value}.", "Alright: {value}."),
    got_words=("Thank you, that helps.", "Good, I've noted that.", "Thanks, that's good to know."),
    got_more=("I also noted {pairs}.", "And I picked up {pairs}.", "I took down {pairs}, too."),
    got_late=("I noted {pairs}.", "Thank you, I took down {pairs}."),
    remembered=("Good, I'll go with that.", "Fine, that stays as it is.", "Great, nothing to change there."),
    changed=("Done: {label} {verb} now {value}.", "I've changed that: {label} {verb} now {value}."),
    unchanged=("That is what I have already: {label} {verb} {value}.",),
    kept=("Fine, it stays at {value}.",),
    confirmed=("Thank you, that is settled.", "Good, I'll take it like that."),
    thanks=("Thank you.", "Thanks for telling me."),
    skipped=("No problem, we'll leave that out.", "That's fine, let's skip it.", "Alright, we'll do without."),
    left_open=("No problem, I'll leave that open.", "That's fine, it stays open for now."),
    no_then=("Thanks for telling me.", "Good that I asked."),
    patience=(
        "Of course, take your time.",
        "No hurry, I'm here when you're ready.",
        "Take all the time you need.",
    ),
    unclear=("Sorry, I didn't quite get that.", "I'm not sure I understood.", "I couldn't make that out."),
    back=("Sure, let's go back.", "Of course, one step back."),
    nothing_before=("We're at the beginning already.",),
    here_again=("Of course.", "Sure, here it is again."),
    gladly=("Gladly.", "Of course."),
    go_on=("Good, let's go on.",),
    nothing_to_skip=("There's nothing to skip right now.",),
    start_over=("I can't start over by myself, but you can change any answer: say “go back”, or name what is wrong.",),
    change_what=("I'm not sure which answer you mean. Please name it, for example “change my {field} to …”.",),
    why=("This belongs to “{goal}”.",),
    why_required=("I need it to complete that part, but you may say “skip”.",),
    why_optional=("It's optional: say “skip” if you'd rather not.",),
    who=("I'm an automated assistant, not a person, and I have a short list of questions for you.",),
    cannot_answer=(
        "I'm sorry, I can't answer that one; I only know my own questions.",
        "That is beyond me, I'm afraid: I only know my own questions.",
    ),
    expect_boolean=("A yes or a no is all I need.",),
    expect_integer=("A whole number is all I need; a good guess will do.",),
    expect_number=("A number is all I need; a good guess will do.",),
    expect_array=("Name as many as you like, with commas between them.",),
    expect_date=("Any day will do, for example “next Tuesday” or “3 March”.",),
    expect_date_time=("A day and a time, for example “tomorrow at 3pm”.",),
    expect_time=("A time of day, for example “half past nine”.",),
    expect_email=("An e-mail address, for example name@example.com.",),
    expect_phone=("A phone number, with the country code if you can.",),
    expect_uri=("A web address, for example www.example.com.",),
    expect_words=("Your own words are best; a short answer is fine.",),
    recall_said=("{when} you said: “{words}”.",),
    recall_known=("{when} you told me that {label} {verb} {value}.",),
    recall_known_here=("I have noted that {label} {verb} {value}.",),
    recall_nothing=("I looked, but I find nothing about {about} in what you told me.",),
    done=("That's all I wanted to ask; thank you.",),
    done_name=("That's all I wanted to ask, {name}; thank you.",),
    sum_up=("This is what I have:",),
    still_open=("Still open: {labels}.",),
    does_not_fit=("“{goal}” stays open, since its answers do not go together.",),
    unconfirmed=("“{goal}” stays open, since you have not said yes to it.",),
    stopped=("Alright, we'll stop here. Thank you for your time.",),
    stopped_name=("Alright, we'll stop here. Thank you for your time, {name}.",),
    time_is_up=("Our time is up for today.",),
    time_is_up_name=("Our time is up for today, {name}.",),
    come_back=("Come back within {time}, and we'll go on right here.",),
    no_coming_back=("Thank you for talking to me.",),
    nudge=("I'm still here; no hurry.",),
    last_time="Last time",
    earlier="Some time ago",
    just_now="Earlier in this conversation",
    today="Earlier today",
    yesterday="Yesterday",
    on_day="On {day}",
    yes="yes",
    no="no",
    nothing="none",
    answer="answer",
    both="and",
    either="or",
    your="your {field}",
    your_of="the {field}",
    is_one="is",
    is_many="are",
    date="{weekday}, {day} {month} {year}",
    day="{day} {month}",
    day_of_year="{day} {month} {year}",
    date_and_time="{date} at {time}",
    minute=("a minute", "{n} minutes"),
    hour=("an hour", "{n} hours"),
    days=("a day", "{n} days"),
    month=("a month", "{n} months"),
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    asks_why=("why", "what for", "what do you need", "purpose", "is it necessary", "is this necessary"),
    asks_what=(
        "what can i",
        "what should i",
        "what do you mean",
        "what does that mean",
        "what kind",
        "like what",
        "such as",
        "options",
        "choices",
        "example",
        "which ones",
        "how do you mean",
        "explain",
        "don't understand",
        "help",
    ),
    asks_who=(
        "who are you",
        "what are you",
        "are you a",
        "are you an",
        "are you real",
        "are you human",
        "is this a bot",
    ),
)

BOOKS: dict[str, Book] = {"en": ENGLISH}


def book_of(language: str) -> Book:
    """The book of a template's language (`de-CH` reads `de`); English where there is none yet."""
    return BOOKS.get(language.replace("_", "-").split("-")[0].lower(), ENGLISH)
