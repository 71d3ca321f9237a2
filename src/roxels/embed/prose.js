/**
 * The agent's words with their form: paragraphs, lists, **strong**, *stressed*, `code` and links, a small part of Markdown. Made of nodes,
 * never read as HTML.
 *
 * Words come a few characters at a time, and nothing that is shown is ever changed, moved or taken away: text grows at its end, nodes
 * are added at the end. So a mark is held back, with what follows it, until it is decided: once it is closed, it is shown as what it
 * means; where its line, the answer or the longest span ends before that, it is text like any other. What is shown is always the
 * beginning of what will be shown, and it does not matter in which pieces it came.
 */

const PLAIN = /^[^*_`[]+/;
/** No span is longer, so nothing is held back for longer. */
const HELD = 320;
/** @type {[string, RegExp][]} `**` may stand within a word, the others may not. */
const SPANS = [
  ["code", /^`(?!\s)([^`]{1,300})`/],
  ["strong", /^\*\*(?!\s)(.{0,300}?\S)\*\*(?!\*)/u],
  ["strong", /^__(?!\s)(.{0,300}?\S)__(?![_\p{L}\p{N}])/u],
  ["em", /^\*(?![\s*])(.{0,300}?[^\s*])\*(?![*\p{L}\p{N}])/u],
  ["em", /^_(?![\s_])(.{0,300}?[^\s_])_(?![_\p{L}\p{N}])/u],
  ["a", /^\[([^[\]]{1,200})\]\(((?:https?:\/\/|mailto:)[^\s()<>"]{1,2000})\)/i],
];
const LINK_BEGUN = /^\[[^[\]]{0,200}(?:\](?:\([^\s()<>"]{0,2000})?)?$/;
const ITEM = /^[ \t]{0,8}(?:[-*•]|(\d{1,3})\.)[ \t]+(?=\S)/;
const ITEM_BEGUN = /^[ \t]*(?:[-*•]|\d{1,3}\.?)?[ \t]*$/;

/** @typedef {{tag?: string, text: string, href?: string, length: number}} Token `length`: of its source */

/** A block turns with its own words; an item with those of its list. @param {string} tag */
function make(tag) {
  const element = document.createElement(tag);
  element.dir = "auto";
  return element;
}

/**
 * What the rest of a line begins with; null: not decided yet.
 * @param {string} rest @param {string} before what stands before it in the line @param {boolean} whole is this all of the line?
 * @returns {Token | null}
 */
function next(rest, before, whole) {
  const plain = PLAIN.exec(rest);
  if (plain) return { text: plain[0], length: plain[0].length };
  const [run] = /** @type {RegExpExecArray} */ (/^(?:\*+|_+|`+|\[)/.exec(rest));
  const inWord = run !== "**" && run !== "[" && /[\p{L}\p{N}]$/u.test(before);
  const opens = run.length <= 3 && !inWord && /^\S/.test(rest.slice(run.length));
  for (const [tag, pattern] of opens ? SPANS : []) {
    const [source, text, href] = pattern.exec(rest) ?? [];
    if (!source || (tag === "a" && !URL.canParse(href))) continue;
    // What comes after a closing mark may say that it closes nothing.
    if (whole || source.length < rest.length || tag === "a" || tag === "code") return { tag, text, href, length: source.length };
  }
  const isOpen = run === "[" ? LINK_BEGUN.test(rest) : rest === run || (opens && rest.length <= HELD);
  return isOpen && !whole ? null : { text: run, length: run.length };
}

/** @param {Element} place @param {Token} token */
function put(place, { tag, text, href }) {
  if (!tag) {
    const { lastChild } = place;
    return lastChild instanceof Text ? lastChild.appendData(text) : place.append(text);
  }
  const element = document.createElement(tag);
  if (element instanceof HTMLAnchorElement) Object.assign(element, { href, target: "_blank", rel: "noopener noreferrer" });
  if (tag === "a" || tag === "code") element.textContent = text;
  else fill(element, text);
  place.append(element);
}

/** @param {Element} place @param {string} text all of it, within a line */
function fill(place, text) {
  for (let at = 0; at < text.length; ) {
    const token = /** @type {Token} */ (next(text.slice(at), text.slice(0, at), true));
    put(place, token);
    at += token.length;
  }
}

export class Prose {
  /** @param {Element} place */
  constructor(place) {
    this.place = place;
    this.source = "";
    this.at = 0;
    this.whole = false;
    /** @type {Element | null} the paragraph or item that grows */
    this.block = null;
    /** @type {HTMLElement | null} the list that may go on */
    this.list = null;
    this.count = 0;
  }

  /** From the beginning. */
  again() {
    this.place.replaceChildren();
    Object.assign(this, new Prose(this.place));
  }

  /** Shows more of it. @param {string} source from its first character @param {boolean} whole is this all? */
  grow(source, whole) {
    if (!source.startsWith(this.source)) this.again(); // the server says something else than it did: what it says now holds
    this.source = source;
    this.whole = whole;
    while (this.at < source.length && this.step());
  }

  /** One step further; false: what comes next is not decided. */
  step() {
    const rest = this.source.slice(this.at);
    if (!this.block) return this.begin(rest);
    if (rest.startsWith("\n")) return this.turn(rest.slice(1));
    const [line] = rest.split("\n", 1);
    const before = this.source.slice(Math.max(0, this.at - 2), this.at);
    const token = next(line, before, this.whole || line.length < rest.length);
    if (!token) return false;
    put(this.block, token);
    this.at += token.length;
    return true;
  }

  /** A line that begins a paragraph or an item. @param {string} rest */
  begin(rest) {
    const [blank] = /^(?:[ \t]*\n)+/.exec(rest) ?? [""];
    this.at += blank.length;
    const line = rest.slice(blank.length);
    if (ITEM_BEGUN.test(line) && (!this.whole || !line.trim())) return false;
    const item = this.item(line);
    if (!item) this.list = null;
    this.block = item ? this.newItem(item) : make("p");
    (item ? /** @type {Element} */ (this.list) : this.place).append(this.block);
    return true;
  }

  /** The end of a line, and what that means for the next one. @param {string} line the next one, and all after it */
  turn(line) {
    if (/^[ \t]*\n/.test(line)) this.block = null;
    else if (ITEM_BEGUN.test(line) && (!this.whole || !line.trim())) return false;
    else if (this.item(line)) this.block = null;
    else if (this.list && !/^[ \t]/.test(line)) this.block = this.list = null;
    else put(/** @type {Element} */ (this.block), { text: "\n", length: 1 });
    const [indent] = this.list && this.block ? /** @type {RegExpExecArray} */ (/^[ \t]*/.exec(line)) : [""];
    this.at += 1 + indent.length;
    return true;
  }

  /** Does an item of a list begin here? Numbers count from 1, so that "25. Right?" is a sentence. @param {string} line */
  item(line) {
    const item = ITEM.exec(line);
    const isNext = item?.[1] === undefined || Number(item[1]) === 1 || (this.list?.tagName === "OL" && Number(item[1]) === this.count + 1);
    return isNext ? item : null;
  }

  /** @param {RegExpExecArray} item */
  newItem([mark, number]) {
    const tag = number ? "ol" : "ul";
    if (this.list?.tagName.toLowerCase() !== tag || number === "1") this.place.append((this.list = make(tag)));
    this.count = Number(number ?? 0);
    this.at += mark.length;
    return document.createElement("li");
  }
}
