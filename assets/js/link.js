/** The connection to the server. The only module that touches the page framework's socket. */

const LOOK_MS = 250;

/**
 * Tells `fn` whether the server is there: now, and whenever that changes.
 *
 * @param {(up: boolean) => void} fn
 * @param {import("./scope.js").Scope} scope
 */
export function watchLink(fn, scope) {
  // A component is mounted before the framework has opened its socket.
  const stop = scope.interval(() => {
    const { socket } = window;
    if (!socket) return;
    stop();
    const up = () => fn(true);
    const down = () => fn(false);
    socket.on("connect", up);
    socket.on("disconnect", down);
    scope.add(() => socket.off("connect", up));
    scope.add(() => socket.off("disconnect", down));
    fn(socket.connected);
  }, LOOK_MS);
}

/**
 * Keeps a lost connection lost while something is held that a reload would lose: a server that was started anew does not
 * know this page, and the framework then reloads it. Let go, it connects again by itself.
 *
 * @param {boolean} held
 */
export function holdLink(held) {
  const { socket } = window;
  if (!socket) return;
  socket.io.reconnection(!held);
  if (!held && !socket.connected) socket.connect();
}

/** Tells browser and screen reader how the whole page is to be read. @param {{language: string, direction: string}} words */
export function speakAs({ language, direction }) {
  document.documentElement.lang = language;
  document.documentElement.dir = direction;
}
