// A template as a form. The form changes what the JSON beside it says, in place, so that nothing is lost that it does not
// show; the JSON is what is sent. Where the text is no JSON that a form can keep exactly, there is only the text.
import { add, change, dialectOf, fieldsOf, move, pathOf, remove, rename, typesFor } from "./schema.js";

/** @typedef {any} Raw a template, or a part of it, as it was written */
/** @typedef {{write: () => void, again: (focus?: string) => void}} On what follows a change: of a value, of the form itself */
/** @typedef {{get: () => any, set: (value: string) => void}} Value what a control shows and changes */
/** @typedef {Record<string, string>} Attributes */

const GOAL_TYPES = {
  structured: "Fields that a program uses",
  qualitative: "Free words",
  open: "Free words, open",
  quantitative: "A number",
  context_dump: "Whatever they tell",
  walkthrough: "Telling, not asking",
};
const COMMITS = {
  auto: "as soon as all required fields stand",
  require_all_required: "only when all required fields stand",
  human_confirm: "when they said yes to what was read out",
};
const POLICIES = {
  claimed: "Whoever names an id goes on with what was said unproven under it, from any browser. Verified visits stay closed to it. For onboarding and demos.",
  device: "The same browser goes on with what it said as this id. Another one that names the id sees nothing.",
  verified: "Only visits that your backend vouched for see a past. For whatever must not reach a stranger.",
};
const GOAL_KEYS = ["id", "label", "prompt", "type", "commit_policy", "schema", "outputs"];
/** What JSON.parse and JSON.stringify do not give back as it was: long numbers, and names that look like places of a list. */
const INEXACT = /(?<![\w".])-?\d{16}|"(?:0|[1-9]\d*)"\s*:/;
const NO_JSON = "This is no JSON yet: the form comes back when it is.";
const NO_FORM = "Only the JSON can show this template: its phases, goals or outputs are not what a form could draw.";
const NOT_KEPT = "Only the JSON can keep this template as it is: it has a number of 16 digits or more, or a name that is a number.";

/** @param {HTMLElement} place where the form goes @param {HTMLTextAreaElement} text @param {HTMLDetailsElement} json around it */
export function design(place, text, json) {
  const faulty = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-fault]")]);
  const why = make("p", { class: "muted", role: "status" });
  /** @type {Raw} */
  let raw;

  /** Draws the form, or says why there is none; says which. */
  function read() {
    why.textContent = drawn();
    why.hidden = !why.textContent;
    place.hidden = !why.hidden;
    return why.hidden;
  }

  /** Why it cannot be drawn; nothing where it was. */
  function drawn() {
    place.replaceChildren();
    try {
      raw = JSON.parse(text.value);
    } catch {
      return NO_JSON;
    }
    if (INEXACT.test(text.value)) return NOT_KEPT;
    try {
      if (!raw || typeof raw !== "object" || Array.isArray(raw) || !goalLists(raw).length) return NO_FORM;
      draw();
    } catch {
      place.replaceChildren();
      return NO_FORM;
    }
    return "";
  }

  function write() {
    text.value = JSON.stringify(raw, null, 2);
  }

  /** After what changes the form itself. @param {string} [focus] the control to go on from */
  function again(focus) {
    write();
    place.replaceChildren();
    draw();
    // Behind a Tab that has just ended a change: only then is it known that the focus went nowhere.
    if (focus) setTimeout(() => document.activeElement === document.body && /** @type {HTMLElement | null} */ (place.querySelector(focus))?.focus());
  }

  function draw() {
    place.append(...whole(raw, { write, again }));
    for (const each of faulty) tell(place, each);
  }

  text.before(why);
  text.addEventListener("input", read);
  json.open = !read();
}

/** The lists of goals of a template, each with its path and its title. @param {Raw} raw @returns {[Raw[], string, string][]} */
function goalLists(raw) {
  if (Array.isArray(raw.phases)) return raw.phases.map((/** @type {Raw} */ phase, /** @type {number} */ n) => [(phase.goals ??= []), `phases[${n}].goals`, phase.name ?? `Phase ${n + 1}`]);
  if (raw.goals === undefined) raw.goals = [];
  return Array.isArray(raw.goals) ? [[raw.goals, "goals", ""]] : [];
}

/** All of the form. @param {Raw} raw @param {On} on @returns {HTMLElement[]} */
function whole(raw, on) {
  /** @type {(key: string) => Value} */
  const settings = (key) => ({
    get: () => raw.settings?.[key] ?? "",
    set: (value) => put((raw.settings ??= {}), key, value),
  });
  /** @type {HTMLElement[]} */
  const parts = [
    line("Name", "name", { get: () => raw.name ?? "", set: (value) => (raw.name = value) }, on),
    line("Greeting", "settings.greeting", settings("greeting"), on, "What the agent says first"),
  ];
  for (const [goals, path, title] of goalLists(raw)) {
    const list = make("div", { class: "goals" });
    if (title) list.append(make("h3", {}, title));
    goals.forEach((goal, n) => list.append(goalCard(goals, n, `${path}[${n}]`, on)));
    list.append(button("Add a goal", () => {
      goals.push({ id: freeId(raw), type: "structured", prompt: "", schema: { type: "object", properties: {} } });
      on.again(at(`${path}[${goals.length - 1}].label`));
    }));
    parts.push(list);
  }
  const also = [...unshown(raw, ["name", "goals", "phases", "settings"]), ...unshown(raw.settings, ["greeting", "embedded"], "settings.")];
  if (also.length) parts.push(make("p", { class: "muted" }, `Also has, in the JSON: ${also.join(", ")}`));
  return [...parts, comingBack(raw, on), onYourPage(raw, on)];
}

/** @param {Raw[]} goals @param {number} n which of them @param {string} path of it @param {On} on */
function goalCard(goals, n, path, on) {
  const goal = goals[n];
  /** @type {(key: string) => Value} */
  const own = (key) => ({ get: () => goal[key] ?? "", set: (value) => put(goal, key, value) });
  const card = make("fieldset", { class: "goal-card" }, make("legend", {}, goal.label || goal.id || "A goal"));
  card.append(
    pair(line("Label", `${path}.label`, own("label"), on), line("Id", `${path}.id`, own("id"), on, "Stays the same: webhooks name the goal by it")),
    line("What it is about", `${path}.prompt`, own("prompt"), on, "The agent introduces the goal with it"),
    pair(
      choice("Kind", `${path}.type`, GOAL_TYPES, goal.type ?? "structured", (value) => (goal.type = value), on),
      choice("Final", `${path}.commit_policy`, COMMITS, goal.commit_policy ?? "auto", (value) => (goal.commit_policy = value), on),
    ),
    fields(goal, path, on),
    webhooks(goal, path, on),
  );
  const also = unshown(goal, GOAL_KEYS);
  if (also.length) card.append(make("p", { class: "muted" }, `Also has, in the JSON: ${also.join(", ")}`));
  card.append(row(
    button("Move up", () => swap(goals, n, -1) && on.again(at(`${path}.label`)), n === 0),
    button("Move down", () => swap(goals, n, 1) && on.again(at(`${path}.label`)), n === goals.length - 1),
    button("Remove this goal", () => (goals.splice(n, 1), on.again(at(`${placeAt(path, near(n, goals))}.label`))), goals.length === 1),
  ));
  return card;
}

/** @param {Raw} goal @param {string} path of it @param {On} on */
function fields(goal, path, on) {
  const box = make("div", { class: "fields" }, make("h4", {}, "Fields"));
  if (dialectOf(goal.schema) === "list") {
    box.append(make("p", { class: "muted" }, "The data is one list; it is described in the JSON."));
    return box;
  }
  const all = fieldsOf(goal.schema);
  if (!all.length) box.append(make("p", { class: "muted" }, "None: the agent listens, and keeps nothing that a program could use."));
  all.forEach((_, n) => box.append(fieldRow(goal.schema, all, n, `${path}.schema`, on)));
  const more = button("Add a field", () => {
    const added = add(goal.schema);
    goal.schema = added.schema;
    on.again(at(`${path}.schema.${pathOf(goal.schema, added.name)}`));
  });
  more.dataset.path = `${path}.schema`;
  box.append(more);
  return box;
}

/**
 * @param {import("./schema.js").Schema} schema
 * @param {import("./schema.js").Field[]} all
 * @param {number} n which of them
 * @param {string} root the path of the schema
 * @param {On} on
 */
function fieldRow(schema, all, n, root, on) {
  const field = all[n];
  /** @param {string} name */
  const pathTo = (name) => `${root}.${pathOf(schema, name)}`;
  /** Where a control of it stands in the template, by the name that it has then. */
  const path = (below = "") => pathTo(field.name) + below;
  /** @param {"type" | "question"} key @returns {(value: string) => void} */
  const set = (key) => (value) => change(schema, field.name, key, value);
  const name = make("input", { value: field.name, "aria-label": "Name of the field", dir: "ltr", spellcheck: "false", class: "name" });
  // A name ends where the next control is clicked or tabbed to: drawn anew, that control would be gone before the click lands.
  name.addEventListener("change", () => {
    const wanted = name.value.trim();
    if (rename(schema, field.name, wanted)) field.name = wanted;
    name.value = field.name;
    call();
    on.write();
  });
  const type = select(typesFor(field), field.type, (value) => (set("type")(value), on.again(at(path(".type")))), on, {});
  const question = input({ get: () => field.question, set: set("question") }, on, { placeholder: "What is asked, best as a question", class: "question" });
  const choices = input(
    { get: () => field.choices.join(", "), set: (text) => change(schema, field.name, "choices", list(text, field.choices)) },
    on,
    { placeholder: "Anything; or only these: small, large", class: "choices" },
  );
  const required = make("input", { type: "checkbox" });
  required.checked = field.required;
  required.addEventListener("change", () => (change(schema, field.name, "required", required.checked), on.write()));
  const up = button("Up", () => (move(schema, field.name, -1), on.again(at(path()))), n === 0);
  const down = button("Down", () => (move(schema, field.name, 1), on.again(at(path()))), n === all.length - 1);
  const away = button("Remove", () => {
    remove(schema, field.name);
    const next = all[n + 1] ?? all[n - 1];
    on.again(at(next ? pathTo(next.name) : root));
  });
  /** Calls the controls by the name of the field. */
  function call() {
    name.dataset.path = path();
    for (const [control, below, label] of /** @type {[HTMLElement, string, string][]} */ ([
      [type, ".type", "Type of"],
      [question, ".description", "Question for"],
      [choices, ".enum", "Choices of"],
    ])) {
      control.dataset.path = path(below);
      control.setAttribute("aria-label", `${label} ${field.name}`);
    }
    up.setAttribute("aria-label", `Move ${field.name} up`);
    down.setAttribute("aria-label", `Move ${field.name} down`);
    away.setAttribute("aria-label", `Remove ${field.name}`);
  }
  call();
  const item = make("div", { class: "field-row" }, name, type, make("label", { class: "check" }, required, "required"), question);
  if (field.choices.length || ["string", "enum"].includes(field.type)) item.append(choices);
  if (field.also.length) item.append(make("p", { class: "muted" }, `Also has: ${field.also.join(", ")}`));
  item.append(row(up, down, away));
  return item;
}

/** @param {Raw} goal @param {string} path of it @param {On} on */
function webhooks(goal, path, on) {
  const box = make("div", { class: "fields" }, make("h4", {}, "Sent when it is final"));
  (goal.outputs ?? []).forEach((/** @type {Raw} */ output, /** @type {number} */ n) => {
    const where = `${path}.outputs[${n}]`;
    if (output?.type !== "webhook") return box.append(make("p", { class: "muted" }, `${output?.type ?? "An output"}: in the JSON.`));
    /** @type {Value} */
    const own = { get: () => output.config?.url ?? "", set: (value) => ((output.config ??= {}).url = value) };
    const url = input(own, on, { "data-path": `${where}.config.url`, "aria-label": "Address of the webhook", placeholder: "https://example.com/hook", dir: "ltr", spellcheck: "false" });
    const also = unshown(output.config, ["url"]);
    box.append(make("div", { class: "url-row" }, url, button("Remove", () => (goal.outputs.splice(n, 1), on.again(at(`${path}.outputs`))), false, "Remove this webhook")));
    if (also.length) box.append(make("p", { class: "muted" }, `Also has: ${also.join(", ")}`));
  });
  const more = button("Add a webhook", () => {
    (goal.outputs ??= []).push({ type: "webhook", config: { url: "" } });
    on.again(at(`${path}.outputs[${goal.outputs.length - 1}].config.url`));
  });
  more.dataset.path = `${path}.outputs`;
  box.append(more);
  return box;
}

/** @param {Raw} raw @param {On} on */
function comingBack(raw, on) {
  const embedded = () => ((raw.settings ??= {}).embedded ??= {});
  const resumption = raw.settings?.embedded?.resumption;
  const isOn = resumption === true || (typeof resumption === "object" && resumption?.enabled !== false && resumption !== null);
  const box = make("fieldset", { class: "goal-card" }, make("legend", {}, "When they come back"));
  const goesOn = make("input", { type: "checkbox", "data-path": "settings.embedded.resumption" });
  goesOn.checked = isOn;
  goesOn.addEventListener("change", () => {
    const hours = typeof resumption === "object" && resumption ? resumption : {};
    embedded().resumption = { ...hours, enabled: goesOn.checked };
    on.again(at("settings.embedded.resumption"));
  });
  box.append(make("label", { class: "check" }, goesOn, "An open conversation goes on where it was left"));
  if (isOn) {
    /** @type {Value} */
    const hours = { get: () => resumption.window_hours ?? 720, set: (value) => (embedded().resumption = { ...(resumption === true ? { enabled: true } : resumption), window_hours: Number(value) }) };
    box.append(line("For so many hours after it was left", "settings.embedded.resumption.window_hours", hours, on, "", { type: "number", min: "1" }));
  }
  const policies = make("div", { class: "choice", role: "radiogroup", "aria-label": "Who sees the past" }, make("h4", {}, "Who sees the past"));
  const chosen = raw.settings?.embedded?.history_requires ?? "claimed";
  for (const [name, about] of Object.entries(POLICIES)) {
    const radio = make("input", { type: "radio", name: "", value: name, "data-path": "settings.embedded.history_requires" });
    radio.name = "policy-of-the-form";
    radio.checked = chosen === name;
    radio.addEventListener("change", () => ((embedded().history_requires = name), on.write()));
    policies.append(make("label", {}, radio, make("span", {}, make("strong", {}, name), ` ${about}`)));
  }
  box.append(policies);
  return box;
}

/** @param {Raw} raw @param {On} on */
function onYourPage(raw, on) {
  /** @param {string} part @param {string} key @returns {{get: () => any, set: (value: any) => void}} */
  const own = (part, key) => ({
    get: () => raw.settings?.embedded?.[part]?.[key] ?? "",
    set: (value) => put((((raw.settings ??= {}).embedded ??= {})[part] ??= {}), key, value),
  });
  const path = "settings.embedded";
  const shown = make("input", { type: "checkbox", "data-path": `${path}.launcher.enabled` });
  shown.checked = raw.settings?.embedded?.launcher?.enabled === true;
  shown.addEventListener("change", () => (own("launcher", "enabled").set(shown.checked), on.write()));
  return make(
    "fieldset",
    { class: "goal-card" },
    make("legend", {}, "On your page"),
    make("label", { class: "check" }, shown, "A button floats on the page"),
    pair(
      line("What the button says", `${path}.launcher.label`, own("launcher", "label"), on, "Talk to us"),
      line("Colour", `${path}.brand.color`, own("brand", "color"), on, "#2f5d50"),
    ),
    line("Logo", `${path}.brand.logo`, own("brand", "logo"), on, "https://example.com/logo.svg"),
    pair(
      line("The line that one talks to an AI", `${path}.notice.text`, own("notice", "text"), on, "You are talking to an AI."),
      line("Your privacy page", `${path}.notice.privacy_url`, own("notice", "privacy_url"), on, "https://example.com/privacy"),
    ),
  );
}

/** The control of a path. @param {string} path */
const at = (path) => `[data-path="${CSS.escape(path)}"]`;

/** Where to go on in a list behind the removal of the one at `n`. @param {number} n @param {unknown[]} items */
const near = (n, items) => Math.min(n, items.length - 1);

/** The path of another item of the same list. @param {string} path @param {number} n */
const placeAt = (path, n) => `${path.slice(0, path.lastIndexOf("["))}[${n}]`;

/** The keys that the form has no place for. @param {Raw} object @param {string[]} shown */
const unshown = (object, shown, before = "") => Object.keys(object ?? {}).filter((key) => !shown.includes(key)).map((key) => before + key);

// ---- small parts

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {(Node | string)[]} children
 */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** @param {Value} value @param {On} on @param {Attributes} attributes */
function input(value, on, attributes) {
  const control = make("input", attributes);
  control.value = value.get();
  control.addEventListener("input", () => (value.set(control.value), on.write()));
  return control;
}

/** @param {string} label @param {string} path @param {Value} value @param {On} on @param {string} hint @param {Attributes} attributes */
function line(label, path, value, on, hint = "", attributes = {}) {
  return make("label", {}, label, input(value, on, { "data-path": path, placeholder: hint, ...attributes }));
}

/**
 * @param {string[]} options
 * @param {string} value
 * @param {(value: string) => void} set
 * @param {On} on
 * @param {Attributes} attributes
 * @param {Record<string, string>} words what each option is called, where it is not by its name
 */
function select(options, value, set, on, attributes, words = {}) {
  const control = make("select", attributes, ...options.map((each) => make("option", { value: each }, words[each] ?? each)));
  control.value = value;
  control.addEventListener("change", () => (set(control.value), on.write()));
  return control;
}

/** @param {string} label @param {string} path @param {Record<string, string>} words @param {string} value @param {(value: string) => void} set @param {On} on */
function choice(label, path, words, value, set, on) {
  const options = value in words ? Object.keys(words) : [value, ...Object.keys(words)];
  return make("label", {}, label, select(options, value, set, on, { "data-path": path }, words));
}

/** @param {string} text @param {() => unknown} act @param {boolean} off @param {string} label for whoever does not see where it stands */
function button(text, act, off = false, label = text) {
  const control = make("button", { type: "button", class: "quiet calm", "aria-label": label }, text);
  control.disabled = off;
  control.addEventListener("click", act);
  return control;
}

/** @param {HTMLElement[]} children */
const row = (...children) => make("div", { class: "tools" }, ...children);
/** @param {HTMLElement[]} children */
const pair = (...children) => make("div", { class: "pair" }, ...children);

/** What was typed, with commas between; a number stays one where it was one. @param {string} text @param {unknown[]} before */
function list(text, before) {
  const numbers = before.length > 0 && before.every((each) => typeof each === "number");
  const parts = text.split(",").map((part) => part.trim()).filter(Boolean);
  return numbers && parts.every((part) => !Number.isNaN(Number(part))) ? parts.map(Number) : parts;
}

/** @param {Raw} object @param {string} key @param {any} value */
function put(object, key, value) {
  if (value === "") delete object[key];
  else object[key] = value;
}

/** @param {unknown[]} items @param {number} n @param {number} by @returns {true} */
function swap(items, n, by) {
  [items[n], items[n + by]] = [items[n + by], items[n]];
  return true;
}

/** @param {Raw} raw */
function freeId(raw) {
  const taken = new Set(goalLists(raw).flatMap(([goals]) => goals.map((goal) => goal?.id)));
  let n = taken.size + 1;
  while (taken.has(`goal_${n}`)) n++;
  return `goal_${n}`;
}

/**
 * Say beside the control that is nearest to a fault what is wrong there. In the list above, a fault of the very control is
 * called as the form calls it; what only the JSON shows is called by its path.
 * @param {Element} place
 * @param {HTMLElement} listed
 */
function tell(place, listed) {
  const path = listed.dataset.fault ?? "";
  const controls = /** @type {HTMLElement[]} */ ([...place.querySelectorAll("[data-path]")]);
  /** @param {HTMLElement} control */
  const pathOfIt = ({ dataset }) => dataset.path ?? "";
  const [near] = controls
    .filter((each) => path === pathOfIt(each) || path.startsWith(`${pathOfIt(each)}.`) || path.startsWith(`${pathOfIt(each)}[`))
    .sort((a, b) => pathOfIt(b).length - pathOfIt(a).length);
  if (!near) return;
  const n = controls.indexOf(near);
  near.id = `control-${n}`;
  near.setAttribute("aria-invalid", "true");
  const words = make("p", { class: "wrong", id: `fault-${n}` }, ...(listed.querySelector("span")?.cloneNode(true).childNodes ?? []));
  const below = path.slice(pathOfIt(near).length).replace(/^\./, "");
  if (below) words.prepend(make("code", { dir: "ltr" }, below), " ");
  else if (near.matches("input:not(.name), select")) listed.firstElementChild?.replaceWith(make("a", { href: `#${near.id}` }, calledInTheForm(near)));
  near.setAttribute("aria-describedby", words.id);
  (near.closest("label") ?? near).after(words);
}

/** What the form calls a control, and within what. @param {HTMLElement} control */
function calledInTheForm(control) {
  const within = control.closest("fieldset")?.querySelector("legend")?.textContent;
  const named = control.closest("[role=radiogroup]") ?? control;
  const label = [...(control.closest("label")?.childNodes ?? [])].find((each) => each.nodeType === Node.TEXT_NODE);
  return (within ? `${within}: ` : "") + `“${named.getAttribute("aria-label") ?? label?.textContent}”`;
}
