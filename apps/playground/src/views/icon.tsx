/** The page's few pictograms, drawn in the colour of the text. Decoration: the buttons around them have names. */
import type { JSX } from 'preact';

const paths = {
  play: 'M8 5.5v13l11-6.5z',
  pause: 'M7 5.5h3.5v13H7zM13.5 5.5H17v13h-3.5z',
  step: 'M6 5.5v13l9-6.5zM16 5.5h2.5v13H16z',
  epoch: 'M3 5.5v13l8-6.5zM11 5.5v13l8-6.5zM19 5.5h2.5v13H19z',
  reset: 'M12 5V2L7.5 6 12 10V7a5 5 0 1 1-5 5H5a7 7 0 1 0 7-7z',
  plus: 'M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z',
  minus: 'M5 11h14v2H5z',
  close: 'M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4z',
  check: 'M9.5 16.6 5 12l1.5-1.5 3 3L17.5 5.5 19 7z',
  circle: 'M12 5a7 7 0 1 0 0 14 7 7 0 0 0 0-14zm0 1.8a5.2 5.2 0 1 1 0 10.4 5.2 5.2 0 0 1 0-10.4z',
  pencil: 'M4 20v-4L15.5 4.5l4 4L8 20zm3.2-2L16.6 8.5l-1.1-1L6 17v1z',
  table: 'M4 5h16v14H4zm2 2v3h5V7zm7 0v3h5V7zm-7 5v5h5v-5zm7 0v5h5v-5z',
  file: 'M6 3h8l5 5v13H6zm7 2H8v14h9V9h-4z',
} as const;

type IconName = keyof typeof paths;

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} fill="currentColor" fill-rule="evenodd" />
    </svg>
  );
}
