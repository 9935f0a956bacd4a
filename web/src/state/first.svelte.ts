/**
 * What can wait for the map: the flags' pictures, the time below it. They took a seventh of the processor's time
 * until it was drawn (`python -m bench page`). A map that never comes (no WebGL) is waited for no longer than this.
 */
const PATIENCE_MS = 4000;

export const first = $state({ drawn: false });
setTimeout(() => (first.drawn = true), PATIENCE_MS);
