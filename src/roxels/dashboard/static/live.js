// A conversation as it goes on. The server draws every finished entry and the panels; only the words of the answer under
// way are written here, as text.
import { offerCopying } from "./copy.js";
import { tellTimes } from "./times.js";

/** Follow the conversation at `root.dataset.live`. */
export function goLive(root) {
  const timeline = document.getElementById("timeline");
  const panels = document.getElementById("panels");
  const connection = document.getElementById("connection");
  const latest = document.getElementById("latest");
  let source = null;
  let address = new URL(root.dataset.live, location.href);
  let isOver = false;
  // Not the address of this page: that may be the one of a form that was sent.
  const page = new URL(root.dataset.page, location.href);

  function take(frame) {
    const follow = isAtEnd();
    if (frame.entries.trim()) addEntries(timeline, frame.entries);
    grow(timeline, frame.said);
    if (frame.panels) replacePanels(panels, frame.panels);
    address.searchParams.set("after", frame.head);
    if (timeline.querySelector(".words")) document.getElementById("silence")?.remove();
    if (follow) scrollTo({ top: document.documentElement.scrollHeight });
    offerLatest();
  }

  function open() {
    source = new EventSource(address);
    source.onopen = () => tell("");
    source.onmessage = (event) => take(JSON.parse(event.data));
    source.onerror = () => {
      if (!isOver) tell("The line is cut; trying again …");
      if (source.readyState === EventSource.CLOSED) setTimeout(lookAgain, 3000);
    };
    source.addEventListener("over", () => {
      isOver = true;
      source.close();
      for (const each of document.querySelectorAll("[data-while-open]")) each.remove();
    });
    source.addEventListener("gone", () => {
      isOver = true;
      source.close();
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

  function tell(text) {
    connection.textContent = text;
    connection.hidden = !text;
  }

  function offerLatest() {
    latest.hidden = isAtEnd();
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
    scrollTo({ top: document.documentElement.scrollHeight, behavior: "smooth" });
  });
  open();
  offerLatest();
}

function isAtEnd() {
  return document.documentElement.scrollHeight - innerHeight - scrollY < 120;
}

/** Put new entries at the end; an answer that is over takes the place of its growing words. */
function addEntries(timeline, html) {
  const drawn = parsed(html);
  tellTimes(drawn);
  for (const entry of [...drawn.querySelectorAll("li[data-seq]")]) {
    const shown = document.getElementById(entry.id);
    if (shown) shown.replaceWith(entry);
    else timeline.insertBefore(entry, timeline.querySelector(".growing"));
  }
}

/** The words of the answer under way. */
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
  if (text.textContent !== said.text) text.textContent = said.text;
}

/** Put panels in place that changed; what was folded open stays open, and one that is being used stays as it is. */
function replacePanels(panels, html) {
  const drawn = parsed(html);
  tellTimes(drawn);
  offerCopying(drawn);
  for (const next of [...drawn.querySelectorAll("section[data-key]")]) {
    const shown = panels.querySelector(`section[data-key="${CSS.escape(next.dataset.key)}"]`);
    for (const details of next.querySelectorAll("details[data-key]")) {
      const before = shown?.querySelector(`details[data-key="${CSS.escape(details.dataset.key)}"]`);
      if (before) details.open = before.open;
    }
    if (!shown) panels.append(next);
    else if (shown.innerHTML !== next.innerHTML && !shown.contains(document.activeElement)) shown.replaceWith(next);
  }
}

function parsed(html) {
  return document.importNode(new DOMParser().parseFromString(html, "text/html").body, true);
}
