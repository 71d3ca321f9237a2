/** What the frame app looks like at any moment: everything here is drawn from the talk's phase and its view. */
import { directionOf, filled, labelsFor } from "./labels.js";
import { createPanel } from "./panel.js";
import { createTranscript } from "./transcript.js";
import { awaited, EMPTY } from "./view.js";

/**
 * @typedef {import("./talk.js").Talk} Talk
 * @typedef {{talk: Talk, host: import("./port.js").Port, display: string}} Options
 */

const WIDE = matchMedia("(width >= 760px)");
const TOUCH = matchMedia("(pointer: coarse)");
/** A cut shorter than this is not worth a word. */
const SEAMLESS_MS = 900;
const HINT_MS = 6000;
const COLOR = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i;
const LOGO = /^(https:\/\/|data:image\/)/i;

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);

/** @param {Options} options */
export const createScreen = (options) => new Screen(options);

class Screen {
  /** @param {Options} options */
  constructor({ talk, host, display }) {
    this.talk = talk;
    this.host = host;
    this.display = display;
    this.sticks = true;
    this.language = "";
    this.phase = "";
    /** @type {Record<string, any> | null} */
    this.dressed = null;
    /** @type {import("./port.js").Fault | null} */
    this.hinted = null;
    document.body.dataset.display = display;
    this.speak(navigator.language);
    this.listen();
  }

  /** Everything that is said by us, in a language. @param {string} language */
  speak(language) {
    if (language === this.language) return;
    this.language = language;
    const labels = (this.labels = labelsFor(language));
    document.documentElement.lang = language;
    document.documentElement.dir = directionOf(language);
    for (const id of ["log", "goals"]) $(id).replaceChildren();
    this.transcript = createTranscript($("log"), labels);
    this.panel = createPanel($("goals"), labels, (correction) => this.talk.correct(correction));
    const texts = { "start-over": labels.startOver, "confirm-text": labels.startOverAsk, "confirm-no": labels.cancel, "confirm-yes": labels.startOver };
    const more = { "panel-title": labels.captured, retry: labels.retry, privacy: labels.privacy };
    for (const [id, text] of Object.entries({ ...texts, ...more })) $(id).textContent = text;
    for (const [id, text] of Object.entries({ more: labels.menu, send: labels.send, latest: labels.latest, words: labels.write, scroll: labels.title })) $(id).ariaLabel = text;
    $("words").placeholder = labels.write;
    $("thinking").lastChild.textContent = labels.thinking;
    this.tellChrome();
  }

  /** What the host's side draws around the frame speaks the same language and has the same colour. */
  tellChrome() {
    const { title, close, minimise, restore, move } = /** @type {Record<string, string>} */ (this.labels);
    const color = this.dressed?.brand?.color;
    this.host.tell("chrome", { title, close, minimise, restore, move, color, dir: directionOf(this.language) });
  }

