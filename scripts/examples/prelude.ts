/** Runs before each example of a docstring: those need not say where they compute. Guides and the README do. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';

setDefaultBackend(cpu());
