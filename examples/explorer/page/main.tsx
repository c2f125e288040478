/** The program of the page. */
import { render } from 'preact';
import { useDevice } from '../../../src/index.ts';
import { Page } from './page.tsx';
import './style.css';

// float64 needs the device `cpu`.
void useDevice('cpu').then(() => {
  const place = document.getElementById('page');
  if (place === null) return;
  place.replaceChildren();
  render(<Page />, place);
});
