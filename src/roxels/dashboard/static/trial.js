// What is tried is what stands in the editor. What is kept nowhere yet is kept as a draft first, since a talk stands on a
// version; it begins on the page of that draft, or does not, where that page tells what is wrong with it.
import { isUnkept } from "./typed.js";

/** Where it stands, on the way to that page, as whom the talk shall be. */
const WHOM = "roxels.trial";

/** @param {HTMLFormElement} form that opens the talk @param {HTMLTextAreaElement} text */
export function tryWhatIsWritten(form, text) {
  const design = /** @type {HTMLFormElement} */ (text.form);
  const whom = /** @type {HTMLInputElement} */ (form.elements.namedItem("external_id"));
  /** @type {HTMLButtonElement | null} */
  const keep = design.querySelector('button[value="trial"]');
  const parts = /** @type {NodeListOf<HTMLElement>} */ (form.parentElement?.querySelectorAll("[data-when]"));

  /** Says what would be tried now. */
  function tell() {
    const now = isUnkept(text) ? "changed" : "kept";
    for (const part of parts) part.hidden = part.dataset.when !== now;
  }

  for (const type of ["input", "change", "click"]) design.addEventListener(type, tell);
  addEventListener("pageshow", tell);
  tell();

  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented || !isUnkept(text)) return;
    event.preventDefault();
    sessionStorage.setItem(WHOM, whom.value);
    design.requestSubmit(keep);
  });

  const given = sessionStorage.getItem(WHOM);
  if (given === null) return;
  sessionStorage.removeItem(WHOM);
  whom.value = given;
  if (form.dataset.trial !== "begin") return;
  form.requestSubmit();
  form.parentElement?.scrollIntoView();
}
