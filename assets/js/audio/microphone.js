/**
 * What can be said of a microphone without recording it: what it is called, whether it may be used, and whether an open
 * one gives anything at all.
 */

import { isNamed } from "capture";
import { figure } from "figures";

const LABEL_MOST = 120;

/**
 * @param {object} options
 * @param {Record<string, number>} options.figures catalogs/device.toml
 * @param {() => number} options.elapsed milliseconds
 * @param {import("scope").Scope} options.scope
 * @param {Pick<Navigator, "permissions" | "mediaDevices">} options.environment what the browser offers
 * @param {string} [options.deviceName] a part of the name of the one that is to be used, "" for the browser's own choice
 * @param {() => void} options.onBack one more microphone is there than before, or it is allowed now
 */
export function watchMicrophone({ figures, elapsed, scope, environment, deviceName = "", onBack }) {
  const floor = 10 ** (figure(figures, "microphone_floor_db") / 20);
  const silentMs = figure(figures, "microphone_silent_s") * 1000;
  const { permissions, mediaDevices } = environment;
  let label = "";
  let permission = "unknown";
  let silent = false;
  let heardMs = 0;
  let known = null; // how many there are

  /** A browser names its microphones only to pages that may use them. Without the one that is to be used there is none. */
  async function name() {
    const devices = (await mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
    const microphones = devices.filter((device) => device.kind === "audioinput");
    const used = deviceName === "" ? microphones[0] : microphones.find((device) => isNamed(device, deviceName));
    label = used?.label ?? "";
    if (known !== null && microphones.length > known) onBack();
    known = microphones.length;
  }

  async function watchPermission() {
    const status = await permissions?.query({ name: "microphone" }).catch(() => null); // not every browser tells
    await name(); // before anybody takes its silence for its absence
    if (!status) return;
    permission = status.state;
    scope.listen(status, "change", () => {
      permission = status.state;
      name();
      if (permission === "granted") onBack();
    });
  }

  if (mediaDevices) {
    scope.listen(mediaDevices, "devicechange", () => {
      silent = false; // of another one nothing is known yet
      name();
    });
  }
  watchPermission();

  return {
    /** @param {string} opened what the open microphone is called */
    opened(opened) {
      permission = "granted";
      label = opened;
      heardMs = elapsed();
    },

    /** @param {import("capture").CaptureCode} code why it could not be opened */
    refused(code) {
      if (code === "denied") permission = "denied";
    },

    /** What an open microphone gives. One that was silent stays so until something is heard: closing it mends nothing. */
    level({ peak }) {
      if (peak > floor) heardMs = elapsed();
      silent = peak > floor ? false : silent || elapsed() - heardMs > silentMs;
    },

    /** @returns {{microphone: string, permission: string, microphone_silent: boolean}} */
    read: () => ({ microphone: [...label].slice(0, LABEL_MOST).join(""), permission, microphone_silent: silent }),
  };
}
