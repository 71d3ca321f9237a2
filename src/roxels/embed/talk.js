/**
 * One conversation as this frame leads it: opens the session, keeps the wire, folds what comes, tells the host page. It knows no
 * document, so a headless talk is this and nothing else.
 *
 * A message of the person is never lost: it stays in the view's `pending` until the wire has acknowledged it, is handed over again
 * under the same id on every connection, and once more when the page goes away.
 */
import { openSession, post, Refusal } from "./session.js";
import { delay, Wire } from "./socket.js";
import { chatOfOwn, told } from "./told.js";
import { apply, EMPTY, said, torn, uttering } from "./view.js";

/** @typedef {"connecting" | "live" | "cut" | "ended" | "failed"} Phase */

const ACK_MS = 10_000;
const RENEW_AGAIN_MS = 60_000;
const AUTO_CLOSE_MS = 4000;
/** How long it is waited for what came of a conversation, once it has ended. */
const RESULTS_MS = 5000;
/** How long a session that is on its way is waited for, to end it too. */
const ON_ITS_WAY_MS = 3000;
/** What the server refuses in a text, and nobody could take out again: NUL, and halves of pairs, left by a page that cut one in two. */
const NEVER_KEPT = /[\0\ud800-\udfff]/gu;
/** UTF-16 units of one message. */
export const LONGEST = 4000;

export class Talk {
  /** @param {{host: import("./port.js").Port, key: string | null, origin: string, changed: () => void}} options */
  constructor({ host, key, origin, changed }) {
    this.host = host;
    this.key = key;
    this.origin = origin;
    this.changed = changed;
    this.view = EMPTY;
    /** @type {Phase} */
    this.phase = "connecting";
    /** @type {import("./port.js").Fault | null} why it failed, or what went wrong last */
    this.fault = null;
    /** @type {import("./port.js").Fault | null} what the server said before it closed */
    this.fatal = null;
    this.run = new AbortController();
    this.everConnected = false;
    this.status = "";
    this.renewedAt = -RENEW_AGAIN_MS;
    /** @type {Promise<void>} settled once the last beginning has come to its end */
    this.begun = Promise.resolve();
    /** A new visit may be on its way, in which case the old one is closed for good meanwhile. */
    this.rising = false;
    this.shut = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.slowTimer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.endTimer = undefined;
  }

  /** @param {import("./session.js").Brief} brief @throws {Refusal} where no session can be had */
  start(brief) {
    this.brief = brief;
    const begun = this.begin(brief.resume);
    this.begun = begun.catch(() => {});
    return begun;
  }

  /** Forgets what is shown and begins a new conversation; what was said stays on the server. */
  startOver() {
    this.view = EMPTY;
    this.again(false);
  }

  /** @param {boolean} [resume] */
  again(resume) {
    this.begin(resume).catch((fault) => this.complain(fault));
  }

  /** Goes on in a new visit, with whatever that opens; what was not acknowledged yet comes along. */
  renew() {
    this.view = { ...EMPTY, pending: this.view.pending };
    this.again();
  }

  /** A session that came from the page's server, or by a link, is not ours to make another of. */
  get canStartOver() {
    return !this.brief?.sessionId && !this.brief?.join;
  }

  /** The visit is over, the conversation is not. */
  get expired() {
    return this.phase === "failed" && this.fault?.error === "session_expired";
  }

  /** @param {boolean} [resume] */
  async begin(resume) {
    this.stop();
    const { signal } = (this.run = new AbortController());
    this.enter("connecting");
    try {
      const { token, session_id, resumption } = await this.opened(resume, signal);
      if (signal.aborted) return;
      this.token = token;
      this.host.tell("session", { sessionId: session_id });
      this.host.tell("resumption", resumption);
    } catch (reason) {
      if (signal.aborted) return;
      this.fail(/** @type {Refusal} */ (reason));
      throw reason;
    }
    this.connect();
  }

  connect() {
    this.tellStatus("joining");
    this.wire = new Wire({
      hello: () => this.hello(),
      hear: (/** @type {any} */ frame) => this.hear(frame),
      cut: () => this.cut(),
      over: (/** @type {number} */ code) => this.over(code),
    });
  }

  /**
   * The page says who is here. The server answers what comes of it: `adopted`, the talk goes on as it stands in a new visit; `reopened`,
   * a new visit, to whatever that opens; all else leaves it as it is.
   * @param {{externalId?: string | null, name?: string}} person
   */
  async identify({ externalId, name }) {
    await this.begun;
    if (!this.token || !["live", "cut", "connecting"].includes(this.phase)) return;
    const { signal } = this.run;
    this.rising = true;
    try {
      const who = { external_id: externalId ?? undefined, person_name: name, identity_token: await this.identity(true) };
      const { outcome, visit } = await post("/v1/embed/sessions/identify", { ...who, host_origin: this.origin }, this.bearer(), { signal });
      if (visit && !signal.aborted) return this.rise(visit, outcome === "reopened", { externalId, name });
    } catch (reason) {
      const { error, status } = /** @type {Refusal} */ (reason);
      const over = status === 401 && !error.startsWith("identity_token"); // the session itself: the wire learns it too
      if (!signal.aborted && !over) this.complain(/** @type {Refusal} */ (reason));
    }
    const { shut } = this;
    this.rising = false;
    this.shut = 0;
    if (shut && !signal.aborted) this.over(shut);
  }

