// Buttons that copy. They are hidden in the page as it is sent, since without script they could do nothing.

/** Show the copy buttons below `root`. @param {ParentNode} root */
export function offerCopying(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button.copy[hidden]")) button.removeAttribute("hidden");
}

document.addEventListener("click", async (event) => {
  /** @type {HTMLButtonElement | null} */
  const button = /** @type {Element} */ (event.target).closest("button.copy");
  if (!button) return;
  const source = button.dataset.copyFrom;
  const text = (source ? document.getElementById(source)?.textContent : button.dataset.copy) ?? "";
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    said = "Not allowed";
  }
  button.textContent = said;
  setTimeout(() => (button.textContent = "Copy"), 1500);
});