  listen() {
    const { talk } = this;
    $("composer").addEventListener("submit", (/** @type {Event} */ event) => (event.preventDefault(), this.send()));
    $("words").addEventListener("input", () => this.weigh());
    $("words").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) event.preventDefault(), this.send();
    });
    $("scroll").addEventListener("scroll", () => this.look(), { passive: true });
    $("latest").addEventListener("click", () => this.follow());
    $("start-over").addEventListener("click", () => ($("menu").hidePopover(), $("confirm").showModal()));
    $("confirm").addEventListener("close", () => {
      if ($("confirm").returnValue === "yes") talk.startOver();
      $("confirm").returnValue = "";
    });
    $("again").addEventListener("click", () => (talk.phase === "ended" ? talk.startOver() : talk.renew()));
    $("retry").addEventListener("click", () => talk.renew());
    WIDE.addEventListener("change", () => this.spread());
    new ResizeObserver(() => this.sticks && this.follow()).observe($("scroll"));
    addEventListener("keydown", (event) => this.escape(event));
    this.spread();
  }

  /** Esc closes what is open, and the widget last. @param {KeyboardEvent} event */
  escape(event) {
    if (event.key === "Escape" && !event.isComposing && !event.defaultPrevented && !document.querySelector(":popover-open, dialog[open]")) this.host.tell("close");
  }

  send() {
    const words = $("words");
    if (!words.value.trim()) return;
    this.talk.say(words.value);
    words.value = "";
    this.sticks = true;
    this.weigh();
  }

  weigh() {
    $("send").disabled = !$("words").value.trim();
  }

  /** Beside the talk there is room for the panel; above it, it folds. */
  spread() {
    $("panel").open = WIDE.matches;
    $("panel").firstElementChild.tabIndex = WIDE.matches ? -1 : 0;
  }

  look() {
    const { scrollTop, scrollHeight, clientHeight } = $("scroll");
    this.sticks = scrollHeight - clientHeight - scrollTop < 48;
    $("latest").hidden = this.sticks;
  }

  follow() {
    $("scroll").scrollTop = $("scroll").scrollHeight;
  }

  /** @param {Talk} talk */
  render(talk) {
    const { view, phase } = talk;
    if (view.replayed >= 0) this.speak(view.language);
    document.body.dataset.phase = phase;
    this.transcript?.render(view);
    this.panel?.render(view);
    this.dress(view.settings);
    this.tellState(phase);
    this.tellProgress(view, phase);
    this.tellTrouble(talk);
    $("thinking").hidden = phase !== "live" || !awaited(view);
    $("more").hidden = !talk.canStartOver || view === EMPTY;
    this.tellEnd(talk);
    if (this.sticks) this.follow();
    this.welcome(phase);
  }

  /** The first time there is something to answer to, the cursor stands where the answer goes. @param {string} phase */
  welcome(phase) {
    if (phase !== "live" || this.welcomed) return;
    this.welcomed = true;
    if (this.display !== "compact" && !TOUCH.matches) $("words").focus();
  }

  /** Name, notice, colour and logo of the template. @param {Record<string, any>} settings */
  dress(settings) {
    if (settings === this.dressed) return;
    this.dressed = settings;
    const { notice, name, brand = {} } = settings;
    const { text, url } = typeof notice === "object" && notice ? { text: notice.text, url: notice.privacy_url ?? notice.url } : { text: notice, url: null };
    $("name").textContent = document.title = name || this.labels?.title;
    $("notice-text").textContent = text || this.labels?.notice;
    $("privacy").hidden = !/^https?:\/\//i.test(url ?? "");
    if (!$("privacy").hidden) $("privacy").href = url;
    if (COLOR.test(brand.color ?? "")) document.documentElement.style.setProperty("--brand", brand.color);
    if (LOGO.test(brand.logo ?? "")) {
      document.querySelector("header .mark")?.replaceChildren(Object.assign(new Image(), { src: brand.logo, alt: "" }));
    }
    this.tellChrome();
  }

  /** A short cut passes without a word. @param {string} phase */
  tellState(phase) {
    if (phase === this.phase) return;
    this.phase = phase;
    clearTimeout(this.stateTimer);
    const labels = /** @type {Record<string, string>} */ (this.labels);
    const words = { connecting: labels.connecting, live: labels.assistant, cut: labels.reconnecting, ended: labels.ended, failed: "" };
    const show = () => {
      document.body.dataset.state = phase;
      $("status").textContent = words[/** @type {keyof typeof words} */ (phase)];
    };
    if (phase === "cut") this.stateTimer = setTimeout(show, SEAMLESS_MS);
    else show();
  }

  /** The panel has its place before anything is known, so that nothing moves when it is. @param {import("./view.js").State} view @param {string} phase */
  tellProgress({ goals, replayed }, phase) {
    const done = goals.filter((goal) => goal.status === "committed").length;
    const known = replayed >= 0;
    $("panel").hidden = goals.length === 0 && (known || phase === "failed");
    $("panel-progress").value = goals.length ? done / goals.length : 0;
    $("panel-count").textContent = known ? filled(this.labels?.progress ?? "", { done, all: goals.length }) : "";
  }

  /** An end stands where one would write, and leaves the last words readable: of the conversation, or of this visit alone. @param {Talk} talk */
  tellEnd(talk) {
    const labels = /** @type {Record<string, string>} */ (this.labels);
    const ended = talk.phase === "ended";
    $("composer").hidden = ended || talk.expired;
    $("done").hidden = !$("composer").hidden;
    const expired = talk.brief?.join ? labels.expiredLink : labels.expired;
    $("done-text").textContent = talk.expired ? expired : labels.endedNote;
    $("again").textContent = talk.expired ? labels.retry : labels.again;
    $("again").hidden = !talk.canStartOver;
  }

  /** What stops the talk stands in its place; what does not is a hint that goes away. @param {Talk} talk */
  tellTrouble({ phase, fault, expired }) {
    const failed = phase === "failed" && !expired;
    $("trouble").hidden = !failed;
    $("talk").hidden = failed;
    if (failed) this.tellFailure(fault?.error ?? "");
    else if (fault && !expired && fault !== this.hinted) {
      const { error, message, seconds } = /** @type {{error: string, message: string, seconds?: number}} */ (fault);
      this.hint(error === "rate_limited" && seconds && this.labels ? filled(this.labels.busy, { seconds }) : message);
    }
    this.hinted = fault;
  }

  /** @param {string} error */
  tellFailure(error) {
    const labels = /** @type {Record<string, string>} */ (this.labels);
    const used = error === "unauthorized" && !this.talk.canStartOver;
    $("trouble-title").textContent = labels.failedTitle;
    $("trouble-text").textContent = used ? labels.used : labels.failed;
    $("trouble-code").textContent = error;
    $("retry").hidden = used;
  }

  /** @param {string} text */
  hint(text) {
    $("hint").textContent = text;
    $("hint").hidden = false;
    clearTimeout(this.hintTimer);
    this.hintTimer = setTimeout(() => ($("hint").hidden = true), HINT_MS);
  }
}
