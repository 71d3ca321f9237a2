/**
 * What the person sees of a conversation, as a pure fold of the wire's frames:
 *
 *     state = frames.reduce(apply, EMPTY)
 *
 * Joining is always "everything after `head`, then live", so a first visit, a dropped socket and a return next week are one path.
 * A fact is taken once: what is not after `head` has been seen. Pieces of the answer that is being uttered are joined by `from`;
 * offsets count Unicode code points. Nothing here touches the document, and no state is ever changed: each step makes a new one.
 */

/**
 * @typedef {{id: string, role: "agent" | "user", text: string, chars: number, final: boolean, interrupted: boolean}} Message `chars`:
 *   code points of `text`
 * @typedef {{id: string, text: string, kept: boolean}} Pending an own message of which the fact has not come yet; kept: acknowledged
 * @typedef {{name: string, label: string, type: string, options: any[] | null, value: any}} Field `options`: the allowed values, if they
 *   are a few; `value` undefined: nothing captured
 * @typedef {{id: string, label: string, status: "open" | "active" | "proposed" | "committed", revision: number, cumulative: boolean, fields: Field[]}} Goal
 *   `revision`: the newest one that stands; `cumulative`: the page is told all values at each change
 * @typedef {{
 *   head: number, replayed: number, messages: Message[], pending: Pending[], goals: Goal[], active: string | null, ended: boolean, settled: boolean, startedAt: string | null,
 *   externalId: string | null, language: string, settings: Record<string, any>
 * }} State `head`: the newest fact taken; `replayed`: the newest fact that was there before this view joined
 */

/** @type {State} */
export const EMPTY = Object.freeze({
  head: 0,
  replayed: -1,
  messages: [],
  pending: [],
  goals: [],
  active: null,
  ended: false,
  settled: false,
  startedAt: null,
  externalId: null,
  language: "en",
  settings: {},
});

/** @param {State} state @param {any} frame @returns {State} the same state where the frame says nothing new or is unknown */
export function apply(state, frame) {
  switch (frame.frame) {
    case "welcome":
      return welcomed(state, frame);
    case "event":
      return frame.seq > state.head ? { ...fact(state, frame), head: frame.seq } : state;
    case "piece":
      return joined(state, frame);
    case "ack":
      return { ...state, pending: state.pending.map((own) => (own.id === frame.id ? { ...own, kept: true } : own)) };
    default:
      return state;
  }
}

/** The person said something here; it stands below everything until its fact comes. @param {State} state @param {{id: string, text: string}} own */
export const said = (state, { id, text }) => ({ ...state, pending: [...state.pending, { id, text, kept: false }] });

/** The answer that is being uttered, if any. @param {State} state */
export function uttering(state) {
  const last = state.messages.findLast((message) => message.role === "agent");
  return last && !last.final ? last : null;
}

/** Is something missing between what stands here and this piece? Then only a new hello helps. @param {State} state @param {any} frame */
export function torn(state, frame) {
  if (frame.frame !== "piece") return false;
  const message = find(state, frame.utterance_id);
  return frame.from > (message ? message.chars : 0) && !message?.final;
}

/** Is the agent about to say something? @param {State} state */
export function awaited(state) {
  const last = state.messages.at(-1);
  return !state.ended && (state.pending.length > 0 || !last || last.role === "user" || (!last.final && !last.chars));
}

/** @param {string} text */
export const countOf = (text) => [...text].length;

/** @param {State} state @param {string} id */
const find = (state, id) => state.messages.findLast((message) => message.id === id);

/** @param {State} state @param {any} frame @returns {State} */
function welcomed(state, { head, external_id, language, settings = {} }) {
  const known = new Set(state.goals.map((goal) => goal.id));
  const fresh = (settings.goals ?? []).filter((/** @type {any} */ goal) => !known.has(goal.id)).map(newGoal);
  const replayed = state.replayed < 0 ? head : state.replayed;
  return { ...state, replayed, goals: [...state.goals, ...fresh], settings, externalId: external_id ?? null, language: language ?? state.language };
}

/** @param {any} goal @returns {Goal} */
const newGoal = ({ id, label = words(id), extraction_mode = "auto", fields = [] }) => ({
  id,
  label,
  status: "open",
  revision: 0,
  cumulative: extraction_mode === "cumulative",
  fields: fields.map(newField),
});

