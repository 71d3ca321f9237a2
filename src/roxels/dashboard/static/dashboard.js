// The live parts of the pages. Each works on what it finds; without script every page still shows all it has.
import { askBeforeSending } from "./ask.js";
import { offerCopying } from "./copy.js";
import { design } from "./design.js";
import { goLive } from "./live.js";
import { keepFresh } from "./refresh.js";
import { tellTimes } from "./times.js";
import { tryWhatIsWritten } from "./trial.js";
import { askBeforeLeaving, keepTyped } from "./typed.js";

offerCopying(document);
tellTimes(document);
askBeforeSending(document);
keepTyped(document);

const refreshed = document.querySelector("[data-refresh]");
if (refreshed) keepFresh(refreshed);

/** @type {HTMLElement | null} */
const live = document.querySelector("[data-live]");
if (live) goLive(live);

/** @type {HTMLElement | null} */
const place = document.querySelector("[data-design]");
/** @type {HTMLTextAreaElement | null} */
const text = document.querySelector("textarea#text");
/** @type {HTMLDetailsElement | null} */
const json = document.querySelector("details.json");
if (text) askBeforeLeaving(text);
if (place && text && json) design(place, text, json);
/** @type {HTMLFormElement | null} */
const trial = document.querySelector("form[data-trial]");
if (trial && text) tryWhatIsWritten(trial, text);

// What opens a talk opens it beside the form; without script it has a tab of its own.
for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-beside]"))) {
  const { beside = "" } = form.dataset;
  form.target = beside;
  form.addEventListener("submit", (event) => event.defaultPrevented || document.getElementById(beside)?.removeAttribute("hidden"));
}

// A code behind `#` goes into its field, and out of the address.
const code = input('input[name="code"]');
if (code && location.hash.length > 1) {
  code.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  input('input[name="email"]')?.focus();
}

// "/" goes to the search.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/** @type {Element} */ (event.target).closest("input, textarea, select")) return;
  const field = input(`input[data-key="${CSS.escape(event.key)}"]`);
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
});

// The account menu closes like a menu.
/** @type {HTMLDetailsElement | null} */
const menu = document.querySelector("details.menu");
if (menu) {
  document.addEventListener("click", (event) => menu.contains(/** @type {Node} */ (event.target)) || (menu.open = false));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
}

/** @param {string} selector @returns {HTMLInputElement | null} */
function input(selector) {
  return document.querySelector(selector);
}
