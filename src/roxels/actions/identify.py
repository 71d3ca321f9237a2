"""Identify somebody by a token that the customer's server signed (a JWT). A token that does not hold is an error, never
a claim.

    part        must be
    kid         an identity secret of the embed key's environment that was not revoked
    alg         the one algorithm of that secret: HS256 or EdDSA
    sub         the external_id, as everywhere
    exp         required; not over, and at most 24 h ahead
    nbf, iat    where given: not in the future
    aud         where given: `roxels`, or a list with it
    jti         where given: never seen before
    name, context    may be given; they count as said by the server

Clocks may differ by 60 s.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from roxels.actions.audit import Auditor
from roxels.actions.manage import Sealer
from roxels.actions.open import VisitRequest
from roxels.actions.revoke import withdraw_proof
from roxels.domain import strict_json, texts
from roxels.domain.errors import Invalid, NotFound, RoxelsError
from roxels.domain.ids import Ids, hashed
from roxels.domain.persons import external_id, person_name
from roxels.domain.proof import Proof
from roxels.storage import identities, templates
from roxels.storage.audit import Actor
from roxels.storage.identities import Algorithm, IdentitySecret
from roxels.storage.transaction import Reading, Writing

SKEW = timedelta(seconds=60)
LONGEST = timedelta(hours=24)
MAX_TOKEN = 80_000
MAX_CONTEXT = 64 * 1024
AUDIENCE = "roxels"
#: Random bytes of a secret for HS256.
SECRET_SIZE = 32
#: Where a request names its token.
FIELD = "identity_token"
NOT_IN_FORCE = "The identity token's `kid` names no identity secret that is in force here."

#: Why a token was refused: for the audit log and `/metrics`; a token's own words never stand there.
Why = Literal["malformed", "secret", "signature", "times", "audience", "subject", "replayed", "expired"]


class TokenRefused(RoxelsError):
    """The identity token does not hold. Let your backend sign a new one."""

    code = "identity_token_invalid"
    status = 401

    def __init__(self, message: str | None = None, *, why: Why = "malformed") -> None:
        super().__init__(message, field=FIELD)
        self.why: Why = why


class TokenExpired(RoxelsError):
    """The identity token is over. Let your backend sign a new one."""

    code = "identity_token_expired"
    status = 401
    why: ClassVar[Why] = "expired"

    def __init__(self) -> None:
        super().__init__(field=FIELD)


class Vouched(msgspec.Struct, frozen=True, kw_only=True):
    """A wish, made by whom a token names; the token is not used up yet."""

    wish: VisitRequest
    secret: IdentitySecret
    jti: Any
    ends: datetime

    def use_up(self, tx: Writing) -> None:
        """Let it in: a token with a `jti` once. Raises `TokenRefused`."""
        if not identities.is_in_force(tx, self.secret.id):  # it was revoked since the token was read
            raise TokenRefused(NOT_IN_FORCE, why="secret")
        _use_up(tx, self.secret, self.jti, self.ends)


def identify(tx: Writing, wish: VisitRequest, token: str, sealer: Sealer) -> VisitRequest:
    """The wish, made by whom the token names. Raises `TokenRefused`, `TokenExpired`, `Invalid`."""
    vouched = vouch(tx, wish, token, sealer)
    vouched.use_up(tx)
    return vouched.wish


def vouch(tx: Reading, wish: VisitRequest, token: str, sealer: Sealer) -> Vouched:
    """Read who is named, and leave the token as it is. Raises `TokenRefused`, `TokenExpired`, `Invalid`."""
    secret, claims = _read(tx, token, sealer)
    ends = _check_times(claims, tx.now)
    audience = claims.get("aud")
    if audience is not None and AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
        raise TokenRefused(f"The identity token's `aud` is not `{AUDIENCE}`.", why="audience")
    try:
        named = external_id(claims.get("sub"), "sub")
        name = person_name(claims.get("name"), "name")
    except Invalid as fault:
        raise TokenRefused(f"The identity token does not hold: {fault.message}", why="subject") from None
    if named is None:
        raise TokenRefused("The identity token has no `sub`: the external_id of whom it names.", why="subject")
    if wish.external_id is not None and wish.external_id != named:
        raise Invalid("`external_id` is not the `sub` of the identity token; leave it out.", field="external_id")
    context = _context(claims.get("context"))
    jti = _checked("jti", claims.get("jti"))
    kept = templates.active(tx, wish.template_id)
    vouched = msgspec.structs.replace(
        wish,
        external_id=named,
        proof=Proof.verified,
        method="identity_token",
        vouched_name=name,
        vouched_context=context,
        identity_secret_id=secret.id,
        lasts=kept.read().proof_life if kept else None,
    )
    return Vouched(wish=vouched, secret=secret, jti=jti, ends=ends)


def note_refusal(tx: Writing, auditor: Auditor, actor: Actor, fault: TokenRefused | TokenExpired) -> None:
    """Note that a token was refused, and count it."""
    auditor.note(tx, actor, "identity.token_refused", None, why=fault.why)
    tx.counts["identity_tokens_refused", fault.why] += 1


def create_secret(
    tx: Writing, name: str, alg: Algorithm, public_key: str | None, ids: Ids, sealer: Sealer
) -> tuple[IdentitySecret, str | None]:
    """Make a way to sign; HS256's secret is told here and never again. Raises `Invalid`."""
    if (alg == "EdDSA") != (public_key is not None):
        raise Invalid("`public_key` is for EdDSA, and needed there; HS256 gets its secret from us.", field="public_key")
    secret_id = ids.new("idk")
    key = base64.urlsafe_b64encode(ids.key(SECRET_SIZE)).decode().rstrip("=")
    value = None if alg == "EdDSA" else f"is_{tx.environment}_{key}"
    secret = IdentitySecret(
        id=secret_id,
        environment=tx.environment,
        name=name,
        alg=alg,
        sealed=None if value is None else sealer.seal(value, environment=tx.environment, id=secret_id),
        public_key=None if public_key is None else _checked_key(public_key),
        created_at=tx.now,
    )
    identities.create(tx, secret)
    return secret, value


