/**
 * What a steward's page asks of the node: the steward API, with the browser's own session.
 *
 * Answers `{ok, status, data, sentence}` and never throws: status 0 is a node out of reach. `onEnded` is called when the
 * session turns out to be over.
 *
 * @param {{fetch: typeof fetch, timeoutMs: number, onEnded: () => void}} options
 */
export function createStewardClient({ fetch, timeoutMs, onEnded }) {
  async function call(method, path, body) {
    const given = body === undefined
      ? { method }
      : { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    let response;
    let data = null;
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      response = await fetch(`/api/v1/${path}`, { credentials: "same-origin", cache: "no-store", signal, ...given });
      data = await response.json();
    } catch {
      if (response === undefined) return { ok: false, status: 0, data: null, sentence: "" };
    }
    const sentence = typeof data?.error === "string" ? data.error : "";
    // A role that may only look is refused with the same status: the session itself is asked whether it lives.
    if (response.status === 403 && path !== "operator/session" && !(await call("GET", "operator/session")).ok) onEnded();
    return { ok: response.ok, status: response.status, data, sentence };
  }

  return {
    get: (path, query = {}) => {
      const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
      const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
      return call("GET", text ? `${path}?${text}` : path);
    },
    post: (path, body = {}) => call("POST", path, body),
  };
}
