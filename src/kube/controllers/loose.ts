/** A part of an object whose shape is its kind's business. */
// biome-ignore lint/suspicious/noExplicitAny: specs and statuses are read member by member, each with a default
export type Loose = any;