/** @param {any} field @returns {Field} */
const newField = ({ name, label, type = "string", enum: options = null }) => ({ name, label: label || words(name), type, options, value: undefined });

/** @param {string} name */
function words(name) {
  const text = name.replace(/[_-]+/g, " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {State} state @param {any} event @returns {State} */
function fact(state, event) {
  switch (event.type) {
    case "session.started":
      return { ...state, startedAt: state.startedAt ?? event.at ?? null };
    case "person.said":
      return {
        ...state,
        pending: state.pending.filter((own) => own.id !== event.id),
        messages: [...state.messages, message(event.id, "user", event.text, true)],
      };
    case "agent.started":
      return find(state, event.utterance_id) ? state : { ...state, messages: [...state.messages, message(event.utterance_id, "agent", "", false)] };
    case "agent.said":
      return withMessage(state, { ...message(event.utterance_id, "agent", event.text, true), interrupted: event.interrupted === true });
    case "field.captured":
      return withGoal(state, event.goal_id, (goal) => ({ ...withFields(goal, { [event.field]: event.value }), status: unproposed(state, goal) }));
    case "goal.activated":
      return activated(state, event.goal_id);
    case "goal.proposed":
      return withGoal(state, event.goal_id, (goal) => ({ ...withFields(goal, event.data ?? {}), status: "proposed" }));
    case "goal.committed":
      return withGoal(state, event.goal_id, (goal) => ({ ...withFields(goal, event.data ?? {}), status: "committed", revision: event.revision ?? 1 }));
    case "conversation.ended":
      return { ...state, ended: true };
    case "conversation.completed":
    case "conversation.failed":
      return { ...state, settled: true };
    default:
      return state;
  }
}

/** @param {State} state @param {any} piece @returns {State} */
function joined(state, { utterance_id: id, from, text }) {
  const known = find(state, id) ?? message(id, "agent", "", false);
  const news = [...text].slice(known.chars - from).join("");
  if (known.final || from > known.chars || !news) return state;
  return withMessage(state, message(id, "agent", known.text + news, false));
}

/** @param {string} id @param {"agent" | "user"} role @param {string} text @param {boolean} final @returns {Message} */
const message = (id, role, text, final) => ({ id, role, text, chars: countOf(text), final, interrupted: false });

/** Puts a message in the place of the one with its id, or at the end. @param {State} state @param {Message} news @returns {State} */
function withMessage(state, news) {
  const at = state.messages.findLastIndex(({ id }) => id === news.id);
  return { ...state, messages: at < 0 ? [...state.messages, news] : state.messages.with(at, news) };
}

/** @param {State} state @param {string} id @param {(goal: Goal) => Goal} change @returns {State} */
function withGoal(state, id, change) {
  const at = state.goals.findIndex((goal) => goal.id === id);
  if (at < 0) return { ...state, goals: [...state.goals, change(newGoal({ id }))] };
  return { ...state, goals: state.goals.with(at, change(state.goals[at])) };
}

/** @param {Goal} goal @param {Record<string, any>} values @returns {Goal} */
function withFields(goal, values) {
  const names = new Set(goal.fields.map((field) => field.name));
  const fresh = Object.keys(values).filter((name) => !names.has(name)).map((name) => newField({ name }));
  const fields = [...goal.fields, ...fresh].map((field) => (Object.hasOwn(values, field.name) ? { ...field, value: values[field.name] ?? undefined } : field));
  return { ...goal, fields };
}

/** A value has changed: what was read out is not what stands. @param {State} state @param {Goal} goal */
function unproposed(state, goal) {
  if (goal.status !== "proposed") return goal.status;
  return goal.revision ? "committed" : state.active === goal.id ? "active" : "open";
}

/** A committed goal stays committed, also while one talks about it again. @param {State} state @param {string} id @returns {State} */
function activated(state, id) {
  const rest = { ...state, active: id, goals: state.goals.map((goal) => (goal.status === "active" ? /** @type {Goal} */ ({ ...goal, status: "open" }) : goal)) };
  return withGoal(rest, id, (goal) => (goal.status === "committed" || goal.status === "proposed" ? goal : { ...goal, status: "active" }));
}
