// The fields of a goal, in either dialect that a template may be written in, read and changed in place.
//
//   JSON Schema   {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]}
//   field map     {"size": {"type": "integer", "required_before_commit": true}, "tools": "array of strings"}
//
// What a form does not show stays as it was written. A schema that is a list as a whole has no fields here.

/** @typedef {any} Schema as it was written, in whatever dialect */
/** @typedef {{name: string, type: string, question: string, choices: (string | number)[], required: boolean, also: string[]}} Field */

/** What a form shows of a field; every other key is told as `also`. */
const SHOWN = new Set(["type", "description", "enum", "values", "required_before_commit"]);

export const TYPES = ["string", "number", "integer", "boolean", "array", "object"];

/** Which dialect is it? @param {Schema} schema @returns {"none" | "json" | "map" | "list"} */
export function dialectOf(schema) {
  if (!schema || typeof schema !== "object" || Array.isArray(schema)) return "none";
  const element = schema.items ?? schema.item_schema;
  if (schema.type === "array" && element && ["object", "string"].includes(typeof element)) return "list";
  if ("properties" in schema || schema.type === "object") return "json";
  return Object.keys(schema).length ? "map" : "none";
}

/** Its fields, in the order in which they are asked. @param {Schema} schema @returns {Field[]} */
export function fieldsOf(schema) {
  const dialect = dialectOf(schema);
  if (dialect !== "json" && dialect !== "map") return [];
  return Object.entries(placeOf(schema)).map(([name, written]) => {
    const field = typeof written === "string" ? { type: written } : (written ?? {});
    const choices = field.enum ?? field.values;
    return {
      name,
      type: field.type ?? (choices ? "string" : ""),
      question: field.description ?? "",
      choices: Array.isArray(choices) ? choices : [],
      required: dialect === "json" ? (schema.required ?? []).includes(name) : field.required_before_commit === true,
      also: Object.keys(field).filter((key) => !SHOWN.has(key)),
    };
  });
}

/** The types that a field may be given, with the one that it has, whatever that is. @param {Field} field */
export const typesFor = (field) => (TYPES.includes(field.type) ? TYPES : [field.type, ...TYPES]);

/**
 * Change what the form shows of a field.
 * @param {Schema} schema
 * @param {string} name
 * @param {"type" | "question" | "choices" | "required"} key
 * @param {any} value
 */
export function change(schema, name, key, value) {
  const place = placeOf(schema);
  if (key === "required" && dialectOf(schema) === "json") {
    const others = (schema.required ?? []).filter((/** @type {string} */ each) => each !== name);
    schema.required = value ? [...others, name] : others;
    sortRequired(schema);
    return;
  }
  if (typeof place[name] === "string") place[name] = { type: place[name] };
  const field = place[name];
  if (key === "type") field.type = value;
  else if (key === "question") put(field, "description", value);
  else if (key === "required") put(field, "required_before_commit", value || undefined);
  else put(field, "values" in field || field.type === "enum" ? "values" : "enum", value.length ? value : undefined);
}

/** Call a field something else, at its place; false where that name is taken, or none. @param {Schema} schema @param {string} from @param {string} to */
export function rename(schema, from, to) {
  const place = placeOf(schema);
  if (to === from) return true;
  if (!to || to in place) return false;
  replace(place, Object.entries(place).map(([name, field]) => [name === from ? to : name, field]));
  if (Array.isArray(schema.required)) schema.required = schema.required.map((/** @type {string} */ name) => (name === from ? to : name));
  return true;
}

/** One field more; gives back the schema, which may be a new one, and the name. @param {Schema} schema @returns {{schema: Schema, name: string}} */
export function add(schema) {
  const whole = dialectOf(schema) === "none" ? { type: "object", properties: {} } : schema;
  whole.properties ??= dialectOf(whole) === "json" ? {} : undefined;
  if (whole.properties === undefined) delete whole.properties;
  const place = placeOf(whole);
  let name = "field";
  for (let n = 2; name in place; n++) name = `field_${n}`;
  place[name] = { type: "string", description: "" };
  return { schema: whole, name };
}

/** @param {Schema} schema @param {string} name */
export function remove(schema, name) {
  delete placeOf(schema)[name];
  if (Array.isArray(schema.required)) schema.required = schema.required.filter((/** @type {string} */ each) => each !== name);
}

/** One place up (-1) or down (1): fields are asked in their order. @param {Schema} schema @param {string} name @param {number} by */
export function move(schema, name, by) {
  const place = placeOf(schema);
  const entries = Object.entries(place);
  const from = entries.findIndex(([each]) => each === name);
  const to = from + by;
  if (to < 0 || to >= entries.length) return;
  entries.splice(to, 0, ...entries.splice(from, 1));
  replace(place, entries);
  sortRequired(schema);
}

/** Where in the template a field stands, below its schema. @param {Schema} schema @param {string} name */
export const pathOf = (schema, name) => (dialectOf(schema) === "json" ? `properties.${name}` : name);

/** Where the fields stand in it. @param {Schema} schema @returns {Record<string, any>} */
const placeOf = (schema) => (dialectOf(schema) === "json" ? (schema.properties ??= {}) : schema);

/** What is required stands in the order of the fields. @param {Schema} schema */
function sortRequired(schema) {
  if (!Array.isArray(schema.required)) return;
  const order = Object.keys(placeOf(schema));
  schema.required.sort((/** @type {string} */ a, /** @type {string} */ b) => order.indexOf(a) - order.indexOf(b));
}

/** @param {Record<string, any>} object @param {string} key @param {any} value */
function put(object, key, value) {
  if (value === undefined || value === "") delete object[key];
  else object[key] = value;
}

/** The same object with these entries, in this order. @param {Record<string, any>} object @param {[string, any][]} entries */
function replace(object, entries) {
  for (const key of Object.keys(object)) delete object[key];
  for (const [key, value] of entries) object[key] = value;
}
