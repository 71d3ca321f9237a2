/**
 * Roxels in the host page: one classic script, one global. It mounts the frame in which the conversation lives, and carries commands
 * in and events out over one MessagePort. widget.js draws what is around it; embed.d.ts says what each call is for.
 */
(function () {
  "use strict";

  const script = /** @type {HTMLScriptElement} */ (document.currentScript ?? document.querySelector('script[src*="/embed.js"]'));
  const found = /** @type {any} */ (window.Roxels);
  if (found && !found.q) return void autoinit(found); // loaded twice

  const ORIGIN = new URL(script.src).origin;
  const HELLO_WITHIN_MS = 15000;
  const GOODBYE_WITHIN_MS = 2000;

  /** @type {import("./embed.d.ts").State} */
  const STILL = Object.freeze({ connection: "off", paused: false, micEnabled: false, screenSharing: false, voiceState: null, error: null });
  const JUNK = /^(undefined|null|none|nil|nan|true|false|\[object object\]|\s+)$/i;
  const OPTION = /^(templateKey|sessionId|display|resume|shared|view|fabAnchor|fabContainer|on[A-Z].*)$/;
  const EVENTS = ["session", "connected", "chat", "understanding", "goal_transition", "commit", "complete", "resumption", "ending", "ended"];

  const everyone = createListeners();
  /** @type {AbortController} of every listener and request */
  let page;
  /** @type {Record<string, any>} what init was given, without the person */
  let settings;
  /** @type {{id: string | null | undefined, name?: string, token?: any, fault?: import("./embed.d.ts").Fault}} who is here; id undefined: only the token knows */
  let person;
  /** @type {Call | null} the running talk */
  let call;
  /** @type {import("./embed.d.ts").State} of the newest talk */
  let state;
  /** @type {Record<string, any>} */
  let launcher;
  /** @type {Promise<boolean>} the last sign-out: did the server hear of it? */
  let leaving = Promise.resolve(true);
  renew();

  // port.js: a copy
  function createPort() {
    /** @type {MessagePort | undefined} */
    let line;
    let count = 0;
    /** @type {object[] | null} null: closed */
    let waiting = [];
    const handlers = new Map();
    const asked = new Map();

    /** @param {object} message */
    function send(message) {
      if (line) line.postMessage(message);
      else waiting?.push(message);
    }

    /** @param {MessageEvent} event */
    async function receive({ data: { name, payload, ask, answer, fault } }) {
      if (answer) return asked.get(answer)?.(payload, fault);
      const reply = handlers.get(name);
      if (!ask) return reply?.(payload);
      try {
        send({ answer: ask, payload: await reply?.(payload) });
      } catch (reason) {
        const { error = "internal_error", message = String(reason) } = /** @type {any} */ (reason);
        send({ answer: ask, fault: { error, message } });
      }
    }

    return {
      /** @type {(name: string, payload?: any) => void} */
      tell: (name, payload) => send({ name, payload }),
      /** @type {(name: string, payload?: any) => Promise<any>} */
      ask: (name, payload) =>
        new Promise((resolve, reject) => {
          asked.set(++count, (/** @type {any} */ value, /** @type {any} */ fault) => (fault ? reject(fault) : resolve(value)));
          send({ name, payload, ask: count });
        }),
      /** @type {(name: string, reply: (payload: any) => any) => void} */
      on: (name, reply) => void handlers.set(name, reply),
      /** @param {MessagePort} port */
      connect(port) {
        line?.close();
        line = port;
        line.onmessage = receive;
        waiting?.splice(0).forEach(send);
      },
      close() {
        line?.close();
        line = undefined;
        waiting = null;
      },
    };
  }
  // end of port.js

  /** The page before anything was said, and after destroy(). */
  function renew() {
    page = new AbortController();
    settings = {};
    person = { id: null };
    call = null;
    state = STILL;
    launcher = { config: {}, forced: null, view: "", host: null };
  }

  /** The host's mistakes stop nothing of ours. */
  function guard(act) {
    try {
      act();
    } catch (error) {
      reportError(error);
    }
  }

  function createListeners() {
    const heard = new Set();
    return {
      /** @returns {() => void} its own off */
      on(event, callback) {
        const listener = { event, callback };
        heard.add(listener);
        return () => void heard.delete(listener);
      },
      emit(name, payload) {
        for (const { event, callback } of [...heard]) {
          if (event === name) guard(() => callback(payload));
          if (event === "*") guard(() => callback(name, payload));
        }
      },
      clear: () => heard.clear(),
    };
  }

  const drawing = () => import(`${ORIGIN}/embed/static/v/widget.js`);

  /** @param {() => void} act as soon as there is a body */
  function whenBody(act) {
    if (document.body) act();
    else addEventListener("DOMContentLoaded", act, { signal: page.signal });
  }

  /** With it nobody's talk goes on after a reload, in this tab only; alone it opens nothing. */
  function tabMark(mark) {
    try {
      if (mark) sessionStorage["roxels.tab"] ??= mark;
      if (mark === null) delete sessionStorage["roxels.tab"];
      return sessionStorage["roxels.tab"];
    } catch {} // storage is off
  }

  // ---- who is here

  /** @param {any} value @returns {{id: string | null | undefined, fault?: import("./embed.d.ts").Fault}} */
  function readId(value) {
    const id = String(value ?? "");
    if (!id) return { id: null };
    if (typeof value !== "object" && !JUNK.test(id)) return { id };
    const message = `externalId: "${id}" would melt strangers into one person. Pass your own user id; if it is that, use a prefix, e.g. "dev:none".`;
    return { id: null, fault: { error: "invalid_external_id", message } };
  }

  /** Who is here from now on. Somebody else than before, or nobody: the running talk is detached. Nobody's talk goes on. */
  function identify(who, revoke) {
    const { name, externalId, identityToken: token } = who ?? {};
    const next = readId(externalId);
    if (token && !externalId) next.id = undefined;
    const known = [person.id, call ? call.externalId : null].filter((id) => id !== null);
    if (!who || next.fault || known.some((id) => id === undefined || id !== next.id)) detach(revoke);
    const same = next.id && next.id === person.id;
    person = same ? { ...person, name: name ?? person.name, token: token ?? person.token } : { ...next, name, token };
    return person.fault;
  }

  /** Nothing of the earlier person stays, the context that init was given included. */
  function detach(revoke) {
    if (revoke || (call?.options ?? settings).shared) leaving = (call?.linked ? call : new Call({ display: "none" }, true)).revoke();
    call?.finish();
    settings = pick(settings, true);
    tabMark(null);
  }

  /** Takes the person off the options, and what is undefined; but so an id says: nobody. */
  function takePerson(options) {
    const { personName: name, externalId, identityToken, ...rest } = options;
    if ("externalId" in options || identityToken) identify({ name, externalId, identityToken });
    else if (name) person = { ...person, name };
    for (const name in rest) if (rest[name] === undefined) delete rest[name];
    return rest;
  }

  /** The options that are ours, or the others: those are context for the agent. */
  const pick = (options, ours) => Object.fromEntries(Object.entries(options).filter(([name]) => OPTION.test(name) === ours));

  // ---- a running talk

  class Call {
    constructor(options, over) {
      this.over = over;
      const { context, ...extra } = pick(options, false);
      this.context = JSON.parse(JSON.stringify({ ...extra, ...context }));
      this.options = options;
      this.person = person;
      /** null: nobody's; undefined: not known before the welcome */
      this.externalId = options.sessionId ? undefined : person.id;
      this.resume = options.resume;
      this.state = STILL;
      this.heard = createListeners();
      this.link = createPort();
      this.ready = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
      this.ready.catch(() => {}); // the error event tells it too
      this.handle = controllerOf(this);
      this.listen();
    }

    listen() {
      const { link, heard, options } = this;
      for (const name of EVENTS) link.on(name, (payload) => this.relay(name, payload));
      link.on("status", ({ status }) => this.enter(status));
      link.on("error", (fault) => this.relay("error", fault, { error: fault }));
      link.on("identity", (now) => {
        const { token } = now || this.externalId === person.id ? person : this.person;
        return typeof token === "function" ? token() : token;
      });
      link.on("person", (externalId) => {
        this.externalId = externalId;
        if (!this.over && !options.sessionId && (this.person === person || (externalId && person.id === undefined))) person.id = externalId;
      });
      link.on("chrome", (labels) => this.box?.label(labels));
      link.on("close", () => this.close());
      for (const name in options) {
        if (/^on[A-Z]/.test(name)) heard.on(name.slice(2).replace(/\B[A-Z]/g, "_$&").toLowerCase(), options[name]);
      }
    }

    /** @param {any} wanted */
    serves({ sessionId, templateKey, display, resume }) {
      const { options, externalId } = this;
      if (options.display !== display || options.sessionId !== sessionId || resume === false) return false;
      return sessionId ? true : options.templateKey === templateKey && externalId === person.id;
    }

    /** The one path of events. @param {string} event @param {any} [payload] @param {object} [change] of the state */
    relay(event, payload, change) {
      if (this.over) return;
      if (change) state = this.state = Object.freeze({ ...this.state, ...change });
      if (event === "connected") this.settle.resolve(undefined);
      this.heard.emit(event, payload);
      everyone.emit(event, payload);
    }

    enter(status) {
      if (status !== this.state.connection) this.relay("status", { status }, { connection: status });
    }

    /** It cannot be started. @param {import("./embed.d.ts").Fault} fault */
    refuse(fault) {
      this.enter("error");
      this.relay("error", fault, { error: fault });
      this.settle.reject(Object.assign(new Error(fault.message), fault));
      if (!this.box) this.end();
    }

    async mount() {
      const { sessionId, templateKey, display } = this.options;
      const { signal } = page;
      const lost = { error: "frame_unreachable", message: `${ORIGIN} did not answer. Check the server, the key's allowed_domains, and this page's script-src and frame-src.` };
      const src = ORIGIN + "/embed/frame" + (templateKey && !sessionId ? "?key=" + encodeURIComponent(templateKey) : "");
      this.frame = Object.assign(document.createElement("iframe"), { title: "Conversation", referrerPolicy: "no-referrer", src });
      this.frame.dataset.roxels = "frame";
      this.enter("loading");
      this.timer = setTimeout(() => (this.box?.stuck(), this.refuse(lost)), HELLO_WITHIN_MS);
      addEventListener("message", this);
      addEventListener("pageshow", this);
      drawLauncher();
      if (display === "none") {
        this.frame.style.setProperty("display", "none", "important");
        return document.body.append(this.frame);
      }
      const { openBox } = await drawing().catch(() => this.refuse(lost)) ?? {};
      if (!this.over) this.box = openBox({ frame: this.frame, display, signal, on: this.heard.on, close: () => this.close() });
    }

    /** Our frame says hello, after a reload of its own too: it gets a line. Or the page is back, its person perhaps gone. @param {any} event */
    handleEvent({ data, origin, source, persisted }) {
      if (persisted && tabMark() !== this.tab) setPerson(null);
      if (data !== "roxels:hello" || origin !== ORIGIN || source !== this.frame?.contentWindow) return;
      const { port1, port2 } = new MessageChannel();
      const { context, externalId, resume, person, options } = this;
      const { sessionId, display } = options;
      const tab = (this.tab = tabMark(crypto.getRandomValues(new Uint32Array(4)).join("-")));
      clearTimeout(this.timer);
      source.postMessage("roxels:port", ORIGIN, [port2]);
      this.link.connect(port1);
      this.linked = true;
      if (this.over) return;
      const brief = { v: 1, sessionId, display, resume, context, tab, person: { externalId, name: person.name } };
      this.link.ask("start", brief).catch((fault) => this.refuse(fault));
      this.resume = undefined; // not again when the frame reloads
      this.box?.open();
    }

    close() {
      this.relay("close");
      this.finish();
    }

    async hangUp() {
      this.enter("disconnecting");
      this.relay("ending");
      await this.bid("hangup", GOODBYE_WITHIN_MS);
      this.finish();
    }

    bid(name, within) {
      return Promise.race([this.link.ask(name), new Promise((resolve) => (AbortSignal.timeout(within).onabort = resolve))]);
    }

    /** Only the frame can sign this browser out: it has the token, its origin the cookie. */
    async revoke() {
      this.leaves = true;
      if (!this.linked) whenBody(() => this.mount());
      const done = await this.bid("reset", HELLO_WITHIN_MS).catch(() => {});
      this.remove();
      return done === true;
    }

    finish() {
      if (this.state.connection !== "ended") this.enter("ended"), this.relay("ended");
      this.end();
    }

    end() {
      this.over = true;
      this.heard.clear();
      this.box?.hide();
      if (call === this) call = null;
      if (!this.leaves) this.remove();
      drawLauncher();
    }

    remove() {
      clearTimeout(this.timer);
      removeEventListener("message", this);
      removeEventListener("pageshow", this);
      this.link.close();
      this.box?.remove();
      this.frame?.remove();
    }
  }

  /** What the page holds of a talk. @param {Call} talk */
  const controllerOf = (talk) => ({
    on: talk.heard.on,
    send: talk.link.tell,
    sendMessage: (text) => talk.link.tell("say", text),
    hangUp: () => void talk.hangUp(),
    close: () => talk.close(),
    destroy: () => talk.finish(),
    ready: talk.ready,
    get state() {
      return talk.state;
    },
  });

  // ---- the launcher

  /** As things now stand; not beside an open widget. */
  async function drawLauncher() {
    const { signal } = page;
    launcher.host?.remove();
    if (!settings.templateKey || !(launcher.forced ?? launcher.config.enabled)) return;
    const { drawFab } = await drawing().catch(() => ({}));
    launcher.host?.remove();
    if (signal.aborted || (call && call.options.display !== "none")) return;
    launcher.host = drawFab?.(launcher, settings, { signal, press: () => start() });
  }

  async function loadLauncherConfig() {
    const { signal } = page;
    const { templateKey } = settings;
    if (!templateKey) return null;
    try {
      const answer = await fetch(`${ORIGIN}/v1/embed/launcher?key=${encodeURIComponent(templateKey)}`, { signal, credentials: "omit" });
      if (answer.ok) launcher.config = await answer.json();
    } catch {} // it keeps its look
    if (!signal.aborted) drawLauncher();
    return launcher.config;
  }

  function showFab(look = {}) {
    launcher.forced = look;
    drawLauncher();
  }

  // ---- the global

  function init(options = {}) {
    const own = takePerson(options);
    settings = { ...settings, ...own };
    launcher.view = options.view ?? launcher.view;
    if (state === STILL) state = Object.freeze({ ...state, connection: "idle" });
    report(person.fault);
    whenBody(loadLauncherConfig);
  }

  /** Told outside of any talk. @param {import("./embed.d.ts").Fault} [fault] */
  function report(fault) {
    if (!fault) return;
    state = Object.freeze({ ...state, error: fault });
    queueMicrotask(() => {
      everyone.emit("error", fault);
      guard(() => settings.onError?.(fault));
    });
  }

  /** The same talk again is the one that runs; any other takes its place. */
  function start(options = {}) {
    const own = takePerson(options); // may clear settings
    const wanted = { display: "modal", ...settings, ...own };
    const { sessionId, templateKey } = wanted;
    if (call?.serves(wanted)) return call.handle;
    const talk = new Call(wanted);
    const missing = !templateKey && { error: "template_key_missing", message: "start: pass templateKey (rk_…) here or in init, or a sessionId." };
    const fault = !sessionId && (person.fault ?? missing);
    call?.finish();
    call = talk;
    leaving.then(() => (fault ? talk.refuse(fault) : whenBody(() => talk.over || talk.mount())));
    return talk.handle;
  }

  /** What comes of it for the running talk, the server decides. */
  function setPerson(who) {
    report(identify(who));
    call?.link.tell("person", { externalId: person.id, name: person.name });
  }

  window.Roxels = {
    version: "1",
    init,
    start,
    open: ({ mode: display = "modal", ...options } = {}) => start({ display, ...options }),
    setPerson,
    reset() {
      identify(null, true);
      return leaving;
    },
    setView(name) {
      launcher.view = name;
      drawLauncher();
    },
    showFab,
    hideFab: () => showFab(false),
    loadLauncherConfig,
    on: everyone.on,
    send: (name, payload) => call?.handle.send(name, payload),
    sendMessage: (text) => call?.handle.sendMessage(text),
    hangUp: () => call?.handle.hangUp(),
    close: () => call?.close(),
    destroy() {
      call?.end();
      launcher.host?.remove();
      page.abort();
      everyone.clear();
      renew();
    },
    get call() {
      return call?.handle ?? null;
    },
    get state() {
      return state;
    },
  };

  /** A tag with a key sets everything up, once. */
  function autoinit(roxels) {
    const { templateKey, externalId, personName, identityToken, view } = script.dataset;
    if (!templateKey || roxels.state?.connection !== "off") return;
    roxels.init(JSON.parse(JSON.stringify({ templateKey, externalId, personName, identityToken, view })));
    roxels.showFab();
  }

  autoinit(window.Roxels);
  if (found) {
    const replay = ([name, args]) => guard(() => window.Roxels[name]?.(...args)); // calls made before
    found.q.forEach(replay);
    found.q.push = replay;
  }
})();
