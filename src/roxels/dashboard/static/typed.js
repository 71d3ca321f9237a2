// What was typed at length is sent only while it would arrive: a sign-in that has run out, or a server that is away, would
// answer with another page, and it would be gone. Without script the form is simply sent.

/** @typedef {{csrf: string, environment: string}} Here who is signed in: what their forms carry, and which side they look at */

const SIGNED_OUT = "You are signed out by now. What you wrote stays here: sign in, come back to this page, and send it again.";
const UNREACHED = "The server cannot be reached. What you wrote stays here: send it again in a moment.";

/** Look before sending the forms below `root` whose words would be missed (`data-typed`: the environment that they belong to). @param {Document} root */
export function keepTyped(root) {
  root.addEventListener("submit", hold, true);
}

/** Whether what stands in `text` is kept nowhere: it is not what was loaded, or it was refused (`data-unkept`). @param {HTMLTextAreaElement} text */
export function isUnkept(text) {
  return Boolean(text.form?.dataset.unkept) || text.value !== text.defaultValue;
}

/**
 * Ask before the page goes while what stands in `text` is kept nowhere. What is on its way to the server is not asked about.
 * @param {HTMLTextAreaElement} text
 */
export function askBeforeLeaving(text) {
  const { form } = text;
  let isSent = false;
  form?.addEventListener("submit", (event) => (isSent = !event.defaultPrevented));
  addEventListener("pageshow", () => (isSent = false));
  addEventListener("beforeunload", (event) => {
    if (!isSent && isUnkept(text)) event.preventDefault();
  });
}

/** @param {SubmitEvent} event */
function hold(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.dataset.typed) return;
  if (form.dataset.looked) return void delete form.dataset.looked;
  event.preventDefault();
  look(form, event.submitter);
}

/** @param {HTMLFormElement} form @param {HTMLElement | null} button */
async function look(form, button) {
  const answer = await fetch("/dashboard/here", { redirect: "manual", cache: "no-store" }).catch(() => null);
  if (!answer) return tell(form, UNREACHED);
  if (!answer.ok) return tell(form, SIGNED_OUT, { href: "/dashboard/login", text: "Sign in" });
  const { csrf, environment } = /** @type {Here} */ (await answer.json());
  if (environment !== form.dataset.typed) return tell(form, `You look at ${environment} by now, and this belongs to ${form.dataset.typed}. What you wrote stays here: switch back in another tab, and send it again.`);
  form.querySelector(".typed")?.remove();
  /** @type {HTMLInputElement} */ (form.elements.namedItem("csrf")).value = csrf;
  form.dataset.looked = "yes";
  form.requestSubmit(button);
}

/** @param {HTMLFormElement} form @param {string} said @param {{href: string, text: string}} [way] out of it, in a tab of its own */
function tell(form, said, way) {
  form.querySelector(".typed")?.remove();
  const words = document.createElement("p");
  words.className = "fault typed";
  words.setAttribute("role", "alert");
  words.append(said);
  if (way) words.append(" ", Object.assign(document.createElement("a"), { target: "_blank", rel: "noopener", href: way.href, textContent: way.text }));
  form.append(words);
}
