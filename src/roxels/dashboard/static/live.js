// A conversation as it goes on. The server draws every finished entry and the panels; only the words of the answer under
// way are written here, as text.
import { offerCopying } from "./copy.js";
import { tellTimes } from "./times.js";

/**
 * What the server sends. `said` is the answer under way.
 * @typedef {{entries: string, said: {id: string, text: string} | null, panels?: string, head: number}} News
 */

/** @param {string} id @returns {HTMLElement} a part that every such page has */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** So many pixels below the view are still at the end, and so many stay free under it. */
const NEAR = 120;
const UNDER = 48;

/** Follow the conversation at `root.dataset.live`. @param {HTMLElement} root */
export function goLive(root) {
  const timeline = part("timeline");
  const panels = part("panels");
  const connection = part("connection");
  const latest = part("latest");
  const end = part("end");
  /** @type {EventSource | undefined} */
  let source;
  const address = new URL(root.dataset.live ?? "", location.href);
  let isOver = false;
  // Not the address of this page: that may be the one of a form that was sent.
  const page = root.dataset.page ?? "";

  /** @param {News} frame */
  function take(frame) {
    const isFollowed = isInView(end);
    if (frame.entries.trim()) addEntries(timeline, frame.entries);
    grow(timeline, frame.said);
    if (frame.panels) replacePanels(panels, frame.panels);
    address.searchParams.set("after", String(frame.head));
    if (timeline.querySelector(".words")) document.getElementById("silence")?.remove();
    if (isFollowed) goTo(end);
    offerLatest();
  }

  function open() {
    const opened = (source = new EventSource(address));
    opened.onopen = () => tell("");
    opened.onmessage = (event) => take(JSON.parse(event.data));
    opened.onerror = () => {
      if (!isOver) tell("The line is cut; trying again …");
      if (opened.readyState === EventSource.CLOSED) setTimeout(lookAgain, 3000);
    };
    opened.addEventListener("over", () => {
      isOver = true;
      opened.close();
      for (const each of document.querySelectorAll("[data-while-open]")) each.remove();
    });
    opened.addEventListener("gone", () => {
      isOver = true;
      opened.close();
      location.replace(page); // says that there is nothing any more
    });
  }

  function reopen() {
    source?.close();
    open();
  }

  /** The server refused: signed out, erased, or not well. */
  async function lookAgain() {
    if (document.hidden || isOver) return;
    const answer = await fetch(page, { cache: "no-store" }).catch(() => null);
    if (answer?.redirected || answer?.status === 404) location.replace(page);
    else reopen();
  }

  /** @param {string} text how the line is; nothing where it is well */
  function tell(text) {
    connection.textContent = text;
    connection.hidden = !text;
  }

  function offerLatest() {
    latest.hidden = below(end) <= NEAR;
  }

  // A page that nobody looks at keeps no line open.
  document.addEventListener("visibilitychange", () => {
    if (isOver) return;
    if (document.hidden) source?.close();
    else reopen();
  });
  addEventListener("scroll", offerLatest, { passive: true });
  latest.addEventListener("click", (event) => {
    event.preventDefault();
    goTo(end, "smooth");
  });
  open();
  offerLatest();
}

/** How far the end of the words lies below what is in view: what stands beside them may stand under them. @param {Element} end */
const below = (end) => end.getBoundingClientRect().bottom - innerHeight;

/** Whether one looks at the end of the words, or nearly. @param {Element} end */
const isInView = (end) => below(end) <= NEAR && end.getBoundingClientRect().bottom > 0;

/** Down to the end of the words, never up. @param {Element} end @param {ScrollBehavior} [behavior] */
function goTo(end, behavior = "auto") {
  const by = below(end) + UNDER;
  if (by > 0) scrollBy({ top: by, behavior });
}

/** Put new entries at the end; an answer that is over takes the place of its growing words. @param {Element} timeline @param {string} html */
function addEntries(timeline, html) {
  const drawn = parsed(html);
  tellTimes(drawn);
  for (const entry of [...drawn.querySelectorAll("li[data-seq]")]) {
    const shown = document.getElementById(entry.id);
    if (shown) shown.replaceWith(entry);
    else timeline.insertBefore(entry, timeline.querySelector(".growing"));
  }
}

/** The words of the answer under way. @param {Element} timeline @param {News["said"]} said */
function grow(timeline, said) {
  let growing = timeline.querySelector(".growing");
  if (growing && growing.id !== `m-${said?.id}`) {
    growing.remove();
    growing = null;
  }
  if (!said) return;
  if (!growing) {
    growing = document.createElement("li");
    growing.id = `m-${said.id}`;
    growing.className = "words agent growing";
    const text = document.createElement("p");
    text.dir = "auto";
    growing.append(text);
    timeline.append(growing);
  }
  const text = growing.querySelector("p");
  if (text && text.textContent !== said.text) text.textContent = said.text;
}

/**
 * Put panels in place that changed; what was folded open stays open, and one that is being used stays as it is.
 * @param {Element} panels
 * @param {string} html
 */
function replacePanels(panels, html) {
  const drawn = parsed(html);
  tellTimes(drawn);
  offerCopying(drawn);
  for (const next of /** @type {HTMLElement[]} */ ([...drawn.querySelectorAll("section[data-key]")])) {
    const shown = panels.querySelector(`section${keyed(next)}`);
    for (const details of /** @type {NodeListOf<HTMLDetailsElement>} */ (next.querySelectorAll("details[data-key]"))) {
      const before = /** @type {HTMLDetailsElement | null | undefined} */ (shown?.querySelector(`details${keyed(details)}`));
      if (before) details.open = before.open;
    }
    if (!shown) panels.append(next);
    else if (shown.innerHTML !== next.innerHTML && !shown.contains(document.activeElement)) shown.replaceWith(next);
  }
}

/** Finds what has the same key. @param {HTMLElement} element */
const keyed = (element) => `[data-key="${CSS.escape(element.dataset.key ?? "")}"]`;

/** @param {string} html of our own server */
function parsed(html) {
  return document.importNode(new DOMParser().parseFromString(html, "text/html").body, true);
}
