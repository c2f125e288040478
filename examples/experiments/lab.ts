/**
 * The lab: claims about batch normalization, tested.
 *
 *     npm run lab
 *
 * Each claim has a file in `lab/claims`, which says which networks are trained, what is measured, and how the verdict
 * is computed. The results are in `lab/README.md`.
 */
import { labCommand } from './lab/command.ts';

await labCommand('npm run lab --').parseAsync();
