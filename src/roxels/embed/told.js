/**
 * What the host page hears of one frame: pairs of an event's name and its payload, in order. Pure: the view before and after it.
 *
 * What was there before this view joined comes again only where it says how things stand (`chat`, `understanding`, marked
 * `replayed: true`), never where it would make the page act twice (`goal_transition`, `commit`, `complete`).
 */
import { uttering } from "./view.js";

/** @typedef {import("./view.js").State} State */

/** @param {State} before @param {State} after @param {any} frame @returns {[string, any][]} */
export function told(before, after, frame) {
  if (before === after) return [];
  if (frame.frame === "piece") return [chat(uttering(after), false)];
  return frame.frame === "event" ? ofFact(before, after, frame) : [];
}

/** An own message, before its fact has come. @param {{id: string, text: string}} own @returns {[string, any]} */
export const chatOfOwn = ({ id, text }) => chat({ id, role: "user", text, final: false }, false);

/** @param {any} message @param {boolean} replayed @returns {[string, any]} */
const chat = ({ id, role, text, final }, replayed) => ["chat", { id, role, text, final, replayed }];

/** @param {State} before @param {State} after @param {any} event @returns {[string, any][]} */
function ofFact(before, after, event) {
  const replayed = event.seq <= after.replayed;
  const external_id = after.externalId;
  const { type, goal_id } = event;
  if (type === "person.said" || type === "agent.said") {
    const id = type === "person.said" ? event.id : event.utterance_id;
    return [chat(after.messages.findLast((message) => message.id === id), replayed)];
  }
  if (type === "field.captured") {
    const goal = after.goals.find(({ id }) => id === goal_id);
    const data = goal?.cumulative ? dataOf(goal) : { [event.field]: event.value };
    const payload = { goal_id, data, external_id };
    return [["understanding", replayed ? { ...payload, replayed } : payload]];
  }
  if (replayed) return [];
  if (type === "goal.activated" && before.active !== goal_id) return [["goal_transition", { from_goal: before.active, to_goal: goal_id }]];
  if (type === "goal.committed") {
    const { commit_id, revision, data } = event;
    return [["commit", { commit_id, goal_id, revision, data, external_id }]];
  }
  if (type === "conversation.ended") return [["ending", undefined]];
  if (type === "conversation.completed") return [["complete", completion(after, event)]];
  return type === "conversation.failed" ? [["error", FAILED]] : [];
}

const FAILED = { error: "conversation_failed", message: "The conversation has ended, but its results could not be made." };

/** All that is captured for a goal. @param {import("./view.js").Goal} goal */
const dataOf = (goal) => Object.fromEntries(goal.fields.filter((field) => field.value !== undefined).map((field) => [field.name, field.value]));

/** @param {State} view @param {any} event */
function completion(view, event) {
  const committed = view.goals.filter((goal) => goal.status === "committed");
  const milliseconds = Date.parse(event.at) - Date.parse(view.startedAt ?? event.at);
  return {
    summary: event.summary ?? "",
    findings: Object.fromEntries(committed.map((goal) => [goal.id, dataOf(goal)])),
    duration_seconds: Math.round(milliseconds / 1000) || 0,
    external_id: view.externalId,
    auto_close: view.settings.auto_close === true,
  };
}
