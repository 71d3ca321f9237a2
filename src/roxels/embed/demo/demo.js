/**
 * The page of Fernwood, a fictional customer of Roxels. It does what a customer's page would do: it knows who is signed in, starts
 * conversations, and shows in its own way what it is told. Nothing in here is special to the demo but the two panels for developers.
 */

/** @typedef {{origin: string, embed_key: string, template_id: string}} Config */

const NAMES = /** @type {Record<string, string>} */ ({ ada: "Ada Lovelace", bob: "Bob Ross" });
const SHOWN_EVENTS = 60;
const POLL_MS = 1500;

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);

/** @param {string} tag @param {string} [className] @param {string} [text] */
function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/** @param {string} name @returns {string} `move_in_date` as "Move in date" */
function words(name) {
  const text = name.replace(/[_-]+/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {any} value @returns {string} */
function shown(value) {
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (Array.isArray(value)) return value.map(shown).join(", ");
  return typeof value === "object" && value ? JSON.stringify(value) : String(value);
}

// ---- who is signed in: this page's own affair

const account = {
  get id() {
    return localStorage.getItem("fernwood.account") ?? "";
  },
  set id(id) {
    localStorage.setItem("fernwood.account", id);
  },
  get person() {
    return this.id ? { externalId: this.id, name: NAMES[this.id] } : null;
  },
};

// ---- the care plan: what was captured, in the page's own form

const plan = {
  /** @type {Map<string, HTMLElement>} */
  rows: new Map(),
  /** @param {{goal_id: string, data: Record<string, any>}} understanding */
  take({ goal_id, data }) {
    for (const [name, value] of Object.entries(data)) this.row(`${goal_id}.${name}`, name).value = shown(value ?? "");
    this.tell();
  },
  /** @param {string} id @param {string} name @returns {HTMLInputElement} */
  row(id, name) {
    const known = this.rows.get(id);
    if (known) return /** @type {HTMLInputElement} */ (known.lastChild);
    const row = make("label", "row");
    const output = Object.assign(document.createElement("input"), { readOnly: true });
    row.append(make("span", "", words(name)), output);
    this.rows.set(id, row);
    $("plan-fields").append(row);
    return output;
  },
  /** @param {string} [done] */
  tell(done = "") {
    $("plan-empty").hidden = this.rows.size > 0;
    $("plan-state").textContent = done || (this.rows.size ? "Filling in" : "Empty");
    $("plan-state").classList.toggle("good", done !== "");
  },
  clear() {
    this.rows.clear();
    $("plan-fields").replaceChildren();
    this.tell();
  },
};

// ---- a conversation drawn by this page

const inline = {
  /** @type {Map<string, HTMLElement>} */
  rows: new Map(),
  /** @param {{id: string, role: string, text: string}} chat the whole message so far: replaced by its id */
  take({ id, role, text }) {
    const row = this.rows.get(id) ?? make("li", role);
    if (!this.rows.has(id)) $("inline-log").append(row);
    this.rows.set(id, row);
    row.textContent = text;
    $("inline-scroll").scrollTop = $("inline-scroll").scrollHeight;
  },
  clear() {
    this.rows.clear();
    $("inline-log").replaceChildren();
    $("inline").hidden = true;
  },
};

// ---- for developers

/** The session of the running talk: its conversation's deliveries are asked for. */
let session = "";
/** @type {Set<string>} */
const delivered = new Set();

/** @param {string} name @param {any} payload */
function logEvent(name, payload) {
  const list = $("events");
  const text = payload === undefined ? "" : JSON.stringify(payload);
  const last = list.firstElementChild;
  if (name === "chat" && last?.dataset.chat === payload.id) last.lastChild.textContent = text;
  else {
    const row = make("li");
    if (name === "chat") row.dataset.chat = payload.id;
    row.append(make("b", "", name), make("code", "", text));
    list.prepend(row);
    $("event-count").textContent = String(Number($("event-count").textContent) + 1);
  }
  while (list.children.length > SHOWN_EVENTS) list.lastChild.remove();
}

/** @param {{received_at: string, headers: Record<string, string>, body: string}} delivery */
function logDelivery({ received_at, headers, body }) {
  const key = headers["idempotency-key"] ?? headers["webhook-id"] ?? received_at;
  const said = JSON.parse(body);
  if (delivered.has(key)) return;
  delivered.add(key);
  const row = make("li");
  const more = make("details");
  more.append(make("summary", "", words(said.goal_id ?? "end of session")), make("pre", "", JSON.stringify(said, null, 2)));
  row.append(more, make("code", "", `Idempotency-Key: ${key}`), make("code", "", `X-Roxels-Signature: ${headers["x-roxels-signature"] ?? "none"}`));
  $("deliveries").prepend(row);
  $("delivery-count").textContent = String(delivered.size);
}

function clearDeliveries() {
  delivered.clear();
  $("deliveries").replaceChildren();
  $("delivery-count").textContent = "0";
}

async function pollDeliveries() {
  const asked = session;
  if (asked && !document.hidden) {
    const query = new URLSearchParams({ session: asked });
    const answer = await fetch(`deliveries.json?${query}`).catch(() => null);
    const { items = [] } = answer?.ok ? await answer.json() : {};
    if (asked === session) items.forEach(logDelivery); // neither another person nor another conversation meanwhile
  }
  setTimeout(pollDeliveries, POLL_MS);
}

/** @param {Config} config @returns {Record<string, string>} the ways in, with their code */
const samples = ({ origin, embed_key: key }) => ({
  "Script tag": `<script src="${origin}/embed.js"\n  data-template-key="${key}"\n  data-external-id="ada"\n  data-person-name="Ada Lovelace"></script>`,
  "init, then start": `Roxels.init({\n  templateKey: "${key}",\n  externalId: "ada",\n  onCommit: ({ goal_id, data, external_id }) => save(goal_id, data),\n});\n\nbutton.onclick = () => Roxels.start();`,
  "start alone": `const call = Roxels.start({\n  templateKey: "${key}",\n  externalId: "ada",\n  personName: "Ada Lovelace",\n  context: { plan: "greenhouse" },\n  display: "compact",          // "modal", "none"\n});\n\ncall.on("understanding", ({ data }) => fill(form, data));`,
  "Sign in, sign out": `// on sign-in: the next start is this person\nRoxels.setPerson({ externalId: "ada", name: "Ada Lovelace" });\n\n// on sign-out: nothing of her stays on the page\nRoxels.setPerson(null);`,
  "Your own pixels": `const call = Roxels.start({ templateKey: "${key}", externalId: "ada", display: "none" });\n\ncall.on("chat", ({ id, role, text, final }) => draw(id, role, text));\nform.onsubmit = () => call.sendMessage(input.value);`,
  "Opened by your server": `// server: the identity and the context are yours, the browser cannot change them\nPOST ${origin}/v1/interviews\n{ "template_id": "tpl_…", "persons": [{ "external_id": "ada" }], "context": { "plan": "greenhouse" } }\n\n// page\nRoxels.start({ sessionId });`,
});

/** What a way in does on this page. @type {Record<string, () => void>} */
const trials = {
  "Script tag": () => Roxels.showFab(),
  "init, then start": () => void Roxels.start(),
  "start alone": () => void Roxels.start({ display: "compact" }),
  "Your own pixels": () => $("start-inline").click(),
};

/** @param {Config} config */
function showSamples(config) {
  const tabs = document.querySelector(".tabs");
  for (const [title, code] of Object.entries(samples(config))) {
    const tab = make("button", "", title);
    tab.setAttribute("role", "tab");
    tab.addEventListener("click", () => {
      for (const other of tabs?.children ?? []) other.ariaSelected = String(other === tab);
      $("code").textContent = code;
      $("try").hidden = !trials[title];
      $("try").onclick = trials[title];
    });
    tabs?.append(tab);
  }
  /** @type {HTMLElement} */ (tabs?.firstChild).click();
}

// ---- together

/** @param {string} id who is here now */
function signIn(id) {
  account.id = id;
  plan.clear();
  inline.clear();
  session = "";
  clearDeliveries();
  $("events").replaceChildren();
  $("event-count").textContent = "0";
  $("return").textContent = "";
  Roxels.setPerson(account.person);
  greet();
}

function greet() {
  for (const choice of document.querySelectorAll("[name=account]")) /** @type {HTMLInputElement} */ (choice).checked = /** @type {HTMLInputElement} */ (choice).value === account.id;
  const name = NAMES[account.id]?.split(" ")[0];
  $("start").textContent = name ? `Plan my care, ${name}` : "Plan my care";
}

/** @param {{resumed: boolean, turns: number, unfinished: object | null}} report */
function welcomeBack({ resumed, turns, unfinished }) {
  if (!resumed) plan.clear(), clearDeliveries();
  const rest = unfinished ? ", in the middle of a sentence" : "";
  $("return").textContent = resumed ? `Welcome back. Picked up after ${turns} messages${rest}.` : "";
}

function listen() {
  Roxels.on("*", logEvent);
  Roxels.on("session", ({ sessionId }) => void (session = sessionId));
  Roxels.on("resumption", welcomeBack);
  Roxels.on("understanding", (understanding) => plan.take(understanding));
  Roxels.on("commit", ({ goal_id }) => plan.tell(`${words(goal_id)}: done`));
  Roxels.on("chat", (chat) => Roxels.call && !$("inline").hidden && inline.take(chat));
  Roxels.on("status", ({ status }) => ($("inline-status").textContent = status === "connected" ? "" : status));
  Roxels.on("ended", () => inline.clear());
  Roxels.on("error", ({ message }) => ($("return").textContent = message));
  $("start").addEventListener("click", () => Roxels.start());
  $("start-inline").addEventListener("click", () => {
    Roxels.close();
    $("inline").hidden = false;
    $("inline").scrollIntoView({ behavior: "smooth", block: "center" });
    Roxels.start({ display: "none" });
    $("inline-words").focus({ preventScroll: true });
  });
  $("inline-close").addEventListener("click", () => Roxels.close());
  $("inline-form").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    Roxels.sendMessage($("inline-words").value);
    $("inline-words").value = "";
  });
  for (const choice of document.querySelectorAll("[name=account]")) {
    choice.addEventListener("change", (event) => signIn(/** @type {HTMLInputElement} */ (event.target).value));
  }
}

/** @param {string} origin @returns {Promise<void>} */
function loadRoxels(origin) {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: `${origin}/embed.js`, onload: resolve, onerror: reject });
    document.head.append(script);
  });
}

export {}; // a module: it may wait at the top

greet();
const config = await (await fetch("config.json")).json();
$("here").textContent = location.host;
$("there").textContent = new URL(config.origin).host;
await loadRoxels(config.origin);
showSamples(config);
Roxels.init({ templateKey: config.embed_key, externalId: account.id, personName: NAMES[account.id] });
listen();
for (const early of document.querySelectorAll("[disabled]")) early.removeAttribute("disabled");
pollDeliveries();
