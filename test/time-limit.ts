/**
 * After 20 seconds a property takes no further example, and shrinking stops: shrinking large shapes would take minutes, and
 * a test that runs into vitest's own limit does not show its counterexample.
 */
export const timeLimit = { interruptAfterTimeLimit: 20_000 } as const;
