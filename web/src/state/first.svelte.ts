/**
 * What can wait for the map: the flags' pictures, the time below it. Together they held it up by a fifth where
 * all is drawn in software. A map that never comes (no WebGL) is waited for no longer than this.
 */
const PATIENCE_MS = 4000;

export const first = $state({ drawn: false });
setTimeout(() => (first.drawn = true), PATIENCE_MS);
