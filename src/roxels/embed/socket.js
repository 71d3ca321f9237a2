/**
 * The frame's WebSocket to `/v1/wire`: says hello, hands over frames, and comes back after a cut. Reconnecting is a table, not a
 * habit of the code:
 *
 *   1001, 1005, 1006, 1011–1014   gone, cut, restarting: again after 0.5 s, 1 s, 2 s … 30 s, each ± 30 %
 *   4009, 4010                    superseded, draining: at once, if the connection had lived; else as above
 *   everything else               never: 4001 (the session is not valid any more) is for the caller
 */

const AT_ONCE = [4009, 4010];
const LATER = [1001, 1005, 1006, 1011, 1012, 1013, 1014];
const FIRST_MS = 500;
const LONGEST_MS = 30_000;
const JITTER = 0.3;
/** A connection that was welcomed and lasted this long has lived. */
const LIVED_MS = 1000;
/** How long a server may take to accept and welcome before the attempt counts as cut. */
const WELCOME_MS = 10_000;

/**
 * How long to wait before the next attempt; null: there is none.
 * @param {number} code how the connection closed
 * @param {number} attempt failed attempts since it last lived
 * @param {boolean} lived
 * @param {number} random in [0, 1)
 * @returns {number | null} milliseconds
 */
export function delay(code, attempt, lived, random) {
  if (AT_ONCE.includes(code) && lived) return 0;
  if (!LATER.includes(code) && !AT_ONCE.includes(code)) return null;
  const wait = Math.min(FIRST_MS * 2 ** attempt, LONGEST_MS);
  return wait * (1 - JITTER + 2 * JITTER * random);
}

export class Wire {
  /**
   * @param {{hello: () => object, hear: (frame: any) => void, cut: () => void, over: (code: number) => void}} owner
   *   hello: what to say on every attempt; hear: each frame; cut: the connection is gone and will be tried again; over: it will not
   */
  constructor(owner) {
    this.owner = owner;
    this.attempt = 0;
    this.welcomedAt = 0;
    this.closed = false;
    /** @type {number | null} what the server asked for in its bye */
    this.wait = null;
    this.connect();
  }

  connect() {
    const address = new URL("/v1/wire", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(address));
    this.welcomedAt = 0;
    this.timer = setTimeout(() => this.drop(socket, 1006), WELCOME_MS);
    socket.onopen = () => socket.send(JSON.stringify({ frame: "hello", ...this.owner.hello() }));
    socket.onmessage = (event) => this.receive(JSON.parse(event.data));
    socket.onclose = (event) => this.drop(socket, event.code);
  }

  /** @param {any} frame */
  receive(frame) {
    if (frame.frame === "welcome") {
      clearTimeout(this.timer);
      this.welcomedAt = performance.now();
    }
    if (frame.frame === "bye") this.wait = frame.retry_ms ?? null;
    this.owner.hear(frame);
  }

  /** The connection is gone, or given up. @param {WebSocket} socket @param {number} code */
  drop(socket, code) {
    if (socket !== this.socket || this.closed) return;
    this.release();
    const lived = this.welcomedAt > 0 && performance.now() - this.welcomedAt > LIVED_MS;
    if (lived) this.attempt = 0; // a server that welcomes and drops is not helped by being asked at once
    const wait = delay(code, this.attempt++, lived, Math.random());
    if (wait === null) return this.owner.over(code);
    this.timer = setTimeout(() => this.connect(), lived ? this.wait ?? wait : Math.max(this.wait ?? 0, wait));
    this.wait = null;
    this.owner.cut();
  }

  release() {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // Closed before it is open, it would be complained about in the console of the page around us.
    if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
    else socket.close();
  }

  /** True where it could be handed to a connection that was welcomed. @param {object} frame */
  send(frame) {
    if (!this.socket || !this.welcomedAt) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** There is reason to think that an attempt would succeed now (online again, tab shown again). */
  nudge() {
    if (this.closed || this.socket) return;
    clearTimeout(this.timer);
    this.connect();
  }

  /** Hang up until the next `nudge`. */
  rest() {
    if (this.closed || !this.socket) return;
    this.release();
    this.owner.cut();
  }

  /** Something is missing on this connection: a new hello fetches it. */
  renew() {
    if (this.socket) this.drop(this.socket, 1006);
  }

  close() {
    this.closed = true;
    this.release();
  }
}
