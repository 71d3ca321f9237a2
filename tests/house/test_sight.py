"""Nobody reads a person's past without a `Sight`, and nobody but `domain.proof` makes one.

mypy holds that a reader which takes a `Sight` is given one. Here is held what it cannot see: that every query by whose
a conversation is takes one, or stands in the table below with the reason why it needs none.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.source import ROOT, functions, python_files, tree

SOURCE = ROOT / "src/roxels"
PROOF = SOURCE / "domain/proof.py"
#: Columns that say whose a conversation is.
WHOSE = {"person_id", "linked_person_id"}

#: Queries by whose a conversation is, that take no sight: none tells a session, or its speaker, what was said.
NEED_NONE = {
    "conversations.owner": "of one conversation: whose it is",
    "conversations.subject": "of one conversation: whom deliveries name",
    "conversations.link": "an adoption writes it down",
    "conversations.linked_person": "of one conversation: who else spoke in it",
    "conversations.adopters": "who adopted what was said as this person, for the owner",
    "conversations.first_begun": "when, for the owner's pages",
    "conversations.has_any": "yes or no, for the reason that the owner reads",
    "conversations.listed": "the owner's list",
    "devices.anonymous_talk": "nobody's: by this very browser and tab",
    "conversations.touch": "which talks look anew at what they remember, each with a sight of its own",
    "erasures.fence": "to be erased",
    "erasures.selves": "to be erased",
    "erasures.shared": "to be erased",
    "erasures._count_off": "to be erased",
    "templates.strictest": "a policy: what it must not tell less than",
}
#: What shows the owner of the installation everything, and who may ask for it: nobody on a session's behalf.
OWNERS = {
    "owners_sight": {"actions/recollect.py", "actions/forget_line.py"},
    "recollect_all": {"actions/browse.py", "api/routes/persons.py"},
}


def takes_sight(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a parameter of it is a sight."""
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return any(each.annotation is not None and ast.unparse(each.annotation) == "Sight" for each in given)


def asks_whose(node: ast.AST) -> bool:
    """Whether it names one of the columns: `conversations.c.person_id`."""
    return any(
        isinstance(each, ast.Attribute) and each.attr in WHOSE and ast.unparse(each.value) == "conversations.c"
        for each in ast.walk(node)
    )


def queries() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function of storage that asks whose a conversation is, by its name."""
    for each in functions("src/roxels/storage"):
        if asks_whose(each.node):
            yield f"{Path(each.where.partition(':')[0]).stem}.{each.node.name}", each.node


def named(path: Path, *names: str) -> set[str]:
    """Which of these names the file uses."""
    used = {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name)}
    used |= {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    return used & set(names)


def test_every_reader_of_a_past_takes_a_sight() -> None:
    found = dict(queries())
    assert len(found) > 5
    without = {name for name, node in found.items() if not takes_sight(node)}
    assert without == set(NEED_NONE), "take a Sight (storage.seen says how), or say here why it needs none"


def test_only_the_rule_makes_a_sight() -> None:
    makers = {"Sight", "_Seal", "_sealed"}
    for path in python_files("src/roxels"):
        calls = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
        made = {ast.unparse(func).rpartition(".")[2] for func in calls} & makers
        assert made == (makers if path == PROOF else set()), path
        assert path == PROOF or not named(path, "_Seal", "_sealed", "_parts"), path


def test_the_owner_s_view_is_nobody_else_s() -> None:
    for name, allowed in OWNERS.items():
        users = {str(path.relative_to(SOURCE)) for path in python_files("src/roxels") if named(path, name)}
        assert users - {"domain/proof.py"} == allowed, name
