"""What the words mean: pure functions of (field, words, moment). Both speakers use them; no I/O, no clock.

understand   an answer to a question for one field  →  understood | unclear | refused
glean        several fields in one sentence         →  what can be told apart
intent       a message                              →  an answer, or a command
fault        a ready value                          →  what is wrong with it, or nothing
"""

from roxels.understanding.commands import (
    Answer,
    Back,
    Change,
    Intent,
    No,
    Question,
    Recall,
    Repeat,
    Skip,
    StartOver,
    Stop,
    Yes,
    intent,
)
from roxels.understanding.faults import fault
from roxels.understanding.gleaning import glean
from roxels.understanding.phrases import hesitation, refusal
from roxels.understanding.reader import understand
from roxels.understanding.readings import Declined, Moment, Reading, Unclear, Understood

__all__ = [
    "Answer",
    "Back",
    "Change",
    "Declined",
    "Intent",
    "Moment",
    "No",
    "Question",
    "Reading",
    "Recall",
    "Repeat",
    "Skip",
    "StartOver",
    "Stop",
    "Unclear",
    "Understood",
    "Yes",
    "fault",
    "glean",
    "hesitation",
    "intent",
    "refusal",
    "understand",
]
