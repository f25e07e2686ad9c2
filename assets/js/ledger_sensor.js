/** What a sensor of the room has said: who is there, what it asks for, and a steward's word against it. */

import { ago, fill, moment } from "ledger";

/** @param {string} source a sensor's own name for itself, or nothing */
const named = (source, copy) => (source === "" ? copy.sensor_unnamed : fill(copy.sensor_named, { name: source }));

/**
 * @param {{people: object | null, asks: object[]}} sensor of the pushed view
 * @returns {string[]} one line about people, and one for each request
 */
export function sensorLines(sensor, { copy, times, nowMs }) {
  const { people, asks } = sensor;
  const lines = asks.map(({ name, source, until_ms, overruled }) => {
    const asked = name === "playback_paused" ? copy.sensor_asks_pause : copy.sensor_asks_quiet;
    const line = fill(asked, { who: named(source, copy), time: moment(until_ms, nowMs) });
    return overruled ? fill(copy.sensor_overruled, { line }) : line;
  });
  if (people === null) return lines;
  const counted = people.count === 1 ? copy.sensor_person : copy.sensor_people;
  const given = { count: people.count, who: named(people.source, copy), ago: ago(people.at_ms, nowMs, times) };
  return [fill(counted, given), ...lines];
}

/** @returns {boolean} whether something is asked for, and no steward has decided against it */
export function asksFor({ asks }, name) {
  return asks.some((ask) => ask.name === name && !ask.overruled);
}

/** Emits `overrule` where a steward decides against what is asked for. */
export const LedgerSensor = {
  props: {
    sensor: { type: Object, required: true },
    copy: { type: Object, required: true },
    times: { type: Object, required: true },
    nowMs: { type: Number, required: true },
    mayChange: { type: Boolean, required: true },
    busy: { type: Boolean, required: true },
  },
  emits: ["overrule"],
  template: `<div class="ops-sensor" v-if="lines.length > 0">
      <p v-for="line in lines" :key="line" class="note">{{ line }}</p>
      <p v-if="mayChange && stands"><button class="button" type="button" :disabled="busy" @click="$emit('overrule')">{{ copy.sensor_overrule }}</button></p>
    </div>`,
  computed: {
    lines() {
      return sensorLines(this.sensor, this);
    },
    stands() {
      return this.sensor.asks.some(({ overruled }) => !overruled);
    },
  },
};
