// A board for the sketch: pins that are pressed by a script, a clock that only it moves, a keyboard that writes down what is
// typed. Reads lines "<ms> <pin> <0|1>" (1 is pressed) and "<ms> end"; prints "<ms> <key>" for each key.
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

using std::uint8_t;

const int LOW = 0, HIGH = 1, INPUT_PULLUP = 2;
const uint8_t KEY_ESC = 0xB1;

static unsigned long clockMs = 0;
static std::map<int, bool> pressed;
static std::map<int, int> modes;

unsigned long millis() { return clockMs; }
void pinMode(int pin, int mode) { modes[pin] = mode; }
int digitalRead(int pin) { return modes[pin] == INPUT_PULLUP && pressed[pin] ? LOW : HIGH; }

struct Keys {
  void begin() {}
  void write(uint8_t key) {
    if (key == KEY_ESC) std::printf("%lu Esc\n", clockMs);
    else std::printf("%lu %c\n", clockMs, key == ' ' ? '_' : key);
  }
} Keyboard;

// What the Arduino IDE writes before a sketch: its functions, declared.
struct Button;
void look(Button &button, unsigned long nowMs);

#include SKETCH

int main() {
  setup();
  unsigned long until;
  char what[8];
  int down;
  while (std::scanf("%lu %7s", &until, what) == 2) {
    for (; clockMs < until; clockMs += 1) loop();
    if (std::string(what) == "end") break;
    if (std::scanf("%d", &down) != 1) return 1;
    pressed[std::stoi(what)] = down == 1;
  }
  return 0;
}
