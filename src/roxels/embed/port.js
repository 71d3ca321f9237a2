/**
 * One end of the line between the host page and the frame: commands go one way, events the other, under the names of the public
 * events. What is said before the line is up waits, in order. Names that nobody handles are ignored: either side may be older.
 * A question that fails is answered with a fault: `{error, message}`, as in the public error event.
 *
 * This is the frame's module; `embed.js`, one classic script, holds a copy of the function (a test keeps the two equal).
 *
 * @typedef {{error: string, message: string}} Fault
 * @typedef {ReturnType<typeof createPort>} Port
 *   tell(name, payload) · ask(name, payload): a promise of the answer · on(name, handler): of a question, what the handler returns is
 *   the answer · connect(port): takes a line, in place of an earlier one, and sends what waits · close()
 */
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

export { createPort };
