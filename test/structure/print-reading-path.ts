/** `npm run reading-path`: prints the number of lines of code on the reading path. */
import { GOAL, readingPath } from './reading-path.ts';

const path = readingPath();
for (const { file, lines } of path) console.log(`${String(lines).padStart(6)}  ${file}`);
const total = path.reduce((sum, { lines }) => sum + lines, 0);
console.log(`${String(total).padStart(6)}  lines of code in ${path.length} files (goal: at most ${GOAL})`);
