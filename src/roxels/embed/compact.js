/**
 * The compact box: a person moves it by its grip (or with the arrow keys) and folds it to an orb; it comes back where it was left.
 * What is remembered is a place on the page, in its `localStorage`; it says nothing about anybody.
 */

const KEPT = "roxels.place";
const EDGE = 8;
const STEP = 24;
/** A press that moves less than this is a click. */
const STILL = 4;
const ARROWS = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] });

/** @returns {{right: number, bottom: number, folded: boolean}} pixels from the window's edges */
function recall() {
  try {
    const { right, bottom, folded } = JSON.parse(localStorage.getItem(KEPT) ?? "");
    return { right: Number(right) || EDGE, bottom: Number(bottom) || EDGE, folded: folded === true };
  } catch {
    return { right: 20, bottom: 20, folded: false };
  }
}

/** @param {object} place */
function remember(place) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(place));
  } catch {} // storage is off
}

/** @param {number} value @param {number} most */
const within = (value, most) => Math.max(EDGE, Math.min(value, most - EDGE));

/**
 * @param {{
 *   box: HTMLDialogElement, frame: HTMLIFrameElement, signal: AbortSignal,
 *   make: (tag: string, name: string, attributes?: Record<string, string>) => HTMLElement,
 *   on: (event: string, callback: (payload: any) => void) => () => void,
 * }} options
 */
export function makeCompact({ box, frame, signal, make, on }) {
  const place = recall();
  const grip = make("button", "grip", { type: "button", "aria-label": "Move" });
  const fold = make("button", "minimise", { type: "button", "aria-label": "Minimise" });
  const orb = make("button", "orb", { type: "button", "aria-label": "Open the conversation" });
  box.append(grip, fold, orb);

  function settle() {
    const { offsetWidth: width, offsetHeight: height } = box;
    box.style.setProperty("margin", "0");
    box.style.setProperty("inset", `auto ${within(place.right, innerWidth - width)}px ${within(place.bottom, innerHeight - height)}px auto`);
  }

  /** @param {number} across @param {number} down */
  function move(across, down) {
    place.right = within(place.right - across, innerWidth - box.offsetWidth);
    place.bottom = within(place.bottom - down, innerHeight - box.offsetHeight);
    settle();
  }

  /** @param {boolean} folded */
  function show(folded) {
    place.folded = folded;
    box.toggleAttribute("data-folded", folded);
    delete orb.dataset.news;
    settle();
    remember(place);
  }

  /** @param {HTMLElement} handle */
  function movesBy(handle) {
    let moved = 0;
    handle.addEventListener("pointerdown", ({ pointerId }) => ((moved = 0), handle.setPointerCapture(pointerId)), { signal });
    handle.addEventListener("pointermove", ({ pointerId, movementX, movementY }) => {
      if (!handle.hasPointerCapture(pointerId)) return;
      moved += Math.abs(movementX) + Math.abs(movementY);
      if (moved > STILL) move(movementX, movementY);
    }, { signal });
    handle.addEventListener("pointerup", () => remember(place), { signal });
    handle.addEventListener("keydown", (event) => {
      if (!ARROWS[event.key]) return;
      event.preventDefault();
      move(...ARROWS[event.key]);
      remember(place);
    }, { signal });
    return () => moved > STILL;
  }

  movesBy(grip);
  const wasMoved = movesBy(orb);
  fold.addEventListener("click", () => (show(true), orb.focus()), { signal });
  orb.addEventListener("click", ({ detail }) => {
    if (detail && wasMoved()) return;
    show(false);
    frame.focus();
  }, { signal });
  addEventListener("resize", settle, { signal });
  on("chat", ({ role, replayed }) => {
    if (place.folded && role === "agent" && !replayed) orb.dataset.news = "";
  });
  const leave = () => removeEventListener("resize", settle);
  return {
    show: () => show(place.folded),
    leave,
    /** @param {Record<string, string>} labels */
    label({ minimise, restore, move }) {
      for (const [button, text] of /** @type {[HTMLElement, string][]} */ ([[fold, minimise], [orb, restore], [grip, move]])) button.setAttribute("aria-label", text);
    },
  };
}
