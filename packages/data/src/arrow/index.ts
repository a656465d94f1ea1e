/** Arrow files as tables, by the package @uwdata/flechette, which you install beside this one. */
export { type ArrowOptions, readArrow } from './read-arrow.ts';
