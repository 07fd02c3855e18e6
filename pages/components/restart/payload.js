// What the page tells its watch over the server, as `payload.py` says it: types and nothing else.

export {};

/**
 * An address that every run of the server responds to, and the header that names the run.
 *
 * @typedef {object} RestartData
 * @property {string} url
 * @property {string} header
 */