def revoke_secret(tx: Writing, secret_id: str) -> IdentitySecret:
    """Revoke it, at once: what it proved is proven no more. A second time changes nothing. Raises `NotFound`."""
    identities.revoke(tx, secret_id)
    secret = identities.get(tx, secret_id)
    if secret is None:
        raise NotFound
    withdraw_proof(tx, secret_id)
    return secret


def _read(tx: Reading, token: str, sealer: Sealer) -> tuple[IdentitySecret, Mapping[str, Any]]:
    """What the token says, once its signature holds. The algorithm is the secret's, never the token's word for it."""
    if len(token) > MAX_TOKEN:
        raise TokenRefused("The identity token is too long.")
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except (jwt.PyJWTError, ValueError):
        raise TokenRefused("The identity token is no JWT.") from None
    secret = identities.get(tx, kid) if isinstance(kid, str) and texts.can_be_kept(kid) else None
    if secret is None or secret.revoked_at is not None:
        raise TokenRefused(NOT_IN_FORCE, why="secret")
    key = secret.public_key or sealer.open(secret.sealed or "", environment=tx.environment, id=secret.id)
    options: Any = dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_sub"), False)
    options |= {"verify_jti": False, "verify_iss": False}
    try:
        return secret, jwt.decode(token, key, algorithms=[secret.alg], options=options)
    except (jwt.PyJWTError, ValueError):
        raise TokenRefused("The identity token's signature does not hold.", why="signature") from None


def _check_times(claims: Mapping[str, Any], now: datetime) -> datetime:
    """When the token ends."""
    ends = _moment(claims, "exp")
    if ends is None:
        raise TokenRefused("The identity token has no `exp`; it must end within 24 hours.", why="times")
    if now >= ends + SKEW:
        raise TokenExpired
    if ends > now + LONGEST + SKEW:
        raise TokenRefused("The identity token's `exp` is more than 24 hours ahead.", why="times")
    for name in ("nbf", "iat"):
        begins = _moment(claims, name)
        if begins is not None and begins > now + SKEW:
            raise TokenRefused(f"The identity token's `{name}` lies in the future.", why="times")
    return ends


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**35:
        raise TokenRefused(f"The identity token's `{name}` is no time in seconds.", why="times")
    return datetime.fromtimestamp(value, UTC)


def _context(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    context = _checked("context", value)
    if not isinstance(context, dict) or len(msgspec.json.encode(context)) > MAX_CONTEXT:
        raise TokenRefused(f"The identity token's `context` must be an object of at most {MAX_CONTEXT} bytes.")
    return context


def _checked(claim: str, value: Any) -> Any:
    """The value of this claim, when it can be kept. Raises `TokenRefused`."""
    try:
        strict_json.check(value, claim)
    except Invalid as fault:
        raise TokenRefused(f"The identity token does not hold: {fault.message}") from None
    return value


def _use_up(tx: Writing, secret: IdentitySecret, jti: object, ends: datetime) -> None:
    if jti is None:
        return
    if not isinstance(jti, str):
        raise TokenRefused("The identity token's `jti` is no string.")
    if not identities.use_up(tx, hashed(f"{secret.id} {jti}"), ends + SKEW):
        raise TokenRefused("The identity token was used before; its `jti` lets it in once.", why="replayed")


def _checked_key(pem: str) -> str:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid("`public_key` must be an Ed25519 public key as PEM (BEGIN PUBLIC KEY).", field="public_key")
    return pem
