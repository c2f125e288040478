/**
 * Shows the built-in digits: ten in the terminal, two hundred in a picture.
 *
 *     npm run digits -- --seed 2
 */
import { digitsCommand } from './digits/command.ts';

await digitsCommand('npm run digits --').parseAsync();
