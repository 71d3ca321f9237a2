// The live parts of the pages. Each works on what it finds; without script every page still shows all it has.
import { askBeforeSending } from "./ask.js";
import { offerCopying } from "./copy.js";
import { design } from "./design.js";
import { goLive } from "./live.js";
import { keepFresh } from "./refresh.js";
import { tellTimes } from "./times.js";

offerCopying(document);
tellTimes(document);
askBeforeSending(document);

const refreshed = document.querySelector("[data-refresh]");
if (refreshed) keepFresh(refreshed);

const live = document.querySelector("[data-live]");
if (live) goLive(live);

const form = document.querySelector("[data-design]");
if (form) design(form, document.getElementById("text"), document.querySelector("details.json"));

// What opens a talk opens it beside the form; without script it has a tab of its own.
for (const form of document.querySelectorAll("form[data-beside]")) {
  form.target = form.dataset.beside;
  form.addEventListener("submit", () => (document.getElementById(form.dataset.beside).hidden = false));
}

// A code behind `#` goes into its field, and out of the address.
const code = document.querySelector('input[name="code"]');
if (code && location.hash.length > 1) {
  code.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  document.querySelector('input[name="email"]').focus();
}

// "/" goes to the search.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const field = document.querySelector(`input[data-key="${CSS.escape(event.key)}"]`);
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
});

// The account menu closes like a menu.
const menu = document.querySelector("details.menu");
if (menu) {
  document.addEventListener("click", (event) => menu.contains(event.target) || (menu.open = false));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