  /** @param {import("./session.js").Session} visit @param {boolean} anew @param {import("./session.js").Brief["person"]} person */
  rise({ token, session_id, resumption }, anew, person) {
    this.wire?.close();
    this.rising = false;
    this.shut = 0;
    this.token = token;
    this.brief = { .../** @type {import("./session.js").Brief} */ (this.brief), person };
    this.host.tell("session", { sessionId: session_id });
    if (anew) {
      this.view = { ...EMPTY, pending: this.view.pending };
      this.host.tell("resumption", resumption);
    }
    this.connect();
  }

  /** Tries until there is a session or a reason why there is none. @param {boolean | undefined} resume @param {AbortSignal} signal */
  async opened(resume, signal) {
    const brief = { .../** @type {import("./session.js").Brief} */ (this.brief), resume };
    for (let attempt = 0; ; attempt++) {
      try {
        const identityToken = this.canStartOver ? await this.identity() : undefined;
        return await openSession(brief, { key: this.key, origin: this.origin, identityToken, signal });
      } catch (reason) {
        const { error, message, passing, wait } = /** @type {Refusal} */ (reason);
        if (signal.aborted || !passing) throw reason;
        if (error === "rate_limited") this.complain({ error, message, seconds: Math.ceil((wait ?? 1000) / 1000) });
        this.enter("cut");
        await pause(wait ?? delay(1006, attempt, false, Math.random()) ?? 0, signal);
      }
    }
  }

  /** The page's function is asked each time: first fetch and refresh are one thing. @param {boolean} [now] of who is here by now */
  async identity(now) {
    try {
      return await this.host.ask("identity", now);
    } catch (reason) {
      throw new Refusal("identity_token_failed", `identityToken: the page's function failed: ${/** @type {any} */ (reason).message}`);
    }
  }

  hello() {
    const answer = uttering(this.view);
    const rendered = answer && { utterance_id: answer.id, chars: answer.chars };
    return { v: 1, token: this.token, after: this.view.head, rendered };
  }

  /** @param {any} frame */
  hear(frame) {
    const before = this.view;
    if (torn(before, frame)) return this.wire?.renew();
    this.view = apply(before, frame);
    if (frame.frame === "welcome") this.welcomed();
    for (const [name, payload] of told(before, this.view, frame)) this.host.tell(name, payload);
    if (frame.frame === "error") this.warned(frame);
    if (frame.frame === "bye" && frame.code === "time") this.fatal = { error: "session_expired", message: "This visit has reached its time limit." };
    if (this.view.ended && !before.ended) this.end();
    if (this.view.settled && !before.settled) this.finish();
    this.changed();
  }

  /** A fatal error is followed by a close, which decides what becomes of it. @param {{code: string, message: string, fatal: boolean, retry_ms?: number | null}} frame */
  warned({ code: error, message, fatal, retry_ms }) {
    if (fatal) this.fatal = { error, message };
    else if (retry_ms) this.slowed({ error, message }, retry_ms);
    else this.complain({ error, message });
  }

  /** Too often: what waits is handed over again under the same id, once it may be. @param {import("./port.js").Fault} fault @param {number} wait */
  slowed(fault, wait) {
    this.complain({ ...fault, seconds: Math.ceil(wait / 1000) });
    clearTimeout(this.slowTimer);
    this.slowTimer = setTimeout(() => {
      for (const own of this.view.pending) if (!own.kept) this.hand(own);
    }, wait);
  }

  welcomed() {
    this.fault = this.fatal = null;
    this.enter("live");
    this.host.tell("person", this.view.externalId);
    this.tellStatus("connected");
    if (!this.everConnected) this.host.tell("connected");
    this.everConnected = true;
    for (const own of this.view.pending) if (!own.kept) this.hand(own);
  }

  /** @param {string} text */
  say(text) {
    const words = String(text ?? "").replace(NEVER_KEPT, "\ufffd").trim();
    if (!words || this.view.ended) return;
    if (words.length > LONGEST) return this.complain({ error: "message_too_long", message: `text: at most ${LONGEST} characters.` });
    const own = { id: newId(), text: words };
    this.view = said(this.view, own);
    this.host.tell(...chatOfOwn(own));
    this.hand(own);
    this.changed();
  }

