/**
 * After 15 seconds a property stops, and fails: shrinking large shapes would take minutes, and a test that runs into
 * vitest's own limit does not show its counterexample.
 */
export const timeLimit = { interruptAfterTimeLimit: 15_000, markInterruptAsFailure: true } as const;
