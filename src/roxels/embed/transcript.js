/**
 * The messages on the screen. A message is one text node, and text is only ever added to it: what stands there is never replaced,
 * so that reading, selecting and a screen reader are not disturbed while an answer grows or after a connection was cut.
 * All text is text; nothing anyone says is read as HTML.
 */

/** @typedef {{item: HTMLElement, text: Text, shown: object | null}} Row */

/** @param {HTMLElement} list @param {{you: string, agent: string, waiting: string}} labels */
export function createTranscript(list, labels) {
  /** @type {Map<string, Row>} */
  const rows = new Map();

  /** @param {string} id @param {"agent" | "user"} role @returns {Row} */
  function newRow(id, role) {
    const item = document.createElement("li");
    const who = document.createElement("span");
    const said = document.createElement("p");
    const text = document.createTextNode("");
    item.className = role;
    item.dataset.waiting = labels.waiting;
    who.className = "unseen";
    who.textContent = role === "user" ? labels.you : labels.agent;
    said.dir = "auto";
    said.append(text);
    item.append(who, said);
    const row = { item, text, shown: null };
    rows.set(id, row);
    return row;
  }

  /** @param {Text} node @param {string} text */
  function grow(node, text) {
    if (text.startsWith(node.data)) node.appendData(text.slice(node.length));
    else node.data = text; // only where the server says something else than it did: what it says now holds
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
        grow(row.text, message.text);
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