  /** Hands a message to the wire; where no acknowledgement comes, the connection only looks alive. @param {{id: string, text: string}} own */
  hand({ id, text }) {
    if (!this.wire?.send({ frame: "say", id, text })) return;
    const { wire } = this;
    setTimeout(() => {
      if (wire === this.wire && this.view.pending.some((own) => own.id === id && !own.kept)) wire.renew();
    }, ACK_MS);
  }

  /** @param {{goal_id: string, field: string, value: any}} correction @returns {Promise<void>} settles when it is kept @throws {Refusal} */
  correct({ goal_id, field, value }) {
    return post("/v1/wire/correct", { goal_id, field, value }, this.bearer());
  }

  /** Ends the visit, and the conversation where it may not be resumed. */
  async hangUp() {
    this.stop();
    if (this.token) await post("/v1/wire/bye", {}, this.bearer()).catch(() => {});
  }

  /**
   * Signs this browser out: nothing stays here, and on the server the session ends and the browser is a stranger to everybody. Sent so
   * that it arrives even where the page goes away meanwhile.
   * @returns {Promise<boolean>}
   */
  async reset() {
    if (!this.token) await Promise.race([this.begun, pause(ON_ITS_WAY_MS, this.run.signal)]);
    const body = { token: this.token, host_origin: this.origin };
    await Promise.all(this.leave()); // afterwards nothing can be said
    this.stop();
    this.token = undefined;
    this.view = EMPTY;
    return (await post("/v1/embed/sessions/reset", body, {}, { keepalive: true })).signed_out;
  }

  /** The page goes away: what is not acknowledged is sent once more, under the same id. */
  leave() {
    const unheard = this.token ? this.view.pending.filter((own) => !own.kept) : [];
    return unheard.map(({ id, text }) => post("/v1/wire/say", { id, text }, this.bearer(), { keepalive: true }).catch(() => {}));
  }

  /** The page goes away, perhaps to be kept as it stands: no browser keeps a page with an open connection for sure. */
  rest() {
    this.leave();
    this.wire?.rest();
  }

  /** There is reason to think that the server can be reached again. */
  nudge() {
    this.wire?.nudge();
  }

  /** The network was gone and is back: what looks like a connection may be dead. */
  back() {
    this.wire?.renew();
    this.nudge();
  }

  bearer() {
    return { Authorization: `Bearer ${this.token}` };
  }

  /** The line is gone, and will be there again; after the end there is nothing to wait for. */
  cut() {
    if (this.view.ended) return this.finish();
    this.enter("cut");
    this.tellStatus("joining");
  }

  /** The conversation has ended; what came of it follows at once, where nothing is wrong. */
  end() {
    this.enter("ended");
    this.endTimer = setTimeout(() => this.finish(), RESULTS_MS);
  }

  /** It is over, and the page knows what came of it. */
  finish() {
    this.stop();
    this.enter("ended");
    this.tellStatus("ended");
    this.host.tell("ended");
    if (this.view.settings.auto_close === true) setTimeout(() => this.host.tell("close"), AUTO_CLOSE_MS);
  }

  /** The wire will not come back by itself. @param {number} code */
  over(code) {
    if (this.rising) return (this.shut = code), this.enter("cut");
    if (this.view.ended) return this.finish();
    if (code === 4001 && performance.now() - this.renewedAt > RENEW_AGAIN_MS) {
      this.renewedAt = performance.now();
      return this.renew();
    }
    const message = `The connection was closed for good (${code}).`;
    const fault = code === 4001 ? { error: "session_expired", message } : (this.fatal ?? { error: "connection_closed", message });
    this.fail(fault);
    this.complain(fault);
  }

  /** @param {import("./port.js").Fault & {seconds?: number}} fault `seconds`: until it goes on by itself */
  complain({ error, message, seconds }) {
    this.fault = /** @type {import("./port.js").Fault} */ ({ error, message, seconds });
    this.host.tell("error", { error, message });
    this.changed();
  }

  /** @param {import("./port.js").Fault} fault */
  fail({ error, message }) {
    this.stop();
    this.fault = { error, message };
    this.enter("failed");
    this.tellStatus("error");
  }

  stop() {
    clearTimeout(this.endTimer);
    this.run.abort();
    this.wire?.close();
    this.wire = null;
  }

  /** @param {Phase} phase */
  enter(phase) {
    this.phase = phase;
    this.changed();
  }

  /** @param {string} status */
  tellStatus(status) {
    if (status === this.status) return;
    this.status = status;
    this.host.tell("status", { status });
  }
}

const newId = () => "say_" + Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {number} milliseconds @param {AbortSignal} signal cuts it short, as does the network's return @returns {Promise<void>} */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const done = () => (clearTimeout(timer), removeEventListener("online", done), resolve());
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
    addEventListener("online", done);
  });
}
