/**
 * Roxels on a host page: `<script src="https://your-roxels/embed.js"></script>` defines `window.Roxels`.
 *
 * Script tag alone: `data-template-key`, `data-external-id`, `data-person-name`, `data-identity-token`, `data-view` set everything up
 * and show the launcher. Loading the script twice is harmless.
 *
 * Calls may come before the script: put this line first, and they are made in order when it arrives.
 *
 *     <script>window.Roxels ??= new Proxy({ q: [] }, { get: (s, m) => m in s ? s[m] : (...a) => void s.q.push([m, a]) });</script>
 *
 * A strict Content-Security-Policy needs the Roxels origin in `script-src`, `frame-src` and, for the launcher, `connect-src`.
 */

export type Display = "modal" | "compact" | "none";

/** `loading` the frame · `joining` the conversation, or coming back to it · `connected` · `disconnecting` · `ended` · `error`. */
export type Status = "loading" | "joining" | "connected" | "disconnecting" | "ended" | "error";

/** A string or number of yours; `null`, `undefined` and `""` mean nobody. Strings such as `"undefined"` are an `error`. */
export type ExternalId = string | number | bigint | null;

/** A signed identity token, or the function that fetches one: called for every session, so first fetch and refresh are one. */
export type IdentityToken = string | (() => string | Promise<string>);

export interface Person {
  name?: string;
  externalId?: ExternalId;
  identityToken?: IdentityToken;
}

export interface Options extends Callbacks {
  /** The publishable embed key, `rk_…`. */
  templateKey?: string;
  personName?: string;
  externalId?: ExternalId;
  identityToken?: IdentityToken;
  /** JSON data for the agent, `{{context.*}}`; so is every option that is not named here, `authToken` for one. */
  context?: Record<string, unknown>;
  /** Default `modal`. */
  display?: Display;
}

export interface InitOptions extends Options {
  /** Several people use this browser: every switch of the person signs it out, as `reset` does. The page is cleared in any case. */
  shared?: boolean;
  /** The page's current view, for the launcher's visibility rules. */
  view?: string;
  /** Where the launcher stands, if it shall not float: a selector, or an element. */
  fabAnchor?: string | Element;
  fabContainer?: string | Element;
}

export interface StartOptions extends Options {
  /** A session that your server opened (`POST /v1/interviews`); then no key and no person is needed. */
  sessionId?: string;
  /** `false`: begin a new conversation even where one could be resumed. */
  resume?: boolean;
}

export interface Resumption {
  resumed: boolean;
  reason: "new_person" | "resumption_off" | "none_open" | "window_over" | "proof_needed" | "ended" | "asked_new" | "resumed" | "tried";
  /** Finished messages that came back. */
  turns: number;
  goals: Record<string, string>;
  proof: "anonymous" | "claimed" | "device" | "verified";
  unfinished: { utterance_id: string; chars: number } | null;
}

export interface Fault {
  /** A stable code. */
  error: string;
  /** What happened and what to do. */
  message: string;
}

/** Every event with its payload. What was there before comes again only as `chat` and `understanding`, marked `replayed`. */
export interface Events {
  session: { sessionId: string };
  status: { status: Status };
  connected: undefined;
  /** Why it resumed or not; at every start. */
  resumption: Resumption;
  /** The whole message so far: replace by `id`. */
  chat: { id: string; role: "agent" | "user"; text: string; final: boolean; replayed: boolean };
  /** What was just captured, or corrected; merge it. */
  understanding: { goal_id: string; data: Record<string, unknown>; external_id: string | null; replayed?: true };
  goal_transition: { from_goal: string | null; to_goal: string };
  commit: { commit_id: string; goal_id: string; revision: number; data: Record<string, unknown>; external_id: string | null };
  complete: { summary: string; findings: Record<string, unknown>; duration_seconds: number; external_id: string | null; auto_close: boolean };
  /** The widget was closed; the conversation stays open. */
  close: undefined;
  ending: undefined;
  ended: undefined;
  error: Fault;
}

