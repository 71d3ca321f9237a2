/**
 * Opens a session for this frame: with the embed key of its address, or in exchange for
 * a session id that the page's server was given, or for what a join link carries.
 * The answer's token stays in the memory of this module's caller and goes nowhere but into the wire's hello and the bearer header.
 */

/** Why there is no session. `passing`: it may work in a moment, after `wait` milliseconds where the server says so. */
export class Refusal extends Error {
  /** @param {string} error @param {string} message @param {{passing?: boolean, wait?: number | null, status?: number}} [more] */
  constructor(error, message, { passing = false, wait = null, status = 0 } = {}) {
    super(message);
    this.error = error;
    this.passing = passing;
    this.wait = wait;
    this.status = status;
  }
}

/**
 * @typedef {{session_id: string, token: string, resumption: Record<string, any>}} Session
 * @typedef {{sessionId?: string, join?: {interview_id: string, join_secret: string}, person: {externalId?: string | null, name?: string}, context?: object, tab?: string, resume?: boolean}} Brief
 */

/**
 * @param {Brief} brief what the host page asked for
 * @param {{key: string | null, origin: string, identityToken?: string, signal: AbortSignal}} here `origin`: the host page's, as the handshake showed it
 * @returns {Promise<Session>}
 * @throws {Refusal}
 */
export async function openSession(brief, { key, origin, identityToken, signal }) {
  const where = {
    tab: brief.tab,
    host_origin: origin,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    locale: navigator.language,
  };
  if (brief.sessionId) return post("/v1/embed/sessions/exchange", { session_id: brief.sessionId, ...where }, {}, { signal });
  if (brief.join) return post("/v1/embed/sessions/exchange", { ...brief.join, ...where }, {}, { signal });
  const { externalId, name } = brief.person;
  const body = {
    external_id: externalId ?? undefined,
    person_name: name,
    identity_token: identityToken,
    context: brief.context,
    resume: brief.resume,
    ...where,
  };
  return post("/v1/embed/sessions", body, { Authorization: `Bearer ${key}` }, { signal });
}

/**
 * @param {string} path @param {object} body @param {Record<string, string>} headers
 * @param {{signal?: AbortSignal, keepalive?: boolean}} [more] `keepalive`: it is sent even where the page goes away
 * @returns {Promise<any>}
 * @throws {Refusal} also where the server cannot be reached
 */
export async function post(path, body, headers, { signal, keepalive } = {}) {
  const request = { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body), signal, keepalive };
  const answer = await fetch(path, request).catch((reason) => {
    throw signal?.aborted ? reason : new Refusal("unreachable", "The server could not be reached.", { passing: true });
  });
  const said = await answer.json().catch((reason) => {
    if (signal?.aborted) throw reason;
    return {};
  });
  if (answer.ok) return said;
  const { code = "internal_error", message = `The server answered ${answer.status}.` } = said.error ?? {};
  const seconds = Number(answer.headers.get("Retry-After"));
  const passing = answer.status === 429 || answer.status >= 500;
  throw new Refusal(code, message, { passing, wait: seconds > 0 ? seconds * 1000 : null, status: answer.status });
}
