/** An open page as a device: it says how it fares, and obeys the stewards from afar. */

import { createDevice, pageStorage } from "device";
import { figure } from "figures";

/**
 * @param {object} options
 * @param {"kiosk" | "room"} options.surface
 * @param {Record<string, number>} options.figures catalogs/device.toml
 * @param {string} options.pageVersion
 * @param {import("scope").Scope} options.scope
 * @param {(report: object) => void} options.emit
 * @param {() => object} options.read what only the page knows of itself: `import("device").Facts` without the rest
 * @param {(name: string) => void} options.call shows what the device is called; "" takes it away
 * @param {() => void} options.tone
 * @param {() => void} options.reload now, or when nobody is before the page
 * @param {() => void} [options.wipe] the take that is held here, whoever is before the page
 */
export function createPageDevice({ surface, figures, pageVersion, scope, emit, read, call, tone, reload, wipe }) {
  const calledMs = figure(figures, "identify_s") * 1000;
  let cancel = () => {};
  const device = createDevice({
    surface, storage: pageStorage(), now: Date.now, elapsed: () => performance.now(), scope, figures, emit,
    read: () => ({ playing: null, ...read(), page_version: pageVersion, visible: !document.hidden }),
  });
  scope.listen(document, "visibilitychange", device.look);

  const orders = {
    identify({ name }) {
      cancel();
      call(name);
      cancel = scope.timeout(() => call(""), calledMs);
    },
    tone,
    reload,
    wipe: () => wipe?.(),
  };

  return {
    link: device.link,
    /** @param {{command: string, name: string} | null} order an unknown one is for a newer page than this */
    obey(order) {
      if (order !== null) orders[order.command]?.(order);
    },
  };
}
