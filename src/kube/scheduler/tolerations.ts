/** Daemons ask the same. */
export { isTolerated, type Toleration, tolerates, tolerationsOf } from '../kit/tolerations.js';
