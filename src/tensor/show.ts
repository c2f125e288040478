/** Makes `console.log` in Node print `toString()` instead of the fields of the object. */
export function showAsString(prototype: { toString(): string }): void {
  Object.defineProperty(prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: { toString(): string }) {
      return this.toString();
    },
  });
}
