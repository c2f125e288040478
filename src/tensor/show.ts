/** Makes Node's `console.log` print what `toString` says, instead of an object's insides. */
export function showAsString(prototype: { toString(): string }): void {
  Object.defineProperty(prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: { toString(): string }) {
      return this.toString();
    },
  });
}
