/**
 * The frame's entry: shakes hands with the host page, then lets a Talk and, unless the page draws everything itself, a Screen meet.
 *
 * The handshake says nothing: "hello" goes to whoever embeds this document, one port comes back from the parent window. Everything
 * else, the person's id included, travels through the port. No other window is listened to.
 */
import { createPort } from "./port.js";
import { createScreen } from "./screen.js";
import { Talk } from "./talk.js";

const host = createPort();
const key = new URLSearchParams(location.search).get("key");
/** @type {Talk | null} */
let talk = null;
/** @type {{render: (talk: Talk) => void} | null} */
let screen = null;
let drawn = 0;
/** As it was before anybody was here. */
const blank = document.body.cloneNode(true);

/** Draws at most once a frame, however fast the words come. */
function changed() {
  drawn ||= requestAnimationFrame(() => {
    drawn = 0;
    if (talk) screen?.render(talk);
  });
}

/** @param {MessageEvent} event */
function meet({ source, data, origin, ports }) {
  if (source !== window.parent || data !== "roxels:port" || !ports[0] || talk) return;
  talk = new Talk({ host, key, origin, changed });
  listen(talk);
  host.connect(ports[0]);
}

/** @param {Talk} talk */
function listen(talk) {
  host.on("start", (brief) => {
    if (brief.display !== "none") screen = createScreen({ talk, host, display: brief.display });
    return talk.start(brief);
  });
  host.on("person", (who) => talk.identify(who));
  host.on("say", (text) => talk.say(text));
  host.on("correct", (correction) => talk.correct(correction).catch((fault) => talk.complain(fault)));
  host.on("hangup", () => talk.hangUp());
  host.on("reset", () => {
    screen = null;
    document.body.replaceWith(blank); // not seen any more; it goes when the server has answered
    return talk.reset();
  });
  addEventListener("pagehide", () => talk.rest());
  addEventListener("pageshow", () => talk.nudge());
  addEventListener("online", () => talk.back());
  document.addEventListener("visibilitychange", () => document.hidden || talk.nudge());
}

addEventListener("message", meet);
performance.mark("roxels:hello"); // from here on the host page shows the frame
if (window.parent !== window) window.parent.postMessage("roxels:hello", "*");
