// Lists that stay true while one looks at them: the page is asked for again, and what changed in it is put in place.
import { offerCopying } from "./copy.js";
import { tellTimes } from "./times.js";

const EVERY = 4000;

/** Keep the parts (`data-part`) of `root` as the server has them. @param {Element} root */
export function keepFresh(root) {
  let etag = "";
  async function look() {
    try {
      if (!document.hidden) etag = await fresh(root, etag);
    } finally {
      setTimeout(look, EVERY);
    }
  }
  setTimeout(look, EVERY);
}

/** Asks once. @param {Element} root @param {string} etag of what stands there @returns {Promise<string>} of what stands there now */
async function fresh(root, etag) {
  /** @type {HeadersInit} */
  const headers = etag ? { "If-None-Match": etag } : {};
  const answer = await fetch(location.href, { headers, cache: "no-store" }).catch(() => null);
  if (!answer || answer.status === 304) return etag;
  if (answer.redirected || answer.status === 404) {
    location.reload(); // signed out, or erased meanwhile
    return etag;
  }
  if (!answer.ok) return etag;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  // What a question is about must not be replaced while it is open: the form behind it would be gone.
  if (document.querySelector("dialog[open]")) return etag;
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-part]"))) {
    const next = page.querySelector(`[data-part="${CSS.escape(part.dataset.part ?? "")}"]`);
    if (!next || isInUse(part)) continue;
    const drawn = document.importNode(next, true);
    tellTimes(drawn);
    offerCopying(drawn);
    if (drawn.innerHTML !== part.innerHTML) part.replaceWith(drawn);
  }
  return answer.headers.get("ETag") ?? "";
}

/** Whether somebody is at it: a field or link in it has the focus, or text in it is selected. @param {Element} part */
function isInUse(part) {
  const selection = getSelection();
  return part.contains(document.activeElement) || (selection !== null && !selection.isCollapsed && part.contains(selection.anchorNode));
}
