/*
 * A button box for the kiosk: an ATmega32U4 board (Arduino Leonardo, Micro, Pro Micro) that is a USB keyboard.
 *
 * Each button joins one pin to ground; the board's own pull-ups hold it high. A button sends its key once when it
 * is pressed, however long it is held: a hand that rests on it does nothing more. The primary button held for
 * HOLD_MS sends Esc instead, so that one button alone can begin, stop, send and give up.
 *
 * Wiring and keys: docs/how-to/hands-free.md
 */

#include <Keyboard.h>

struct Button {
  uint8_t pin;
  uint8_t key;
  uint8_t heldKey;        // sent instead after HOLD_MS; 0 for none
  bool down;              // as the bounce has settled
  bool wasDown;           // as it was last read
  bool sent;              // whether this press has had its key
  unsigned long changedMs;
};

// One line a button. Leave out what the box does not have.
Button buttons[] = {
  {2, ' ', KEY_ESC, false, false, false, 0},  // begin, record, stop, listen, send
  {3, '1', 0, false, false, false, 0},        // leave it in the room
  {4, '2', 0, false, false, false, 0},        // leave it, with a fossil
  {5, '3', 0, false, false, false, 0},        // hear it once
  {6, 'm', 0, false, false, false, 0},        // test the sound
  {7, KEY_ESC, 0, false, false, false, 0},    // cancel
  {8, 'l', 0, false, false, false, 0},        // next language
  {9, 'r', 0, false, false, false, 0},        // read aloud
};

const unsigned long BOUNCE_MS = 15;
const unsigned long HOLD_MS = 2000;

void setup() {
  for (Button &button : buttons) pinMode(button.pin, INPUT_PULLUP);
  Keyboard.begin();
}

void loop() {
  const unsigned long nowMs = millis();
  for (Button &button : buttons) look(button, nowMs);
}

void look(Button &button, unsigned long nowMs) {
  const bool down = digitalRead(button.pin) == LOW;
  if (down != button.wasDown) {
    button.wasDown = down;
    button.changedMs = nowMs;
    return;
  }
  if (nowMs - button.changedMs < BOUNCE_MS) return;

  if (down && !button.down) {
    button.down = true;
    button.sent = button.heldKey == 0;
    if (button.sent) Keyboard.write(button.key);
  }
  if (button.down && !button.sent && nowMs - button.changedMs >= HOLD_MS) {
    button.sent = true;
    Keyboard.write(button.heldKey);
  }
  if (!down && button.down) {
    button.down = false;
    // One that may be held is told from its end: until then nobody knows which of the two it is.
    if (!button.sent) Keyboard.write(button.key);
    button.sent = false;
  }
}
