"""What a `Sight` opens, as a condition on `conversations`: the table of `domain.proof` in SQL.

A reader of a person's past puts `seen(tx, sight)` into its query, and so cannot read more. A test holds this against
`domain.proof.opens` over many made-up pasts.
"""

from sqlalchemy import ColumnElement, and_, exists, false, not_, or_, select, true

from roxels.domain.proof import POLICIES, Scope, Sight
from roxels.storage.schema import ERASING, conversations, devices, sessions, templates
from roxels.storage.transaction import Reading

#: A browser held it; a link that nobody used yet let nobody in.
_HELD = and_(sessions.c.conversation_id == conversations.c.id, sessions.c.token_hash.is_not(None))


def seen(tx: Reading, sight: Sight) -> ColumnElement[bool]:
    """Whether a row of `conversations` is one of this person's that the sight opens."""
    return and_(
        conversations.c.environment == tx.environment,
        conversations.c.person_id == sight.person_id,
        conversations.c.epoch != ERASING,
        _by_policy(sight),
    )


def own_words(tx: Reading, sight: Sight) -> ColumnElement[bool]:
    """Whether a row is a conversation of somebody else in which this person spoke, and the sight would open it."""
    return and_(
        conversations.c.environment == tx.environment,
        conversations.c.linked_person_id == sight.person_id,
        conversations.c.person_id != sight.person_id,
        conversations.c.epoch != ERASING,
        _by_policy(sight),
    )


def _by_policy(sight: Sight) -> ColumnElement[bool]:
    """One condition where all policies come to the same, else one for each."""
    if len(set(sight.scopes)) == 1:
        return _in_scope(sight.scopes[0], sight)
    required = (
        select(templates.c.history_requires).where(templates.c.id == conversations.c.template_id).scalar_subquery()
    )
    return or_(
        *(
            and_(required == int(policy), _in_scope(scope, sight))
            for policy, scope in zip(POLICIES, sight.scopes, strict=True)
            if scope is not Scope.nothing
        )
    )


def _in_scope(scope: Scope, sight: Sight) -> ColumnElement[bool]:
    match scope:
        case Scope.nothing:
            return false()
        case Scope.unproven:
            return not_(conversations.c.is_proven)
        case Scope.own_device:
            return and_(not_(conversations.c.is_proven), _only_by(sessions.c.browser_hash == sight.browser))
        case Scope.proven:
            verified = select(devices.c.browser_hash).where(
                devices.c.person_id == sight.person_id,
                devices.c.verified_at.is_not(None),
                devices.c.revoked_at.is_(None),
            )
            trusted = (conversations.c.is_proven, conversations.c.is_vouched)
            return or_(*trusted, _only_by(sessions.c.browser_hash.in_(verified)))
        case Scope.everything:
            return true()


def _only_by(browser: ColumnElement[bool]) -> ColumnElement[bool]:
    """Somebody held a session of it, and nobody but such browsers."""
    others = or_(sessions.c.browser_hash.is_(None), not_(browser))
    return and_(exists().where(_HELD), not_(exists().where(_HELD, others)))
