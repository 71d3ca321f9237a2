/** The goals and what was captured for them, each value correctable in place. */
import { filled } from "./labels.js";

/**
 * @typedef {import("./view.js").Field} Field
 * @typedef {Record<string, string>} Labels
 * @typedef {(correction: {goal_id: string, field: string, value: any}) => Promise<void>} Correct rejects with why not
 */

/** @param {string} tag @param {string} [className] @param {string} [text] */
function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/** @param {any} value @param {Labels} labels @returns {string} */
export function shown(value, labels) {
  if (value === undefined || value === null) return "";
  if (typeof value === "boolean") return value ? labels.yes : labels.no;
  if (Array.isArray(value)) return value.map((each) => shown(each, labels)).join(", ");
  if (typeof value === "object") return Object.entries(value).map(([name, each]) => `${name}: ${shown(each, labels)}`).join(", ");
  return String(value);
}

/** @returns {string} the sign before decimals, `.` or `,`, in the language of the conversation */
function decimalSign() {
  try {
    return new Intl.NumberFormat(document.documentElement.lang).format(1.5).includes(",") ? "," : ".";
  } catch {
    return "."; // not a language
  }
}

/**
 * A number as it is written here. The language's other sign groups thousands where three digits follow it, "1,000" and "1.000"; it is
 * a decimal sign everywhere else.
 * @param {string} words @returns {number | string} the words, where they are none
 */
function numberOf(words) {
  const grouped = decimalSign() === "." ? /^[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/ : /^[-+]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?$/;
  const plain = grouped.test(words) ? words.replaceAll(decimalSign() === "." ? "," : ".", "") : words;
  const number = Number(plain.replace(",", "."));
  return words && Number.isFinite(number) ? number : words;
}

/**
 * What was typed, as the field's type; what does not fit is left as text, and the server says why it does not.
 * @param {string} text @param {string} type @param {any} [before] a list of numbers stays one
 */
export function typed(text, type, before) {
  const words = text.trim();
  if (type === "number" || type === "integer") return numberOf(words);
  if (type !== "array") return words;
  const items = words.split(",").map((each) => each.trim()).filter(Boolean);
  const numbers = Array.isArray(before) && before.length > 0 && before.every((each) => typeof each === "number");
  return numbers ? items.map((each) => (Number.isFinite(Number(each)) ? Number(each) : each)) : items;
}

/**
 * Where a value is changed: a choice where there are a few, else a line to type in.
 * @param {Field} field @param {Labels} labels
 * @returns {{input: HTMLInputElement | HTMLSelectElement, read: () => any}}
 */
function inputFor({ label, type, options, value }, labels) {
  const choices = type === "boolean" ? [true, false] : options;
  const input = document.createElement(choices ? "select" : "input");
  input.ariaLabel = label;
  input.dir = "auto";
  if (choices && input instanceof HTMLSelectElement) {
    input.append(...choices.map((choice) => new Option(shown(choice, labels), "", false, choice === value)));
    return { input, read: () => choices[input.selectedIndex] };
  }
  const counts = type === "number" || type === "integer";
  if (counts) input.inputMode = "decimal";
  input.value = counts ? shown(value, labels).replace(".", decimalSign()) : shown(value, labels);
  return { input, read: () => typed(input.value, type, value) };
}

/** The form that stands in for a value while it is changed. @param {Field} field @param {Labels} labels @param {{save: (value: any) => Promise<void>, done: () => void}} actions */
function editor(field, labels, { save, done }) {
  const form = document.createElement("form");
  const { input, read } = inputFor(field, labels);
  const keep = Object.assign(make("button", "strong", labels.save), { type: "submit" });
  const drop = Object.assign(make("button", "", labels.cancel), { type: "button" });
  const fault = make("p", "fault");
  fault.role = "alert";
  const buttons = make("div", "buttons");
  buttons.append(keep, drop);
  form.append(input, buttons, fault);
  drop.addEventListener("click", done);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") event.preventDefault(), done();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    keep.setAttribute("disabled", "");
    try {
      await save(read());
      done();
    } catch (reason) {
      fault.textContent = /** @type {Error} */ (reason).message;
      keep.removeAttribute("disabled");
    }
  });
  return { form, input };
}

