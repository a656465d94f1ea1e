/** A worker of `large-files.ts`. */
import { workerData } from 'node:worker_threads';
import { servePipeline } from '@nn/data';
import { largeSamples } from './large-files-samples.ts';

servePipeline(await largeSamples(workerData));
