/**
 * What Roxels draws on the host page: the dialog around the frame, and the launcher. `embed.js` fetches this module when something is
 * to be drawn; a page that uses `display: "none"` and no launcher never does.
 *
 * Everything stands in a shadow root, so that the host's styles do not reach it; the sheet is a constructed one, which passes the
 * host's `style-src`. `--roxels-accent` on the page colours the launcher.
 */

import { makeCompact } from "./compact.js";

const STYLE = `
:host { all: initial; color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; --paper: light-dark(#fff, #17191c); --ink: light-dark(#1c2024, #eceef0); }
dialog {
  position: fixed; inset: 0; z-index: 2147483000; box-sizing: border-box; margin: auto; padding: 0; border: 0; overflow: hidden;
  width: min(920px, 100% - 48px); height: min(680px, 100% - 48px); max-width: none; max-height: none;
  border-radius: 18px; background: var(--paper); color: var(--ink); overscroll-behavior: contain;
  box-shadow: 0 0 0 1px light-dark(#0000, #fff1), 0 24px 80px #0006; animation: rise .22s ease-out;
}
dialog::backdrop { background: #0b0e10a6; animation: fade .22s; }
dialog[data-roxels=compact] { width: min(400px, 100% - 40px); height: min(620px, 100% - 40px); margin: auto 20px 20px auto; }
iframe { display: block; width: 100%; height: 100%; border: 0; opacity: 0; transition: opacity .15s; color-scheme: light dark; }
[data-state=open] iframe { opacity: 1; }
p { position: absolute; inset: 42% 32px auto; margin: 0; text-align: center; color: color-mix(in srgb, var(--ink), transparent 30%); }
[data-state=loading] p::before {
  content: ""; display: block; width: 22px; height: 22px; margin: 0 auto; border-radius: 50%;
  border: 2px solid; border-right-color: #0000; animation: spin .9s linear infinite;
}
[data-state=open] p { display: none; }
button { all: unset; box-sizing: border-box; cursor: pointer; color: var(--ink); }
button:focus-visible { outline: 2px solid currentcolor; outline-offset: 2px; }
[data-roxels=close] {
  position: absolute; inset-block-start: 12px; inset-inline-end: 12px; width: 36px; height: 36px; padding: 11px; border-radius: 10px;
  background: linear-gradient(45deg, #0000 47%, currentcolor 47% 53%, #0000 53%) content-box,
    linear-gradient(-45deg, #0000 47%, currentcolor 47% 53%, #0000 53%) content-box;
}
[data-roxels=close]:hover { background-color: #8883; }
[data-roxels=minimise] {
  position: absolute; inset-block-start: 12px; inset-inline-end: 52px; width: 36px; height: 36px; padding: 11px; border-radius: 10px;
  background: linear-gradient(#0000 46%, currentcolor 46% 54%, #0000 54%) content-box;
}
[data-roxels=minimise]:hover { background-color: #8883; }
[data-roxels=grip] { position: absolute; inset-block-start: 0; inset-inline: 0 130px; height: 60px; cursor: grab; touch-action: none; border-radius: 18px; }
[data-roxels=grip]:focus-visible { outline-offset: -6px; }
[data-roxels=grip]:active, [data-roxels=orb]:active { cursor: grabbing; }
[data-roxels=orb] {
  display: none; position: absolute; inset: 0; touch-action: none; border-radius: 50%; background: var(--roxels-accent, var(--color, #2f5d50));
}
[data-roxels=orb]::before { content: ""; position: absolute; inset: 19px; border-radius: 50% 50% 50% 3px; background: var(--on-accent, #fff); }
[data-roxels=orb][data-news]::after {
  content: ""; position: absolute; inset: 2px 2px auto auto; width: 14px; height: 14px; border-radius: 50%; background: #e5484d; border: 2px solid var(--paper);
}
[data-roxels=orb]:focus-visible { outline: 3px solid var(--paper); outline-offset: -6px; }
dialog[data-folded] { width: 60px; height: 60px; border-radius: 50%; overflow: visible; animation: none; }
[data-folded] > * { display: none; }
[data-folded] > [data-roxels=orb] { display: block; }
[data-roxels=fab] {
  position: fixed; inset: auto 24px 24px auto; z-index: 2147483000; display: inline-flex; gap: 10px; align-items: center;
  padding: 13px 20px; border-radius: 99px; font-weight: 600; color: var(--on-accent, #fff);
  background: var(--roxels-accent, var(--color, #2f5d50)); box-shadow: 0 8px 28px #0004; transition: translate .15s;
}
[data-roxels=fab]:hover { translate: 0 -2px; }
[data-roxels=fab]:focus-visible { outline-color: var(--ink); }
[data-place=bottom-left] { inset: auto auto 24px 24px; }
[data-place=inside] { position: static; }
@media (width < 560px) { dialog[data-roxels=modal] { width: 100%; height: 100%; border-radius: 0; } }
@media (prefers-reduced-motion: reduce) { *, ::before, ::backdrop { animation: none !important; transition: none !important; } }
@keyframes rise { from { opacity: 0; translate: 0 14px; } }
@keyframes fade { from { opacity: 0; } }
@keyframes spin { to { rotate: 1turn; } }
`;