/** One line: what is asked for, what was captured, a way to change it. @param {string} goalId @param {Labels} labels @param {Correct} correct */
function createLine(goalId, labels, correct) {
  const line = make("div", "field");
  const label = make("dt");
  const place = make("dd");
  const value = make("span", "value");
  const edit = Object.assign(make("button", "quiet edit"), { type: "button" });
  const icon = /** @type {Element} */ (document.querySelector("#more svg")).cloneNode(true);
  /** @type {Element} */ (icon.firstChild).setAttribute("href", "#icon-edit");
  edit.append(icon);
  value.dir = "auto";
  place.append(value, edit);
  line.append(label, place);
  line.addEventListener("animationend", () => line.classList.remove("fresh"));
  /** @type {Field} */
  let field;
  edit.addEventListener("click", () => {
    const change = make("dd");
    const done = () => (change.remove(), (place.hidden = false), edit.focus());
    const save = (/** @type {any} */ news) => correct({ goal_id: goalId, field: field.name, value: news });
    const { form, input } = editor(field, labels, { save, done });
    place.hidden = true;
    change.append(form);
    line.append(change);
    input.focus();
  });
  return {
    line,
    /** @param {Field} news @param {boolean} live did it come while the person watched? */
    update(news, live) {
      if (news === field) return;
      const text = shown(news.value, labels);
      if (live && field && line.offsetParent && text !== value.textContent) line.classList.add("fresh");
      field = news;
      label.textContent = news.label;
      value.textContent = text;
      edit.ariaLabel = filled(labels.change, { label: news.label });
      edit.hidden = text === "" || news.type === "object";
    },
  };
}

/**
 * What the conversation does not have (another one began, or none is known yet) goes from the screen.
 * @template T @param {Map<string, T>} parts @param {string[]} names those that stay @param {(part: T) => HTMLElement} elementOf
 */
function retain(parts, names, elementOf) {
  for (const [name, part] of parts) {
    if (names.includes(name)) continue;
    elementOf(part).remove();
    parts.delete(name);
  }
}

/** @param {string} id @param {Labels} labels @param {Correct} correct */
function createGoal(id, labels, correct) {
  const section = make("section", "goal");
  const title = make("h2");
  const status = make("span", "unseen");
  const list = make("dl");
  /** @type {Map<string, ReturnType<typeof createLine>>} */
  const lines = new Map();
  section.append(title, status, list);
  return {
    section,
    /** @param {import("./view.js").Goal} goal @param {boolean} live */
    update(goal, live) {
      section.dataset.status = goal.status;
      if (title.textContent !== goal.label) title.textContent = goal.label;
      status.textContent = labels[goal.status];
      retain(lines, goal.fields.map((field) => field.name), ({ line }) => line);
      for (const field of goal.fields) {
        const line = lines.get(field.name) ?? createLine(id, labels, correct);
        if (!lines.has(field.name)) list.append(line.line);
        lines.set(field.name, line);
        line.update(field, live);
      }
    },
  };
}

/** @param {HTMLElement} place @param {Labels} labels @param {Correct} correct */
export function createPanel(place, labels, correct) {
  /** @type {Map<string, ReturnType<typeof createGoal>>} */
  const goals = new Map();
  return {
    /** @param {import("./view.js").State} view */
    render(view) {
      retain(goals, view.goals.map((goal) => goal.id), ({ section }) => section);
      for (const goal of view.goals) {
        const known = goals.get(goal.id) ?? createGoal(goal.id, labels, correct);
        if (!goals.has(goal.id)) place.append(known.section);
        goals.set(goal.id, known);
        known.update(goal, view.head > view.replayed);
      }
    },
  };
}
