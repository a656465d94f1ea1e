/** What VitePress reads. The pages are in `content`, which src/stage/main.ts writes; everything else is in src. */
import { configuration } from '../src/stage/configuration.ts';

export default configuration();