/** @param {string} tag @param {string} name @param {Record<string, string>} [attributes] */
function make(tag, name, attributes = {}) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.dataset.roxels = name;
  return element;
}

/** @param {string} name @param {Element} inside */
function shadowed(name, inside) {
  const host = make("div", name);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [sheet];
  root.append(inside);
  return host;
}

/**
 * Puts the frame on the page in a dialog: `modal` (the browser makes the rest inert, traps and gives back the focus) or `compact`
 * (the page stays usable).
 * @param {{frame: HTMLIFrameElement, display: "modal" | "compact", close: () => void, signal: AbortSignal,
 *   on: (event: string, callback: (payload: any) => void) => () => void}} options `on`: what happens in the talk
 */
export function openBox({ frame, display, close, signal, on }) {
  const box = /** @type {HTMLDialogElement} */ (make("dialog", display, { "data-state": "loading", "aria-label": "Conversation" }));
  const button = make("button", "close", { type: "button", "aria-label": "Close" });
  const note = make("p", "note", { role: "alert" });
  const host = shadowed("widget", box);
  button.addEventListener("click", close, { signal });
  box.addEventListener("cancel", (event) => (event.preventDefault(), close()), { signal });
  box.append(frame, note);
  const compact = display === "compact" ? makeCompact({ box, frame, signal, make, on }) : null;
  box.append(button);
  document.body.append(host);
  if (compact) box.show(), compact.show();
  else box.showModal();
  return {
    /** The frame has said hello. */
    open() {
      box.dataset.state = "open";
      if (display === "modal") frame.focus();
    },
    /** It never did. */
    stuck() {
      box.dataset.state = "stuck";
      note.textContent = "This conversation could not be loaded. Please try again later.";
    },
    /** In the language and colour of the conversation. @param {Record<string, string>} labels */
    label(labels) {
      paint(host, labels.color);
      compact?.label(labels);
      frame.title = box.ariaLabel = labels.title;
      button.setAttribute("aria-label", labels.close);
      box.dir = labels.dir;
    },
    hide() {
      compact?.leave();
      box.close(); // gives the focus back
    },
    remove: () => host.remove(),
  };
}

/**
 * Does a view match the template's rules? A rule is an exact name, or ends in `*`. What is excluded stays out.
 * @param {string} view @param {{include?: string[], exclude?: string[]}} [visibility]
 */
function inView(view, { include = [], exclude = [] } = {}) {
  const hit = (/** @type {string} */ rule) => (rule.endsWith("*") ? view.startsWith(rule.slice(0, -1)) : view === rule);
  return !exclude.some(hit) && (!include.length || include.some(hit));
}

/** Black or white, whichever reads better on a `#rgb` or `#rrggbb`. @param {string} color */
function inkOn(color) {
  const digits = color.length === 4 ? color.slice(1).replace(/./g, "$&$&") : color.slice(1);
  const [red, green, blue] = [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16));
  return red * 0.299 + green * 0.587 + blue * 0.114 > 150 ? "#111" : "#fff";
}

/** @param {HTMLElement} host @param {string | null} [color] */
function paint(host, color) {
  if (!/^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(color ?? "")) return;
  host.style.setProperty("--color", color ?? "");
  host.style.setProperty("--on-accent", inkOn(color ?? ""));
}

/** The launcher goes while the widget is open; whoever pressed it finds the focus on it when it is back. @type {AbortSignal | null} */
let pressed = null;

/**
 * The launcher: a button that floats on the page, or stands inside an element of it. Undefined where the rules keep it out.
 * @param {{config: Record<string, any>, forced: object | false | null, view: string}} launcher `forced`: it shows whatever the rules say, and so
 * @param {{fabAnchor?: string | Element, fabContainer?: string | Element}} settings
 * @param {{press: () => void, signal: AbortSignal}} options
 */
export function drawFab({ config, forced, view }, { fabAnchor, fabContainer }, { press, signal }) {
  if (!(forced ?? inView(view, config.visibility))) return;
  const { label, icon, color, position = "bottom-right" } = /** @type {Record<string, string | undefined>} */ ({ ...config, ...forced });
  const place = fabContainer ?? fabAnchor;
  const inside = typeof place === "string" ? document.querySelector(place) : place;
  const button = make("button", "fab", { type: "button", "data-place": inside ? "inside" : position });
  const host = shadowed("launcher", button);
  if (icon) button.append(Object.assign(make("span", "icon", { "aria-hidden": "true" }), { textContent: icon }));
  button.append(label || "Talk to us");
  button.addEventListener("click", () => (pressed = signal, press()), { signal });
  paint(host, color);
  (inside ?? document.body).append(host);
  if (pressed === signal && document.activeElement === document.body) button.focus({ preventScroll: true });
  pressed = null;
  return host;
}
