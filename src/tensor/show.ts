/**
 * Hides the fields of objects: `console.log` in Node prints `toString()` instead. Vue leaves the objects as they are,
 * because its proxies would have no private fields.
 */
export function showAsString(prototype: { toString(): string }): void {
  Object.defineProperty(prototype, '__v_skip', { value: true });
  Object.defineProperty(prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: { toString(): string }) {
      return this.toString();
    },
  });
}
