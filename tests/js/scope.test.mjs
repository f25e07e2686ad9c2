import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createScope } from "scope";

test("things are let go of in reverse order, once", () => {
  const scope = createScope();
  const order = [];
  scope.add(() => order.push("first"));
  scope.add({ dispose: () => order.push("second") });
  scope.dispose();
  scope.dispose();
  assert.deepEqual(order, ["second", "first"]);
});

test("every release runs although others fail, and every failure is told", () => {
  const scope = createScope();
  const released = mock.fn();
  scope.add(released);
  scope.add(() => { throw new Error("a"); });
  scope.add(() => { throw new Error("b"); });
  assert.throws(() => scope.dispose(), (error) => error instanceof AggregateError && error.errors.length === 2);
  assert.equal(released.mock.callCount(), 1);
});

test("what comes after the end is let go of at once", () => {
  const scope = createScope();
  scope.dispose();
  const late = mock.fn();
  scope.add(late);
  assert.equal(late.mock.callCount(), 1);
});

test("listeners end with the scope, or early", () => {
  const scope = createScope();
  const target = new EventTarget();
  const heard = mock.fn();
  const stop = scope.listen(target, "ping", heard);
  scope.listen(target, "ping", heard);
  target.dispatchEvent(new Event("ping"));
  stop();
  scope.listen(target, "pong", heard);
  scope.dispose();
  target.dispatchEvent(new Event("pong"));
  assert.equal(heard.mock.callCount(), 1);
});

test("timers end with the scope", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const scope = createScope();
  const once = t.mock.fn();
  const often = t.mock.fn();
  scope.timeout(once, 10);
  scope.timeout(once, 1000);
  scope.interval(often, 10);
  t.mock.timers.tick(25);
  scope.dispose();
  t.mock.timers.tick(5000);
  assert.equal(once.mock.callCount(), 1);
  assert.equal(often.mock.callCount(), 2);
});

test("a child ends with its parent, and can end before it", () => {
  const parent = createScope();
  const [early, late] = [mock.fn(), mock.fn()];
  const first = parent.child();
  first.add(early);
  parent.child().add(late);
  first.dispose();
  assert.equal(early.mock.callCount(), 1);
  assert.equal(late.mock.callCount(), 0);
  parent.dispose();
  assert.equal(early.mock.callCount(), 1);
  assert.equal(late.mock.callCount(), 1);
});

test("a node that never started is disconnected all the same", () => {
  const scope = createScope();
  const node = scope.node({
    stop() { throw new DOMException("not started", "InvalidStateError"); },
    disconnect: mock.fn(),
  });
  scope.dispose();
  assert.equal(node.disconnect.mock.callCount(), 1);
});

test("only what can be let go of can be owned", () => {
  assert.throws(() => createScope().add({}), TypeError);
});