export interface On {
  <Name extends keyof Events>(event: Name, callback: (payload: Events[Name]) => void): Off;
  (event: "*", callback: (event: keyof Events, payload: unknown) => void): Off;
}

/** Takes the callback away again. */
export type Off = () => void;

/** Sugar for `on`: use one or the other for one thing. Those given to `start` take the place of those given to `init`. */
export interface Callbacks {
  onSession?(payload: Events["session"]): void;
  onStatus?(payload: Events["status"]): void;
  onConnected?(): void;
  onResumption?(payload: Events["resumption"]): void;
  onChat?(payload: Events["chat"]): void;
  onUnderstanding?(payload: Events["understanding"]): void;
  onGoalTransition?(payload: Events["goal_transition"]): void;
  onCommit?(payload: Events["commit"]): void;
  onComplete?(payload: Events["complete"]): void;
  onClose?(): void;
  onEnding?(): void;
  onEnded?(): void;
  onError?(payload: Events["error"]): void;
}

/** A snapshot: replaced on every change, never changed. `off`: nothing is set up; `idle`: set up, nothing started yet. */
export interface State {
  readonly connection: Status | "off" | "idle";
  readonly paused: boolean;
  readonly micEnabled: boolean;
  readonly screenSharing: boolean;
  readonly voiceState: string | null;
  /** The last fault, for whoever looks too late to hear it. */
  readonly error: Fault | null;
}

/** One running talk. It is there at once; what it is told before it is connected waits. */
export interface Call {
  on: On;
  /** A command by its name, for what has no method of its own: `send("correct", {goal_id, field, value})`. */
  send(name: string, payload?: unknown): void;
  sendMessage(text: string): void;
  /** Ends the visit, and the conversation where its template does not resume. */
  hangUp(): void;
  /** Closes the widget; the conversation stays open. */
  close(): void;
  /** Takes it out of the page; the conversation stays open. */
  destroy(): void;
  /** Resolves when it is connected for the first time, rejects where it cannot be started. */
  readonly ready: Promise<void>;
  readonly state: State;
}

export interface RoxelsApi {
  readonly version: string;
  /** Defaults for every start; shows the launcher where the template has one. May be called again with more. */
  init(options?: InitOptions): void;
  /** Starts a talk, or gives back the one that runs with the same key, person and display. */
  start(options?: StartOptions): Call;
  /** The older name of `start`; `mode` is `display`. */
  open(options?: StartOptions & { mode?: Display }): Call;
  /**
   * Who is here. The same id: only name and token are news. Another id, or `null`: a running talk is detached (it stays open for
   * its owner), everything the page holds of it is cleared, `init`'s context included, and the next start runs as the new person.
   * A talk without a person goes on; the next start is the person.
   */
  setPerson(person: Person | null): void;
  /**
   * Signs out to nobody, on the server too: the session ends, and this browser is a stranger to everybody. Fulfilled when the server
   * has answered; `false`: it could not be reached. A start waits for it.
   */
  reset(): Promise<boolean>;
  /** The current view, for the launcher's visibility rules: call it on a route change. */
  setView(name: string): void;
  /** Shows the launcher whatever the rules say, with another look if one is given. */
  showFab(look?: { label?: string; icon?: string; color?: string; position?: "bottom-right" | "bottom-left" }): void;
  hideFab(): void;
  /** Fetches the launcher's settings again. */
  loadLauncherConfig(): Promise<Record<string, unknown> | null>;
  /** The events of every talk of this page. */
  on: On;
  /** As on the running talk; without one, nothing. */
  send(name: string, payload?: unknown): void;
  sendMessage(text: string): void;
  hangUp(): void;
  close(): void;
  /** Leaves the page as it was found; `init` or `start` may follow. */
  destroy(): void;
  readonly call: Call | null;
  readonly state: State;
}

declare global {
  interface Window {
    Roxels: RoxelsApi;
  }
  const Roxels: RoxelsApi;
}
