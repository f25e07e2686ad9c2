// A microphone that does what it is told: how loud it is, what it is called, whether it is there and allowed.
{
  // oxlint-disable-next-line no-underscore-dangle -- as everything a test lays into a page
  const mic = (window.__mic = {
    devices: [{ kind: "audioinput", label: "Built-in Audio", deviceId: "built-in" }],
    asked: [], // device ids, in their order; "" for the browser's choice
    refused: "", // the name of the browser's error
    gain: 0.3,
    ahead: 0, // of performance.now(), in ms: a machine that slept
    streams: [],
    permission: Object.assign(new EventTarget(), { state: "granted" }),

    /** Pulled out, or no more allowed: browsers say so by the end of the track. */
    end() {
      for (const stream of mic.streams.splice(0)) {
        for (const track of stream.getTracks()) {
          track.stop();
          track.dispatchEvent(new Event("ended"));
        }
      }
    },

    have(devices) {
      mic.devices = devices;
      navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
    },

    loud(gain) {
      mic.gain = gain;
      if (mic.level) mic.level.gain.value = gain;
    },

    /** As noise is, that does not pause. */
    steady() {
      mic.depth.gain.value = 0;
    },

    permit(state) {
      mic.permission.state = state;
      mic.refused = state === "granted" ? "" : "NotAllowedError";
      mic.permission.dispatchEvent(new Event("change"));
    },
  });

  navigator.mediaDevices.enumerateDevices = async () => mic.devices;
  navigator.permissions.query = async () => mic.permission;
  navigator.mediaDevices.getUserMedia = async ({ audio }) => {
    mic.asked.push(audio.deviceId?.exact ?? "");
    if (mic.refused) throw new DOMException("told so", mic.refused);
    mic.context ??= new AudioContext();
    // A tone that swells five times a second, as syllables do.
    const [tone, swell, depth] = [mic.context.createOscillator(), mic.context.createOscillator(), mic.context.createGain()];
    const syllables = mic.context.createGain();
    mic.level = mic.context.createGain();
    mic.level.gain.value = mic.gain;
    tone.frequency.value = 180;
    swell.frequency.value = 5;
    depth.gain.value = 0.5;
    mic.depth = depth;
    syllables.gain.value = 0.5;
    swell.connect(depth).connect(syllables.gain);
    const heard = mic.context.createMediaStreamDestination();
    tone.connect(syllables).connect(mic.level).connect(heard);
    tone.start();
    swell.start();
    mic.streams.push(heard.stream);
    return heard.stream;
  };

  const now = performance.now.bind(performance);
  performance.now = () => now() + mic.ahead;
}
