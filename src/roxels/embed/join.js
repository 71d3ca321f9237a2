/**
 * The page behind a join link, `/join/i/<interview>#<secret>`: the same app, with a door in front of it.
 *
 * The secret stands after `#`, so it reaches no server and no log. It lets one browser in, once; therefore only a press of the button
 * spends it: a mail scanner that opens the link presses nothing. It leaves the address at once and stays in this tab, for a reload.
 */
import { directionOf, labelsFor } from "./labels.js";
import { createScreen } from "./screen.js";
import { Talk } from "./talk.js";

const KEPT = "roxels.join";
const interview = location.pathname.split("/").at(-1) ?? "";

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);

/** What this tab was let in with. @param {string | null} [secret] null: it is of no use any more */
function kept(secret) {
  try {
    if (secret) sessionStorage.setItem(KEPT, `${interview}#${secret}`);
    else if (secret === null) sessionStorage.removeItem(KEPT);
    const [id, known] = (sessionStorage.getItem(KEPT) ?? "").split("#");
    return id === interview ? known : "";
  } catch {
    return ""; // storage is off: a reload asks for a new link
  }
}

/** @param {string} secret */
function enter(secret) {
  let drawn = 0;
  const nobody = { tell() {}, ask: async () => undefined, on() {}, connect() {}, close() {} };
  const changed = () => {
    drawn ||= requestAnimationFrame(() => {
      drawn = 0;
      screen.render(talk);
    });
  };
  const talk = new Talk({ host: nobody, key: null, origin: location.origin, changed });
  const screen = createScreen({ talk, host: nobody, display: "page" });
  addEventListener("pagehide", () => talk.rest());
  addEventListener("pageshow", () => talk.nudge());
  addEventListener("online", () => talk.back());
  document.addEventListener("visibilitychange", () => document.hidden || talk.nudge());
  $("door").hidden = true;
  document.body.dataset.phase = "connecting";
  history.replaceState(null, "", location.pathname);
  kept(secret);
  talk.start({ join: { interview_id: interview, join_secret: secret }, person: {} }).catch(() => kept(null));
}

function knock() {
  const labels = labelsFor(navigator.language);
  const secret = location.hash.slice(1);
  document.documentElement.lang = navigator.language;
  document.documentElement.dir = directionOf(navigator.language);
  for (const [id, text] of Object.entries({ "door-title": labels.doorTitle, "door-text": secret ? labels.doorText : labels.used, enter: labels.enter })) $(id).textContent = text;
  document.title = labels.title;
  document.body.dataset.phase = "door";
  $("door").hidden = false;
  $("enter").hidden = !secret;
  $("enter").addEventListener("click", () => enter(secret), { once: true });
  $("enter").focus();
}

const before = kept();
if (before && !location.hash) enter(before);
else knock();
addEventListener("hashchange", () => location.reload()); // another link of the same conversation
