/** Where VitePress looks for the theme. */
import { theme } from '../../src/theme/theme.ts';

export default theme;
