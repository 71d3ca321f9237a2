/**
 * The messages on the screen. Text is only ever added to a message: what stands there is never replaced, so that reading, selecting and
 * a screen reader are not disturbed while an answer grows or after a connection was cut. The agent's words have form (prose.js); the
 * participant's own stand as they were typed. Nothing anyone says is read as HTML.
 */
import { Prose } from "./prose.js";

/** @typedef {{item: HTMLElement, show: (text: string, whole: boolean) => void, shown: object | null}} Row */

/** @param {HTMLElement} list @param {{you: string, agent: string, waiting: string}} labels */
export function createTranscript(list, labels) {
  /** @type {Map<string, Row>} */
  const rows = new Map();

  /** @param {string} id @param {"agent" | "user"} role @returns {Row} */
  function newRow(id, role) {
    const item = document.createElement("li");
    const who = document.createElement("span");
    const said = document.createElement("div");
    item.className = role;
    item.dataset.waiting = labels.waiting;
    who.className = "unseen";
    who.textContent = role === "user" ? labels.you : labels.agent;
    said.className = "prose";
    item.append(who, said);
    const row = { item, show: role === "user" ? plainly(said) : formed(said), shown: null };
    rows.set(id, row);
    return row;
  }

  /** @param {Element} place */
  function formed(place) {
    const prose = new Prose(place);
    return (/** @type {string} */ text, /** @type {boolean} */ whole) => prose.grow(text, whole);
  }

  /** @param {Element} place */
  function plainly(place) {
    const line = document.createElement("p");
    line.dir = "auto";
    place.append(line);
    return (/** @type {string} */ text) => {
      if (line.textContent !== text) line.textContent = text; // it comes in one piece
    };
  }

  /** @param {import("./view.js").State} view */
  function inOrder({ messages, pending }) {
    const own = pending.map(({ id, text }) => ({ id, role: /** @type {const} */ ("user"), text, final: false, interrupted: false }));
    return [...messages.filter((message) => message.chars > 0), ...own];
  }

  return {
    /** @param {import("./view.js").State} view */
    render(view) {
      let place = list.firstElementChild;
      const seen = new Set();
      for (const message of inOrder(view)) {
        const row = rows.get(message.id) ?? newRow(message.id, message.role);
        seen.add(message.id);
        if (row.item === place) place = place.nextElementSibling;
        else list.insertBefore(row.item, place);
        if (row.shown === message) continue;
        row.shown = message;
        row.show(message.text, message.final);
        row.item.classList.toggle("growing", message.role === "agent" && !message.final);
        row.item.classList.toggle("interrupted", message.interrupted);
        row.item.classList.toggle("pending", message.role === "user" && !message.final);
      }
      for (const [id, row] of rows) {
        if (seen.has(id)) continue;
        row.item.remove();
        rows.delete(id);
      }
      list.ariaBusy = String(view.messages.at(-1)?.final === false);
    },
  };
}
