/**
 * What the kiosk says in each language: the first is there from the beginning, the others are fetched once and held.
 *
 * @typedef {{language: string, name: string, direction: string, locale: string, copy: Record<string, string>, contact: string,
 *   notice: import("ritual_screen").Notice, clips: Record<string, string>}} Words `clips` are digests by name
 *
 * @param {{first: Words, offered: {language: string, url: string}[], fetch: typeof fetch}} options
 */
export function createLanguages({ first, offered, fetch }) {
  const held = new Map([[first.language, Promise.resolve(first)]]);

  async function fetched({ url }) {
    const answer = await fetch(url);
    if (!answer.ok) throw new TypeError(`languages: ${answer.status}`);
    return answer.json();
  }

  /** @param {string} language @returns {Promise<Words | null>} null while they cannot be had: asked again, they are tried again */
  function load(language) {
    if (!held.has(language)) {
      const words = fetched(offered.find((one) => one.language === language)).catch(() => {
        held.delete(language);
        return null;
      });
      held.set(language, words);
    }
    return held.get(language);
  }

  return {
    load,
    /** While the server is there, so that every language can be chosen when it is not. */
    fetchAll: () => Promise.all(offered.map(({ language }) => load(language))),
  };
}
