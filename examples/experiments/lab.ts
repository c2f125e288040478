/**
 * The lab: what is said of batch normalization, put to the test, claim by claim.
 *
 *     npm run lab
 *
 * Each claim has a file of its own in `lab/claims`: which networks are trained, what is measured, and how the verdict
 * follows. The results are in `lab/README.md`.
 */
import { labCommand } from './lab/command.ts';

await labCommand('npm run lab --').parseAsync();
