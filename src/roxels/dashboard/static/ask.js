// One question before what cannot be taken back. Without script the form is simply sent.

/** Ask before sending the forms below `root` that carry a question. @param {Document} root */
export function askBeforeSending(root) {
  root.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (!form.dataset.ask || form.dataset.asked) return;
    event.preventDefault();
    ask(form);
  });
}

/** @param {HTMLFormElement} form */
function ask(form) {
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  const dialog = document.createElement("dialog");
  const question = document.createElement("p");
  question.textContent = form.dataset.ask ?? "";
  question.id = "question";
  dialog.setAttribute("aria-labelledby", question.id);
  const keep = document.createElement("button");
  keep.textContent = "Cancel";
  const go = document.createElement("button");
  go.textContent = button.textContent;
  go.className = "strong danger";
  const actions = document.createElement("div");
  actions.className = "actions";
  actions.append(keep, go);
  dialog.append(question, actions);
  keep.addEventListener("click", () => dialog.close());
  go.addEventListener("click", () => {
    form.dataset.asked = "yes";
    dialog.close();
    form.requestSubmit(button);
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  keep.focus();
}
