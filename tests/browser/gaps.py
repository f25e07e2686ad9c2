"""How exactly the room keeps its gaps while everything around it is slow: measured on tape, on the audio clock."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from playwright.sync_api import Page

from tests.browser.sound_stage import Origin, perform

DELAY_S = 0.5
PLAY = """
  const { createNoise } = await import('noise');
  const noise = createNoise(SEED);
  const between = (low, high) => low + ((noise() + 1) / 2) * (high - low);
  // The page is as busy as its server: every now and then nothing else gets a turn.
  const busy = setInterval(() => {
    const until = performance.now() + between(20, 150);
    while (performance.now() < until);
  }, 250);
  const gaps = [];
  let answered = -1;
  while (told('ended').length < PROGRAMS) {
    const need = told('need').at(-1);
    if (need !== undefined && need.seq > answered && need.seq < PROGRAMS) {
      answered = need.seq;
      await pause(DELAY);
      gaps.push(Math.round(between(950, 2500)));
      const take = { url: `/take/${1.5 + (answered % 3) * 0.5}`, duration_ms: 1500 + (answered % 3) * 500 };
      s.engine.offer(program(answered + 1, [item(answered + 1, take)], { gap_ms: gaps.at(-1) }));
    }
    await pause(0.02);
  }
  clearInterval(busy);
  await pause(0.2);
  return [gaps, s.tape.sounds()];
"""


def gap_errors_ms(page: Page, origin: Origin, *, programs: int, seed: int) -> list[float]:
    """How far every gap but the first was off, in ms: the network delayed by half a second, page and server loaded."""
    origin.delay_s = DELAY_S
    script = PLAY.replace("SEED", str(seed)).replace("PROGRAMS", str(programs)).replace("DELAY", str(DELAY_S))
    with loaded():
        gaps, sounds = perform(page, script)
    origin.delay_s = 0
    assert len(sounds) == programs, sounds
    heard = [(later[0] - earlier[1]) * 1000 for earlier, later in pairwise(sounds)]
    return [after - asked for after, asked in zip(heard, gaps[1:], strict=True)]


@contextmanager
def loaded() -> Iterator[None]:
    """The server's process with something else to do: two threads that always want a turn."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            sum(range(20_000))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
