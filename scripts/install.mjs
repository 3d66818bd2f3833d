/** Installs the dependencies unless they are: `.ci/run` starts with it. */
import { ensureInstalled } from './ensure.mjs';

ensureInstalled();
