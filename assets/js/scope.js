/**
 * One owner for everything that must be let go of again: listeners, timers, audio nodes, other scopes.
 *
 * @typedef {(() => void) | {dispose: () => void}} Disposable
 * @typedef {ReturnType<typeof createScope>} Scope
 */

/**
 * A scope lets go of what it owns in reverse order, once. What is added to a scope that is already disposed is let
 * go of at once, so that a slow answer (a microphone, a decoded take) cannot outlive the page that asked for it.
 */
export function createScope() {
  /** @type {Set<() => void>} */
  const owned = new Set();
  let disposed = false;

  /**
   * @template {Disposable} T
   * @param {T} disposable
   * @returns {T} what was given, for chaining
   */
  function add(disposable) {
    own(releaseOf(disposable));
    return disposable;
  }

  /** @param {() => void} release @returns {() => void} lets go of this one thing early; harmless twice */
  function own(release) {
    if (disposed) {
      release();
      return () => {};
    }
    const entry = () => release();
    owned.add(entry);
    return () => {
      if (owned.delete(entry)) release();
    };
  }

  return {
    get disposed() {
      return disposed;
    },
    add,

    /** Listens until disposed; returns a function that stops listening early. */
    listen(target, type, handler, options) {
      if (disposed) return () => {};
      target.addEventListener(type, handler, options);
      return own(() => target.removeEventListener(type, handler, options));
    },

    /** Calls `fn` once after `delayMs`; returns a function that cancels. */
    timeout(fn, delayMs) {
      if (disposed) return () => {};
      const id = setTimeout(() => {
        cancel();
        fn();
      }, delayMs);
      const cancel = own(() => clearTimeout(id));
      return cancel;
    },

    /** Calls `fn` every `periodMs`; returns a function that cancels. */
    interval(fn, periodMs) {
      if (disposed) return () => {};
      const id = setInterval(fn, periodMs);
      return own(() => clearInterval(id));
    },

    /** Calls `fn(timeMs)` every animation frame; returns a function that cancels. */
    frame(fn) {
      if (disposed) return () => {};
      let id = requestAnimationFrame(function turn(timeMs) {
        id = requestAnimationFrame(turn);
        fn(timeMs);
      });
      return own(() => cancelAnimationFrame(id));
    },

    /**
     * Owns an audio node: disconnected, and stopped if it is a source.
     * @template {AudioNode} N
     * @param {N} node
     * @returns {N}
     */
    node(node) {
      own(() => silence(node));
      return node;
    },

    /** A scope that ends with this one, and can end before it. */
    child() {
      const inner = createScope();
      const release = own(() => inner.dispose());
      inner.add(release);
      return inner;
    },

    /**
     * Lets go of everything, newest first. Every release runs even when others fail.
     * @throws {AggregateError} with all that failed
     */
    dispose() {
      if (disposed) return;
      disposed = true;
      const releases = [...owned].reverse();
      owned.clear();
      const errors = [];
      for (const release of releases) {
        try {
          release();
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw new AggregateError(errors, "some things could not be let go of");
    },
  };
}

/** @param {Disposable} disposable @returns {() => void} */
function releaseOf(disposable) {
  if (typeof disposable === "function") return disposable;
  if (typeof disposable?.dispose === "function") return () => disposable.dispose();
  throw new TypeError("a scope owns functions and things with dispose()");
}

/** @param {AudioNode} node */
function silence(node) {
  try {
    if ("stop" in node) node.stop();
  } catch (error) {
    if (error.name !== "InvalidStateError") throw error; // a source that never started has nothing to stop
  } finally {
    node.disconnect();
  }
}
