import type { Connection } from './connection.js';

/** One that would be through with what it has within so many looks is being read. */
const LOOKS = 60;

/**
 * Connections have bounds of their own, but many of them together may want more memory than there is: the heaviest have
 * to go until the rest fits. Who takes his answers, if slowly, goes only where the others alone are too much.
 *
 * @param bytesMax what all may keep: messages that are not complete, requests that are not answered, answers that are not
 * read, and streams
 * @returns whether it was too much
 */
export function thinOut(connections: Iterable<Connection>, bytesMax: number): boolean {
  let bytes = 0;
  for (const connection of connections) bytes += connection.weight;
  if (bytes <= bytesMax) {
    for (const connection of connections) connection.movedSinceLook();
    return false;
  }
  const heaviest = [...connections].filter(({ isOpen }) => isOpen).sort((a, b) => b.weight - a.weight);
  const moving = new Set(heaviest.filter((connection) => connection.movedSinceLook() * LOOKS >= connection.weight));
  for (const connection of heaviest) {
    if (bytes <= bytesMax) break;
    if (moving.has(connection) && bytes <= 2 * bytesMax) continue;
    bytes -= connection.weight;
    connection.crowdedOut();
  }
  return true;
}
